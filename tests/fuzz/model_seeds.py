#!/usr/bin/env python3
"""model_seeds.py HEED FOLDER: small models of every kind, trained by the program HEED, as inputs of fuzz_model.c (which says how) ->
FOLDER/model. corpus.tar.zst beside this file holds what came of them."""
import json
import os
import struct
import subprocess
import sys
import tempfile

heed, folder = sys.argv[1], os.path.join(sys.argv[2], "model")
os.makedirs(folder, exist_ok=True)
WORK = tempfile.TemporaryDirectory()
GOOD, BAD = ["a good film", "good good words 12", "日本 good, it is", "so good"], ["a bad film", "bad word", "日本 bad, it was", "so bad! 3"]


def file(name, text):
    path = os.path.join(WORK.name, name)
    with open(path, "w" if isinstance(text, str) else "wb") as f:
        f.write(text)
    return path


LINES = [("up", t) for t in GOOD] * 8 + [("down", t) for t in BAD] * 8
DATA = file("data.tsv", "label\ttext\n" + "".join("%s\t%s\n" % x for x in LINES))
SCORES = file("scores.tsv", "score\ttext\n" + "".join("%d\t%s\n" % (1 if l == "up" else -1, t) for l, t in LINES))
SEVERAL = file("several.txt", "".join("__label__%s __label__%s %s\n" % (l, "a" if i % 3 else "b", t) for i, (l, t) in enumerate(LINES)))
PATHS = file("paths.tsv", "label\ttext\n" + "".join("%s/%s\t%s\n" % (l, "xy"[i % 2], t) for i, (l, t) in enumerate(LINES)))
PAIRS = file("pairs.tsv", "text\ttext2\tlabel\n" + "".join("%s\t%s\t%s\n" % (t, LINES[-1 - i][1], "ab"[i % 2]) for i, (l, t) in enumerate(LINES)))
TAGS = file("tags.txt", "".join("%s\n\n" % "\n".join("%s %s" % (w, "B-X" if w in ("good", "bad") else "O") for w in t.split()) for l, t in LINES))


def array(name, shape, kind):
    head = "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }" % (shape,)
    head += " " * (63 - (10 + len(head)) % 64) + "\n"
    n = 1
    for s in shape: n *= s
    return file(name, b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head.encode() + struct.pack("<%df" % n, *(i % 5 - kind for i in range(n))))


X, STEPS = array("x.npy", (len(LINES), 2), 2), array("s.npy", (len(LINES), 3, 2), 1)
SMALL = "--epochs 2 --run none --threads 1"
TINY = "--embed 4 --heads 1"
ENCODER = "--recipe encoder --embed 8 --heads 2 --layers 1 --ff 8"
MODELS = {
    "attend": ("classify", DATA, "--embed 8 --heads 2"), "several": ("classify", SEVERAL, TINY), "paths": ("classify", PATHS, TINY + " --hierarchy"),
    "score": ("score", SCORES, TINY), "array": ("classify", DATA, TINY + " --features " + X), "steps": ("classify", DATA, TINY + " --features " + STEPS),
    "alone": ("classify", DATA, TINY + " --text none --features " + X), "match": ("classify", PAIRS, "--recipe match --embed 4"),
    "context": ("classify", PAIRS, "--recipe match --embed 4 --context text2"), "huber": ("score", SCORES, TINY + " --loss huber"),
    "classic": ("classify", DATA, "--recipe classic --embed 4 --hidden 4"),
    "bidirectional": ("classify", DATA, "--recipe classic --embed 4 --hidden 4 --bidirectional --attention additive --dense 3"),
    "topk": ("classify", DATA, "--recipe classic --embed 4 --hidden 4 --heads 2 --weights topk:2 --window 3 --pooling max --cut --keep head"),
    "lstm": ("classify", DATA, "--recipe lstm-attention --vocab 20 --embed 4 --hidden 4"), "encoder": ("classify", DATA, ENCODER),
    "rotary": ("classify", DATA, ENCODER + " --position rotary --pooling cls --share-layers"),
    "alibi": ("classify", DATA, ENCODER + " --position alibi --weights entmax --temperature learned --kv-heads 1 --pooling attention"),
    "t5": ("classify", DATA, ENCODER + " --position t5 --precision bf16"), "learned": ("classify", DATA, ENCODER + " --position learned --max-len 20"),
    "wordpiece": ("classify", DATA, ENCODER + " --tokenizer wordpiece --vocab 40"),
    "none": ("classify", DATA, "--recipe classic --embed 4 --hidden 4 --attention none"),
    "pairs": ("pairs", PAIRS, "--recipe match --embed 4 --buckets 32"), "pairs_attend": ("pairs", PAIRS, "--recipe attend --embed 4 --heads 1"),
    "tag": ("tag", TAGS, "--hidden 4 --embed 4 --features 4 --field 2 --buckets 16 --vocab 20"),
    "tag_plain": ("tag", TAGS, "--hidden 4 --embed 4 --features 4 --field 2 --buckets 16 --vocab 20 --no-crf --layers 2"),
    "tag_encoder": ("tag", TAGS, "--recipe encoder --hidden 4 --heads 2 --layers 1 --embed 4 --features 4 --field 2 --buckets 16 --vocab 20"),
}


def header(path):
    """The header without the places, which fuzz_model.c finds anew."""
    if not os.path.exists(path): return b""
    with open(path, "rb") as f:
        size, = struct.unpack("<Q", f.read(8))
        tree = json.loads(f.read(size))
    for tensor in tree.values(): tensor.pop("data_offsets", None)
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode()


def whole(path, before=b""):
    if not os.path.exists(path): return b""
    with open(path, "rb") as f: return before + f.read()


for name, (task, data, options) in MODELS.items():
    model = os.path.join(WORK.name, name)
    done = subprocess.run([heed, "train", task, data, "-o", model, *SMALL.split(), *options.split()], capture_output=True, text=True)
    if done.returncode:
        sys.exit("%s: %s" % (name, done.stderr[-400:]))
    config = json.dumps(json.loads(whole(os.path.join(model, "config.json"))), ensure_ascii=False, separators=(",", ":")).encode()
    third = (header(os.path.join(model, "features.safetensors")) or whole(os.path.join(model, "vocab.txt"))
             or whole(os.path.join(model, "tokenizer.json"), b"\0"))
    seed = b"\xff".join([config, header(os.path.join(model, "model.safetensors")), third, bytes([3, 129, 120, 140, 90, 128, 200])])
    with open(os.path.join(folder, name), "wb") as f: f.write(seed)
    if name == "attend": # and its table in 8 bits
        tensors = json.loads(header(os.path.join(model, "model.safetensors")))
        rows = tensors["table"]["shape"][0]
        tensors["table"]["dtype"], tensors["table.scale"] = "I8", {"dtype": "F32", "shape": [rows]}
        parts = [config.replace(b'"format_version":2', b'"format_version":3'), json.dumps(tensors).encode(), third, bytes([1, 129, 140])]
        with open(os.path.join(folder, "eight"), "wb") as f: f.write(b"\xff".join(parts))
    print(name, len(seed), sorted(os.listdir(model)))
