"""Chromium and a server for tests of the page: start, wait on a state, look, end.

Debian's Selenium, which /usr/bin/python3 sees. Nothing here sleeps for a time: every wait is for a
state, with an end that says what was waited for.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.request

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 120
RATE = 0.5  # messages a second: what a check sends stays in sight until it has looked, however slow the machine is

# Everything that must not happen is written down before any script of the page runs.
WATCH = """
window.__bad = [];
document.addEventListener('securitypolicyviolation', (e) => __bad.push('policy: ' + e.violatedDirective + ' ' + e.blockedURI));
window.addEventListener('error', (e) => __bad.push('error: ' + e.message));
window.addEventListener('unhandledrejection', (e) => __bad.push('rejection: ' + e.reason));
window.alert = window.confirm = window.prompt = (x) => __bad.push('dialog: ' + x);
"""

# Text whose contrast with its ground is too small, as "ratio text". Text hidden on purpose is left out.
CONTRAST = """
const parse = (c) => {
    const canvas = window.__canvas ||= Object.assign(document.createElement('canvas'), {width: 1, height: 1});
    const g = canvas.getContext('2d', {willReadFrequently: true});
    g.clearRect(0, 0, 1, 1); g.fillStyle = c; g.fillRect(0, 0, 1, 1);
    const d = g.getImageData(0, 0, 1, 1).data;
    return [d[0], d[1], d[2], d[3] / 255];
};
const seen = new Map();
const color = (c) => { if (!seen.has(c)) seen.set(c, parse(c)); return seen.get(c); };
const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
const lum = (c) => { const f = (v) => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
    return .2126 * f(c[0]) + .7152 * f(c[1]) + .0722 * f(c[2]); };
const ground = (e) => { const layers = []; for (let n = e; n; n = n.parentElement) {
        const c = color(getComputedStyle(n).backgroundColor); if (c[3] > 0) layers.push(c); if (c[3] === 1) break; }
    let g = [255, 255, 255, 1]; for (const c of layers.reverse()) g = over(c, g); return g; };
const out = [];
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let n; (n = walk.nextNode());) {
    const text = n.data.trim(), e = n.parentElement;
    if (!text || !e || e.closest('.hidden-text,option,script,noscript,svg') || e.closest('button:disabled')) continue;
    const r = e.getBoundingClientRect(), s = getComputedStyle(e);
    if (r.width < 2 || r.height < 2 || s.visibility === 'hidden' || s.clipPath !== 'none') continue;
    const g = ground(e), c = over(color(s.color), g);
    const [a, b] = [lum(c), lum(g)].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05), size = parseFloat(s.fontSize);
    const large = size >= 24 || (size >= 18.66 && s.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) out.push(ratio.toFixed(2) + ' ' + text.slice(0, 40) + ' <' + e.className + '>');
}
return [...new Set(out)];
"""

# What somebody who listens would stumble over.
LISTEN = """
const out = [];
const name = (e) => (e.getAttribute('aria-label') || e.labels?.[0]?.textContent || e.textContent || e.title || '').trim();
for (const e of document.querySelectorAll('button, a[href], input, select, textarea, [role]')) {
    if (e.closest('[hidden]') || ['status', 'alert', 'note', 'img', 'log'].includes(e.getAttribute('role'))) continue;
    if (!name(e) && e.getAttribute('aria-hidden') !== 'true') out.push('no name: ' + e.outerHTML.slice(0, 120));
}
for (const e of document.querySelectorAll('img:not([alt])')) out.push('no alt: ' + e.outerHTML);
for (const e of document.querySelectorAll('[tabindex]')) if (e.tabIndex > 0) out.push('tabindex ' + e.outerHTML.slice(0, 80));
const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) out.push('id twice: ' + id);
if (document.querySelectorAll('h1').length !== 1) out.push('not one h1');
if (document.querySelectorAll('main').length !== 1 || !document.querySelector('nav[aria-label]')) out.push('no landmarks');
if (!document.documentElement.lang) out.push('no lang');
return out;
"""


class Browser:
    """One Chromium with a profile of its own."""

    def __init__(self, base, width=1440, height=900):
        self.base = base
        self.profile = tempfile.mkdtemp(prefix="heed-page-")
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or "/usr/bin/chromium"
        for flag in ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
                     "disable-background-networking", "disable-component-update", "disable-sync",
                     "disable-dev-shm-usage",
                     "host-resolver-rules=MAP *.test 127.0.0.1",  # names that somebody else points to this machine
                     "window-size=%d,%d" % (width, height), "lang=en",
                     "user-data-dir=" + self.profile):
            options.add_argument("--" + flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service(shutil.which("chromedriver") or "/usr/bin/chromedriver"), options=options)
        self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})

    def end(self):
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    def size(self, width, height, phone=False):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone})

    def open(self, place, theme=None, language=None):
        """Loads the page anew at a place such as "inbox", with settings of a person."""
        if theme or language:
            if not self.driver.current_url.startswith(self.base):
                self.driver.get(self.base + "/app/icon.svg")
            self.js("localStorage.setItem('heed.theme', arguments[0] || localStorage.getItem('heed.theme') || '');"
                    "localStorage.setItem('heed.language', arguments[1] || localStorage.getItem('heed.language') || 'en')",
                    theme, language)
        self.driver.get("about:blank")
        self.driver.get(self.base + "/#/" + place)
        self.wait(lambda: self.all("main > *") and not self.all("main > .page > .loading:only-child"), "the view %s" % place)

    def go(self, place):
        self.js("location.hash = '#/' + arguments[0]", place)

    def js(self, text, *given):
        return self.driver.execute_script(text, *given)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.wait(lambda: next(iter(self.all(selector)), None), selector)

    def attr(self, selector, name):
        """Of the first such element, in one step: a live page may draw it anew at any moment."""
        return self.wait(lambda: self.js("const e = document.querySelector(arguments[0]);"
                                         "return e ? {v: e[arguments[1]] ?? e.getAttribute(arguments[1])} : null",
                                         selector, name), selector)["v"]

    def shown(self, selector):
        return self.js("return Boolean(document.querySelector(arguments[0])?.offsetParent)", selector)

    def wait(self, condition, what):
        def tried(_):
            try:
                return condition()
            except StaleElementReferenceException:
                return False
        try:
            return WebDriverWait(self.driver, PATIENCE, poll_frequency=0.05).until(tried)
        except TimeoutException:
            self.shot("failed")
            raise AssertionError("waited in vain for: %s (build/screenshots/failed.png; %s)" % (what, self.bad())) from None

    def hover(self, selector, shows):
        """The pointer over an element, moved until what it shows is there: a chart may be drawn anew under it."""
        step = [1]
        def tried():
            e = next(iter(self.all(selector)), None)
            if not e:
                return False
            step[0] = -step[0]
            ActionChains(self.driver).move_to_element(e).move_by_offset(step[0], 0).perform()
            return self.shown(shows)
        self.wait(tried, "%s over %s" % (shows, selector))

    def click(self, selector, done=lambda: False):
        """As a person does: the element in sight, in the middle; one that is drawn anew is found again. done: there is no need to."""
        def tried():
            e = next((x for x in self.all(selector) if x.is_displayed()), None)
            if not e:
                return done()
            self.js("arguments[0].scrollIntoView({block: 'nearest', inline: 'nearest'})", e)
            try:
                e.click()
            except Exception as problem:  # covered for a moment by a line that goes away
                if "intercepted" in str(problem) or "stale" in str(problem):
                    return False
                raise
            return True
        self.wait(tried, "to click " + selector)

    def press(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def choose(self, label, value):
        # a list that is drawn anew has none for a moment
        self.wait(lambda: self.js("const e = [...document.querySelectorAll('select')].find((s) => s.getAttribute('aria-label') === arguments[0] && s.offsetParent);"
                                  "if (!e) return false; e.focus(); e.value = arguments[1];"
                                  "e.dispatchEvent(new Event('change', {bubbles: true})); return true", label, value), "the choice " + label)

    def text(self, selector="main"):
        return self.js("return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent).join('\\n')", selector)

    def gone(self, selector):
        self.wait(lambda: not self.all(selector), "no more " + selector)

    def says(self, selector, *words):
        self.wait(lambda: all(w in self.text(selector) for w in words), "%s in %s" % (words, selector))

    def bad(self):
        return self.js("return window.__bad || []")

    def quiet(self, allowed=()):
        """Nothing was refused, thrown or complained of."""
        bad = self.bad() + [x["message"] for x in self.driver.get_log("browser") if x["level"] == "SEVERE"]
        bad = [b for b in bad if not any(a in b for a in allowed)]
        assert not bad, bad

    def shot(self, name):
        folder = pathlib.Path(os.environ.get("BUILD", ROOT / "build")) / "screenshots"
        folder.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(folder / (name + ".png")))


class Mock:
    """tests/web/mock_server.py as a process."""

    def __init__(self, rate=RATE, count=600):
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests/web/mock_server.py"), str(ROOT / "web"),
             str(ROOT / "data/banking77/test.tsv"), "--rate", str(rate), "--count", str(count)],
            stdout=subprocess.PIPE)
        self.base = "http://127.0.0.1:" + self.process.stdout.readline().decode().strip()

    def set(self, **flags):
        return post(self.base + "/mock", flags)

    def end(self):
        self.process.kill()
        self.process.wait()


def post(url, tree):
    request = urllib.request.Request(url, json.dumps(tree).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def fetch(url):
    with urllib.request.urlopen(url, timeout=20) as answer:
        return json.load(answer)


__all__ = ["Browser", "Mock", "Keys", "CONTRAST", "LISTEN", "RATE", "ROOT", "post", "fetch"]
