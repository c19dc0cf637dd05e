/* The stored number between its neighbours, to scale, with what was typed: the picture beside the bits. */

import { h, fill, s } from "./dom.js";
import { compareMagnitude, finite, isFinite, sum } from "./exact.js";
import { atOrdinal, decode, greatestPlace, leastPlace, ordinal, quantumAt } from "./formats.js";
import { windowOf } from "./numberline.js";
import { codeText, shortText } from "./text.js";

const [WIDTH, AXIS] = [380, 62];
const [LETTER, SHIFT] = [7.2, 12]; // the width of a letter of a label, and how far one may stand from its tick
const ROOM = 1.35; // the window is the stored number +- 2^1.35 ulp: two neighbours on either side

/** A picture; a click on a neighbour makes it the number. */
export function neighbourPicture(setCode) {
  const svg = s("svg", { viewBox: `0 0 ${WIDTH} 122`, class: "near-picture", role: "img" });
  const element = h("div", { class: "near picture" }, svg);
  const update = (read, code, fmt, mode) => {
    const stored = decode(code, fmt);
    element.hidden = stored.kind === "nan";
    if (element.hidden) return;
    const around = [-2n, -1n, 0n, 1n, 2n].map((step) => neighbourAt(code, step, fmt)).filter(Boolean);
    const view = windowOf(placeOf(stored, fmt), quantumAt(isFinite(stored) ? stored : fmt.maxFinite, fmt) + ROOM);
    const put = (x) => ((view.place(x) + 1) / 2) * WIDTH;
    const ticks = around.map((one) => ({ ...one, x: put(placeOf(one.value, fmt)) })).filter(({ x }) => x >= 8 && x <= WIDTH - 8);
    const codes = labels(ticks, (one) => codeWords(one.code, fmt), AXIS + 32);
    const values = labels(ticks, (one) => valueWords(around)[String(one.step)] ?? "", AXIS + 50);
    fill(svg, s("title", {}, `${shortText(stored, 20)} between its neighbours`),
      band(around, put, mode, fmt), s("line", { x1: 0, x2: WIDTH, y1: AXIS, y2: AXIS, class: "axis" }),
      ticks.map((one) => tick(one, ticks, setCode, [codes.get(one.step), values.get(one.step)])), typedMark(read.value, put),
      s("circle", { cx: put(placeOf(stored, fmt)), cy: AXIS, r: 6, class: "stored-mark" }),
      s("text", { x: put(placeOf(stored, fmt)), y: 40, class: "stored", "text-anchor": "middle" }, "stored"));
  };
  return { element, update };
}

/** The value so many steps away; past the end there is none. */
function neighbourAt(code, step, fmt) {
  const place = ordinal(code, fmt) + step;
  if (place > greatestPlace(fmt) || place < leastPlace(fmt)) return null;
  const at = step === 0n ? code : atOrdinal(place, fmt);
  return { step, code: at, value: decode(at, fmt) };
}

/** Where a value stands: infinity where the next number after the largest would be. */
function placeOf(value, fmt) {
  if (isFinite(value)) return value;
  const next = fmt.maxSignificand + 1n;
  return finite(value.negative, next, 1n, fmt.emax - fmt.trailingBits);
}

/** Everything that a nearest mode rounds to the stored number: from midpoint to midpoint. */
function band(around, put, mode, fmt) {
  const at = (step) => around.find((one) => one.step === step)?.value;
  const [low, middle, high] = [at(-1n), at(0n), at(1n)];
  if (!mode.startsWith("ties") || ![low, middle, high].every((x) => x && isFinite(x))) return [];
  if (fmt.flushes && compareMagnitude(middle, fmt.minNormal) <= 0) return []; // more than its neighbours' halves
  const half = (x) => put({ ...sum(x, middle), e: sum(x, middle).e - 1 });
  return s("rect", { x: half(low), width: half(high) - half(low), y: AXIS - 12, height: 24, class: "basin" });
}

/** A neighbour as a tick, with a target for the pointer that is as wide as a finger where there is room. */
function tick({ step, code, x }, ticks, setCode, words) {
  const reach = Math.min(32, ...ticks.filter((other) => other.step !== step).map((other) => Math.abs(other.x - x) / 2));
  const outer = step === 2n || step === -2n;
  return s("g", { class: step ? "pick" : "", onclick: () => step && setCode(code) },
    s("rect", { x: x - reach, width: 2 * reach, y: 24, height: 96, class: "target" }),
    s("line", { x1: x, x2: x, y1: AXIS - (outer ? 9 : 14), y2: AXIS + (outer ? 9 : 14), class: "tick" }), words);
}

/** Texts under the ticks, those near the middle first. One that would touch another moves a little, or is left out. */
function labels(ticks, textOf, y) {
  const distance = ({ step }) => (step < 0n ? -step : step);
  const placed = [];
  for (const one of [...ticks].sort((a, b) => Number(distance(a) - distance(b)))) {
    const text = textOf(one);
    const lacking = (other, x) => (LETTER * (other.text.length + text.length)) / 2 + 2 - Math.abs(other.x - x);
    const push = Math.max(0, ...placed.map((other) => lacking(other, one.x)));
    const x = one.x + (one.step < 0n ? -push : push);
    if (push <= SHIFT && placed.every((other) => lacking(other, x) < 0.01)) placed.push({ step: one.step, x, text });
  }
  return new Map(placed.map(({ step, x, text }) => [step, s("text", { x, y, class: "label", "text-anchor": "middle" }, text)]));
}

function codeWords(code, fmt) {
  const hex = codeText(code, fmt);
  return hex.length > 8 ? `…${hex.slice(-5)}` : hex;
}

/** The three values in the middle in short, or in words where that does not tell them apart. */
function valueWords(around) {
  const middle = around.filter(({ step }) => step > -2n && step < 2n);
  const texts = middle.map(({ value }) => shortText(value, 10));
  if (new Set(texts).size < texts.length) return { "-1": "next down", 1: "next up" };
  return Object.fromEntries(middle.map(({ step }, i) => [String(step), texts[i]]));
}

/** What was typed; beyond the window an arrow at its edge. */
function typedMark(value, put) {
  if (value.kind === "nan") return [];
  const raw = isFinite(value) ? put(value) : value.negative ? -Infinity : Infinity;
  const x = Math.min(Math.max(raw, 10), WIDTH - 10);
  const words = raw < 0 ? "◀ you typed" : raw > WIDTH ? "you typed ▶" : "you typed";
  const anchor = x < 50 ? "start" : x > WIDTH - 50 ? "end" : "middle";
  const mark = raw === x ? [s("line", { x1: x, x2: x, y1: 20, y2: AXIS, class: "typed-line" }), s("path", { d: `M ${x} ${AXIS - 6} l 6 6 l -6 6 l -6 -6 z`, class: "typed-mark" })] : [];
  return [mark, s("text", { x, y: 14, class: "typed", "text-anchor": anchor }, words)];
}
