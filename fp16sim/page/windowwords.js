/* Sentences about a matrix unit: what it does and who says so, what became of a sum, and the line of Python that says the same. */

import { numberText, roughText } from "./blockwords.js";
import { compareMagnitude, difference, exponentOf, finite, isFinite, isZero, quotient } from "./exact.js";
import { encodeHeld, quantumAt } from "./formats.js";
import { isDrawn } from "./matrixunits.js";
import { codeText, decimalText, powerText, shortestText, ulpsText } from "./text.js";

/** A number and a word for it, in the plural unless it is 1. */
export const count = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

/** What the unit does, and with what evidence. */
export function pathWords(path, sources) {
  const window = path.bits === null ? "" : `, window: ${path.bits} bits below the largest exponent`;
  const cutOff = { toward_zero: "cut off", ties_to_even: "rounded to nearest even" }[path.mode];
  return `${count(path.group, "product")} at once${window}; sums ${cutOff} to ${path.precision} significant bits. Evidence: ${path.evidence} (${sources[path.model]}).`;
}

/** A result, and its code. */
export const resultText = (x) => (isZero(x) ? "0" : numberText(x, 20));
export const resultCode = (x, fmt) => codeText(encodeHeld(x, fmt), fmt);

/** value − exact, in the output's ulps too. */
export function errorWords(value, exact, fmt) {
  if (!isFinite(value) || !isFinite(exact)) return "–";
  const error = difference(value, exact);
  if (isZero(error)) return "0";
  const ulps = quotient({ ...error, negative: false }, finite(false, 1n, 1n, quantumAt(exact, fmt)));
  const isNear = exponentOf(ulps) < 13 && exponentOf(ulps) > -13;
  return `${numberText(error, 13)}, ${isNear ? ulpsText(ulps, 12) : roughText(ulps)} ulp`;
}

/** The dot product in one sentence. */
export function unitWords({ path, value, exact, sums, strange }) {
  const name = `${path.machine}, ${path.factors.name} to ${path.output.name}`;
  const given = `${name}: ${resultText(value)} (${resultCode(value, path.output)})`;
  if (strange) return `${given}. A number is infinite or NaN, so there is nothing to align.`;
  const difference = same(value, exact) ? "This is the exact sum." : `Exactly it is ${resultText(exact)}; the error is ${errorWords(value, exact, path.output)} of ${path.output.name}.`;
  if (!isDrawn(path)) return `${given}. ${difference}`;
  const many = cutTerms({ sums });
  return `${given}. ${difference} ${many ? `${count(many, "term")} ${many === 1 ? "loses" : "lose"} bits below the window.` : "The window cuts nothing off."}`;
}

/** How many terms of all sums lose bits. */
const cutTerms = ({ sums }) => sums.flatMap((one) => one.terms ?? []).filter((term) => !isZero(term.lost)).length;

/** Whether two numbers are equal; all NaN are, and so are the zeros. */
export const same = (x, y) => x.kind === y.kind && (x.kind === "nan" || (isZero(x) && isZero(y)) || (x.negative === y.negative && (!isFinite(x) || compareMagnitude(x, y) === 0)));

/** What another order or a wider window would have given. */
export function otherwiseWords({ path, value, orders, wider, sums }) {
  const said = (words) => words.replace(/…\./g, "…");
  const others = orders.filter((one) => !same(one.value, value));
  const inOrder = others.length ? `Added ${others.map((one) => `${one.order}, the result would be ${resultText(one.value)}`).join("; ")}.` : "The same products in three other orders give the same result.";
  if (!wider) return said(inOrder);
  if (wider.more === 0) {
    const why = cutTerms({ sums }) ? `, because the sum is stored in ${path.precision} bits` : "";
    return said(`${inOrder} A wider window would change nothing${why}.`);
  }
  const bits = wider.more === null ? "A window without an end" : `A window of ${path.bits + wider.more} bits, like one without an end,`;
  return said(`${inOrder} ${bits} would give ${resultText(wider.value)}.`);
}

/** How a sum of kept bits becomes the stored one: [name, words]. */
export function roundingWords(sum, path) {
  if (isZero(sum.total)) return ["zero", "Nothing is left: the sum is +0."];
  if (!isFinite(sum.result)) return ["too large", `${path.output.name} ends below ${powerText(path.output.emax + 1)}: infinity.`];
  const how = { toward_zero: "cut off", ties_to_even: "to nearest even" }[sum.mode];
  return [how, same(sum.result, sum.total) ? `its bits fit into ${path.precision}: nothing is lost` : `to ${path.precision} bits; this adds ${numberText(difference(sum.result, sum.total), 13)}`];
}

/** The line of Python that gives the same. */
export function pythonLine({ path, texts, start, a, b, c, chosen }) {
  const model = chosen ? `, model="${chosen}"` : "";
  const unit = `fs.accumulators.TensorCore("${path.machine}", "${path.output.name}", "${path.factors.name}"${model})`;
  if (isDrawn(path)) {
    const from = start === "0" ? "" : `, c="${start}"`;
    return `fs.explain.dot("${texts[0].join(" ")}".split(), "${texts[1].join(" ")}".split(), "${path.factors.name}", accumulator=${unit}${from})`;
  }
  const short = (x, fmt) => (decimalText(x).length < 14 ? decimalText(x) : shortestText(x, fmt));
  const number = (x, fmt) => (isFinite(x) ? short(x, fmt) : `float("${x.kind === "nan" ? "nan" : `${x.negative ? "-" : ""}inf`}")`);
  const list = (values) => `[${values.map((x) => number(x, path.factors)).join(", ")}]`;
  return `${unit}.dot(${list(a)}, ${list(b)}, ${number(c, path.output)})`;
}

const ones = (count, text) => Array(count).fill(text).join(",");
const GROUPS = `1,-1,${ones(18, "2^-13")}`;
const groupsOf = (machine, group, kept) => [`Groups of ${group}`,
  `1 and −1 cancel, and 18 products of 2⁻²⁶ remain. ${machine[0].toUpperCase()}${machine.slice(1)} adds ${group} products at once: those beside the 1 are cut off, and ${kept} of 18 are kept.`,
  { machine, factors: "binary16", left: GROUPS, right: `1,1,${ones(18, "2^-13")}` }];

/** Examples: [name, what it shows, state]. */
export const EXAMPLES = [
  ["One large term", "65536 is the largest term, and the window ends 13 bits below it, at 8: all other products are cut off.",
    { left: "256,0.3125,0.75,-0.4375,1.125,2.25,0.625,3.5", right: `256,${ones(7, "1")}` }],
  ["Many sizes", "Nine products of many sizes: the smaller one is, the fewer of its bits are in the window.", {}],
  ["Equal terms", "Sixteen equal products have one exponent: the window holds all their bits, and only the sum is cut off.",
    { factors: "binary16", left: ones(16, "0.1"), right: ones(16, "0.1") }],
  ["A large c", "The sum has reached 4096, and the window ends at ½: 32 products of 0.4375, which are 14 together, all vanish.",
    { left: ones(32, "0.4375"), right: ones(32, "1"), start: "4096" }],
  ["Cancellation", "4194304 and −4194304 cancel, and the small products, which were cut off beside them, do not come back: the result is 0.",
    { factors: "binary16", left: "2048,-2048,0.001,0.0005", right: "2048,2048,0.001,0.0005" }],
  groupsOf("volta", 4, 16), groupsOf("ampere", 8, 12), groupsOf("hopper", 16, 4),
  ["In halves", "Blackwell’s older instruction for fp8 uses the unit for binary16 twice, and adds c at the end: three sums for 32 products.",
    { machine: "blackwell", left: "1.75,0.8125,0.40625,0.171875,2^-7,448,-448,2^-9", right: "1.75,0.8125,0.40625,0.171875,2^-7,448,448,2^-9", start: "0.1" }],
];

const DEFAULT_EXAMPLE = { machine: "hopper", factors: "e4m3fn", output: "binary32", model: "", start: "0", sum: "", term: "" };
/** The state of an example; `numbers` are those of the page's own. */
export const exampleState = ([, , more], numbers) => ({ ...DEFAULT_EXAMPLE, ...numbers, ...more });
