/* monitor.js: topics and feelings over time beside their usual course, where they meet, and the
 * alerts with their reasons. */
import { act } from "../actions.js";
import { flow, get, live } from "../api.js";
import { clock, heatMap, timeChart } from "../chart.js";
import { h, icon, replace } from "../dom.js";
import { number, pretty, t, when } from "../i18n.js";
import { announce, button, card, chip, choice, complain, empty, facts, failure, grade, loading, select, state,
    textOf, tone } from "../widgets.js";
import { gates } from "./event.js";

const COLORS = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6", "--c7", "--c8"];
const PERIODS = { "10m": [600e3, 10e3], "1h": [3600e3, 60e3], "6h": [6 * 3600e3, 300e3],
    "24h": [24 * 3600e3, 1200e3], "7d": [7 * 86400e3, 3 * 3600e3], "28d": [28 * 86400e3, 12 * 3600e3] };

const kept = { period: null, by: null, kind: "stack", source: "", state: "open", only: null, topic: null };

const moodColor = (name) => ({ bad: "--bad", good: "--good", warn: "--warn" })[tone(name)];

/* What can be counted by: an analysis that gives labels. */
const countable = (setup) => setup.analyses.filter((a) => !["embed", "tag"].includes(a.kind));

const seriesName = (key) => Object.values(key || {}).map((v) => (v === null ? t("monitor.none") : pretty(v))).join(" · ");

function examples(why) {
    const list = why?.examples || why?.events || why?.seqs || [];
    return Array.isArray(list) ? list.map((x) => (typeof x === "object" ? x.seq : x)).filter(Number.isFinite) : [];
}

/* Figures of an alert: how many, the most in its window, what is usual, how likely by chance. */
function figures(why) {
    const say = (v) => (typeof v === "number" ? (v && Math.abs(v) < 0.01 ? v.toExponential(1) : number(v, 2)) : null);
    return [[t("alert.count"), say(Array.isArray(why?.events) ? why.events.length : why?.events)],
        ...["n", "worth", "usual", "p", "odds"].filter((k) => k in (why?.most ?? {})).map((k) => [t("alert.most." + k), say(why?.most?.[k])])];
}

/* The shortest period that holds nearly all there is. */
async function usualPeriod() {
    const [newest, oldest] = await Promise.all([{ most: 1 }, { most: 1, before: 100 }].map((q) =>
        get("/v1/events", q).catch(() => ({ events: [] }))));
    if (!newest.events.length || !oldest.events.length) return "1h";
    const span = new Date(newest.events[0].time) - new Date(oldest.events[0].time);
    return Object.keys(PERIODS).find((p) => PERIODS[p][0] >= span) || "28d";
}

function alertCard(alert, changed, opened) {
    const open = alert.state !== "closed";
    const box = h("details.alert", { "data-grade": alert.grade, "data-id": alert.id, open: opened });
    const inside = h("div.alert-body");
    const doing = (what) => act(alert, what, changed).catch(complain);
    const silence = h("span.select", null, h("select", { "aria-label": t("alert.silence"), onchange: (e) => {
        if (e.target.value) doing({ do: "silence", minutes: Number(e.target.value) });
        e.target.value = "";
    } }, h("option", { value: "" }, t("alert.silence")),
    [[15, t("time.min", { n: 15 })], [60, t("time.h", { n: 1 })], [1440, t("time.h", { n: 24 })]].map(([v, text]) =>
        h("option", { value: v }, text))));
    box.append(h("summary", null,
        grade(alert.grade),
        h("span.alert-title", { dir: "auto" }, alert.title || alert.rule),
        state(alert.state),
        h("time", { datetime: alert.time, title: when(alert.time, true) }, when(alert.opened || alert.time))),
    inside);
    const draw = () => {
        const seqs = examples(alert.why);
        const shown = h("ul.like");
        replace(inside,
            h("div.alert-acts", { role: "group", "aria-label": t("alert.acts") },
                alert.state === "open" || alert.state === "silenced" || alert.state === "inhibited"
                    ? button("", { onclick: () => doing({ do: "ack" }), "data-act": "ack" }, icon("check"), h("span", null, t("alert.ack"))) : null,
                open ? silence : null,
                open ? button("", { onclick: () => doing({ do: "close" }), "data-act": "close" }, icon("close"),
                    h("span", null, t("alert.close"))) : null),
            facts([[t("alert.rule"), alert.rule],
                ...Object.entries(alert.key || {}).map(([k, v]) => [k, chip(v)]),
                ...figures(alert.why)]),
            alert.why?.gates?.length ? [h("h4", null, t("alert.why")), gates(alert.why.gates)] : null,
            seqs.length ? [h("h4", null, t("alert.examples")), shown] : null,
            alert.why?.history?.length > 1 ? [h("h4", null, t("alert.history")), h("ol.course", null,
                alert.why.history.map((x) => h("li", null, h("time", { datetime: x.time }, when(x.time)), state(x.state),
                    x.note ? h("span", { dir: "auto" }, x.note) : null)))] : null);
        for (const seq of seqs.slice(0, 5)) {
            const line = h("li", null, h("a", { href: `#/event/${seq}` }, "#" + seq));
            shown.append(line);
            get(`/v1/events/${seq}`).then((e) => replace(line, h("a", { href: `#/event/${seq}`, dir: "auto" }, textOf(e))))
                .catch(() => null);
        }
    };
    box.addEventListener("toggle", () => box.open && !inside.firstChild && draw());
    if (opened) draw();
    return box;
}

export async function monitor(params, app) {
    const setup = await flow();
    const choices = countable(setup);
    kept.period ||= await usualPeriod();
    kept.by ||= [choices.find((a) => a.kind === "classify")?.name, choices.find((a) => /sentiment|mood/.test(a.name))?.name]
        .filter((x, i, all) => x && all.indexOf(x) === i);
    let ended = false, chart = null, timer = 0, asked = 0;
    const picture = h("div.chart-place"), legend = h("div.series"), heat = h("div"), list = h("div.alerts");
    const heatTitle = h("h3.card-title", null, t("monitor.heat"));
    const wanted = Number(params[0]) || null;
    if (wanted) kept.state = "";

    const names = [["", "–"], ...choices.map((a) => [a.name, a.name])];
    const bar = h("div.toolbar", { role: "toolbar", "aria-label": t("monitor.settings") },
        choice(t("monitor.period"), Object.keys(PERIODS).map((p) => [p, p]), kept.period, (v) => {
            kept.period = v;
            kept.byHand = true;
            load();
        }),
        h("label.field", null, h("span", null, t("monitor.by")), select(t("monitor.by"), names.slice(1), kept.by[0], (v) => {
            kept.by = [v, kept.by[1] === v ? undefined : kept.by[1]].filter(Boolean);
            kept.only = kept.topic = null;
            load();
        })),
        h("label.field", null, h("span", null, t("monitor.and")), select(t("monitor.and"), names, kept.by[1] || "", (v) => {
            kept.by = [kept.by[0], v === kept.by[0] ? undefined : v].filter(Boolean);
            kept.only = kept.topic = null;
            load();
        })),
        select(t("inbox.source"), [["", t("inbox.all.sources")], ...setup.sources.map((s) => [s.name, s.name])],
            kept.source, (v) => {
                kept.source = v;
                load();
            }),
        h("span.grow"),
        choice(t("monitor.kind"), [["stack", t("monitor.stack")], ["line", t("monitor.line")]], kept.kind, (v) => {
            kept.kind = v;
            draw();
        }));

    let data = null;

    async function load(quiet) {
        const mine = ++asked;
        if (!quiet) replace(picture, loading(5));
        try {
            /* the period ends with the newest event: a replayed flow has a clock of its own */
            const newest = await get("/v1/events", { most: 1 });
            const to = newest.events.length ? new Date(newest.events[0].time).getTime() + 1 : Date.now();
            const [length, step] = PERIODS[kept.period];
            const end = Math.ceil(to / step) * step;
            const answer = await get("/v1/monitor", { by: kept.by.join(","), from: new Date(end - length).toISOString(),
                to: new Date(end).toISOString(), step, source: kept.source, most: 100 });
            if (mine !== asked || ended) return;
            data = { ...answer, from: new Date(answer.from).getTime(), to: new Date(answer.to).getTime(),
                step: answer.step_ms, alerts: (answer.alerts || []).map((a) => ({ ...a,
                    at: new Date(a.opened || a.time).getTime() })) };
            data.series = (answer.series || []).map((s) => ({ ...s, name: seriesName(s.key),
                total: s.count.reduce((a, b) => a + b, 0) })).sort((a, b) => b.total - a.total);
            if (!kept.byHand) trim();
            draw();
        } catch (e) {
            if (mine === asked && !ended && !quiet) replace(picture, failure(e, load));
        }
    }

    /* A flow that has just begun: the time before it is left out, as long as nobody asked for it. */
    function trim() {
        const n = Math.max(0, ...data.series.map((s) => s.count.length));
        let first = 0;
        while (first < n && data.series.every((s) => !s.count[first])) first++;
        first = Math.min(first, n - 12);
        if (first < 2) return;
        data.from += first * data.step;
        for (const s of data.series) {
            s.count = s.count.slice(first);
            s.expected = s.expected?.slice(first);
        }
    }

    /* Of two analyses the chart shows the second's labels, of the one topic that is chosen or of all;
     * where both meet is the heat map's. */
    function shownSeries(some) {
        const [a, b] = kept.by;
        if (!b) return some;
        const sums = new Map();
        for (const s of some) {
            if (kept.topic !== null && labelOf(s, a) !== kept.topic) continue;
            const name = labelOf(s, b), have = sums.get(name);
            const add = (p, q) => (p && q ? p.map((v, i) => (v === null ? q[i] : v + (q[i] || 0))) : null);
            sums.set(name, have ? { ...have, count: add(have.count, s.count), expected: add(have.expected, s.expected),
                total: have.total + s.total } : { ...s, key: { [b]: s.key[b] }, name: pretty(name) });
        }
        return [...sums.values()].sort((p, q) => q.total - p.total);
    }
    const labelOf = (s, name) => s.key[name] ?? t("monitor.none");

    function draw() {
        if (!data) return;
        chart?.end();
        const some = data.series.filter((s) => s.total > 0);
        if (!some.length) {
            replace(picture, empty("monitor", t("monitor.empty"), t("monitor.empty.text")));
            replace(legend);
            replace(heat, h("p.note", null, t("monitor.empty")));
            return;
        }
        /* what has no label comes last */
        const nameless = (s) => Object.values(s.key).every((v) => v === null);
        const found = shownSeries(some).sort((p, q) => nameless(p) - nameless(q));
        const first = found.slice(0, 8).map((s, i) => ({ ...s, color: moodColor(Object.values(s.key)[0]) || COLORS[i] }));
        for (const s of first) if (nameless(s)) s.color = "--c-rest";
        const rest = found.slice(8);
        if (rest.length && kept.kind === "stack")
            first.push({ name: t("monitor.rest", { n: rest.length }), color: "--c-rest", expected: null,
                count: rest.reduce((sum, s) => sum.map((v, i) => v + (s.count[i] || 0)), new Array(rest[0].count.length).fill(0)),
                total: rest.reduce((sum, s) => sum + s.total, 0) });
        const shown = kept.only ? first.filter((s) => s.name === kept.only) : first;
        const series = shown.length ? shown : first;
        /* one alone: beside its expected course, which areas could not show */
        const kind = series.length === 1 ? "line" : kept.kind;
        const focus = picture.contains(document.activeElement);
        chart = timeChart(kind, { ...data, series }, t("monitor.title", { by: kept.by.join(" × ") }));
        replace(picture, chart);
        if (focus) chart.querySelector("svg").focus();
        const held = legend.contains(document.activeElement) ? document.activeElement.dataset.name : null;
        replace(legend, kept.topic === null ? null : h("button.series-key.topic", { type: "button",
            "aria-label": t("monitor.all.topics"), title: t("monitor.all.topics"), onclick: () => choose(null) },
        h("span", { dir: "auto" }, pretty(kept.topic)), icon("close")), first.map((s) => h("button.series-key", { type: "button", "data-name": s.name,
            "aria-pressed": String(kept.only === s.name), onclick: () => {
                kept.only = kept.only === s.name ? null : s.name;
                draw();
            } }, h("i", { style: { background: `var(${s.color})` } }), h("span", { dir: "auto" }, s.name), h("b", null, number(s.total)))),
        series.some((s) => s.expected) && kind === "line" ? h("span.series-note", null, h("i.dash"), t("monitor.expected")) : null,
        data.alerts.length ? h("span.series-note", null, h("i.flag"), t("monitor.surges")) : null);
        for (const b of legend.children) if (held && b.dataset.name === held) b.focus();
        drawHeat(some);
    }

    function choose(topic) {
        kept.topic = kept.topic === topic ? null : topic;
        kept.only = null;
        draw();
    }

    function drawHeat(some) {
        const [a, b] = kept.by;
        const total = new Map();
        const label = labelOf;
        const spot = heat.contains(document.activeElement) ? document.activeElement.textContent : null;
        if (b) {
            heatTitle.textContent = t("monitor.heat") + ": " + a + " × " + b;
            for (const s of some) total.set(label(s, a) + "\n" + label(s, b), s.total);
            const rows = [...new Set(some.map((s) => label(s, a)))].slice(0, 16);
            const columns = [...new Set(some.map((s) => label(s, b)))].slice(0, 10);
            replace(heat, heatMap(rows, columns, (r, c) => total.get(r + "\n" + c) || 0, heatTitle.textContent, moodColor,
                (r) => h("button.heat-row", { type: "button", "aria-pressed": String(kept.topic === r), onclick: () => choose(r) }, pretty(r))));
            for (const button of heat.querySelectorAll("button")) if (button.textContent === spot) button.focus();
            return;
        }
        heatTitle.textContent = t("monitor.heat") + ": " + a + " × " + t("monitor.time");
        const room = Math.floor(((heat.clientWidth || 560) - 170) / 66); // columns that stand without scrolling
        const n = some[0].count.length, parts = Math.min(Math.max(room, 3), 8, n);
        const columns = Array.from({ length: parts }, (_, i) => ({ i,
            name: clock(data.from + Math.floor((i * n) / parts) * data.step, data.to - data.from) }));
        const rows = some.slice(0, 14).map((s) => ({ name: s.name, s }));
        replace(heat, heatMap(rows, columns, (r, c) => r.s.count.slice(Math.floor((c.i * n) / parts),
            Math.floor(((c.i + 1) * n) / parts)).reduce((x, y) => x + y, 0), heatTitle.textContent));
    }

    /* -- alerts ------------------------------------------------------------------------------- */
    const states = choice(t("alert.state"), [["open", t("state.open")], ["acknowledged", t("state.acknowledged")],
        ["silenced", t("state.silenced")], ["closed", t("state.closed")], ["", t("alert.all")]], kept.state, (v) => {
        kept.state = v;
        loadAlerts();
    });

    let lists = 0; // of several lists under way only the last counts
    let bare = true; // no list stands there
    async function loadAlerts(quiet) {
        const turn = ++lists;
        const openIds = new Set([...list.querySelectorAll("details[open]")].map((d) => d.dataset.id));
        if (wanted) openIds.add(String(wanted));
        if (!quiet) {
            bare = true;
            replace(list, loading(3));
        }
        try {
            const { alerts } = await get("/v1/alerts", { state: kept.state, most: 100 });
            if (ended || turn !== lists) return;
            bare = false;
            const focus = list.contains(document.activeElement) ? document.activeElement.closest("details")?.dataset.id : null;
            replace(list, alerts.length ? alerts.map((a) => alertCard(a, () => loadAlerts(true), openIds.has(String(a.id))))
                : empty("check", t("alert.empty"), t("alert.empty.text")));
            if (focus) list.querySelector(`details[data-id="${CSS.escape(focus)}"] summary`)?.focus();
        } catch (e) {
            if (!ended && bare && turn === lists) replace(list, failure(e, loadAlerts));
        }
    }

    const onAlert = ({ detail }) => {
        announce(t("alert.announce", { title: detail.title || detail.rule }));
        loadAlerts(true);
    };
    live.addEventListener("alert", onAlert);
    const again = () => {
        timer = setTimeout(async () => {
            const busy = picture.matches(":hover") || document.hidden;
            if (!busy && live.state === "live") await load(true);
            if (!ended) again();
        }, 5000);
    };

    const node = h("div.page", null, bar,
        h("section.card", { "aria-label": t("nav.monitor") }, picture, legend),
        h("div.columns", null,
            h("section.card", { "aria-label": t("alert.title") }, h("div.card-head", null, h("h3.card-title", null, t("alert.title")), states), list),
            h("section.card", { "aria-label": t("monitor.heat") }, heatTitle, heat)));
    load();
    loadAlerts();
    again();
    return {
        title: t("nav.monitor"), node,
        end() {
            ended = true;
            clearTimeout(timer);
            chart?.end();
            live.removeEventListener("alert", onAlert);
        },
    };
}
