/* Formats and codes: what the two widths of a layout imply, and what a code stands for.

   The named formats come from Python (`fp16sim.formats`) with the page; texts stand for others as in `get_format`: e5m4,
   width=8,precision=4 or binary16,saturate=true,subnormals=flush_to_zero. */

import { NAN, finite, infinity, isZero, exponentOf, lift } from "./exact.js";

export const WIDEST = { exponent: 11, trailing: 52 };
export const SPECIALS = ["ieee", "nan", "none"];
export const SUBNORMALS = ["gradual", "flush_to_zero", "flush_to_nearest", "flush_inputs"];

/** A format from what cannot be derived; the same facts as Python's `Format`, under the same names in camel case. */
export function makeFormat({ name, width, precision, specials = "ieee", subnormals = "gradual", saturate = false, nanCode = null }) {
  const exponentBits = width - precision;
  const trailingBits = precision - 1;
  const bias = 2 ** (exponentBits - 1) - 1;
  const emin = 1 - bias;
  const emax = specials === "ieee" ? bias : bias + 1;
  const maxSignificand = (1n << BigInt(precision)) - (specials === "nan" ? 2n : 1n);
  return Object.freeze({
    name, width, precision, specials, subnormals, nanCode, exponentBits, trailingBits, bias, emin, emax, maxSignificand,
    saturate: saturate || specials === "none",
    flushes: subnormals !== "gradual",
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

/** The formats of the page: the named ones, and `get(text)` for any text, null where it stands for none. */
export function formatTable(rows) {
  const byName = new Map();
  const named = rows.map((row) => makeFormat(row));
  rows.forEach((row, i) => [row.name, ...(row.aliases ?? [])].forEach((name) => byName.set(keyOf(name), named[i])));
  const known = new Map(); // a view asks for the same few again and again
  const get = (text) => {
    if (!known.has(text)) known.set(text, fromText(String(text), named, byName));
    return known.get(text);
  };
  return { named, get };
}

const keyOf = (name) => name.toLowerCase().replace(/[-_\s]/g, "").replace(/^torch\./, "");
const oneOf = (choices) => (text) => choices.find((choice) => choice === text.toLowerCase().replace(/-/g, "_"));
const integer = (text) => (/^\d{1,3}$/.test(text) ? Number(text) : undefined);

/** What a format in text may state, under Python's names: the name here, and how its value is read. */
const FIELDS = {
  width: ["width", integer],
  precision: ["precision", integer],
  specials: ["specials", oneOf(SPECIALS)],
  subnormals: ["subnormals", oneOf(SUBNORMALS)],
  saturate: ["saturate", (text) => ({ true: true, false: false })[text.toLowerCase()]],
  nan_code: ["nanCode", (text) => (/^(0x[0-9a-f]+|0b[01]+|\d+)$/i.test(text) && text.length < 20 ? BigInt(text) : undefined)],
};

/** The layout that is OCP's format to most and IEEE's to others: as text it stands for neither. */
const AMBIGUOUS = "e4m3";

function fromText(text, named, byName) {
  const [base, ...rest] = text.split(",");
  const start = base.includes("=") ? {} : fromName(base, byName);
  const changes = fieldsIn(base.includes("=") ? [base, ...rest] : rest);
  if (!start || !changes) return null;
  const made = { ...start, ...changes };
  if (start.name && !rest.length) return start;
  return isPossible(made) ? underItsName(makeFormat(made), named, byName) : null;
}

function fieldsIn(parts) {
  const found = {};
  for (const part of parts) {
    const [name, value = ""] = part.split(/=(.*)/s).map((piece) => piece.trim());
    const [field, read] = Object.hasOwn(FIELDS, name) ? FIELDS[name] : [];
    const is = read?.(value);
    if (is === undefined || field in found) return null;
    found[field] = is;
  }
  return found;
}

/** A named format in any spelling; a layout such as e5m4 or float8_e3m4, or 1-5-4 as older links have it. */
function fromName(name, byName) {
  const older = /^1-(\d{1,2})-(\d{1,2})(?:-(ieee|nan|none))?$/.exec(name);
  const layout = older ?? /^(?:(?:fp|float)\d{1,3})?e(\d{1,3})m(\d{1,3})$/.exec(keyOf(name));
  const known = byName.get(keyOf(name));
  if (known || !layout) return known ?? null;
  const [exponent, trailing] = [Number(layout[1]), Number(layout[2])];
  const stated = /^(?:fp|float)(\d+)e/.exec(keyOf(name));
  if (stated && Number(stated[1]) !== 1 + exponent + trailing) return null;
  const made = { name: `e${exponent}m${trailing}`, width: 1 + exponent + trailing, precision: trailing + 1, specials: older?.[3] ?? "ieee" };
  if (!isPossible(made) || (made.name === AMBIGUOUS && !older)) return null;
  return older ? underItsName(makeFormat(made), [...new Set(byName.values())], byName) : makeFormat(made);
}

/** Whether such a format exists, and is not too wide for this page. */
function isPossible({ width, precision, specials = "ieee", subnormals = "gradual", nanCode = null }) {
  const [exponent, trailing] = [width - precision, precision - 1];
  if (!(exponent >= 2 && trailing >= 1 && exponent <= WIDEST.exponent && trailing <= WIDEST.trailing)) return false;
  if (nanCode === null) return true;
  const below = nanCode & ((1n << BigInt(width - 1)) - 1n);
  const isSubnormal = below > 0n && below < 1n << BigInt(trailing);
  return specials === "none" && nanCode < 1n << BigInt(width) && !(isSubnormal && subnormals !== "gradual");
}

/** The format under the shortest name that stands for it; a named format is itself. */
function underItsName(fmt, named, byName) {
  const [exponent, trailing] = [fmt.exponentBits, fmt.trailingBits];
  const layout = `e${exponent}m${trailing}`;
  const alike = named.find((one) => one.width === fmt.width && one.precision === fmt.precision && one.specials === fmt.specials);
  const start = alike ?? makeFormat({ name: byName.has(layout) || layout === AMBIGUOUS ? `width=${fmt.width},precision=${fmt.precision}` : layout, width: fmt.width, precision: fmt.precision });
  const own = Object.entries(FIELDS).filter(([, [field]]) => fmt[field] !== start[field]).map(([name, [field]]) => `${name}=${fmt[field]}`);
  return own.length ? Object.freeze({ ...fmt, name: [start.name, ...own].join(",") }) : start;
}

/** The same codes, without flushing or saturation: reading a code is not arithmetic. */
export const asStored = (fmt) => ({ ...fmt, subnormals: "gradual", flushes: false, saturate: !fmt.hasNan });

/** The text that stands for a format of these widths and ways. */
export function formatText({ exponentBits, trailingBits, specials, subnormals, saturate, nanCode }) {
  const parts = [`width=${1 + exponentBits + trailingBits}`, `precision=${trailingBits + 1}`, `specials=${specials}`, `subnormals=${subnormals}`, `saturate=${saturate}`];
  return [...parts, ...(nanCode !== null && specials === "none" ? [`nan_code=${nanCode}`] : [])].join(",");
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
