/* What every view works with: the store, the formats, what is stored, and steps of one ulp. */

import { address } from "./address.js";
import { blockTable } from "./blocks.js";
import { formatTable } from "./formatnames.js";
import { decode, moved } from "./formats.js";
import { unitTable } from "./matrixunits.js";
import { drawOf } from "./controls.js";
import { readNumber } from "./parse.js";
import { roundOperand } from "./rounding.js";
import { DEFAULTS, formatHash } from "./state.js";
import { makeStore } from "./store.js";
import { codeText, exactText } from "./text.js";

const KEYS = { ArrowUp: 1n, ArrowDown: -1n, PageUp: 16n, PageDown: -16n };
const SIDEWAYS = { ArrowRight: 1n, ArrowLeft: -1n };
const PAUSE = 2000; // milliseconds without a key after which typing is another edit

/** The context, from the facts that Python wrote into the page. */
export function makeContext(facts) {
  const formats = formatTable(facts.formats, facts.overflows);
  const blocks = blockTable(facts.blocks, formats);
  const units = unitTable(facts.units, formats);
  const { read: readAddress, known } = address(formats, blocks, units, facts.rules);
  const store = makeStore(facts.state, readAddress, known);
  const format = (id) => formats.get(id) ?? formats.get(DEFAULTS.format);
  const drawNow = (state) => drawOf(state.draw) ?? 0n;

  /** How a text reads, and what a format stores: {read, rounded}; rounded is null where nothing can be.

      A code is one of the view's first format. In any other its value is rounded. */
  const stored = (text, fmt, state) => {
    const home = format(state.format);
    const read = readNumber(text, home);
    if (read.error) return { read, rounded: null };
    const asCode = read.code !== null && fmt.name === home.name;
    return { read, rounded: asCode ? { value: read.value, code: read.code, flags: [] } : roundOperand(read.value, fmt, state.mode, drawNow(state)) };
  };

  /** A text that stands for a code of a format: its exact value, or the code itself where that would become another. */
  const textOf = (code, fmt) => {
    const value = decode(code, fmt);
    const isHome = fmt.name === format(store.get().format).name;
    if (value.kind === "nan") return isHome ? codeText(code, fmt) : "nan";
    const stays = roundOperand(value, fmt, "ties_to_even").code === code;
    return stays || !isHome ? exactText(value, code, fmt) : codeText(code, fmt);
  };

  /** Make the number under `key` that of a code. */
  const setCode = (key, code, fmt, merge = null) => store.set({ [key]: textOf(code, fmt) }, { merge });

  /** Move the number under `key` by `count` values of the format under `formatKey`. */
  const stepUlp = (key, formatKey, count, merge = null) => {
    const state = store.get();
    const fmt = format(state[formatKey]);
    const code = stored(state[key], fmt, state).rounded?.code ?? null;
    if (code !== null) setCode(key, moved(code, count, fmt), fmt, merge);
  };

  /** A key that steps: up and down one ulp, with Shift 10, page up and down 16; left and right too where no text is
      edited. While a key is held down, its steps are one edit. */
  const stepKey = (event, key, formatKey, sideways = false) => {
    const count = KEYS[event.key] ?? (sideways ? SIDEWAYS[event.key] : undefined);
    if (count === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (!event.repeat) store.settle();
    stepUlp(key, formatKey, event.shiftKey ? 10n * count : count, "step");
  };

  let typedAt = -Infinity;
  /** A change by typing: with what was typed just before in the same field, it is one edit. */
  const type = (changes, field = Object.keys(changes)[0]) => {
    if (performance.now() - typedAt > PAUSE) store.settle();
    typedAt = performance.now();
    store.set(changes, { merge: `type ${field}` });
  };

  const hashOf = (changes) => formatHash(known({ ...store.get(), ...changes }));
  const wider = ["binary32", "binary64"].map(formats.get);
  return { facts, formats, blocks, units, store, format, stored, setCode, stepUlp, stepKey, type, hashOf, drawNow, wider };
}
