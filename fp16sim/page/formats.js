/* Formats and codes: what the few numbers that define a format imply, and what a code stands for.

   As `fp16sim.formats` and `fp16sim.exact.codes`. Codes without their sign are in the order of their values, so one
   number, `largestCode`, says how many of them are left for finite numbers. */

import { NAN, finite, infinity, isZero, exponentOf, lift } from "./exact.js";

export const SPECIALS = ["ieee", "nan", "none", "one_nan", "one_nan_and_infinities"];
export const SUBNORMALS = ["gradual", "flush_to_zero", "flush_to_nearest", "flush_inputs"];
/** The specials of formats without -0. */
export const ONE_ZERO = SPECIALS.slice(3);

/** The bias that IEEE 754 would give a format with so many exponent bits. */
export const usualBias = (exponentBits) => Math.floor(2 ** exponentBits / 2) - 1;

/** The codes that are kept for infinity and NaN, of those without sign. */
const keptCodes = ({ specials, signed, trailingBits }) => ({
  ieee: 1n << BigInt(trailingBits), nan: 1n, none: 0n, one_nan: signed ? 0n : 1n, one_nan_and_infinities: signed ? 1n : 2n,
})[specials];

/** A format from what cannot be derived; the same facts as Python's `Format`, under the same names in camel case.
    `overflow` is the name of a convention that saturation and NaN follow. */
export function makeFormat({ name, width, precision, specials = "ieee", subnormals = "gradual", saturate = false, nanCode = null, bias = null, signed = true, zero = true, overflow = "" }) {
  const exponentBits = width - precision + (signed ? 0 : 1);
  const layout = { name, width, precision, specials, subnormals, nanCode, signed, zero, exponentBits, overflow, trailingBits: precision - 1, bias: bias ?? usualBias(exponentBits) };
  const rounds = { saturate: saturate || specials === "none", flushes: subnormals !== "gradual" };
  return Object.freeze({ ...layout, ...rounds, ...codesOf(layout), ...rangeOf(layout) });
}

/** What follows for the codes. */
function codesOf({ width, specials, signed, exponentBits, trailingBits }) {
  const last = (1n << BigInt(width - (signed ? 1 : 0))) - 1n; // without the sign
  const implicitBit = 1n << BigInt(trailingBits);
  const signBit = signed ? 1n << BigInt(width - 1) : 0n;
  const only = signed ? signBit : last; // the NaN of a format with one zero
  return {
    signBit, implicitBit,
    codes: 1n << BigInt(width),
    topField: (1n << BigInt(exponentBits)) - 1n,
    largestCode: last - keptCodes({ specials, signed, trailingBits }),
    quietNanCode: { ieee: last ^ ((implicitBit >> 1n) - 1n), nan: last, none: null, one_nan: only, one_nan_and_infinities: only }[specials],
    hasInfinity: ["ieee", "one_nan_and_infinities"].includes(specials),
    hasNan: specials !== "none",
    hasPayloads: specials === "ieee",
    hasNegativeZero: signed && !ONE_ZERO.includes(specials),
  };
}

/** What follows for the range. */
function rangeOf(layout) {
  const { bias, zero, trailingBits } = layout;
  const { largestCode, implicitBit } = codesOf(layout);
  const field = largestCode >> BigInt(trailingBits);
  const emin = (zero ? 1 : 0) - bias;
  const emax = Math.max(Number(field), zero ? 1 : 0) - bias;
  const maxSignificand = (largestCode & (implicitBit - 1n)) + (field || !zero ? implicitBit : 0n);
  return {
    emin, emax, maxSignificand,
    quantumExponentMin: emin - trailingBits,
    maxFinite: finite(false, maxSignificand, 1n, emax - trailingBits),
    minNormal: finite(false, 1n, 1n, emin),
    minSubnormal: finite(false, 1n, 1n, emin - trailingBits),
  };
}

/** The same codes, without flushing or saturation: reading a code is not arithmetic. */
export const asStored = (fmt) => ({ ...fmt, subnormals: "gradual", flushes: false, saturate: !fmt.hasNan });

/** The three fields of a code. */
export function fieldsOf(code, fmt) {
  return {
    negative: (code & fmt.signBit) !== 0n,
    field: (code >> BigInt(fmt.trailingBits)) & fmt.topField,
    trailing: code & (fmt.implicitBit - 1n),
  };
}

/** Whether the significand of a code with that exponent field begins with 1. */
export const hasImplicitOne = (field, fmt) => field > 0n || !fmt.zero;

/** The exponent that an exponent field stands for; that of subnormals for field 0. */
export const exponentOfField = (field, fmt) => Math.max(Number(field), fmt.zero ? 1 : 0) - fmt.bias;

/** The value with that code. */
export function decode(code, fmt) {
  const { negative, field, trailing } = fieldsOf(code, fmt);
  const size = code & ~fmt.signBit;
  if (size > fmt.largestCode || (code === fmt.quietNanCode && !fmt.hasPayloads)) {
    if (fmt.hasInfinity && size === fmt.largestCode + 1n) return infinity(negative);
    return { ...NAN, negative, signaling: fmt.hasPayloads && !(trailing & (fmt.implicitBit >> 1n)) };
  }
  const significand = trailing + (hasImplicitOne(field, fmt) ? fmt.implicitBit : 0n);
  return finite(negative, significand, 1n, exponentOfField(field, fmt) - fmt.trailingBits);
}

/** The code of a value that `fmt` holds. NaN becomes the quiet NaN of payload 0; null where there is none. */
export function encodeHeld(x, fmt) {
  if (x.kind === "nan") return fmt.hasNan ? fmt.quietNanCode : fmt.nanCode;
  const sign = x.negative ? fmt.signBit : 0n;
  if (x.kind === "infinite") return sign | (fmt.largestCode + 1n);
  if (isZero(x)) return sign;
  const e = Math.max(exponentOf(x), fmt.emin);
  const significand = lift(x, e - fmt.trailingBits).low;
  // The implicit bit adds 1 to the exponent field of a normal number, and is absent from a subnormal. Without zero,
  // there are no subnormals, and the smallest normal number has field 0.
  return sign | ((BigInt(e - fmt.emin - (fmt.zero ? 0 : 1)) << BigInt(fmt.trailingBits)) + significand);
}

/** IEEE 754's class of a code, in its spelling. */
export function classify(code, fmt) {
  const value = decode(code, fmt);
  const { field, trailing } = fieldsOf(code, fmt);
  if (value.kind === "nan") return value.signaling ? "signalingNaN" : "quietNaN";
  const name = value.kind === "infinite" ? "Infinity" : hasImplicitOne(field, fmt) ? "Normal" : trailing ? "Subnormal" : "Zero";
  return (value.negative ? "negative" : "positive") + name;
}

/** The place of the last number: of infinity where there is one. */
export const greatestPlace = (fmt) => fmt.largestCode + (fmt.hasInfinity ? 1n : 0n);

/** The place of the first number: of -infinity, or of the smallest number of an unsigned format. */
export const leastPlace = (fmt) => (fmt.signed ? -greatestPlace(fmt) : 0n);

/** The smallest finite number. */
export const leastFinite = (fmt) => (fmt.signed ? { ...fmt.maxFinite, negative: true } : decode(0n, fmt));

/** The place of a code in the order of values: -0 and +0 are 0, the next number up is 1. */
export function ordinal(code, fmt) {
  return code & fmt.signBit ? -(code ^ fmt.signBit) : code;
}

/** The code at a place in the order of values. */
export function atOrdinal(place, fmt) {
  return place < 0n ? fmt.signBit - place : place;
}

/** The code that lies `count` values further up (or down): zeros are one place, the ends stop it. */
export function moved(code, count, fmt) {
  if (decode(code, fmt).kind === "nan") return code;
  const [place, least, greatest] = [ordinal(code, fmt) + count, leastPlace(fmt), greatestPlace(fmt)];
  return atOrdinal(place > greatest ? greatest : place < least ? least : place, fmt);
}

/** IEEE 754's nextUp of a code: from -min_subnormal to -0 where there is one, from either zero to min_subnormal; ends
    and NaN stay, and a signaling NaN becomes quiet. */
export function nextUp(code, fmt) {
  return nextOf(code, 1n, fmt);
}

/** nextUp mirrored at zero. */
export function nextDown(code, fmt) {
  return nextOf(code, -1n, fmt);
}

function nextOf(code, step, fmt) {
  if (decode(code, fmt).signaling) return code | (fmt.implicitBit >> 1n);
  const next = moved(code, step, fmt);
  return next === 0n && code & fmt.signBit && fmt.hasNegativeZero ? fmt.signBit : next;
}

/** The exponent of the quantum at a finite value, that of the topmost binade beyond max_finite. */
export function quantumAt(x, fmt) {
  const e = isZero(x) ? fmt.emin : exponentOf(x);
  return Math.min(Math.max(e, fmt.emin), fmt.emax) - fmt.trailingBits;
}
