/* The page: a header, the tour, one view at a time; and the arithmetic as `fp16sim` for the browser's console. */

import { arithmeticView } from "./arithmetic.js";
import { makeContext } from "./context.js";
import { formatsView } from "./allformats.js";
import { button, change, copyButton, fill, h } from "./dom.js";
import { explainBlock } from "./blocks.js";
import { blockOf, blockView } from "./blockview.js";
import { summaryWords } from "./blockwords.js";
import { explain } from "./explain.js";
import { classify, decode, encodeHeld, nextDown, nextUp } from "./formats.js";
import { heatmapView } from "./heatmap.js";
import { keysDialog, legend } from "./help.js";
import { lineView } from "./line.js";
import { numberView } from "./number.js";
import { modeWords } from "./controls.js";
import { OPERATIONS, operate } from "./operations.js";
import { readNumber } from "./parse.js";
import { roundOperand, roundResult } from "./rounding.js";
import { VIEWS } from "./state.js";
import { exactDot, otherOrders, runUnit, widerWindow } from "./matrixunits.js";
import { stepsOf } from "./steps.js";
import { decimalText, fractionText, hexText, shortText, shortestText } from "./text.js";
import { STATIONS, tourCard } from "./tour.js";
import { windowOf, windowView } from "./windowview.js";
import { unitWords } from "./windowwords.js";

const VIEW_WORDS = { number: "Number", formats: "All formats", line: "Line", arithmetic: "Arithmetic", heatmap: "Pairs", block: "Blocks", window: "Matrix units" };
const MAKERS = { number: numberView, formats: formatsView, line: lineView, arithmetic: arithmeticView, heatmap: heatmapView, block: blockView, window: windowView };
const THEMES = ["light dark", "dark", "light"];
const THEME_WORDS = { "light dark": "Theme: as the system", dark: "Theme: dark", light: "Theme: light" };

const PAPER = 640; // pixels

const facts = JSON.parse(document.getElementById("facts").textContent);
const ctx = makeContext(facts);
const main = document.querySelector("main");
const spoken = document.getElementById("spoken");

/* --- theme --- */

const remembered = () => {
  try { return localStorage.getItem("fp16sim-theme"); } catch { return null; } // a sandboxed frame has no storage
};
const remember = (theme) => {
  try { localStorage.setItem("fp16sim-theme", theme); } catch { /* then it lasts for this visit */ }
};
let theme = THEMES.includes(remembered()) ? remembered() : THEMES[0];
const dark = matchMedia("(prefers-color-scheme: dark)");
let printing = false; // on paper everything is light
ctx.theme = () => (!printing && (theme === "dark" || (theme === THEMES[0] && dark.matches)) ? "dark" : "light");
/** The width of a picture; that of paper while it is printed, since the page has its paper's width only later. */
ctx.widthOf = (holder) => (printing ? PAPER : Math.max(holder.clientWidth, 300));

const themeButton = button("", () => {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  remember(theme);
  applyTheme();
  render(ctx.store.get());
}, { class: "quiet" });

function applyTheme() {
  document.documentElement.style.colorScheme = printing ? "light" : theme;
  document.documentElement.dataset.theme = ctx.theme();
  themeButton.textContent = { "light dark": "◐", dark: "●", light: "○" }[theme];
  change(themeButton, { "aria-label": THEME_WORDS[theme], title: THEME_WORDS[theme] });
}

/* --- header --- */

const links = VIEWS.map((view) => button(VIEW_WORDS[view], () => ctx.store.set({ view }), { class: "tab", "data-view": view }));
const tour = tourCard(ctx);
const link = () => (location.protocol === "about:" ? "" : location.href.split("#")[0]) + ctx.hashOf({});
const copied = copyButton("Copy link", "Copy a link to what is shown", link);
const undo = button("↶", ctx.store.undo, { class: "quiet icon", "aria-label": "Undo", title: "Undo (Ctrl Z)" });
const redo = button("↷", ctx.store.redo, { class: "quiet icon", "aria-label": "Redo", title: "Redo (Ctrl Shift Z)" });
const keys = keysDialog();
const help = button("?", keys.open, { class: "quiet icon", "aria-label": "Keys", title: "The keys (?)" });
document.querySelector("nav").append(...links);
document.querySelector(".tools").append(undo, redo, button("Tour", tour.start, { class: "quiet" }), copied, help, themeButton);
document.getElementById("version").textContent = facts.version;

/* --- keys --- */

addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && !event.altKey && (key === "z" || key === "y")) {
    event.preventDefault();
    if (key === "y" || event.shiftKey) ctx.store.redo();
    else ctx.store.undo();
  } else if (key === "?" && !event.ctrlKey && !event.metaKey) {
    event.preventDefault(); // no number has one
    keys.open();
  }
});
// What comes after one of these is another edit.
["pointerdown", "focusout", "change"].forEach((name) => addEventListener(name, ctx.store.settle, true));

/* --- views --- */

const views = {};
const notice = h("p", { class: "card notice", role: "status", hidden: true });
const paper = h("p", { class: "on-paper" }); // what the controls say, which are not printed
main.append(tour.element, notice, paper);
document.body.append(keys.element);

function made(name) {
  views[name] ??= MAKERS[name](ctx);
  return views[name];
}

function viewOf(name) {
  const view = made(name);
  if (!view.element.isConnected) {
    view.element.append(legend(name) ?? "");
    main.append(view.element);
  }
  return view;
}

let speaking = 0;

function speak(state) {
  clearTimeout(speaking);
  speaking = setTimeout(() => {
    if (state.view === "block") return void (spoken.textContent = blockOf(state, ctx).error ?? summaryWords(blockOf(state, ctx).record));
    if (state.view === "window") return void (spoken.textContent = windowOf(state, ctx).error ?? unitWords(windowOf(state, ctx)));
    const fmt = ctx.format(state.format);
    const { read, rounded } = ctx.stored(state.x, fmt, state);
    if (!["number", "line"].includes(state.view) || read.error || rounded.code === null) return;
    spoken.textContent = `${fmt.name} stores ${shortText(rounded.value, 24)}, ${classify(rounded.code, fmt)}`;
  }, 400);
}

function paperWords(state) {
  const [fmt, beside] = [ctx.format(state.format).name, state.beside ? ` and ${state.beside}` : ""];
  const asked = {
    number: `${state.x} in ${fmt}${beside}`, line: `${state.x} in ${fmt}${beside}`, formats: state.x,
    arithmetic: `${OPERATIONS[state.op].label} in ${fmt}`, heatmap: `${OPERATIONS[state.op].label} in ${state.small}`, block: state.block,
  };
  if (state.view === "window") return `${VIEW_WORDS.window}: ${state.machine}, ${state.factors} to ${state.output}, c = ${state.start}`;
  return `${VIEW_WORDS[state.view]}: ${asked[state.view]}, rounded ${modeWords(state.mode)}`;
}

let current = null;

function render(state) {
  const view = viewOf(state.view);
  for (const [name, other] of Object.entries(views)) other.element.hidden = name !== state.view;
  links.forEach((link) => change(link, { "aria-current": link.dataset.view === state.view ? "page" : null }));
  document.title = `${VIEW_WORDS[state.view]} · fp16sim explorer`;
  const said = ctx.store.said();
  notice.hidden = !said.length;
  fill(notice, said.length ? `In the address: ${said.join("; ")}.` : "");
  change(undo, { disabled: !ctx.store.canUndo() });
  change(redo, { disabled: !ctx.store.canRedo() });
  fill(paper, paperWords(state));
  tour.update(state);
  view.update(state);
  if (current !== null && current !== state.view) requestAnimationFrame(() => scrollTo({ top: 0 })); // no layout of its own
  current = state.view;
  speak(state);
}

/** Build the other views while nobody waits, so that opening one is as quick as using it. */
function warmUp(names = VIEWS.filter((name) => name !== current)) {
  if (!names.length) return;
  const idle = globalThis.requestIdleCallback ?? ((work) => setTimeout(work, 200));
  idle(() => {
    if (!made(names[0]).element.isConnected) made(names[0]).warm?.(ctx.store.get());
    warmUp(names.slice(1));
  });
}

applyTheme();
dark.addEventListener("change", () => { applyTheme(); render(ctx.store.get()); });
ctx.store.subscribe(render);
addEventListener("load", () => setTimeout(warmUp, 100));
for (const [name, now] of [["beforeprint", true], ["afterprint", false]]) {
  addEventListener(name, () => {
    printing = now;
    applyTheme();
    render(ctx.store.get());
  });
}
let resizing = 0;
addEventListener("resize", () => {
  cancelAnimationFrame(resizing);
  resizing = requestAnimationFrame(() => render(ctx.store.get()));
});

globalThis.fp16sim = {
  format: ctx.format, formats: ctx.formats, decode, encodeHeld, classify, nextUp, nextDown, operate, roundResult, roundOperand, explain,
  runUnit, otherOrders, widerWindow, exactDot, units: ctx.units, explainBlock, blocks: ctx.blocks, rules: Object.keys(facts.rules),
  readNumber, decimalText, fractionText, hexText, shortText, shortestText, store: ctx.store, stations: STATIONS,
  stepsOf: (record) => stepsOf(record, ctx),
};
