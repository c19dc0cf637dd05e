/* The page: a header, the tour, one view at a time; and the arithmetic as `fp16sim` for the browser's console. */

import { arithmeticView } from "./arithmetic.js";
import { makeContext } from "./context.js";
import { button, change, h } from "./dom.js";
import { explain } from "./explain.js";
import { classify, decode, encodeHeld, nextDown, nextUp } from "./formats.js";
import { heatmapView } from "./heatmap.js";
import { lineView } from "./line.js";
import { numberView } from "./number.js";
import { operate } from "./operations.js";
import { readNumber } from "./parse.js";
import { roundResult } from "./rounding.js";
import { VIEWS } from "./state.js";
import { stepsOf } from "./steps.js";
import { decimalText, fractionText, hexText, shortText, shortestText } from "./text.js";
import { STATIONS, tourCard } from "./tour.js";

const VIEW_WORDS = { number: "Number", line: "Line", arithmetic: "Arithmetic", heatmap: "Pairs" };
const MAKERS = { number: numberView, line: lineView, arithmetic: arithmeticView, heatmap: heatmapView };
const THEMES = ["light dark", "dark", "light"];
const THEME_WORDS = { "light dark": "Theme: as the system", dark: "Theme: dark", light: "Theme: light" };

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
ctx.theme = () => (theme === "dark" || (theme === THEMES[0] && dark.matches) ? "dark" : "light");

const themeButton = button("", () => {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  remember(theme);
  applyTheme();
  render(ctx.store.get());
}, { class: "quiet" });

function applyTheme() {
  document.documentElement.style.colorScheme = theme;
  document.documentElement.dataset.theme = ctx.theme();
  themeButton.textContent = { "light dark": "◐", dark: "●", light: "○" }[theme];
  change(themeButton, { "aria-label": THEME_WORDS[theme], title: THEME_WORDS[theme] });
}

/* --- header --- */

const links = VIEWS.map((view) => button(VIEW_WORDS[view], () => ctx.store.set({ view }, { push: true }), { class: "tab", "data-view": view }));
const tour = tourCard(ctx);
const copied = button("Copy link", copyLink, { class: "quiet", title: "The address holds all that is shown" });
document.querySelector("nav").append(...links);
document.querySelector(".tools").append(button("Tour", tour.start, { class: "quiet" }), copied, themeButton);
document.getElementById("version").textContent = facts.version;

async function copyLink() {
  const link = location.protocol === "about:" ? ctx.hashOf({}) : location.href;
  try {
    await navigator.clipboard.writeText(link);
    copied.textContent = "Copied";
  } catch {
    prompt("Copy this link", link);
  }
  setTimeout(() => { copied.textContent = "Copy link"; }, 1500);
}

/* --- views --- */

const views = {};
main.append(tour.element);

function made(name) {
  views[name] ??= MAKERS[name](ctx);
  return views[name];
}

function viewOf(name) {
  const view = made(name);
  if (!view.element.isConnected) main.append(view.element);
  return view;
}

let speaking = 0;

function speak(state) {
  clearTimeout(speaking);
  speaking = setTimeout(() => {
    const fmt = ctx.format(state.format);
    const { read, rounded } = ctx.stored(state.x, fmt, state);
    if (!["number", "line"].includes(state.view) || read.error || rounded.code === null) return;
    spoken.textContent = `${fmt.name} stores ${shortText(rounded.value, 24)}, ${classify(rounded.code, fmt)}`;
  }, 400);
}

let current = null;

function render(state) {
  const view = viewOf(state.view);
  for (const [name, other] of Object.entries(views)) other.element.hidden = name !== state.view;
  links.forEach((link) => change(link, { "aria-current": link.dataset.view === state.view ? "page" : null }));
  document.title = `${VIEW_WORDS[state.view]} · fp16sim explorer`;
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
let resizing = 0;
addEventListener("resize", () => {
  cancelAnimationFrame(resizing);
  resizing = requestAnimationFrame(() => render(ctx.store.get()));
});

globalThis.fp16sim = {
  format: ctx.format, formats: ctx.formats, decode, encodeHeld, classify, nextUp, nextDown, operate, roundResult, explain,
  readNumber, decimalText, fractionText, hexText, shortText, shortestText, store: ctx.store, stations: STATIONS,
  stepsOf: (record) => stepsOf(record, ctx),
};
