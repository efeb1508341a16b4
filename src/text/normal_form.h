/* normal_form.h: Unicode normalization forms (Unicode Standard Annex 15), with places kept. */
#ifndef HEED_TEXT_NORMAL_FORM_H
#define HEED_TEXT_NORMAL_FORM_H

#include "text/aligned.h"

/* NFD or NFC; with compat NFKD or NFKC. 0, HEED_ENOMEM, HEED_EUNSUPPORTED: longer than 2 GiB. */
int heed__normal_form(heed__tok_work *w, heed__span *a, bool compose, bool compat, heed_error *err);

/* The canonical decomposition of one character: how many there are in out. */
enum { HEED_DECOMPOSED = 32 };
int heed__decompose(uint32_t code, uint32_t out[HEED_DECOMPOSED]);
/* Is it a mark that sorting may move? */
bool heed__combines(uint32_t code);

#endif
