/* regex.c: regular expressions over PCRE2. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <string.h>

#include "text/regex.h"
#include "text/scan.h"

enum {
    MATCH_LIMIT = 10000000, /* steps of one search; the worst patterns need seconds for it */
    STACK_FIRST = 32 << 10,
    STACK_MOST = 1 << 20
};

struct heed__regex {
    heed_hooks hooks;
    pcre2_general_context *general;
    pcre2_code *code; /* NULL: scan or literal */
    heed__scan scan;
    char *literal, *name;
    size_t size; /* of literal */
};

typedef struct scratch {
    heed_hooks hooks;
    pcre2_general_context *general;
    pcre2_match_context *context;
    pcre2_match_data *data;
    pcre2_jit_stack *stack;
} scratch;

static void *take(size_t size, void *hooks) {
    return heed__malloc(hooks, size);
}

static void give(void *memory, void *hooks) {
    heed__free(hooks, memory);
}

static int no_memory(heed_error *err) {
    return heed__error(err, HEED_ENOMEM, "regular expression: out of memory");
}

void heed__regex_scratch_free(void *memory) {
    scratch *s = memory;
    if (!s) return;
    if (s->data) pcre2_match_data_free(s->data);
    if (s->stack) pcre2_jit_stack_free(s->stack);
    if (s->context) pcre2_match_context_free(s->context);
    if (s->general) pcre2_general_context_free(s->general);
    const heed_hooks hooks = s->hooks;
    heed__free(&hooks, s);
}

static scratch *scratch_of(heed__tok_work *w) {
    if (w->regex) return w->regex;
    scratch *s = heed__calloc(&w->hooks, 1, sizeof *s);
    if (!s) return NULL;
    s->hooks = w->hooks;
    s->general = pcre2_general_context_create(take, give, &s->hooks);
    if (s->general) s->context = pcre2_match_context_create(s->general);
    if (s->general) s->data = pcre2_match_data_create(1, s->general);
    if (s->general) s->stack = pcre2_jit_stack_create(STACK_FIRST, STACK_MOST, s->general);
    if (!s->context || !s->data || !s->stack) {
        heed__regex_scratch_free(s);
        return NULL;
    }
    pcre2_jit_stack_assign(s->context, NULL, s->stack);
    pcre2_set_match_limit(s->context, MATCH_LIMIT);
    return w->regex = s;
}

void heed__regex_free(heed__regex *r) {
    if (!r) return;
    if (r->code) pcre2_code_free(r->code);
    if (r->general) pcre2_general_context_free(r->general);
    const heed_hooks hooks = r->hooks;
    heed__free(&hooks, r->literal);
    heed__free(&hooks, r->name);
    heed__free(&hooks, r);
}

static int compile(heed__regex *r, const char *text, heed_error *err) {
    int code = 0;
    PCRE2_SIZE at = 0;
    r->general = pcre2_general_context_create(take, give, &r->hooks);
    pcre2_compile_context *context = r->general ? pcre2_compile_context_create(r->general) : NULL;
    if (!context) return no_memory(err);
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    r->code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                            PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_MULTILINE,
                            &code, &at, context);
    pcre2_compile_context_free(context);
    if (!r->code) {
        PCRE2_UCHAR why[160] = "";
        pcre2_get_error_message(code, why, sizeof why);
        if (code == PCRE2_ERROR_HEAP_FAILED) return no_memory(err);
        return heed__error(err, HEED_EFORMAT, "%s: the regular expression does not compile: %s",
                           r->name, (char *)why);
    }
    pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE); /* without it PCRE2 interprets */
    return 0;
}

heed__regex *heed__regex_new(const char *pattern, size_t size, bool literal, const char *name,
                             const heed_hooks *hooks, heed_error *err) {
    heed__regex *r = heed__calloc(hooks, 1, sizeof *r);
    if (!r) {
        no_memory(err);
        return NULL;
    }
    if (hooks) r->hooks = *hooks;
    int rc = 0;
    r->name = heed__strdup(hooks, name);
    if (!r->name) {
        rc = no_memory(err);
    } else if (literal && size > 0) {
        r->literal = heed__malloc(hooks, size);
        r->size = size;
        if (r->literal)
            memcpy(r->literal, pattern, size);
        else
            rc = no_memory(err);
    } else if (!(r->scan = heed__scan_for(pattern, size))) {
        char *text = heed__regex_translate(pattern, size, name, hooks, err);
        rc = text ? compile(r, text, err) : HEED_EFORMAT;
        heed__free(hooks, text);
    }
    if (rc == 0) return r;
    heed__regex_free(r);
    return NULL;
}

/* The next match at or after `from`: 1, 0 for none, or a status. */
static int search(const heed__regex *r, scratch *s, const char *text, uint32_t size, uint32_t from,
                  heed_error *err) {
    int rc = pcre2_match(r->code, (PCRE2_SPTR)text, size, from, PCRE2_NO_UTF_CHECK, s->data,
                         s->context);
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
        rc = pcre2_match(r->code, (PCRE2_SPTR)text, size, from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT,
                         s->data, s->context);
    if (rc >= 0) return 1;
    if (rc == PCRE2_ERROR_NOMATCH) return 0;
    if (rc == PCRE2_ERROR_NOMEMORY) return no_memory(err);
    return heed__error(err, HEED_EUNSUPPORTED,
                       "%s: the regular expression takes too many steps on this text", r->name);
}

static int all_compiled(const heed__regex *r, heed__tok_work *w, const char *text, uint32_t size,
                        heed_error *err) {
    scratch *s = scratch_of(w);
    if (!s) return no_memory(err);
    uint32_t from = 0, before = 0, n = 0;
    int64_t last = -1; /* end of the match before; an empty one there does not count */
    int found;
    while (from <= size && (found = search(r, s, text, size, from, err)) != 0) {
        if (found < 0) return found;
        if (w->hooks.cancel && w->match_len % 4096 == 4095 && w->hooks.cancel(w->hooks.user))
            return heed__error(err, HEED_ECANCELLED, "%s: stopped", r->name);
        const PCRE2_SIZE *place = pcre2_get_ovector_pointer(s->data);
        const uint32_t begin = (uint32_t)place[0], end = (uint32_t)place[1];
        if (begin > end) break; /* \K in a lookahead */
        if (begin == end && last == (int64_t)end) {
            if (from < size) heed__char_at(text + from, &n);
            from += from < size ? n : 1;
            continue;
        }
        if (begin < before) break;
        if (before != begin && heed__match_add(w, before, begin, false, err)) return HEED_ENOMEM;
        if (heed__match_add(w, begin, end, true, err)) return HEED_ENOMEM;
        before = from = end;
        last = end;
    }
    return before < size ? heed__match_add(w, before, size, false, err) : 0;
}

static int all_literal(const heed__regex *r, heed__tok_work *w, const char *text, uint32_t size,
                       heed_error *err) {
    uint32_t before = 0;
    while (size - before >= r->size) {
        const char *at = memmem(text + before, size - before, r->literal, r->size);
        if (!at) break;
        const uint32_t begin = (uint32_t)(at - text);
        if (before != begin && heed__match_add(w, before, begin, false, err)) return HEED_ENOMEM;
        before = begin + (uint32_t)r->size;
        if (heed__match_add(w, begin, before, true, err)) return HEED_ENOMEM;
    }
    return before < size ? heed__match_add(w, before, size, false, err) : 0;
}

int heed__regex_all(const heed__regex *r, heed__tok_work *w, const char *text, uint32_t size,
                    heed_error *err) {
    w->match_len = 0;
    if (size == 0) return heed__match_add(w, 0, 0, false, err);
    if (r->literal) return all_literal(r, w, text, size, err);
    if (!r->scan) return all_compiled(r, w, text, size, err);
    for (uint32_t at = 0; at < size;) {
        const uint32_t end = r->scan(text, size, at);
        if (heed__match_add(w, at, end, true, err)) return HEED_ENOMEM;
        at = end;
    }
    return 0;
}
