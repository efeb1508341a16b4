"""tokenizer_peers.py: PyPI `tokenizers` on the side of bench/run_tokenizer.sh.
    encode TOKENIZER FILE           bytes a second of encode_batch and encode_batch_fast, by the CPU's seconds
    ratio KIND HEED PEER            the medians of the lines that both programs wrote
    train HEED FILE VOCAB           byte-level BPE, WordPiece, Unigram: seconds by the clock, tokens a word
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time


def encode(path, file):
    from tokenizers import Tokenizer
    tok = Tokenizer.from_file(path)
    with open(file, encoding="utf-8", newline="\n") as f:
        lines = f.read().split("\n")[:-1]
    out = {}
    for name in ("encode_batch", "encode_batch_fast"):
        best = None
        for _ in range(2):
            start = time.process_time()
            codes = getattr(tok, name)(lines)
            seconds = time.process_time() - start
            best = seconds if best is None else min(best, seconds)
            out["tokens"] = sum(len(c.ids) for c in codes)
            del codes
        out[name] = os.path.getsize(file) / best / 1e6
    print(json.dumps(out))


def ratio(kind, heed, peer):
    ours = [json.loads(line) for line in open(heed)]
    theirs = [json.loads(line) for line in open(peer)]
    assert {o["tokens"] for o in ours} == {t["tokens"] for t in theirs}, "different tokens"
    a = statistics.median(o["mb_s"] for o in ours)
    b = statistics.median(max(t["encode_batch"], t["encode_batch_fast"]) for t in theirs)
    print(f"{kind:10} heed {a:6.1f} MB/s   tokenizers {b:5.2f} MB/s   {a / b:5.1f} x")


def train(heed, file, vocab):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
    words = len(open(file, encoding="utf-8").read().split())
    lines = open(file, encoding="utf-8", newline="\n").read().split("\n")
    for kind in ("bpe", "wordpiece", "unigram"):
        if kind == "unigram" and os.environ.get("UNIGRAM", "1") == "0":
            continue
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "t.json")
            start = time.time()
            subprocess.run([heed, "train", "tokenizer", file, "-o", path, "--kind", kind, "--vocab", str(vocab)],
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            ours = time.time() - start
            mine = Tokenizer.from_file(path)
        special = [k for k, i in sorted(mine.get_vocab().items(), key=lambda x: x[1]) if mine.get_added_tokens_decoder().get(i)]
        peer = Tokenizer({"bpe": models.BPE, "wordpiece": lambda: models.WordPiece(unk_token="[UNK]"),
                          "unigram": models.Unigram}[kind]())
        if kind == "bpe":
            trainer = trainers.BpeTrainer(vocab_size=vocab, min_frequency=2, special_tokens=special, show_progress=False,
                                          initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
            peer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        elif kind == "wordpiece":
            trainer = trainers.WordPieceTrainer(vocab_size=vocab, min_frequency=2, limit_alphabet=1000, special_tokens=special,
                                                show_progress=False)
            peer.normalizer, peer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
        else:
            trainer = trainers.UnigramTrainer(vocab_size=vocab, special_tokens=special, unk_token="<unk>", show_progress=False)
            peer.normalizer, peer.pre_tokenizer = mine.normalizer, mine.pre_tokenizer
        start = time.time()
        peer.train([file], trainer)
        theirs = time.time() - start
        per_word = [sum(len(e.ids) for e in t.encode_batch(lines, add_special_tokens=False)) / words for t in (mine, peer)]
        print(f"train {kind:10} heed {ours:6.2f} s   tokenizers {theirs:6.2f} s   {theirs / ours:5.1f} x   "
              f"tokens a word {per_word[0]:.4f} and {per_word[1]:.4f}")


if __name__ == "__main__":
    command, args = sys.argv[1], sys.argv[2:]
    if command == "encode":
        encode(*args)
    elif command == "ratio":
        ratio(*args)
    else:
        train(args[0], args[1], int(args[2]))
