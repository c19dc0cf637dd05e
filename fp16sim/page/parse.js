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
    if (text.length > MAX_LENGTH) throw new TextError(`That is too long for a number; use at most ${MAX_LENGTH} characters.`);
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
  if (text.includes("…")) return new TextError(`${shown(text)} is the beginning of a number: copy all its digits, or write it as a fraction.`);
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
  if (code >= fmt.codes) {
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

/* --- the grammar of `fp16sim.exact.parsing`, part by part --- */

const SIGNS = { "−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "÷": "/" };
const RAISED = "⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹";
const SPACE = "[\\u00a0\\u2009\\u202f]";
const SPACED = new RegExp(`\\d+(?:${SPACE}\\d+)*(?:[.,]\\d+(?:${SPACE}\\d+)*)?`, "g");
const GROUPED = new RegExp(`^(?:\\d+|\\d{1,3}(?:${SPACE}\\d{3})+)(?:[.,](?:\\d+|(?:\\d{3}${SPACE})+\\d{1,3}))?$`);
/** What Python calls white space. */
const BLANKS = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g;

/** A text with the signs that keyboards have, without spaces between groups of digits, and with single blanks. */
function plain(text) {
  return text
    .replace(new RegExp(`[${RAISED}]+`, "g"), (raised) => `^${[...raised].map((c) => "+-0123456789"[RAISED.indexOf(c)]).join("")}`)
    .replace(SPACED, (digits) => (GROUPED.test(digits) ? digits.replace(new RegExp(SPACE, "g"), "") : digits))
    .replace(/[−–×·⋅÷]/g, (c) => SIGNS[c])
    .replace(BLANKS, " ").replace(/^ | $/g, "");
}

// A lookahead never gives a character back, so that no text takes more than linear time.
const unsigned = (name) => `(?=(?<${name}>\\d[\\d_]*(?:\\.[\\d_]*|,\\d[\\d_]*)?|[.,]\\d[\\d_]*))\\k<${name}>`;
const integerAs = (name) => `(?<${name}>[+-]?\\d+)`;
const POWER = " ?(?:\\^|\\*\\*) ?";
const BEHIND = [
  `/ ?${unsigned("bottom")}(?:e${integerAs("bottomExponent")})?`,
  `(?:p ?|\\* ?2${POWER})${integerAs("two")}`,
  `\\* ?10${POWER}${integerAs("ten")}`,
  `(?:\\^|\\*\\*) ?${integerAs("power")}`,
];
const FORMS = [
  "(?<special>inf(?:inity)?|∞|nan)",
  `0x(?=(?<hex>[0-9a-f_]*\\.?[0-9a-f_]*))\\k<hex>p${integerAs("hexExponent")}`,
  `${unsigned("top")}(?:e${integerAs("topExponent")})? ?(?:${BEHIND.join("|")})?`,
];
const GRAMMAR = new RegExp(`^(?<sign>[+-]?) ?(?:${FORMS.join("|")})$`, "i");

/** The exact value of a number; nothing is rounded. Throws a TextError. */
export function parse(text) {
  const part = GRAMMAR.exec(plain(text))?.groups;
  if (!part) throw complaint(text);
  const negative = part.sign === "-";
  if (part.special) return part.special.toLowerCase() === "nan" ? NAN : infinity(negative);
  return { ...multipliedOut(numberOf(part, text), text), negative };
}

/** A magnitude top / bottom * 10^ten * 2^two, not yet multiplied out. */
function numberOf(part, text) {
  if (part.hex !== undefined) return hexadecimal(part, text);
  const { top, ten } = decimal(part.top, part.topExponent, text);
  const number = { top, bottom: 1n, ten, two: 0n };
  if (part.bottom !== undefined) return fraction(number, decimal(part.bottom, part.bottomExponent, text), text);
  if (part.power === undefined) return { ...number, ten: ten + exponentOfText(part.ten ?? "0"), two: exponentOfText(part.two ?? "0") };
  const exponent = exponentOfText(part.power);
  if (top === 2n && ten === 0n) return { ...number, top: 1n, two: exponent };
  if (top === 1n && ten === 1n) return { ...number, ten: exponent };
  throw new TextError(`${shown(text)}: only powers of 2 and 10 are understood, like 2^-24.`);
}

function hexadecimal({ hex, hexExponent }, text) {
  const [whole, places = ""] = hex.replace(/_/g, "").split(".");
  if (!(whole + places)) throw complaint(text);
  const { significant, moved } = withoutZeros(whole, places);
  return { top: integer(significant, "0x", text), bottom: 1n, ten: 0n, two: exponentOfText(hexExponent) + 4n * moved };
}

function fraction(x, y, text) {
  if (y.top === 0n) throw new TextError(`${shown(text)} divides by zero; write inf or nan if you mean it.`);
  return { ...x, bottom: y.top, ten: x.ten - y.ten };
}

/** An integer without zeros at its end, times a power of ten. */
function decimal(text, exponent, all) {
  const digits = text.replace(/_/g, "");
  if (/^[1-9]\d{0,2},\d{3}$/.test(digits)) {
    throw new TextError(`${digits} could be one number or a thousand times it: write ${digits.replace(",", ".")} or ${digits.replace(",", "")}.`);
  }
  const [whole, places = ""] = digits.split(/[.,]/);
  const { significant, moved } = withoutZeros(whole, places);
  return { top: integer(significant, "", all), ten: exponentOfText(exponent ?? "0") + moved };
}

/** All digits but the zeros at their end, and by how many places the point has moved to the right. */
function withoutZeros(whole, places) {
  const significant = (whole + places).replace(/0+$/, "");
  return { significant, moved: BigInt(whole.length - significant.length) };
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
