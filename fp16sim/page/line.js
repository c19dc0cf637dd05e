/* The second view: the number line with its zoom, and the ulp against the magnitude. */

import { asks, formatPicker, modePicker, numberField } from "./controls.js";
import { button, card, h } from "./dom.js";
import { bitLength, finite, isFinite } from "./exact.js";
import { exactText } from "./text.js";
import { closeZoom, drawLine, lineFrame, wholeWindow, wholeZoom, windowOf, windowWords } from "./numberline.js";
import { readNumber } from "./parse.js";
import { quantumAt } from "./formats.js";
import { roundResult } from "./rounding.js";
import { ulpChart } from "./ulpchart.js";

const EXAMPLES = [
  ["The whole range: half of all values lie between −1 and 1.", { x: "0.1", format: "binary16", beside: "", zoom: "all", at: "" }],
  ["An eight-bit format, value by value.", { x: "1", format: "e4m3fn", beside: "e5m2", zoom: "1", at: "0" }],
  ["Where 2048 + 1 would be: the spacing doubles at 2048.", { x: "2049", format: "binary16", beside: "", zoom: "3", at: "2048" }],
  ["The gap around zero is filled by subnormals.", { x: "2^-24", format: "binary16", beside: "", zoom: "-20", at: "0" }],
  ["The same place in two formats.", { x: "0.1", format: "binary16", beside: "bfloat16", zoom: "-8", at: "0.1" }],
  ["Even binary64 has single values.", { x: "0.1", format: "binary64", beside: "", zoom: "-54", at: "0.1" }],
];

/** The view of where the numbers of a format lie. */
export function lineView(ctx) {
  const asked = [
    numberField(ctx, "x", "Number"),
    formatPicker(ctx, "format", "Format"),
    formatPicker(ctx, "beside", "Beside it", { none: "nothing" }),
    modePicker(ctx),
  ];
  const chart = ulpChart(ctx);
  const frame = lineFrame("Number line: plus and minus zoom, left and right arrows step one ulp, dragging moves");
  const words = h("p", { class: "reading", role: "status" });
  let view = null;

  const look = (zoom, at, merge = null) => ctx.store.set({ zoom: String(zoom), at }, { merge });
  const centreText = (x) => exactText(x, null, { trailingBits: bitLength(x.n) });
  const zoomBy = (delta, merge = null) => {
    const fmt = ctx.format(ctx.store.get().format);
    const to = Math.min(Math.max(view.zoom + delta, fmt.quantumExponentMin - 1), wholeZoom(fmt));
    const stored = storedNow();
    const whole = ctx.store.get().zoom === "all";
    look(to, whole && stored ? centreText(stored) : ctx.store.get().at, merge);
  };
  const storedNow = () => {
    const state = ctx.store.get();
    const value = ctx.stored(state.x, ctx.format(state.format), state).rounded?.value;
    return value && isFinite(value) ? value : null;
  };
  const close = () => {
    const value = storedNow();
    if (value) look(closeZoom(value, ctx.format(ctx.store.get().format)), centreText(value));
  };
  const binade = () => {
    const value = storedNow();
    const fmt = ctx.format(ctx.store.get().format);
    if (value) look(quantumAt(value, fmt) + fmt.trailingBits + 1, centreText(value));
  };
  const panTo = (centre, merge = null) => look(view.zoom, centreText(rounding(centre, view.zoom)), merge);

  const buttons = h("div", { class: "row", role: "group", "aria-label": "Zoom" },
    button("−", () => zoomBy(1), { "aria-label": "Zoom out" }), button("+", () => zoomBy(-1), { "aria-label": "Zoom in" }),
    button("◀", () => panTo(view.at(-0.5)), { "aria-label": "Move left" }), button("▶", () => panTo(view.at(0.5)), { "aria-label": "Move right" }),
    button("whole range", () => look("all", ""), { class: "quiet" }), button("its binade", binade, { class: "quiet" }),
    button("single values", close, { class: "quiet" }));
  gestures(frame.holder, { zoomBy, panTo, view: () => view, pick: (x) => pickNearest(x), key: (event) => ctx.stepKey(event, "x", "format", true) });
  const pickNearest = (x) => {
    const fmt = ctx.format(ctx.store.get().format);
    const { code } = roundResult(x, fmt, "ties_to_even");
    if (code !== null) ctx.setCode("x", code, fmt);
  };

  const element = h("div", {}, asks(ctx, asked, EXAMPLES),
    card("Where its numbers lie", frame.holder, buttons, words,
      h("p", { class: "hint" }, "Drag to move, pinch or + and − to zoom, click for the nearest value. The band around the stored value is everything that rounds to it.")),
    chart.element);

  const update = (state) => {
    asked.forEach((x) => x.update(state));
    const fmt = ctx.format(state.format);
    const { read, rounded } = ctx.stored(state.x, fmt, state);
    const stored = rounded && isFinite(rounded.value) ? rounded.value : null;
    view = windowFor(state, fmt, stored);
    const beside = state.beside ? ctx.format(state.beside) : null;
    const text = windowWords(view, fmt);
    const width = ctx.widthOf(frame.holder);
    frame.draw(text, width, drawLine(width, view, fmt, beside, stored, read.error ? null : read.value, state.mode), beside !== null);
    words.textContent = text;
    chart.update(state);
  };
  return { element, update, warm: update };
}

/** The window of a state: everything, or centre ± 2^zoom; without a centre around the stored value. */
function windowFor(state, fmt, stored) {
  const zoom = Number(state.zoom);
  if (state.zoom === "all" || !Number.isFinite(zoom)) return wholeWindow(fmt);
  const given = state.at ? readNumber(state.at, fmt).value : stored;
  const centre = given && isFinite(given) ? given : finite(false, 0n);
  return windowOf(centre, Math.min(Math.max(zoom, fmt.quantumExponentMin - 1), wholeZoom(fmt)));
}

/** A centre needs no more bits than the eye can tell apart: some 2^-12 of the window. */
const rounding = (x, zoom) => {
  const q = Math.floor(zoom) - 12;
  const shift = BigInt(Math.abs(x.e - q));
  const n = x.e >= q ? x.n << shift : x.n >> shift;
  return finite(x.negative && n > 0n, n / x.d, 1n, q);
};

/** Dragging, pinching, the wheel (with Ctrl, or when the line has the focus) and keys. */
function gestures(holder, { zoomBy, panTo, view, pick, key }) {
  const fingers = new Map();
  let [moved, spread] = [false, 0];
  const reach = () => {
    const [a, b] = [...fingers.values()];
    return Math.hypot(a.x - b.x, a.y - b.y);
  };
  holder.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    moved = false;
    if (fingers.size === 2) spread = reach();
  });
  holder.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before || event.buttons === 0) return;
    const dx = event.clientX - before.x;
    if (fingers.size === 1 && Math.abs(dx) < 4) return;
    moved = true;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (fingers.size === 1) return panTo(view().at((-2 * dx) / holder.clientWidth), "drag");
    const now = reach();
    if (Math.abs(Math.log2(now / spread)) < 0.25) return;
    zoomBy(-Math.log2(now / spread), "drag");
    spread = now;
  });
  const lift = (event) => {
    const known = fingers.delete(event.pointerId);
    if (!known || moved || event.type !== "pointerup") return;
    const box = holder.getBoundingClientRect();
    pick(view().at((2 * (event.clientX - box.left)) / box.width - 1));
  };
  ["pointerup", "pointercancel", "pointerleave"].forEach((name) => holder.addEventListener(name, lift));
  holder.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && document.activeElement !== holder) return;
    event.preventDefault();
    zoomBy(event.deltaY > 0 ? 0.5 : -0.5, "wheel");
  }, { passive: false });
  holder.addEventListener("keydown", (event) => {
    if (event.target !== holder) return;
    const zooms = { "+": -1, "=": -1, "-": 1 };
    if (event.key in zooms) zoomBy(zooms[event.key]);
    else key(event);
  });
}
