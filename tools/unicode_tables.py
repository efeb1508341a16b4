#!/usr/bin/env python3
"""unicode_tables.py > src/text/unicode_data.c: what the library `tokenizers` takes each character for.

Its parts were built over Unicode tables of different ages, so each property is asked of the part that
uses it, character by character, instead of being taken from one version of the standard. Needs
tokenizers 0.23.3 (which is asked) and `regex` (grapheme breaks of Unicode 17, as unicode-segmentation
1.13 has them). Takes three minutes."""
import unicodedata

import regex
from tokenizers import Regex, normalizers as N, pre_tokenizers as P

CHARS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
FILLER = "\u0378"  # a code point that is no character in any version yet


def alone(tokenizer, before, after, parts):
    return {c for c in CHARS if len(tokenizer.pre_tokenize_str(before + chr(c) + after)) == parts}


def onig(pattern):
    try:
        split = P.Split(Regex(pattern), "removed")
    except Exception:
        return None
    return {c for c in CHARS if not split.pre_tokenize_str(chr(c))}


def removed(normalizer, before):
    return {c for c in CHARS if len(normalizer.normalize_str(before + chr(c) + before)) == 2}


def properties():
    r = {}
    white = P.WhitespaceSplit()
    r["WHITE"] = {c for c in CHARS if not white.pre_tokenize_str(chr(c))}
    words = P.Whitespace()
    r["WORD"] = {c for c in CHARS if len(words.pre_tokenize_str("a" + chr(c) + "a")) == 1}
    r["NUMERIC"] = alone(P.Digits(), "a", "a", 3)
    r["PUNCT"] = alone(P.Punctuation(), "a", "a", 3)
    bert = dict(handle_chinese_chars=False, lowercase=False)
    r["UNCLEAN"] = removed(N.BertNormalizer(clean_text=True, strip_accents=False, **bert), "a")
    nfd = N.NFD()
    accents = N.BertNormalizer(clean_text=False, strip_accents=True, **bert)
    r["NONSPACING"] = {c for c in removed(accents, "a")}
    r["COMBINING"] = removed(N.StripAccents(), "a")
    nfkd = N.NFKD()
    changed = {c for c in CHARS if nfkd.normalize_str(chr(c)) != chr(c)}
    changed |= {c for c in CHARS if nfd.normalize_str(chr(c)) != chr(c)}
    classed = {c for c in CHARS if c not in changed and
               (nfd.normalize_str("a\u0345" + chr(c))[1] != "\u0345" or
                nfd.normalize_str("a" + chr(c) + "\u0334")[1] == "\u0334")}
    # Characters that came after the normalizer's tables: no class, no decomposition there.
    r["FRESH"] = {c for c in CHARS if c not in changed and c not in classed and
                  (unicodedata.combining(chr(c)) or unicodedata.category(chr(c)) == "Cn" or
                   unicodedata.normalize("NFKD", chr(c)) != chr(c))}
    # A letter composed since then is as new as its parts make it.
    r["OTHER_BREAK"] = {c for c in CHARS if regex.match(r"\p{GCB=Other}", chr(c)) and
                        not regex.match(r"\p{ExtPict}|\p{InCB=Consonant}", chr(c))}
    return r


CATEGORIES = ["Cn", "Cc", "Cf", "Co", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No",
              "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp"]
BREAKS = ["Other", "CR", "LF", "Control", "Extend", "ZWJ", "RI", "Prepend", "SpacingMark", "L", "V", "T",
          "LV", "LVT", "Pictographic", "Consonant", "Linker"]
SETS = ["Alphabetic", "Uppercase", "Lowercase", "White_Space", "Emoji", "Emoji_Presentation",
        "Emoji_Modifier", "Emoji_Modifier_Base", "Emoji_Component", "Extended_Pictographic", "Dash",
        "Diacritic", "Ideographic", "Math", "Hex_Digit", "ASCII_Hex_Digit", "Quotation_Mark",
        "Terminal_Punctuation", "ID_Start", "ID_Continue", "XID_Start", "XID_Continue",
        "Default_Ignorable_Code_Point", "Cased", "Case_Ignorable", "word", "graph", "print"]
SCRIPTS = """Adlam Aghwan Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak
Bengali Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian
Chakma Cham Cherokee Chorasmian Common Coptic Cuneiform Cypriot Cypro_Minoan Cyrillic Deseret Devanagari
Dives_Akuru Dogra Duployan Egyptian_Hieroglyphs Elbasan Elymaic Ethiopic Garay Georgian Glagolitic Gothic
Grantha Greek Gujarati Gunjala_Gondi Gurmukhi Gurung_Khema Han Hangul Hanifi_Rohingya Hanunoo Hatran
Hebrew Hiragana Imperial_Aramaic Inherited Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi
Kannada Katakana Kawi Kayah_Li Kharoshthi Khitan_Small_Script Khmer Khojki Khudawadi Kirat_Rai Lao Latin
Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani Makasar Malayalam Mandaic Manichaean Marchen
Masaram_Gondi Medefaidrin Meetei_Mayek Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi
Mongolian Mro Multani Myanmar Nabataean Nag_Mundari Nandinagari New_Tai_Lue Newa Nko Nushu
Nyiakeng_Puachue_Hmong Ogham Ol_Chiki Ol_Onal Old_Hungarian Old_Italic Old_North_Arabian Old_Permic
Old_Persian Old_Sogdian Old_South_Arabian Old_Turkic Old_Uyghur Oriya Osage Osmanya Pahawh_Hmong Palmyrene
Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan Saurashtra Sharada Shavian Siddham
SignWriting Sinhala Sogdian Sora_Sompeng Soyombo Sundanese Sunuwar Syloti_Nagri Syriac Tagalog Tagbanwa
Tai_Le Tai_Tham Tai_Viet Takri Tamil Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Todhri
Toto Tulu_Tigalari Ugaritic Vai Vithkuqi Wancho Warang_Citi Yezidi Yi Zanabazar_Square""".split()


def ranges(chars):
    out, last = [], -2
    for c in sorted(chars):
        if c == last + 1 or (last == 0xD7FF and c == 0xE000):
            out[-1][1] = c
        else:
            out.append([c, c])
        last = c
    return out


def runs(value):
    """[first, value] of each run over all code points; surrogates belong to the run before."""
    out = []
    for c in CHARS:
        v = value(c)
        if not out or out[-1][1] != v:
            out.append((c, v))
    return out


def emit(declaration, items):
    print(f"{declaration} = {{")
    line = "   "
    for item in items:
        if len(line) + len(item) + 2 > 100:
            print(line)
            line = "   "
        line += f" {item},"
    print(f"{line}\n}};\n")


def pre_tokenizer_scripts():
    scripts = P.UnicodeScripts()
    same = lambda a, b: len(scripts.pre_tokenize_str(chr(a) + chr(b))) == 1
    anything = {c for c in CHARS if same(0x61, c) and same(0x4E00, c)}
    groups, of = [], {c: 0 for c in anything}
    for piece, _ in scripts.pre_tokenize_str("".join(map(chr, CHARS))):
        chars = [ord(x) for x in piece if ord(x) not in anything]
        if chars:
            group = next((i for i, g in enumerate(groups) if same(g, chars[0])), None)
            if group is None:
                groups.append(chars[0])
                group = len(groups) - 1
            of.update((c, group + 1) for c in chars)
    return of


def main():
    print("/* unicode_data.c: made by tools/unicode_tables.py, which says how; not to be edited. */")
    print('#include "text/unicode.h"\n')
    category = {}
    for name in CATEGORIES[1:]:
        category.update((c, CATEGORIES.index(name)) for c in onig(r"\p{%s}" % name))
    gc = lambda c: category.get(c, 0)
    props = properties()
    names = ["WHITE", "WORD", "NUMERIC", "PUNCT", "UNCLEAN", "NONSPACING", "COMBINING", "FRESH",
             "OTHER_BREAK"]
    flags = [0] * 0x110000
    for c in CHARS:
        flags[c] = gc(c)
    for i, name in enumerate(names):
        for c in props[name]:
            flags[c] |= 1 << (5 + i)
    kinds = sorted(set(flags))
    kind = {f: i for i, f in enumerate(kinds)}
    assert len(kinds) < 256
    blocks, index = {}, []
    for b in range(0, 0x110000, 128):
        block = bytes(kind[f] for f in flags[b:b + 128])
        index.append(blocks.setdefault(block, len(blocks)))
    assert len(blocks) < 65536
    emit(f"const uint16_t heed__uni_kind[{len(kinds)}]", [f"0x{f:x}" for f in kinds])
    emit(f"const uint16_t heed__uni_block[{len(index)}]", map(str, index))
    emit(f"const uint8_t heed__uni_class[{len(blocks)} * 128]", [str(x) for b in blocks for x in b])

    lower = N.Lowercase()
    pairs = [(c, lower.normalize_str(chr(c))) for c in CHARS]
    pairs = [(c, s) for c, s in pairs if s != chr(c)]
    for c, s in pairs:
        assert len(s) == 1 or (c == 0x130 and s == "i\u0307")
    emit(f"const heed__uni_pair heed__uni_lower[{len(pairs)}]",
         [f"{{ 0x{c:x}, 0x{ord(s[0]):x} }}" for c, s in pairs])
    print(f"const int heed__uni_lower_len = {len(pairs)};\n")

    def gcb(c):
        s = chr(c)
        if regex.match(r"\p{InCB=Consonant}", s): return BREAKS.index("Consonant")
        if regex.match(r"\p{InCB=Linker}", s): return BREAKS.index("Linker")
        if regex.match(r"\p{ExtPict}", s): return BREAKS.index("Pictographic")
        for i, name in enumerate(BREAKS[1:14], 1):
            if regex.match(r"\p{GCB=%s}" % name, s): return i
        return 0
    of = pre_tokenizer_scripts()
    for name, value in (("break", gcb), ("group", lambda c: of[c]), ("category", gc)):
        r = runs(value)
        emit(f"const heed__uni_run heed__uni_{name}[{len(r)}]", [f"{{ 0x{a:x}, {v} }}" for a, v in r])
        print(f"const int heed__uni_{name}_len = {len(r)};\n")

    named = [(n, onig(r"\p{%s}" % n)) for n in SETS + SCRIPTS]
    named = [(n, s) for n, s in named if s]
    at, flat, rows = 0, [], []
    for n, s in named:
        r = ranges(s)
        rows.append(f'{{ "{n.replace("_", "").lower()}", {at}, {len(r)} }}')
        flat += r
        at += len(r)
    emit(f"const heed__uni_range heed__uni_ranges[{len(flat)}]",
         [f"{{ 0x{a:x}, 0x{b:x} }}" for a, b in flat])
    emit(f"const heed__uni_set heed__uni_sets[{len(rows)}]", rows)
    print(f"const int heed__uni_sets_len = {len(rows)};\n")
    # PCRE2 10.42 has Unicode 14, as Python 3.11 has.
    assert unicodedata.unidata_version == "14.0.0"
    late = ranges(c for c in CHARS if gc(c) and unicodedata.category(chr(c)) == "Cn")
    emit(f"const heed__uni_range heed__uni_new[{len(late)}]", [f"{{ 0x{a:x}, 0x{b:x} }}" for a, b in late])
    print(f"const int heed__uni_new_len = {len(late)};")


if __name__ == "__main__":
    main()
