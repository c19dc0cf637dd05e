/* Formats as text, as `get_format` reads them: names, e5m4, binary8p3se, width=8,precision=4, binary16,saturate=true or
   e4m3fn,overflow=pytorch.

   The named formats, and the conventions of overflow, come from Python with the page. */

import { ONE_ZERO, SPECIALS, SUBNORMALS, makeFormat, usualBias } from "./formats.js";

/** The widest format of the page, that of binary128. Python's have up to 512 bits. */
export const WIDEST = { exponent: 15, trailing: 112 };
const MAX_BIAS = 2 ** 15;
/** The fewest bits of a significand and of an exponent. */
const FEWEST = { ieee: [2, 2], nan: [1, 1], none: [1, 1], one_nan: [1, 0], one_nan_and_infinities: [1, 0] };

/** The formats of the page: the named ones; `get(text)` for any text, null where it stands for none; `readings(text)`, the
    names of the formats that a text may mean, if there are several; and `conventions(fmt)`, those of overflow that name it. */
export function formatTable(rows, overflows = []) {
  const byName = new Map();
  const named = rows.map((row) => makeFormat(row));
  rows.forEach((row, i) => [row.name, ...(row.aliases ?? [])].forEach((name) => byName.set(keyOf(name), named[i])));
  const known = new Map(); // a view asks for the same few again and again
  const get = (text) => {
    if (!known.has(text)) known.set(text, anyText(String(text), named, byName, overflows));
    return known.get(text);
  };
  const conventions = (fmt) => overflows.filter((one) => spokenOf(fmt, one, byName));
  return { named, get, conventions, readings: (text) => (isAmbiguous(text) ? AMBIGUOUS.readings : []) };
}

const keyOf = (name) => name.toLowerCase().replace(/[-_\s]/g, "").replace(/^torch\./, "");
const oneOf = (choices) => (text) => choices.find((choice) => choice === text.toLowerCase().replace(/-/g, "_"));
const trueOrFalse = (text) => ({ true: true, false: false })[text.toLowerCase()];
const integer = (pattern, read = Number) => (text) => (pattern.test(text) ? read(text) : undefined);

/** What a format in text may state, under Python's names: the name here, and how its value is read. */
const FIELDS = {
  width: ["width", integer(/^\d{1,3}$/)],
  precision: ["precision", integer(/^\d{1,3}$/)],
  specials: ["specials", oneOf(SPECIALS)],
  subnormals: ["subnormals", oneOf(SUBNORMALS)],
  saturate: ["saturate", trueOrFalse],
  nan_code: ["nanCode", integer(/^(0x[0-9a-f]{1,32}|0b[01]{1,128}|0|[1-9]\d{0,38})$/i, BigInt)],
  bias: ["bias", integer(/^[+-]?\d{1,5}$/)],
  signed: ["signed", trueOrFalse],
  zero: ["zero", trueOrFalse],
};

/** The layout that is OCP's format to most and IEEE's to others: as text it stands for neither. */
const AMBIGUOUS = { layout: "e4m3", readings: ["e4m3fn", "e4m3_ieee"] };

/** Whether a text names that layout, in any spelling, with or without fields. */
function isAmbiguous(text) {
  const layout = /^(?:(?:fp|float)\d{1,3})?e(\d{1,3})m(\d{1,3})$/.exec(keyOf(String(text).split(",")[0]));
  return layout !== null && `e${Number(layout[1])}m${Number(layout[2])}` === AMBIGUOUS.layout;
}

/** A format with an overflow convention, as the last thing that is said of it; or one without. */
function anyText(text, named, byName, overflows) {
  const parts = text.split(",");
  const isOverflow = (part) => /^\s*overflow\s*(=|$)/.test(part);
  const asked = parts.filter(isOverflow);
  if (!asked.length) return fromText(text, named, byName);
  const rest = parts.filter((part) => !isOverflow(part));
  const twice = asked.length > 1 || rest.some((part) => /^\s*(saturate|nan_code)\s*(=|$)/.test(part));
  const key = (name) => name.trim().toLowerCase().replace(/_/g, "-");
  const convention = overflows.find((one) => key(one.name) === key(asked[0].replace(/^[^=]*=?/, "")));
  const fmt = twice || !rest.length || !convention ? null : fromText(rest.join(","), named, byName);
  return fmt && byConvention(fmt, convention, named, byName);
}

/** The format under its own name that a convention means by this one; undefined if the convention does not speak of it. */
const spokenOf = (fmt, { saturates, overflows }, byName) =>
  [...saturates, ...overflows].find((name) => LAYOUT.every((field) => byName.get(keyOf(name))[field] === fmt[field]));

/** The overflow of a convention, which the name then states. */
function byConvention(fmt, convention, named, byName) {
  const known = spokenOf(fmt, convention, byName);
  if (!known) return null;
  const plain = underItsName(makeFormat({ ...fmt, saturate: false, nanCode: null }), named, byName);
  const nanCode = { negative_zero: fmt.signBit, max_finite: fmt.largestCode }[convention.nan] ?? fmt.nanCode;
  const made = { ...fmt, saturate: convention.saturates.includes(known), nanCode: fmt.hasNan ? null : nanCode };
  return makeFormat({ ...made, name: `${plain.name},overflow=${convention.name}`, overflow: convention.name });
}

function fromText(text, named, byName) {
  const [base, ...rest] = text.split(",");
  const start = base.includes("=") ? {} : fromName(base, byName);
  const changes = fieldsIn(base.includes("=") ? [base, ...rest] : rest);
  if (!start || !changes) return null;
  if (start.name && !rest.length) return start;
  const isOther = ["width", "precision", "signed"].some((name) => name in changes); // the bias follows from these
  const made = { ...start, ...(isOther && { bias: null }), ...changes };
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

/** A named format in any spelling; a layout such as e5m4 or float8_e3m4, or 1-5-4 as older links have it; one of P3109's. */
function fromName(name, byName) {
  const known = byName.get(keyOf(name));
  if (known) return known;
  const draft = /^binary(\d{1,3})p(\d{1,3})([su][ef])?$/.exec(keyOf(name));
  if (draft) return p3109(Number(draft[1]), Number(draft[2]), draft[3] ?? "se");
  const older = /^1-(\d{1,2})-(\d{1,2})(?:-(ieee|nan|none))?$/.exec(name);
  const layout = older ?? /^(?:(?:fp|float)\d{1,3})?e(\d{1,3})m(\d{1,3})$/.exec(keyOf(name));
  if (!layout) return null;
  const [exponent, trailing] = [Number(layout[1]), Number(layout[2])];
  const stated = /^(?:fp|float)(\d+)e/.exec(keyOf(name));
  if (stated && Number(stated[1]) !== 1 + exponent + trailing) return null;
  const made = { name: `e${exponent}m${trailing}`, width: 1 + exponent + trailing, precision: trailing + 1, specials: older?.[3] ?? "ieee" };
  if (!isPossible(made) || (made.name === AMBIGUOUS.layout && !older)) return null;
  return older ? underItsName(makeFormat(made), [...new Set(byName.values())], byName) : makeFormat(made);
}

/** A format of IEEE P3109, "binary8p3se": signed or unsigned, and extended by infinities or finite; null if there is none. */
function p3109(width, precision, kind) {
  const signed = kind[0] === "s";
  const bias = Math.floor(2 ** (width - precision + (signed ? 0 : 1)) / 2);
  const made = { name: `binary${width}p${precision}${kind}`, width, precision, specials: kind[1] === "e" ? ONE_ZERO[1] : ONE_ZERO[0], bias, signed };
  return width >= 2 && width <= 15 && precision <= width && isPossible(made) ? makeFormat(made) : null;
}

/** Whether such a format exists, and is not too wide for this page. */
function isPossible({ width, precision, specials = "ieee", subnormals = "gradual", nanCode = null, bias = null, signed = true, zero = true }) {
  const [exponent, trailing] = [width - precision + (signed ? 0 : 1), precision - 1];
  const [least, fewest] = FEWEST[specials];
  if (!(precision >= least && exponent >= fewest && exponent <= WIDEST.exponent && trailing <= WIDEST.trailing)) return false;
  if (Math.abs(bias ?? 0) > MAX_BIAS) return false;
  if (!zero && (signed || precision > 1)) return false;
  if (!signed && !ONE_ZERO.includes(specials)) return false;
  if (makeFormat({ width, precision, specials, signed, zero }).largestCode < 1n) return false;
  if (nanCode === null) return true;
  const below = nanCode & ((1n << BigInt(width - 1)) - 1n);
  const isSubnormal = below > 0n && below < 1n << BigInt(trailing);
  return specials === "none" && nanCode < 1n << BigInt(width) && !(isSubnormal && subnormals !== "gradual");
}

/** What a format has of which a text states the widths alone. */
const usual = { specials: "ieee", subnormals: "gradual", saturate: false, nanCode: null, signed: true, zero: true };
const LAYOUT = ["width", "precision", "specials", "bias", "signed", "zero"];

/** The format under the shortest name that stands for it; a known format is itself. */
function underItsName(fmt, named, byName) {
  const known = [...named, ...draftLike(fmt)].find((one) => LAYOUT.every((field) => one[field] === fmt[field]));
  const { width, precision } = fmt;
  const layout = `e${fmt.exponentBits}m${fmt.trailingBits}`;
  const isRead = fmt.signed && width - precision >= 2 && precision >= 2 && !byName.has(layout) && layout !== AMBIGUOUS.layout;
  const name = known?.name ?? (isRead ? layout : `width=${width},precision=${precision}`);
  const start = known ?? { ...usual, width, precision, bias: usualBias(fmt.exponentBits) };
  const own = Object.entries(FIELDS).filter(([, [field]]) => fmt[field] !== start[field]).map(([field, [mine]]) => `${field}=${fmt[mine]}`);
  return known && !own.length ? known : Object.freeze({ ...fmt, name: [name, ...own].join(",") });
}

/** The format of P3109 with these widths and specials, if there is one. */
function draftLike({ width, precision, specials, signed, zero }) {
  if (!ONE_ZERO.includes(specials) || !zero) return [];
  return [p3109(width, precision, (signed ? "s" : "u") + (specials === ONE_ZERO[1] ? "e" : "f"))].filter(Boolean);
}

/** The text that stands for a format of these widths and ways; `bias` null lets it follow from the widths. */
export function formatText({ exponentBits, trailingBits, specials, subnormals, saturate, nanCode, bias, signed, zero, overflow = "" }) {
  const nan = nanCode !== null && specials === "none" && { nan_code: nanCode };
  const stated = {
    width: (signed ? 1 : 0) + exponentBits + trailingBits, precision: trailingBits + 1, specials, subnormals, signed, zero,
    ...(bias !== null && { bias }), ...(overflow ? { overflow } : { saturate, ...nan }),
  };
  return Object.entries(stated).map(([name, value]) => `${name}=${value}`).join(",");
}
