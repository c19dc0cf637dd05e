/* What every view works with: the store, the formats, what is stored, and steps of one ulp. */

import { decode, formatTable } from "./formats.js";
import { moved } from "./panel.js";
import { drawOf } from "./controls.js";
import { readNumber } from "./parse.js";
import { MODES, roundOperand } from "./rounding.js";
import { OPERATIONS } from "./operations.js";
import { DEFAULTS, formatHash, makeStore } from "./state.js";
import { exactText } from "./text.js";

const KEYS = { ArrowUp: 1n, ArrowDown: -1n, PageUp: 16n, PageDown: -16n };
const SIDEWAYS = { ArrowRight: 1n, ArrowLeft: -1n };

/** The context, from the facts that Python wrote into the page. */
export function makeContext(facts) {
  const formats = formatTable(facts.formats);
  const store = makeStore(facts.state, (state) => known(state, formats));
  const format = (id) => formats.get(id) ?? formats.get(DEFAULTS.format);
  const drawNow = (state) => drawOf(state.draw) ?? 0n;

  /** How a text reads in a format, and what is stored: {read, rounded}; rounded is null where nothing can be. */
  const stored = (text, fmt, state) => {
    const read = readNumber(text, fmt);
    if (read.error) return { read, rounded: null };
    const rounded = read.code === null ? roundOperand(read.value, fmt, state.mode, drawNow(state)) : { value: read.value, code: read.code, flags: [] };
    return { read, rounded };
  };

  /** Move the number under `key` by `count` values of the format under `formatKey`. */
  const stepUlp = (key, formatKey, count) => {
    const state = store.get();
    const fmt = format(state[formatKey]);
    const code = stored(state[key], fmt, state).rounded?.code ?? null;
    if (code === null) return;
    const next = moved(code, count, fmt);
    store.set({ [key]: exactText(decode(next, fmt), next, fmt) });
  };

  /** A key that steps: up and down one ulp, page up and down 16; left and right too where no text is edited. */
  const stepKey = (event, key, formatKey, sideways = false) => {
    const count = KEYS[event.key] ?? (sideways ? SIDEWAYS[event.key] : undefined);
    if (count === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    stepUlp(key, formatKey, count);
  };

  const hashOf = (changes) => formatHash(known({ ...store.get(), ...changes }, formats));
  const wider = ["binary32", "binary64"].map(formats.get);
  return { facts, formats, store, format, stored, stepUlp, stepKey, hashOf, drawNow, wider };
}

/** A state in which formats, mode and operation are ones that exist. */
function known(state, formats) {
  const or = (ok, key) => (ok ? state[key] : DEFAULTS[key]);
  const name = (key) => formats.get(state[key])?.name;
  const small = formats.get(state.small);
  return {
    ...state,
    format: name("format") ?? DEFAULTS.format,
    beside: state.beside && (name("beside") ?? DEFAULTS.beside),
    small: small && small.width <= 8 ? small.name : DEFAULTS.small,
    mode: or(MODES.includes(state.mode), "mode"),
    op: or(Object.hasOwn(OPERATIONS, state.op), "op"),
  };
}
