/* One number in every named format, the most accurate first. */

import { asks, modePicker, numberField } from "./controls.js";
import { card, fill, h, stateLink } from "./dom.js";
import { compareMagnitude, difference, isFinite, isZero, log2, quotient } from "./exact.js";
import { errorInUlp } from "./explain.js";
import { quantumAt } from "./formats.js";
import { codeText, ratioText, shortText, ulpsText } from "./text.js";

const EXAMPLES = [
  ["0.1 is exact in none of them.", { x: "0.1" }],
  ["A third: the more significand bits, the smaller the error.", { x: "1/3" }],
  ["70000: range decides; some formats overflow.", { x: "70000" }],
  ["2⁻³⁰: too small for most formats of 16 bits or fewer.", { x: "2^-30" }],
  ["1.5 needs two bits: every format has it.", { x: "1.5" }],
];
const MOST_BITS = 60; // of a bar

/** What a format makes of a number, and how far off that is; `error` null where one of the two is not finite. */
export function rowOf(fmt, ctx, state) {
  const { read, rounded } = ctx.stored(state.x, fmt, state);
  if (!rounded || rounded.code === null) return { fmt, rounded: null, error: null };
  const finite = isFinite(read.value) && isFinite(rounded.value);
  return { fmt, rounded, typed: read.value, error: finite ? difference(rounded.value, read.value) : null };
}

/** The smallest error first, and of equal ones the narrowest format; then what is out of range; then what has no code;
    last the formats without zero, which are for scales. */
export function inOrder(x, y) {
  const rank = (row) => (!row.fmt.zero ? 3 : row.error ? 0 : row.rounded?.flags.length === 0 ? 0 : row.rounded ? 1 : 2);
  if (rank(x) !== rank(y)) return rank(x) - rank(y);
  return (x.error && y.error ? compareMagnitude(x.error, y.error) : 0) || x.fmt.width - y.fmt.width;
}

/** The view of one number in all formats. */
export function formatsView(ctx) {
  const asked = [numberField(ctx, "x", "Number"), modePicker(ctx)];
  const body = h("tbody", {});
  const columns = ["format", "stored", "error", "relative error", "flags", "code"];
  const table = h("table", { class: "stacks" }, h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, name)))), body);
  const words = h("p", { class: "reading", role: "status" });
  const element = h("div", {}, asks(ctx, asked, EXAMPLES), card("All formats at once", words, table,
    h("p", { class: "hint" }, "The smallest error comes first; the bar shows how many bits of the number are right. A format without zero stores scales of blocks, and comes last. A format's name opens its bits.")));

  const update = (state) => {
    asked.forEach((x) => x.update(state));
    const own = [state.format, state.beside].filter((name) => name && !ctx.formats.named.some((fmt) => fmt.name === name));
    const shown = [...ctx.formats.named, ...new Set(own.map(ctx.format))];
    const rows = shown.map((fmt) => rowOf(fmt, ctx, state)).sort(inOrder);
    const wrong = ctx.stored(state.x, shown[0], state).read.error;
    table.hidden = Boolean(wrong);
    fill(words, wrong ? "Type a number above." : summary(rows));
    fill(body, wrong ? [] : rows.map((row) => rowElement(row, columns, ctx)));
  };
  return { element, update, warm: update };
}

function summary(rows) {
  const exact = rows.filter((row) => row.rounded && !row.rounded.flags.length).length;
  const over = rows.filter((row) => row.rounded?.flags.includes("overflow")).length;
  const gone = rows.filter((row) => row.rounded && isZero(row.rounded.value) && row.rounded.flags.length).length;
  const lacking = rows.filter((row) => row.rounded?.value.kind === "nan" && row.rounded.flags.includes("invalid")).length;
  const none = lacking ? ` ${lacking} ${lacking === 1 ? "has" : "have"} no such number, and ${lacking === 1 ? "stores" : "store"} NaN.` : "";
  return `Of ${rows.length} formats, ${exact} ${exact === 1 ? "stores" : "store"} the number exactly, ${over} ${over === 1 ? "overflows" : "overflow"}, and ${gone} ${gone === 1 ? "makes" : "make"} it zero.${none}`;
}

function rowElement({ fmt, rounded, error, typed }, columns, ctx) {
  const link = stateLink(ctx, { view: "number", format: fmt.name, beside: "" }, fmt.name);
  const cells = rounded ? [
    h("span", { class: "num" }, shortText(rounded.value, 24)),
    h("span", { class: "num" }, error ? ulpWords(error, typed, rounded.value, fmt) : "–"),
    error ? relative(error, typed) : "–",
    rounded.flags.join(", ") || "none",
    h("span", { class: "num" }, codeText(rounded.code, fmt)),
  ] : ["no code for NaN", "–", "–", "–", "–"];
  return h("tr", {}, h("th", { scope: "row" }, link), cells.map((cell, i) => h("td", { "data-label": columns[i + 1] }, cell)));
}

function ulpWords(error, typed, value, fmt) {
  return isZero(error) ? "exact" : `${ulpsText(errorInUlp(typed, value, quantumAt(value, fmt)), 12)} ulp`;
}

/** |error / typed|, and a bar as long as the number of bits that are right. */
function relative(error, typed) {
  if (isZero(error)) return [h("span", { class: "num" }, "0"), bar(MOST_BITS)];
  const bits = Math.max(0, -log2(quotient(error, typed)));
  return [h("span", { class: "num" }, ratioText(error, typed)), bar(bits)];
}

const bar = (bits) => h("span", { class: "accuracy", "aria-hidden": "true", style: `--part: ${Math.min(bits / MOST_BITS, 1).toFixed(3)}` });
