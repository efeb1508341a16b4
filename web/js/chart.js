/* chart.js: counts over time as stacked areas or lines, drawn in SVG: axes, the expected course,
 * alerts marked, a readout under the pointer or the arrow keys; and a heat map, which is a table. */
import { h, replace, svg } from "./dom.js";
import { number, pretty, t } from "./i18n.js";

const LEFT = 44, RIGHT = 12, TOP = 14, BOTTOM = 26;

/* 1, 2 or 5 times a power of ten, about n steps to the top. */
export function ticks(most, n = 4) {
    const rough = Math.max(most, 1) / n;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = Math.max(1, [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough));
    const list = [];
    for (let v = 0; v < most + step; v += step) list.push(v);
    return list;
}

const pad = (n) => String(n).padStart(2, "0");
export function clock(ms, wide) {
    const d = new Date(ms);
    const hour = `${pad(d.getHours())}:${pad(d.getMinutes())}`;
    return wide > 2 * 86400000 ? `${d.getMonth() + 1}/${d.getDate()}` : wide < 600000
        ? `${hour}:${pad(d.getSeconds())}` : hour;
}

/* Every n-th step gets a time below it. */
function timeMarks(from, to, width) {
    const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
        86400, 172800, 604800, 1209600, 2592000].map((s) => s * 1000);
    const most = Math.max(2, Math.floor(width / 90));
    const step = steps.find((s) => (to - from) / s <= most) || steps[steps.length - 1];
    const zone = new Date(from).getTimezoneOffset() * 60000;
    const list = [];
    for (let x = Math.ceil((from - zone) / step) * step + zone; x <= to; x += step) list.push(x);
    return list;
}

/* data: {from,to,step, series:[{name,color,count,expected}], alerts:[{time,title,grade,id}]};
 * kind: "stack" or "line". */
export function timeChart(kind, data, title) {
    const box = h("div.chart", null);
    const readout = h("div.readout", { hidden: true });
    const says = h("div.hidden-text", { "aria-live": "polite" });
    let at = -1, width = 0, picture = null;
    const high = 280;
    const n = Math.max(0, ...data.series.map((s) => s.count.length));
    const mid = (i) => data.from + (i + 0.5) * data.step;

    const x = (time) => LEFT + ((time - data.from) / Math.max(1, data.to - data.from)) * (width - LEFT - RIGHT);
    let most = 1;
    if (kind === "stack")
        for (let i = 0; i < n; i++)
            most = Math.max(most, data.series.reduce((sum, s) => sum + (s.count[i] || 0), 0));
    else
        for (const s of data.series) most = Math.max(most, ...s.count, ...(s.expected || [0]));
    const scale = ticks(most);
    const top = scale[scale.length - 1];
    const y = (v) => high - BOTTOM - (v / top) * (high - TOP - BOTTOM);
    const points = (values) => values.map((v, i) => (v === null ? null : `${x(mid(i)).toFixed(1)},${y(v).toFixed(1)}`))
        .filter((p) => p !== null);

    function shapes() {
        const below = new Array(n).fill(0);
        return data.series.map((s) => {
            const color = { color: `var(${s.color})` };
            if (kind === "stack") {
                const low = points(below).reverse();
                for (let i = 0; i < n; i++) below[i] += s.count[i] || 0;
                return svg("polygon.area", { points: [...points(below), ...low].join(" "), style: color });
            }
            return svg("g", { style: color },
                s.expected ? svg("polyline.expected", { points: points(s.expected).join(" ") }) : null,
                svg("polyline.line", { points: points(s.count.slice(0, n)).join(" ") }));
        });
    }

    /* alerts, those within a few points of each other as one, of the worst grade */
    function flags() {
        const worst = ["info", "warning", "critical"], list = [];
        const shown = (data.alerts || []).filter((a) => a.at >= data.from && a.at <= data.to);
        for (const a of shown.sort((p, q) => p.at - q.at)) {
            const last = list[list.length - 1], at = x(a.at);
            if (last && at - last.x < 26) {
                last.n++;
                last.title += "\n" + a.title;
                if (worst.indexOf(a.grade) > worst.indexOf(last.grade)) last.grade = a.grade;
            } else {
                list.push({ x: at, n: 1, grade: a.grade, title: a.title });
            }
        }
        return list;
    }

    function draw() {
        width = Math.max(280, box.clientWidth || 640);
        const marks = timeMarks(data.from, data.to, width);
        const cross = svg("line.cross", { y1: TOP, y2: high - BOTTOM, visibility: "hidden" });
        const next = svg("svg", {
            viewBox: `0 0 ${width} ${high}`, width, height: high, role: "img", tabindex: "0",
            "aria-label": t("chart.label", { title, n: data.series.length }),
        },
        scale.map((v) => svg("g", null,
            svg("line.grid", { x1: LEFT, x2: width - RIGHT, y1: y(v), y2: y(v) }),
            svg("text.axis", { x: LEFT - 8, y: y(v) + 4, "text-anchor": "end" }, number(v)))),
        marks.map((m) => svg("text.axis", { x: x(m), y: high - 6, "text-anchor": "middle" },
            clock(m, data.to - data.from))),
        shapes(),
        flags().map((f) => svg("g.mark", { "data-grade": f.grade },
            svg("line", { x1: f.x, x2: f.x, y1: TOP - 4, y2: high - BOTTOM }),
            svg("path", { d: `M${f.x - 6} ${TOP - 10}h12l-6 9z` }),
            f.n > 1 ? svg("text.axis", { x: f.x + 8, y: TOP - 2 }, String(f.n)) : null,
            svg("title", null, f.title))),
        cross);
        const go = (i) => {
            at = Math.max(0, Math.min(n - 1, i));
            cross.setAttribute("x1", x(mid(at)));
            cross.setAttribute("x2", x(mid(at)));
            cross.setAttribute("visibility", "visible");
            tell();
        };
        next.addEventListener("pointermove", (e) => {
            const left = next.getBoundingClientRect().left;
            const time = data.from + ((e.clientX - left - LEFT) / (width - LEFT - RIGHT)) * (data.to - data.from);
            if (n) go(Math.floor((time - data.from) / data.step));
        });
        const leave = () => {
            readout.hidden = true;
            cross.setAttribute("visibility", "hidden");
        };
        next.addEventListener("pointerleave", leave);
        next.addEventListener("blur", leave);
        next.addEventListener("keydown", (e) => {
            if (!n || (e.key !== "ArrowLeft" && e.key !== "ArrowRight")) return;
            e.preventDefault();
            go(at < 0 ? n - 1 : at + (e.key === "ArrowRight" ? 1 : -1));
            says.textContent = readout.textContent;
        });
        if (picture) picture.replaceWith(next);
        else box.append(next);
        picture = next;
    }

    function tell() {
        const rows = data.series.map((s) => ({ s, v: s.count[at] || 0, e: s.expected?.[at] }))
            .filter((r) => r.v || r.e).sort((a, b) => b.v - a.v).slice(0, 8);
        replace(readout, h("div.readout-time", null, clock(mid(at) - data.step / 2, data.to - data.from),
            " – ", clock(mid(at) + data.step / 2, data.to - data.from)),
        rows.length ? rows.map((r) => h("div.readout-row", null,
            h("i", { style: { background: `var(${r.s.color})` } }), h("span", null, r.s.name),
            h("b", null, number(r.v)),
            r.e !== undefined && r.e !== null ? h("span.note", null, t("chart.expected.is", { n: r.e.toFixed(1) })) : null))
            : h("div.note", null, t("chart.nothing")));
        readout.hidden = false;
        const px = x(mid(at));
        readout.style.setProperty("left", px > width / 2 ? "auto" : px + 14 + "px");
        readout.style.setProperty("right", px > width / 2 ? width - px + 14 + "px" : "auto");
    }

    const watch = new ResizeObserver(() => {
        if (box.clientWidth && Math.abs(box.clientWidth - width) > 1) draw();
    });
    watch.observe(box);
    box.append(readout, says);
    draw();
    box.end = () => watch.disconnect();
    return box;
}

/* rows × columns of counts; the darker the more. */
export function heatMap(rows, columns, value, title, colorOf, head) {
    const most = Math.max(1, ...rows.flatMap((r) => columns.map((c) => value(r, c))));
    return h("div.scroll", { tabindex: "0", role: "region", "aria-label": title },
        h("table.heat", null, h("caption.hidden-text", null, title),
            h("thead", null, h("tr", null, h("td"), columns.map((c) => h("th", { scope: "col" }, c.name ?? pretty(c))))),
            h("tbody", null, rows.map((r) => h("tr", null, h("th", { scope: "row", dir: "auto" }, head ? head(r) : pretty(r.name ?? r)),
                columns.map((c) => {
                    const v = value(r, c);
                    const share = v / most;
                    return h("td" + (share > 0.55 ? ".strong" : ""), {
                        style: { "--heat": (v ? 0.06 + 0.94 * Math.sqrt(share) : 0).toFixed(3),
                            "--tint": `var(${colorOf?.(c) || "--heat-color"})` },
                        title: `${pretty(r.name ?? r)} · ${c.name ?? pretty(c)}: ${number(v)}`,
                    }, v ? number(v) : h("span.hidden-text", null, "0"));
                }))))));
}

/* A curve of training: {epoch, loss, score} points as two small line pictures on one axis. */
export function curve(points) {
    const w = 320, high = 120, left = 34, bottom = 20;
    const epochs = points.map((p) => p.epoch);
    const lo = Math.min(...epochs), hi = Math.max(...epochs, lo + 1);
    const px = (e) => left + ((e - lo) / (hi - lo)) * (w - left - 34);
    const line = (name, kind, side) => {
        const values = points.filter((p) => typeof p[name] === "number");
        if (values.length < 2) return null;
        const all = values.map((p) => p[name]);
        const low = Math.min(...all), up = Math.max(...all, low + 1e-6);
        const py = (v) => high - bottom - ((v - low) / (up - low)) * (high - bottom - 12);
        const tx = side ? w - 30 : left - 4, anchor = side ? "start" : "end";
        return svg("g." + kind, null,
            svg("polyline.line", { points: values.map((p) => `${px(p.epoch).toFixed(1)},${py(p[name]).toFixed(1)}`).join(" ") }),
            svg("text.axis", { x: tx, y: 14, "text-anchor": anchor }, up.toPrecision(3)),
            svg("text.axis", { x: tx, y: high - bottom, "text-anchor": anchor }, low.toPrecision(3)));
    };
    return h("figure.curve", null,
        svg("svg", { viewBox: `0 0 ${w} ${high}`, role: "img", "aria-label": t("models.curve.label", {
            n: points.length, score: points[points.length - 1]?.score ?? "–" }) },
        svg("line.grid", { x1: left, x2: w - 34, y1: high - bottom, y2: high - bottom }),
        line("loss", "loss", false), line("score", "quality", true),
        svg("text.axis", { x: left, y: high - 4 }, String(lo)),
        svg("text.axis", { x: w - 34, y: high - 4, "text-anchor": "end" }, String(hi))),
        h("figcaption", null, h("span.key.loss", null, t("models.loss")), h("span.key.quality", null, t("models.score")),
            h("span.note", null, t("models.epochs"))));
}
