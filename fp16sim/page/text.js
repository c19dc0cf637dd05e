/* Values as text: exact decimals, fractions, C99's hexadecimal, the shortest decimal, bits; and short forms for people. */

import { compareMagnitude, exponentOf, finite, isZero, lift, log2, reduced } from "./exact.js";
import { asStored } from "./formats.js";
import { roundResult } from "./rounding.js";

const sign = (x) => (x.negative ? "-" : "");
const special = (x) => (x.kind === "nan" ? "nan" : `${sign(x)}inf`);
const LARGE = 1n << 400n;
const minus = (text) => text.replace(/-/g, "−");

/** All decimal digits of a value that a format holds: n / 2^k = n 5^k / 10^k has k places. */
export function decimalText(x) {
  if (x.kind !== "finite") return special(x);
  if (x.n === 0n) return `${sign(x)}0`;
  const { n, e } = reduced(x);
  if (e >= 0) return sign(x) + (n << BigInt(e)).toString();
  const digits = (n * 5n ** BigInt(-e)).toString().padStart(1 - e, "0");
  return `${sign(x)}${digits.slice(0, e)}.${digits.slice(e)}`;
}

/** An integer ratio in lowest terms. */
export function fractionText(x) {
  if (x.kind !== "finite") return special(x);
  const { n, d, e } = reduced(x);
  const top = e > 0 ? n << BigInt(e) : n;
  const bottom = e < 0 ? d << BigInt(-e) : d;
  return `${sign(x)}${top}${bottom === 1n ? "" : `/${bottom}`}`;
}

/** C99's hexadecimal of a value that `fmt` holds, with a leading 1. */
export function hexText(x, fmt) {
  if (x.kind !== "finite") return special(x);
  if (x.n === 0n) return `${sign(x)}0x0p+0`;
  const e = exponentOf(x);
  const places = Math.ceil(fmt.trailingBits / 4);
  const digits = lift(x, e - 4 * places).low - (1n << BigInt(4 * places));
  const trailing = digits.toString(16).padStart(places, "0").replace(/0+$/, "");
  return `${sign(x)}0x1${trailing && "."}${trailing}p${e < 0 ? "" : "+"}${e}`;
}

/** The bits of a code as [sign, exponent, trailing significand]; "" for a field that the format does not have. */
export function bitFields(code, fmt) {
  const digits = code.toString(2).padStart(fmt.width, "0");
  const [start, end] = [fmt.signed ? 1 : 0, (fmt.signed ? 1 : 0) + fmt.exponentBits];
  return [digits.slice(0, start), digits.slice(start, end), digits.slice(end)];
}

/** The bits of a code with _ between the fields, as they can be typed: with fewer than three fields, after 0b. */
export function bitsText(code, fmt) {
  const fields = bitFields(code, fmt).filter(Boolean);
  return `${fields.length === 3 ? "" : "0b"}${fields.join("_")}`;
}

/** The code in hexadecimal, of as many digits as the format has. */
export function codeText(code, fmt) {
  return `0x${code.toString(16).toUpperCase().padStart(Math.ceil(fmt.width / 4), "0")}`;
}

/** The fewest decimal digits that round to the same value of `fmt` (ties to even), and of these the nearest.

    By the specification of Steele and White, "How to print floating-point numbers accurately" (1990), by search. */
export function shortestText(x, fmt) {
  if (x.kind !== "finite") return special(x);
  if (x.n === 0n) return `${sign(x)}0`;
  const [target, codes] = [{ ...x, negative: false }, asStored(fmt)];
  const top = decimalExponent(target);
  for (let count = 1; ; count++) {
    const power = top + 1 - count;
    const { low, rest, den } = decimalLift(target, power);
    const order = 2n * rest > den || (2n * rest === den && low & 1n) ? [low + 1n, low] : [low, low + 1n];
    for (const digits of order) {
      if (digits === 0n) continue;
      const back = roundResult(timesTen(digits, power), codes, "ties_to_even").value;
      if (back.kind === "finite" && compareMagnitude(back, target) === 0) return sign(x) + positional(digits, power);
    }
  }
}

/** digits * 10^power, exactly. */
function timesTen(digits, power) {
  const five = 5n ** BigInt(Math.abs(power));
  return power >= 0 ? finite(false, digits * five, 1n, power) : finite(false, digits, five, power);
}

/** x / 10^power as an integer and a rest. */
function decimalLift(x, power) {
  const five = 5n ** BigInt(Math.abs(power));
  return lift(power >= 0 ? { ...x, d: x.d * five } : { ...x, n: x.n * five }, power);
}

/** floor(log10(x)), from an estimate that is at most one off. */
function decimalExponent(x) {
  let e = Math.floor(log2(x) * Math.log10(2));
  while (compareMagnitude(timesTen(1n, e + 1), x) <= 0) e += 1;
  while (compareMagnitude(timesTen(1n, e), x) > 0) e -= 1;
  return e;
}

/** digits * 10^exponent as Python's repr writes floats, but for a trailing ".0". */
function positional(digits, exponent) {
  const text = digits.toString().replace(/0+$/, "");
  const shift = exponent + digits.toString().length - text.length;
  const point = text.length + shift; // digits before the decimal point
  if (point <= -4 || point > 16) {
    const e = point - 1;
    const tail = text.length > 1 ? `.${text.slice(1)}` : "";
    return `${text[0]}${tail}e${e < 0 ? "-" : "+"}${String(Math.abs(e)).padStart(2, "0")}`;
  }
  if (shift >= 0) return text + "0".repeat(shift);
  return point > 0 ? `${text.slice(0, point)}.${text.slice(point)}` : `0.${"0".repeat(-point)}${text}`;
}

/** `count` significant decimal digits of any finite value, truncated, with "…" where there are more. */
export function digitsText(x, count) {
  if (x.kind !== "finite") return minus(special(x)).replace("inf", "∞").replace("nan", "NaN");
  if (x.n === 0n) return minus(`${sign(x)}0`);
  const power = decimalExponent(x) + 1 - count;
  const { low, rest } = decimalLift(x, power);
  const more = rest === 0n ? "" : "…";
  const whole = low.toString();
  const point = count + power;
  if (point > -4 && point <= count) {
    const text = point > 0 ? `${whole.slice(0, point)}.${whole.slice(point)}` : `0.${"0".repeat(-point)}${whole}`;
    return minus(sign(x)) + (more ? `${text.replace(/\.$/, "")}${more}` : text.replace(/\.?0*$/, ""));
  }
  const tail = more ? whole.slice(1) : whole.slice(1).replace(/0+$/, "");
  return minus(`${sign(x)}${whole[0]}${tail && "."}${tail}${more}`) + `e${minus(String(point - 1))}`;
}

/** For people: exact where it fits into `room` characters, else its first digits and "…". */
export function shortText(x, room = 24) {
  if (x.kind !== "finite" || isZero(x)) return digitsText(x, 1);
  const { d, e } = reduced(x);
  if (d === 1n && Math.abs(e) < 4 * room && exponentOf(x) < 4 * room) {
    const text = decimalText(x);
    if (text.length <= room) return minus(text);
  }
  return digitsText(x, Math.max(3, room - 8));
}

/** |x / y| of finite numbers, y not zero, as a short decimal of a few digits: enough for an error. */
export function ratioText(x, y) {
  return shortText(reduced(finite(false, x.n * y.d, x.d * y.n, x.e - y.e)), 14);
}

/** A probability, everywhere in the same way: exact in decimal if it is short, else its first digits. */
export const probabilityText = (p) => shortText(p, 14);

/** A small exact number in ulp: a fraction if it is simple, else about so many. */
export function ulpsText(x, room = 10) {
  if (x.d > LARGE) return digitsText(x, Math.max(3, room - 8)); // no simple fraction, and long to reduce
  const text = fractionText(x);
  if (text.length <= 4) return minus(text);
  return shortText(x, room);
}

/** n / 2^places in binary, one digit at least before the point. */
export function binaryText(n, places) {
  const digits = n.toString(2).padStart(places + 1, "0");
  return places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits;
}

/** An exact text that reads back to the same value: decimal if short, else hexadecimal. NaN is its code. */
export function exactText(x, code, fmt) {
  if (x.kind === "nan") return codeText(code, fmt);
  const text = Math.abs(x.e) < 90 ? decimalText(x) : "";
  return text && text.length <= 20 ? text : hexText(x, fmt);
}

/** 2^e for people. */
export const powerText = (e) => `2${superscript(e)}`;

/** An integer in superscript digits. */
export function superscript(n) {
  return String(n).replace(/[-0-9]/g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)]));
}
