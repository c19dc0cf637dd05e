/* What an address may hold: values that the page knows; and sentences about those that it does not. */

import { drawOf, readingWords } from "./controls.js";
import { readNumber } from "./parse.js";
import { isMode } from "./rounding.js";
import { OPERATIONS } from "./operations.js";
import { DEFAULTS, parseHash } from "./state.js";
import { STATIONS } from "./tour.js";

const FORMATS = ["format", "beside", "small"];
const shown = (text) => (text.length > 40 ? `${text.slice(0, 37)}…` : text);

/** `read(hash)`: {state, said}; `known(state)`: the state with defaults for formats, modes and operations that do not exist. */
export function address(formats, blocks, units, rules) {
  const name = (text) => formats.get(text)?.name;
  const small = (text) => {
    const fmt = formats.get(text);
    return fmt && fmt.width <= 8 ? fmt.name : undefined;
  };
  const one = (ok) => (text) => (ok(text) ? text : undefined);
  /** What a value means, or undefined. */
  const meanings = {
    format: name,
    beside: (text) => (text ? name(text) : ""),
    small,
    mode: one(isMode),
    op: one((text) => Object.hasOwn(OPERATIONS, text)),
    block: (text) => blocks.get(text)?.name,
    rule: one((text) => !text || Object.hasOwn(rules, text)),
    machine: one((text) => units.machines.includes(text)),
  };
  /** In an address alone: while somebody types, what is wrong with these stays in its field. */
  const places = {
    zoom: one((text) => text === "all" || /^-?\d+(\.\d+)?(e-?\d+)?$/.test(text)),
    at: one((text) => !text || !readNumber(text, formats.get(DEFAULTS.format)).error),
    step: one((text) => text === "all" || /^[1-9]\d?$/.test(text)),
    tour: one((text) => !text || (/^\d+$/.test(text) && STATIONS[Number(text) - 1])),
    pick: one((text) => /^\d{0,3}$/.test(text)),
    sum: one((text) => /^(s\d{1,2}(\.[12])?)?$/.test(text)),
    term: one((text) => /^([ps]\d{1,2})?$/.test(text)),
    draw: one((text) => drawOf(text) !== null),
  };
  /** The formats and the source that the table of machines has for this machine. */
  const fitting = (state) => ({ ...state, ...units.find(state).fitting });
  const known = (state) => fitting(withMeanings(state, meanings).state);
  const read = (hash) => {
    const { state, unknown } = parseHash(hash);
    const found = withMeanings(state, { ...meanings, ...places });
    const fit = fitting(found.state);
    const unfit = Object.keys(fit).filter((key) => fit[key] !== found.state[key]);
    const missing = unfit.map((key) => `${key}=${shown(state[key])} is not in the table for ${fit.machine}, and ${fit[key] || "the first source"} is shown`);
    const reason = (key) => (FORMATS.includes(key) && readingWords(formats, state[key])) || "is unknown";
    const wrong = found.wrong.map((key) => `${key}=${shown(state[key])} ${reason(key)}, and ${found.state[key] || "nothing"} is shown`);
    const odd = unknown.map(([key, value]) => (key ? `${shown(key)}${value && `=${shown(value)}`} is unknown` : `${shown(value)} is no view, and ${state.view} is shown`));
    return { state: fit, said: [...odd, ...wrong, ...missing] };
  };
  return { read, known };
}

function withMeanings(state, meanings) {
  const wrong = Object.keys(meanings).filter((key) => meanings[key](state[key]) === undefined);
  const values = Object.entries(meanings).map(([key, mean]) => [key, mean(state[key]) ?? DEFAULTS[key]]);
  return { state: { ...state, ...Object.fromEntries(values) }, wrong };
}
