#!/usr/bin/env python3
"""html_entities.py > src/flow/html_data.c: the names of characters that HTML knows, sorted."""
import html.entities

names = sorted((n[:-1], c) for n, c in html.entities.html5.items() if n.endswith(";"))
print("""/* html_data.c: the names of characters that HTML knows (WHATWG, section 13.5), in the order of
 * strcmp; written by tools/html_entities.py. */
#include "flow/html_data.h"

const heed_entity heed__html_entities[] = {""")
for name, chars in names:
    text = "".join("\\x%02x" % b for b in chars.encode())
    print('    { "%s", "%s" },' % (name, text))
print("""};
const size_t heed__html_entities_len = sizeof heed__html_entities / sizeof *heed__html_entities;""")
