/* conll.c: tagged sentences in columns. */
#include "io/conll.h"

#include <string.h>

#include "base/text.h"
#include "io/dataset_impl.h"
#include "io/strings.h"

enum { COLUMNS_MOST = 64 };

typedef struct holder {
    heed_hooks hooks;
    heed_strings strings;
    int64_t first_cap, token_cap, tag_cap, line_cap;
} holder;

typedef struct parser {
    heed_conll *c;
    holder *h;
    const heed_conll_cfg *cfg;
    heed_dataset_stream s; /* for its lines and problems */
    bool tabs;
    int columns, token_at, tag_at; /* columns 0: not known yet; tag_at -1: none */
    int usual;                     /* columns of the first line that is no comment; 0: none seen */
    int64_t comments;              /* lines passed over */
} parser;

/* The string as the one before it, where they are equal: most tags are. */
static const char *keep_tag(parser *p, const char *tag) {
    const char *last = p->c->tokens ? p->c->tag[p->c->tokens - 1] : NULL;
    return last && strcmp(last, tag) == 0 ? last : heed__strings_keep(&p->h->strings, tag);
}

/* Cuts a line into columns; how many, COLUMNS_MOST + 1 where there are more. */
static int cut(const parser *p, char *line, char *column[COLUMNS_MOST]) {
    const char *sep = p->tabs ? "\t" : " ";
    int n = 0;
    for (char *at = line; at;) {
        if (!p->tabs) at += strspn(at, sep);
        if (!p->tabs && !*at) break;
        if (n == COLUMNS_MOST) return n + 1;
        column[n++] = at;
        at = strpbrk(at, sep);
        if (at) *at++ = 0;
    }
    return n;
}

/* Looks ahead for the first line that cannot be a comment: how many columns it has, and by what
 * they are separated. 0 or a status. */
static int look(parser *p, heed_error *err) {
    const char *at;
    size_t size;
    const int rc = heed__input_peek(p->s.in, &at, &size, err);
    if (rc) return rc;
    const char *end = at + size, *next;
    if (size >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) at += 3;
    for (; at < end; at = next) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        next = stop ? stop + 1 : end;
        if (!stop) stop = end;
        if (stop > at && stop[-1] == '\r') stop--;
        size_t blanks = 0;
        while (at + blanks < stop && at[blanks] == ' ') blanks++;
        const bool doc = stop - at >= 10 && memcmp(at, "-DOCSTART-", 10) == 0;
        if (at + blanks == stop || doc || (stop - at >= 2 && memcmp(at, "# ", 2) == 0)) continue;
        p->tabs = memchr(at, '\t', (size_t)(stop - at)) != NULL;
        const char sep = p->tabs ? '\t' : ' ';
        p->usual = p->tabs;
        for (; at < stop; at++)
            p->usual += *at == sep ? p->tabs : !p->tabs && (at + 1 == stop || at[1] == sep);
        return 0;
    }
    return 0;
}

/* Whether a line is a comment and not the token `#`. */
static bool is_comment(const parser *p, const char *line) {
    if (strncmp(line, "# ", 2) != 0 || !p->usual) return false;
    if (p->tabs) return !strchr(line, '\t');
    const heed_conll *c = p->c;
    if (c->tokens > (c->len ? c->first[c->len] : 0)) return false; /* within a sentence */
    int n = 0;
    for (const char *at = line; *at; n++) {
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    return n != p->usual;
}

/* Decides from the first line which column is what. 0 or a status. */
static int choose(parser *p, int n, heed_error *err) {
    const heed_conll_cfg *cfg = p->cfg;
    const int64_t line = heed__input_line_number(p->s.in);
    if (cfg->token > n || cfg->tag > n)
        return heed__error(err, HEED_ENOTFOUND, "%.300s:%lld: no column %lld, there are %d",
                           p->s.name, (long long)line,
                           (long long)(cfg->token > n ? cfg->token : cfg->tag), n);
    p->columns = n;
    p->token_at = cfg->token ? (int)cfg->token - 1 : 0;
    p->tag_at = cfg->token_only ? -1 : cfg->tag ? (int)cfg->tag - 1 : n - 1;
    if (p->tag_at == p->token_at)
        return heed__error(err, HEED_EFORMAT, "%.300s:%lld: no column is left for the tag",
                           p->s.name, (long long)line);
    size_t len = heed__format(p->c->how, sizeof p->c->how, "columns; token from column %d",
                              p->token_at + 1);
    if (p->tag_at >= 0)
        heed__format(p->c->how + len, sizeof p->c->how - len, ", tag from column %d",
                     p->tag_at + 1);
    return 0;
}

static int add(parser *p, const char *token, const char *tag, int64_t line) {
    heed_conll *c = p->c;
    const heed_hooks *hooks = &p->h->hooks;
    const int64_t i = c->tokens;
    if (heed__grow(hooks, &c->token, &p->h->token_cap, i + 1, sizeof *c->token) ||
        heed__grow(hooks, &c->line, &p->h->line_cap, i + 1, sizeof *c->line) ||
        (tag && heed__grow(hooks, &c->tag, &p->h->tag_cap, i + 1, sizeof *c->tag)))
        return HEED_ENOMEM;
    c->token[i] = heed__strings_keep(&p->h->strings, token);
    if (tag) c->tag[i] = keep_tag(p, tag);
    c->line[i] = line;
    if (!c->token[i] || (tag && !c->tag[i])) return HEED_ENOMEM;
    c->tokens++;
    return 0;
}

static int end_sentence(parser *p) {
    heed_conll *c = p->c;
    if (heed__grow(&p->h->hooks, &c->first, &p->h->first_cap, c->len + 2, sizeof *c->first))
        return HEED_ENOMEM;
    if (c->len == 0) c->first[0] = 0;
    if (c->tokens > c->first[c->len]) c->first[++c->len] = c->tokens;
    return 0;
}

/* A line of columns. 0 (what is wrong with it is noted) or a status. */
static int one_token(parser *p, char *line, heed_error *err) {
    char *column[COLUMNS_MOST];
    const int64_t number = heed__input_line_number(p->s.in);
    if (!p->columns) p->tabs = strchr(line, '\t') != NULL;
    const int n = cut(p, line, column);
    if (n > COLUMNS_MOST) {
        heed__dataset_wrong(&p->s, number, "more than %d columns", COLUMNS_MOST);
        return 0;
    }
    const int rc = p->columns ? 0 : choose(p, n > 0 ? n : 1, err);
    if (rc) return rc;
    const char *wrong = NULL;
    if (n != p->columns) {
        heed__dataset_wrong(&p->s, number, "%d column%s where there should be %d", n,
                            n == 1 ? "" : "s", p->columns);
        return 0;
    }
    const char *token = column[p->token_at], *tag = p->tag_at >= 0 ? column[p->tag_at] : NULL;
    if (!*token)
        wrong = "the token is empty";
    else if (tag && !*tag)
        wrong = "the tag is empty";
    else if (tag && heed__control_at(tag, strlen(tag)) < strlen(tag))
        wrong = "the tag holds a control character";
    if (wrong) {
        heed__dataset_wrong(&p->s, number, "%s", wrong);
        return 0;
    }
    return add(p, token, tag, number) ? heed__dataset_no_memory(&p->s, err) : 0;
}

static int parse(parser *p, heed_error *err) {
    char *line;
    size_t size;
    int rc = look(p, err), got = HEED_STEP_ONE;
    while (rc == 0 && p->s.problems->count < HEED_PROBLEMS &&
           (got = heed__dataset_line(&p->s, &line, &size, err)) > 0) {
        if (got == HEED_STEP_WRONG) continue;
        if (strspn(line, p->columns && p->tabs ? "" : " ") == size ||
            strncmp(line, "-DOCSTART-", 10) == 0)
            rc = end_sentence(p) ? heed__dataset_no_memory(&p->s, err) : 0;
        else if (is_comment(p, line))
            p->comments++;
        else
            rc = one_token(p, line, err);
    }
    if (p->comments && p->columns) {
        const size_t len = strlen(p->c->how);
        heed__format(p->c->how + len, sizeof p->c->how - len, "; %lld comment%s",
                     (long long)p->comments, p->comments == 1 ? "" : "s");
    }
    if (rc == 0 && got < 0) rc = got;
    if (rc == 0 && end_sentence(p)) rc = heed__dataset_no_memory(&p->s, err);
    if (rc == 0) rc = heed__dataset_problems(p->s.problems, err);
    if (rc == 0 && p->c->len == 0)
        rc = heed__error(err, HEED_EFORMAT, "%s: no line of data", p->s.name);
    return rc;
}

static int collect(heed_conll *c, heed_input *in, const heed_conll_cfg *cfg, heed_error *err) {
    *c = (heed_conll){ 0 };
    if (!in) return 0;
    parser p = { .c = c, .cfg = cfg, .s = { .in = in } };
    p.s.name = (char *)(uintptr_t)heed__input_name(in); /* only read */
    p.s.problems = cfg->problems ? cfg->problems : &p.s.mine;
    p.s.problems->count = 0;
    p.h = heed__calloc(cfg->hooks, 1, sizeof *p.h);
    int rc;
    if (!p.h) {
        rc = heed__dataset_no_memory(&p.s, err);
    } else {
        if (cfg->hooks) p.h->hooks = *cfg->hooks;
        heed__strings_init(&p.h->strings, &p.h->hooks);
        c->memory = p.h;
        rc = parse(&p, err);
    }
    heed__input_close(in);
    if (rc) heed__conll_free(c);
    return rc;
}

int heed__conll_read(heed_conll *c, const char *path, const heed_conll_cfg *cfg, heed_error *err) {
    heed_error own = { 0 };
    if (!err) err = &own;
    heed_input *in = heed__input_open(path, cfg->hooks, err);
    const int rc = collect(c, in, cfg, err);
    return in ? rc : err->code;
}

int heed__conll_parse(heed_conll *c, const char *bytes, size_t size, const char *name,
                      const heed_conll_cfg *cfg, heed_error *err) {
    heed_error own = { 0 };
    if (!err) err = &own;
    heed_input *in = heed__input_from(bytes, size, name, cfg->hooks, err);
    const int rc = collect(c, in, cfg, err);
    return in ? rc : err->code;
}

void heed__conll_free(heed_conll *c) {
    holder *h = c->memory;
    if (!h) return;
    const heed_hooks hooks = h->hooks;
    heed__strings_free(&h->strings);
    heed__free(&hooks, c->first);
    heed__free(&hooks, c->token);
    heed__free(&hooks, c->tag);
    heed__free(&hooks, c->line);
    heed__free(&hooks, h);
    *c = (heed_conll){ 0 };
}
