#!/usr/bin/env python3
"""tokenizer_seeds.py FOLDER: small tokenizers with every part there is, each with a text, for fuzz_tokenizer.c."""
import json
import os
import sys

TEXT = "Hello  <mask> naïve e\u0301 日本語 👍🏽 don't 123,4\r\n [CLS]x\u00a0\u200d"
LETTERS = sorted(set("abcdefghijklmnopqrstuvwxyz HĠ▁.,'1234é日本語Ã"))
MODELS = [
    {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
     "vocab": {t: i for i, t in enumerate(["[UNK]", "hello", "he", "##llo", "n", "##a", "123", "."])}},
    {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
     "fuse_unk": False, "byte_fallback": False, "ignore_merges": True,
     "vocab": {t: i for i, t in enumerate(LETTERS + ["he", "ll", "hell"])}, "merges": [["h", "e"], ["l", "l"], ["he", "ll"]]},
    {"type": "BPE", "unk_token": "<0x00>", "fuse_unk": True, "byte_fallback": True, "end_of_word_suffix": "</w>",
     "vocab": {t: i for i, t in enumerate([f"<0x{b:02X}>" for b in range(256)] + ["a", "b", "ab", "ab</w>", "b</w>"])},
     "merges": ["a b", "a b</w>"]},
    {"type": "Unigram", "unk_id": 0, "byte_fallback": False,
     "vocab": [["<unk>", 0.0], ["▁", -2.0], ["▁he", -3.0], ["l", -2.5], ["o", -2.5], ["日", -5.0], ["llo", -4.0]]},
    {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {"[UNK]": 0, "hello": 1, "123": 2}},
]
PARTS = {
    "normalizer": [
        {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
        {"type": "Sequence", "normalizers": [{"type": k} for k in ("NFD", "NFKC", "NFC", "NFKD", "Nmt", "StripAccents", "Lowercase")]},
        {"type": "Strip", "strip_left": True, "strip_right": True}, {"type": "Prepend", "prepend": "▁"}, {"type": "ByteLevel"},
        {"type": "Replace", "pattern": {"Regex": "\\s+|(a|b)+?"}, "content": " "},
        {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        {"type": "Precompiled", "precompiled_charsmap": "CAAAAAAEAAABAgAAYQBiAA=="},
        {"type": "Precompiled", "precompiled_charsmap": "CAAAAAAEAAABAgAAYQBiAA==", "longest": True, "keep": ["a", "ll", "日本"]}],
    "pre_tokenizer": [
        {"type": "BertPreTokenizer"}, {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        {"type": "Whitespace"}, {"type": "WhitespaceSplit"}, {"type": "UnicodeScripts"}, {"type": "FixedLength", "length": 3},
        {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True},
        {"type": "Punctuation", "behavior": "MergedWithNext"}, {"type": "Digits", "individual_digits": True},
        {"type": "CharDelimiterSplit", "delimiter": "l"},
        {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": "(?i:'s|'t)|[^\\r\\n\\p{L}&&[^x]]?\\p{Lu}+|\\p{N}{1,3}+|\\b\\w|[[:punct:]]|\\h"},
             "behavior": "MergedWithPrevious", "invert": True},
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

count = 0
for model in MODELS:
    for k in range(11):
        tree = {"version": "1.0", "truncation": TRUNCATION if k % 3 == 0 else None, "padding": PADDING if k % 4 == 0 else None,
                "added_tokens": ADDED if k % 2 else []}
        for name, choices in PARTS.items():
            tree[name] = choices[(k + count) % len(choices)] if (k + len(name)) % 5 else None
        tree["model"] = model
        with open(os.path.join(sys.argv[1], f"seed{count:03}"), "wb") as f:
            f.write(json.dumps(tree).encode() + b"\xff" + TEXT.encode())
        count += 1
