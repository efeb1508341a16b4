/* models.js: which models are at work: their cards, their training, and what one that was trained
 * again would change before it is put in their place. */
import { flow, get, post } from "../api.js";
import { curve } from "../chart.js";
import { h, icon, replace } from "../dom.js";
import { number, pretty, t, word } from "../i18n.js";
import { markdown } from "../text.js";
import { button, card, chip, complain, dialog, empty, facts, failure, loading, select, show, toast } from "../widgets.js";

function modelCard(m) {
    const labels = m.labels || [];
    return h("section.card.model", { "aria-label": m.id },
        h("div.card-head", null, h("h3.model-name", { dir: "auto" }, m.id), h("span.tag", null, word("task", m.task || "model"))),
        facts([
            [t("models.parameters"), typeof m.parameters === "number" ? number(m.parameters) : null],
            [t("models.labels"), labels.length ? number(labels.length) : null],
            [t("models.sha"), m.sha ? h("code", { title: m.sha }, String(m.sha).slice(0, 12)) : null],
        ]),
        m.curve?.length > 1 ? curve(m.curve) : null,
        labels.length ? h("details", null, h("summary", null, t("models.show.labels", { n: labels.length })),
            h("div.chips", null, labels.slice(0, 400).map((l) => chip(l, "")))) : null,
        m.card ? h("details.model-card", null, h("summary", null, t("models.card")), h("div.prose", null, markdown(m.card))) : null);
}

export async function models(params, app) {
    const place = h("div.model-list");
    const setup = await flow().catch(() => ({ analyses: [] }));
    const classifiers = setup.analyses.filter((a) => a.kind === "classify");
    const path = h("input", { type: "text", name: "model", required: true, placeholder: t("models.again.path"),
        "aria-label": t("models.again.path"), spellcheck: "false" });
    let analysis = classifiers[0]?.name || "";
    const outcome = h("div", { "aria-live": "polite" });

    async function compare() {
        replace(outcome, loading(3));
        try {
            const answer = await get("/v1/retrained", { model: path.value.trim(), analysis });
            const list = answer.changed || [];
            replace(outcome, h("p.compare-says", null, h("strong", null, number(list.length)), " ",
                t("models.again.of", { n: answer.n })),
            list.length ? h("div.scroll", null, h("table.table", null,
                h("thead", null, h("tr", null, ["models.again.text", "models.again.now", "models.again.then"].map((k) =>
                    h("th", { scope: "col" }, t(k))))),
                h("tbody", null, list.slice(0, 200).map((c) => h("tr", null,
                    h("td", { dir: "auto" }, h("a", { href: `#/event/${c.seq}` }, c.text)),
                    h("td", null, chip(c.now?.label ?? c.now)), h("td", null, chip(c.then?.label ?? c.then, "corrected"))))))) : null,
            h("p.note", null, t("models.again.switch")));
        } catch (e) {
            replace(outcome, failure(e));
        }
    }

    function reload() {
        const box = dialog(t("models.reload"), h("p", null, t("models.reload.text")), h("div.dialog-acts", null,
            button(t("cancel"), { onclick: () => box.close() }),
            h("button.button.primary", { type: "button", "data-act": "reload", onclick: async () => {
                box.close();
                try {
                    await post("/v1/reload", {});
                    await flow(true);
                    toast(t("models.reloaded"));
                    list();
                } catch (e) {
                    complain(e);
                }
            } }, t("models.reload"))));
    }

    const list = () => show(place, async () => {
        const answer = await get("/v1/models");
        const all = (answer.data || []).filter((m) => m.task || m.labels || m.parameters || m.card || true);
        return all.length ? all.map(modelCard) : empty("models", t("models.empty"), t("models.empty.text"));
    });

    list();
    return {
        title: t("nav.models"),
        node: h("div.page", null,
            h("div.toolbar", null, h("span.note", null, t("models.note")), h("span.grow"),
                button("", { onclick: reload }, icon("refresh"), h("span", null, t("models.reload")))),
            place,
            classifiers.length ? card(t("models.again"), h("p.note", null, t("models.again.text.long")),
                h("p", null, h("code", null, "heed train classify … --from-feedback heed.db")),
                h("form.compare", { onsubmit: (e) => {
                    e.preventDefault();
                    compare();
                } }, path, select(t("models.again.analysis"), classifiers.map((a) => [a.name, pretty(a.name)]), analysis,
                    (v) => (analysis = v)),
                h("button.button.primary", { type: "submit" }, t("models.again.go"))), outcome) : null),
    };
}
