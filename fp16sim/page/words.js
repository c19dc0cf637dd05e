/* Sentences about an explanation: why this neighbour, why these flags, why this special case. */

import { MODE_WORDS } from "./controls.js";
import { fractionText, powerText, shortText, ulpsText } from "./text.js";
import { DRAWS } from "./rounding.js";

/** The rule that decided a rounding. */
export function decisionWords(r) {
  if (r.beyond) return overflowWords(r);
  if (r.rule === "exact") return `Nothing is cut off: ${r.fmt.name} holds the exact result, and every mode agrees.`;
  const above = r.up !== r.exact.negative;
  const taken = `the one ${above ? "above" : "below"}, ${r.up ? "away from" : "toward"} zero`;
  return {
    nearer: () => nearerWords(r, taken),
    tie_to_even: () => `Guard 1 and nothing behind it: exactly half an ulp is cut off, a tie. The last kept bit is ${r.kept & 1n ? "1 (odd)" : "0 (even)"}, and ties go to the even neighbour, ${taken}.`,
    tie_to_away: () => `Guard 1 and nothing behind it: exactly half an ulp is cut off, a tie. Ties go away from zero: to ${taken}.`,
    toward_zero: () => "Something is cut off, and this mode simply drops it: toward zero.",
    toward_positive: () => `Something is cut off, and this mode takes the upper neighbour, ${taken}.`,
    toward_negative: () => `Something is cut off, and this mode takes the lower neighbour, ${taken}.`,
    to_odd: () => `Something is cut off. The last kept bit is ${r.kept & 1n ? "1: it stays" : "0: it becomes 1"}, so that the result shows that it is not exact.`,
    stochastic: () => stochasticWords(r),
  }[r.rule]();
}

function nearerWords(r, taken) {
  const side = r.guard ? "more than half an ulp is cut off" : "less than half an ulp is cut off";
  const bits = r.guard ? `Guard 1 and something behind it (round ${r.round}, sticky ${r.sticky})` : "Guard 0";
  return `${bits}: ${side}, so the nearer neighbour is ${taken}.`;
}

function stochasticWords(r) {
  const fraction = fractionText(r.rest);
  const percent = fraction.length < 12 ? fraction : shortText(r.rest, 12);
  const rule = `(draw + ½) / 2³² ${r.up ? "<" : "≥"} ${percent}`;
  return `The neighbour away from zero has probability ${percent}, what is cut off in ulp: ${r.drawsUp.toLocaleString("en")} of the ` +
    `${DRAWS.toLocaleString("en")} draws choose it. Here the draw is ${r.draw.toLocaleString("en")}, and ${rule}: ${r.up ? "away from zero" : "toward zero"}.`;
}

/** Why a result beyond the range became what it is; null inside the range. */
export function overflowWords(r) {
  if (!r.overflowRule) return null;
  const limit = `Beyond ${shortText(r.fmt.maxFinite, 20)}, the largest number of ${r.fmt.name}: overflow. `;
  return limit + {
    infinity: "The mode does not turn back, so the result is infinity.",
    nan: `${r.fmt.name} has no infinity, so the result is NaN.`,
    max_finite: "The mode points back toward zero, so the result is the largest number.",
    saturate: `${r.fmt.name} has neither infinity nor NaN: it saturates at its largest number.`,
  }[r.overflowRule];
}

const SPECIAL_WORDS = {
  nan_operand: "An operand is NaN, and NaN goes through every operation, quietly: no flag.",
  invalid_difference: "∞ − ∞ has no answer: NaN, and the flag invalid.",
  invalid_zero_times_infinity: "0 × ∞ has no answer: NaN, and the flag invalid.",
  invalid_zero_by_zero: "0 ÷ 0 has no answer: NaN, and the flag invalid.",
  invalid_infinity_by_infinity: "∞ ÷ ∞ has no answer: NaN, and the flag invalid.",
  invalid_root: "A negative number has no real root: NaN, and the flag invalid.",
  divide_by_zero: "A finite number divided by zero is an exact infinity, with the sign of both together, and the flag divide_by_zero.",
  infinity: "An infinity among the operands decides, exactly and without a flag.",
  cancelled: "The terms cancel exactly. Such a zero is +0, but −0 toward −∞.",
  zeros_of_one_sign: "Zeros of one sign: their sum keeps the sign.",
  zeros_of_unlike_signs: "Zeros of unlike signs: their sum is +0, but −0 toward −∞.",
  by_infinity: "A finite number divided by infinity is an exact zero, with the sign of both together.",
  zero: "An exact zero, with the sign that the operands give it.",
};

/** What is special about an exact result that is no digits. */
export const specialWords = ({ exact }) => `${SPECIAL_WORDS[exact.rule]} Here: ${shortText(exact.value, 8)}.`;

/** Why each flag is raised. */
export const FLAG_WORDS = {
  invalid: "no number is the answer: NaN",
  divide_by_zero: "an exact infinity from finite operands",
  overflow: "beyond the largest number once rounded",
  underflow: "tiny (below the smallest normal number) and inexact",
  inexact: "digits were lost",
};

/** How the exponent of the result relates to those of the operands. */
export function normalisationWords({ normalisation, exponent }) {
  if (normalisation === 0) return `The leading bit stands where the operands promise: exponent ${minus(exponent)}.`;
  if (normalisation > 0) return `The leading bit moved up by ${normalisation} (a carry): exponent ${minus(exponent)}.`;
  const lost = -normalisation;
  return `The leading bit moved down by ${lost}${lost > 1 ? " (cancellation)" : ""}: exponent ${minus(exponent)}.`;
}

const minus = (n) => String(n).replace("-", "−");

/** Where the cut lies. */
export function quantumWords(r) {
  const words = `In the binade of 2^${r.exponent} the ulp of ${r.fmt.name} is`.replace(/2\^(-?\d+)/, (_, e) => powerText(Number(e)));
  if (r.exponent < r.fmt.emin) {
    return `Below ${powerText(r.fmt.emin)} numbers are subnormal: the ulp stays ${powerText(r.quantumExponent)}, and fewer bits are kept.`;
  }
  if (r.exponent > r.fmt.emax) {
    return `Beyond the range the same rule is followed, as if there were no largest number: an ulp of ${powerText(r.quantumExponent)}, and ${r.fmt.precision} bits are kept.`;
  }
  return `${words} ${powerText(r.quantumExponent)}: ${r.fmt.precision} bits are kept.`;
}

/** A neighbour's distance. */
export const distanceWords = (n) => (n.distance ? `${ulpsText(n.distance, 14)} ulp` : "");
