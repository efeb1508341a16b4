/* widgets.js: the pieces that views are made of. */
import { h, icon, replace, svg } from "./dom.js";
import { percent, pretty, t, word } from "./i18n.js";

export function button(label, props, ...children) {
    return h("button.button", { type: "button", ...props }, children.length ? children : label);
}

export function iconButton(name, label, props) {
    return h("button.icon-button", { type: "button", "aria-label": label, title: label, ...props },
        icon(name));
}

/* How sure: a bar and its figure. */
export function meter(value, abstained) {
    const share = Math.max(0, Math.min(1, Number(value) || 0));
    return h("span.meter" + (abstained ? ".abstained" : ""), {
        role: "meter", "aria-valuemin": "0", "aria-valuemax": "1", "aria-valuenow": share.toFixed(3),
        "aria-label": t("confidence"), "aria-valuetext": percent(share),
        title: t("confidence") + " " + percent(share),
    }, h("span.meter-bar", null, h("span.meter-fill", { style: { width: share * 100 + "%" } })),
    h("span.meter-figure", { "aria-hidden": "true" }, percent(share)));
}

/* A label's tone: feelings and grades have colours of their own, all else is quiet. */
export function tone(label) {
    const name = String(label ?? "").toLowerCase();
    if (/^(negative|bearish|critical|high|severe)$/.test(name)) return "bad";
    if (/^(warning|medium|elevated)$/.test(name)) return "warn";
    if (/^(positive|bullish)$/.test(name)) return "good";
    return "";
}

export function chip(label, kind, title) {
    const tint = kind ?? tone(label);
    return h("span.chip" + (tint ? "." + tint : ""), { title, dir: "auto" }, pretty(label));
}

export const grade = (name) =>
    h("span.grade", { "data-grade": name }, word("grade", name));

export function state(name) {
    return h("span.state", { "data-state": name }, word("state", name));
}

/* A finding that names the event: the first of a classifier that has a label. */
export function mainFinding(event, flow) {
    const findings = event.findings || [];
    for (const a of flow?.analyses || [])
        if (a.kind === "classify") {
            const found = findings.find((f) => f.name === a.name && f.label);
            if (found) return found;
        }
    return findings.find((f) => f.label) || null;
}

export const textOf = (event) => String(event.text || event.title || "");

export function empty(picture, title, text, action) {
    return h("div.empty", null, h("div.empty-picture", null, icon(picture)), h("h3", null, title),
        text ? h("p", null, text) : null, action || null);
}

export function loading(rows = 4) {
    return h("div.loading", { role: "status" }, h("span.hidden-text", null, t("loading")),
        Array.from({ length: rows }, () => h("div.skeleton", { "aria-hidden": "true" })));
}

export function failure(problem, retry) {
    return h("div.failure", { role: "alert" },
        h("div.empty-picture", null, icon("alert")),
        h("h3", null, problem.title || t("error.title")), h("p", { dir: "auto" }, problem.message),
        retry ? button(t("error.retry"), { onclick: retry }) : null);
}

/* Shows what `make` gives, with the states of waiting and failing around it. */
export async function show(place, make, rows) {
    replace(place, loading(rows));
    try {
        replace(place, await make());
    } catch (e) {
        if (e.name === "AbortError") return;
        replace(place, failure(e, () => show(place, make, rows)));
    }
}

/* -- choices ---------------------------------------------------------------------------------- */

/* One of several, as buttons: [[value, text]…]. */
export function choice(label, options, value, change) {
    const group = h("div.choice", { role: "group", "aria-label": label });
    const set = (v) => {
        for (const b of group.children)
            b.setAttribute("aria-pressed", String(b.dataset.value === String(v)));
    };
    for (const [v, text] of options)
        group.append(h("button", { type: "button", "data-value": v, onclick: () => {
            set(v);
            change(v);
        } }, text));
    set(value);
    group.set = set;
    return group;
}

/* One of many: a select with its label. */
export function select(label, options, value, change) {
    const list = h("select", { "aria-label": label, onchange: () => change(list.value) },
        options.map(([v, text]) => h("option", { value: v, selected: v === value }, text)));
    list.value = value;
    return h("span.select", null, list);
}

export function toggle(label, on, change) {
    const box = h("input", { type: "checkbox", role: "switch", onchange: () => change(box.checked) });
    box.checked = on;
    return h("label.toggle", null, box, h("span.toggle-track", { "aria-hidden": "true" }),
        h("span", null, label));
}

/* -- over the page ---------------------------------------------------------------------------- */

const toasts = h("div.toasts", { role: "status", "aria-live": "polite" });

/* A line at the bottom, with an action where there is one to take back. Of one topic only the last
 * is shown. */
export function toast(text, action, act, topic) {
    if (!toasts.isConnected) document.body.append(toasts);
    const line = h("div.toast", { "data-topic": topic }, h("span", { dir: "auto" }, text));
    if (topic) for (const old of [...toasts.children]) if (old.dataset.topic === topic) old.remove();
    const gone = () => line.remove();
    if (action)
        line.append(h("button", { type: "button", onclick: () => {
            gone();
            act();
        } }, action));
    line.append(iconButton("close", t("close"), { onclick: gone }));
    toasts.append(line);
    while (toasts.children.length > 3) toasts.firstChild.remove();
    setTimeout(gone, action ? 9000 : 5000);
}

export const complain = (problem) => toast(problem.message || String(problem));

const speaker = h("div.hidden-text", { role: "status", "aria-live": "polite", id: "speaker" });
let said = 0;
/* For who listens instead of looking. Not more often than each `ms`. */
export function announce(text, ms = 0) {
    if (!speaker.isConnected) document.body.append(speaker);
    if (Date.now() - said < ms) return;
    said = Date.now();
    speaker.textContent = text;
}

/* A dialog of the browser's own: Escape closes it, focus stays in it and goes back. */
export function dialog(title, ...content) {
    const box = h("dialog.dialog", { "aria-label": title, onclose: () => box.remove(),
        onclick: (e) => e.target === box && box.close() },
    h("header", null, h("h2", null, title),
        iconButton("close", t("close"), { onclick: () => box.close() })),
    h("div.dialog-body", null, content));
    document.body.append(box);
    box.showModal();
    return box;
}

/* One of the labels, by typing a part of it. */
export function chooseLabel(title, labels, now, chosen) {
    const list = h("ul.labels", { role: "listbox", "aria-label": title });
    const input = h("input", { type: "search", placeholder: t("event.label.find"), role: "combobox",
        "aria-label": t("event.label.find"), "aria-expanded": "true", "aria-controls": "labels" });
    list.id = "labels";
    let at = 0, shown = [];
    const box = dialog(title, input, list);
    const take = (label) => {
        box.close();
        chosen(label);
    };
    const draw = () => {
        const words = input.value.toLowerCase().replaceAll("_", " ").split(/\s+/).filter(Boolean);
        shown = labels.filter((l) => words.every((w) => pretty(l).toLowerCase().includes(w)));
        at = Math.max(0, Math.min(at, shown.length - 1));
        replace(list, shown.slice(0, 200).map((l, i) => h("li", {
            role: "option", id: "label-" + i, "aria-selected": String(i === at),
            onclick: () => take(l),
        }, pretty(l), l === now ? h("span.note", null, t("event.label.now")) : null)));
        if (!shown.length) list.append(h("li.note", null, t("event.label.none")));
        input.setAttribute("aria-activedescendant", shown.length ? "label-" + at : "");
        list.children[at]?.scrollIntoView({ block: "nearest" });
    };
    input.addEventListener("input", () => {
        at = 0;
        draw();
    });
    input.addEventListener("keydown", (e) => {
        if (e.key === "ArrowDown") at++;
        else if (e.key === "ArrowUp") at--;
        else if (e.key === "Enter" && shown[at]) take(shown[at]);
        else return;
        e.preventDefault();
        if (box.open) draw();
    });
    draw();
    input.focus();
}

/* -- small pictures --------------------------------------------------------------------------- */

/* A line of the last values; it says nothing that the figure beside it does not. */
export function spark(values, width = 120, height = 32) {
    const n = values.length;
    const most = Math.max(...values, 1e-9);
    const x = (i) => (n < 2 ? width : (i / (n - 1)) * width);
    const y = (v) => height - 2 - (v / most) * (height - 4);
    const line = values.map((v, i) => `${x(i).toFixed(1)},${y(v).toFixed(1)}`).join(" ");
    return svg("svg.spark", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none",
        "aria-hidden": "true" },
    n > 1 ? svg("polygon", { points: `0,${height} ${line} ${width},${height}` }) : null,
    n > 1 ? svg("polyline", { points: line }) : null);
}

/* label, bar, figure */
export function bar(label, value, most, figure, kind) {
    const share = most > 0 ? Math.max(0, Math.min(1, value / most)) : 0;
    return h("div.bar" + (kind ? "." + kind : ""), null, h("span.bar-label", { dir: "auto" }, label),
        h("span.bar-track", { "aria-hidden": "true" },
            h("span.bar-fill", { style: { width: share * 100 + "%" } })),
        h("span.bar-figure", null, figure));
}

export function card(title, ...content) {
    return h("section.card", { "aria-label": title }, h("h3.card-title", null, title), content);
}

/* name: value, for one look */
export function facts(pairs) {
    return h("dl.facts", null, pairs.filter(([, v]) => v !== null && v !== undefined && v !== "")
        .map(([name, v]) => h("div", null, h("dt", null, name), h("dd", { dir: "auto" }, v))));
}
