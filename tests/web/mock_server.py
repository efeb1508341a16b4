#!/usr/bin/env python3
"""A small server in the shapes of heed's HTTP interface, for tests of the page: real messages of
data/banking77, answers made up from their texts, and states that a real server is seldom in.

    mock_server.py WEB DATA.tsv [--port 0] [--rate 4] [--count 600]

prints its port. POST /mock sets what happens next: {"down": true} (every request and stream ends),
{"key": "…"} (asked for), {"empty": true}, {"fail": "/v1/search"} (that path answers 500), {"begins": 2} (the next two questions for events get 503),
{"send": {EVENT-IN}} (one event), {"alert": true}, {"rate": n}.
"""
import argparse
import json
import math
import mimetypes
import pathlib
import queue
import random
import re
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

POLICY = ("default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
          "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'")
FEELINGS = ["neutral", "negative", "neutral", "positive", "negative"]
mimetypes.add_type("text/javascript", ".js")


def stamp(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms / 1000)) + ".%03dZ" % (ms % 1000)


def moment(text):
    base = time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
    return int(base * 1000 + float("0." + (re.search(r"\.(\d+)", text) or [0, "0"])[1]) * 1000)


def words_of(text):
    return [(m.start(), m.end()) for m in re.finditer(r"\w[\w']*", text)]


class World:
    def __init__(self, options):
        with open(options.data, encoding="utf-8") as f:
            rows = [line.rstrip("\n").split("\t") for line in f][1:]
        random.Random(7).shuffle(rows)
        self.rows = rows
        self.labels = sorted({r[0] for r in rows})
        self.rate = options.rate
        self.lock = threading.RLock()
        self.events, self.alerts, self.entries, self.listeners = [], [], {}, []
        self.flags = {}
        self.seq = 0
        self.sent = []  # (id, event, data) kept for Last-Event-ID
        self.began = time.time()
        now = int(time.time() * 1000)
        n = options.count
        for i in range(n):
            self.add({}, now - int((n - i) ** 1.2 * 3000), quiet=True)
        for i in range(3):
            self.alert(self.events[-(60 + 90 * i)], ["warning", "critical", "info"][i],
                       ["open", "open", "acknowledged"][i])
        threading.Thread(target=self.flow, daemon=True).start()

    def flow(self):
        while True:
            time.sleep(1 / max(self.rate, 0.2))
            if self.rate > 0 and not self.flags.get("empty"):
                self.add({})

    def tell(self, event, id_, data):
        text = json.dumps(data)
        self.sent.append((id_, event, text))
        del self.sent[:-2000]
        for q in list(self.listeners):
            q.put((id_, event, text))

    def add(self, given, now=None, quiet=False):
        with self.lock:
            self.seq += 1
            label, text = self.rows[self.seq % len(self.rows)]
            text = given.get("text", text)
            label = given.get("label", label)
            h = zlib.crc32(text.encode())
            sure = 0.35 + (h % 640) / 1000
            feeling = FEELINGS[h % 5]
            now = now or int(time.time() * 1000)
            others = [self.labels[(h + k * 7) % len(self.labels)] for k in range(1, 4)]
            event = {
                "seq": self.seq, "id": given.get("id", "m-%d" % self.seq),
                "source": given.get("source", ["support", "reviews", "mail"][h % 3]), "time": stamp(now),
                "happened": stamp(now - 1500), "user": given.get("user", "user-%d" % (h % 90)), "session": None,
                "title": given.get("title"), "text": text, "url": given.get("url"), "fields": given.get("fields", {}),
                "findings": [
                    {"name": "intent", "label": label, "confidence": sure, "abstained": sure < 0.45,
                     "detail": {"labels": [{"label": label, "score": sure}] + [
                         {"label": o, "score": (1 - sure) / (2 ** (k + 1))} for k, o in enumerate(others)]}},
                    {"name": "sentiment", "label": feeling, "confidence": 0.5 + (h % 50) / 100, "abstained": False},
                    {"name": "language", "label": "en", "confidence": 0.99, "abstained": False},
                    {"name": "risk", "label": "high" if "stolen" in text else None, "confidence": 0.9, "abstained": False}],
                "story": {"id": self.seq, "size": 1}, "rank": (h % 100) / 100, "vote": None, "corrected": {},
            }
            names = [{"begin": len(text[:m.start()].encode()), "end": len(text[:m.end()].encode()), "text": m.group(),
                      "type": "AMOUNT" if m.group()[0].isdigit() else "PLACE", "confidence": 0.9}
                     for m in re.finditer(r"\b(\d+|Europe|UK|US|China|Visa|Apple Pay|Google Pay)\b", text)]
            event["findings"].append({"name": "names", "label": names[0]["type"] if names else None,
                                      "confidence": 0.9, "abstained": False, "detail": {"entities": names}})
            if "story" in given:
                event["story"] = {"id": given["story"], "size": 2}
                self.events[given["story"] - 1]["story"]["size"] = 2
                self.events.append(event)
            elif h % 9 == 0 and not given and len(self.events) > 30:  # told before
                first = self.events[-6]
                while first["story"]["id"] != first["seq"]:
                    first = self.events[first["story"]["id"] - 1]
                event["story"] = {"id": first["seq"], "size": 0}
                self.events.append(event)
                size = sum(e["story"]["id"] == first["seq"] for e in self.events)
                for e in self.events:
                    if e["story"]["id"] == first["seq"]:
                        e["story"]["size"] = size
            else:
                self.events.append(event)
            if not quiet:
                self.tell("event", self.seq, event)
            return event

    def alert(self, event, grade="critical", state="open"):
        with self.lock:
            label = event["findings"][0]["label"]
            seqs = [e["seq"] for e in self.events if e["findings"][0]["label"] == label][-5:]
            alert = {
                "id": event["seq"] * 100 + 1, "rule": "surge_by_intent", "grade": grade, "state": state, "key": {"intent": label},
                "title": "%s: 41 messages in 10 min, 6.2 are usual" % label.replace("_", " "), "opened": event["time"],
                "time": event["time"],
                "why": {"gates": [
                    {"gate": "when", "value": label, "bound": "any", "held": True, "says": "intent is %s" % label},
                    {"gate": "least", "value": 41, "bound": 5, "held": True, "says": "41 messages in the window, at least 5"},
                    {"gate": "chance", "value": 3.1e-9, "bound": 1e-6, "held": True,
                     "says": "41 where 6.2 are usual: chance 3.1e-9, at most 1e-6"},
                    {"gate": "hold", "value": 0, "bound": "30 min", "held": True, "says": "no alert on this key within 30 min"}],
                    "events": 41, "most": {"n": 41, "usual": 6.2, "p": 3.1e-9}, "examples": seqs,
                    "history": [{"state": "open", "time": event["time"]}]}}
            self.alerts.append(alert)
            return alert

    def stats(self):
        t = time.time()
        return {"rate": round(self.rate * (1 + 0.2 * math.sin(t / 3)), 1), "queue": int(3 + 3 * math.sin(t / 5)),
                "clients": len(self.listeners), "p50_ms": 0.31 + 0.05 * math.sin(t), "p99_ms": 1.8 + 0.6 * math.sin(t / 2),
                "memory": 84 << 20, "last": self.seq, "decided": self.seq - 1}


def explain(event):
    text = event["text"]
    spots = words_of(text)
    alike = "alike" in text
    raw = [1 for _ in spots] if alike else [(len(text[a:b]) ** 2 * (1 + zlib.crc32(text[a:b].encode()) % 5)) for a, b in spots] or [1]
    words = [{"begin": len(text[:a].encode()), "end": len(text[:b].encode()), "text": text[a:b], "weight": w / sum(raw)}
             for (a, b), w in zip(spots, raw)]
    best = sorted(words, key=lambda w: -w["weight"])[:3]
    main = event["findings"][0]
    sure = main["confidence"]
    other = main["detail"]["labels"][1]["label"]
    turned = sure < 0.8
    return {"label": main["label"], "confidence": sure, "labels": main["detail"]["labels"], "words": words, "alike": alike,
            "receipt": {"without_attended": {"label": other if turned else main["label"], "confidence": 0.41,
                                             "confidence_in_label": sure * (0.2 if turned else 0.6),
                                             "removed": sorted(best, key=lambda w: w["begin"])},
                        "without_random": {"label": main["label"], "confidence": sure * 0.93,
                                           "confidence_in_label": sure * 0.92, "draws": 8, "same_label": 8}},
            "tokens_seen": len(words), "tokens_total": len(words)}


def why(event):
    fired = event["rank"] > 0.9
    return {"seq": event["seq"], "rules": [
        {"rule": "surge_by_intent", "fired": fired, "stopped_at": None if fired else "chance", "gates": [
            {"gate": "when", "value": "", "bound": "", "held": True, "says": "sentiment is %s" % event["findings"][1]["label"]},
            {"gate": "least", "value": 7, "bound": 5, "held": True, "says": "7 messages in the window, at least 5"},
            {"gate": "chance", "value": 0.013, "bound": 1e-6, "held": fired,
             "says": "7 where 5.1 are usual: chance 0.26, more than 1e-6"}]},
        {"rule": "high_risk", "fired": False, "stopped_at": "when", "gates": [
            {"gate": "when", "value": None, "bound": "high", "held": False, "says": "risk is not high"}]}]}


def near(world, event, most):
    mine = {w.lower() for w in re.findall(r"\w{4,}", event["text"])}
    hits = []
    for e in world.events[-1500:]:
        other = {w.lower() for w in re.findall(r"\w{4,}", e["text"])}
        if e is not event and mine | other:
            hits.append((len(mine & other) / math.sqrt(max(1, len(mine)) * max(1, len(other))), e))
    hits.sort(key=lambda x: -x[0])
    return {"hits": [{"score": s, "bm25": None, "cosine": s, "snippet": [], "event": e} for s, e in hits[:most] if s > 0.2]}


def found(world, q, most):
    words = [w.lower() for w in re.findall(r"\w+", q)]
    hits = []
    for e in world.events:
        low = e["text"].lower()
        n = sum(1 for w in words if w in low)
        if n and words:
            parts, at = [], 0
            for m in re.finditer("|".join(re.escape(w) for w in words), e["text"], re.I):
                parts += [{"text": e["text"][at:m.start()], "hit": False}, {"text": m.group(), "hit": True}]
                at = m.end()
            parts.append({"text": e["text"][at:], "hit": False})
            bm = n * 2.7 + 40 / (10 + len(low))
            hits.append({"score": 1 / (61 + len(hits)), "bm25": bm, "cosine": min(0.97, 0.4 + 0.2 * n), "snippet": parts, "event": e})
    hits.sort(key=lambda x: -x["bm25"])
    for i, x in enumerate(hits):
        x["score"] = 1 / (60 + i + 1) + 1 / (62 + i)
    return {"hits": hits[:most]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world = None
    web = None

    def log_message(self, *args):
        pass

    def give(self, tree, status=200, type_="application/json", more={}):
        data = tree if isinstance(tree, bytes) else json.dumps(tree).encode()
        self.send_response(status)
        self.send_header("Content-Type", type_)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        for name, value in more.items():
            self.send_header(name, value)
        if type_.startswith(("text/html", "text/javascript", "image/svg")):
            self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(data)

    def problem(self, status, title, detail, wait=None):
        self.give({"type": "about:blank", "title": title, "status": status, "detail": detail}, status,
                  "application/problem+json", {"Retry-After": wait} if wait else {})

    def refused(self, path):
        flags = self.world.flags
        if path.startswith("/v1/") and flags.get("down"):
            self.close_connection = True
            self.connection.close()
            return True
        if path.startswith("/v1/") and flags.get("key") and self.headers.get("Authorization") != "Bearer " + flags["key"]:
            self.problem(401, "Unauthorized", "this server asks for a key")
            return True
        if flags.get("begins") and path.startswith("/v1/events"):
            flags["begins"] -= 1
            self.problem(503, "Service Unavailable", "not ready yet", wait="1")
            return True
        if flags.get("fail") and path.startswith(flags["fail"]):
            self.problem(500, "Internal Server Error", "the store is locked <b>by another process</b>")
            return True
        return False

    def do_GET(self):
        url = urlsplit(self.path)
        query = {k: v[0] for k, v in parse_qs(url.query).items()}
        path = unquote(url.path)
        if self.refused(path):
            return
        if path in ("/", "/favicon.ico") or path.startswith("/app/"):
            name = {"/": "index.html", "/favicon.ico": "icon.svg"}.get(path, path[5:])
            file = self.web / name
            if not file.is_file() or ".." in name:
                return self.problem(404, "Not Found", "no such page")
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            return self.give(file.read_bytes(), 200, kind + ("; charset=utf-8" if kind.startswith("text/") else ""))
        if path == "/v1/stream":
            return self.stream()
        for pattern, fn in ROUTES:
            match = re.fullmatch(pattern, path)
            if match:
                with self.world.lock:
                    answer = fn(self.world, query, *match.groups())
                if answer is None:
                    return self.problem(404, "Not Found", "there is no such thing")
                return self.give(answer)
        return self.problem(404, "Not Found", "no route for " + path)

    def stream(self):
        world = self.world
        q = queue.Queue()
        last = self.headers.get("Last-Event-ID")
        if last:
            for id_, event, text in world.sent:
                if id_ is not None and id_ > int(last):
                    q.put((id_, event, text))
        world.listeners.append(q)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        tick = 0
        try:
            while not world.flags.get("down"):
                try:
                    id_, event, text = q.get(timeout=0.25)
                    id_line = "id: %d\n" % id_ if id_ is not None else ""
                    self.wfile.write(("%sevent: %s\ndata: %s\n\n" % (id_line, event, text)).encode())
                except queue.Empty:
                    pass
                if time.time() - tick > 1:
                    tick = time.time()
                    self.wfile.write(("event: stats\ndata: %s\n\n" % json.dumps(world.stats())).encode())
                self.wfile.flush()
        except OSError:
            pass
        finally:
            world.listeners.remove(q)
            self.close_connection = True

    def do_POST(self):
        path = unquote(urlsplit(self.path).path)
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        world = self.world
        if path == "/mock":
            made = None
            if "send" in body:
                made = world.add(body.pop("send"))["seq"]
            if "rate" in body:
                world.rate = body.pop("rate")
            if body.pop("alert", False):
                alert = world.alert(world.events[-1])
                made = alert["id"]
                world.tell("alert", alert["id"], alert)
            world.flags.update(body)
            return self.give({"seq": made})
        if self.refused(path):
            return
        if path == "/v1/chat/completions":
            return self.chat(body)
        with world.lock:
            answer = self.posted(path, body)
        if answer is None:
            return self.problem(404, "Not Found", "there is no such thing")
        return self.give(answer)

    def posted(self, path, body):
        world = self.world
        if path == "/v1/explain":
            return explain(world.events[body["seq"] - 1])
        if path == "/v1/events":
            return {"taken": 1, "known": 0, "seqs": [world.add(body)["seq"]]}
        if path == "/v1/reload":
            return {"reloaded": True, "models": {}}
        world.seq += 1
        entry = world.seq
        world.events.append({**world.events[-1], "seq": entry, "hidden": True})
        if path == "/v1/feedback":
            event = world.events[body["seq"] - 1]
            world.entries[entry] = (event, event["vote"], dict(event["corrected"]))
            if "vote" in body:
                event["vote"] = None if body["vote"] == "none" else body["vote"]
            else:
                event["corrected"][body["analysis"]] = body["label"]
            return {"seq": entry}
        if path == "/v1/undo":
            thing, one, two = world.entries[body["entry"]]
            if "rule" in thing:
                thing["state"] = one
            elif one == "split":
                thing["story"] = two
            else:
                thing["vote"], thing["corrected"] = one, two
            return {"seq": entry}
        match = re.fullmatch(r"/v1/alerts/(\d+)", path)
        if match:
            alert = next(a for a in world.alerts if a["id"] == int(match[1]))
            world.entries[entry] = (alert, alert["state"], None)
            alert["state"] = {"ack": "acknowledged", "close": "closed", "silence": "silenced"}[body["do"]]
            return {**alert, "entry": entry}
        match = re.fullmatch(r"/v1/stories/(\d+)/split", path)
        if match:
            event = world.events[body["seq"] - 1]
            world.entries[entry] = (event, "split", event["story"])
            event["story"] = {"id": event["seq"], "size": 1}
            return {"seq": entry}
        return None

    def chat(self, body):
        text = body["messages"][-1]["content"]
        person = "person" in text or "human" in text
        heed = {"kind": "hand_over" if person else "canned", "intent": "contact_human_agent" if person else "cancel_order",
                "confidence": 0.93, "handed_over": person, "sources": [] if person else [
                    {"text": "You can cancel an order from its details, as long as it was not sent.", "where": "replies.tsv:cancel_order", "score": 0.91},
                    {"text": "Orders that are on their way can be sent back.", "where": "kb/orders.md:12", "score": 0.62}],
                "slots": {"order_number": "A-1042"} if "A-1042" in text else {}}
        reply = ("I am handing you over to a colleague, who sees what we wrote." if person else
                 "You said: %s. Open the details of your order and choose “Cancel order”. If it was sent already, it can be sent back." % text)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for piece in re.findall(r"\S+\s*", reply):
            self.wfile.write(b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": piece}}]}).encode() + b"\n\n")
            self.wfile.flush()
            time.sleep(0.01)
        self.wfile.write(b"data: " + json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "heed": heed}).encode() + b"\n\ndata: [DONE]\n\n")
        self.close_connection = True


def events(world, q):
    most = int(q.get("most", 50))
    if world.flags.get("empty"):
        return {"events": [], "next": None}
    out = [e for e in reversed(world.events) if not e.get("hidden")]
    if "before" in q:
        out = [e for e in out if e["seq"] < int(q["before"])]
    if "source" in q:
        out = [e for e in out if e["source"] == q["source"]]
    if "label" in q:
        out = [e for e in out for f in e["findings"] if f["name"] == q["analysis"] and f["label"] == q["label"]]
    if q.get("heads") == "true":
        out = [e for e in out if e["story"]["id"] == e["seq"]]
    if q.get("by") == "rank":
        out.sort(key=lambda e: -e["rank"])
    return {"events": out[:most], "next": out[most - 1]["seq"] if len(out) > most else None}


def one(world, q, seq):
    seq = int(seq)
    return {**world.events[seq - 1], "gates": {}} if 0 < seq <= len(world.events) else None


def monitor(world, q):
    begin, end, step = moment(q["from"]), moment(q["to"]), int(q["step"])
    by, n = q["by"].split(","), max(1, (end - begin) // step)
    table = {}
    for e in world.events:
        i = (moment(e["time"]) - begin) // step
        if e.get("hidden") or not 0 <= i < n or ("source" in q and e["source"] != q["source"]):
            continue
        key = tuple(next((f["label"] for f in e["findings"] if f["name"] == b), None) for b in by)
        table.setdefault(key, [0] * n)[i] += 1
    rows = sorted(table.items(), key=lambda x: -sum(x[1]))[:40]
    if world.flags.get("empty"):
        rows = []
    return {"step_ms": step, "from": q["from"], "to": q["to"],
            "series": [{"key": dict(zip(by, k)), "count": c, "expected": [sum(c) / n * (1 + 0.3 * math.sin(i / 4)) for i in range(n)]}
                       for k, c in rows], "alerts": world.alerts}


def alerts(world, q):
    state = q.get("state")
    return {"alerts": [a for a in reversed(world.alerts) if not state or a["state"] == state]}


CARD = """# intent

What a message is about: **77 intents** of bank customers.

| | |
|---|---|
| made by | `recipes/intent.sh` |
| accuracy | 91.2 % (95 %: 90.3 to 92.2) |

- English alone
- [data](https://github.com/PolyAI-LDN/task-specific-datasets), not [this](javascript:alert(1))

```sh
echo "my card" | heed predict models/intent
```
"""


def models(world, q):
    curve = [{"epoch": i, "loss": 4 * math.exp(-i / 3) + 0.3, "score": 92 - 60 * math.exp(-i / 2)} for i in range(1, 13)]
    return {"object": "list", "data": [
        {"id": "models/intent", "object": "model", "task": "classify", "labels": world.labels, "parameters": 629458,
         "sha": "9f2c" * 16, "card": CARD, "curve": curve},
        {"id": "models/language", "object": "model", "task": "language", "labels": ["en", "zh", "de"], "parameters": 41000,
         "sha": "77aa" * 16, "card": "", "curve": []}]}


ROUTES = [
    (r"/v1/flow", lambda w, q: {
        "name": "demo", "analyses": [
            {"name": "intent", "kind": "classify", "labels": w.labels}, {"name": "sentiment", "kind": "classify", "labels": ["negative", "neutral", "positive"]},
            {"name": "language", "kind": "language", "labels": ["en", "zh"]}, {"name": "risk", "kind": "risk", "labels": ["high"]},
            {"name": "names", "kind": "tag", "labels": []}],
        "rules": [{"name": "surge_by_intent", "kind": "surge", "by": ["intent"], "window_ms": 600000, "grade": "critical"}],
        "sources": [{"name": n, "kind": "csv"} for n in ("support", "reviews", "mail")], "sinks": [{"name": "page", "kind": "page"}]}),
    (r"/v1/events", events),
    (r"/v1/events/(\d+)", one),
    (r"/v1/events/(\d+)/similar", lambda w, q, s: near(w, w.events[int(s) - 1], int(q.get("most", 6)))),
    (r"/v1/stories/(\d+)", lambda w, q, s: {"story": int(s), "events": [e for e in w.events if e["story"]["id"] == int(s) and not e.get("hidden")]}),
    (r"/v1/search", lambda w, q: found(w, q.get("q", ""), int(q.get("most", 50)))),
    (r"/v1/alerts", alerts),
    (r"/v1/alerts/(\d+)", lambda w, q, i: next((a for a in w.alerts if a["id"] == int(i)), None)),
    (r"/v1/why", lambda w, q: why(w.events[int(q["seq"]) - 1])),
    (r"/v1/monitor", monitor),
    (r"/v1/models", models),
    (r"/v1/retrained", lambda w, q: {"n": 500, "changed": [
        {"seq": e["seq"], "text": e["text"], "now": e["findings"][0]["label"], "then": e["findings"][0]["detail"]["labels"][1]["label"]}
        for e in w.events[-40:-28] if not e.get("hidden")]}),
    (r"/v1/system", lambda w, q: {
        **w.stats(), "version": "0.4.0", "flow": "demo", "uptime_s": time.time() - w.began, "threads": 2,
        "store": {"events": len(w.events), "alerts": len(w.alerts), "messages": {"waiting": 1, "dead": 0}, "size": 18 << 20,
                  "free": 4096, "journal": 1 << 20, "decided": w.seq - 1, "last": w.seq},
        "sources": [{"name": "support", "kind": "csv", "state": "reading", "error": None, "events": 400},
                    {"name": "news", "kind": "feed", "state": "failing", "error": "feed.example: the name is not known", "events": 12}],
        "sinks": [{"name": "page", "kind": "page", "waiting": 0, "dead": 0, "error": None},
                  {"name": "hook", "kind": "webhook", "waiting": 1, "dead": 0, "error": "connection refused; tried 3 times"}],
        "models": [{"id": "models/intent"}, {"id": "models/language"}]}),
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("web", type=pathlib.Path)
    parser.add_argument("data")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--rate", type=float, default=4)
    parser.add_argument("--count", type=int, default=600)
    options = parser.parse_args()
    Handler.world = World(options)
    Handler.web = options.web
    server = ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # a browser that went away
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
