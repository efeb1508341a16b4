/* sink_mail.c: a mail for each message, given to a program's standard input, as sendmail -t wants
 * it. The program is started without a shell: its words are those of the setting between blanks. No
 * text of an event can make a header or an address: what is not plain ASCII is encoded (RFC 2047),
 * control characters are blanks, the body is base64 (RFC 2045).
 *
 * Exit status 0: delivered; 64, 65, 67, 68 of sysexits.h (usage, data, no such user or host): dead;
 * anything else, no program, no end in time: tried again.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "flow/sink_impl.h"

enum { WORDS = 32, MOST_RATE = 1000000, HOUR_MS = 3600000, LINE = 76 };

typedef struct mail {
    char *words; /* the command, cut into argv */
    char *argv[WORDS + 1];
    int64_t *sent_ms; /* ring of the last `rate` mails */
    int64_t rate, next;
} mail;

static void close_mail(heed__sink *s) {
    mail *a = s->own;
    if (!a) return;
    heed__free(&s->all->hooks, a->sent_ms);
    heed__free(&s->all->hooks, a->words);
    heed__free(&s->all->hooks, a);
    s->own = NULL;
}

static int open_mail(heed__sink *s, heed_error *err) {
    const heed_hooks *hooks = &s->all->hooks;
    mail *a = heed__calloc(hooks, 1, sizeof *a);
    if (!a) return heed__error(err, HEED_ENOMEM, "out of memory for sink %s", s->name);
    s->own = a;
    a->rate = s->cfg->rate_per_hour > 0 ? s->cfg->rate_per_hour : 20;
    if (a->rate > MOST_RATE) a->rate = MOST_RATE;
    a->words = heed__strdup(hooks, s->cfg->command ? s->cfg->command : "/usr/sbin/sendmail -t -i");
    a->sent_ms = heed__calloc(hooks, (size_t)a->rate, sizeof *a->sent_ms);
    if (!a->words || !a->sent_ms)
        return heed__error(err, HEED_ENOMEM, "out of memory for sink %s", s->name);
    const char *to = s->cfg->address;
    if (!to || !to[0] || heed__control_at(to, strlen(to)) < strlen(to))
        return heed__error(err, HEED_EINVALID, "sink %s: no mail address", s->name);
    int n = 0;
    char *rest = NULL;
    for (char *word = strtok_r(a->words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        if (n == WORDS)
            return heed__error(err, HEED_EINVALID, "sink %s: a command of more than %d words",
                               s->name, WORDS);
        a->argv[n++] = word;
    }
    if (n == 0 || a->argv[0][0] != '/')
        return heed__error(err, HEED_EINVALID,
                           "sink %s: the command must be a program's whole path, not '%s'", s->name,
                           n ? a->argv[0] : "");
    return HEED_OK;
}

/* -- the mail's text --------------------------------------------------------------------------- */

/* A header's text: plain where it can be, else encoded words of at most 75 characters, each of
 * whole characters, on lines of their own (RFC 2047). */
static void add_encoded(heed_text *b, const char *text) {
    size_t len = strlen(text), plain = 0;
    if (len > 300) len = 300;
    while (plain < len && text[plain] >= ' ' && text[plain] < 0x7F) plain++;
    if (plain == len && len < LINE - 10 && !strstr(text, "=?")) {
        heed__text_add(b, text, len);
        return;
    }
    for (size_t at = 0, words = 0; at < len; words++) {
        char word[48];
        size_t n = 0;
        while (at < len && n < 42) {
            uint32_t c = 0;
            size_t size = heed__utf8_next(text + at, len - at, &c);
            if (size && n + size > 45) break;
            const bool shown = size && c >= ' ' && (c < 0x7F || c > 0x9F) && c != 0x2028 &&
                               c != 0x2029;
            if (shown)
                memcpy(word + n, text + at, size);
            else
                word[n] = ' ';
            n += shown ? size : 1;
            at += size ? size : 1;
        }
        heed__text_puts(b, words ? "\n =?UTF-8?B?" : "=?UTF-8?B?");
        heed__base64_put(b, word, n, 0);
        heed__text_puts(b, "?=");
    }
}

static const char *text_of(const json_t *tree, const char *key) {
    const char *text = json_string_value(json_object_get(tree, key));
    return text ? text : "";
}

/* What a person reads: title, grade, rule and time, then all of the message, indented. */
static int add_body(heed_text *b, const heed_hooks *hooks, const heed_message *m,
                    const json_t *tree) {
    heed_text t = { .hooks = hooks };
    static const char *const shown[] = { "title", "grade", "state", "rule", "opened", "time" };
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        const char *value = text_of(tree, shown[i]);
        if (!value[0]) continue;
        heed__text_puts(&t, shown[i]);
        heed__text_puts(&t, ": ");
        heed__text_puts(&t, value);
        heed__text_puts(&t, "\n");
    }
    heed_error ignored;
    char *all = tree ? heed__json_text(hooks, tree, true, NULL, &ignored) : NULL;
    heed__text_puts(&t, "\n");
    heed__text_puts(&t, all ? all : m->body);
    heed__text_puts(&t, "\nkey: ");
    heed__text_puts(&t, m->key);
    heed__text_puts(&t, "\n");
    if (!t.failed) heed__base64_put(b, t.bytes, (size_t)t.len, LINE);
    const bool failed = t.failed;
    heed__text_free(&t);
    heed__free(hooks, all);
    return failed ? HEED_ENOMEM : HEED_OK;
}

/* heed__free; NULL: out of memory. */
static char *compose(const heed__sink *s, const heed_message *m, size_t *size) {
    const heed_hooks *hooks = &s->all->hooks;
    heed_error ignored;
    json_t *tree = heed__json_parse(m->body, strlen(m->body), "body", &ignored);
    heed_text b = { .hooks = hooks };
    unsigned char sum[HEED_SHA256_SIZE];
    char hex[2 * HEED_SHA256_SIZE + 1], subject[512];
    heed__sha256(m->key, strlen(m->key), sum);
    const char *title = text_of(tree, "title"), *grade = text_of(tree, "grade");
    heed__format(subject, sizeof subject, "[heed] %s%s%s", grade, grade[0] ? ": " : "",
                 title[0] ? title : m->type);
    heed__text_puts(&b, "To: ");
    heed__text_puts(&b, s->cfg->address);
    heed__text_puts(&b, "\nSubject: ");
    add_encoded(&b, subject);
    heed__text_format(&b, "\nMessage-ID: <%.32s@heed>\n", heed__hex(sum, sizeof sum, hex));
    heed__text_puts(&b, "Auto-Submitted: auto-generated\nMIME-Version: 1.0\n"
                        "Content-Type: text/plain; charset=utf-8\n"
                        "Content-Transfer-Encoding: base64\n\n");
    if (add_body(&b, hooks, m, tree)) b.failed = true;
    json_decref(tree);
    return heed__text_take(&b, size);
}

/* -- the program ------------------------------------------------------------------------------- */

/* Starts it with in as its input and out for what it says; its number, or minus errno. */
static pid_t spawn(char *const *argv, int in, int out) {
    static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    char *const environment[] = { path, NULL };
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    pid_t child = 0;
    int failed = posix_spawn_file_actions_init(&files);
    if (failed) return -failed;
    failed = posix_spawnattr_init(&attributes);
    if (!failed) {
        sigemptyset(&none);
        sigfillset(&all); /* this thread blocks all: the program shall not */
        failed = posix_spawnattr_setsigmask(&attributes, &none);
        if (!failed) failed = posix_spawnattr_setsigdefault(&attributes, &all);
        if (!failed)
            failed = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK |
                                                               POSIX_SPAWN_SETSIGDEF |
                                                               POSIX_SPAWN_SETPGROUP);
        if (!failed) failed = posix_spawn_file_actions_adddup2(&files, in, 0);
        if (!failed) failed = posix_spawn_file_actions_adddup2(&files, out, 1);
        if (!failed) failed = posix_spawn_file_actions_adddup2(&files, out, 2);
        if (!failed) failed = posix_spawn_file_actions_addclosefrom_np(&files, 3);
        if (!failed) failed = posix_spawn(&child, argv[0], &files, &attributes, argv, environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    return failed ? -failed : child;
}

/* Its wait status; -1: it did not end in time and was killed with all that it started. */
static int await(heed__sink *s, pid_t child) {
    const int64_t until = heed__ticks_ns() + s->all->cfg.call_ms * 1000000;
    int status = 0, pause = 1;
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (heed__ticks_ns() > until || heed__sink_stopping(s)) {
            kill(-child, SIGKILL);
            waitpid(child, &status, 0);
            return -1;
        }
        heed__sleep_ms(pause);
        if (pause < 50) pause *= 2;
    }
    return status;
}

static void judge(heed__sink *s, int status, int out, heed__outcome *o) {
    const char *program = ((mail *)s->own)->argv[0];
    if (status == 0) return;
    if (status == -1) {
        heed__sink_say(o, HEED_SINK_AGAIN, "%s: did not end within %lld ms", program,
                       (long long)s->all->cfg.call_ms);
        if (heed__sink_stopping(s)) o->what = HEED_SINK_WAIT;
        return;
    }
    char said[160];
    const ssize_t n = pread(out, said, sizeof said - 1, 0);
    said[n > 0 ? heed__utf8_check(said, (size_t)n) : 0] = 0;
    said[strcspn(said, "\n")] = 0;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    const bool dead = code == 64 || code == 65 || code == 67 || code == 68;
    heed__sink_say(o, dead ? HEED_SINK_DEAD : HEED_SINK_AGAIN, "%s: ended with %d%s%s", program,
                   code, said[0] ? ": " : "", said);
}

static void deliver_mail(heed__sink *s, const heed_message *m, heed__outcome *o) {
    mail *a = s->own;
    const int64_t now = heed__sink_now(s->all), oldest = a->sent_ms[a->next];
    if (oldest && now < oldest + HOUR_MS) {
        heed__sink_say(o, HEED_SINK_WAIT, "%lld mails went out within an hour: more wait",
                       (long long)a->rate);
        o->after_ms = oldest + HOUR_MS - now;
        return;
    }
    size_t size = 0;
    char *text = compose(s, m, &size);
    const int in = text ? heed__file_nameless("mail", text, size) : -1,
              out = in >= 0 ? heed__file_nameless("said", "", 0) : -1;
    const pid_t child = out >= 0 ? spawn(a->argv, in, out) : 0;
    if (child > 0) {
        a->sent_ms[a->next] = now;
        a->next = (a->next + 1) % a->rate;
        judge(s, await(s, child), out, o);
    } else if (child < 0) {
        heed__sink_say(o, HEED_SINK_AGAIN, "%s: %s", a->argv[0], heed__errno_text(-child));
    } else {
        heed__sink_say(o, HEED_SINK_WAIT, "out of memory for a mail");
    }
    if (in >= 0) close(in);
    if (out >= 0) close(out);
    heed__free(&s->all->hooks, text);
}

const heed__sink_kind heed__sink_mail = {
    .name = "mail",
    .open = open_mail,
    .deliver = deliver_mail,
    .close = close_mail,
};
