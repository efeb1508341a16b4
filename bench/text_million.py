"""text_million.py DATA [TEXTS]: a million short texts (label<TAB>text lines, a header first) of up to 12 words, cut from the English
sets under DATA: half from imdb, the rest from news20_bydate and the small sets. The label is the set's own, or its group of news.
The same lines on every machine."""
import json
import pathlib
import random
import subprocess
import sys

data = pathlib.Path(sys.argv[1])
wanted = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
WORDS = 12


def unpacked(path):
    return subprocess.run(["zstdcat", str(path)], capture_output=True, check=True).stdout.decode("utf-8")


def cut(label, text):
    words = text.replace("<br />", " ").split()
    return [(label, " ".join(words[i : i + WORDS])) for i in range(0, len(words), WORDS)]


def table(text, label, column):
    lines = text.split("\n")
    head = lines[0].split("\t")
    l, t = head.index(label), head.index(column)
    rows = (line.split("\t") for line in lines[1:] if line)
    return [(row[l], row[t]) for row in rows]


reviews = [x for part in ("train", "test") for l, t in table(unpacked(data / f"imdb/{part}.tsv.zst"), "label", "text") for x in cut(f"review {l}", t)]
rest = []
for part in ("train", "test"):
    for line in unpacked(data / f"news20_bydate/{part}.jsonl.zst").split("\n"):
        if not line:
            continue
        record = json.loads(line)
        rest += cut(record["label"], record["subject"] + " " + record["body"])
for name, label in (("banking77", "intent"), ("clinc150", "intent"), ("twitter_financial_news", "label")):
    rest += [(name, t) for l, t in table((data / name / "train.tsv").read_text(encoding="utf-8"), label, "text")]
draw = random.Random(1)
draw.shuffle(reviews)
texts = rest + reviews
texts = texts[:wanted] if len(rest) >= wanted else rest + reviews[: wanted - len(rest)]
draw.shuffle(texts)
if len(texts) < wanted:
    sys.exit(f"only {len(texts)} texts")
print("label\ttext")
for label, text in texts[:wanted]:
    print(f"{label.replace(' ', '_')}\t{text}")
