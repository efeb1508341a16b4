/* dom.js: elements made by code. Text enters as text nodes alone, so that no text can become
 * markup; the server's policy (require-trusted-types-for) forbids any other way. */

const SVG = "http://www.w3.org/2000/svg";

function fill(node, props, children) {
    for (const [name, value] of Object.entries(props || {})) {
        if (value === null || value === undefined || value === false) continue;
        if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
        else if (name === "style")
            for (const [key, v] of Object.entries(value)) node.style.setProperty(key, v);
        else if (name === "value") node.value = value;
        else node.setAttribute(name, value === true ? "" : String(value));
    }
    node.append(...children.flat(4).filter((c) => c !== null && c !== undefined && c !== false));
    return node;
}

/* h("button.primary", { onclick, "aria-label": … }, "text", child, …) */
export function h(kind, props, ...children) {
    const [tag, ...classes] = kind.split(".");
    const node = document.createElement(tag || "div");
    if (classes.length) node.className = classes.join(" ");
    return fill(node, props, children);
}

export function svg(kind, props, ...children) {
    const [tag, ...classes] = kind.split(".");
    const node = document.createElementNS(SVG, tag);
    if (classes.length) node.setAttribute("class", classes.join(" "));
    return fill(node, props, children);
}

export function replace(node, ...children) {
    node.replaceChildren(...children.flat(4).filter((c) => c !== null && c !== undefined && c !== false));
    return node;
}

/* Pictures of 24 by 24, drawn by lines. */
const PATHS = {
    inbox: "M3 13h5l1.5 3h5L16 13h5M5.5 5h13L21 13v5a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 18v-5z",
    monitor: "M3 20h18M4 15l5-5 4 4 7-8M20 11V6h-5",
    alert: "M12 3a6 6 0 0 0-6 6c0 6-2 7-2 8h16c0-1-2-2-2-8a6 6 0 0 0-6-6zM10 20.5a2.2 2.2 0 0 0 4 0",
    search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L21 21",
    chat: "M4 5h16v11H10l-4.5 4v-4H4zM8 9h8M8 12h5",
    models: "M12 3l8.5 4.5v9L12 21l-8.5-4.5v-9zM3.5 7.5L12 12l8.5-4.5M12 12v9",
    system: "M4 5h16v6H4zM4 13h16v6H4zM7.5 8h.01M7.5 16h.01M11 8h6M11 16h6",
    up: "M7 11v9H4v-9zM7 11l4-8c1.5 0 2.5 1 2.5 2.5V9H19a1.8 1.8 0 0 1 1.8 2.1l-1.2 7.3A2 2 0 0 1 17.600 20H7",
    down: "M17 13V4h3v9zM17 13l-4 8c-1.500 0-2.500-1-2.500-2.500V15H5a1.800 1.800 0 0 1-1.800-2.100l1.200-7.300A2 2 0 0 1 6.400 4H17",
    pause: "M8 5v14M16 5v14",
    play: "M7 4.500v15l12-7.500z",
    close: "M6 6l12 12M18 6L6 18",
    back: "M20 12H5M11 6l-6 6 6 6",
    pencil: "M4 20l1-4.500L16.500 4a2 2 0 0 1 3 0l.5.5a2 2 0 0 1 0 3L8.500 19zM14.500 6l3.500 3.500",
    sun: "M12 16.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9zM12 2v2.500M12 19.500V22M2 12h2.500M19.500 12H22M5 5l1.700 1.700M17.300 17.300L19 19M5 19l1.700-1.700M17.300 6.700L19 5",
    moon: "M20 14.500A8.500 8.500 0 0 1 9.500 4 8.500 8.500 0 1 0 20 14.500z",
    auto: "M12 3.500a8.500 8.500 0 1 0 0 17zM12 3.500a8.500 8.500 0 0 1 0 17",
    help: "M9 9a3 3 0 1 1 4.500 2.600c-1 .6-1.500 1.200-1.500 2.400M12 17.500h.01",
    check: "M4.500 12.500l5 5 10-11",
    stack: "M12 4l9 4.500-9 4.500-9-4.500zM3 13l9 4.500 9-4.500",
    send: "M4 12l16-8-5 17-3.500-7z",
    person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.500 20.500c1-4 4-5.500 7.500-5.500s6.500 1.500 7.500 5.500",
    refresh: "M20 5v5h-5M4 19v-5h5M19 10a7.500 7.500 0 0 0-13.500-2M5 14a7.500 7.500 0 0 0 13.500 2",
    link: "M14 5h5v5M19 5l-8 8M17 13v5.500H5.500V7H11",
    silence: "M4 4l16 16M9.500 4a6 6 0 0 1 8.500 5c0 3 .5 5 1 6M6.500 7.500C6 12.500 4 16 4 17h13M10 20.500a2.200 2.200 0 0 0 4 0",
};

export function icon(name) {
    return svg("svg.icon", { viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" },
        svg("path", { d: PATHS[name] }));
}
