/* i18n.js: words in the chosen language, one dictionary a language (web/lang), and numbers, times
 * and sizes as they are written there. */
import en from "../lang/en.js";
import zh from "../lang/zh.js";

const tongues = { en, zh };
export const languages = { en: "English", zh: "中文" };

export const store = {
    get(name) {
        try {
            return localStorage.getItem("heed." + name);
        } catch {
            return null;
        }
    },
    set(name, value) {
        try {
            if (value === null) localStorage.removeItem("heed." + name);
            else localStorage.setItem("heed." + name, value);
        } catch {
            /* storage is off: kept for this page alone */
        }
    },
};

function chosen() {
    const kept = store.get("language");
    if (tongues[kept]) return kept;
    return (navigator.language || "en").toLowerCase().startsWith("zh") ? "zh" : "en";
}

export let language = chosen();

export function speak(name) {
    language = tongues[name] ? name : "en";
    store.set("language", language);
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
}

/* {name} in a text stands for values.name; of "one|many" values.n chooses. */
export function t(key, values) {
    let text = tongues[language][key] ?? en[key] ?? key;
    if (values && "n" in values && text.includes("|"))
        text = text.split("|")[Number(values.n) === 1 ? 0 : 1];
    return text.replace(/\{(\w+)\}/g, (all, name) => {
        const value = values?.[name];
        return typeof value === "number" ? number(value) : (value ?? all);
    });
}

/* A word of the server's (a state, a grade, a kind) where the dictionary has it, else as it is. */
export function word(group, name) {
    const key = group + "." + name;
    return tongues[language][key] ?? en[key] ?? String(name ?? "");
}

const locale = () => (language === "zh" ? "zh-CN" : "en-GB");

export const number = (x, digits = 0) =>
    Number(x).toLocaleString(locale(), { maximumFractionDigits: digits, minimumFractionDigits: 0 });

export const percent = (x) => (x >= 0.9995 || x <= 0 ? Math.round(x * 100) : (x * 100).toFixed(1)) + "%";

export const score = (x, digits = 3) => (typeof x === "number" ? x.toFixed(digits) : "–");

export function bytes(n) {
    const units = ["B", "KB", "MB", "GB", "TB"];
    let i = 0;
    for (; n >= 1024 && i < units.length - 1; i++) n /= 1024;
    return (n < 10 && i > 0 ? n.toFixed(1) : Math.round(n)) + " " + units[i];
}

const pad = (n) => String(n).padStart(2, "0");

export function when(text, long) {
    const time = new Date(text);
    if (Number.isNaN(time.getTime())) return "";
    if (long) return time.toLocaleString(locale(), { dateStyle: "medium", timeStyle: "medium" });
    const clock = `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`;
    const now = new Date();
    if (time.toDateString() === now.toDateString()) return clock;
    const day = { day: "numeric", month: "short" };
    if (time.getFullYear() !== now.getFullYear()) day.year = "numeric";
    return time.toLocaleDateString(locale(), day) + " " + clock.slice(0, 5);
}

export function span(seconds) {
    const s = Math.max(0, Math.round(seconds));
    if (s < 60) return t("time.s", { n: s });
    if (s < 3600) return t("time.min", { n: Math.round(s / 60) });
    if (s < 172800) return t("time.h", { n: Math.round(s / 3600) });
    return t("time.d", { n: Math.round(s / 86400) });
}

/* card_arrival: card arrival; a/b: a › b */
export const pretty = (label) => String(label ?? "").replaceAll("_", " ").replaceAll("/", " › ");
