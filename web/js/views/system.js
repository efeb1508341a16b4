/* system.js: how the server is: how much comes, how fast it answers, what waits, what it keeps. */
import { get, live } from "../api.js";
import { h, replace } from "../dom.js";
import { bytes, number, span, t, word } from "../i18n.js";
import { card, facts, show, spark } from "../widgets.js";

/* name, figure, unit, field of the stats */
const TILES = [
    ["rate", (s) => number(s.rate ?? 0, 1), "system.per.second"],
    ["p50_ms", (s) => number(s.p50_ms ?? 0, 2), "system.ms"],
    ["p99_ms", (s) => number(s.p99_ms ?? 0, 2), "system.ms"],
    ["queue", (s) => number(s.queue ?? 0), ""],
    ["memory", (s) => bytes(s.memory ?? 0), ""],
    ["clients", (s) => number(s.clients ?? 0), ""],
];

const stateOf = (name) => h("span.state", { "data-state": name }, word("source.state", name));

function table(title, heads, rows, none) {
    return card(title, rows.length ? h("div.scroll", { tabindex: "0", role: "region", "aria-label": title },
        h("table.table", null, h("thead", null, h("tr", null, heads.map((k) => h("th", { scope: "col" }, t(k))))),
            h("tbody", null, rows.map((cells) => h("tr", null, cells.map((c) => h("td", { dir: "auto" }, c ?? ""))))))) :
        h("p.note", null, none));
}

export async function system() {
    let ended = false, timer = 0;
    const tiles = h("div.tiles"), rest = h("div.page-part");
    const figures = new Map();
    for (const [name, , unit] of TILES) {
        const figure = h("span.tile-figure", null, "–"), line = h("div.tile-line");
        figures.set(name, { figure, line });
        tiles.append(h("div.tile", { role: "group", "aria-label": t("system." + name) },
            h("span.tile-name", null, t("system." + name)),
            h("span.tile-value", null, figure, unit ? h("span.note", null, t(unit)) : null), line));
    }

    function draw(now) {
        if (!now) return;
        for (const [name, say] of TILES) {
            const { figure, line } = figures.get(name);
            figure.textContent = say(now);
            replace(line, spark(live.stats.slice(-120).map((s) => Number(s[name]) || 0)));
        }
    }
    const onStats = ({ detail }) => draw(detail);
    live.addEventListener("stats", onStats);

    async function make() {
        const s = await get("/v1/system");
        draw(live.stats[live.stats.length - 1] || s);
        const store = s.store || {};
        return [
            h("div.columns", null,
                card(t("system.server"), facts([
                    [t("system.version"), s.version], [t("system.flow"), typeof s.flow === "object" ? s.flow?.name : s.flow],
                    [t("system.uptime"), typeof s.uptime_s === "number" ? span(s.uptime_s) : null],
                    [t("system.threads"), s.threads !== undefined ? String(s.threads) : null],
                    [t("system.models"), Array.isArray(s.models) ? s.models.map((m) => m.id ?? m).join(", ") : null],
                    [t("system.api"), h("a", { href: "/docs" }, "/docs")],
                ])),
                card(t("system.store"), facts([
                    [t("system.events"), number(store.events ?? 0)], [t("system.alerts"), number(store.alerts ?? 0)],
                    [t("system.size"), bytes(store.size ?? 0)], [t("system.journal"), bytes(store.journal ?? 0)],
                    [t("system.free"), bytes(store.free ?? 0)],
                    [t("system.behind"), number(Math.max(0, (store.last ?? 0) - (store.decided ?? 0)))],
                    [t("system.waiting"), number(store.messages?.waiting ?? 0)],
                    [t("system.dead"), number(store.messages?.dead ?? 0)],
                ]))),
            table(t("system.sources"), ["system.name", "system.kind", "system.state", "system.count", "system.error"],
                (s.sources || []).map((x) => [x.name, x.kind, stateOf(x.state), number(x.events ?? 0), x.error]),
                t("system.no.sources")),
            table(t("system.sinks"), ["system.name", "system.kind", "system.waiting", "system.dead", "system.error"],
                (s.sinks || []).map((x) => [x.name, x.kind, number(x.waiting ?? 0), number(x.dead ?? 0), x.error]),
                t("system.no.sinks")),
        ];
    }
    show(rest, make);
    const again = () => {
        timer = setTimeout(async () => {
            try {
                if (!document.hidden && !rest.contains(document.activeElement)) replace(rest, await make());
            } catch {
                /* the line at the top says that the server is away */
            }
            if (!ended) again();
        }, 3000);
    };
    again();
    draw(live.stats[live.stats.length - 1]);
    return {
        title: t("nav.system"),
        node: h("div.page", null, tiles, rest),
        end() {
            ended = true;
            clearTimeout(timer);
            live.removeEventListener("stats", onStats);
        },
    };
}
