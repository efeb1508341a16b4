/* chat.js: a talk with the support desk: replies as they are written, what they rest on, and the
 * moment at which a person takes over. */
import { call, flow, readEvents } from "../api.js";
import { h, icon, replace } from "../dom.js";
import { percent, pretty, score, t, word } from "../i18n.js";
import { announce, button, chip, empty } from "../widgets.js";

const kept = { turns: [] }; /* {role, content, heed, failed} */

function sources(list) {
    return h("details.sources", null,
        h("summary", null, t("chat.sources", { n: list.length })),
        h("ol", null, list.map((s) => h("li", null,
            h("div.source-head", null, h("span", { dir: "auto" }, s.where || t("chat.source")),
                h("span.score", { title: t("chat.score") }, score(s.score, 2))),
            h("p", { dir: "auto" }, s.text)))));
}

function facts(heed) {
    const given = Object.entries(heed.facts || heed.slots || {}).filter(([k, v]) =>
        !["intent", "confidence"].includes(k) && v !== null && typeof v !== "object");
    return given.length ? h("dl.facts.small", null, given.map(([k, v]) =>
        h("div", null, h("dt", null, pretty(k)), h("dd", { dir: "auto" }, String(v))))) : null;
}

function bubble(turn) {
    const mine = turn.role === "user";
    const heed = turn.heed;
    const over = heed?.handed_over || heed?.kind === "hand_over";
    return h("div.turn" + (mine ? ".mine" : ""), null,
        h("span.hidden-text", null, t(mine ? "chat.you" : "chat.desk")),
        mine ? null : h("span.avatar", { "aria-hidden": "true" }, icon(over ? "person" : "chat")),
        h("div.turn-body", null,
            h("div.bubble" + (turn.failed ? ".failed" : ""), { dir: "auto" },
                turn.content || (turn.waiting ? h("span.typing", { role: "status", "aria-label": t("chat.writing") },
                    h("i"), h("i"), h("i")) : "")),
            over ? h("div.handed", { role: "note" }, icon("person"), h("div", null, h("strong", null, t("chat.handed")),
                h("p", null, t("chat.handed.text")))) : null,
            heed ? h("div.turn-meta", null,
                heed.kind ? h("span.tag", null, word("kind", heed.kind)) : null,
                heed.intent ? chip(heed.intent) : null,
                typeof heed.confidence === "number" ? h("span.note", null, t("confidence") + " " + percent(heed.confidence)) : null) : null,
            heed ? facts(heed) : null,
            heed?.sources?.length ? sources(heed.sources) : null));
}

export async function chat(params, app) {
    const talk = h("div.talk", { role: "log", "aria-label": t("chat.log"), "aria-live": "off", tabindex: "0" });
    const input = h("textarea", { rows: "1", placeholder: t("chat.placeholder"), "aria-label": t("chat.placeholder"),
        maxlength: "4000", dir: "auto" });
    const go = h("button.button.primary", { type: "submit", "aria-label": t("chat.send") }, icon("send"),
        h("span.wide-only", null, t("chat.send")));
    let stop = null, ended = false;

    function draw() {
        if (!kept.turns.length) {
            replace(talk, h("div.empty", null, h("div.empty-picture", null, icon("chat")),
                h("h3", null, t("chat.start")), h("p", null, t("chat.start.text")),
                h("div.starters", null, ["1", "2", "3", "4"].map((n) => {
                    const text = t("chat.starter." + n);
                    return button(text, { onclick: () => send(text) });
                }))));
            return;
        }
        replace(talk, kept.turns.map(bubble));
        talk.scrollTop = talk.scrollHeight;
    }
    function drawLast() {
        talk.lastChild?.replaceWith(bubble(kept.turns[kept.turns.length - 1]));
        talk.scrollTop = talk.scrollHeight;
    }

    async function send(text) {
        if (stop || !text.trim()) return;
        const turn = { role: "assistant", content: "", waiting: true, heed: null };
        const messages = [...kept.turns.filter((x) => !x.failed && x.content), { role: "user", content: text }]
            .map(({ role, content }) => ({ role, content }));
        kept.turns.push({ role: "user", content: text }, turn);
        draw();
        stop = new AbortController();
        go.disabled = true;
        try {
            const answer = await call("/v1/chat/completions", { method: "POST", signal: stop.signal,
                headers: { "Content-Type": "application/json" },
                body: JSON.stringify({ model: "desk", stream: true, messages }) });
            await readEvents(answer, ({ data }) => {
                if (data === "[DONE]") return;
                const part = JSON.parse(data);
                turn.content += part.choices?.[0]?.delta?.content || "";
                if (part.heed) turn.heed = part.heed;
                drawLast();
            });
            if (!turn.content) turn.content = t("chat.silent");
            announce(turn.content);
        } catch (e) {
            if (e.name === "AbortError" && ended) return;
            turn.failed = true;
            turn.content = e.message;
        }
        turn.waiting = false;
        stop = null;
        go.disabled = false;
        drawLast();
    }

    const submit = () => {
        const text = input.value.trim();
        if (stop || !text) return;
        input.value = "";
        fit();
        send(text);
    };
    const fit = () => {
        input.style.setProperty("height", "auto");
        input.style.setProperty("height", Math.min(160, input.scrollHeight) + "px");
    };
    input.addEventListener("input", fit);
    input.addEventListener("keydown", (e) => {
        if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
            e.preventDefault();
            submit();
        }
    });
    const setup = await flow().catch(() => ({}));
    if (setup.desk === false)
        return { title: t("nav.chat"), node: h("div.page", null, empty("chat", t("chat.none"), t("chat.none.text"))) };
    draw();
    return {
        title: t("nav.chat"),
        node: h("div.chat", null,
            h("div.toolbar", null, h("span.note", null, t("chat.note")), h("span.grow"),
                button(t("chat.new"), { onclick: () => {
                    stop?.abort();
                    stop = null;
                    kept.turns = [];
                    go.disabled = false;
                    draw();
                    input.focus();
                } })),
            talk,
            h("form.composer", { onsubmit: (e) => {
                e.preventDefault();
                submit();
            } }, input, go)),
        shown: () => {
            talk.scrollTop = talk.scrollHeight;
            input.focus();
        },
        end() {
            ended = true;
            stop?.abort();
        },
    };
}
