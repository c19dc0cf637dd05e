/* The numbers of a block as text: read from what is pasted, changed one at a time, and examples of them. */

import { isFinite, isZero, log2, toNumber } from "./exact.js";
import { readNumber } from "./parse.js";

const LONGEST = 2000; // characters, as many as an address holds

/** The numbers in a text, parted by commas, blanks or lines; with semicolons between them, commas are decimal. Of a list
    in brackets, as Python prints one, only what the brackets hold. */
export function numbersIn(text) {
  const inside = /\[([^]*)\]/.exec(text)?.[1] ?? text;
  const parted = inside.replace(/[[\]]/g, " ");
  const one = parted.includes(";") ? parted.replace(/,/g, ".").split(/[\s;]+/) : parted.split(/[\s,]+/);
  return one.filter(Boolean);
}

/** The same text as the address has it: numbers and commas; no more whole numbers than an address has room for. */
export function asState(text) {
  const all = numbersIn(text.slice(0, 10 * LONGEST)).join(",");
  return all.length <= LONGEST ? all : all.slice(0, all.slice(0, LONGEST + 1).lastIndexOf(",") + 1 || LONGEST).replace(/,$/, "");
}

/** The numbers of the first block of a state: {texts, values, more}, or {error}. `more` are those behind the block. */
export function readBlock(text, block, home) {
  const all = numbersIn(text);
  if (!all.length) return { error: "Nothing is typed: give the numbers of one block, such as 7, 0.5, -3, 0.1." };
  const read = all.map((one) => readNumber(one, home));
  const wrong = read.find((one) => one.error);
  if (wrong) return { error: wrong.error };
  const values = read.map((one) => one.value);
  return { texts: all.slice(0, block.size), values: values.slice(0, block.size), all: values, more: all.length - Math.min(all.length, block.size) };
}

/** Texts with another one at a place; those behind the block stay. */
export const replaced = (text, index, one) => numbersIn(text).map((old, i) => (i === index ? one : old)).join(",");

/** A magnitude 2^t with its sign as a short text: of 3 digits, unless t is an integer. */
export function textNear(t, negative) {
  const at = Math.min(Math.max(t, -1000), 1000);
  const size = !Number.isInteger(at) ? Number((2 ** at).toPrecision(3)) : Math.abs(at) > 12 ? `2^${at}` : 2 ** at;
  return `${negative ? "-" : ""}${size}`;
}

/** A number times a power of 2, as a short text; a zero becomes `smallest`, an exponent of two. */
export function scaled(value, steps, smallest) {
  if (!isFinite(value)) return null;
  if (isZero(value)) return steps > 0 ? textNear(smallest, value.negative) : null;
  const whole = Number.isInteger(steps) && Math.abs(log2(value)) < 900;
  if (whole) return String(toNumber(value) * 2 ** steps);
  return textNear(log2(value) + steps, value.negative);
}

/** The example of the tour. */
export const OUTLIER = ["One outlier", "One outlier takes the scale with it: drag it down, and the others get their digits back.",
  "0.31,-0.22,0.48,0.05,-0.4,0.17,6,-0.09,0.26,-0.35,0.12,0.44,-0.18,0.07,0.39,-0.28", { block: "mxfp4" }];

/** Examples: [name, what it shows, numbers, more of the state]. */
export const EXAMPLES = [
  ["Weights", "A row of weights, as training leaves them: most are far below amax, and in 4 bits the small ones become 0.",
    "0.021,-0.034,0.008,0.055,-0.012,-0.027,0.041,0.003,-0.061,0.018,0.029,-0.007,0.014,-0.046,0.035,-0.002,0.010,0.072,-0.023,0.031,-0.016,0.005,-0.038,0.047,0.026,-0.055,0.001,0.019,-0.011,0.033,-0.028,0.006",
    { block: "mxfp4" }],
  ["Smooth", "A smooth block: all numbers are within three binades, and none vanishes; but floor saturates eight of them. Try rceil.",
    "0.2,0.56,0.83,0.98,0.98,0.83,0.56,0.2,-0.2,-0.56,-0.83,-0.98,-0.98,-0.83,-0.56,-0.2", { block: "mxfp4" }],
  OUTLIER,
  ["Just above", "amax is just above the largest element times the scale: floor saturates it, and rceil takes twice the scale.",
    "7.4,-3.1,1.2,0.7,-5.6,2.3,0.26,-0.9,4.4,-0.13,6.9,-2,0.5,-1.7,3.3,0.4", { block: "mxfp4" }],
  ["Zeros", "A block of zeros has the scale with code 0, and every zero keeps its sign.", "0,0,0,-0,0,0,0,0,-0,0,0,0,0,0,0,0", { block: "mxfp8" }],
  ["Tiny", "Numbers near the end of binary32: no scale of E8M0 is small enough, so the block gets the smallest one.",
    "2^-126,-2^-127,2^-128,-2^-129,2^-130,-2^-131,2^-132,-2^-133,2^-134,-2^-135,2^-136,-2^-137,2^-138,-2^-139,2^-140,-2^-149", { block: "mxfp8" }],
  ["NaN inside", "One NaN makes the scale NaN, and with it every value of the block.",
    "0.31,-0.22,nan,0.05,-0.4,0.17,0.9,-0.09,0.26,-0.35,0.12,0.44,-0.18,0.07,0.39,-0.28", { block: "mxfp8" }],
  ["NVFP4", "Two levels: the scale of a block has digits of its own, and a second scale fits the tensor's largest number, here 30.",
    "0.31,-0.22,0.48,0.05,-0.4,0.17,1.9,-0.09,0.26,-0.35,0.12,0.44,-0.18,0.07,0.39,-0.28", { block: "nvfp4", tensor: "30" }],
];

/** The state of an example. */
export const exampleState = ([, , values, more]) => ({ values, rule: "", tensor: "", pick: "", mode: "ties_to_even", ...more });
