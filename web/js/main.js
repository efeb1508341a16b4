/* main.js: the frame around the views: navigation, theme, language, keys, the state of the line. */
import { live, whenKeyNeeded } from "./api.js";
import { h, icon, replace } from "./dom.js";
import { language, languages, number, speak, store, t } from "./i18n.js";
import { announce, dialog, failure, iconButton, loading, toast } from "./widgets.js";
import { chat } from "./views/chat.js";
import { single } from "./views/event.js";
import { inbox } from "./views/inbox.js";
import { models } from "./views/models.js";
import { monitor } from "./views/monitor.js";
import { search } from "./views/search.js";
import { system } from "./views/system.js";

const VIEWS = { inbox, monitor, search, chat, models, system };
const GO = { i: "inbox", m: "monitor", s: "search", c: "chat", o: "models", y: "system" };
const HIDDEN = { event: single, alert: monitor };

speak(language);

const app = { go, note, again };
let view = null, name = null, asked = 0;

/* -- the frame -------------------------------------------------------------------------------- */

const main = h("main.main", { id: "main", tabindex: "-1" });
const title = h("h1.title");
const line = h("span.wire");
const offline = h("div.offline", { role: "status", hidden: true });
const nav = h("nav.nav");
const tools = h("div.tools");

function theme() {
    return document.documentElement.dataset.theme || "auto";
}

function setTheme(wanted) {
    if (wanted === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = wanted;
    store.set("theme", wanted === "auto" ? null : wanted);
    frame();
}

function frame() {
    nav.setAttribute("aria-label", t("nav"));
    replace(nav, h("a.brand", { href: "#/inbox", "aria-label": "heed" }, h("img", { src: "/app/icon.svg", alt: "", width: 28, height: 28 }),
        h("span", null, "heed")),
    Object.keys(VIEWS).map((v) => h("a.nav-link", { href: "#/" + v, "data-view": v, title: t("nav." + v) },
        icon(v), h("span", null, t("nav." + v)))),
    h("span.grow"));
    const next = { auto: "light", light: "dark", dark: "auto" }[theme()];
    replace(tools,
        iconButton({ auto: "auto", light: "sun", dark: "moon" }[theme()],
            t("theme") + ": " + t("theme." + theme()), { onclick: () => setTheme(next), "data-act": "theme" }),
        h("span.select.language", null, h("select", { "aria-label": t("language"), "data-act": "language", onchange: (e) => {
            speak(e.target.value);
            frame();
            again();
        } }, Object.entries(languages).map(([v, text]) => h("option", { value: v, lang: v, selected: v === language }, text)))),
        iconButton("help", t("help"), { onclick: help, "data-act": "help" }));
    tellLine();
    mark();
}

function mark() {
    for (const link of nav.querySelectorAll(".nav-link")) {
        if (link.dataset.view === name) link.setAttribute("aria-current", "page");
        else link.removeAttribute("aria-current");
    }
}

function tellLine() {
    const now = live.stats[live.stats.length - 1];
    line.dataset.state = live.state;
    replace(line, h("i", { "aria-hidden": "true" }), h("span", null, live.state === "live" && now
        ? t("line.rate", { rate: number(now.rate ?? 0, 1) }) : t("line." + live.state)));
    offline.hidden = live.state !== "offline";
    offline.textContent = t("line.offline.long");
}

/* said aloud when it changes, not each second */
live.addEventListener("state", ({ detail }) => {
    tellLine();
    announce(t("line." + detail));
});
live.addEventListener("stats", tellLine);
const told = new Set(); // an alert that goes on is told once; again when it was closed between
live.addEventListener("alert", ({ detail }) => {
    if (detail.state !== "open") return told.delete(detail.id);
    if (told.has(detail.id)) return;
    told.add(detail.id);
    if (name !== "monitor")
        toast(t("alert.announce", { title: detail.title || detail.rule }), t("alert.see"), () => go("alert/" + detail.id), "alert");
});

/* -- where we are ----------------------------------------------------------------------------- */

function here() {
    const parts = location.hash.replace(/^#\/?/, "").split("/").filter(Boolean);
    return { name: parts[0] || "inbox", params: parts.slice(1) };
}

function go(place) {
    location.hash = "#/" + place;
}

/* The address says where we are; nothing is drawn anew. */
function note(place) {
    history.replaceState(null, "", "#/" + place);
}

async function open(force) {
    const place = here();
    const make = VIEWS[place.name] || HIDDEN[place.name];
    if (!make) return go("inbox");
    const wanted = place.name === "alert" ? "monitor" : place.name;
    if (!force && view?.update && wanted === name) return view.update(place.params);
    const mine = ++asked;
    view?.end?.();
    view = null;
    const moved = name !== null && !force;
    name = wanted;
    mark();
    replace(main, h("div.page", null, loading(6)));
    main.dataset.view = name;
    try {
        const next = await make(place.params, app);
        if (mine !== asked) return next.end?.();
        view = next;
        replace(main, view.node);
        title.textContent = view.title;
        document.title = view.title + " · heed";
        view.update?.(place.params);
        if (moved) main.focus({ preventScroll: true });
        view.shown?.();
    } catch (e) {
        if (mine !== asked) return;
        title.textContent = t("nav." + name);
        replace(main, h("div.page", null, failure(e, () => open(true))));
    }
}

function again() {
    open(true);
}

window.addEventListener("hashchange", () => open(false));

/* -- keys ------------------------------------------------------------------------------------- */

function help() {
    const row = (keys, text) => h("div.key-row", null, h("dt", null, keys.map((k) => h("kbd", null, k))), h("dd", null, text));
    dialog(t("help"), h("p", null, t("help.text")), h("dl.keys", null,
        row(["j", "k"], t("help.move")), row(["o", "Enter"], t("help.open")), row(["Esc"], t("help.close")),
        row(["u", "d"], t("help.vote")), row(["c"], t("help.correct")), row(["p"], t("help.pause")),
        row(["/"], t("help.search")), Object.entries(GO).map(([k, v]) => row(["g", k], t("nav." + v))),
        row(["?"], t("help"))));
}

let gAt = 0;
document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing || document.querySelector("dialog[open]")) return;
    const typing = e.target.closest("input:not([type=checkbox]), textarea, select");
    if (typing) {
        if (e.key === "Escape") e.target.blur();
        return;
    }
    let done = true;
    if (Date.now() - gAt < 1200 && GO[e.key]) go(GO[e.key]);
    else if (e.key === "g") {
        gAt = Date.now();
        e.preventDefault();
        return;
    } else if (e.key === "?") help();
    else if (view?.keydown?.(e)) done = true;
    else if (e.key === "/") go("search");
    else done = false;
    gAt = 0;
    if (done) e.preventDefault();
});

/* -- a server that wants a key ---------------------------------------------------------------- */

whenKeyNeeded(() => new Promise((given) => {
    const input = h("input", { type: "password", required: true, autocomplete: "off", "aria-label": t("key") });
    let key = null;
    const box = dialog(t("key.title"), h("p", null, t("key.text")), h("form.key-form", { onsubmit: (e) => {
        e.preventDefault();
        key = input.value.trim();
        box.close();
    } }, input, h("button.button.primary", { type: "submit" }, t("key.go"))));
    box.addEventListener("close", () => given(key));
    input.focus();
}));

/* -- begin ------------------------------------------------------------------------------------ */

document.getElementById("app").replaceChildren(
    h("a.skip", { href: "#main", onclick: (e) => {
        e.preventDefault();
        main.focus();
    } }, t("skip")),
    nav,
    h("div.content", null, h("header.top", null, title, line, h("span.grow"), tools), offline, main));
frame();
live.start();
open(true);
