/* Numbers as people write them, exactly; and codes, which need a format to mean anything. As `fp16sim.parse`. */

import { NAN, finite, infinity, product, quotient } from "./exact.js";
import { decode } from "./formats.js";

export const MAX_DIGITS = 1200;
const MAX_EXPONENT = { 2: 20000, 10: 5000 };

const HELP = "write it like 0.1, 1e-8, 1/3, 0x1.8p3, 1p-24, 2^-24, inf or nan; a code like 0x2E66; or all bits";

/** What a text means for a format: {value, code, reading}, or {error}.

    `reading` says how it was read: "number", "code" (0x2E66) or "bits" (0b..., fields, or all bits). */
export function readNumber(text, fmt) {
  const trimmed = text.trim();
  try {
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
  if (text.length > MAX_DIGITS + 100) throw new TextError(`That is too long for a number; use at most ${MAX_DIGITS} digits.`);
  const sign = /^([+-]?)\s*/.exec(text);
  const negative = sign[1] === "-";
  const rest = text.slice(sign[0].length).toLowerCase();
  if (/^inf(inity)?$/.test(rest)) return infinity(negative);
  if (rest === "nan") return NAN;
  return { ...unsigned(rest, text), negative };
}

/** A magnitude: one of the forms below, in this order. */
function unsigned(rest, text) {
  const hex = /^0x([0-9a-f_]*)(?:\.([0-9a-f_]*))?p([+-]?\d+)$/.exec(rest);
  if (hex) return hexadecimal(hex, text);
  const ratio = rest.split("/");
  if (ratio.length === 2) return fraction(ratio, text);
  const power = /^([^^*]*?)\s*(?:\^|\*\*)\s*([+-]?\d+)$/.exec(rest);
  if (power && !power[1].includes("*")) {
    if (!equalsTwo(decimal(power[1], text))) throw new TextError(`${shown(text)}: only powers of two are understood, like 2^-24.`);
    return finite(false, 1n, 1n, exponentIn(text, 2, power[2]));
  }
  const scaled = /^([^p*]*?)\s*(?:p|\*\s*2\s*(?:\^|\*\*))\s*([+-]?\d+)$/.exec(rest);
  if (scaled) return product(decimal(scaled[1], text), finite(false, 1n, 1n, exponentIn(text, 2, scaled[2])));
  return decimal(rest, text);
}

function hexadecimal([, whole, places = "", exponent], text) {
  const digits = (whole + places).replace(/_/g, "");
  if (!digits) throw complaint(text);
  const e = exponentIn(text, 2, exponent) - 4 * places.replace(/_/g, "").length;
  return finite(false, BigInt(`0x${digits}`), 1n, e);
}

function fraction([top, bottom], text) {
  const [x, y] = [decimal(top.trimEnd(), text), decimal(bottom.trimStart(), text)];
  if (y.n === 0n) throw new TextError(`${shown(text)} divides by zero; write inf or nan if you mean it.`);
  return quotient(x, y);
}

function decimal(digits, text) {
  const match = /^(?:(\d[\d_]*)(?:\.([\d_]*))?|\.(\d[\d_]*))(?:e([+-]?\d+))?$/.exec(digits);
  if (!match) throw complaint(text);
  const places = (match[2] ?? match[3] ?? "").replace(/_/g, "");
  const n = BigInt((match[1] ?? "").replace(/_/g, "") + places);
  const k = exponentIn(text, 10, match[4] ?? "0") - places.length;
  // 10^k = 5^k 2^k
  const five = 5n ** BigInt(Math.abs(k));
  return k >= 0 ? finite(false, n * five, 1n, k) : finite(false, n, five, k);
}

const equalsTwo = (x) => x.e >= 0 ? x.n << BigInt(x.e) === 2n * x.d : x.n === (2n * x.d) << BigInt(-x.e);

function exponentIn(text, base, exponent) {
  if (exponent.length > 8 || Math.abs(Number(exponent)) > MAX_EXPONENT[base]) {
    throw new TextError(`${shown(text)} has an exponent beyond ${MAX_EXPONENT[base]}; no format here reaches it.`);
  }
  return Number(exponent);
}
