"""near_copies.py TRAIN TEST [LABEL TEXT]: how many texts have a near copy among those learnt from (two tables with a header, columns
`label` and `text` unless named; .zst too): texts of TEST beside TRAIN, and a tenth of TRAIN beside the rest of it, held out in runs of
16 neighbours of a label, as `heed train` does, and one by one. Near: half of the words of both are in both, or more (Jaccard).
Where the three differ, what is measured on texts held out tells too much or too little of TEST."""
import collections
import pathlib
import random
import subprocess
import sys

RUN, PART, SEEDS = 16, 0.1, (1, 2, 3)


def table(path, label, text):
    raw = subprocess.run(["zstdcat", path], capture_output=True, check=True).stdout if path.endswith(".zst") else pathlib.Path(path).read_bytes()
    rows = [line.split("\t") for line in raw.decode("utf-8").splitlines()]
    at = rows[0].index(label), rows[0].index(text)
    return [(row[at[0]], frozenset(row[at[1]].lower().split())) for row in rows[1:]]


def near(texts, learnt):
    """The part of texts (word sets) that has a near copy among learnt."""
    holds = collections.defaultdict(list)
    for i, words in enumerate(learnt):
        for word in words:
            holds[word].append(i)
    found = 0
    for words in texts:
        both = collections.Counter(i for word in words for i in holds.get(word, ()))
        found += any(2 * n >= len(words) + len(learnt[i]) - n for i, n in both.items())
    return found / len(texts)


def in_runs(rows, rng):
    """Indices of a tenth of rows, in runs of neighbours of a label, one from each of its sections."""
    own = collections.defaultdict(list)
    for i, (label, _) in enumerate(rows):
        own[label].append(i)
    held = set()
    for items in own.values():
        want = round(PART * len(items))
        runs = max(1, -(-want // RUN))
        for r in range(runs):
            begin, end = len(items) * r // runs, len(items) * (r + 1) // runs
            length = want * (r + 1) // runs - want * r // runs
            at = begin + rng.randrange(end - begin - length + 1)
            held.update(items[at : at + length])
    return held


def one_by_one(rows, rng):
    return set(rng.sample(range(len(rows)), round(PART * len(rows))))


train, test = (table(path, *(sys.argv[3:5] or ["label", "text"])) for path in sys.argv[1:3])
print(f"test part beside the training part: {near([t for _, t in test], [t for _, t in train]):.3f}")
for name, choose in (("in runs", in_runs), ("one by one", one_by_one)):
    parts = []
    for seed in SEEDS:
        held = choose(train, random.Random(seed))
        parts.append(near([train[i][1] for i in sorted(held)], [t for i, (_, t) in enumerate(train) if i not in held]))
    print(f"held out {name}, seeds {SEEDS[0]} to {SEEDS[-1]}: " + ", ".join(f"{p:.3f}" for p in parts))
