"""spm.py: SentencePiece models of all kinds by PyPI `sentencepiece`, small ones, and what it makes of odd texts ->
sentencepiece/NAME.model and sentencepiece.json.zst, for test_sentencepiece.c: {"texts": [...], "models": {NAME: {"ids": [[...], ...],
"places": [[begin, end, ...], ...] (bytes), "unknown": [[piece, ...], ...] (how unknown ones are spelled), "decoded": [...]}},
"sequences": {NAME: [[ids], ...]}, "said": {NAME: [...]} (what ids drawn at random are decoded to)}.
"""
import io
import json
import os
import random
import subprocess

import sentencepiece as spm
from sentencepiece import sentencepiece_model_pb2 as pb

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
rng = random.Random(4)
SCRIPTS = [(0x61, 0x7A), (0x41, 0x5A), (0x30, 0x39), (0x4E00, 0x4E40), (0x430, 0x44F), (0x3B1, 0x3C9), (0xE0, 0xFF),
           (0x5D0, 0x5EA), (0x620, 0x64A), (0x905, 0x939), (0xE01, 0xE2E), (0xAC00, 0xAC40), (0x3041, 0x3096),
           (0x1F600, 0x1F640), (0x300, 0x330), (0x21, 0x2F), (0xFF21, 0xFF5A)]
ODD = [" ", "  ", "\t", "\n", "▁", "☃", "𝄞", "\u200d", "\u3000", "é", "ﬁ", "½", "\u00a0", "\u0000", "가", "ᄀ"]


def word(script, most):
    low, high = script
    return "".join(chr(low + min(int(rng.expovariate(0.25)), high - low)) for _ in range(rng.randint(1, most)))


LEXICON = [word(s, 7) for s in SCRIPTS for _ in range(60)]
CORPUS = [" ".join(rng.choice(LEXICON) for _ in range(12)) for _ in range(1500)]


def texts():
    out = ["", " ", "a", "  a  b  ", "\t a\n", "▁a▁", "a ▁ ", "aaa" * 30, "ab" * 100, "a\x00b", "ab日本ab 日本 <x>"]
    for _ in range(700):
        kind = rng.randrange(4)
        if kind == 0:
            out.append(" ".join(rng.choice(LEXICON) for _ in range(rng.randint(1, 6))))
        elif kind == 1:
            out.append("".join(rng.choice(LEXICON) for _ in range(rng.randint(1, 6))))
        elif kind == 2:
            out.append("".join(rng.choice([word(rng.choice(SCRIPTS), 4), *ODD]) for _ in range(rng.randint(1, 12))))
        else:
            out.append(word(rng.choice(SCRIPTS), 60))
    return out


IDENTITY = dict(normalization_rule_name="identity", remove_extra_whitespaces=False)
MODELS = {
    "unigram": dict(vocab_size=500, character_coverage=0.985),
    "unigram_identity": dict(vocab_size=500, add_dummy_prefix=False, **IDENTITY),
    "unigram_bytes": dict(vocab_size=700, byte_fallback=True, character_coverage=0.985, **IDENTITY),
    "unigram_user": dict(vocab_size=500, user_defined_symbols=["ab", "日本", "<x>"], character_coverage=0.985, **IDENTITY),
    "bpe": dict(vocab_size=700, model_type="bpe", character_coverage=0.985, normalization_rule_name="nmt_nfkc_cf"),
    "bpe_bytes": dict(vocab_size=900, model_type="bpe", byte_fallback=True, character_coverage=0.985, **IDENTITY),
    "bpe_user": dict(vocab_size=700, model_type="bpe", user_defined_symbols=["ab", "日本", "<x>"], character_coverage=0.985,
                     **IDENTITY),
    "characters": dict(vocab_size=400, model_type="char", character_coverage=0.985, **IDENTITY),
    # what a user asks for is kept from a normalization that would change it
    "unigram_kept": dict(vocab_size=500, user_defined_symbols=["①", "ﬁx", "AB", "é"], character_coverage=0.985,
                         normalization_rule_name="nmt_nfkc_cf"),
    "words": dict(vocab_size=400, model_type="word", normalization_rule_name="identity"),
    "words_bytes": dict(vocab_size=700, model_type="word", byte_fallback=True, **IDENTITY),
    "words_no_prefix": dict(vocab_size=400, model_type="word", add_dummy_prefix=False, normalization_rule_name="nmt_nfkc_cf"),
    "words_suffix": dict(vocab_size=400, model_type="word", treat_whitespace_as_suffix=True, user_defined_symbols=["ab", "日本"], **IDENTITY),
    "unigram_suffix": dict(vocab_size=500, treat_whitespace_as_suffix=True, character_coverage=0.985, normalization_rule_name="identity"),
    "unigram_suffix_kept": dict(vocab_size=500, treat_whitespace_as_suffix=True, character_coverage=0.985, **IDENTITY),
    "bpe_suffix": dict(vocab_size=700, model_type="bpe", treat_whitespace_as_suffix=True, user_defined_symbols=["ab", "日本"],
                       character_coverage=0.985, normalization_rule_name="identity"),
    "bpe_suffix_bytes": dict(vocab_size=900, model_type="bpe", treat_whitespace_as_suffix=True, byte_fallback=True,
                             character_coverage=0.985, **IDENTITY),
    "characters_suffix": dict(vocab_size=400, model_type="char", treat_whitespace_as_suffix=True, character_coverage=0.985, **IDENTITY),
    "no_prefix": dict(vocab_size=500, add_dummy_prefix=False, character_coverage=0.985, normalization_rule_name="identity"),
    "bpe_across": dict(vocab_size=700, model_type="bpe", split_by_whitespace=False, character_coverage=0.985, **IDENTITY),
}


def crossed():
    """A Unigram in which another cut may win over a user's piece, and runs whose cuts differ by rounding alone."""
    m = pb.ModelProto()
    m.trainer_spec.model_type = 1
    m.normalizer_spec.name = "identity"
    m.normalizer_spec.add_dummy_prefix = m.normalizer_spec.remove_extra_whitespaces = False
    own = random.Random(9)
    pieces = [("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3), ("ab", 0, 4), ("日", -5, 4), ("cda", 3, 4), ("e", 0, 4), ("(", 0, 4)]
    pieces += [(c, -own.random() * 5 - 1, 1) for c in "abcdfgh▁`"] + [(2 * c, -own.random() * 5 - 1, 1) for c in "abcdfgh▁`"]
    pieces += [("abc", -1.5, 1), ("bcd", -0.01, 1), ("cab", -0.02, 1), ("ef", -9, 1), ("eab", -0.3, 1), ("dae", -7, 1)]
    for text, score, kind in pieces:
        piece = m.pieces.add()
        piece.piece, piece.score, piece.type = text, score, kind
    return m.SerializeToString()


def main():
    folder = os.path.join(HERE, "sentencepiece")
    os.makedirs(folder, exist_ok=True)
    fuzz, models, sequences, said = texts(), {}, {}, {}
    fuzz += ["AB ① ab", "ﬁx ﬁ xﬁx", "é e\u0301 É", "ABBA①②", "Éé①", "a<s>b </s> <unk> <0x41>", "<s> a", "a \x01", "a\x01 ", "ﬁﬁ ½ x",
             "\u200b a\u200b", "ab  日本  x", "▁▁a▁▁", "▁", "   ", "\u3000\u3000a\u3000", "ㄅ가각", "カ゛ｶﾞ ㍿x"]
    fuzz += ["abc", "cdab", "eabcdab", "cabcda", "abab日ab"] + [u + c * n for u in ("(", "ab", "日", "e(") for c in "cdf`" for n in (7, 30)]
    for name, options in [*MODELS.items(), ("unigram_crossed", None)]:
        model = io.BytesIO(crossed())
        if options:
            model = io.BytesIO()
            spm.SentencePieceTrainer.train(sentence_iterator=iter(CORPUS), model_writer=model, minloglevel=2,
                                           hard_vocab_limit=False, num_threads=1, **options)
        path = os.path.join(folder, name + ".model")
        with open(path, "wb") as f:
            f.write(model.getvalue())
        if len(model.getvalue()) > 100000:  # the map of characters
            subprocess.run(["zstd", "-q", "-19", "--rm", "-f", path], check=True)
        processor = spm.SentencePieceProcessor(model_proto=model.getvalue())
        found = [processor.encode(t, return_type="proto").pieces for t in fuzz]
        ids = [[p.id for p in one] for one in found]
        models[name] = {"ids": ids, "places": [[x for p in one for x in (p.begin, p.end)] for one in found],
                        "unknown": [[p.piece for p in one if processor.is_unknown(p.id)] for one in found],
                        "decoded": [processor.decode(one) for one in ids]}
        plain = [i for i in range(processor.get_piece_size()) if not processor.is_control(i)]
        bytes_ = [i for i in plain if processor.is_byte(i)] or plain
        sequences[name] = [[rng.choice(plain if rng.random() < 0.6 else bytes_ if rng.random() < 0.7 else plain[:6])
                            for _ in range(rng.randint(1, 8))] for _ in range(100)]
        said[name] = [processor.decode(s) for s in sequences[name]]
    path = os.path.join(HERE, "sentencepiece.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"texts": fuzz, "models": models, "sequences": sequences, "said": said}, f, ensure_ascii=False, separators=(",", ":"))
    subprocess.run(["zstd", "-q", "-19", "--rm", "-f", path], check=True)


main()
