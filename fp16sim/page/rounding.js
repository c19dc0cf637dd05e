/* Rounding by definition: lift to an integer, round it, put it back. As `fp16sim.exact.rounding`, step by step. */

import { NAN, compareMagnitude, exponentOf, finite, infinity, isZero, lift } from "./exact.js";
import { decode, encodeHeld } from "./formats.js";

export const FLAGS = ["invalid", "divide_by_zero", "overflow", "underflow", "inexact"];
export const MODES = [
  "ties_to_even", "ties_to_away", "toward_zero", "toward_positive", "toward_negative", "to_odd", "stochastic",
];
export const DRAWS = 2n ** 32n;
const DRAW_BITS = 32;

/** The number of random bits, 1 to 32, and whether half a unit of the last is added, of a mode such as stochastic_8_half;
    null of all other modes, and of "stochastic". */
export function randomBits(mode) {
  const found = /^stochastic_([1-9]\d?)(_half)?$/.exec(mode);
  return found && Number(found[1]) <= DRAW_BITS ? { bits: Number(found[1]), half: Boolean(found[2]) } : null;
}

/** Whether random bits decide in a mode. */
export const isRandom = (mode) => mode === "stochastic" || randomBits(mode) !== null;

/** Whether a text is a mode: one of MODES, or stochastic with so many random bits. */
export const isMode = (text) => MODES.includes(text) || isRandom(text);

/** Whether the last bit of the code of low * 2^q is 1, for low < 2^precision and 2^q the quantum there.

    That is the last bit of the significand; with precision 1, of which no bit is stored, that of the exponent field, as
    in P3109. A format without zero has no field whose last bit says so: there the significand, 1, is odd. */
export function isOdd(low, q, fmt) {
  const stored = fmt.precision > 1 || !fmt.zero;
  return (low & 1n) === 1n && (stored || (q - fmt.emin) % 2 === 0);
}

/** Whether `mode` goes up from an integer when `rest / den` is left, for a magnitude with the given sign; `odd` says
    whether the code of that integer is. `draw`, of 32 random bits, decides for stochastic modes. */
export function roundsUp({ rest, den }, odd, mode, negative, draw = 0n) {
  if (rest === 0n) return false;
  const twice = 2n * rest;
  switch (mode) {
    case "ties_to_even": return twice > den || (twice === den && odd);
    case "ties_to_away": return twice >= den;
    case "toward_zero": return false;
    case "toward_positive": return !negative;
    case "toward_negative": return negative;
    case "to_odd": return !odd;
  }
  return draw < drawsUp({ rest, den }, mode);
}

/** How many of the 2^32 draws go up from the fraction f = rest / den in a stochastic mode: those with
    (draw + 1/2) / 2^32 < f, which are the first ceil(f * 2^32 - 1/2). With r random bits, those whose first r bits, as
    an integer, are below the fraction's first r bits, which may be rounded. */
export function drawsUp({ rest, den }, mode) {
  const { top, units } = chanceOfUp({ rest, den }, mode);
  if (units !== null) return top * (DRAWS / units);
  const above = 2n * DRAWS * rest - den;
  return above <= 0n ? 0n : (above + 2n * den - 1n) / (2n * den);
}

/** The probability of going up, as top / bottom: the first r bits of the fraction, in 2^r `units`; or all of it. */
export function chanceOfUp({ rest, den }, mode) {
  const random = randomBits(mode);
  if (!random) return { top: rest, bottom: den, units: null };
  const units = 1n << BigInt(random.bits);
  return { top: (2n * rest * units + (random.half ? den : 0n)) / (2n * den), bottom: units, units };
}

/** The exponent of the spacing of `fmt` around x, as if there were no largest number. */
export function quantumExponent(x, fmt) {
  const e = exponentOf(x);
  if (e < fmt.emin && fmt.subnormals === "flush_to_nearest") return fmt.emin; // nothing but 0 and min_normal below
  return Math.max(e, fmt.emin) - fmt.trailingBits;
}

/** Round the exact result of an operation: {value, code, flags}; `code` is null where the format has no NaN.

    Underflow is a tiny result, after rounding, that is inexact. */
export function roundResult(x, fmt, mode, draw = 0n) {
  if (x.kind === "nan") return nanOf(fmt, x.signaling ? ["invalid"] : []);
  // In a format without sign a negative number, however large, is no overflow.
  const tooLow = !fmt.signed && x.negative && (x.kind === "infinite" || compareMagnitude(x, fmt.maxFinite) > 0);
  return stored(rounded(tooLow ? { ...fmt.maxFinite, negative: true } : x, fmt, mode, draw), fmt);
}

/** The value and flags in a format that has both zeros and all signs. */
function rounded(x, fmt, mode, draw) {
  if (x.kind === "infinite") return roundedInfinity(x, fmt);
  if (x.n === 0n) return { value: finite(x.negative, 0n), flags: [] };
  const q = quantumExponent(x, fmt);
  const lifted = lift(x, q);
  const up = roundsUp(lifted, isOdd(lifted.low, q, fmt), mode, x.negative, draw);
  const near = finite(x.negative, up ? lifted.low + 1n : lifted.low, 1n, q);
  const value = isTooSmall(near, fmt) ? { ...fmt.minNormal, negative: x.negative } : near;
  if (compareMagnitude(value, fmt.maxFinite) > 0) return { value: overflowValue(x.negative, fmt, mode), flags: ["overflow", "inexact"] };
  const kept = isFlushed(value, fmt) ? finite(x.negative, 0n) : value;
  if (lifted.rest === 0n && kept === near) return { value, flags: [] };
  return { value: kept, flags: isTiny(x, fmt, mode, draw) ? ["underflow", "inexact"] : ["inexact"] };
}

/** What a format stores that lacks -0, every negative number, or zero; with its code. */
function stored({ value, flags }, fmt) {
  const isHeld = value.kind === "nan" || fmt.hasNegativeZero || (!isZero(value) && (fmt.signed || !value.negative));
  if (isHeld) return held(value, fmt, flags);
  if (isZero(value) && fmt.zero) return held(finite(false, 0n), fmt, flags);
  return fmt.saturate ? held(fmt.zero ? finite(false, 0n) : fmt.minNormal, fmt, ["overflow", "inexact"]) : held(NAN, fmt, ["invalid"]);
}

/** Whether a rounded number is a subnormal that the format makes a zero. */
export const isFlushed = (value, fmt) => fmt.flushes && value.n !== 0n && compareMagnitude(value, fmt.minNormal) < 0;

/** Whether a format has no zero, and nothing as small as a number other than zero. */
const isTooSmall = (value, fmt) => !fmt.zero && compareMagnitude(value, fmt.minNormal) < 0;

/** Whether a number is made a zero before it is used. */
export const isFlushedInput = (x, fmt) => fmt.subnormals === "flush_inputs" && x.kind === "finite" && isFlushed(x, fmt);

/** Round an operand: like a result, but flush_inputs makes it zero first if it is small. */
export function roundOperand(x, fmt, mode, draw = 0n) {
  if (isFlushedInput(x, fmt)) return stored({ value: finite(x.negative, 0n), flags: ["underflow", "inexact"] }, fmt);
  return roundResult(x, fmt, mode, draw);
}

function held(value, fmt, flags) {
  return { value, code: encodeHeld(value, fmt), flags };
}

/** A quiet NaN, or what the format has in its place; code null where it has nothing. */
function nanOf(fmt, flags) {
  const code = encodeHeld(NAN, fmt);
  return { value: code === null ? NAN : decode(code, fmt), code, flags };
}

function roundedInfinity(x, fmt) {
  if (fmt.hasInfinity && !fmt.saturate) return { value: x, flags: [] };
  return { value: fmt.saturate ? { ...fmt.maxFinite, negative: x.negative } : NAN, flags: ["overflow", "inexact"] };
}

/** Whether a mode turns from the overflow threshold back to max_finite. */
export function roundsInward(negative, mode) {
  return (
    mode === "toward_zero" || mode === "to_odd" ||
    (mode === "toward_positive" && negative) || (mode === "toward_negative" && !negative)
  );
}

/** What a finite number beyond max_finite becomes. */
export function overflowValue(negative, fmt, mode) {
  if (fmt.saturate || roundsInward(negative, mode)) return { ...fmt.maxFinite, negative };
  return fmt.hasInfinity ? infinity(negative) : NAN;
}

/** Whether x is below min_normal after rounding to the same precision with no smallest exponent. */
export function isTiny(x, fmt, mode, draw = 0n) {
  if (compareMagnitude(x, fmt.minNormal) >= 0) return false;
  const q = exponentOf(x) - fmt.trailingBits;
  const lifted = lift(x, q);
  const up = roundsUp(lifted, isOdd(lifted.low, q, fmt), mode, x.negative, draw);
  return compareMagnitude(finite(false, up ? lifted.low + 1n : lifted.low, 1n, q), fmt.minNormal) < 0;
}
