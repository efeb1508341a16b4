/* charts.h: drawings for a page: SVG that needs nothing else, its colours those of the page. */
#ifndef HEED_APP_CHARTS_H
#define HEED_APP_CHARTS_H

#include <stdio.h>

#include "heed/base.h"

/* A line of a chart: y[0..len) over x[0..len); NAN is left out. colour: a CSS class, "a" to "f".
 */
typedef struct chart_line {
    const char *name, *colour;
    const double *x, *y;
    int64_t len;
} chart_line;

typedef struct chart {
    const char *x_name, *y_name;
    const chart_line *line;
    int lines;
    double low_x, high_x, low_y, high_y; /* low = high: from the lines */
    double mark_x;                       /* an upright line there; NAN: none */
    bool diagonal;                       /* a thin line from corner to corner */
} chart;

void chart_lines(FILE *to, const chart *c);

/* Squares in shades: counts [n,n], row by row; name(arg, i) is told where one points. */
typedef struct chart_matrix {
    const int64_t *count;
    int64_t n;
    const char *(*name)(void *arg, int64_t i);
    void *arg;
} chart_matrix;
void chart_squares(FILE *to, const chart_matrix *m);

/* A page in the language of messages.h. Head, style and title; `</body></html>` ends it. */
void page_begin(FILE *to, const char *title);

/* A table's first row: the columns' names in English, each translated here; NULL ends them. */
typedef struct page_column {
    const char *name;
    bool number; /* its cells stand at the right */
} page_column;
void page_columns(FILE *to, const page_column *column);

/* Text with <, >, &, ", control characters and bytes that are no UTF-8 made harmless. */
void chart_text(FILE *to, const char *text);

#endif
