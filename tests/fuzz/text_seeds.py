#!/usr/bin/env python3
"""text_seeds.py FOLDER: what the fuzzers of files begin with, a folder each, every file small: tokenizer, sentencepiece, dataset, npy.
(corpus.tar.zst beside this file holds what came of them, minimised.) dataset needs the program zstd."""
import gzip
import json
import os
import struct
import subprocess
import sys

COUNT = {}


def put(target, data):
    folder = os.path.join(sys.argv[1], target)
    os.makedirs(folder, exist_ok=True)
    COUNT[target] = COUNT.get(target, -1) + 1
    with open(os.path.join(folder, "seed%03d" % COUNT[target]), "wb") as f:
        f.write(data)


# -- tokenizer.json: each part alone beside a small model, and parts together -------------------------------------------------------

TEXT = "Hello  <mask> naïve e\u0301 日本語 👍🏽 don't 123,4\r\n [CLS]x\u00a0\u200d"
LETTERS = sorted(set("abcdefhlo HĠ▁.,'14é日本Ã"))
MODELS = [
    {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
     "vocab": {t: i for i, t in enumerate(["[UNK]", "hello", "he", "##llo", "n", "##a", "123", "."])}},
    {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
     "fuse_unk": False, "byte_fallback": False, "ignore_merges": True,
     "vocab": {t: i for i, t in enumerate(LETTERS + ["he", "ll", "hell"])}, "merges": [["h", "e"], ["l", "l"], ["he", "ll"]]},
    {"type": "BPE", "unk_token": "<0x00>", "fuse_unk": True, "byte_fallback": True, "end_of_word_suffix": "</w>",
     "vocab": {t: i for i, t in enumerate(["<0x00>", "<0x41>", "<0xE6>", "<0x97>", "<0xA5>", "a", "b", "ab", "ab</w>", "b</w>"])},
     "merges": ["a b", "a b</w>"]},
    {"type": "BPE", "unk_token": "?", "continuing_subword_prefix": "##", "vocab": {"?": 0, "h": 1, "##e": 2, "he": 3, "##l": 4, "hel": 5},
     "merges": ["h ##e", "he ##l"]},
    {"type": "Unigram", "unk_id": 0, "byte_fallback": False,
     "vocab": [["<unk>", 0.0], ["▁", -2.0], ["▁he", -3.0], ["l", -2.5], ["o", -2.5], ["日", -5.0], ["llo", -4.0]]},
    {"type": "Unigram", "unk_id": 1, "byte_fallback": True, "single": True, "hidden": [0, 2],
     "vocab": [["<0xE6>", -9.0], ["<unk>", -9.0], ["<0x97>", -9.0], ["he", -1.25], ["h", -0.5], ["e", -0.75]]},
    {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {"[UNK]": 0, "hello": 1, "123": 2}},
]
REGEXES = ["\\s+|(a|b)+?", "(?i:'s|'t)|[^\\r\\n\\p{L}&&[^x]]?\\p{Lu}+|\\p{N}{1,3}+|\\b\\w|[[:punct:]]|\\h", "\\p{Han}+(?=x)|(?<!l)o|\\X",
           "(?<a>l)\\k<a>|\\G.|\\R|\\x{e9}|\\u0041|^.$|\\A\\d|\\Z", "'s|'t|'re| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"]
PARTS = {
    "normalizer": [
        {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
        *({"type": k} for k in ("NFD", "NFKC", "NFC", "NFKD", "Nmt", "StripAccents", "Lowercase", "ByteLevel")),
        {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}, {"type": "Lowercase"}]},
        {"type": "Strip", "strip_left": True, "strip_right": True}, {"type": "Prepend", "prepend": "▁"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        {"type": "Precompiled", "precompiled_charsmap": "CAAAAAAEAAABAgAAYQBiAA=="},
        {"type": "Precompiled", "precompiled_charsmap": "CAAAAAAEAAABAgAAYQBiAA==", "longest": True, "keep": ["a", "ll", "日本"]},
        *({"type": "Replace", "pattern": {"Regex": r}, "content": " "} for r in REGEXES[:2])],
    "pre_tokenizer": [
        {"type": "BertPreTokenizer"}, {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        {"type": "Whitespace"}, {"type": "WhitespaceSplit"}, {"type": "UnicodeScripts"}, {"type": "FixedLength", "length": 3},
        {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True},
        {"type": "Punctuation", "behavior": "MergedWithNext"}, {"type": "Digits", "individual_digits": True},
        {"type": "CharDelimiterSplit", "delimiter": "l"},
        *({"type": "Split", "pattern": {"Regex": r}, "behavior": b, "invert": i % 2 == 1} for i, (r, b) in enumerate(
            zip(REGEXES, ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]))),
        {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}]}],
    "post_processor": [
        {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
         "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
         "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [1], "tokens": ["[CLS]"]}}},
        {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]},
        {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 1], "trim_offsets": True, "add_prefix_space": True},
        {"type": "Sequence", "processors": [{"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}]}],
    "decoder": [
        {"type": "WordPiece", "prefix": "##", "cleanup": True}, {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True},
        {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}, {"type": "BPEDecoder", "suffix": "</w>"},
        {"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": True},
        {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 1},
                                          {"type": "Replace", "pattern": {"Regex": "[a-c]+"}, "content": "_"}]}],
}
ADDED = [{"id": 300 + i, "content": c, "single_word": i == 1, "lstrip": i == 0, "rstrip": i == 2, "normalized": i > 1, "special": i < 2}
         for i, c in enumerate(["<mask>", "[CLS]", "naïve"])]
TRUNCATION = {"direction": "Left", "max_length": 6, "strategy": "LongestFirst", "stride": 1}
PADDING = {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": 4, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}


def tokenizer(tree, text=TEXT):
    put("tokenizer", json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode() + b"\xff" + text.encode())


for model in MODELS:
    tokenizer({"model": model})
    tokenizer({"version": "1.0", "added_tokens": ADDED, "truncation": TRUNCATION, "padding": PADDING, "model": model})
number = 0
for name, choices in PARTS.items():
    for part in choices:
        tokenizer({name: part, "model": MODELS[number % len(MODELS)]})
        number += 1
for k in range(16):
    tree = {"version": "1.0", "truncation": TRUNCATION if k % 3 == 0 else None, "padding": PADDING if k % 4 == 0 else None,
            "added_tokens": ADDED if k % 2 else []}
    for name, choices in PARTS.items():
        tree[name] = choices[k % len(choices)] if (k + len(name)) % 5 else None
    tokenizer({**tree, "model": MODELS[k % len(MODELS)]})

# -- SentencePiece: the message by hand ---------------------------------------------------------------------------------------------


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out + bytes([n]))


def field(number, value):
    if isinstance(value, float): return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, int): return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def pieces(*list_of):
    return b"".join(field(1, field(1, text.encode()) + field(2, float(score)) + (field(3, kind) if kind != 1 else b""))
                    for text, score, kind in list_of)


MAP = bytes([8, 0, 0, 0, 0, 4, 0, 0, 1, 2, 0, 0]) + b"a\0b\0"
SPECIAL = [("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3)]
WORDS = [("▁", -2, 1), ("a", -2.5, 1), ("b", -3, 1), ("ab", -3.5, 1), ("▁a", -3.25, 1), ("▁ab", -4, 1), ("日本", -5, 1), ("aa", -4.5, 1),
         ("aaaa", -6, 1), ("<x>", 0, 4), ("x", -7, 5), ("ab▁", -4, 1), ("a▁", -4, 1)]
BYTES = [("<0x%02X>" % b, 0, 6) for b in (0x41, 0xE6, 0x97, 0xA5, 0xF0)]
for kind in (1, 2, 3, 4):
    for vocab in (SPECIAL + WORDS, SPECIAL + WORDS[:4] + BYTES, WORDS[:3] + SPECIAL[:1]):
        for trainer, normalizer in ((b"", b""), (field(24, 1), field(4, 0)), (field(35, 1), field(2, MAP) + field(3, 0)),
                                    (field(44, b"??"), field(5, 0) + field(2, MAP))):
            put("sentencepiece", pieces(*vocab) + field(2, field(3, kind) + trainer) + field(3, field(1, b"identity") + normalizer))

# -- data files: how in three bytes, then the file ----------------------------------------------------------------------------------

TSV = "text\tlabel\nhello there\tgreet\nbye\tpart\n日本語\tother\n"
TABLES = [TSV, "greet\thello\npart\tbye\n", TSV.replace("\n", "\r\n"), "\ufeff" + TSV, "text\ttext2\tlabel\na\tb\tyes\nc\td\tno\n",
          'text,label\n"hello, ""you""",greet\n"two\nlines",part\n', "label;text\na;b\nc;d\n", "a,b,c\n1,2,3\n4,5,6\n",
          '{"text":"hello","label":"greet"}\n{"text":"\\u00e9","label":["a","b"]}\n',
          '{"sentence1":"a","sentence2":"b","label":1}\n{"sentence1":"c","sentence2":"d","label":0}\n', '{"text":"a","label":[]}\n',
          "__label__a __label__b some text\n__label__c other\n", "label\ttext\na/b\tx\na/c\ty\na,b\tz\n", "text\nhello\nthere\n", "text\tlabel\nx\t\n",
          "a\t1.5\nb\t-2\n"]
COLUMNS = ["EU NNP B-ORG\nrejects VBZ O\n\n. . O\n", "-DOCSTART- -X- O\n\nEU\tB-ORG\nx\tO\n\ny\tI-ORG\n", "# id = 1\nEU\tB-ORG\n#\tO\n\n# text\nb\tO\n",
           "中\tB-LOC\n国\tE-LOC\n好\tO\n\n人\tS-PER\n"]
VECTORS = ["2 3\na 1 2 3\nb 0.5 -1e-3 4\n", "日本 0.1 0.2\nx 1e10 -0\n", "the 1 2 \nof 3 4 \n"]


def packed(data):
    return [gzip.compress(data, mtime=0), gzip.compress(data[:20], mtime=0) + gzip.compress(data[20:], mtime=0),
            subprocess.run(["zstd", "-qc", "--no-check", "-19"], input=data, stdout=subprocess.PIPE, check=True).stdout]


for i, table in enumerate(TABLES):
    for how in (b"\0\0\0", bytes([i % 5, 0, 0x10]), bytes([(i % 5 + 1) * 8, i % 36, i % 32])):
        put("dataset", how + table.encode())
    if i % 4 == 0:
        for file in packed(table.encode()): put("dataset", b"\5\0\0" + file)
for i, table in enumerate(COLUMNS):
    for how in (0, 16, 32, 1 | 3 << 2, 2 | 1 << 2): put("dataset", bytes([7, how, 0]) + table.encode())
    if i == 0:
        for file in packed(table.encode()): put("dataset", b"\7\0\0" + file)
for table in VECTORS: put("dataset", b"\6\0\0" + table.encode())
for file in packed(VECTORS[0].encode()): put("dataset", b"\6\0\0" + file)

# -- arrays -------------------------------------------------------------------------------------------------------------------------

for shape in ("(2, 3)", "(1, 2, 3)", "(6,)", "(0, 3)", "(3, 2,)"):
    for kind, letter, size in (("<f4", "f", 4), ("<f8", "d", 8), ("<f2", "e", 2)):
        for version in (1, 2):
            head = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (kind, shape)
            head += " " * (63 - (10 + len(head)) % 64) + "\n"
            put("npy", b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(head)) + head.encode()
                + struct.pack("<6" + letter, 1, -2, 0.5, 65504, 1e-7, 3))
put("npy", b"\x93NUMPY\1\0\x36\0{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1)}" + b"\0\0\x80\x7f")

print(", ".join("%s %d" % (k, n + 1) for k, n in COUNT.items()))
