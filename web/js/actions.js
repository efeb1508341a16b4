/* actions.js: what a person says of an event, each with its undo, and the attended words of events,
 * asked for one after the other and kept. */
import { get, post } from "./api.js";
import { pretty, t } from "./i18n.js";
import { complain, toast } from "./widgets.js";

/* Told of every change: detail is {seq, vote, corrected}; views may hold the event as objects of
 * their own. */
export const changes = new EventTarget();
const changed = ({ seq, vote: v, corrected }) =>
    changes.dispatchEvent(new CustomEvent("change", { detail: { seq, vote: v, corrected } }));

async function undone(entry, back) {
    try {
        await post("/v1/undo", { entry });
        back();
        toast(t("undo.done"));
    } catch (e) {
        complain(e);
    }
}

export async function vote(event, wanted) {
    const before = event.vote || null;
    const now = before === wanted ? null : wanted;
    const become = (v) => {
        event.vote = v;
        changed(event);
    };
    become(now);
    try {
        const { seq } = await post("/v1/feedback", { seq: event.seq, vote: now || "none" });
        toast(t(now === "up" ? "vote.up.done" : now === "down" ? "vote.down.done" : "vote.none.done"),
            t("undo"), () => undone(seq, () => become(before)));
    } catch (e) {
        become(before);
        complain(e);
    }
}

export async function correct(event, analysis, label) {
    const before = event.corrected?.[analysis];
    const become = (l) => {
        event.corrected = { ...event.corrected };
        if (l === undefined) delete event.corrected[analysis];
        else event.corrected[analysis] = l;
        changed(event);
    };
    become(label);
    try {
        const { seq } = await post("/v1/feedback", { seq: event.seq, analysis, label });
        toast(t("correct.done", { label: pretty(label) }), t("undo"),
            () => undone(seq, () => become(before)));
    } catch (e) {
        become(before);
        complain(e);
    }
}

export async function split(story, seq, after) {
    try {
        const { seq: entry } = await post(`/v1/stories/${story}/split`, { seq });
        after();
        toast(t("story.split.done"), t("undo"), () => undone(entry, after));
    } catch (e) {
        complain(e);
    }
}

/* ack, close or silence an alert; gives it as it is then, and `after(alert)` again when undone */
export async function act(alert, what, after) {
    const answer = await post(`/v1/alerts/${alert.id}`, what);
    after(answer);
    const entry = answer.entry;
    toast(t("alert.done." + what.do), entry ? t("undo") : null, () =>
        undone(entry, async () => after(await get(`/v1/alerts/${alert.id}`))));
}

/* -- attended words --------------------------------------------------------------------------- */

const MOST_KNOWN = 2000;
const known = new Map(); /* seq: answer, the oldest first */
let waiting = []; /* of rows; the last asked for goes first */
let running = 0;
let rest = 0; /* not before this time: the server had enough to do */

async function fetchWords(seq) {
    const answer = await post("/v1/explain", { seq });
    known.set(seq, answer);
    if (known.size > MOST_KNOWN) known.delete(known.keys().next().value);
    return answer;
}

async function work() {
    while (running < 2 && waiting.length && Date.now() >= rest) {
        const { seq, done } = waiting.pop();
        running++;
        try {
            done(known.get(seq) || (await fetchWords(seq)));
        } catch (e) {
            if (e.status === 429 || e.status === 503 || e.status === 0) rest = Date.now() + 5000;
            else known.set(seq, { words: [] });
        }
        running--;
    }
}

export const explained = (seq) => known.get(seq) || null;

/* For an opened event: at once, with its failures. */
export const explain = async (seq) => {
    const have = known.get(seq);
    return have?.label !== undefined ? have : fetchWords(seq);
};

/* For the rows in sight: done(answer) when it is there; what was asked for before and has not begun
 * is out of sight by now. */
export function explainRows(seqs, done) {
    waiting = seqs.filter((seq) => !known.has(seq)).reverse().map((seq) => ({ seq, done: () => done(seq) }));
    work();
    work();
}
