"""tok_random.py SEED COUNT HEED [FOLDER]: COUNT tokenizers put together by chance from every part there is, each with 300 texts,
answered by PyPI `tokenizers` and by the program HEED; says what differs. A tokenizer that differs is kept in FOLDER (.).
Left out, since the reference does not answer the same each time or in its own terms: two added tokens that normalization makes
equal or empty, \\X, letters that (?i) makes two of."""
import base64
import json
import os
import subprocess
import sys

import tok_pipeline as T
from tokenizers import Tokenizer

rng = T.rng
REGEXES = [r"\s+", r"\p{L}+", r"[^\p{L}\s]", r"\w+|\W", r"(?i)[a-f]+", r"\d{1,3}", r"'s|'t|\p{Lu}\p{Ll}*", r"\p{Han}|\p{Hiragana}+",
           r"[\p{P}\p{S}]+", r"^.", r".$", r"\b", r"(?<=\p{L})(?=\p{N})", r"a|", r"x*", r"[[:alpha:]]+", r"\p{M}", r"(?m:.)+?e",
           r"(\w)\1", r"\S{2}", r"[^\S\n]+", r"\h+", r"[a-c&&[^b]]|\P{L}", r"\p{Emoji}", r"(?>a+|b)c?", r"\R", r"(?=.)", r"\A.|.\z",
           r"\p{^L}+", r"[\w-]+", r"[^\w\s]|_", r"\p{Cyrillic}+|\p{Greek}+|\p{Arabic}+", r"[\x{4e00}-\x{9fff}]", r"\p{Alnum}+",
           r"[\p{Lower}]+", r"\G\s", r".{2,5}+", r"\p{Punct}+", r"(?x) a b # c", r"\p{Lm}|\p{Nl}|\p{No}", r"\p{C}"]
BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
SCHEMES = ["first", "never", "always"]


def yes():
    return rng.random() < 0.5


def pattern():
    return {"Regex": rng.choice(REGEXES)} if rng.random() < 0.75 else {"String": rng.choice([" ", "a", "e", "  ", "日", "▁", "'"])}


def byte_level():
    return {"type": "ByteLevel", "add_prefix_space": yes(), "trim_offsets": yes(), "use_regex": yes()}


def normalizer(charsmap):
    kind = rng.choice(["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel", "BertNormalizer", "Strip",
                       "Prepend", "Replace", "Precompiled"])
    more = {"BertNormalizer": lambda: {"clean_text": yes(), "handle_chinese_chars": yes(), "lowercase": yes(),
                                       "strip_accents": rng.choice([None, True, False])},
            "Strip": lambda: {"strip_left": yes(), "strip_right": yes()}, "Prepend": lambda: {"prepend": rng.choice(["▁", "xy", " "])},
            "Replace": lambda: {"pattern": pattern(), "content": rng.choice(["", " ", "▁", "ab", "é"])},
            "Precompiled": lambda: {"precompiled_charsmap": charsmap}}
    return {"type": kind, **more.get(kind, dict)()}


def pre_tokenizer():
    kind = rng.choice(["BertPreTokenizer", "ByteLevel", "Whitespace", "WhitespaceSplit", "UnicodeScripts", "Digits", "Punctuation",
                       "Metaspace", "Split", "Split", "CharDelimiterSplit", "FixedLength"])
    more = {"ByteLevel": byte_level, "Digits": lambda: {"individual_digits": yes()},
            "Punctuation": lambda: {"behavior": rng.choice(BEHAVIORS)}, "FixedLength": lambda: {"length": rng.choice([1, 2, 5])},
            "Metaspace": lambda: {"replacement": rng.choice("▁_e"), "prepend_scheme": rng.choice(SCHEMES), "split": yes()},
            "Split": lambda: {"pattern": pattern(), "behavior": rng.choice(BEHAVIORS), "invert": yes()},
            "CharDelimiterSplit": lambda: {"delimiter": rng.choice("e ▁a")}}
    return {"type": kind, **more.get(kind, dict)()}


def decoder():
    kind = rng.choice(["WordPiece", "ByteLevel", "Metaspace", "BPEDecoder", "ByteFallback", "Fuse", "Strip", "Replace", "CTC"])
    more = {"WordPiece": lambda: {"prefix": rng.choice(["##", "▁", ""]), "cleanup": yes()}, "ByteLevel": byte_level,
            "Metaspace": lambda: {"replacement": "▁", "prepend_scheme": rng.choice(SCHEMES), "split": yes()},
            "BPEDecoder": lambda: {"suffix": rng.choice(["</w>", "e"])},
            "Strip": lambda: {"content": rng.choice(" e▁"), "start": rng.choice([0, 1, 2]), "stop": 0},
            "Replace": lambda: {"pattern": pattern(), "content": rng.choice(["", " ", "ab"])},
            "CTC": lambda: {"pad_token": "<pad>", "word_delimiter_token": rng.choice(["|", "e"]), "cleanup": yes()}}
    return {"type": kind, **more.get(kind, dict)()}


def several(make, key):
    n = rng.choice([0, 1, 1, 2, 3])
    return None if n == 0 else make() if n == 1 else {"type": "Sequence", key: [make() for _ in range(n)]}


def post_processor(ids):
    cls, sep = ["<s>", ids["<s>"]], ["</s>", ids["</s>"]]
    template = {"type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": rng.choice([0, 1])}},
                           {"SpecialToken": {"id": "two", "type_id": 2}}],
                "pair": [{"Sequence": {"id": "B", "type_id": 1}}, {"Sequence": {"id": "A", "type_id": 0}}],
                "special_tokens": {"<s>": {"id": "<s>", "ids": [cls[1]], "tokens": ["<s>"]},
                                   "two": {"id": "two", "ids": [sep[1], cls[1]], "tokens": ["</s>", "x"]}}}
    return rng.choice([None, {"type": "BertProcessing", "sep": sep, "cls": cls}, template, byte_level(),
                       {"type": "RobertaProcessing", "sep": sep, "cls": cls, "trim_offsets": yes(), "add_prefix_space": yes()},
                       {"type": "Sequence", "processors": rng.sample([byte_level(), template], 2)}])


def added_tokens():
    some = rng.sample(["<s>", "</s>", "Café", "日本", "word", " both", "lstrip ", "é", "ﬁ", "don't"], rng.choice([0, 2, 4]))
    flag = lambda: rng.random() < 0.4
    return [{"id": i, "content": c, "single_word": flag(), "lstrip": flag(), "rstrip": flag(), "normalized": yes(), "special": flag()}
            for i, c in enumerate(some)]


def tokenizer(models, charsmap):
    model = rng.choice(models)
    vocab = model["vocab"]
    ids = vocab if isinstance(vocab, dict) else {p[0]: i for i, p in enumerate(vocab)}
    truncation = {"direction": rng.choice(["Left", "Right"]), "max_length": rng.choice([5, 8, 20]), "strategy": "LongestFirst",
                  "stride": rng.choice([0, 1, 2])}
    padding = {"strategy": rng.choice(["BatchLongest", {"Fixed": 12}]), "direction": rng.choice(["Left", "Right"]),
               "pad_to_multiple_of": rng.choice([None, 4]), "pad_id": 1, "pad_type_id": 2, "pad_token": "<pad>"}
    return {"version": "1.0", "truncation": None if rng.random() < 0.7 else truncation,
            "padding": None if rng.random() < 0.7 else padding, "added_tokens": added_tokens(),
            "normalizer": several(lambda: normalizer(charsmap), "normalizers"),
            "pre_tokenizer": several(pre_tokenizer, "pretokenizers"), "post_processor": post_processor(ids),
            "decoder": several(decoder, "decoders"), "model": model}


def main():
    seed, count, heed = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    folder = sys.argv[4] if len(sys.argv) > 4 else "."
    rng.seed(seed)
    texts = T.make_texts(400)[-300:]
    P, N = T.pre_tokenizers, T.normalizers
    charsmap = base64.b64encode(T.charsmap()).decode()
    models = [json.loads(t.to_str())["model"] for t in (
        T.bytes_bpe(None), T.bpe(None, P.ByteLevel(add_prefix_space=False)), T.unigram(None, P.Metaspace()),
        T.wordpiece(N.Lowercase(), P.BertPreTokenizer(), special=["[UNK]"] + T.SPECIAL))]
    total = differ = 0
    for i in range(count):
        tree = tokenizer(models, charsmap)
        path = os.path.join(folder, f"random-{seed}-{i}.json")
        with open(path, "w") as f:
            json.dump(tree, f)
        try:
            t = Tokenizer.from_str(json.dumps(tree))
        except BaseException as error:
            print(i, "the reference refuses it:", str(error)[:100])
            continue
        asked = [(x, a) for x, a in ((x, T.answer(t, x)) for x in texts) if a is not None]
        run = subprocess.run([heed, "tokenize", path, "-", "--json"], input="".join(json.dumps(x) + "\n" for x, _ in asked).encode(),
                             capture_output=True)
        got = [json.loads(x) for x in run.stdout.decode().split("\n") if x]
        bad = [(x, k, a[k], g[k]) for (x, a), g in zip(asked, got) for k in ("ids", "tokens", "offsets", "decoded") if a[k] != g[k]]
        total += len(asked)
        if not bad and len(got) == len(asked):
            os.remove(path)
            continue
        differ += 1
        print(f"{path}: {len(got)} of {len(asked)} answered, {len(bad)} differ", run.stderr.decode()[:200], *bad[:1])
    print(f"{count} tokenizers, {total} texts, {differ} tokenizers differ")


if __name__ == "__main__":
    main()
