/* Numbers as people write them, exactly; and codes, which need a format to mean anything. As `fp16sim.parse`. */

import { NAN, exponentOf, finite, infinity } from "./exact.js";
import { decode } from "./formats.js";

const MAX_LENGTH = 10000, MAX_DIGITS = 1200;
/** Every number of every format is between 2^-REACH and 2^REACH; what is beyond has too many digits to show. */
const REACH = 20000n;

const HELP = "write it like 0.1, 1e-8, 1/3, 0x1.8p3, 1p-24, 2^-24, inf or nan; a code like 0x2E66; or all bits";

/** What a text means for a format: {value, code, reading}, or {error}.

    `reading` says how it was read: "number", "code" (0x2E66) or "bits" (0b..., fields, or all bits). */
export function readNumber(text, fmt) {
  const trimmed = text.trim();
  try {
    if (trimmed.length > MAX_LENGTH) throw new TextError(`That is too long for a number; use at most ${MAX_LENGTH} characters.`);
    const code = readCode(trimmed, fmt);
    if (code) return { ...code, value: decode(code.code, fmt) };
    return { value: parse(trimmed), code: null, reading: "number" };
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    return { error: error.message };
  }
}

class TextError extends Error {}

const shown = (text) => `“${text.length > 40 ? `${text.slice(0, 37)}...` : text}”`;

function complaint(text) {
  if (!text) return new TextError(`Nothing is typed: ${HELP}.`);
  return new TextError(`${shown(text)} is not a number: ${HELP}.`);
}

/** Codes, as `fp16sim.explain` reads them: 0x2E66; 0b...; fields parted by _ or blanks; or all bits, 8 or more. */
function readCode(text, fmt) {
  const hex = /^0x([0-9a-f_]+)$/i.exec(text);
  const marked = /^0b([01_]+)$/i.exec(text);
  const fields = /^[01][_ ][01]+[_ ][01]+$/.test(text);
  const plain = /^[01]+$/.test(text) && text.length === fmt.width && fmt.width >= 8;
  if (!hex && !marked && !fields && !plain) return null;
  const digits = (hex?.[1] ?? marked?.[1] ?? text).replace(/[_ ]/g, "");
  if (!digits) throw complaint(text);
  if (fields) checkFields(text, digits, fmt);
  const code = BigInt((hex ? "0x" : "0b") + digits);
  if (code >= 2n * fmt.signBit) {
    const out = hex ? `; as a number write ${shown(`${text}p0`)}` : "";
    throw new TextError(`${shown(text)} is no code of ${fmt.name}, which has ${fmt.width} bits${out}.`);
  }
  return { code, reading: hex ? "code" : "bits" };
}

function checkFields(text, digits, fmt) {
  const widths = [1, fmt.exponentBits, fmt.trailingBits];
  if (text.split(/[_ ]/).every((part, i) => part.length === widths[i])) return;
  throw new TextError(`${shown(text)}: the fields of ${fmt.name} have ${widths.join(", ")} bits; for a code without fields write 0b${digits}, for a number no _.`);
}

/** The exact value of a number; nothing is rounded. Throws a TextError. */
export function parse(text) {
  const blanks = text.trim().replace(/\s+/g, " ");
  const sign = /^([+-]?) ?/.exec(blanks);
  const negative = sign[1] === "-";
  const rest = blanks.slice(sign[0].length).toLowerCase();
  if (/^inf(inity)?$/.test(rest)) return infinity(negative);
  if (rest === "nan") return NAN;
  return { ...multipliedOut(unsigned(rest, text), text), negative };
}

/** A magnitude top / bottom * 10^ten * 2^two, not yet multiplied out: one of the forms below, in this order. */
function unsigned(rest, text) {
  const hex = /^0x([0-9a-f_]*)(?:\.([0-9a-f_]*))?p([+-]?\d+)$/.exec(rest);
  if (hex) return hexadecimal(hex, text);
  const ratio = rest.split("/");
  if (ratio.length === 2) return fraction(ratio, text);
  const power = /^([^^*]*?) ?(?:\^|\*\*) ?([+-]?\d+)$/.exec(rest);
  if (power && !power[1].includes("*")) {
    const base = decimal(power[1], text);
    if (base.top !== 2n || base.ten) throw new TextError(`${shown(text)}: only powers of two are understood, like 2^-24.`);
    return { ...ONE, two: exponentOfText(power[2]) };
  }
  const scaled = /^([^p*]*?) ?(?:p|\* ?2 ?(?:\^|\*\*)) ?([+-]?\d+)$/.exec(rest);
  if (scaled) return { ...decimal(scaled[1], text), two: exponentOfText(scaled[2]) };
  return decimal(rest, text);
}

const ONE = { top: 1n, bottom: 1n, ten: 0n, two: 0n };

function hexadecimal([, whole, places = "", exponent], text) {
  const digits = (whole + places).replace(/_/g, "");
  if (!digits) throw complaint(text);
  const significant = digits.replace(/0+$/, "");
  const moved = digits.length - significant.length - places.replace(/_/g, "").length;
  return { ...ONE, top: integer(significant, "0x", text), two: exponentOfText(exponent) + 4n * BigInt(moved) };
}

function fraction([top, bottom], text) {
  const [x, y] = [decimal(top.trimEnd(), text), decimal(bottom.trimStart(), text)];
  if (y.top === 0n) throw new TextError(`${shown(text)} divides by zero; write inf or nan if you mean it.`);
  return { ...ONE, top: x.top, bottom: y.top, ten: x.ten - y.ten };
}

/** An integer without zeros at its end, times a power of ten. */
function decimal(text, whole) {
  const match = /^(?:(\d[\d_]*)(?:\.([\d_]*))?|\.(\d[\d_]*))(?:e([+-]?\d+))?$/.exec(text);
  if (!match) throw complaint(whole);
  const places = (match[2] ?? match[3] ?? "").replace(/_/g, "");
  const digits = (match[1] ?? "").replace(/_/g, "") + places;
  const significant = digits.replace(/0+$/, "");
  const moved = digits.length - significant.length - places.length;
  return { ...ONE, top: integer(significant, "", whole), ten: exponentOfText(match[4] ?? "0") + BigInt(moved) };
}

function integer(significant, prefix, text) {
  const digits = significant.replace(/^0+/, "");
  if (digits.length > MAX_DIGITS) throw new TextError(`${shown(text)} has ${digits.length} digits, too many for a number; use ${MAX_DIGITS}.`);
  return digits ? BigInt(prefix + digits) : 0n;
}

/** An exponent; one of more than 40 digits becomes one that no other can cancel. */
function exponentOfText(text) {
  const digits = text.replace(/^[+-]?0*/, "");
  const size = digits.length > 40 ? 10n ** 40n : BigInt(digits || "0");
  return text.startsWith("-") ? -size : size;
}

const abs = (n) => (n < 0n ? -n : n);

/** The number itself; a TextError if its magnitude is beyond 2^REACH or below 2^-REACH. */
function multipliedOut({ top, bottom, ten, two }, text) {
  if (top === 0n) return finite(false, 0n);
  if (abs(ten) > REACH || abs(two) > 4n * REACH) throw outOfReach(text);
  // 10^ten = 5^ten 2^ten
  const [five, e] = [5n ** abs(ten), Number(ten + two)];
  const x = ten >= 0n ? finite(false, top * five, bottom, e) : finite(false, top, bottom * five, e);
  const exponent = BigInt(exponentOf(x));
  const atEnd = exponent === REACH && x.n << BigInt(Math.max(x.e, 0)) === (x.d << REACH) << BigInt(Math.max(-x.e, 0));
  if (exponent < -REACH || (exponent >= REACH && !atEnd)) throw outOfReach(text);
  return x;
}

function outOfReach(text) {
  return new TextError(`${shown(text)} is beyond 2^${REACH} or below 2^-${REACH}: too many digits to show, and no format here reaches it.`);
}
