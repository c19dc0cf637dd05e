/* Sentences about an explanation: why this neighbour, why these flags, why this special case. */

import { modeWords } from "./controls.js";
import { finite, isZero } from "./exact.js";
import { powerText, probabilityText, shortText, ulpsText } from "./text.js";
import { DRAWS, isOdd, randomBits } from "./rounding.js";

/** What a format does to small numbers, where it is not as IEEE 754 has it. */
export const FLUSH_WORDS = {
  flush_to_zero: "it makes subnormal results a zero of the same sign",
  flush_to_nearest: "it has no subnormal numbers: 0 and the smallest normal number are neighbours",
  flush_inputs: "it makes subnormal operands and results a zero of the same sign",
};

/** What a format lacks of the numbers that others have; "" where it lacks none. */
export function missingWords(fmt) {
  const missing = [!fmt.signed && "no negative numbers", !fmt.zero && "no zero", fmt.signed && !fmt.hasNegativeZero && "no −0"].filter(Boolean);
  return missing.length ? `it has ${missing.join(" and ")}` : "";
}

/** Why a number that the format lacks became what it is. */
export function noNumberWords({ exact, fmt, result, mode }) {
  const kind = isZero(exact) ? "zero" : exact.negative ? "negative numbers" : "smaller numbers";
  const became = `${fmt.name} has no ${kind}: this becomes ${shortText(result.value, 20)}`;
  if (result.value.kind === "nan") return `${became}, and the flag invalid is raised.`;
  return `${became}${isZero(result.value) && !fmt.saturate ? `, its neighbour in the mode ${modeWords(mode)}` : ""}.`;
}

/** Why a number became a zero; null if it did not. */
export function flushWords(r) {
  const why = `Below ${powerText(r.fmt.emin)}, ${r.fmt.name} has no numbers in use`;
  if (r.rule === "flushed_input") return `${why}: ${FLUSH_WORDS[r.fmt.subnormals]}, and this operand is one.`;
  return r.flushed ? `${why}: ${FLUSH_WORDS[r.fmt.subnormals]}.` : null;
}

/** The rule that decided a rounding. */
export function decisionWords(r) {
  if (r.beyond) return overflowWords(r);
  if (r.rule === "exact" && r.flushed) return "No bit is cut off.";
  if (r.rule === "exact") return `Nothing is cut off: ${r.fmt.name} represents the exact result, and no mode changes it.`;
  const above = r.up !== r.exact.negative;
  const taken = `the one ${above ? "above" : "below"}, ${r.up ? "away from" : "toward"} zero`;
  return {
    nearer: () => nearerWords(r, taken),
    tie_to_even: () => `Guard 1 and nothing behind it: exactly half an ulp is cut off: a tie. ${parityWords(r)}, and ties go to the even neighbour, ${taken}.`,
    tie_to_away: () => `Guard 1 and nothing behind it: exactly half an ulp is cut off: a tie. Ties go away from zero: to ${taken}.`,
    toward_zero: () => "Something is cut off, and this mode ignores it: toward zero.",
    toward_positive: () => `Something is cut off, and this mode takes the upper neighbour, ${taken}.`,
    toward_negative: () => `Something is cut off, and this mode takes the lower neighbour, ${taken}.`,
    to_odd: () => `Something is cut off. ${parityWords(r)}: it ${r.odd ? "stays" : "becomes 1"}. A last bit 1 shows that something was cut off.`,
    stochastic: () => stochasticWords(r),
  }[r.rule]();
}

/** The bit that tells which neighbour is even. */
function parityWords({ fmt, kept, odd }) {
  const parity = odd ? "1 (odd)" : "0 (even)";
  if (fmt.precision > 1 || kept === 0n) return `The last kept bit is ${parity}`;
  return fmt.zero ? `No bit of the significand is stored, and the last bit of the exponent field is ${parity}` : `The only bit of the significand is ${parity}`;
}

function nearerWords(r, taken) {
  const side = r.guard ? "more than half an ulp is cut off" : "less than half an ulp is cut off";
  const bits = r.guard ? `Guard 1 and something behind it (round ${r.round}, sticky ${r.sticky})` : "Guard 0";
  return `${bits}: ${side}, so the nearer neighbour is ${taken}.`;
}

/** How the random number decides: against all of the part that is cut off, or against its first bits. */
function stochasticWords(r) {
  const chance = probabilityText(finite(false, r.chance.top, r.chance.bottom));
  const all = [", which is ", `Here the number is ${r.draw.toLocaleString("en")}, and (draw + ½) / 2³² ${r.up ? "<" : "≥"} ${chance}`];
  const [counted, drawn] = randomBits(r.mode) ? fewBitsWords(r, chance, randomBits(r.mode)) : all;
  return `${probabilityText(r.rest)} ulp is cut off${counted}the probability of the neighbour away from zero: ${r.drawsUp.toLocaleString("en")} of the ` +
    `${DRAWS.toLocaleString("en")} random numbers choose it. ${drawn}: ${r.up ? "away from zero" : "toward zero"}.`;
}

/** All results of a stochastic mode with their probabilities. */
export const chanceWords = (outcomes) =>
  outcomes.slice(0, 6).map((x) => `${shortText(x.value, 20)} with probability ${probabilityText(x.probability)}`).join(", ");

function fewBitsWords({ draw, up }, chance, { bits, half }) {
  const width = bits === 1 ? "1 bit" : `${bits} bits`;
  const first = `${draw >> BigInt(32 - bits)}/${powerText(bits)}`;
  return [`. ${half ? "Rounded" : "Cut"} to ${width} that is ${chance}, `, `The first ${width} of the random number, ${first}, ${bits === 1 ? "is" : "are"} ${up ? "less" : "not less"} than that`];
}

/** Why a result beyond the range became what it is; null inside the range. */
export function overflowWords(r) {
  if (!r.overflowRule) return null;
  const limit = `Beyond ${shortText(r.fmt.maxFinite, 20)}, the largest number of ${r.fmt.name}: overflow. `;
  const even = r.mode === "to_odd" && !isOdd(r.fmt.maxSignificand, r.fmt.emax - r.fmt.trailingBits, r.fmt);
  return limit + {
    infinity: "In this mode the result is infinity.",
    nan: `${r.fmt.name} has no infinity, so the result is NaN.`,
    max_finite: "In this mode the result stays at the largest number.",
    saturate: `${r.fmt.name} saturates: the result is the largest number.`,
  }[r.overflowRule] + (even ? " Its last bit is 0, so only the flags show that something was lost." : "");
}

const SPECIAL_WORDS = {
  nan_operand: "An operand is NaN, so the result is NaN: this raises no flag.",
  signaling_operand: "An operand is a signaling NaN: the result is a quiet NaN, and the flag invalid is raised.",
  invalid_difference: "∞ − ∞ is undefined: the result is NaN, and the flag invalid is raised.",
  invalid_zero_times_infinity: "0 × ∞ is undefined: the result is NaN, and the flag invalid is raised.",
  invalid_zero_by_zero: "0 ÷ 0 is undefined: the result is NaN, and the flag invalid is raised.",
  invalid_infinity_by_infinity: "∞ ÷ ∞ is undefined: the result is NaN, and the flag invalid is raised.",
  invalid_root: "A negative number has no real square root: the result is NaN, and the flag invalid is raised.",
  divide_by_zero: "A finite number divided by zero gives an exact infinity, negative if the signs of the two differ; the flag divide_by_zero is raised.",
  infinity: "The result is infinite and exact: this raises no flag.",
  cancelled: "The terms cancel exactly. The result is +0, or −0 in the mode toward −∞.",
  zeros_of_one_sign: "Both terms are zeros of the same sign, and their sum keeps it.",
  zeros_of_unlike_signs: "The terms are zeros of different signs: their sum is +0, or −0 in the mode toward −∞.",
  by_infinity: "A finite number divided by infinity is exactly zero, negative if the signs of the two differ.",
  zero: "The result is exactly zero; its sign follows from the signs of the operands.",
};

/** What is special about an exact result that no digits give. */
export function specialWords({ operation, exact, rounding: r }) {
  if (r.case === "no_number") return operation === "round" ? noNumberWords(r) : `The exact result is ${shortText(exact.value, 20)}. ${noNumberWords(r)}`;
  const words = `${SPECIAL_WORDS[exact.rule]} Here: ${shortText(exact.value, 8)}.`;
  if (!r.overflowRule) return words;
  const why = r.overflowRule === "saturate" ? "saturates" : "has no infinity";
  const overflow = `${r.fmt.name} ${why}: infinity becomes ${shortText(r.result.value, 20)}, which is an overflow.`;
  return operation === "round" ? overflow : `${words} ${overflow}`;
}

/** Why each flag is raised. */
export const FLAG_WORDS = {
  invalid: "no number is the right result, so it is NaN",
  divide_by_zero: "finite operands give an exact infinity",
  overflow: "the rounded result is beyond the largest number",
  underflow: "the result is tiny (below the smallest normal number) and inexact",
  inexact: "the result is not the exact number",
};

/** How the exponent of the result relates to those of the operands. */
export function normalisationWords({ normalisation, exponent }) {
  if (normalisation === 0) return `The leading bit is where the operands' exponents suggest: exponent ${minus(exponent)}.`;
  if (normalisation > 0) return `The leading bit moved up by ${normalisation} (a carry): exponent ${minus(exponent)}.`;
  const lost = -normalisation;
  return `The leading bit moved down by ${lost}${lost > 1 ? " (cancellation)" : ""}: exponent ${minus(exponent)}.`;
}

const minus = (n) => String(n).replace("-", "−");

const bitsKept = ({ precision }) => (precision === 1 ? "1 bit is kept" : `${precision} bits are kept`);

/** Where the cut lies. */
export function quantumWords(r) {
  if (r.exponent < r.fmt.emin && r.fmt.subnormals === "flush_to_nearest") {
    return `Below ${powerText(r.fmt.emin)} there is no number but 0: the cut is at ${powerText(r.quantumExponent)}, and no bit is kept.`;
  }
  const words = `In the binade of 2^${r.exponent} the ulp of ${r.fmt.name} is`.replace(/2\^(-?\d+)/, (_, e) => powerText(Number(e)));
  if (r.exponent < r.fmt.emin) {
    return `Below ${powerText(r.fmt.emin)} numbers are subnormal: the ulp stays at ${powerText(r.quantumExponent)}, and fewer bits are kept.`;
  }
  if (r.exponent > r.fmt.emax) {
    return `Beyond the range the same rule applies, as if there were no largest number: the ulp is ${powerText(r.quantumExponent)}, and ${bitsKept(r.fmt)}.`;
  }
  return `${words} ${powerText(r.quantumExponent)}: ${bitsKept(r.fmt)}.`;
}

/** A neighbour's distance. */
export const distanceWords = (n) => (n.distance ? `${ulpsText(n.distance, 14)} ulp` : "");
