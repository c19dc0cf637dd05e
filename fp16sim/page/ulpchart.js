/* ulp against magnitude: a staircase a format, with a cursor that is the typed number. */

import { card, fill, h, s } from "./dom.js";
import { finite, isFinite, isZero, log2 } from "./exact.js";
import { quantumAt } from "./formats.js";
import { powerText, shortText } from "./text.js";

const HEIGHT = 300;
const MARGIN = { left: 52, right: 14, top: 14, bottom: 40 };

/** The corners of a format's staircase, as exponents of two: [magnitude, ulp]. */
export function staircase(fmt) {
  const corners = [[fmt.quantumExponentMin, fmt.quantumExponentMin], [fmt.emin + 1, fmt.quantumExponentMin]];
  for (let e = fmt.emin + 1; e <= fmt.emax; e++) corners.push([e, e - fmt.trailingBits], [e + 1, e - fmt.trailingBits]);
  return corners;
}

/** The chart, with a cursor to drag and a slider that does the same by keyboard. */
export function ulpChart(ctx) {
  const svg = s("svg", { class: "ulp-picture", role: "img", height: HEIGHT, width: "100%" });
  const title = s("title", {});
  const words = h("p", { class: "reading", role: "status" });
  const slider = h("input", { type: "range", "aria-label": "Exponent of the number", oninput: () => setExponent(Number(slider.value), "slider") });
  const holder = h("div", { class: "picture" }, svg);
  const element = card("The ulp against the magnitude", holder, h("label", { class: "slider" }, "2 to the power of", slider), words);
  let scale = null;

  const setExponent = (e, merge) => {
    const fmt = ctx.format(ctx.store.get().format);
    const to = Math.min(Math.max(e, fmt.quantumExponentMin), fmt.emax);
    ctx.store.set({ x: `2^${to}`, at: "", zoom: "all" }, { merge });
  };
  const follow = (event) => {
    if (event.buttons !== 1 || !scale) return;
    setExponent(Math.floor(scale.back(event.clientX - svg.getBoundingClientRect().left)), "cursor");
  };
  svg.addEventListener("pointerdown", follow);
  svg.addEventListener("pointermove", follow);

  const update = (state) => {
    const shown = [ctx.format(state.format), ...(state.beside ? [ctx.format(state.beside)] : [])];
    const width = ctx.widthOf(holder);
    scale = scales(shown, width);
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    const { rounded } = ctx.stored(state.x, shown[0], state);
    const value = rounded?.value;
    fill(svg, title, axes(scale, width), shown.map((fmt, i) => [curve(fmt, scale, i), name(fmt, i)]), cursor(value, shown[0], scale));
    fill(title, `Staircase of the ulp of ${shown.map((f) => f.name).join(" and ")} against the magnitude, both as powers of two`);
    slider.min = shown[0].quantumExponentMin;
    slider.max = shown[0].emax;
    if (value && isFinite(value) && !isZero(value)) slider.value = Math.floor(log2(value));
    fill(words, cursorWords(value, shown));
  };
  return { element, update };
}

function scales(shown, width) {
  const low = Math.min(...shown.map((f) => f.quantumExponentMin));
  const high = Math.max(...shown.map((f) => f.emax + 1));
  const top = Math.max(...shown.map((f) => f.emax - f.trailingBits)) + 1;
  const inner = { w: width - MARGIN.left - MARGIN.right, h: HEIGHT - MARGIN.top - MARGIN.bottom };
  return {
    low, high, top,
    x: (e) => MARGIN.left + ((e - low) / (high - low)) * inner.w,
    y: (e) => MARGIN.top + ((top - e) / (top - low)) * inner.h,
    back: (px) => low + ((px - MARGIN.left) / inner.w) * (high - low),
  };
}

/** A round step that gives about `wanted` ticks. */
function tickStep(span, wanted) {
  return [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((step) => span / step <= wanted) ?? 2000;
}

function ticks(from, to, wanted) {
  const step = tickStep(to - from, wanted);
  const first = Math.ceil(from / step) * step;
  return Array.from({ length: Math.floor((to - first) / step) + 1 }, (_, i) => first + i * step);
}

function axes({ low, high, top, x, y }, width) {
  return [
    ticks(low, high, width / 70).map((e) => [
      s("line", { x1: x(e), x2: x(e), y1: y(top), y2: y(low), class: "grid" }),
      s("text", { x: x(e), y: y(low) + 16, class: "label", "text-anchor": "middle" }, powerText(e)),
    ]),
    ticks(low, top, 7).map((e) => [
      s("line", { x1: x(low), x2: x(high), y1: y(e), y2: y(e), class: "grid" }),
      s("text", { x: x(low) - 6, y: y(e) + 4, class: "label", "text-anchor": "end" }, powerText(e)),
    ]),
    s("text", { x: x(high), y: HEIGHT - 6, class: "name", "text-anchor": "end" }, "magnitude"),
    s("text", { x: 4, y: 12, class: "name" }, "ulp"),
  ];
}

function curve(fmt, { x, y }, i) {
  return s("polyline", { points: staircase(fmt).map(([a, b]) => `${x(a)},${y(b)}`).join(" "), class: `curve curve-${i}` });
}

/** A line of the legend, in the corner that no staircase reaches. */
function name(fmt, i) {
  const [x, y] = [MARGIN.left + 16, MARGIN.top + 20 + 22 * i];
  return [
    s("line", { x1: x, x2: x + 36, y1: y, y2: y, class: `curve curve-${i}` }),
    s("text", { x: x + 46, y: y + 4, class: `curve-name curve-name-${i}` }, fmt.name),
  ];
}

function cursor(value, fmt, { x, y, low, top }) {
  if (!value || !isFinite(value) || isZero(value)) return [];
  const [at, u] = [x(log2(value)), y(quantumAt(value, fmt))];
  return [
    s("line", { x1: at, x2: at, y1: y(top), y2: y(low), class: "cursor" }),
    s("circle", { cx: at, cy: u, r: 6, class: "stored-mark" }),
  ];
}

function cursorWords(value, shown) {
  if (!value || !isFinite(value)) return "The cursor is out of range.";
  const each = shown.map((fmt) => {
    const q = quantumAt(value, fmt);
    return `${fmt.name}: ulp ${powerText(q)} = ${shortText(finite(false, 1n, 1n, q), 16)}`;
  });
  return `At ${shortText(value, 20)} · ${each.join(" · ")}`;
}
