#!/usr/bin/env python3
"""clients.py ADDRESS: real clients from PyPI against a running `heed serve` of examples/flows/demo.yaml: openai,
huggingface_hub (Text Embeddings Inference) and prometheus_client's parser. Prints what each got; fails where one is not content."""
import sys
import urllib.request

import openai
from huggingface_hub import InferenceClient
from prometheus_client.parser import text_string_to_metric_families

base = sys.argv[1]


def with_openai():
    c = openai.OpenAI(base_url=base + "/v1", api_key="none", max_retries=0)
    ids = [m.id for m in c.models.list()]
    assert "intent" in ids and c.models.retrieve("intent").object == "model"
    texts = ["where is my card", "set an alarm"]
    packed = c.embeddings.create(model="vectors", input=texts)  # the client asks for base64
    plain = c.embeddings.create(model="vectors", input=texts[0], encoding_format="float")
    assert [d.index for d in packed.data] == [0, 1]
    assert max(abs(a - b) for a, b in zip(packed.data[0].embedding, plain.data[0].embedding)) < 1e-6
    try:
        c.embeddings.create(model="nothing", input="a")
        raise AssertionError("a model that is none is accepted")
    except openai.NotFoundError as e:
        assert e.status_code == 404
    asked = [{"role": "user", "content": "where is my order"}]
    whole = c.chat.completions.create(model="desk", messages=asked)
    said = whole.choices[0].message.content
    parts = c.chat.completions.create(model="desk", messages=asked, stream=True)
    assert said and said == "".join(p.choices[0].delta.content or "" for p in parts if p.choices)
    print("openai", openai.__version__, "models", ids, "vectors of", len(plain.data[0].embedding), "chat:", said[:50])


def with_huggingface():
    vector = InferenceClient(model=base + "/embed").feature_extraction("where is my card")
    label = InferenceClient(model=base + "/predict").text_classification("where is my card")
    best = label[0] if isinstance(label, list) else label  # the client takes the first of what it gets
    assert vector.shape[-1] > 0 and best.label == "card_arrival", (vector.shape, best)
    print("huggingface_hub: vector", vector.shape, "label", best.label, round(best.score, 3))


def with_prometheus():
    text = urllib.request.urlopen(base + "/metrics").read().decode()
    families = {f.name for f in text_string_to_metric_families(text)}
    assert {"heed_events", "heed_latency_seconds", "heed_findings"} <= families, families
    print("prometheus_client:", len(families), "families")


with_openai()
with_huggingface()
with_prometheus()
