/* event.js: one event opened: its words as the answer attended to them, and the receipt; what was
 * found; the story it belongs to; its like; why each rule did or did not fire. */
import { changes, correct, explain, split, vote } from "../actions.js";
import { flow, get } from "../api.js";
import { h, icon, replace } from "../dom.js";
import { percent, pretty, score, span, t, when, word } from "../i18n.js";
import { attended, outside, shaded } from "../text.js";
import { bar, button, card, chip, chooseLabel, complain, empty, facts, failure, iconButton, loading,
    mainFinding, meter, textOf, toggle } from "../widgets.js";

/* A finding's further words: an object, or JSON in a string. */
export function detailOf(finding) {
    if (typeof finding.detail !== "string") return { ...finding, ...finding.detail };
    try {
        return { ...finding, ...JSON.parse(finding.detail) };
    } catch {
        return finding;
    }
}

export const entitiesOf = (event) =>
    (event.findings || []).flatMap((f) => detailOf(f).entities || []);

/* What the answer becomes without the attended words, beside as many random ones. */
function receipt(answer) {
    const proof = answer.receipt;
    if (!proof) return h("p.note", null, t("receipt.none"));
    const line = (name, label, value, figure, kind) =>
        h("div.receipt-line" + (kind ? "." + kind : ""), null,
            bar(name, value, 1, figure), h("span.receipt-label", { dir: "auto" }, pretty(label)));
    const without = proof.without_attended, random = proof.without_random;
    const own = (x) => x.confidence_in_label ?? (x.label === answer.label ? x.confidence : 0);
    const turned = without.label !== answer.label;
    return h("div.receipt", null,
        h("p.receipt-says", null, turned ? icon("check") : null, h("span", null,
            t(turned ? "receipt.turned" : "receipt.held", {
                label: pretty(without.label), from: percent(answer.confidence), to: percent(own(without)),
                random: percent(own(random)) }))),
        line(t("receipt.whole"), answer.label, answer.confidence, percent(answer.confidence)),
        line(t("receipt.random"), random.label, own(random), percent(own(random)), "random"),
        line(t("receipt.attended"), without.label, own(without), percent(own(without)), "without"),
        h("p.note", null, t("receipt.how", { label: pretty(answer.label) })),
        without.removed?.length ? h("p.removed", null, h("span.note", null, t("receipt.removed")),
            without.removed.map((w) => h("mark.attended", { style: { "--w": "0.8" } }, w.text ?? w))) : null);
}

function findingRows(event) {
    return (event.findings || []).map((f) => {
        const d = detailOf(f);
        const rest = (d.labels || []).slice(0, 5);
        const say = d.nearest ? h("a", { href: `#/event/${d.nearest}` }, t("finding.like", { score: score(d.similar, 2) }))
            : d.word ? t("finding.word", { word: d.word }) : null;
        return h("div.finding", null,
            h("div.finding-head", null, h("span.finding-name", null, f.name),
                f.label ? chip(f.label, f.abstained ? "unsure" : null) : h("span.note", null, t("finding.none")),
                f.confidence === null || f.confidence === undefined ? null : meter(f.confidence, f.abstained),
                f.abstained ? h("span.note", null, t("abstained")) : null),
            say ? h("p.note", null, say) : null,
            rest.length > 1 ? h("div.finding-labels", null,
                rest.map((l) => bar(pretty(l.label), l.score, 1, percent(l.score)))) : null);
    });
}

/* "when risk": the gate's kind is translated, the rest is a name of the flow's. */
function gateName(gate) {
    const [kind, ...rest] = String(gate ?? "").split(" ");
    return [word("gate", kind), ...rest].join(" ");
}

export function gates(list) {
    return h("ol.gates", null, (list || []).map((g) =>
        h("li" + (g.held ? ".held" : ".stopped"), null,
            h("span.gate-mark", null, icon(g.held ? "check" : "close"),
                h("span.hidden-text", null, t(g.held ? "gate.held" : "gate.stopped"))),
            h("span.gate-name", null, gateName(g.gate)),
            h("span.gate-says", { dir: "auto" }, g.says ||
                `${typeof g.value === "number" ? score(g.value) : (g.value ?? "")} · ${g.bound ?? ""}`))));
}

function whyRules(answer) {
    const rules = answer.rules || [];
    if (!rules.length) return h("p.note", null, t("why.no.rules"));
    return rules.map((r) =>
        h("details.why", r.fired ? { open: true } : null,
            h("summary", null, h("span.why-rule", null, r.rule),
                h("span.state", { "data-state": r.fired ? "open" : "closed" }, r.fired ? t("why.fired")
                    : t("why.stopped", { gate: r.stopped_at ? gateName(r.stopped_at) : "–" }))),
            gates(r.gates)));
}

function timeline(story, event, reload) {
    const events = story.events || [];
    if (events.length < 2) return h("p.note", null, t("story.alone"));
    const first = new Date(events[0].time).getTime();
    return h("ol.timeline", null, events.map((e, i) => h("li" + (e.seq === event.seq ? ".here" : ""), null,
        h("span.timeline-when", null, i === 0 ? when(e.time)
            : "+" + span((new Date(e.time).getTime() - first) / 1000)),
        h("div.timeline-what", null,
            h("span.note", null, e.source || "", i === 0 ? " · " + t("story.first") : ""),
            e.seq === event.seq ? h("p", { dir: "auto", "aria-current": "true" }, textOf(e))
                : h("a", { href: `#/event/${e.seq}`, dir: "auto" }, textOf(e))),
        i > 0 ? iconButton("close", t("story.split"), {
            onclick: () => split(story.story ?? story.id, e.seq, reload),
        }) : null)));
}

export function likeRows(hits, self) {
    const rows = (hits || []).filter((x) => x.event.seq !== self);
    if (!rows.length) return h("p.note", null, t("similar.none"));
    return h("ul.like", null, rows.map((hit) => {
        const main = mainFinding(hit.event);
        return h("li", null,
            h("span.score", { title: t("score.cosine") }, score(hit.cosine ?? hit.score, 2)),
            h("a", { href: `#/event/${hit.event.seq}`, dir: "auto" }, textOf(hit.event)),
            main ? chip(main.label) : null);
    }));
}

/* {seq}: shown in node. options.close: a button that goes back. */
export function eventView({ seq }, app, options = {}) {
    const node = h("article.event", { "aria-label": t("event.title") });
    let event = null, setup = null, ended = false, showNames = true, answer = null;
    const stop = new AbortController();
    const at = (path, query) => get(path, query, stop.signal);
    const words = h("div.event-text", { dir: "auto" }), legend = h("span");
    const head = h("header.event-head");

    const fill = (place, ask, make, quiet) => {
        replace(place, loading(2));
        ask().then((x) => !ended && replace(place, make(x))).catch((e) => {
            if (ended || e.name === "AbortError") return;
            replace(place, e.status === 404 || e.status === 501 ? h("p.note", null, quiet)
                : failure(e, () => fill(place, ask, make, quiet)));
        });
    };

    function drawHead() {
        const main = mainFinding(event, setup);
        const right = main && event.corrected?.[main.name];
        replace(head,
            h("div.event-bar", null,
                options.close ? iconButton("back", t("event.back"), { onclick: options.close, "data-act": "close" }) : null,
                h("span.grow"),
                h("div.votes.big", { role: "group", "aria-label": t("vote.group") }, ["up", "down"].map((way) =>
                    button("", { "aria-pressed": String(event.vote === way), "data-act": way,
                        onclick: () => vote(event, way) }, icon(way), h("span", null, t("vote.short." + way))))),
                button("", { onclick: correctNow, "data-act": "correct" }, icon("pencil"), h("span", null, t("correct")))),
            h("div.event-label", null,
                right ? chip(right, "corrected") : main ? chip(main.label, main.abstained ? "unsure" : null)
                    : h("span.chip.quiet", null, t("inbox.unlabelled")),
                main && !right ? meter(main.confidence, main.abstained) : null,
                right ? h("span.note", null, t("correct.was", { label: pretty(main.label) })) : null,
                main?.abstained && !right ? h("span.note", null, t("abstained.long")) : null));
    }

    function drawText() {
        replace(words, shaded(textOf(event), attended(answer), showNames ? entitiesOf(event) : []));
        replace(legend, answer?.alike ? t("legend.alike") : [
            h("mark.attended", { style: { "--w": "1" } }, t("legend.much")), " ",
            h("mark.attended", { style: { "--w": "0.3" } }, t("legend.little")), " ", t("legend.attended")]);
    }

    function correctNow() {
        const main = mainFinding(event, setup);
        const analysis = setup.analyses.find((a) => a.name === main?.name && a.labels?.length) ||
            setup.analyses.find((a) => a.kind === "classify" && a.labels?.length);
        if (!analysis) return complain(new Error(t("correct.nothing")));
        chooseLabel(t("correct.title"), analysis.labels, main?.label, (label) => correct(event, analysis.name, label));
    }

    function draw() {
        const proof = h("div"), like = h("div"), why = h("div"), tale = h("div");
        drawHead();
        drawText();
        const names = entitiesOf(event).length;
        const size = event.story?.size || 1;
        replace(node, head,
            event.title && event.title !== textOf(event) ? h("h2.event-title", { dir: "auto" }, event.title) : null,
            words,
            h("div.legend", null,
                legend,
                names ? toggle(t("legend.entities", { n: names }), showNames, (on) => {
                    showNames = on;
                    drawText();
                }) : null),
            card(t("receipt.title"), proof),
            card(t("finding.title"), event.findings?.length ? findingRows(event) : h("p.note", null, t("finding.empty"))),
            size > 1 ? card(t("story.title", { n: size }), tale) : null,
            card(t("why.title"), why),
            card(t("similar.title"), like),
            card(t("event.about"), facts([
                [t("event.source"), event.source], [t("event.time"), when(event.time, true)],
                [t("event.happened"), event.happened && event.happened !== event.time ? when(event.happened, true) : null],
                [t("event.user"), event.user], [t("event.session"), event.session], [t("event.id"), event.id],
                [t("event.url"), event.url ? outside(event.url) : null],
                [t("event.rank"), typeof event.rank === "number" ? score(event.rank, 2) : null],
                [t("event.seq"), String(event.seq)],
                ...Object.entries(event.fields || {}).map(([k, v]) => [k, typeof v === "object" ? JSON.stringify(v) : String(v)]),
            ])));
        fill(proof, () => explain(seq), (x) => {
            answer = x;
            drawText();
            return receipt(x);
        }, t("receipt.none"));
        fill(why, () => at("/v1/why", { seq }), whyRules, t("why.no.rules"));
        fill(like, () => at(`/v1/events/${seq}/similar`, { most: 6 }), (x) => likeRows(x.hits, seq), t("similar.none"));
        if (size > 1 && event.story?.id) {
            const id = event.story.id;
            const again = () => fill(tale, () => at(`/v1/stories/${id}`), (x) => timeline(x, event, again), t("story.alone"));
            again();
        }
    }

    async function load() {
        replace(node, loading(8));
        try {
            [event, setup] = await Promise.all([at(`/v1/events/${seq}`),
                flow().catch(() => ({ analyses: [], rules: [], sources: [], sinks: [] }))]);
            if (!ended) draw();
        } catch (e) {
            if (ended || e.name === "AbortError") return;
            replace(node, options.close ? h("div.event-bar", null,
                iconButton("back", t("event.back"), { onclick: options.close })) : null,
            e.status === 404 ? empty("inbox", t("event.gone"), t("event.gone.text")) : failure(e, load));
        }
    }

    const onChange = ({ detail }) => {
        if (detail.seq !== seq || !event) return;
        Object.assign(event, detail);
        const act = node.contains(document.activeElement) ? document.activeElement.dataset.act : null;
        drawHead();
        if (act) head.querySelector(`[data-act="${act}"]`)?.focus();
    };
    changes.addEventListener("change", onChange);
    load();

    return {
        node,
        correct: () => event && correctNow(),
        keydown(e) {
            if (!event) return false;
            if (e.key === "u") vote(event, "up");
            else if (e.key === "d") vote(event, "down");
            else if (e.key === "c") correctNow();
            else if (e.key === "Escape") history.back();
            else return false;
            return true;
        },
        end() {
            ended = true;
            stop.abort();
            changes.removeEventListener("change", onChange);
        },
    };
}

/* The view of its own: #/event/SEQ. */
export async function single(params, app) {
    const view = eventView({ seq: Number(params[0]) }, app, { close: () => history.back() });
    return { title: t("event.title"), node: h("div.single", null, view.node), keydown: view.keydown, end: view.end };
}
