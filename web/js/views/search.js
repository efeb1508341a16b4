/* search.js: what was said before: by words and by meaning, with the scores of each. */
import { flow, get } from "../api.js";
import { h, icon, replace } from "../dom.js";
import { number, pretty, score, t, when } from "../i18n.js";
import { snippet } from "../text.js";
import { chip, empty, failure, loading, mainFinding, textOf } from "../widgets.js";

const kept = { q: "", source: "", label: "", answer: null };

/* A score and where it lies between nothing and the best of this list. */
function scoreBar(name, title, value, most) {
    const there = typeof value === "number";
    return h("span.score-bar", { title }, h("span.note", null, name),
        h("span.bar-track", { "aria-hidden": "true" }, h("span.bar-fill", {
            style: { width: (there && most > 0 ? Math.max(0, Math.min(1, value / most)) * 100 : 0) + "%" } })),
        h("span.bar-figure", null, there ? score(value, name === "BM25" ? 2 : 3) : "–"));
}

export async function search(params, app) {
    const setup = await flow().catch(() => ({ analyses: [], sources: [] }));
    if (params.length && decodeURIComponent(params.join("/")) !== kept.q) {
        kept.q = decodeURIComponent(params.join("/"));
        kept.answer = null;
        kept.label = kept.source = "";
    }
    let asked = 0, ended = false;
    const input = h("input.search-input", { type: "search", value: kept.q, name: "q", autocomplete: "off", dir: "auto",
        placeholder: t("search.placeholder"), "aria-label": t("search.placeholder") });
    const results = h("div.results"), facets = h("aside.facets", { "aria-label": t("search.facets") });
    const form = h("form.search-form", { role: "search", onsubmit: (e) => {
        e.preventDefault();
        kept.q = input.value.trim();
        kept.source = kept.label = "";
        app.note(kept.q ? "search/" + encodeURIComponent(kept.q) : "search");
        run();
    } }, icon("search"), input, h("button.button.primary", { type: "submit" }, t("search.go")));

    function facet(title, pairs, now, choose) {
        if (pairs.length < 1) return null;
        return h("section", null, h("h3.card-title", null, title), h("ul", null, pairs.slice(0, 12).map(([name, n]) =>
            h("li", null, h("button.facet", { type: "button", "aria-pressed": String(now === name),
                onclick: () => choose(now === name ? "" : name) },
            h("span", { dir: "auto" }, pretty(name)), h("b", null, number(n)))))));
    }

    function count(hits, name) {
        const all = new Map();
        for (const x of hits) {
            const v = name(x);
            if (v) all.set(v, (all.get(v) || 0) + 1);
        }
        return [...all].sort((a, b) => b[1] - a[1]);
    }

    const labelOf = (hit) => mainFinding(hit.event, setup)?.label;

    function draw() {
        const hits = kept.answer?.hits || [];
        const shown = hits.filter((x) => (!kept.source || x.event.source === kept.source) &&
            (!kept.label || labelOf(x) === kept.label));
        replace(facets, hits.length ? [
            facet(t("inbox.label"), count(hits.filter((x) => !kept.source || x.event.source === kept.source), labelOf), kept.label, (v) => {
                kept.label = v;
                draw();
            }),
            facet(t("inbox.source"), count(hits.filter((x) => !kept.label || labelOf(x) === kept.label), (x) => x.event.source), kept.source, (v) => {
                kept.source = v;
                draw();
            })] : []);
        if (!hits.length) {
            replace(results, empty("search", t("search.nothing"), t("search.nothing.text")));
            return;
        }
        const best = (name) => Math.max(...hits.map((x) => x[name] || 0));
        const most = { score: best("score"), bm25: best("bm25") };
        replace(results, h("p.note", { role: "status" }, t("search.count", { n: shown.length })),
            h("ol.hits", null, shown.map((x) => {
                const main = mainFinding(x.event, setup);
                return h("li.hit-card", null,
                    h("div.hit-top", null, main ? chip(main.label, main.abstained ? "unsure" : null) : null,
                        h("span.grow"), h("span.row-source", { dir: "auto" }, x.event.source || ""),
                        h("time", { datetime: x.event.time, title: when(x.event.time, true) }, when(x.event.time))),
                    h("a.hit-text", { href: `#/event/${x.event.seq}`, dir: "auto" },
                        x.snippet?.length ? snippet(x.snippet) : textOf(x.event)),
                    h("div.hit-scores", null,
                        scoreBar(t("score.joined"), t("score.joined.title"), x.score, most.score),
                        scoreBar("BM25", t("score.bm25.title"), x.bm25, most.bm25),
                        scoreBar(t("score.cosine.short"), t("score.cosine"), x.cosine, 1)));
            })));
    }

    async function run() {
        const mine = ++asked;
        if (!kept.q) {
            replace(facets);
            replace(results, empty("search", t("search.start"), t("search.start.text")));
            return;
        }
        replace(results, loading(5));
        try {
            const answer = await get("/v1/search", { q: kept.q, most: 100 });
            if (mine !== asked || ended) return;
            kept.answer = answer;
            draw();
        } catch (e) {
            if (mine === asked && !ended) replace(results, failure(e, run));
        }
    }

    if (kept.answer && kept.q) draw();
    else run();
    return {
        title: t("nav.search"),
        node: h("div.page.search", null, form, h("div.search-body", null, facets, results)),
        shown: () => input.focus(),
        keydown(e) {
            if (e.key !== "/") return false;
            input.focus();
            input.select();
            return true;
        },
        update(p) {
            const q = decodeURIComponent(p.join("/"));
            if (q === kept.q || (!q && kept.q && !p.length && !input.value)) return;
            input.value = kept.q = q;
            kept.source = kept.label = "";
            run();
        },
        end() {
            ended = true;
        },
    };
}
