/* inbox.js: what came in, live: label, how sure, the words that decided it, the story it belongs
 * to, votes; and beside it, where there is room, the event that is open. */
import { changes, explained, explainRows, vote } from "../actions.js";
import { flow, get, live } from "../api.js";
import { h, icon, replace } from "../dom.js";
import { number, pretty, t, when } from "../i18n.js";
import { VirtualList } from "../list.js";
import { attended, shaded } from "../text.js";
import { announce, button, chip, empty, failure, iconButton, loading, mainFinding, meter, select,
    textOf, toggle } from "../widgets.js";
import { eventView } from "./event.js";

const MOST = 5000;

/* kept while other views are open */
const kept = { sort: "time", source: "", label: "", analysis: "", heads: true, paused: false };

const query = () => ({
    source: kept.source,
    analysis: kept.label ? kept.analysis : "",
    label: kept.label,
    by: kept.sort,
    heads: kept.heads ? "true" : "",
});

/* rows of a phone have two lines of text; the same bound is in style.css */
const phone = () => matchMedia("(max-width: 719px)").matches;

function fits(event) {
    if (kept.source && event.source !== kept.source) return false;
    if (kept.heads && event.story?.id && event.story.id !== event.seq) return false;
    if (!kept.label) return true;
    return (event.findings || []).some((f) => f.name === kept.analysis && f.label === kept.label &&
        !f.abstained);
}

function voteButtons(event) {
    const make = (way) =>
        iconButton(way, t("vote." + way), {
            "aria-pressed": String(event.vote === way), "data-act": way, tabindex: "-1",
            onclick: (e) => {
                e.stopPropagation();
                vote(event, way);
            },
        });
    return h("span.votes", null, make("up"), make("down"));
}

function makeRow(event, setup, open) {
    const main = mainFinding(event, setup);
    const corrected = main && event.corrected?.[main.name];
    const words = attended(explained(event.seq));
    const others = (event.findings || []).filter((f) => f !== main && f.label && !f.abstained &&
        f.label !== "new");
    const size = event.story?.size || 1;
    const text = textOf(event);
    const title = event.title && event.title !== text ? event.title : "";
    return h("article.row", {
        role: "listitem", "data-seq": event.seq, onclick: () => open(event, true),
        "aria-label": `${main ? pretty(corrected || main.label) : t("inbox.unlabelled")}: ${text.slice(0, 200)}`,
    },
    h("div.row-top", null,
        corrected ? chip(corrected, "corrected", t("correct.was", { label: pretty(main.label) }))
            : main ? chip(main.label, main.abstained ? "unsure" : null, main.name)
                : h("span.chip.quiet", null, t("inbox.unlabelled")),
        main && !corrected ? meter(main.confidence, main.abstained) : null,
        main?.abstained && !corrected ? h("span.note", null, t("abstained")) : null,
        others.slice(0, 3).map((f) => h("span.tag", { title: f.name, "data-tone": f.label }, pretty(f.label))),
        h("span.grow"),
        size > 1 ? h("span.story-size", { title: t("story.size", { n: size }) }, icon("stack"),
            h("span", null, number(size))) : null,
        h("span.row-source", { dir: "auto" }, event.source || ""),
        h("time.row-time", { datetime: event.time, title: when(event.time, true) }, when(event.time))),
    h("div.row-bottom", null,
        h("p.row-text", { dir: "auto" }, title ? h("strong", null, title + "  ") : null, shaded(text, words)),
        voteButtons(event)));
}

export async function inbox(params, app) {
    const setup = await flow().catch(() => ({ analyses: [], sources: [], rules: [], sinks: [] }));
    let items = [], known = new Set(), next = null, busy = false, held = [], ended = false, asked = 0;
    let openSeq = null, detail = null;

    const list = new VirtualList({
        label: t("inbox.list"), height: phone() ? 96 : 84, id: "inbox-list", key: (e) => e.seq,
        make: (e) => makeRow(e, setup, open), near: older,
    });
    const body = h("div.inbox-list", null);
    const pane = h("aside.pane", { "aria-label": t("event.title") });
    const fresh = h("button.fresh", { type: "button", hidden: true, onclick: () => {
        if (kept.sort === "rank") return load();
        if (kept.paused) return pause(false);
        list.node.scrollTop = 0;
        tellFresh();
    } });
    const count = h("span.count", { "aria-live": "off" });

    /* -- bar ---------------------------------------------------------------------------------- */
    const labelled = setup.analyses.filter((a) => a.labels?.length);
    const labelOptions = [["", t("inbox.all.labels")]];
    for (const a of labelled)
        for (const l of a.labels)
            labelOptions.push([a.name + "\n" + l, labelled.length > 1 ? `${a.name}: ${pretty(l)}` : pretty(l)]);
    const pauseButton = button("", { onclick: () => pause(!kept.paused), "data-act": "pause" });
    const bar = h("div.toolbar", { role: "toolbar", "aria-label": t("inbox.filters") },
        select(t("inbox.source"), [["", t("inbox.all.sources")], ...setup.sources.map((s) => [s.name, s.name])],
            kept.source, (v) => {
                kept.source = v;
                load();
            }),
        select(t("inbox.label"), labelOptions, kept.label ? kept.analysis + "\n" + kept.label : "", (v) => {
            [kept.analysis, kept.label] = v ? v.split("\n") : ["", ""];
            load();
        }),
        select(t("inbox.sort"), [["time", t("inbox.sort.time")], ["rank", t("inbox.sort.rank")]], kept.sort,
            (v) => {
                kept.sort = v;
                load();
            }),
        toggle(t("inbox.fold"), kept.heads, (v) => {
            kept.heads = v;
            load();
        }),
        h("span.grow"), count, pauseButton);

    function tellPause() {
        replace(pauseButton, icon(kept.paused ? "play" : "pause"),
            h("span", null, t(kept.paused ? "inbox.resume" : "inbox.pause")));
        pauseButton.setAttribute("aria-pressed", String(kept.paused));
    }

    function pause(on) {
        kept.paused = on;
        tellPause();
        if (!on) {
            const late = held;
            held = [];
            add(late);
            list.node.scrollTop = 0;
        }
        tellFresh();
    }

    let unseen = 0;
    function tellFresh() {
        if (list.node.scrollTop < 8 && !kept.paused && kept.sort === "time") unseen = 0;
        const n = kept.paused ? held.filter(fits).length : unseen;
        fresh.hidden = n === 0;
        replace(fresh, icon(kept.paused ? "play" : "up"), h("span", null,
            t(kept.sort === "rank" ? "inbox.fresh.rank" : kept.paused ? "inbox.fresh.held" : "inbox.fresh", { n })));
        count.textContent = items.length ? t("inbox.count", { n: items.length }) + (next ? "+" : "") : "";
    }
    list.node.addEventListener("scroll", () => {
        tellFresh();
        attend();
    });

    /* -- events ------------------------------------------------------------------------------- */
    let attending = 0;
    function attend() {
        attending ||= setTimeout(() => {
            attending = 0;
            if (!ended && !document.hidden)
                explainRows(list.inSight().map((e) => e.seq), (seq) => list.refresh(seq));
        }, 250);
    }

    function add(events) {
        /* the same event again: decided meanwhile */
        const news = [];
        for (const e of events) {
            if (known.has(e.seq)) {
                const i = items.findIndex((x) => x.seq === e.seq);
                if (i >= 0) {
                    items[i] = e;
                    list.refresh(e.seq);
                }
            } else if (fits(e)) {
                known.add(e.seq);
                news.push(e);
            } else if (e.story?.id && known.has(e.story.id)) {
                const first = items.find((x) => x.seq === e.story.id);
                if (first) {
                    first.story = { ...first.story, id: e.story.id,
                        size: Math.max(e.story.size || 0, (first.story?.size || 1) + 1) };
                    list.refresh(first.seq);
                }
            }
        }
        if (!news.length) return;
        news.sort((a, b) => b.seq - a.seq);
        const bare = !items.length;
        items.unshift(...news);
        if (items.length > MOST) {
            for (const e of items.splice(MOST)) known.delete(e.seq);
            next = items[items.length - 1].seq;
        }
        if (bare) fillBody();
        list.items = items;
        if (list.node.scrollTop > 8) unseen += news.length;
        list.grown(news.length);
        tellFresh();
        attend();
        announce(t("inbox.announce", { n: news.length }), 15000);
    }

    /* events of a quarter of a second at once */
    let batch = [], timer = 0;
    function arrived({ detail: event }) {
        batch.push(event);
        timer ||= setTimeout(() => {
            timer = 0;
            const events = batch;
            batch = [];
            if (ended) return;
            if (kept.sort === "rank") {
                unseen += events.filter((e) => fits(e) && !known.has(e.seq)).length;
                tellFresh();
            } else if (kept.paused) {
                held.push(...events);
                if (held.length > MOST) held.splice(0, held.length - MOST);
                tellFresh();
            } else {
                add(events);
            }
        }, 250);
    }
    live.addEventListener("event", arrived);

    const onState = async ({ detail: state }) => {
        /* what was missed while the line was down */
        if (state === "live" && items.length && kept.sort === "time" && !kept.paused)
            try {
                add((await get("/v1/events", { ...query(), most: 200 })).events);
            } catch {
                /* the next change of state tries again */
            }
    };
    live.addEventListener("state", onState);

    const onChange = ({ detail }) => {
        const item = items.find((e) => e.seq === detail.seq);
        if (item) Object.assign(item, detail);
        list.refresh(detail.seq);
    };
    changes.addEventListener("change", onChange);

    async function load() {
        const mine = ++asked;
        replace(body, loading(6));
        [items, known, next, held, unseen] = [[], new Set(), null, [], 0];
        try {
            const answer = await get("/v1/events", { ...query(), most: 100 });
            if (mine !== asked || ended) return;
            items = answer.events;
            known = new Set(items.map((e) => e.seq));
            next = answer.next ?? null;
            fillBody();
            list.node.scrollTop = 0;
            list.set(items);
            attend();
        } catch (e) {
            if (mine === asked && !ended) replace(body, failure(e, load));
        }
        tellFresh();
    }

    function fillBody() {
        if (items.length) {
            replace(body, list.node);
            return;
        }
        const filtered = kept.source || kept.label;
        replace(body, empty("inbox", t(filtered ? "inbox.empty.filtered" : "inbox.empty"),
            t(filtered ? "inbox.empty.filtered.text" : "inbox.empty.text"),
            filtered ? button(t("inbox.clear"), { onclick: () => {
                kept.source = kept.label = "";
                app.again();
            } }) : null));
    }

    async function older() {
        if (busy || next === null || ended || !items.length) return;
        busy = true;
        try {
            const answer = await get("/v1/events", { ...query(), most: 200, before: next });
            for (const e of answer.events)
                if (!known.has(e.seq)) {
                    known.add(e.seq);
                    items.push(e);
                }
            next = items.length >= MOST ? null : (answer.next ?? null);
            list.items = items;
            list.draw();
            tellFresh();
        } catch {
            /* scrolling on asks again */
        }
        busy = false;
    }

    /* -- the open event ----------------------------------------------------------------------- */
    const sizes = matchMedia("(max-width: 719px)");
    const resized = () => {
        list.height = phone() ? 96 : 84;
        list.draw();
    };
    sizes.addEventListener("change", resized);
    const wide = () => matchMedia("(min-width: 1180px)").matches;

    function open(event, byHand) {
        list.selected = event.seq;
        list.draw();
        if (byHand) app.go(`inbox/${event.seq}`);
    }

    function showDetail(seq) {
        openSeq = seq;
        detail?.end();
        detail = null;
        node.classList.toggle("open", seq !== null);
        if (seq === null) {
            replace(pane, h("div.empty.quiet", null, h("div.empty-picture", null, icon("inbox")),
                h("h3", null, t("inbox.none.open")), h("p", null, t("inbox.none.open.text"))));
            return;
        }
        detail = eventView({ seq }, app, { close: () => app.go("inbox") });
        replace(pane, detail.node);
        pane.scrollTop = 0;
        if (!wide()) detail.node.querySelector("button")?.focus();
    }

    const node = h("div.inbox", null, h("div.inbox-main", null, bar, h("div.inbox-body", null, fresh, body)), pane);
    tellPause();
    load();

    return {
        title: t("nav.inbox"),
        node,
        update(p) {
            const seq = p.length ? Number(p[0]) : null;
            if (seq !== openSeq || (seq === null && !pane.firstChild)) showDetail(seq);
            if (seq !== null) {
                list.selected = seq;
                list.draw();
            }
        },
        keydown(e) {
            const at = list.index();
            const item = at >= 0 ? items[at] : null;
            if (e.key === "j" || e.key === "k") {
                const chosen = list.select(at < 0 ? 0 : at + (e.key === "j" ? 1 : -1), true);
                if (chosen && openSeq !== null && wide()) open(chosen, true);
            } else if ((e.key === "o" || (e.key === "Enter" && e.target.closest?.(".row"))) && item) open(item, true);
            else if (e.key === "u" && item) vote(item, "up");
            else if (e.key === "d" && item) vote(item, "down");
            else if (e.key === "p") pause(!kept.paused);
            else if (e.key === "Escape" && openSeq !== null) {
                app.go("inbox");
                list.select(Math.max(0, at), true);
            } else if (e.key === "c" && detail) detail.correct();
            else return false;
            return true;
        },
        end() {
            ended = true;
            clearTimeout(timer);
            clearTimeout(attending);
            sizes.removeEventListener("change", resized);
            live.removeEventListener("event", arrived);
            live.removeEventListener("state", onState);
            changes.removeEventListener("change", onChange);
            detail?.end();
            list.end();
        },
    };
}
