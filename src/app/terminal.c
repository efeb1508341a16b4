/* terminal.c: a progress bar on a terminal, plain lines in a log, shaded words. */
#include "app/terminal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/messages.h"
#include "app/print.h"
#include "base/thread.h"

terminal terminal_open(FILE *to) {
    const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    terminal t = { .to = to, .is_tty = isatty(fileno(to)) != 0 };
    if (term && strcmp(term, "dumb") == 0) t.is_tty = false;
    t.colour = t.is_tty && !(no_colour && *no_colour);
    return t;
}

static void left(char text[24], double seconds) {
    const long long s = seconds > 0 && seconds < 1e9 ? (long long)(seconds + 0.5) : 0;
    if (seconds < 0)
        snprintf(text, 24, "--:--");
    else if (s >= 3600)
        snprintf(text, 24, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, 24, "%lld:%02lld", s / 60, s % 60);
}

void terminal_progress(void *user, const heed_progress *p) {
    terminal *t = user;
    char eta[24], loss[32] = "", epoch[48] = "";
    left(eta, p->seconds_left);
    if (!isnan(p->loss)) snprintf(loss, sizeof loss, tr("  loss %.4f"), p->loss);
    if (p->epochs)
        snprintf(epoch, sizeof epoch, " %lld/%lld", (long long)p->epoch, (long long)p->epochs);
    const double part = p->total > 0 ? (double)p->done / (double)p->total : 0;
    if (t->is_tty) {
        char bar[31];
        for (int i = 0; i < 30; i++) bar[i] = i < (int)(part * 30) ? '#' : '.';
        bar[30] = 0;
        fprintf(t->to, tr("\r%s%s [%s] %3.0f%%  %.0f %s/s  left %s%s\033[K"), tr(p->what), epoch,
                bar, 100 * part, p->rate, tr(p->unit), eta, loss);
        fflush(t->to);
    } else if (heed__seconds() - t->printed >= 5 || p->done == p->total) {
        t->printed = heed__seconds();
        fprintf(t->to, tr("%s%s %3.0f%%  %.0f %s/s  left %s%s\n"), tr(p->what), epoch, 100 * part,
                p->rate, tr(p->unit), eta, loss);
        fflush(t->to);
    }
}

void terminal_clear(terminal *t) {
    if (t->is_tty) fprintf(t->to, "\r\033[K");
    fflush(t->to);
}

void terminal_log(void *user, heed_log_level level, const char *line) {
    terminal *t = user;
    if (level > HEED_LOG_WARN) return;
    terminal_clear(t);
    char text[MESSAGE_SIZE];
    fprintf(t->to, "heed: %s\n", tr_made(line, text));
    fflush(t->to);
}

void terminal_shade(const terminal *t, const char *text, size_t size, float weight, bool marked) {
    if (t->colour) { /* the 256-colour ramp from white to a strong amber, black letters */
        static const int ramp[] = { 231, 230, 229, 228, 221, 214, 208 };
        const int step = weight <= 0 ? 0 : weight >= 1 ? 6 : (int)(weight * 6.0f + 0.5f);
        fprintf(t->to, "\033[48;5;%d;38;5;16m", ramp[step]);
    }
    fprintf(t->to, "%s", !t->colour && marked ? "[" : "");
    print_text(t->to, text, size);
    fprintf(t->to, "%s", t->colour ? "\033[0m" : marked ? "]" : "");
}
