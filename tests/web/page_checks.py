"""Everything on the page, tried in Chromium against tests/web/mock_server.py. Each function is a
check; names given as arguments choose some of them."""
import sys
import time

from selenium.common.exceptions import WebDriverException

from browser import CONTRAST, LISTEN, RATE, Browser, Keys, Mock

VIEWS = ["inbox", "monitor", "search", "chat", "models", "system"]
EVIL = ["<script>__bad.push('script')</script>", "<img src=x onerror=__bad.push('img')>",
        "\"><svg onload=__bad.push('svg')>", "javascript:__bad.push('url')", "</article><h1>broken out</h1>",
        "{{constructor.constructor('__bad.push()')()}}", "<iframe srcdoc='<script>parent.__bad.push()</script>'>"]


def inbox_is_live(b, mock):
    b.open("inbox", "light", "en")
    b.one(".row")
    mock.set(send={"text": "Zebra crossing: where is my card?", "source": "support"})
    b.says(".row", "Zebra crossing")
    b.wait(lambda: b.all(".row .attended"), "attended words shaded")
    assert 0 <= float(b.attr(".row [role=meter]", "aria-valuenow")) <= 1
    b.says(".wire", "Live", "/s")
    # paused: nothing moves until it goes on
    b.click("[data-act=pause]")
    mock.set(send={"text": "Quagga while paused"})
    b.says(".fresh", "waiting")
    assert "Quagga" not in b.text(".list")
    b.click("[data-act=pause]")
    b.says(".row", "Quagga while paused")
    # who has scrolled down is told, and what is in sight stays
    b.js("document.querySelector('.list').scrollTop = 2000")
    mock.set(send={"text": "Okapi above"})
    b.says(".fresh", "new")
    assert b.js("return document.querySelector('.list').scrollTop") >= 2000
    b.click(".fresh")
    b.says(".row", "Okapi above")
    b.quiet()


def inbox_filters(b, mock):
    b.open("inbox", "light", "en")
    b.one(".row")
    b.choose("Source", "mail")
    b.wait(lambda: set(e.text for e in b.all(".row-source")) == {"mail"}, "mail alone")
    b.choose("Source", "")
    b.choose("Label", "intent\ncard_arrival")
    b.wait(lambda: b.all(".row") and set(e.text for e in b.all(".row .chip")) == {"card arrival"}, "one label alone")
    b.choose("Label", "")
    b.choose("Order", "rank")
    b.one(".row")
    mock.set(send={"text": "While sorted by rank"})
    b.says(".fresh", "sort again")
    b.click(".fresh")
    b.one(".row")
    b.choose("Order", "time")
    b.one(".story-size")
    told = mock.set(send={"text": "Told by one"})["seq"]
    b.says(".row", "Told by one")
    mock.set(send={"text": "Told again by another", "story": told})
    b.one(".row[data-seq='%d'] .story-size" % told)
    assert "Told again" not in b.text(".list")
    b.click(".toggle")
    b.says(".row", "Told again by another")
    b.click(".toggle")
    b.quiet()


def inbox_is_long(b, mock):
    b.open("inbox", "light", "en")
    b.one(".row")
    before = b.js("return document.querySelector('.rows').offsetHeight")
    for _ in range(6):
        b.js("const l = document.querySelector('.list'); l.scrollTop = l.scrollHeight")
        b.wait(lambda: b.js("return document.querySelector('.rows').offsetHeight") >= before, "older ones")
    b.wait(lambda: b.js("return document.querySelector('.rows').offsetHeight") > before + 20000, "hundreds more")
    assert len(b.all(".row")) < 40, "rows out of sight exist"
    b.quiet()


def one_event(b, mock):
    seq = mock.set(send={"text": "My card was stolen in China, 40 pounds are gone", "url": "https://example.org/a", "title": "Help",
                         "fields": {"channel": "web"}})["seq"]
    b.open("event/%d" % seq, "light", "en")
    b.says(".event", "What decided it", "Attended words out", "Findings", "Rules", "Like it")
    b.one(".receipt .attended")
    b.one(".entity[data-type=PLACE]")
    b.click(".legend .toggle")
    b.gone(".entity")
    assert b.attr(".facts a", "href") == "https://example.org/a"
    b.says(".why", "stopped at")
    b.js("document.querySelector('.why summary').click()")
    b.says(".gates", "7 where 5.1 are usual")
    # votes, and back
    b.click("[data-act=up]")
    b.one("[data-act=up][aria-pressed=true]")
    b.says(".toast", "worth attention")
    b.click(".toast button:not(.icon-button)")
    b.one("[data-act=up][aria-pressed=false]")
    b.click("[data-act=down]")
    b.one("[data-act=down][aria-pressed=true]")
    b.click("[data-act=down]")
    b.one("[data-act=down][aria-pressed=false]")
    # the right label, by typing
    b.click("[data-act=correct]")
    b.one("dialog[open]")
    b.press("lost stolen", Keys.ENTER)
    b.says(".event-label .corrected", "lost or stolen card")
    b.says(".toast", "training data")
    b.js("[...document.querySelectorAll('.toast button')].filter((x) => x.textContent === 'Undo').pop().click()")
    b.gone(".event-label .corrected")
    b.quiet()


def places_in_a_text(b, mock):
    """Byte offsets of the server's answers in texts of several bytes a letter."""
    for text in ("银行卡被盗了，怎么办？ 😀 card stolen in Europe", "Ñandú 😀😀 naïve café: my card", "بطاقتي card"):
        seq = mock.set(send={"text": text})["seq"]
        b.open("event/%d" % seq, "light", "zh")
        b.one(".event-text .attended")
        shown = b.js("return [...document.querySelectorAll('.event-text')].map((e) => { const c = e.cloneNode(true);"
                     "c.querySelectorAll('.entity-type').forEach((x) => x.remove()); return c.textContent; })[0]")
        assert shown == text, (shown, text)
        marks = [m.text for m in b.all(".event-text .attended")]
        assert all(m and m == m.strip() and " " not in m for m in marks), marks
        if "Europe" in text:
            assert "Europe" in b.one(".entity[data-type=PLACE]").text
    b.quiet()


def words_that_weigh_alike(b, mock):
    """None is marked, neither in a row nor opened, and that is said; of other messages words are."""
    text = "These words are alike"
    seq = mock.set(send={"text": text})["seq"]
    b.open("inbox", "light", "en")
    b.says(".row[data-seq='%d']" % seq, text)
    later = mock.set(send={"text": "Zebra crossing"})["seq"]
    b.one(".row[data-seq='%d'] .attended" % later)
    time.sleep(0.5)
    assert not b.all(".row[data-seq='%d'] .attended" % seq), "words that weigh alike are marked"
    for lang, said in (("en", "All words weigh about the same"), ("zh", "各词权重相近")):
        b.open("event/%d" % seq, "light", lang)
        b.says(".legend", said)
        assert b.text(".event-text") == text
        assert not b.all(".event-text .attended, .legend .attended"), "words that weigh alike are marked"
    other = mock.set(send={"text": "My card was stolen"})["seq"]
    b.open("event/%d" % other, "light", "en")
    b.one(".event-text .attended")
    b.says(".legend", "attended to")
    b.quiet()


def story(b, mock):
    b.open("inbox", "light", "en")
    b.click(".row:has(.story-size)")
    b.one(".timeline li")
    assert len(b.all(".timeline li")) >= 2
    b.says(".timeline", "first")
    # told by its place in the store: others may join the story meanwhile
    last = b.js("const a = document.querySelector('.timeline li:last-child a'); return a && a.getAttribute('href')")
    one = ".timeline li:has(%s)" % ("a[href='%s']" % last if last else "[aria-current]")
    b.click(one + " button")
    b.gone(one)
    b.click(".toast button:not(.icon-button)")
    b.one(one)
    b.quiet()


def keyboard(b, mock):
    b.open("inbox", "light", "en")
    b.one(".row")
    b.press(Keys.TAB)
    assert b.js("return document.activeElement.className") == "skip"
    b.press(Keys.ENTER)
    assert b.js("return document.activeElement.id") == "main"
    mock.set(rate=0.2)
    b.press("j")
    first = b.attr(".row.selected", "data-seq")
    b.press("j")
    b.wait(lambda: b.attr(".row.selected", "data-seq") != first, "the next")
    b.press("k")
    b.wait(lambda: b.attr(".row.selected", "data-seq") == first, "the one before")
    b.press("u")
    b.one(".row.selected [data-act=up][aria-pressed=true]")
    b.press("d")
    b.one(".row.selected [data-act=down][aria-pressed=true]")
    b.press("o")
    b.one(".pane .event-text")
    assert b.js("return location.hash") == "#/inbox/" + first
    b.press("c")
    b.one("dialog[open]")
    b.press(Keys.ESCAPE)
    b.gone("dialog[open]")
    b.press(Keys.ESCAPE)
    b.wait(lambda: b.js("return location.hash") == "#/inbox", "closed")
    b.press("p")
    b.one("[data-act=pause][aria-pressed=true]")
    b.press("p")
    b.press("?")
    b.one("dialog .key-row")
    b.press(Keys.ESCAPE)
    b.gone("dialog")
    for key, view in (("m", "monitor"), ("s", "search"), ("c", "chat"), ("o", "models"), ("y", "system"), ("i", "inbox")):
        b.press(Keys.ESCAPE)
        b.press("g")
        b.press(key)
        b.one(".nav-link[data-view=%s][aria-current]" % view)
        b.one("main[data-view=%s] > *" % view)
    b.press("/")
    b.wait(lambda: b.js("return document.activeElement.type") == "search", "the search field")
    # everything that can be clicked can be reached by Tab
    b.open("monitor")
    b.one(".chart svg")
    reached = set()
    for _ in range(80):
        b.press(Keys.TAB)
        spot = b.js("const e = document.activeElement; return e === document.body ? '' : e.tagName + '.' + e.getAttribute('class') + ':' + e.textContent.slice(0, 30)")
        if not spot and reached:
            break
        reached.add(spot)
    for part in ("SELECT", "summary", "svg", "series-key", "Stacked"):
        assert any(part.lower() in r.lower() for r in reached), (part, reached)
    b.js("document.querySelector('.chart svg').focus()")
    b.press(Keys.ARROW_LEFT)
    b.wait(lambda: b.shown(".readout"), "the readout")
    mock.set(rate=RATE)
    b.quiet()


def monitor(b, mock):
    b.open("monitor", "light", "en")
    b.one(".chart polygon.area")
    assert len(b.all(".series-key")) >= 3 and b.all(".heat td")
    assert b.all(".chart .mark"), "no alert is marked"
    b.click(".heat-row")
    b.one(".heat-row[aria-pressed=true]")
    b.click(".series-key.topic")
    b.gone(".series-key.topic")
    b.click(".choice [data-value=line]")
    b.one(".chart polyline.line")
    b.click(".series-key")
    b.one(".chart polyline.expected")
    assert len(b.all(".chart polyline.line")) == 1
    b.click(".series-key")
    b.choose("and", "")
    b.says(".card", "intent × time")
    b.choose("Count by", "sentiment")
    b.says(".series", "negative", "positive")
    b.choose("and", "intent")
    for period in ("10m", "6h", "24h", "7d", "28d", "1h"):
        b.click(".choice [data-value='%s']" % period)
        b.one(".chart svg")
    b.click(".choice [data-value=stack]")
    b.one(".chart svg")
    b.hover(".chart svg", ".readout")
    # alerts: why, then each thing that can be done, and back
    b.click(".alert summary")
    b.says(".alert", "41 messages in the window", "chance 3.1e-9")
    b.one(".alert .like a")
    for act, state in (("[data-act=ack]", "acknowledged"), ("[data-act=close]", "closed")):
        b.click(".choice [data-value=open]")
        b.one(".alert")
        if not b.all(".alert[open]"):
            b.click(".alert summary")
        alert = b.attr(".alert[open]", "data-id")
        b.click(".alert[open] " + act)
        b.gone(".alert[data-id='%s'] .state[data-state=open]" % alert)
        b.click(".choice [data-value=%s]" % state)
        b.one(".alert[data-id='%s']" % alert)
        b.js("[...document.querySelectorAll('.toast button')].filter((x) => x.textContent === 'Undo').pop().click()")
        b.gone(".alert[data-id='%s'] .state[data-state=%s]" % (alert, state))
    b.click(".choice [data-value=open]")
    b.click(".alert summary")
    alert = b.attr(".alert[open]", "data-id")
    b.choose("Silence …", "60")
    b.click(".choice [data-value=silenced]")
    b.one(".alert[data-id='%s'] .state[data-state=silenced]" % alert)
    # one that comes while another view is open
    b.go("system")
    b.one(".tile")
    made = mock.set(alert=True)["seq"]
    b.says(".toast", "Alert:")
    b.js("[...document.querySelectorAll('.toast')].find((x) => x.textContent.includes('Alert:')).querySelector('button').click()")
    b.one(".alert[data-id='%d'][open]" % made)
    b.quiet()


def search(b, mock):
    b.open("search", "light", "en")
    b.says(".empty", "Search all that was said")
    b.press("card payment", Keys.ENTER)
    b.one(".hit-card mark.hit")
    b.says(".hit-scores", "BM25", "Joined", "Cosine")
    assert b.js("return location.hash") == "#/search/card%20payment"
    n = len(b.all(".hit-card"))
    b.click(".facet")
    b.wait(lambda: len(b.all(".hit-card")) < n, "fewer by facet")
    b.click(".facet[aria-pressed=true]")
    b.wait(lambda: len(b.all(".hit-card")) == n, "all again")
    b.click("a.hit-text")
    b.one(".event-text")
    b.driver.back()
    b.one(".hit-card")
    b.js("const e = document.querySelector('.search-input'); e.value = 'xyzzyplugh'; e.form.requestSubmit()")
    b.says(".empty", "Nothing found")
    b.quiet()


def chat(b, mock):
    b.open("chat", "light", "en")
    b.click(".starters .button")
    b.says(".bubble", "Cancel order")
    b.wait(lambda: b.all(".sources"), "sources")
    b.click(".sources summary")
    b.says(".sources", "kb/orders.md:12")
    b.one("textarea").send_keys("order A-1042" + Keys.SHIFT + Keys.ENTER + Keys.SHIFT + "is late", Keys.ENTER)
    b.says(".facts", "A-1042")
    b.one("textarea").send_keys("a person please", Keys.ENTER)
    b.says(".handed", "Handed over")
    b.go("inbox")
    b.one(".row")
    b.go("chat")
    b.says(".handed", "Handed over")
    mock.set(fail="/v1/chat")
    b.one("textarea").send_keys("still there?", Keys.ENTER)
    b.says(".bubble.failed", "the store is locked")
    mock.set(fail="")
    b.click(".toolbar .button")
    b.one(".starters")
    b.quiet(["500"])


def models(b, mock):
    b.open("models", "light", "en")
    b.says(".model", "models/intent", "629,458")
    b.one(".curve polyline")
    b.click(".model-card summary")
    b.says(".prose", "77 intents", "heed predict")
    links = [a.get_attribute("href") for a in b.all(".prose a")]
    assert links == ["https://github.com/PolyAI-LDN/task-specific-datasets"], links
    b.one("input[name=model]").send_keys("models/new", Keys.ENTER)
    b.says(".card", "would change")
    b.one(".table tbody tr")
    b.js("[...document.querySelectorAll('.toolbar .button')].pop().click()")
    b.click("dialog [data-act=reload]")
    b.says(".toast", "read again")
    b.quiet()


def system(b, mock):
    b.open("system", "light", "en")
    b.wait(lambda: "84 MB" in b.text(".tile"), "figures")
    b.says(".table", "reading", "failing", "connection refused")
    b.wait(lambda: b.all(".spark polyline"), "a line of the last minutes")
    b.quiet()


def nothing_becomes_markup(b, mock):
    seqs = [mock.set(send={"text": e, "title": e, "url": e, "label": e, "source": e, "user": e, "id": e, "fields": {e: e}})["seq"]
            for e in EVIL]
    mock.set(send={"text": "after evil", "label": EVIL[1]}, alert=True)
    b.open("inbox", "dark", "en")
    b.says(".row", EVIL[1])
    for seq in seqs:
        b.go("event/%d" % seq)
        b.says(".event-text", EVIL[seqs.index(seq)])
        b.says(".card", "Findings")
        assert not b.all(".event a[href^=javascript]")
    for view in ("monitor", "search/onerror", "models", "system"):
        b.open(view)
        b.wait(lambda: len(b.text()) > 50, view)
        if view == "search/onerror":
            b.says(".hit-card", "<img src=x")
        if view == "monitor":
            b.says(".alert", "onerror")
    b.open("chat")
    b.one("textarea").send_keys(EVIL[1], Keys.ENTER)
    b.wait(lambda: b.text(".bubble").count(EVIL[1]) == 2, "said back as text")
    b.open("search/" + "%3Cimg%20src%3Dx%20onerror%3D__bad.push(3)%3E")
    b.wait(lambda: b.all(".hit-card") or b.all(".empty"), "an answer")
    for selector in ("main script", "main iframe", "main img", "main h1", "[onerror]", "[onload]"):
        assert not b.all(selector), selector
    b.quiet()


def states(b, mock):
    mock.set(empty=True)
    for view, says in (("inbox", "Nothing has come in yet"), ("monitor", "Nothing in this period")):
        b.open(view, "light", "en")
        b.says("main", says)
        b.shot("empty-" + view)
    mock.set(empty=False)
    for view, path in (("inbox", "/v1/events"), ("monitor", "/v1/monitor"), ("search/card", "/v1/search"), ("models", "/v1/models"), ("system", "/v1/system")):
        mock.set(fail=path)
        b.open(view)
        b.says(".failure", "the store is locked <b>by another process</b>")
        mock.set(fail="")
        b.click(".failure .button", done=lambda: not b.shown(".failure"))  # or the page has tried again by itself
        b.gone(".failure")
    # a server that begins says so; the page waits for it
    mock.set(begins=1)
    b.open("inbox")
    b.one(".row")
    b.open("event/99999999")
    b.says(".empty", "not there")
    # the line breaks; what came meanwhile is there when it is back
    b.open("inbox")
    b.one(".row")
    mock.set(down=True)
    b.says(".wire", "Offline")
    assert b.shown(".offline")
    b.shot("offline")
    mock.set(send={"text": "Said while the line was down"})
    mock.set(down=False)
    b.says(".wire", "Live")
    b.says(".row", "Said while the line was down")
    assert not b.shown(".offline")
    # a server with keys
    mock.set(key="secret-1")
    b.open("system")
    b.one("dialog input[type=password]").send_keys("wrong", Keys.ENTER)
    b.wait(lambda: b.attr("dialog input[type=password]", "value") == "", "asked again")
    b.one("dialog input[type=password]").send_keys("secret-1", Keys.ENTER)
    b.says(".tile", "MB")
    assert not b.all("dialog")
    b.open("inbox")
    b.one(".row")
    mock.set(key="")
    b.quiet(["500", "404", "401", "ERR_", "Failed to load resource"])


def both_themes_both_languages(b, mock):
    """Every view four times: drawn, contrast, names for who listens, no word left in the other language."""
    english = None
    for language in ("en", "zh"):
        for theme in ("light", "dark"):
            b.open("inbox/480", theme, language)
            assert b.js("return document.documentElement.lang") == {"en": "en", "zh": "zh-CN"}[language]
            if english is None:
                english = b.js("return import('/app/lang/en.js').then((m) => m.default)")
                chinese = b.js("return import('/app/lang/zh.js').then((m) => m.default)")
                assert set(english) == set(chinese), set(english) ^ set(chinese)
                whole = {v.split("|")[0] for k, v in english.items() if " " in v and "{" not in v and v != chinese[k]}
            for place in ["inbox/480", "event/480", "monitor", "search/card", "chat", "models", "system"]:
                b.go(place)
                b.wait(lambda: not b.all(".loading"), "all of " + place)
                if place == "chat":
                    b.one(".starters, .bubble")
                if place == "monitor":
                    b.js("document.querySelector('.alert summary')?.click()")
                b.js("document.activeElement.blur?.()")
                name = place.split("/")[0] if place != "inbox/480" else "inbox"
                b.shot("%s-%s-%s" % (name, theme, language))
                low = b.js(CONTRAST)
                assert not low, (place, theme, low[:8])
                silent = b.js(LISTEN)
                assert not silent, (place, silent[:5])
                said = b.text("body")
                keys = [k for k in english if "." in k and k in said and not k.endswith(".json")]
                assert not keys, (place, keys)
                if language == "zh":
                    parts = set(b.js("const w = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), all = [];"
                                     "for (let n; (n = w.nextNode());) all.push(n.data.trim()); return all"))
                    left = [w for w in whole if w in parts]
                    assert not left, (place, left)
    # by hand: the switches
    b.open("system", "light", "en")
    b.click("[data-act=theme]")
    b.wait(lambda: b.js("return document.documentElement.dataset.theme") == "dark", "dark")
    b.click("[data-act=theme]")
    b.wait(lambda: b.js("return document.documentElement.dataset.theme || ''") == "", "as the system")
    b.choose("Language", "zh")
    b.says(".title", "系统")
    b.choose("语言", "en")
    b.says(".title", "System")
    b.click("[data-act=help]")
    b.one("dialog .key-row")
    b.press(Keys.ESCAPE)
    for view in VIEWS:
        b.click(".nav-link[data-view=%s]" % view)
        b.one("main[data-view=%s]" % view)
    b.quiet()


def phone(b, mock):
    b.size(390, 844, True)
    try:
        for theme in ("light", "dark"):
            b.open("inbox", theme, "en")
            for place in ["inbox", "inbox/480", "monitor", "search/card", "chat", "models", "system"]:
                b.go(place)
                b.wait(lambda: not b.all(".loading"), "all of " + place)
                wide = b.js("return document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, (place, wide)
                wide = b.js("const m = document.querySelector('main'); return m.scrollWidth - m.clientWidth")
                assert wide <= 0, (place, wide)
                b.shot("phone-%s-%s" % (place.replace("/", "-"), theme))
                low = b.js(CONTRAST)
                assert not low, (place, theme, low[:8])
        b.go("inbox")
        b.one(".row")
        b.click(".row .row-text")
        b.one(".pane .event-text")
        assert not b.shown(".list")
        b.click(".pane [data-act=close]")
        b.wait(lambda: b.shown(".list"), "the list again")
        b.quiet()
    finally:
        b.size(1440, 900)


CHECKS = [inbox_is_live, inbox_filters, inbox_is_long, one_event, places_in_a_text, words_that_weigh_alike, story, keyboard,
          monitor, search, chat, models, system, nothing_becomes_markup, states, both_themes_both_languages, phone]


def main():
    wanted = sys.argv[1:]
    mock = Mock()
    b = None
    failed = 0
    try:
        b = Browser(mock.base)
        b.size(1440, 900)
        for check in CHECKS:
            if wanted and check.__name__ not in wanted:
                continue
            began = time.time()
            try:
                check(b, mock)
                print("ok   %-28s %5.1f s" % (check.__name__, time.time() - began), flush=True)
            except (AssertionError, WebDriverException) as e:
                failed += 1
                print("FAIL %-28s %s" % (check.__name__, str(e).split("Stacktrace")[0]), flush=True)
                mock.set(fail="", down=False, empty=False, key="", rate=RATE)
                b.driver.get_log("browser")
    finally:
        if b:
            b.end()
        mock.end()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
