/* The fourth view: every pair of a small format at once, each cell a link to its steps. */

import { asks, choice, formatPicker, modePicker } from "./controls.js";
import { card, fill, h, stateLink } from "./dom.js";
import { lottery } from "./explain.js";
import { OPERATIONS } from "./operations.js";
import { isRandom } from "./rounding.js";
import { KINDS, KIND_WORDS, cellOf, pairTable } from "./pairs.js";
import { codeText, shortText } from "./text.js";
import { chanceWords } from "./words.js";

const PIXELS = 768;
const WRITTEN = 26; // pixels of a cell that is wide enough for its result in words
const SLICE = 8; // milliseconds of work between two frames
const PAIR_OPERATIONS = ["add", "subtract", "multiply", "divide"];

const EXAMPLES = [
  ["Sums of E4M3FN: exact where the exponents are alike.", { small: "e4m3fn", op: "add", mode: "ties_to_even" }],
  ["Products of E5M2: most of the plane overflows or vanishes.", { small: "e5m2", op: "multiply", mode: "ties_to_even" }],
  ["Quotients toward zero: errors up to a whole ulp.", { small: "e4m3_ieee", op: "divide", mode: "toward_zero" }],
  ["Four bits: sixteen numbers, 256 products.", { small: "e2m1fn", op: "multiply", mode: "ties_to_even" }],
];

/** The view of all pairs. */
export function heatmapView(ctx) {
  const asked = [
    formatPicker(ctx, "small", "Format", { fits: (fmt) => fmt.width <= 8 }),
    choice(ctx, "op", "Operation", PAIR_OPERATIONS.map((op) => [op, OPERATIONS[op].label])),
    modePicker(ctx),
  ];
  const canvas = h("canvas", { class: "heat", width: PIXELS, height: PIXELS, tabindex: 0, role: "img" });
  const readout = h("div", { class: "readout", "aria-live": "polite" });
  const summary = h("p", { class: "reading", role: "status" });
  const legend = h("ul", { class: "legend", role: "list" });
  const [across, along] = [h("div", { class: "ends across" }), h("div", { class: "ends along" })];
  let [table, key, theme, cursor, frame] = [null, "", "", null, 0];

  const paint = (from, to) => {
    const size = PIXELS / table.n;
    const image = canvas.getContext("2d").createImageData(PIXELS, Math.ceil((to - from) * size));
    paintRows(image, table, from, size, palette(canvas));
    // The first row is the smallest a; it belongs at the bottom.
    canvas.getContext("2d").putImageData(image, 0, Math.floor(PIXELS - to * size));
    if (isRoomy(canvas, table)) writeRows(canvas, table, from, to, ctx.drawNow(ctx.store.get()));
  };
  const work = () => {
    const [from, to] = table.advance(SLICE);
    paint(from, to);
    if (!table.done) frame = requestAnimationFrame(work);
    fill(summary, table.done ? summaryWords(table) : `computing: row ${to} of ${table.n}`);
    if (table.done) canvas.dataset.done = theme;
  };
  const recolour = () => { // at once, as paper does not wait
    theme = ctx.theme();
    if (table.rows) paint(0, table.rows);
    if (table.done) canvas.dataset.done = theme;
    drawLegend(legend, canvas);
  };
  const restart = (state) => {
    cancelAnimationFrame(frame);
    const fmt = ctx.format(state.small);
    table = pairTable(operationOf(state), fmt, state.mode, ctx.drawNow(state));
    canvas.getContext("2d").clearRect(0, 0, PIXELS, PIXELS);
    canvas.setAttribute("aria-label", `Errors of ${OPERATIONS[operationOf(state)].label} for all pairs of ${fmt.name}; arrow keys move over the cells, Enter shows the steps`);
    cursor = { row: Math.floor(table.n * 0.6), column: Math.floor(table.n * 0.7) };
    fill(across, axisMarks(table, "left", isRoomy(canvas, table))); fill(along, axisMarks(table, "bottom", isRoomy(canvas, table)));
    delete canvas.dataset.done;
    frame = requestAnimationFrame(work);
  };

  const changesFor = ({ row, column }) => ({
    view: "arithmetic", op: operationOf(ctx.store.get()), format: table.fmt.name, step: "all",
    a: codeText(table.axis[row], table.fmt), b: codeText(table.axis[column], table.fmt),
  });
  const tell = () => {
    const { row, column } = cursor;
    const state = ctx.store.get();
    const cell = cellOf(table.operation, table.used[row], table.used[column], table.fmt, state.mode, ctx.drawNow(state));
    const inputs = [table.used[row], table.used[column]].map((value) => ({ value }));
    const chances = isRandom(state.mode) ? `Over all random numbers: ${chanceWords(lottery(table.operation, inputs, table.fmt, state.mode))}. ` : "";
    fill(readout, h("p", {}, h("b", {}, sentence(table, row, column, cell))), h("p", {}, cellWords(cell), " ", chances,
      stateLink(ctx, changesFor(cursor), "Show its steps ▶")));
  };
  const cellAt = (event) => {
    const box = canvas.getBoundingClientRect();
    const part = (x) => Math.min(Math.max(Math.floor(x * table.n), 0), table.n - 1);
    return { row: part((box.bottom - event.clientY) / box.height), column: part((event.clientX - box.left) / box.width) };
  };
  canvas.addEventListener("pointermove", (event) => { cursor = cellAt(event); tell(); });
  canvas.addEventListener("click", (event) => { cursor = cellAt(event); ctx.store.set(changesFor(cursor)); });
  canvas.addEventListener("keydown", (event) => {
    const moves = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (event.key === "Enter") ctx.store.set(changesFor(cursor));
    else if (event.key in moves) {
      const [dr, dc] = moves[event.key].map((d) => d * (event.shiftKey ? 16 : 1));
      const within = (i) => Math.min(Math.max(i, 0), table.n - 1);
      cursor = { row: within(cursor.row + dr), column: within(cursor.column + dc) };
      tell();
    } else return;
    event.preventDefault();
  });

  const element = h("div", {},
    asks(ctx, asked, EXAMPLES),
    card("Every pair at once", h("div", { class: "heat-grid" },
      h("div", { class: "plane" }, along, canvas, across), h("div", { class: "aside" }, readout, legend, summary,
        h("p", { class: "hint" }, "a runs upward, b to the right, each from the lowest value to the highest, NaN last. Click a cell for its steps.")))));

  const update = (state) => {
    asked.forEach((x) => x.update({ ...state, op: operationOf(state) }));
    const wanted = [state.small, operationOf(state), state.mode, isRandom(state.mode) ? state.draw : ""].join();
    if (wanted !== key) {
      key = wanted;
      theme = "";
      restart(state);
    }
    if (theme !== ctx.theme()) recolour();
    tell();
  };
  return { element, update };
}

const operationOf = (state) => (PAIR_OPERATIONS.includes(state.op) ? state.op : "add");

const isRoomy = (canvas, { n }) => canvas.clientWidth / n >= WRITTEN;

/** Labels at the places of the lowest number, zero and the highest; where there is room, of every value. */
function axisMarks({ values, n, fmt }, side, isRoomy) {
  const place = (i) => `${side}: ${((100 * (i + 0.5)) / n).toFixed(2)}%`;
  if (isRoomy) return values.map((x, i) => h("span", { style: place(i) }, shortText(x, 5)));
  const last = values.findLastIndex((x) => x.kind === "finite");
  const first = values.findIndex((x) => x.kind === "finite");
  const zeros = fmt.signed ? [[(first + last) / 2, "0"]] : []; // else the lowest number is a zero, or there is none
  const marks = [[first, shortText(values[first], 8)], ...zeros, [last, shortText(values[last], 8)]];
  return marks.map(([i, words]) => h("span", { style: place(i) }, words));
}

const sentence = ({ values, operation }, row, column, cell) =>
  `${shortText(values[row], 14)} ${OPERATIONS[operation].symbol} ${shortText(values[column], 14)} → ${cell.code === null ? "no code for NaN" : shortText(cell.value, 14)}`;

function cellWords({ kind, error, flags }) {
  const size = kind === "inexact" || kind === "vanished" ? `, error ${error < 0 ? "−" : "+"}${Math.abs(error).toPrecision(4)} ulp` : "";
  return `${KIND_WORDS[kind]}${size}${flags.length ? ` (${flags.join(", ")})` : ""}.`;
}

function summaryWords({ counts, worst, n }) {
  const parts = KINDS.filter((kind) => counts[kind]).map((kind) => `${counts[kind].toLocaleString("en")} ${KIND_WORDS[kind]}`);
  return `${(n * n).toLocaleString("en")} pairs: ${parts.join(", ")}. The largest error is ${worst.toPrecision(4)} ulp.`;
}

/** The colours in use, as [r, g, b]; the canvas takes them from the page's own. */
function palette(canvas) {
  const probe = document.createElement("span");
  canvas.parentElement?.append(probe);
  const color = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
  };
  const found = Object.fromEntries(["heat-exact", "heat-low", "heat-high", "heat-over", "heat-nan", "heat-mark", "ink", "panel"].map((name) => [name.replace("heat-", ""), color(name)]));
  probe.remove();
  return found;
}

/** The colour of a pixel: by kind and error, and by a pattern in the cell, so that colour is not alone. */
export function pixel(kind, error, worst, x, y, colors) {
  const diagonal = (x + y) % 6 < 2;
  if (kind === "overflow") return diagonal ? colors.mark : colors.over;
  if (kind === "infinite") return (x - y + 6000) % 6 < 2 ? colors.mark : colors.over;
  if (kind === "invalid") return (x >> 1) + (y >> 1) & 1 ? colors.nan : colors.mark;
  if (kind === "exact") return colors.exact;
  const t = Math.min(Math.abs(error) / (worst > 0.5 ? 1 : 0.5), 1);
  if (kind === "vanished" && x % 3 === 1 && y % 3 === 1) return t < 0.5 ? colors.mark : colors.exact;
  return colors.low.map((c, i) => c + (colors.high[i] - c) * t);
}

function paintRows(image, table, from, size, colors) {
  const worst = table.mode.startsWith("ties") ? 0.5 : 1;
  const top = from + image.height / size;
  for (let y = 0; y < image.height; y++) {
    const row = Math.min(Math.floor(top - (y + 0.5) / size), table.n - 1);
    for (let x = 0; x < PIXELS; x++) {
      const at = row * table.n + Math.floor(x / size);
      const [r, g, b] = pixel(KINDS[table.kinds[at]], table.errors[at], worst, x, y, colors);
      image.data.set([r, g, b, 255], 4 * (y * PIXELS + x));
    }
  }
}

/** The results in their cells, outlined, so that they can be read on every colour. */
function writeRows(canvas, table, from, to, draw) {
  const [size, paper, colors] = [PIXELS / table.n, canvas.getContext("2d"), palette(canvas)];
  Object.assign(paper, { font: `600 ${Math.round(size / 3.2)}px monospace`, textAlign: "center", textBaseline: "middle", lineWidth: 5, lineJoin: "round" });
  [paper.fillStyle, paper.strokeStyle] = [colors.ink, colors.panel].map((color) => `rgb(${color.join()})`);
  for (let row = from; row < to; row++) {
    for (let column = 0; column < table.n; column++) {
      const { code, value } = cellOf(table.operation, table.used[row], table.used[column], table.fmt, table.mode, draw);
      const at = [(column + 0.5) * size, PIXELS - (row + 0.5) * size];
      const words = code === null ? "–" : shortText(value, 5);
      paper.strokeText(words, ...at);
      paper.fillText(words, ...at);
    }
  }
}

function drawLegend(legend, canvas) {
  const colors = palette(canvas);
  const samples = [["exact", 0], ["inexact", 0.1], ["inexact", 1], ["vanished", 1], ["overflow", 0], ["infinite", 0], ["invalid", 0]];
  const words = { "inexact0.1": "rounded: a small error", inexact1: "rounded: the largest error of the mode" };
  fill(legend, samples.map(([kind, error]) => {
    const swatch = h("canvas", { width: 36, height: 18, "aria-hidden": "true" });
    const image = swatch.getContext("2d").createImageData(36, 18);
    for (let i = 0; i < 36 * 18; i++) image.data.set([...pixel(kind, error, 1, i % 36, Math.floor(i / 36), colors), 255], 4 * i);
    swatch.getContext("2d").putImageData(image, 0, 0);
    return h("li", {}, swatch, ` ${words[kind + error] ?? KIND_WORDS[kind]}`);
  }));
}
