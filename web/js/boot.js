/* boot.js: before the first paint: the theme that was chosen, so that nothing flashes. */
"use strict";
(() => {
    let theme = null;
    try {
        theme = localStorage.getItem("heed.theme");
    } catch {
        /* storage is off: the system's theme it is */
    }
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
