/* Binary digits in columns: the terms of a sum one below the other, and where the last kept bit lies. */

import { h } from "./dom.js";
import { lift } from "./exact.js";
import { powerText } from "./text.js";

const LONGEST_RUN = 12;

/** Terms and sum aligned at their last place, with a bar behind the last bit that is kept. */
export function alignment({ exact, rounding, operation }) {
  const { terms, integer, integerExponent: base } = exact;
  const q = rounding.quantumExponent;
  const last = Math.min(base, q); // a result coarser than the terms needs places for its own zeros
  const digits = (n, e) => (n << BigInt(e - last)).toString(2);
  const rows = terms.map((t) => ({ name: t.name, sign: t.negative ? "−" : "+", digits: digits(t.integer, t.exponent) }));
  rows.push({ name: operation === "fma" ? "a × b + c" : "sum", sign: exact.value.negative ? "−" : "+", digits: digits(integer, base), total: true });
  const width = Math.max(...rows.map((r) => r.digits.length), q - last + 1);
  const cut = width - (q - last);
  const texts = fold(rows.map((r) => r.digits.padStart(width, " ")), cut);
  const line = (r, digits) => h("tr", { class: r.total ? "total" : "" }, h("th", { scope: "row" }, r.name), h("td", {}, r.sign), digitCells(digits));
  const tables = inPieces(texts).map((piece) => h("table", { class: "columns" }, h("tbody", {}, rows.map((r, i) => line(r, piece[i])))));
  return h("div", {}, tables,
    h("p", { class: "hint" }, `The last column is worth ${powerText(last)}; the bar stands behind ${powerText(q)}, the ulp of the result.`));
}

/** The number that is rounded, with a bar behind the last kept bit. */
export function expansion({ exact, quantumExponent: q }) {
  const places = 12;
  const { low, rest } = lift(exact, q - places);
  const digits = low.toString(2).padStart(places + 1, "0");
  const texts = fold([digits], digits.length - places);
  const tail = rest === 0n ? "" : "…";
  const pieces = inPieces([{ ...texts[0], lost: texts[0].lost + tail }]);
  const times = (i) => (i === pieces.length - 1 ? h("td", { class: "num" }, `× ${powerText(q)}`) : null);
  const tables = pieces.map(([digits], i) => h("table", { class: "columns" }, h("tbody", {}, h("tr", {}, h("th", { scope: "row" }, "|a|"), digitCells(digits), times(i)))));
  return h("div", {}, tables,
    h("p", { class: "hint" }, "Behind the bar: what the format has no bits for."));
}

function digitCells({ kept, lost }) {
  return [kept && h("td", { class: "digits-kept" }, kept), lost && h("td", { class: "digits-lost" }, lost)].filter(Boolean);
}

/** As many tables one below the other as the window is too narrow for, each with some of the columns. */
function inPieces(texts) {
  const [beside, letter] = innerWidth > 640 ? [290, 9.1] : [205, 7.9]; // pixels, as the style sheets have it
  const room = Math.max(12, Math.floor((Math.min(innerWidth, 1280) - beside) / letter));
  const [kept, all] = [texts[0].kept.length, texts[0].kept.length + texts[0].lost.length];
  const part = (text, from) => text.slice(Math.max(from, 0), Math.max(from + room, 0));
  return Array.from({ length: Math.ceil(all / room) }, (_, i) =>
    texts.map((text) => ({ kept: part(text.kept, i * room), lost: part(text.lost, i * room - kept) })));
}

/** Each text in two at the bar, with runs of columns that are empty or zero in all of them shortened. */
function fold(texts, cut) {
  const dull = (i) => texts.every((t) => t[i] === " " || t[i] === "0");
  const halves = [[0, cut], [cut, texts[0].length]].map(([from, to]) => {
    const out = texts.map(() => "");
    for (let i = from; i < to;) {
      let end = i;
      while (end < to && dull(end)) end++;
      if (end - i > LONGEST_RUN) {
        texts.forEach((t, k) => { out[k] += `${t.slice(i, i + 2)}${t[i + 2] === " " && t[end - 1] === " " ? "   " : " ⋯ "}${t.slice(end - 2, end)}`; });
        i = end;
      } else {
        const next = Math.max(end, i + 1);
        texts.forEach((t, k) => { out[k] += t.slice(i, next); });
        i = next;
      }
    }
    return out;
  });
  return texts.map((_, k) => ({ kept: halves[0][k], lost: halves[1][k] }));
}
