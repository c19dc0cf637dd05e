/* A block as columns on a scale of powers of two: each number, what is stored of it, and between which ends the element
   type reaches with this scale. A number is dragged, or moved by keys; the scale, and so the ends, follow amax. */

import { change, fill, h, s } from "./dom.js";
import { isFinite, isZero, log2, product, toNumber } from "./exact.js";
import { replaced, scaled, textNear } from "./blockvalues.js";
import { FATES, numberText } from "./blockwords.js";
import { powerText, shortText } from "./text.js";

const [TOP, FLOOR, ZERO, LABELS, HEIGHT] = [26, 300, 322, 348, 372]; // pixels: the scale, the lane of zeros, the names
const MOST_BINADES = 44;
const HEADROOM = 3; // binades above everything, to drag into

/** What is drawn, in powers of two: {high, low}. */
function rangeOf({ elements, unit, block: { element } }) {
  const sizes = elements.filter((x) => isFinite(x.given) && !isZero(x.given)).map((x) => log2(x.given));
  const shift = isFinite(unit) && !isZero(unit) ? log2(unit) : null;
  const ends = shift === null || !sizes.length ? [] : [shift + element.emax + 1, shift + element.quantumExponentMin - 1.2];
  const all = [...sizes, ...ends];
  if (!all.length) return { high: 4, low: -8 };
  const high = Math.ceil(Math.max(...all)) + HEADROOM;
  return { high, low: Math.max(Math.floor(Math.min(...all)) - 1, high - MOST_BINADES) };
}

/** Runs of binades of the element type with equally many significant bits, from the top: {from, to, digits}, as exponents. */
export function bands(element) {
  const firstFull = element.isFixed ? element.emax : element.emin;
  const full = { from: log2(element.maxFinite), to: firstFull, digits: element.precision };
  const fewer = Array.from({ length: Math.max(element.precision - 1, 0) }, (_, i) => ({ from: firstFull - i, to: firstFull - i - 1, digits: element.precision - 1 - i }));
  return [full, ...fewer];
}

/** The picture: {element, update(record, state)}. */
export function blockPicture(ctx) {
  const svg = s("svg", { class: "block-picture", width: "100%", height: HEIGHT });
  const [back, front, words] = [s("g", {}), s("g", {}), s("g", { class: "notes" })];
  svg.append(back, front, words);
  const holder = h("div", { class: "picture", role: "group", "aria-label": "The numbers of the block; left and right arrows choose one, up and down change it" }, svg);
  let [columns, record, range, drag] = [[], null, null, null];

  const place = { x: () => 0, y: () => 0, back: () => 0, column: () => 0 };
  const scales = (width) => {
    const [left, right] = width > 520 ? [64, 150] : [40, 30];
    const step = (width - left - right) / record.elements.length;
    place.x = (k) => left + (k + 0.5) * step;
    place.y = (e) => TOP + ((range.high - e) / (range.high - range.low)) * (FLOOR - TOP);
    place.back = (y) => range.high - ((y - TOP) / (FLOOR - TOP)) * (range.high - range.low);
    place.column = (x) => Math.min(Math.max(Math.floor((x - left) / step), 0), record.elements.length - 1);
    return { left, right: width - right, width, step };
  };

  const put = (k, text, merge) => text !== null && ctx.store.set({ values: replaced(ctx.store.get().values, k, text), pick: String(k) }, { merge });
  const pick = (k, merge) => {
    const to = Math.min(Math.max(k, 0), columns.length - 1);
    ctx.store.set({ pick: String(to) }, { merge });
    columns[to].focus({ preventScroll: true });
  };

  const onkeydown = (event) => {
    const k = columns.indexOf(event.target);
    if (k < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const { given } = record.elements[k];
    const moves = { ArrowLeft: k - 1, ArrowRight: k + 1, Home: 0, End: columns.length - 1 };
    const steps = { ArrowUp: event.shiftKey ? 1 : 1 / 8, ArrowDown: event.shiftKey ? -1 : -1 / 8, PageUp: 4, PageDown: -4 };
    if (event.key in moves) pick(moves[event.key], "pick");
    else if (event.key in steps) {
      if (!event.repeat) ctx.store.settle();
      put(k, scaled(given, steps[event.key], smallest()), "step");
    } else if (event.key === "-") put(k, flipped(k));
    else if (event.key === "0") put(k, "0");
    else return;
    event.preventDefault();
  };
  const flipped = (k) => {
    const text = ctx.store.get().values.split(",")[k];
    return /^[-−]/.test(text) ? text.slice(1) : `-${text.replace(/^\+/, "")}`;
  };
  /** The exponent of the smallest element with this scale: what a zero becomes that is moved up. */
  const smallest = () => (isFinite(record.unit) && !isZero(record.unit) ? log2(record.unit) + record.block.element.quantumExponentMin : range.low + 1);

  const at = (event) => {
    const box = svg.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !record) return;
    const k = place.column(at(event)[0]);
    pick(k, "drag");
    event.preventDefault(); // the focus stays where it was put
    if (!event.target.classList.contains("handle")) return;
    drag = { k, negative: record.elements[k].given.negative };
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const y = Math.max(at(event)[1], TOP);
    put(drag.k, y > FLOOR + 6 ? (drag.negative ? "-0" : "0") : textNear(place.back(y), drag.negative), "drag");
  });
  const stop = () => {
    if (!drag) return;
    drag = null;
    if (record) draw(ctx.store.get());
  };
  ["pointerup", "pointercancel"].forEach((name) => svg.addEventListener(name, stop));

  const draw = (state) => {
    if (!drag) range = rangeOf(record);
    const width = ctx.widthOf(holder);
    const room = scales(width);
    change(svg, { viewBox: `0 0 ${width} ${HEIGHT}` });
    fill(back, windowOf(record, place, room), axis(range, place, room));
    fill(words, endWords(record, place, room), amaxMark(record, place, room));
    if (columns.length !== record.elements.length) {
      columns = record.elements.map(() => s("g", { class: "column", role: "slider", onkeydown }));
      fill(front, columns);
    }
    const chosen = pickedOf(record, state);
    columns.forEach((group, k) => {
      const one = record.elements[k];
      change(group, {
        tabindex: k === chosen ? 0 : -1, "aria-label": `Number ${k}`, "aria-valuenow": isFinite(one.given) ? toNumber(one.given) : 0,
        "aria-orientation": "vertical", "aria-valuetext": `${shortText(one.given, 14)}, stored as ${shortText(one.value, 14)}, ${FATES[one.fate].slice(2)}`,
      });
      fill(group, column(one, k, place, room, k === chosen));
    });
  };
  const update = (next, state) => {
    record = next;
    draw(state);
  };
  return { element: holder, update };
}

/** The element that is looked at: the one that was picked, or that of amax. */
export const pickedOf = (record, state) => (state.pick !== "" && Number(state.pick) < record.elements.length ? Number(state.pick) : record.amaxIndex);

/** What the element type reaches with this scale, band by band, and the words beside it. */
function windowOf(record, { y }, { left, right, width }) {
  const { unit, block: { element } } = record;
  if (!hasWindow(record)) return [];
  const shift = log2(unit);
  const inside = (e) => Math.min(Math.max(y(e + shift), TOP), FLOOR);
  const wide = width > 520;
  const parts = bands(element).map(({ from, to, digits }) => {
    const [top, bottom] = [inside(from), inside(to)];
    const words = wide ? `${digits} ${digits === 1 ? "bit" : "bits"}` : String(digits);
    return bottom - top < 1 ? [] : [
      s("rect", { x: left, width: right - left, y: top, height: bottom - top, class: "reach", "fill-opacity": (0.25 + (0.75 * digits) / element.precision).toFixed(2) }),
      bottom - top < 12 ? [] : s("text", { x: right + 6, y: (top + bottom) / 2 + 4, class: "label" }, words),
    ];
  });
  const [top, end] = [inside(log2(element.maxFinite)), inside(element.quantumExponentMin - 1)];
  return [
    parts,
    s("rect", { x: left, width: right - left, y: inside(element.quantumExponentMin), height: Math.max(end - inside(element.quantumExponentMin), 0), class: "last-reach" }),
    top > TOP ? s("line", { x1: left, x2: right, y1: top, y2: top, class: "end" }) : [],
  ];
}

/** A block of zeros, or of NaN, reaches nowhere. */
const hasWindow = ({ amax }) => isFinite(amax) && !isZero(amax);

/** What happens beyond the two ends: beside them; on a narrow screen in the picture, on the side where amax is not. */
function endWords(record, { x, y }, { left, right, width }) {
  if (!hasWindow(record)) return [];
  const { unit, amaxIndex, block: { element } } = record;
  const [top, end] = [log2(element.maxFinite), element.quantumExponentMin - 1].map((e) => y(e + log2(unit)));
  const isWide = width > 520;
  const isLeft = !isWide && x(amaxIndex) > (left + right) / 2;
  const at = isWide ? { x: right + 6 } : isLeft ? { x: left + 4 } : { x: right - 4, "text-anchor": "end" };
  const words = (height, text) => s("text", { ...at, y: height, class: "name" }, text);
  return [
    top > TOP ? words(top - (isWide ? 0 : 6), `▲ above ${numberText(product(element.maxFinite, unit), isWide ? 9 : 7)}`) : [],
    end < FLOOR - 14 ? words(end + 15, "▼ below: 0") : [],
  ];
}

/** Powers of two at the left, the lane of zeros at the bottom. */
function axis({ high, low }, { y }, { left, right }) {
  const step = [1, 2, 4, 8, 16].find((each) => (high - low) / each <= 11);
  const marks = Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, i) => Math.ceil(low / step) * step + i * step).filter((e) => e <= high);
  return [
    marks.map((e) => [s("line", { x1: left, x2: right, y1: y(e), y2: y(e), class: "grid" }), s("text", { x: left - 6, y: y(e) + 4, class: "label", "text-anchor": "end" }, powerText(e))]),
    s("line", { x1: left, x2: right, y1: ZERO, y2: ZERO, class: "axis" }), s("text", { x: left - 6, y: ZERO + 4, class: "label", "text-anchor": "end" }, "0"),
  ];
}

/** The word at the largest number, and its height across the picture. */
function amaxMark({ amax, amaxIndex }, { x, y }, room) {
  const { left, right } = room;
  if (isZero(amax)) return [];
  const at = isFinite(amax) ? Math.max(y(log2(amax)), TOP) : TOP - 4;
  const anchor = x(amaxIndex) < left + 30 ? "start" : x(amaxIndex) > right - 30 ? "end" : "middle";
  const across = isFinite(amax) ? s("line", { x1: left, x2: right, y1: at, y2: at, class: "cursor" }) : [];
  return [across, s("text", { x: x(amaxIndex), y: at - (room.width > 520 ? 12 : 22), class: "stored", "text-anchor": anchor }, isFinite(amax) ? "amax" : shortText(amax))];
}

/** One number: a diamond where it is, a dot where it is stored, and a line between them; and what became of it. */
function column({ given, value, fate }, k, { x, y }, { step }, chosen) {
  const [cx, half] = [x(k), Math.min(step / 2, 15)];
  const heightOf = (v) => (isZero(v) ? ZERO : !isFinite(v) ? TOP - 4 : Math.min(Math.max(y(log2(v)), TOP - 6), FLOOR));
  const [from, to] = [heightOf(given), heightOf(value)];
  const size = Math.max(Math.min(step / 2 - 1, 6), 3);
  const mark = { saturated: "▲", vanished: "▼", nan: "✕" }[fate];
  return [
    s("rect", { x: cx - half, width: 2 * half, y: TOP - 14, height: HEIGHT - TOP + 12, rx: 6, class: chosen ? "picked" : "target" }),
    fate !== "nan" && Math.abs(from - to) > 1 ? s("line", { x1: cx, x2: cx, y1: from, y2: to, class: "fall" }) : [],
    fate === "nan" ? [] : s("circle", { cx, cy: to, r: size - 0.5, class: "stored-mark" }),
    s("path", { d: `M ${cx} ${from - size} l ${size} ${size} l ${-size} ${size} l ${-size} ${-size} z`, class: "typed-mark" }),
    given.negative ? s("text", { x: cx, y: LABELS, class: "label", "text-anchor": "middle" }, "−") : [],
    s("text", { x: cx, y: LABELS + 17, class: mark ? "mark" : "label", "text-anchor": "middle" }, mark ?? (step > 17 || k % 4 === 0 ? k : "")),
    s("circle", { cx, cy: from, r: Math.max(half, 11), class: "handle" }),
  ];
}
