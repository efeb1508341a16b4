#!/usr/bin/env python3
"""few_sure.py: how sure `attend` is where there are few labelled texts: mean accuracy and loss on test texts (1,000 at
most, drawn by chance) over five draws of the training texts, with a tenth held out and with none, for docs/BENCHMARKS.md.
HEED names the program (build/heed), HEED_DATA the folder of the sets (../shared/data); arguments: SET.TEXTS, as trec.20."""
import os, random, re, subprocess, sys, tempfile

HEED, DATA = os.environ.get("HEED", "build/heed"), os.environ.get("HEED_DATA", "../shared/data")
SETS = {"trec": ("trec/train.tsv", "trec/test.tsv", "coarse"), "sst2": ("sst2/train.tsv", "sst2/test.tsv", "label"),
        "chn": ("chnsenticorp/train.tsv.zst", "chnsenticorp/test.tsv", "label"),
        "imdb": ("imdb/train.tsv.zst", "imdb/test.tsv.zst", "label"),
        "banking": ("banking77/train.tsv", "banking77/test.tsv", "intent"),
        "clinc": ("clinc150/train.tsv", "clinc150/test.tsv", "intent")}
DEFAULT = "trec.20 trec.100 trec.500 sst2.20 sst2.100 sst2.500 chn.20 chn.100 imdb.100 banking.200 clinc.300"


def read(name, label):
    path = os.path.join(DATA, name)
    raw = subprocess.check_output(["zstd", "-dc", path]) if name.endswith(".zst") else open(path, "rb").read()
    lines = raw.decode().split("\n")
    rows = [dict(zip(lines[0].split("\t"), line.split("\t"))) for line in lines[1:] if line]
    return [r for r in rows if "oos" not in r[label]]


def write(path, rows, label):
    with open(path, "w", encoding="utf8") as f:
        f.write("label\ttext\n" + "".join("c%s\t%s\n" % (r[label], r["text"]) for r in rows))


with tempfile.TemporaryDirectory() as work:
    for what in sys.argv[1:] or DEFAULT.split():
        name, n = what.split(".")
        train, test, label = SETS[name]
        rows, tests = read(train, label), read(test, label)
        write(work + "/test.tsv", random.Random(5).sample(tests, min(len(tests), 1000)), label)
        for part in "0.1", "0":
            accuracy = loss = 0
            for draw in range(5):
                write(work + "/few.tsv", random.Random(1000 * draw + int(n)).sample(rows, int(n)), label)
                said = subprocess.run([HEED, "train", "classify", work + "/few.tsv", "--label", "label", "--text", "text",
                                       "--test", work + "/test.tsv", "-o", work + "/m", "--run", "none", "--valid-part", part],
                                      env={**os.environ, "HEED_LANG": "en"}, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL, text=True, check=True).stdout
                accuracy += float(re.search("Test Accuracy: ([0-9.]+)", said)[1]) / 5
                loss += float(re.search("Test Loss: ([0-9.]+)", said)[1]) / 5
            print("%s, held out %s: accuracy %.3f, loss %.3f" % (what, part, accuracy, loss), flush=True)
