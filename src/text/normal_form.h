/* normal_form.h: Unicode normalization forms (Unicode Standard Annex 15), with places kept. */
#ifndef HEED_TEXT_NORMAL_FORM_H
#define HEED_TEXT_NORMAL_FORM_H

#include "text/aligned.h"

/* NFD or NFC; with compat NFKD or NFKC. 0, HEED_ENOMEM, HEED_EUNSUPPORTED: longer than 2 GiB. */
int heed__normal_form(heed__tok_work *w, heed__span *a, bool compose, bool compat, heed_error *err);

#endif
