"""text_peers.py FILE TEXTS: fastText on label<TAB>text lines, one thread: words a second of training and texts a second of
answers by processor time, peak memory, accuracy on the last tenth, which is not learnt from. With its defaults, and with the
n-grams that attend reads."""
import resource
import sys
import tempfile
import time

import fasttext

lines = [line.rstrip("\n").split("\t", 1) for line in open(sys.argv[1], encoding="utf-8")][1 : int(sys.argv[2]) + 1]
cut = len(lines) * 9 // 10
learn, held = lines[:cut], lines[cut:]
words = sum(len(text.split()) for _, text in learn)
with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as out:
    out.writelines(f"__label__{label} {text}\n" for label, text in learn)
    out.flush()
    for name, options in (("defaults", {}), ("n-grams", {"wordNgrams": 2, "minn": 2, "maxn": 5})):
        start = time.process_time()
        model = fasttext.train_supervised(out.name, thread=1, epoch=5, verbose=0, **options)
        spent = time.process_time() - start
        start = time.process_time()
        right = sum(model.f.predict(text + "\n", 1, 0.0, "strict")[0][1] == "__label__" + label for label, text in held)
        answers = time.process_time() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"fastText {name}: {5 * words / spent:.0f} words/s, {len(held) / answers:.0f} texts/s, "
              f"accuracy {right / len(held):.4f}, peak {peak:.0f} MB", flush=True)
