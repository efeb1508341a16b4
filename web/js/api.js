/* api.js: requests to the server and its event stream. Every failure is a Problem with a sentence
 * for people; a server that asks for a key gets the one that was typed in. The stream is read by
 * fetch, which unlike EventSource can carry a key; it goes on from the last event seen. */
import { t } from "./i18n.js";

export class Problem extends Error {
    constructor(status, title, detail) {
        super(detail || title);
        this.status = status;
        this.title = title;
    }
}

let key = null;
try {
    key = sessionStorage.getItem("heed.key");
} catch {
    /* storage is off: kept for this page alone */
}
let ask = null; /* () => Promise of a key or null */
const PATIENCE = 60; /* how often a server that begins, and says so, is asked once more */
let asking = null;
export const whenKeyNeeded = (fn) => (ask = fn);

async function wanted() {
    asking ||= ask().finally(() => (asking = null));
    const given = await asking;
    if (!given) return false;
    key = given;
    try {
        sessionStorage.setItem("heed.key", key);
    } catch {
        /* as above */
    }
    return true;
}

export async function call(path, options = {}, again = true) {
    const headers = new Headers(options.headers);
    if (key) headers.set("Authorization", "Bearer " + key);
    let answer;
    try {
        answer = await fetch(path, { ...options, headers, cache: "no-store" });
    } catch (e) {
        if (e.name === "AbortError") throw e;
        throw new Problem(0, t("error.offline"), t("error.offline.detail"));
    }
    if (answer.ok) return answer;
    if (answer.status === 401 && again && ask && (await wanted())) return call(path, options, true);
    let problem = {};
    try {
        problem = await answer.json();
    } catch {
        /* not of the server's own making */
    }
    const told = new Problem(answer.status, problem.title || answer.statusText || t("error.title"),
        problem.detail || t("error.status", { status: String(answer.status) }));
    if (answer.status === 503) told.wait = Math.min(Number(answer.headers.get("Retry-After")) || 0, 10);
    throw told;
}

export async function get(path, query, signal) {
    const q = new URLSearchParams();
    for (const [name, value] of Object.entries(query || {}))
        if (value !== null && value !== undefined && value !== "") q.set(name, value);
    const text = q.toString();
    for (let left = PATIENCE; ; left--) {
        try {
            return await (await call(path + (text ? "?" + text : ""), { signal })).json();
        } catch (problem) {
            if (!problem.wait || left === 0) throw problem;
            await new Promise((go) => setTimeout(go, 1000 * problem.wait));
        }
    }
}

export async function post(path, body, signal) {
    const answer = await call(path, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
        signal,
    });
    return answer.json();
}

/* Server-Sent Events of a response: fn({event,data,id}) for each; heard() at every byte. */
export async function readEvents(answer, fn, heard) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "", event = "message", data = [], id = null;
    for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        heard?.();
        const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
        rest = lines.pop();
        for (const line of lines) {
            if (line === "") {
                if (data.length) fn({ event, data: data.join("\n"), id });
                event = "message";
                data = [];
            } else if (!line.startsWith(":")) {
                const colon = line.indexOf(":");
                const field = colon < 0 ? line : line.slice(0, colon);
                const text = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
                if (field === "event") event = text;
                else if (field === "data") data.push(text);
                else if (field === "id") id = text;
            }
        }
    }
}

/* The one stream of the page: "event", "alert", "stats" from the server, "state" ("connecting",
 * "live", "offline") of its own. */
class Live extends EventTarget {
    state = "connecting";
    last = null; /* id of the last event */
    stats = []; /* of the last minutes, oldest first */
    #pause = 500;
    #heard = 0;
    #started = false;

    start() {
        if (this.#started) return;
        this.#started = true;
        this.#run();
        window.addEventListener("online", () => this.#hurry?.());
        window.addEventListener("offline", () => this.#become("offline"));
        /* A browser has six connections to one server: a page that nobody looks at gives its own
         * back, and goes on where it was when somebody does. */
        window.addEventListener("pagehide", () => this.#sleep());
        window.addEventListener("pageshow", () => this.#wake());
        let away = 0;
        document.addEventListener("visibilitychange", () => {
            clearTimeout(away);
            if (document.hidden) away = setTimeout(() => this.#sleep(), 30000);
            else this.#wake();
        });
    }

    #stop = null;
    #asleep = null; /* wakes the loop */

    #sleep() {
        if (this.#asleep) return;
        this.sleeping = new Promise((go) => (this.#asleep = go));
        this.#stop?.abort();
    }

    #wake() {
        this.#asleep?.();
        this.#asleep = this.sleeping = null;
    }

    #hurry = null;

    #become(state) {
        if (state === this.state) return;
        this.state = state;
        this.dispatchEvent(new CustomEvent("state", { detail: state }));
    }

    async #run() {
        for (;;) {
            if (this.sleeping) await this.sleeping;
            const stop = new AbortController();
            this.#stop = stop;
            /* a comment comes every 15 s at least: longer silence is a line that is dead */
            this.#heard = Date.now();
            const watch = setInterval(() => {
                if (Date.now() - this.#heard > 40000) stop.abort();
            }, 5000);
            try {
                const headers = this.last === null ? {} : { "Last-Event-ID": this.last };
                const answer = await call("/v1/stream?topics=event,alert,stats",
                    { headers, signal: stop.signal });
                this.#become("live");
                this.#pause = 500;
                await readEvents(answer, (e) => this.#take(e), () => (this.#heard = Date.now()));
            } catch {
                /* told by the state */
            }
            clearInterval(watch);
            if (this.sleeping) continue;
            this.#become("offline");
            await new Promise((go) => {
                this.#hurry = go;
                setTimeout(go, this.#pause);
            });
            this.#pause = Math.min(10000, this.#pause * 2);
        }
    }

    #take({ event, data, id }) {
        let detail;
        try {
            detail = JSON.parse(data);
        } catch {
            return;
        }
        if (id !== null && event !== "stats") this.last = id;
        if (event === "stats") {
            this.stats.push(detail);
            if (this.stats.length > 180) this.stats.shift();
        }
        this.dispatchEvent(new CustomEvent(event, { detail }));
    }
}

export const live = new Live();

/* What the server is set up to do; asked for once, and again after a reload. */
let flowing = null;
export function flow(again) {
    if (!flowing || again) {
        flowing = get("/v1/flow").then((f) => ({ ...f, analyses: f.analyses || [],
            rules: f.rules || [], sources: f.sources || [], sinks: f.sinks || [] }));
        flowing.catch(() => (flowing = null));
    }
    return flowing;
}
