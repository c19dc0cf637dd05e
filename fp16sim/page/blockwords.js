/* Sentences about a block: where its scale comes from, what became of an element, and the line of Python that says the same. */

import { exponentOf, finite, isFinite, isZero, reduced } from "./exact.js";
import { digitsText, powerText, shortText } from "./text.js";

/** What became of an element, with a mark that needs no colour. */
export const FATES = { exact: "= exact", rounded: "≈ rounded", saturated: "▲ saturated", vanished: "▼ became 0", nan: "✕ NaN" };

/** A scale: a power of two as such, where that is shorter; a quotient without end by its first digits. */
export function scaleText(x, room = 14) {
  if (!isFinite(x) || isZero(x)) return shortText(x);
  const { n, d } = reduced(x);
  return n === 1n && d === 1n && Math.abs(exponentOf(x)) > 5 ? powerText(exponentOf(x)) : shortText(x, room);
}

/** A number: exact where that is short, also as a small integer times a power of two. */
export function numberText(x, room = 14) {
  const text = shortText(x, room);
  if (!text.includes("…")) return text;
  const { negative, n, d, e } = reduced(x);
  if (d !== 1n || n > 99n) return text;
  return `${negative ? "−" : ""}${n === 1n ? "" : `${n} × `}${powerText(e)}`;
}

/** About so much: three digits. */
export const roughText = (x) => (isZero(x) ? "0" : digitsText(x, 3).replace("…", ""));

/** How the rule makes a scale of amax. */
export function ruleWords({ rule, block: { element, scale: fmt }, amax, wantedScale, scale }) {
  if (!isFinite(amax)) return "NaN and infinity have no place in a block: its scale is NaN, and so is every value.";
  if (!isFinite(scale)) return `${rule} ${wantedScale ? "has an infinity" : "divides 0 by 0"} in binary32: the scale is NaN, and so is every value.`;
  if (!wantedScale) return "A block of zeros has the scale with code 0.";
  const [wanted, largest] = [scaleText(wantedScale), shortText(element.maxFinite)];
  return {
    floor: `floor moves the binade of amax to that of the largest element, ${largest}: what is above ${largest} times the scale saturates.`,
    ceil: `ceil rounds log₂ amax up before it subtracts ${element.emax}, the exponent of the largest element, ${largest}.`,
    even: `even rounds amax to the ${element.precision} bits of an element, and then does as floor.`,
    rceil: `rceil rounds amax ÷ ${largest} up to a power of two, so that nothing saturates.`,
    nearest: `nearest maps amax to the largest element, ${largest}.`,
    four_over_six: `four_over_six tries the scale that maps amax to 6, ${wanted}, and the one that maps it to 4, and takes the smaller sum of squared errors.`,
    torchao: "torchao computes (amax ÷ 6) ÷ tensor scale, and rounds each quotient to binary32.",
    transformer_engine: fmt.precision === 1
      ? `TransformerEngine multiplies amax by 1 ÷ ${largest}, both rounded to binary32, and rounds the product up to a power of two.`
      : "TransformerEngine computes amax × (S × (1 ÷ 6)) with S = 2688 ÷ the tensor's largest, and rounds each step to binary32.",
  }[rule] ?? "";
}

/** What the format of the scale lacks. */
export const limitWords = ({ limit, rule, block: { scale } }) => (rule === "torchao" && limit === "smallest" ? "torchao has no scale below 2⁻⁶: the block gets that one." : limitOf(limit, scale));

const limitOf = (limit, scale) =>
  ({ largest: `${scale.name} has no scale as large as that: the block gets the largest one.`, smallest: `${scale.name} has no scale as small as that: the block gets the smallest one.` })[limit] ?? "";

/** The block in one sentence. */
export function summaryWords({ block, rule, scale, rules, elements }) {
  const many = (fate) => elements.filter((x) => x.fate === fate).length;
  if (!isFinite(scale)) return `${block.name}, ${rule}: the scale is NaN, and all ${elements.length} values are NaN.`;
  const error = rules.find((one) => one.chosen).squaredError;
  return `${block.name}, ${rule}: scale ${scaleText(scale)}. Of ${elements.length} ${elements.length === 1 ? "number" : "numbers"}: ${many("exact")} exact, ` +
    `${many("rounded")} rounded, ${many("saturated")} saturated, ${many("vanished")} became 0. Sum of squared errors: ${roughText(error)}.`;
}

/** What became of one element, in a sentence. */
export function fateWords({ fate, given, share }, { element }) {
  const end = share.negative ? element.minFinite ?? { ...element.maxFinite, negative: true } : element.maxFinite;
  return {
    exact: isZero(given) ? "A zero stays a zero." : "The element type holds this share exactly: nothing is lost.",
    rounded: "The share lies between two numbers of the element type, and the mode chooses one.",
    saturated: `The share is beyond the last number of ${element.name}, ${shortText(end)}, and becomes that number.`,
    vanished: `The share is so near 0 that the mode rounds it to 0: the smallest number of ${element.name} is ${shortText(finite(false, 1n, 1n, element.quantumExponentMin))}.`,
    nan: "The scale is NaN, so this value is NaN, and its code is 0.",
  }[fate];
}

/** The line of Python that gives the same block. */
export function pythonLine(texts, { block, rule, mode, tensorAmax }, tensorText) {
  const more = [
    rule !== block.rule && `scale_rule="${rule}"`, mode !== "ties_to_even" && `mode="${mode}"`,
    tensorAmax && tensorText && `tensor_amax="${tensorText}"`, mode.startsWith("stochastic") && "rng=0",
  ].filter(Boolean);
  return `fs.explain.block("${texts.join(" ")}".split(), ${[`"${block.name}"`, ...more].join(", ")})`;
}
