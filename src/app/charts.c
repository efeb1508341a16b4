/* charts.c: lines and squares as SVG. */
#include "app/charts.h"
#include "app/messages.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/text.h"

enum { WIDTH = 460, HEIGHT = 280, LEFT = 58, RIGHT = 14, TOP = 14, BOTTOM = 44, TICKS = 5 };

void chart_text(FILE *to, const char *text) {
    uint32_t code;
    size_t n = 1;
    for (const char *c = text; *c; c += n)
        if ((n = heed__utf8_next(c, strnlen(c, 4), &code)) > 1)
            fwrite(c, 1, n, to);
        else if (!n)
            n = 1, fputc('?', to);
        else if (*c == '<')
            fputs("&lt;", to);
        else if (*c == '>')
            fputs("&gt;", to);
        else if (*c == '&')
            fputs("&amp;", to);
        else if (*c == '"')
            fputs("&quot;", to);
        else
            fputc((unsigned char)*c < 0x20 || *c == 0x7f ? ' ' : *c, to);
}

/* What has a place: a number whose distance from another is one, too. */
static bool placed(double value) {
    return fabs(value) < 1e300;
}

/* Limits about which steps can be told apart: those of a double's last digits would never be gone
 * through. Nothing to show: 0 to 1. */
static void widen(double *low, double *high) {
    if (!(*low <= *high)) *low = 0, *high = 1;
    const double most = fmax(fabs(*low), fabs(*high));
    if (*high - *low > 1e-9 * most) return;
    const double room = fmax(0.5, most / 2);
    *low -= room;
    *high += room;
}

/* The chart's limits, taken from its lines where none are given. */
static chart with_limits(const chart *given) {
    chart c = *given;
    const bool find_x = !(c.low_x < c.high_x), find_y = !(c.low_y < c.high_y);
    double low[2] = { (double)INFINITY, (double)INFINITY }, high[2] = { -low[0], -low[1] };
    for (int l = 0; l < c.lines; l++)
        for (int64_t i = 0; i < c.line[l].len; i++) {
            const double at[2] = { c.line[l].x[i], c.line[l].y[i] };
            for (int k = 0; k < 2; k++) {
                if (!placed(at[k])) continue;
                low[k] = fmin(low[k], at[k]);
                high[k] = fmax(high[k], at[k]);
            }
        }
    for (int k = 0; k < 2; k++) widen(&low[k], &high[k]);
    if (find_x) c.low_x = low[0], c.high_x = high[0];
    const double air = (high[1] - low[1]) * 0.05;
    const double under = low[1] - air;
    if (find_y) c.low_y = low[1] >= 0 && under < 0 ? 0 : under, c.high_y = high[1] + air;
    return c;
}

static double place_x(const chart *c, double x) {
    return LEFT + (x - c->low_x) / (c->high_x - c->low_x) * (WIDTH - LEFT - RIGHT);
}

static double place_y(const chart *c, double y) {
    return HEIGHT - BOTTOM - (y - c->low_y) / (c->high_y - c->low_y) * (HEIGHT - TOP - BOTTOM);
}

/* 1, 2 or 5 times a power of ten, so that about TICKS of them fill a width. */
static double tick(double width) {
    const double rough = width / TICKS, power = pow(10, floor(log10(rough)));
    const double part = rough / power;
    return power * (part < 1.5 ? 1 : part < 3.5 ? 2 : part < 7.5 ? 5 : 10);
}

static void axes(FILE *to, const chart *c) {
    const double dx = tick(c->high_x - c->low_x), dy = tick(c->high_y - c->low_y);
    for (double x = ceil(c->low_x / dx - 1e-9) * dx; x <= c->high_x + dx * 1e-6; x += dx)
        fprintf(
            to,
            "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/><text x=\"%.1f\" "
            "y=\"%d\" text-anchor=\"middle\">%g</text>\n",
            place_x(c, x), place_x(c, x), TOP, HEIGHT - BOTTOM, place_x(c, x), HEIGHT - BOTTOM + 16,
            fabs(x) < dx * 1e-6 ? 0 : x);
    for (double y = ceil(c->low_y / dy - 1e-9) * dy; y <= c->high_y + dy * 1e-6; y += dy)
        fprintf(to,
                "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"%d\" "
                "y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
                LEFT, WIDTH - RIGHT, place_y(c, y), place_y(c, y), LEFT - 6, place_y(c, y) + 4,
                fabs(y) < dy * 1e-6 ? 0 : y);
    fprintf(to, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", (LEFT + WIDTH - RIGHT) / 2,
            HEIGHT - 8);
    chart_text(to, c->x_name);
    fprintf(to, "</text><text transform=\"translate(14,%d) rotate(-90)\" text-anchor=\"middle\">",
            (TOP + HEIGHT - BOTTOM) / 2);
    chart_text(to, c->y_name);
    fprintf(to, "</text>\n");
}

static void draw_line(FILE *to, const chart *c, const chart_line *l) {
    bool open = false;
    for (int64_t i = 0; i < l->len; i++) {
        if (!placed(l->y[i])) continue;
        if (!open) fprintf(to, "<polyline class=\"line %s\" points=\"", l->colour);
        fprintf(to, "%s%.1f,%.1f", open ? " " : "", place_x(c, l->x[i]), place_y(c, l->y[i]));
        open = true;
    }
    if (open) fprintf(to, "\"/>\n");
    for (int64_t i = 0; i < l->len && l->len <= 30; i++)
        if (placed(l->y[i]))
            fprintf(to,
                    "<circle class=\"dot %s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"><title>%g: "
                    "%.4g</title></circle>\n",
                    l->colour, place_x(c, l->x[i]), place_y(c, l->y[i]), l->x[i], l->y[i]);
}

void chart_lines(FILE *to, const chart *given) {
    const chart c = with_limits(given);
    fprintf(to, "<figure><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    chart_text(to, c.y_name);
    fprintf(to, "\">\n");
    axes(to, &c);
    if (c.diagonal)
        fprintf(to, "<line class=\"thin\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", LEFT,
                HEIGHT - BOTTOM, WIDTH - RIGHT, TOP);
    if (isfinite(c.mark_x))
        fprintf(to, "<line class=\"thin\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>\n",
                place_x(&c, c.mark_x), place_x(&c, c.mark_x), TOP, HEIGHT - BOTTOM);
    for (int l = 0; l < c.lines; l++) draw_line(to, &c, &c.line[l]);
    fprintf(to, "</svg><figcaption>");
    for (int l = 0; l < c.lines; l++) {
        fprintf(to, "<span class=\"key %s\">", c.line[l].colour);
        chart_text(to, c.line[l].name);
        fprintf(to, "</span> ");
    }
    fprintf(to, "</figcaption></figure>\n");
}

/* What there is room for: a square's number, a row's name beside it. */
enum { NUMBERED = 12, NAMED = 24 };

static void square(FILE *to, const chart_matrix *m, int64_t i, int64_t k, int64_t sum) {
    const double side = 420.0 / (double)m->n, x = 2 + (double)k * side, y = 2 + (double)i * side;
    const int64_t n = m->count[i * m->n + k];
    const double part = sum ? (double)n / (double)sum : 0;
    fprintf(to,
            "<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" "
            "fill-opacity=\"%.3f\"><title>",
            i == k ? "right" : "wrong", x, y, side * 0.96, side * 0.96,
            n ? 0.12 + 0.88 * part : 0.04);
    chart_text(to, m->name(m->arg, i));
    fprintf(to, tr(" answered as "));
    chart_text(to, m->name(m->arg, k));
    fprintf(to, tr(": %" PRId64 " of %" PRId64), n, sum);
    fprintf(to, "</title></rect>\n");
    if (n && m->n <= NUMBERED)
        fprintf(to, "<text class=\"n\" x=\"%.2f\" y=\"%.2f\">%" PRId64 "</text>\n", x + side * 0.48,
                y + side * 0.48 + 4, n);
}

void chart_squares(FILE *to, const chart_matrix *m) {
    const bool named = m->n <= NAMED;
    fprintf(to, "<figure><svg viewBox=\"0 0 %d 424\" role=\"img\" aria-label=\"%s\">\n",
            named ? 580 : 424, tr("Confusions"));
    for (int64_t i = 0; i < m->n; i++) {
        int64_t sum = 0;
        for (int64_t k = 0; k < m->n; k++) sum += m->count[i * m->n + k];
        for (int64_t k = 0; k < m->n; k++) square(to, m, i, k, sum);
        if (!named) continue;
        fprintf(to, "<text x=\"428\" y=\"%.2f\">", 6 + ((double)i + 0.48) * 420 / (double)m->n);
        chart_text(to, m->name(m->arg, i));
        fprintf(to, "</text>\n");
    }
    fprintf(to, "</svg><figcaption>%s</figcaption></figure>\n",
            tr("Rows are the right labels, columns the answers in the same order; a row's shades "
               "are shares of it. Point at a square to read it."));
}
