"""tok_models.py: the models of tokenizers (WordPiece, WordLevel, BPE, Unigram) by PyPI `tokenizers` -> tok_models.json.zst,
for test_tok_models.c. A list of cases {name, model, pieces, want}: model is the "model" object of a tokenizer.json; want has
for each piece the list [id, begin, end, id, begin, end, ...] with byte offsets, or null where the reference refuses it.
"""
import json
import os
import random
import subprocess

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
rng = random.Random(4)

SCRIPTS = [(0x61, 0x7A), (0x41, 0x5A), (0x30, 0x39), (0x4E00, 0x4E40), (0x430, 0x44F), (0x3B1, 0x3C9), (0xE0, 0xFF),
           (0x5D0, 0x5EA), (0x620, 0x64A), (0x905, 0x939), (0xE01, 0xE2E), (0xAC00, 0xAC40), (0x3041, 0x3096),
           (0x1F600, 0x1F640), (0x300, 0x330), (0x21, 0x2F)]


def word(script, most):
    low, high = script
    # few letters, so that pairs repeat
    return "".join(chr(low + min(int(rng.expovariate(0.25)), high - low)) for _ in range(rng.randint(1, most)))


LEXICON = [word(s, 7) for s in SCRIPTS for _ in range(60)]
CORPUS = [" ".join(rng.choice(LEXICON) for _ in range(12)) for _ in range(600)]


def pieces(extra=()):
    out = ["a", "ab", "aa" * 40, "ab" * 60, "日" * 70, "<unk>", "[UNK]", "<unk><unk>x", "\x00", "a\x00b", "##a", "▁a", "é" * 30]
    out += extra
    for _ in range(170):
        kind = rng.randrange(5)
        if kind == 0:
            out.append(rng.choice(LEXICON))
        elif kind == 1:
            out.append("".join(rng.choice(LEXICON) for _ in range(rng.randint(2, 9))))
        elif kind == 2:
            out.append(word(rng.choice(SCRIPTS), 30))
        elif kind == 3:
            w = list("".join(rng.choice(LEXICON) for _ in range(2)))
            w[rng.randrange(len(w))] = chr(rng.choice([0x7F, 0xA0, 0x2603, 0x1D11E, 0x10FFFD, 0x71, 0x9FFF]))
            out.append("".join(w))
        else:
            out.append("".join(word(rng.choice(SCRIPTS), 2) for _ in range(rng.randint(1, 12))))
    return out


def model_json(model):
    return json.loads(Tokenizer(model).to_str())["model"]


def want(model, texts):
    tok = Tokenizer.from_str(json.dumps({"version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
                                         "normalizer": None, "pre_tokenizer": None, "post_processor": None,
                                         "decoder": None, "model": model}))
    rows = []
    for t in texts:
        try:
            rows.append([n for k in tok.model.tokenize(t) for n in (k.id, *k.offsets)])
        except Exception:
            rows.append(None)
    return rows


cases = []


def case(name, model, texts):
    cases.append({"name": name, "model": model, "pieces": texts, "want": want(model, texts)})


def trained(model, trainer, pre=pre_tokenizers.WhitespaceSplit()):
    t = Tokenizer(model)
    t.pre_tokenizer = pre
    t.train_from_iterator(CORPUS, trainer)
    return json.loads(t.to_str())["model"]


def letters(texts):
    """Pieces as the ByteLevel pre-tokenizer hands them on."""
    pre = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return [p for t in texts for p, _ in pre.pre_tokenize_str(t)]


def main():
    wp = trained(models.WordPiece(unk_token="[UNK]"),
                 trainers.WordPieceTrainer(vocab_size=900, special_tokens=["[UNK]", "[CLS]"], show_progress=False))
    case("wordpiece", wp, pieces())
    case("wordpiece_short", dict(wp, max_input_chars_per_word=6), pieces())
    case("wordpiece_no_prefix", dict(wp, continuing_subword_prefix=""), pieces())
    case("wordpiece_long_prefix", dict(wp, continuing_subword_prefix="#"), pieces())
    case("wordpiece_no_unk", dict(wp, unk_token="<none>"), pieces())
    wl = trained(models.WordLevel(unk_token="[UNK]"), trainers.WordLevelTrainer(vocab_size=500, special_tokens=["[UNK]"],
                                                                               show_progress=False))
    case("wordlevel", wl, pieces())
    case("wordlevel_no_unk", dict(wl, unk_token="x"), pieces())
    byte = trained(models.BPE(), trainers.BpeTrainer(vocab_size=1100, show_progress=False,
                                                     initial_alphabet=pre_tokenizers.ByteLevel.alphabet()),
                   pre_tokenizers.ByteLevel(add_prefix_space=False))
    case("bpe_bytes", byte, letters(pieces()))
    case("bpe_bytes_ignore", dict(byte, ignore_merges=True, merges=byte["merges"][:200]), letters(pieces()))
    case("bpe_strings", dict(byte, merges=[" ".join(m) for m in byte["merges"]]), letters(pieces())[:40])
    bpe = trained(models.BPE(unk_token="<unk>"), trainers.BpeTrainer(vocab_size=700, special_tokens=["<unk>"], limit_alphabet=150,
                                                                     show_progress=False))
    case("bpe_unk", bpe, pieces())
    case("bpe_fuse", dict(bpe, fuse_unk=True), pieces())
    case("bpe_no_unk", dict(bpe, unk_token=None), pieces())
    case("bpe_lost_unk", dict(bpe, unk_token="<lost>"), pieces())
    affix = trained(models.BPE(unk_token="<unk>", continuing_subword_prefix="##", end_of_word_suffix="</w>"),
                    trainers.BpeTrainer(vocab_size=900, special_tokens=["<unk>"], limit_alphabet=120, show_progress=False,
                                        continuing_subword_prefix="##", end_of_word_suffix="</w>"))
    case("bpe_affixes", affix, pieces())
    case("bpe_suffix", trained(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"),
                               trainers.BpeTrainer(vocab_size=900, special_tokens=["<unk>"], limit_alphabet=120,
                                                   show_progress=False, end_of_word_suffix="</w>")), pieces())
    vocab = dict(bpe["vocab"])
    for i in range(256):
        vocab.setdefault(f"<0x{i:02X}>", len(vocab))
    case("bpe_fallback", dict(bpe, vocab=vocab, byte_fallback=True), pieces())
    some = {k: v for k, v in vocab.items() if not (k.startswith("<0xE") or k.startswith("<0x9"))}
    case("bpe_fallback_some", dict(bpe, vocab=some, byte_fallback=True, fuse_unk=True), pieces())
    uni = trained(models.Unigram(), trainers.UnigramTrainer(vocab_size=420, special_tokens=["<unk>"], unk_token="<unk>",
                                                            show_progress=False, max_piece_length=8))
    case("unigram", uni, pieces())
    case("unigram_no_unk", dict(uni, unk_id=None), pieces())
    tokens = uni["vocab"][:300]
    case("unigram_some", dict(uni, vocab=tokens), pieces())
    full = tokens + [[f"<0x{i:02X}>", 0.0] for i in range(256)]
    case("unigram_fallback", dict(uni, vocab=full, byte_fallback=True), pieces())
    case("unigram_fallback_some", dict(uni, vocab=full[:520], byte_fallback=True), pieces())
    case("unigram_ties", dict(uni, vocab=[[t, -2.0 * len(t)] for t, _ in tokens]), pieces())
    case("unigram_twice", dict(uni, vocab=tokens + [[t, s - 1.5] for t, s in tokens[::2]]), pieces())

    path = os.path.join(HERE, "tok_models.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(cases, f, ensure_ascii=False, separators=(",", ":"))
    subprocess.run(["zstd", "-q", "-19", "--rm", "-f", path], check=True)


main()
