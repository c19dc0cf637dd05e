/* A sum of a matrix unit as rows of bits: every term against the window, a bar behind the last bit that is kept, the sum,
   and what is stored of it. A term is dragged, or moved by keys: by one place its factor is doubled or halved. */

import { change, fill, h, s } from "./dom.js";
import { exponentOf, isFinite, isZero, lift } from "./exact.js";
import { numberText } from "./blockwords.js";
import { powerText, shortText } from "./text.js";

const [HEAD, ROW] = [40, 22]; // pixels: the words at the top, a row
const MOST_COLUMNS = 64;

/** The exponents of the first and the last bit of a number other than zero. */
export function endsOf(x) {
  let [n, last] = [x.n, x.e];
  for (; (n & 1n) === 0n; n >>= 1n) last += 1;
  return { first: exponentOf(x), last };
}

/** The exponent of the last bit that a sum keeps, and the columns that are drawn: {last, top, bottom}. */
function columnsOf(sum, wide) {
  const values = [...sum.terms.map((term) => term.value), sum.total].filter((x) => !isZero(x)).map(endsOf);
  const [first, least] = [Math.max(sum.highest, ...values.map((x) => x.first)), Math.min(sum.highest, ...values.map((x) => x.last))];
  if (sum.bits === null) return { last: null, top: first, bottom: Math.max(least, first - (wide ? MOST_COLUMNS : 40)) };
  const last = sum.highest - sum.bits;
  return { last, top: first, bottom: last - Math.min(Math.max(last - least, 4), wide ? 18 : 9) };
}

/** The exponent of the last bit that the output has for a sum; null for zero. */
export const quantumOf = (sum, path) => (isZero(sum.total) ? null : Math.max(exponentOf(sum.total), path.output.emin) - path.precision + 1);

/** The rows: {name, value, last}: bits below 2^last are cut off there. */
function rowsOf(sum, path, last) {
  const terms = sum.terms.map((term) => ({ name: term.name, value: term.value, last, term }));
  const stored = { name: "stored", value: sum.result, last: null };
  return [...terms, { name: "sum", value: sum.total, last: quantumOf(sum, path), isSum: true }, { ...stored, isSum: true }];
}

/** The picture: {element, update(sum, path, chosen, act)}; `act` has pick(name, merge), shift(name, steps, merge), which says whether it moved, flip(name), clear(name). */
export function windowPicture(ctx) {
  const svg = s("svg", { class: "window-picture", width: "100%" });
  const [back, front] = [s("g", {}), s("g", {})];
  svg.append(back, front);
  const holder = h("div", { class: "picture", role: "group", "aria-label": "The terms of the sum; up and down arrows choose one, left and right move it by one place" }, svg);
  let [groups, names, act, room, drag] = [[], [], null, null, null];

  const focus = (i, merge = "pick") => {
    const to = Math.min(Math.max(i, 0), names.length - 1);
    act.pick(names[to], merge);
    groups[to].focus({ preventScroll: true });
  };
  const onkeydown = (event) => {
    const i = groups.indexOf(event.target);
    if (i < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = { ArrowUp: i - 1, ArrowDown: i + 1, Home: 0, End: names.length - 1 };
    const steps = { ArrowLeft: 1, ArrowRight: -1, PageUp: 8, PageDown: -8 };
    if (event.key in moves) focus(moves[event.key]);
    else if (event.key in steps) act.shift(names[i], steps[event.key], event.repeat ? "step" : null);
    else if (event.key === "-") act.flip(names[i]);
    else if (event.key === "0") act.clear(names[i]);
    else return;
    event.preventDefault();
  };
  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !room) return;
    const y = event.clientY - svg.getBoundingClientRect().top;
    const i = Math.floor((y - HEAD) / ROW);
    if (i < 0 || i >= names.length) return;
    focus(i, "drag");
    event.preventDefault(); // the focus stays where it was put
    drag = { name: names[i], x: event.clientX };
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const place = Math.max(room.cell, 8);
    const steps = Math.round((drag.x - event.clientX) / place);
    if (steps && act.shift(drag.name, steps, "drag")) drag.x -= steps * place;
  });
  ["pointerup", "pointercancel"].forEach((name) => svg.addEventListener(name, () => { drag = null; }));

  const update = (sum, path, chosen, actions) => {
    act = actions;
    const width = ctx.widthOf(holder);
    const wide = width > 560;
    const range = columnsOf(sum, wide);
    const [left, right] = wide ? [84, 150] : [50, 16];
    const cell = Math.min((width - left - right) / (range.top - range.bottom + 1), wide ? 26 : 16);
    room = { ...range, width, wide, left, cell, x: (e) => left + (range.top - e) * cell };
    const rows = rowsOf(sum, path, range.last);
    const height = HEAD + rows.length * ROW + 14;
    change(svg, { viewBox: `0 0 ${width} ${height}`, height });
    fill(back, backOf(sum, rows, room));
    names = sum.terms.map((term) => term.name);
    if (groups.length !== rows.length) {
      groups = rows.map(() => s("g", { class: "term", onkeydown }));
      fill(front, groups);
    }
    rows.forEach((row, i) => {
      const at = row.isSum ? -1 : row.name === chosen ? 0 : -1;
      change(groups[i], row.isSum ? { role: "img", tabindex: null, "aria-label": `${row.name}: ${shortText(row.value)}`, "aria-valuenow": null, "aria-valuetext": null }
        : { role: "slider", tabindex: at, "aria-label": row.name, "aria-valuenow": row.term.exponent ?? 0, "aria-valuetext": spoken(row.term) });
      fill(groups[i], rowOf(row, HEAD + i * ROW + (row.isSum ? 10 : 0), room, row.name === chosen));
    });
  };
  return { element: holder, update };
}

/** A term in words. */
const spoken = ({ value, lost }) => (isZero(lost) ? `${shortText(value, 14)}, nothing is cut off` : `${shortText(value, 14)}, ${shortText(lost, 14)} is cut off`);

/** The window as a band, the bar behind its last bit, and the words at the top. */
function backOf(sum, rows, { last, x, cell, left, wide, top, bottom }) {
  const below = HEAD + sum.terms.length * ROW;
  const at = (e) => x(e) + cell / 2;
  const marks = [s("text", { x: at(sum.highest), y: 30, class: "label", "text-anchor": "middle" }, powerText(sum.highest)), s("path", { d: `M ${at(sum.highest) - 4} 33 h 8 l -4 6 z`, class: "mark" })];
  const line = s("line", { x1: left, x2: x(bottom - 1), y1: below + 5, y2: below + 5, class: "total-line" });
  if (last === null) return [marks, s("text", { x: left, y: 13, class: "name" }, "whole terms: nothing is cut off"), line];
  const bar = x(last - 1);
  const near = bar - at(sum.highest) < 70;
  return [
    s("rect", { x: left, width: bar - left, y: HEAD, height: below - HEAD, class: "kept-band" }), marks,
    near ? [] : s("text", { x: bar - 5, y: 30, class: "label", "text-anchor": "end" }, powerText(last)),
    s("text", { x: bar - 6, y: 13, class: "name", "text-anchor": "end" }, "kept"), s("text", { x: bar + 6, y: 13, class: "name" }, wide ? "cut off" : "cut"),
    s("line", { x1: bar, x2: bar, y1: 2, y2: below, class: "bar" }), line,
  ];
}

/** One row: its name and sign, its bits, what lies beyond the columns, and its value. */
function rowOf({ name, value, last, isSum, term }, y, room, chosen) {
  const { x, cell, left, wide, width, bottom } = room;
  const head = [
    s("rect", { x: 1, y: y + 0.5, width: width - 2, height: ROW - 1, rx: 6, class: chosen ? "picked" : "target" }),
    s("text", { x: 4, y: y + 16, class: isSum ? "stored" : "" }, isSum && !wide ? { sum: "sum", stored: "is" }[name] : name),
    isFinite(value) && !isZero(value) ? s("text", { x: left - 14, y: y + 16 }, value.negative ? "−" : "+") : [],
  ];
  const words = wide ? s("text", { x: width - 4, y: y + 16, class: "label", "text-anchor": "end" }, numberText(value, 17)) : [];
  if (!isFinite(value) || isZero(value)) {
    const takesPart = term && term.exponent !== null && term.exponent !== undefined ? ` (exponent ${term.exponent})` : "";
    return [head, s("text", { x: left + 4, y: y + 16, class: "label" }, isFinite(value) ? `0${takesPart}` : shortText(value)), words];
  }
  const { first, last: end } = endsOf(value);
  const digits = [];
  for (let e = Math.min(first, room.top); e >= Math.max(end, bottom); e--) digits.push(bit(value, e, last !== null && e < last, x(e), y, cell));
  const beyond = end < bottom ? s("text", { x: x(bottom - 1) + 2, y: y + 16, class: "beyond" }, "▸") : [];
  const far = first < bottom ? s("text", { x: x(bottom - 1) - 2, y: y + 16, class: "label", "text-anchor": "end" }, powerText(first)) : [];
  const rounding = isSum && last !== null && last > bottom && last <= room.top ? s("line", { x1: x(last - 1), x2: x(last - 1), y1: y + 1, y2: y + ROW - 1, class: "bar" }) : [];
  return [head, digits, far, beyond, rounding, words];
}

/** One bit: a 1 is full, a 0 is hollow; what is cut off has stripes or a broken edge. */
function bit(value, e, isCut, x, y, cell) {
  const one = (lift(value, e).low & 1n) === 1n;
  const small = cell < 11;
  const [w, height] = [Math.max(cell - (small ? 1 : 2), 2), one || !small ? ROW - 6 : 6];
  const [left, top] = [x + (cell - w) / 2, y + (ROW - height) / 2];
  const box = s("rect", { x: left, y: top, width: w, height, rx: small ? 1 : 3, class: `bit-cell ${isCut ? "cut-cell" : "kept-cell"} ${one ? "one" : "zero"}` });
  // Stripes, so that no colour is needed to see what is cut off.
  const stripes = isCut && one ? s("path", { d: `M ${left} ${top + height} l ${w} ${-height} M ${left} ${top + height / 2} l ${w / 2} ${-height / 2} M ${left + w / 2} ${top + height} l ${w / 2} ${-height / 2}`, class: "stripes" }) : [];
  return small ? [box, stripes] : [box, stripes, s("text", { x: x + cell / 2, y: y + 16, class: `digit ${isCut ? "cut-digit" : "kept-digit"} ${one ? "one" : "zero"}`, "text-anchor": "middle" }, one ? "1" : "0")];
}
