/* The keys of the page, in a dialog that "?" opens; and a legend of the colours and marks of each view. */

import { button, h } from "./dom.js";

const KEYS = [
  ["?", "this list"],
  ["Ctrl Z", "undo; so does the browser’s Back"],
  ["Ctrl Shift Z, Ctrl Y", "redo"],
  ["↑ ↓", "in a number field, or on a bit: one ulp up or down; with Shift ten, Page up and Page down sixteen"],
  ["← →, Home, End", "on a bit: to another bit"],
  ["0 1, Space", "on a bit: set it, flip it"],
  ["← → + −", "on the number line: one ulp, and zoom"],
  ["← → ↑ ↓", "on a block: another number, and the number itself by 2^(1/8) (with Shift by 2, Page up and Page down by 16); − its sign, 0 a zero"],
  ["↑ ↓ ← →", "on a term of a matrix unit: another term, and the term itself by one place (Page up and Page down by 8); − its sign, 0 a zero"],
  ["arrows, Enter", "on the pairs: to another cell (with Shift sixteen), and to its steps"],
  ["Esc", "close this list"],
];

/** A dialog that lists the keys: {element, open}. */
export function keysDialog() {
  const close = button("Close", () => element.close(), { class: "primary" });
  const rows = KEYS.map(([key, words]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, words)));
  const element = h("dialog", { class: "card keys", "aria-label": "Keys" }, h("h2", {}, "Keys"), h("dl", {}, rows), close);
  element.addEventListener("click", (event) => { if (event.target === element) element.close(); });
  return { element, open: () => { if (!element.open) element.showModal(); } };
}

const FIELDS = [["sign", "sign"], ["exponent", "exponent"], ["significand", "significand"]];
const swatch = (kind) => h("span", { class: `swatch ${kind}`, "aria-hidden": "true" });
const bitSwatch = (field) => h("span", { class: `swatch-pair ${field}`, "aria-hidden": "true" }, h("span", { class: "swatch one" }, "1"), h("span", { class: "swatch zero" }, "0"));

const MARKS = {
  number: [
    ...FIELDS.map(([field, words]) => [bitSwatch(field), words]), [null, "full: 1, pale: 0"],
    [swatch("diamond"), "what you typed"], [swatch("dot"), "what is stored"], [swatch("band"), "all numbers that round to it"],
    [null, "ulp: the distance to the next number of the format"],
  ],
  formats: [[swatch("bar"), "bits that are right: longer is more accurate"], [null, "ulp: the distance between numbers of that format there"]],
  line: [
    [swatch("diamond"), "what you typed"], [swatch("dot"), "what is stored"], [swatch("band"), "all numbers that round to it"],
    [swatch("rule"), "a number of the format, longer at a power of two; where they are dense, a column shows how many"],
  ],
  arithmetic: [
    ...FIELDS.map(([field, words]) => [bitSwatch(field), words]),
    [null, "guard, round, sticky: the first two bits that are cut off, and whether any 1 follows"],
    [null, "ulp: the distance to the next number of the format"],
  ],
  heatmap: [],
  block: [
    [swatch("diamond"), "a number"], [swatch("dot"), "what is stored of it"], [swatch("reach"), "what the element type holds with this scale, darker where it keeps more bits"],
    [null, "▲ saturated, ▼ became 0"], [null, "amax: the largest magnitude of the block"],
  ],
  window: [
    [swatch("kept-one"), "a bit 1 in the window"], [swatch("kept-zero"), "a bit 0"], [swatch("cut-one"), "a bit 1 that is cut off"], [swatch("cut-zero"), "a bit 0 that is cut off"],
    [null, "p0, p1, …: the products; s0: c; s1, s2, …: the sum after each step"], [null, "▸ more bits to the right"],
  ],
};

/** The legend of a view; null where the view has one of its own. */
export function legend(view) {
  if (!MARKS[view].length) return null;
  return h("ul", { class: "legend-line", role: "list", "aria-label": "Legend" }, MARKS[view].map(([mark, words]) => h("li", {}, mark, ` ${words}`)));
}
