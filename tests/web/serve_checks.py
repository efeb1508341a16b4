"""The page against `heed serve` itself: real messages played again, what a person does to them, an
alert, the desk, a server that goes away and comes back. Of what the page does in itself
page_checks.py is the test."""
import html
import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time

from selenium.common.exceptions import WebDriverException

from browser import CONTRAST, LISTEN, ROOT, Browser, Keys, fetch, post

EVIL = "<img src=x onerror=__bad.push('img')><script>__bad.push('script')</script>"


FEED = """<rss version="2.0"><channel><title>%(evil)s</title>
<item><guid>1</guid><title>%(evil)s Planted headline</title><link>javascript:__bad.push('link')</link>
<description>%(evil)s&lt;iframe srcdoc="&lt;script&gt;parent.__bad.push(1)&lt;/script&gt;"&gt;&lt;/iframe&gt; planted text</description></item>
<item><guid>2</guid><title>Second</title><description><![CDATA[%(raw)s<svg onload=__bad.push('svg')><a href="javascript:__bad.push(2)">second text</a>
<form action=/v1/reload><button>press</button></form><style>body{display:none}</style>]]></description></item>
</channel></rss>""" % {"evil": html.escape(EVIL), "raw": EVIL}

# What a page of another origin can try in somebody's browser.
ATTACK = """<!doctype html><title>attack</title><script>
const to = TARGET, event = JSON.stringify({text: 'forged by a page'});
const ways = {
    plain: () => fetch(to + '/v1/events', {method: 'POST', mode: 'no-cors', headers: {'Content-Type': 'text/plain'}, body: event}),
    json: () => fetch(to + '/v1/events', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: event}),
    beacon: async () => { navigator.sendBeacon(to + '/v1/events', new Blob([event], {type: 'text/plain'})); throw 0; },
    form: () => new Promise((done, no) => {
        document.body.innerHTML = '<iframe name=hole></iframe><form target=hole method=post enctype=text/plain><input></form>';
        const form = document.forms[0], [input] = form.elements;
        form.action = to + '/v1/events';
        input.name = '{"text":"forged by a form","x":"';
        input.value = '"}';
        document.querySelector('iframe').onload = no;
        form.submit(); }),
    reload: () => fetch(to + '/v1/reload', {method: 'POST', mode: 'no-cors'}),
    read: async () => (await fetch(to + '/v1/events')).json(),
    stream: () => new Promise((done, no) => { const s = new EventSource(to + '/v1/stream'); s.onopen = done; s.onerror = no; }),
    script: () => new Promise((done, no) => { const s = document.createElement('script'); s.src = to + '/v1/events'; s.onload = done; s.onerror = no;
        document.head.append(s); }),
    frame: () => new Promise((done, no) => { const f = document.createElement('iframe'); f.src = to + '/'; document.body.append(f);
        f.onload = () => { try { f.contentDocument.body ? done() : no(); } catch (e) { no(); } }; }),
};
(async () => {
    const got = {};
    for (const name in ways) { try { const a = await ways[name](); got[name] = a?.type === 'opaque' ? 'opaque' : 'through'; } catch { got[name] = 'refused'; } }
    window.got = got;
})();
</script><body>"""


class Stranger(http.server.BaseHTTPRequestHandler):
    """A feed with markup in all its texts, and a page that attacks."""

    def log_message(self, *args):
        pass

    def do_GET(self):
        feed = self.path.startswith("/feed")
        target = json.dumps(self.path.partition("?")[2])
        data = (FEED if feed else ATTACK.replace("TARGET", target)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/rss+xml" if feed else "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Server:
    """heed serve with a flow (tests/web/flow.yaml) and a store in a folder of its own."""

    def __init__(self, folder, flow=None):
        self.folder, self.port = folder, 0
        self.flow = flow or str(ROOT / "tests/web/flow.yaml")
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [os.environ["HEED"], "serve", self.flow, "--store", self.folder + "/heed.db",
             "--listen", "127.0.0.1:%d" % self.port],
            stdout=subprocess.PIPE, stderr=open(self.folder + "/log", "ab"), text=True)
        self.base = re.search(r"http://\S+", self.process.stdout.readline())[0].rstrip("/.,")
        self.port = int(self.base.rsplit(":", 1)[1])

    def end(self):
        self.process.terminate()
        return self.process.wait(timeout=30)

    def send(self, **event):
        return post(self.base + "/v1/events", event)["seqs"][0]


def live(b, server):
    b.open("inbox", "light", "en")
    b.one(".row")
    b.wait(lambda: b.all(".row .attended"), "attended words shaded")
    b.wait(lambda: re.search(r"\d/s", b.text(".wire")), "the rate")
    server.send(text="My card was stolen and I need it frozen", title="Help me", url="https://example.org/1")
    b.says(".row", "My card was stolen")
    b.choose("Source", "push")
    b.wait(lambda: b.all(".row") and {e.text for e in b.all(".row-source")} == {"push"}, "one source")
    b.choose("Source", "")
    b.click(".row .row-text")
    b.says(".pane .event", "What decided it", "Findings", "Rules", "Attended words out")
    b.wait(lambda: "Without" in b.text(".receipt-says"), "the receipt")
    b.quiet()


def said_and_taken_back(b, server):
    seq = server.send(text="I want to cancel the transfer that I made this morning")
    look = lambda: fetch(server.base + "/v1/events/%d" % seq)
    b.open("event/%d" % seq, "light", "en")
    b.one(".event-label .chip")
    b.click("[data-act=up]")
    b.wait(lambda: look()["vote"] == "up", "the vote in the store")
    b.click(".toast button:not(.icon-button)")
    b.wait(lambda: not look()["vote"] or look()["vote"] == "none", "the vote taken back")
    b.one("[data-act=up][aria-pressed=false]")
    b.click("[data-act=correct]")
    b.one("dialog[open]")
    b.press("card arrival", Keys.ENTER)
    b.wait(lambda: (look()["corrected"] or {}).get("intent") == "card_arrival", "the correction in the store")
    b.says(".event-label .corrected", "card arrival")
    b.js("[...document.querySelectorAll('.toast button')].filter((x) => x.textContent === 'Undo').pop().click()")
    b.wait(lambda: not (look()["corrected"] or {}).get("intent"), "the correction taken back")
    b.quiet()


def alerts(b, server):
    b.open("system", "light", "en")
    b.one(".tile")
    for i in range(20):
        server.send(text="My card was stolen, number %d" % i, user="u%d" % i)
    b.says(".toast", "Alert:")
    b.go("monitor")
    b.one(".chart polygon.area")
    b.one(".chart .mark")
    b.one(".heat td")
    b.click(".alert[data-grade=critical] summary")
    b.says(".alert[open] .gates", "at least 12")
    alert = b.attr(".alert[open]", "data-id")
    b.click(".alert[open] [data-act=ack]")
    look = lambda: fetch(server.base + "/v1/alerts/" + alert)["state"]
    b.wait(lambda: look() == "acknowledged", "acknowledged in the store")
    b.click(".choice [data-value=acknowledged]")
    b.one(".alert[data-id='%s']" % alert)
    b.js("[...document.querySelectorAll('.toast button')].filter((x) => x.textContent === 'Undo').pop().click()")
    b.wait(lambda: look() == "open", "open again")
    b.quiet()


def search(b, server):
    b.open("search/stolen", "light", "en")
    b.one(".hit-card mark.hit")
    b.says(".hit-scores", "BM25")
    b.click(".hit-text")
    b.one(".event-text")
    b.quiet()


def desk(b, server):
    b.open("chat", "light", "en")
    b.one("textarea").send_keys("I want to cancel my order", Keys.ENTER)
    b.wait(lambda: b.all(".turn-meta .tag"), "a reply of a kind")
    assert len(b.text(".turn:last-child .bubble")) > 10
    b.one("textarea").send_keys("I want to speak to a person", Keys.ENTER)
    b.says(".handed", "Handed over")
    b.click(".toolbar .button")
    b.one("textarea").send_keys("What payment methods do you accept?", Keys.ENTER)
    b.click(".sources summary")
    b.wait(lambda: len(b.text(".sources li p")) > 20, "what the reply rests on")
    assert not b.all(".bubble.failed"), b.text(".bubble")
    b.quiet()


def models_and_what_would_change(b, server):
    b.open("models", "light", "en")
    b.says(".model", "intent", "629,458")
    b.one("input[name=model]").send_keys(str(ROOT / "models/support"), Keys.ENTER)
    b.one(".compare-says")
    b.one(".table tbody .chip")
    b.js("[...document.querySelectorAll('.toolbar .button')].pop().click()")
    b.click("dialog [data-act=reload]")
    b.says(".toast", "read again")
    b.quiet()


def with_a_key(b, server):
    """A server that asks for keys: none, a wrong one, a right one; the stream carries it too."""
    keys = server.folder + "/keys"
    made = subprocess.run([os.environ["HEED"], "key", "add", keys, "page", "--scopes", "read,write"], check=True,
                          capture_output=True, text=True).stdout
    key = re.search(r"\bheed_\S+|\S{30,}", made)[0]
    with open(ROOT / "tests/web/flow.yaml", encoding="utf-8") as f:
        text = f.read().replace("../../", str(ROOT) + "/") + "keys: " + keys + "\n"
    os.mkdir(server.folder + "/second")
    flow = server.folder + "/second/flow.yaml"
    with open(flow, "w", encoding="utf-8") as f:
        f.write(text)
    second = Server(server.folder + "/second", flow)
    first, b.base = b.base, second.base
    try:
        b.driver.get(b.base + "/#/inbox")
        b.one("dialog input[type=password]").send_keys("wrong", Keys.ENTER)
        b.wait(lambda: b.attr("dialog input[type=password]", "value") == "", "asked again")
        b.one("dialog input[type=password]").send_keys(key, Keys.ENTER)
        b.one(".row .attended")
        b.wait(lambda: re.search(r"\d/s", b.text(".wire")), "the stream")
        assert key not in b.js("return document.documentElement.outerHTML + JSON.stringify({...localStorage})")
        b.quiet(["401", "Failed to load resource"])
    finally:
        b.driver.get("about:blank")
        b.driver.get_log("browser")
        b.base = first
        second.end()


def all_views(b, server):
    server.send(text=EVIL, title=EVIL, url="javascript:__bad.push('url')", fields={"x": EVIL}, user="u")
    first = fetch(server.base + "/v1/events?most=1&source=push")["events"][0]["seq"]
    for theme, language in (("light", "en"), ("dark", "zh")):
        b.open("inbox", theme, language)
        for place in ("inbox/%d" % first, "event/%d" % first, "monitor", "search/onerror", "chat", "models", "system"):
            b.go(place)
            b.wait(lambda: not b.all(".loading"), "all of " + place)
            assert not b.all(".failure"), (place, b.text(".failure"))
            b.js("document.activeElement.blur?.()")
            b.shot("heed-%s-%s-%s" % (place.split("/")[0], theme, language))
            low = b.js(CONTRAST)
            assert not low, (place, theme, low[:8])
            silent = b.js(LISTEN)
            assert not silent, (place, silent[:5])
            for selector in ("main script", "main iframe", "main img", "main a[href^=javascript]"):
                assert not b.all(selector), (place, selector)
    b.quiet()


def strangers(b, server):
    """A feed's HTML, a page of another origin, a name that somebody points to this machine."""
    stranger = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    stranger.daemon_threads = True
    threading.Thread(target=stranger.serve_forever, daemon=True).start()
    port = stranger.server_address[1]
    os.mkdir(server.folder + "/third")
    flow = server.folder + "/third/flow.yaml"
    with open(ROOT / "tests/web/flow.yaml", encoding="utf-8") as f:
        text = f.read().replace("../../", str(ROOT) + "/")
    with open(flow, "w", encoding="utf-8") as f:
        f.write(re.sub(r"  support: \{ kind: csv.*", "  news: { kind: feed, url: \"http://127.0.0.1:%d/feed\", allow_private: true }" % port, text))
    third = Server(server.folder + "/third", flow)
    first, b.base = b.base, third.base
    try:
        b.open("inbox", "light", "en")
        b.says(".row", "Planted headline")
        events = fetch(third.base + "/v1/events?source=news")["events"]
        assert len(events) == 2 and all("<" not in (e["text"] or "") + (e["title"] or "") for e in events), events
        for e in events:
            b.open("event/%d" % e["seq"])
            b.says(".card", "Findings")
            for selector in ("main script", "main iframe", "main img", "main svg[onload]", "main form[action]", "main a[href^=javascript]", "main style"):
                assert not b.all(selector), selector
        b.open("search/planted")
        b.one(".hit-card")
        b.quiet()
        count = lambda: fetch(third.base + "/v1/system")["store"]["last"]
        before = count()
        for origin in ("127.0.0.1:%d" % port, "evil.test:%d" % port):  # of the same site, and of another
            b.driver.get("http://%s/attack?%s" % (origin, third.base))
            got = b.wait(lambda: b.js("return window.got"), "what the attack got")
            # opaque: the page cannot even see that the answer was 403
            assert {k for k, v in got.items() if v == "through"} == set(), (origin, got)
        assert count() == before, "a page of another origin has changed something"
        b.driver.get(third.base.replace("127.0.0.1", "evil.test") + "/v1/events")  # its own origin by a name that means us
        assert '"status":421' in b.text("body").replace(" ", ""), b.text("body")[:200]
        b.driver.get(third.base + "/")  # the same page itself may do all of it
        same = b.js("return fetch('/v1/events', {method: 'POST', headers: {'Content-Type': 'application/json'},"
                    "body: JSON.stringify({text: 'said here'})}).then((a) => a.status)")
        assert same == 202 and count() > before, same
    finally:
        b.driver.get("about:blank")
        b.driver.get_log("browser")
        b.base = first
        third.end()
        stranger.shutdown()


def comes_back(b, server):
    b.open("inbox", "light", "en")
    b.one(".row")
    assert server.end() == 0, open(server.folder + "/log").read()
    b.says(".wire", "Offline")
    server.start()
    b.says(".wire", "Live")
    server.send(text="Said after the server came back")
    b.says(".row", "Said after the server came back")
    b.quiet(["ERR_", "Failed to load resource"])


CHECKS = [live, said_and_taken_back, alerts, search, desk, models_and_what_would_change, with_a_key, strangers, all_views, comes_back]


def main():
    wanted, failed, b = sys.argv[1:], 0, None
    with tempfile.TemporaryDirectory(prefix="heed-page-") as folder:
        server = Server(folder)
        try:
            b = Browser(server.base)
            b.size(1440, 900)
            for check in CHECKS:
                if wanted and check.__name__ not in wanted:
                    continue
                began = time.time()
                try:
                    check(b, server)
                    print("ok   %-28s %5.1f s" % (check.__name__, time.time() - began), flush=True)
                except (AssertionError, WebDriverException) as e:
                    failed += 1
                    print("FAIL %-28s %s" % (check.__name__, str(e).split("Stacktrace")[0]), flush=True)
                    b.driver.get_log("browser")
        finally:
            if b:
                b.end()
            if server.process.poll() is None:
                server.end()
        if failed:
            print(open(folder + "/log").read()[-2000:])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
