/* list.js: a list of any length of which only the rows in sight exist. Rows have one height. */
import { h } from "./dom.js";

/* make(item, index) gives a row's element; near() is called when the end comes into sight. */
export class VirtualList {
    constructor({ label, height, make, key, near, id }) {
        Object.assign(this, { height, make, key, near });
        this.items = [];
        this.rows = new Map();
        this.selected = null; /* key */
        this.room = h("div.rows");
        this.node = h("div.list", { role: "list", "aria-label": label, tabindex: "-1", id,
            onscroll: () => this.draw() }, this.room);
        this.watch = new ResizeObserver(() => this.draw());
        this.watch.observe(this.node);
    }

    set(items) {
        this.items = items;
        this.rows.clear();
        this.room.replaceChildren();
        this.draw();
    }

    /* n items were put before the others; who has scrolled keeps what is in sight. */
    grown(n) {
        const top = this.node.scrollTop;
        if (top > 0) {
            this.room.style.setProperty("height", this.items.length * this.height + "px");
            this.node.scrollTop = top + n * this.height;
        }
        this.draw();
    }

    /* Draws the row of this key again. */
    refresh(key) {
        const row = this.rows.get(key);
        if (!row) return;
        const inside = row.contains(document.activeElement);
        const spot = inside ? document.activeElement.dataset.act : null;
        row.remove();
        this.rows.delete(key);
        this.draw();
        if (inside) {
            const now = this.rows.get(key);
            (now?.querySelector(`[data-act="${spot}"]`) || now)?.focus({ preventScroll: true });
        }
    }

    draw() {
        this.room.style.setProperty("height", this.items.length * this.height + "px");
        const high = this.node.clientHeight || 600;
        const first = Math.max(0, Math.floor(this.node.scrollTop / this.height) - 4);
        const last = Math.min(this.items.length, first + Math.ceil(high / this.height) + 9);
        const wanted = new Set();
        let before = null;
        for (let i = first; i < last; i++) {
            const item = this.items[i];
            const key = this.key(item);
            wanted.add(key);
            let row = this.rows.get(key);
            if (!row) {
                row = this.make(item, i);
                this.rows.set(key, row);
            }
            row.style.setProperty("transform", `translateY(${i * this.height}px)`);
            row.setAttribute("aria-posinset", i + 1);
            row.setAttribute("aria-setsize", this.items.length);
            row.classList.toggle("selected", key === this.selected);
            if (key === this.selected) row.setAttribute("aria-current", "true");
            else row.removeAttribute("aria-current");
            row.tabIndex = key === this.selected || (this.selected === null && i === 0) ? 0 : -1;
            /* order of the elements is that of reading, for who tabs and listens */
            const spot = before ? before.nextSibling : this.room.firstChild;
            if (spot !== row) {
                const active = document.activeElement;
                const held = row.contains(active);
                this.room.insertBefore(row, spot);
                if (held) active.focus({ preventScroll: true });
            }
            before = row;
        }
        for (const [key, row] of this.rows)
            if (!wanted.has(key)) {
                row.remove();
                this.rows.delete(key);
            }
        this.first = first;
        this.last = last;
        if (last >= this.items.length - 5) this.near?.();
    }

    inSight() {
        const first = Math.floor(this.node.scrollTop / this.height);
        const n = Math.ceil((this.node.clientHeight || 600) / this.height) + 1;
        return this.items.slice(first, first + n);
    }

    /* Chooses the item at index and brings it into sight. */
    select(index, focus) {
        if (!this.items.length) return null;
        const i = Math.max(0, Math.min(this.items.length - 1, index));
        this.selected = this.key(this.items[i]);
        const top = i * this.height, node = this.node;
        if (top < node.scrollTop) node.scrollTop = top;
        else if (top + this.height > node.scrollTop + node.clientHeight)
            node.scrollTop = top + this.height - node.clientHeight;
        this.draw();
        if (focus) this.rows.get(this.selected)?.focus({ preventScroll: true });
        return this.items[i];
    }

    index() {
        return this.items.findIndex((item) => this.key(item) === this.selected);
    }

    end() {
        this.watch.disconnect();
    }
}
