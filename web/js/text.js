/* text.js: places in a text: byte offsets of the server's answers turned into places of a string,
 * attended words shaded by their weight, entities underlined, hits marked. */
import { h } from "./dom.js";
import { pretty, percent, t } from "./i18n.js";

/* Turns offsets in UTF-8 bytes into places in the string. */
export function places(text) {
    if (/^[\x00-\x7f]*$/.test(text)) return (byte) => Math.min(byte, text.length);
    const at = [];
    let i = 0;
    for (const c of text) {
        const code = c.codePointAt(0);
        const size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        for (let k = 0; k < size; k++) at.push(i);
        i += c.length;
    }
    at.push(i);
    return (byte) => at[Math.min(byte, at.length - 1)];
}

/* [{from,to,…}] of the pieces that lie in the text; one whose place says another text is searched
 * for. */
function placed(text, pieces) {
    const place = places(text);
    const list = [];
    for (const piece of pieces || []) {
        let from = piece.from ?? place(piece.begin ?? 0);
        let to = piece.to ?? place(piece.end ?? 0);
        if (piece.text && text.slice(from, to) !== piece.text) {
            from = text.toLowerCase().indexOf(String(piece.text).toLowerCase());
            to = from + String(piece.text).length;
        }
        if (from >= 0 && to > from && to <= text.length) list.push({ ...piece, from, to });
    }
    return list.sort((a, b) => a.from - b.from);
}

/* The words of an explanation that are to be shaded: none where all weigh about the same. */
export const attended = (answer) => (answer?.alike ? [] : answer?.words);

/* Weight 1 for the strongest word. */
export function strengths(words) {
    const most = Math.max(1e-9, ...(words || []).map((w) => w.weight));
    return (words || []).map((w) => ({ ...w, strength: Math.max(0, w.weight / most) }));
}

/* The text as nodes: words of strength above 0.22 shaded, entities marked with their type. */
export function shaded(text, words, entities) {
    const marks = placed(text, strengths(words)).filter((w) => w.strength >= 0.22);
    const names = placed(text, entities);
    const cuts = new Set([0, text.length]);
    for (const m of [...marks, ...names]) cuts.add(m.from).add(m.to);
    const sorted = [...cuts].sort((a, b) => a - b);
    const nodes = [];
    let open = null; /* the entity whose pieces are gathered */
    for (let i = 0; i + 1 < sorted.length; i++) {
        const from = sorted[i], to = sorted[i + 1];
        let node = document.createTextNode(text.slice(from, to));
        const mark = marks.find((m) => m.from <= from && m.to >= to);
        if (mark)
            node = h("mark.attended", {
                style: { "--w": mark.strength.toFixed(3) },
                title: t("event.weight", { weight: percent(mark.weight) }),
            }, node);
        const name = names.find((m) => m.from <= from && m.to >= to);
        if (!name) {
            open = null;
            nodes.push(node);
        } else if (open && open.name === name) {
            open.node.insertBefore(node, open.node.lastChild);
        } else {
            open = { name, node: h("span.entity", { "data-type": name.type }, node,
                h("span.entity-type", null, pretty(name.type))) };
            nodes.push(open.node);
        }
    }
    return nodes;
}

/* [{text,hit}] of the search's snippets. */
export const snippet = (pieces) =>
    (pieces || []).map((p) => (p.hit ? h("mark.hit", null, p.text) : document.createTextNode(p.text)));

/* Headings, lists, tables, code and paragraphs of a model's card as elements; all else as text. */
export function markdown(text) {
    const out = [];
    const lines = String(text || "").split("\n");
    const inline = (line) =>
        line.split(/(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\([^)\s]+\))/).map((piece) => {
            if (/^`.+`$/.test(piece)) return h("code", null, piece.slice(1, -1));
            if (/^\*\*.+\*\*$/.test(piece)) return h("strong", null, piece.slice(2, -2));
            const link = /^\[(.+)\]\((.+)\)$/.exec(piece);
            if (link) return outside(link[2], link[1]);
            return piece;
        });
    for (let i = 0; i < lines.length; i++) {
        const line = lines[i];
        if (/^```/.test(line)) {
            const code = [];
            for (i++; i < lines.length && !/^```/.test(lines[i]); i++) code.push(lines[i]);
            out.push(h("pre", null, h("code", null, code.join("\n"))));
        } else if (/^#{1,6} /.test(line)) {
            out.push(h("h4", null, inline(line.replace(/^#+ /, ""))));
        } else if (/^\s*\|.*\|\s*$/.test(line)) {
            const rows = [];
            for (; i < lines.length && /^\s*\|.*\|\s*$/.test(lines[i]); i++)
                if (!/^[\s|:-]+$/.test(lines[i]) || rows.length === 0)
                    rows.push(lines[i].trim().slice(1, -1).split("|").map((c) => c.trim()));
            i--;
            const cells = rows.filter((r) => r.some((c) => c && !/^-+$/.test(c)));
            out.push(h("div.scroll", null, h("table.plain", null, h("tbody", null, cells.map((r) =>
                h("tr", null, r.map((c) => h("td", null, inline(c)))))))));
        } else if (/^\s*[-*] /.test(line)) {
            const items = [];
            for (; i < lines.length && /^\s*[-*] /.test(lines[i]); i++)
                items.push(h("li", null, inline(lines[i].replace(/^\s*[-*] /, ""))));
            i--;
            out.push(h("ul", null, items));
        } else if (line.trim()) {
            const words = [line];
            while (i + 1 < lines.length && lines[i + 1].trim() && !/^(#|```|\s*[-*] |\s*\|)/.test(lines[i + 1]))
                words.push(lines[++i]);
            out.push(h("p", null, inline(words.join(" "))));
        }
    }
    return out;
}

/* A link to another site, where the address is one of the web; else its text. */
export function outside(url, text) {
    let address = null;
    try {
        address = new URL(url);
    } catch {
        /* no address */
    }
    if (!address || !/^https?:$/.test(address.protocol)) return h("span", null, text ?? url);
    return h("a", { href: address.href, rel: "noopener noreferrer nofollow", target: "_blank" },
        text ?? url);
}
