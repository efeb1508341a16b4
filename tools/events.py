#!/usr/bin/env python3
"""events.py RUN: whether TensorBoard's own reader finds in RUN (a folder that `heed train` logged to) what log.jsonl says.

Needs tensorboard (tools/oracle-requirements.txt); tests of the suite compare the records' bytes and need no Python."""
import json
import math
import struct
import sys
from importlib.metadata import version
from pathlib import Path

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError:
    sys.exit("events.py: there is no tensorboard: pip install -r tools/oracle-requirements.txt")

if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "log.jsonl").is_file():
    sys.exit("events.py: RUN is a folder with a log.jsonl")
run = Path(sys.argv[1])
reader = EventAccumulator(str(run), size_guidance={"scalars": 0})
reader.Reload()
scalars = {tag: {e.step: e.value for e in reader.Scalars(tag)} for tag in reader.Tags()["scalars"]}
epochs = [e for e in map(json.loads, (run / "log.jsonl").open()) if e["event"] == "epoch"]
if not epochs:
    sys.exit(f"events.py: {run}/log.jsonl tells of no epoch")
wrong = 0
for epoch in epochs:
    for tag, key in (("loss/train", "loss"), ("loss/held_out", "held_loss"), (f"{epoch.get('score')}/held_out", "value")):
        if epoch.get(key) is None:
            continue
        as_float = struct.unpack("f", struct.pack("f", epoch[key]))[0]
        wrong += not math.isclose(scalars.get(tag, {}).get(epoch["step"], math.nan), as_float, rel_tol=1e-6)
print(f"TensorBoard {version('tensorboard')}: {sum(map(len, scalars.values()))} points of {len(scalars)} curves, "
      f"{len(epochs)} epochs logged, {wrong} numbers differ")
sys.exit(wrong > 0)
