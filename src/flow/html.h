/* html.h: what a person reads of a piece of HTML, as plain text. Made for markup that strangers
 * write, well formed or not: tags, comments, scripts and styles go, names of characters become
 * characters, blocks become lines. What comes out is text and no markup: `&lt;b&gt;` becomes `<b>`,
 * which whoever shows it must escape as any other text. */
#ifndef HEED_FLOW_HTML_H
#define HEED_FLOW_HTML_H

#include "base/buffer.h"

/* Adds the text of html [size], UTF-8 (bytes that are none become U+FFFD), to `to`: no control
 * characters but \n between lines, single spaces, no space at either end of a line, no empty lines.
 * What follows an unfinished tag or comment is text; after an unfinished script it is gone. Linear
 * in time. */
void heed__html_text(heed_text *to, const char *html, size_t size);

/* The same tidying of what is plain text already. */
void heed__plain_text(heed_text *to, const char *text, size_t size);

/* What stands at an '&': its bytes in *used and its character as UTF-8 in *text (at most 8 bytes
 * and a zero); false: nothing that HTML knows. A number that is no character is U+FFFD. */
bool heed__html_entity(const char *at, size_t size, size_t *used, char text[9]);

#endif
