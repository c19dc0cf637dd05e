/* A number line: from the whole range of a format down to two neighbours, at the same exactness.

   The window is `centre ± 2^zoom`, the centre an exact number, so that even binary64 can be seen number by number. */

import { change, fill, freshId, h, s } from "./dom.js";
import { compare, compareMagnitude, difference, exponentOf, finite, fromNumber, isFinite, isZero, lift, negate, sum, toNumber } from "./exact.js";
import { asStored, atOrdinal, decode, encodeHeld, leastFinite, leastPlace, ordinal, quantumAt } from "./formats.js";
import { roundResult } from "./rounding.js";
import { powerText, shortText } from "./text.js";

const AXIS = 128;
const HEIGHTS = { one: 164, two: 222 };
const MOST_TICKS = 140;

/** The window that shows everything: 0 ± 2^(emax + 1), or without negative numbers 2^emax ± 2^emax. */
export const wholeWindow = (fmt) => windowOf(fmt.signed ? finite(false, 0n) : finite(false, 1n, 1n, fmt.emax), wholeZoom(fmt));

/** The widest zoom of a format. */
export const wholeZoom = (fmt) => fmt.emax + (fmt.signed ? 1 : 0);

/** The window in which about eight neighbours of a value are seen. */
export const closeZoom = (value, fmt) => quantumAt(value, fmt) + 2;

/** What is drawn, computed without pixels: marks in -1..1 from the left edge to the right one. */
export function windowOf(centre, zoom) {
  const whole = Math.floor(zoom);
  const half = fromNumber(2 ** (zoom - whole));
  const radius = { ...half, e: half.e + whole };
  const place = (x) => toNumber({ ...difference(x, centre), e: difference(x, centre).e - whole }) / 2 ** (zoom - whole);
  return { centre, zoom, left: sum(centre, negate(radius)), right: sum(centre, radius), place, at: (t) => pointAt(centre, t, zoom) };
}

function pointAt(centre, t, zoom) {
  const whole = Math.floor(zoom);
  const offset = fromNumber(t * 2 ** (zoom - whole));
  return sum(centre, { ...offset, e: offset.e + whole });
}

/** The places, in the order of values, of the first and last value of `fmt` in a window; null if there is none. */
export function valuesIn(view, fmt) {
  const edge = (x, mode) => {
    const [least, greatest] = [leastFinite(fmt), fmt.maxFinite];
    if (compare(x, greatest) > 0) return mode === "toward_positive" ? null : greatest;
    if (compare(x, least) < 0) return mode === "toward_positive" ? least : null;
    return roundResult(x, asStored(fmt), mode).value;
  };
  const [low, high] = [edge(view.left, "toward_positive"), edge(view.right, "toward_negative")];
  if (!low || !high) return null;
  const [first, last] = [low, high].map((x) => ordinal(encodeHeld(x, fmt), fmt));
  return first > last ? null : { first, last };
}

/** How many values lie in each of `count` equal parts of a window. */
export function density(view, fmt, count) {
  const [least, greatest] = [leastFinite(fmt), fmt.maxFinite];
  const placeOf = (x) => ordinal(encodeHeld(x, fmt), fmt);
  const cut = (i) => {
    const x = view.at((2 * i) / count - 1);
    if (compare(x, greatest) > 0) return placeOf(greatest);
    if (compare(x, least) < 0) return placeOf(least) - 1n;
    return ordinal(roundResult(x, asStored(fmt), "toward_negative").code, fmt);
  };
  let last = cut(0);
  return Array.from({ length: count }, (_, i) => {
    const next = cut(i + 1);
    const many = next - last;
    last = next;
    return Number(many);
  });
}

/** The picture for one width in pixels. */
export function drawLine(width, view, fmt, beside, stored, typed, mode) {
  const x = (t) => ((t + 1) / 2) * width;
  const put = (value) => x(view.place(value));
  return [
    basin(put, width, fmt, stored, mode),
    s("line", { x1: 0, x2: width, y1: AXIS, y2: AXIS, class: "axis" }),
    marks(width, put, view, fmt, "up"),
    beside ? marks(width, put, view, beside, "down") : [],
    beside ? [] : scale(view, fmt, width),
    pointer(put, width, typed, "typed", "you typed", 20),
    pointer(put, width, stored, "stored", "stored", 40),
  ];
}

const SIDES = { up: { sign: -1, label: -34, name: -70 }, down: { sign: 1, label: 46, name: 82 } };

/** Single values as ticks where there is room; else how densely they lie. */
function marks(width, put, view, fmt, side) {
  const found = valuesIn(view, fmt);
  if (!found) return [];
  const { sign, label, name: nameAt } = SIDES[side];
  const name = s("text", { x: 4, y: AXIS + nameAt, class: "name" }, fmt.name);
  if (found.last - found.first >= BigInt(MOST_TICKS)) return [name, columns(width, view, fmt, SIDES[side])];
  const values = [];
  for (let i = found.first; i <= found.last; i++) values.push(decode(atOrdinal(i, fmt), fmt));
  const ticks = values.map((value) => {
    const at = put(value);
    const unused = fmt.flushes && !isZero(value) && compareMagnitude(value, fmt.minNormal) < 0;
    return s("line", { x1: at, x2: at, y1: AXIS, y2: AXIS + sign * tickLength(value), class: unused ? "tick unused" : "tick" });
  });
  return [name, ticks, labels(values, put, width, AXIS + label)];
}

/** Longer at powers of two, so that binades are seen. */
function tickLength(value) {
  if (isZero(value)) return 26;
  const e = exponentOf(value);
  return lift(value, e).rest === 0n ? 26 : 15;
}

function labels(values, put, width, y) {
  let free = -Infinity;
  return values.map((value) => {
    const at = put(value);
    const text = shortText(value, 13);
    const half = 4 * text.length + 6;
    if (at - half < Math.max(free, 0) || at + half > width) return null;
    free = at + half;
    return s("text", { x: at, y, class: "label", "text-anchor": "middle" }, text);
  });
}

function columns(width, view, fmt, { sign, name }) {
  const step = 4;
  const count = Math.max(1, Math.floor(width / step));
  const many = density(view, fmt, count);
  const tallest = Math.log2(1 + Math.max(...many));
  // One path for all of them: hundreds of elements would take longer to make than to compute.
  const line = (n, i) => (n ? `M${(i + 0.5) * step} ${AXIS}v${(sign * (4 + (54 * Math.log2(1 + n)) / tallest)).toFixed(1)}` : "");
  const bars = s("path", { d: many.map(line).join(""), class: "columns-of-values", "data-columns": count });
  const range = `${Math.min(...many.filter(Boolean))} to ${Math.max(...many)} values in each column`;
  if (width < 520) return bars;
  return [bars, s("text", { x: width - 4, y: AXIS + name, class: "name", "text-anchor": "end" }, range)];
}

/** Values under the axis at even distances, where single values have no labels of their own. */
function scale(view, fmt, width) {
  const found = valuesIn(view, fmt);
  if (found && found.last - found.first < BigInt(MOST_TICKS)) return [];
  return [-1, -0.5, 0, 0.5, 1].map((t) => {
    const at = ((t + 1) / 2) * width;
    const anchor = t === -1 ? "start" : t === 1 ? "end" : "middle";
    return [s("line", { x1: at, x2: at, y1: AXIS, y2: AXIS + 7, class: "tick" }), s("text", { x: at, y: AXIS + 24, class: "label", "text-anchor": anchor }, shortText(view.at(t), 11))];
  });
}

function pointer(put, width, value, kind, words, y) {
  if (!value || !isFinite(value)) return [];
  const at = put(value);
  if (!(at >= -1 && at <= width + 1)) return [];
  const text = `${words} ${shortText(value, 16)}`;
  const x = Math.max(0, Math.min(at + 8, width - 7.9 * text.length));
  const shape = kind === "typed"
    ? s("path", { d: `M ${at} ${AXIS - 6} l 6 6 l -6 6 l -6 -6 z`, class: "typed-mark" })
    : s("circle", { cx: at, cy: AXIS, r: 6, class: "stored-mark" });
  return [
    s("line", { x1: at, x2: at, y1: y - 4, y2: AXIS, class: `${kind}-line` }), shape,
    s("text", { x, y, class: kind }, text),
  ];
}

/** All numbers that a nearest mode rounds to the stored one: from midpoint to midpoint. */
function basin(put, width, fmt, stored, mode) {
  if (!stored || !isFinite(stored) || !mode.startsWith("ties")) return [];
  if (fmt.flushes && compareMagnitude(stored, fmt.minNormal) <= 0) return []; // it has no midpoints there
  const place = ordinal(encodeHeld(stored, fmt), fmt);
  const edge = (side) => {
    if (place + side < leastPlace(fmt)) return put(fmt.zero ? stored : finite(false, 0n)); // all smaller numbers round to the smallest
    const next = decode(atOrdinal(place + side, fmt), fmt);
    const other = isFinite(next) ? next : stored;
    const both = sum(stored, other);
    return put({ ...both, e: both.e - 1 });
  };
  const [from, to] = [Math.max(edge(-1n), 0), Math.min(edge(1n), width)];
  if (!(to - from > 6)) return [];
  return s("rect", { x: from, width: to - from, y: AXIS - 12, height: 24, class: "basin" });
}

/** Ticks of powers of two for the words under the line. */
export function windowWords(view, fmt) {
  const found = valuesIn(view, fmt);
  const count = found ? found.last - found.first + 1n : 0n;
  const size = powerText(Math.round(10 * (view.zoom + 1)) / 10);
  return `${shortText(view.left, 16)} to ${shortText(view.right, 16)}, a width of ${size}: ${count.toLocaleString("en")} ` +
    `${count === 1n ? "value" : "values"} of ${fmt.name}`;
}

/** The frame of the picture: one image to the screen reader, with words that change. */
export function lineFrame(label) {
  const id = freshId("line");
  const title = s("title", { id });
  const svg = s("svg", { class: "line-picture", role: "img", "aria-labelledby": id, width: "100%" });
  const holder = h("div", { class: "picture", tabindex: 0, role: "group", "aria-label": label }, svg);
  const draw = (words, width, content, two) => {
    const height = two ? HEIGHTS.two : HEIGHTS.one;
    change(svg, { viewBox: `0 0 ${width} ${height}`, height });
    fill(svg, title, content);
    fill(title, words);
  };
  return { holder, draw };
}
