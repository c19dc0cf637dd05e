/* Formats and codes: what the two widths of a layout imply, and what a code stands for.

   The named formats come from Python (`fp16sim.formats`) with the page; a custom one is written 1-5-10, as its widths of
   sign, exponent and trailing significand, with -nan (no infinity, one NaN) or -none (numbers only) behind it. */

import { NAN, finite, infinity, isZero, exponentOf, lift } from "./exact.js";

export const WIDEST = { exponent: 11, trailing: 52 };
const SPECIALS = ["ieee", "nan", "none"];

/** A format from what cannot be derived; the same facts as Python's `Format`, under the same names in camel case. */
export function makeFormat({ name, width, precision, specials = "ieee", saturate = false, nanCode = null }) {
  const exponentBits = width - precision;
  const trailingBits = precision - 1;
  const bias = 2 ** (exponentBits - 1) - 1;
  const emin = 1 - bias;
  const emax = specials === "ieee" ? bias : bias + 1;
  const maxSignificand = (1n << BigInt(precision)) - (specials === "nan" ? 2n : 1n);
  return Object.freeze({
    name, width, precision, specials, nanCode, exponentBits, trailingBits, bias, emin, emax, maxSignificand,
    saturate: saturate || specials === "none",
    hasInfinity: specials === "ieee",
    hasNan: specials !== "none",
    quantumExponentMin: emin - trailingBits,
    maxFinite: finite(false, maxSignificand, 1n, emax - trailingBits),
    minNormal: finite(false, 1n, 1n, emin),
    minSubnormal: finite(false, 1n, 1n, emin - trailingBits),
    signBit: 1n << BigInt(width - 1),
    implicitBit: 1n << BigInt(trailingBits),
    topField: (1n << BigInt(exponentBits)) - 1n,
  });
}

/** The formats of the page by name and alias, from the table that Python wrote into it. */
export function formatTable(rows) {
  const byName = new Map();
  const named = rows.map((row) => makeFormat(row));
  rows.forEach((row, i) => [row.name, ...(row.aliases ?? [])].forEach((name) => byName.set(name, named[i])));
  const get = (id) => byName.get(String(id).toLowerCase().replace(/[- ]/g, "")) ?? customFormat(id);
  return { named, get };
}

/** The format that 1-5-10 (or 1-4-3-nan) describes, or null. */
export function customFormat(id) {
  const match = /^1-(\d{1,2})-(\d{1,2})(?:-(ieee|nan|none))?$/.exec(String(id));
  if (!match) return null;
  const [exponent, trailing] = [Number(match[1]), Number(match[2])];
  if (exponent < 2 || trailing < 1 || exponent > WIDEST.exponent || trailing > WIDEST.trailing) return null;
  const specials = match[3] ?? SPECIALS[0];
  const name = customName(exponent, trailing, specials);
  return makeFormat({ name, width: 1 + exponent + trailing, precision: trailing + 1, specials });
}

/** How a custom format is written. */
export function customName(exponent, trailing, specials) {
  return `1-${exponent}-${trailing}${specials === "ieee" ? "" : `-${specials}`}`;
}

/** The three fields of a code. */
export function fieldsOf(code, fmt) {
  return {
    negative: code >= fmt.signBit,
    field: (code >> BigInt(fmt.trailingBits)) & fmt.topField,
    trailing: code & (fmt.implicitBit - 1n),
  };
}

/** The value with that code. */
export function decode(code, fmt) {
  const { negative, field, trailing } = fieldsOf(code, fmt);
  if (fmt.specials === "ieee" && field === fmt.topField) {
    return trailing ? { ...NAN, negative, signaling: !(trailing & (fmt.implicitBit >> 1n)) } : infinity(negative);
  }
  if (fmt.specials === "nan" && (code & (fmt.signBit - 1n)) === fmt.signBit - 1n) return { ...NAN, negative };
  const significand = trailing + (field ? fmt.implicitBit : 0n);
  return finite(negative, significand, 1n, Math.max(Number(field), 1) - fmt.bias - fmt.trailingBits);
}

/** The code of a value that `fmt` holds. NaN becomes the quiet NaN of payload 0; null where there is none. */
export function encodeHeld(x, fmt) {
  const top = fmt.topField << BigInt(fmt.trailingBits);
  if (x.kind === "nan") {
    if (fmt.hasInfinity) return top | (fmt.implicitBit >> 1n);
    return fmt.hasNan ? fmt.signBit - 1n : fmt.nanCode;
  }
  const sign = x.negative ? fmt.signBit : 0n;
  if (x.kind === "infinite") return sign | top;
  if (isZero(x)) return sign;
  const e = Math.max(exponentOf(x), fmt.emin);
  const significand = lift(x, e - fmt.trailingBits).low;
  // The implicit bit adds 1 to the exponent field of a normal number, and is absent from a subnormal.
  return sign | ((BigInt(e - fmt.emin) << BigInt(fmt.trailingBits)) + significand);
}

/** IEEE 754's class of a code, in its spelling. */
export function classify(code, fmt) {
  const value = decode(code, fmt);
  const { field, trailing } = fieldsOf(code, fmt);
  if (value.kind === "nan") return value.signaling ? "signalingNaN" : "quietNaN";
  const name = value.kind === "infinite" ? "Infinity" : field ? "Normal" : trailing ? "Subnormal" : "Zero";
  return (value.negative ? "negative" : "positive") + name;
}

/** The code of the largest number: infinity where there is one. */
export function greatestCode(fmt) {
  return encodeHeld(fmt.hasInfinity ? infinity(false) : fmt.maxFinite, fmt);
}

/** IEEE 754's nextUp of a code: from -min_subnormal to -0, from either zero to min_subnormal; ends and NaN stay, and a
    signaling NaN becomes quiet. */
export function nextUp(code, fmt) {
  const value = decode(code, fmt);
  if (value.signaling) return code | (fmt.implicitBit >> 1n);
  if (value.kind === "nan" || code === greatestCode(fmt)) return code;
  if (isZero(value)) return 1n;
  return value.negative ? code - 1n : code + 1n;
}

/** nextUp mirrored at zero. */
export function nextDown(code, fmt) {
  if (decode(code, fmt).kind === "nan") return nextUp(code, fmt);
  return nextUp(code ^ fmt.signBit, fmt) ^ fmt.signBit;
}

/** The exponent of the quantum at a finite value, that of the topmost binade beyond max_finite. */
export function quantumAt(x, fmt) {
  const e = isZero(x) ? fmt.emin : exponentOf(x);
  return Math.min(Math.max(e, fmt.emin), fmt.emax) - fmt.trailingBits;
}

/** The place of a code in the order of values: -0 and +0 are 0, the next number up is 1. */
export function ordinal(code, fmt) {
  return code >= fmt.signBit ? fmt.signBit - code : code;
}

/** The code at a place in the order of values. */
export function atOrdinal(place, fmt) {
  return place < 0n ? fmt.signBit - place : place;
}
