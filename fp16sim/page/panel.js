/* One format's view of the typed number: its bits, the formula that fits, and every fact about what is stored. */

import { bitRow } from "./bits.js";
import { codeFields } from "./codefields.js";
import { button, change, copyButton, fill, h } from "./dom.js";
import { difference, isFinite, isZero } from "./exact.js";
import { classify, decode, exponentOfField, fieldsOf, hasImplicitOne, nextDown, nextUp, quantumAt } from "./formats.js";
import { errorInUlp, tickets } from "./explain.js";
import { neighbourPicture } from "./neighbours.js";
import { isRandom } from "./rounding.js";
import {
  bitsText, codeText, decimalText, fractionText, hexText, powerText, ratioText, shortText, shortestText, ulpsText,
} from "./text.js";
import { FLUSH_WORDS, chanceWords, missingWords } from "./words.js";

const CLASS_WORDS = {
  signalingNaN: "signaling NaN",
  quietNaN: "quiet NaN",
  negativeInfinity: "negative infinity",
  negativeNormal: "negative normal number",
  negativeSubnormal: "negative subnormal number",
  negativeZero: "negative zero",
  positiveZero: "positive zero",
  positiveSubnormal: "positive subnormal number",
  positiveNormal: "positive normal number",
  positiveInfinity: "positive infinity",
};

/** The class of a code in words. */
export const classWords = (code, fmt) => CLASS_WORDS[classify(code, fmt)];

/** Formula of a code: the one that fits its class, in numbers. */
export function formula(code, fmt) {
  const value = decode(code, fmt);
  const { negative, field, trailing } = fieldsOf(code, fmt);
  const sign = fmt.signed ? `(−1)${negative ? "¹" : "⁰"} × ` : "";
  const significand = significandText(field, trailing, fmt);
  if (!isFinite(value)) return specialFormula(value, fmt);
  const minus = negative ? "−" : "";
  if (isZero(value)) return fmt.signed ? `exponent field 0, significand 0: ${sign}0` : "all bits are zeros: 0";
  if (!hasImplicitOne(field, fmt)) return `${sign}${powerText(fmt.emin)} × ${significand}`;
  const bias = fmt.bias < 0 ? `+ ${-fmt.bias}` : `− ${fmt.bias}`;
  const short = `${minus}${powerText(Number(field) - fmt.bias)}${fmt.trailingBits ? ` × ${significand}` : ""}`;
  return `${sign}2^(${field} ${bias})${fmt.trailingBits ? ` × ${significand}` : ""} = ${short}`;
}

/** Why a code is an infinity or NaN. */
function specialFormula({ kind, negative }, fmt) {
  const infinity = negative ? "−∞" : "∞";
  const top = `exponent field ${fmt.topField} (all ones), significand`;
  if (fmt.hasPayloads) return kind === "nan" ? `${top} not 0: NaN` : `${top} 0: ${infinity}`;
  if (kind === "infinite") return `the code after that of the largest number: ${infinity}`;
  if (fmt.specials === "nan") return "all bits behind the sign are ones: NaN";
  return `${fmt.signed ? "the code that elsewhere is −0" : "all bits are ones"}: NaN, the only one`;
}

/** 1.1001₂; where that would be long, (1 + 9/2⁴). */
function significandText(field, trailing, fmt) {
  const lead = hasImplicitOne(field, fmt) ? "1" : "0";
  if (fmt.trailingBits > 16) return `(${lead} + ${trailing}/${powerText(fmt.trailingBits)})`;
  return `${lead}.${trailing.toString(2).padStart(fmt.trailingBits, "0")}₂`;
}

/** What stands under each field of the bits. */
function under(code, fmt) {
  if (code === null) return ["", "", ""];
  const { negative, field, trailing } = fieldsOf(code, fmt);
  const value = decode(code, fmt);
  const isNormal = hasImplicitOne(field, fmt);
  const lead = isNormal ? "1" : "0";
  const exponent = !isFinite(value) ? "special" : `${field} → ${powerText(exponentOfField(field, fmt))}${isNormal ? "" : ", subnormal"}`;
  const places = trailing.toString(2).padStart(fmt.trailingBits, "0");
  const digits = fmt.trailingBits > 12 ? `${places.slice(0, 10)}…` : places;
  const significand = isFinite(value) ? `${lead}.${digits}₂` : "";
  return [["sign", negative ? "−" : "+"], ["exponent", exponent], ["significand", significand]]
    .map(([name, words]) => [h("b", {}, name), " ", words]);
}

/** A long text that may break anywhere; beyond `most` characters its middle is folded away. */
function long(text, most = 90) {
  if (text.length <= most) return h("span", { class: "long" }, text);
  return h("details", { class: "long" }, h("summary", {}, `${text.slice(0, 40)}… (${text.length} characters)`), text);
}

/** A panel for the format under `key`. Its element shows what the typed number x becomes there. */
export function formatPanel(ctx, key) {
  const fmtNow = () => ctx.format(ctx.store.get()[key]);
  const setCode = (code, merge) => ctx.setCode("x", code, fmtNow(), merge);
  const title = h("h2", {});
  const layout = h("p", { class: "layout" });
  const hero = h("p", { class: "hero" });
  const equation = h("p", { class: "equation" });
  const chances = h("p", { class: "soft" });
  const facts = h("dl", { class: "facts" });
  const bits = bitRow("Bits; up and down arrows step one ulp", { flip: setCode, step: (event) => ctx.stepKey(event, "x", key) });
  const down = button("− 1 ulp", () => ctx.stepUlp("x", key, -1n), { class: "quiet" });
  const up = button("+ 1 ulp", () => ctx.stepUlp("x", key, 1n), { class: "quiet" });
  const codes = codeFields(setCode);
  const near = neighbourPicture(setCode);
  const rest = h("div", { class: "panel-body" },
    h("div", { class: "panel-top" }, h("div", { class: "stored" }, bits.element, equation, hero, chances), near.element),
    h("div", { class: "row steppers" }, down, up, codes.element), facts);
  const refusal = h("p", { class: "refusal" });
  const element = h("section", { class: "card panel" }, h("header", { class: "panel-head" }, title, layout), refusal, rest);

  const update = (state) => {
    const fmt = ctx.format(state[key]);
    const { read, rounded } = ctx.stored(state.x, fmt, state);
    fill(title, fmt.name);
    fill(layout, layoutWords(fmt));
    const code = rounded?.code ?? null;
    bits.update(code, fmt, under(code, fmt));
    rest.hidden = code === null;
    refusal.hidden = !rest.hidden;
    fill(refusal, code !== null ? "" : read.error ? "Nothing to show: type a number above." : `${fmt.name} has no code for NaN.`);
    if (code === null) return;
    const value = decode(code, fmt);
    codes.update(code, fmt);
    near.update(read, code, fmt, state.mode);
    fill(equation, formula(code, fmt));
    fill(hero, h("span", { class: "says" }, heroWords(state.x, read, rounded)), h("strong", {}, shortText(value, 26)));
    chances.hidden = !isRandom(state.mode);
    if (isRandom(state.mode)) fill(chances, `Over all random numbers: ${chanceWords(tickets(read.value, fmt, state.mode))}.`);
    change(up, { disabled: nextUp(code, fmt) === code });
    change(down, { disabled: nextDown(code, fmt) === code });
    fill(facts, rows(read, rounded, code, value, fmt).map(([name, ...body]) => h("div", {}, h("dt", {}, name), h("dd", {}, body))));
  };

  const rows = (read, rounded, code, value, fmt) => [
    ["you typed", typedWords(read)],
    ["stored", long(decimalText(value)), copied("the exact decimal", () => decimalText(value))],
    ["error", errorWords(read.value, value, fmt, rounded.flags)],
    ["relative", relativeWords(read.value, value)],
    ["flags", rounded.flags.length ? rounded.flags.join(", ") : "none"],
    ["fraction", long(fractionText(value)), copied("the fraction", () => fractionText(value))],
    ["hexadecimal", hexText(value, fmt), copied("the hexadecimal number", () => hexText(value, fmt))],
    ["code", h("code", {}, codeText(code, fmt)), ` = ${code}`, copied("the code", () => codeText(code, fmt))],
    ["bits", h("span", { class: "long" }, bitsText(code, fmt)), copied("the bits", () => bitsText(code, fmt))],
    ["shortest", shortestText(value, fmt)],
    ["class", classWords(code, fmt)],
    ["ulp", ulpWords(value, fmt)],
    ["next up", neighbour(nextUp(code, fmt), code, fmt)],
    ["next down", neighbour(nextDown(code, fmt), code, fmt)],
  ];

  const neighbour = (next, code, fmt) =>
    next === code ? "none" : button(shortText(decode(next, fmt), 30), () => setCode(next), { class: "text" });

  return { element, update };
}

const copied = (what, text) => h("span", { class: "copy" }, copyButton("Copy", `Copy ${what}`, text));

/** "16 bits: ...", and what is special about the ends of the range. */
function layoutWords(fmt) {
  const widths = `${fmt.width} bits: ${fmt.signed ? 1 : "no"} sign, ${fmt.exponentBits || "no"} exponent (bias ${String(fmt.bias).replace("-", "−")}), ${fmt.trailingBits || "no"} significand; `;
  const range = `smallest ${powerText(fmt.flushes ? fmt.emin : fmt.quantumExponentMin)}, largest ${shortText(fmt.maxFinite, 20)}`;
  const ways = [missingWords(fmt), fmt.flushes && FLUSH_WORDS[fmt.subnormals], fmt.saturate && "beyond the largest number it stays there", fmt.overflow && `this is the overflow convention ${fmt.overflow}`].filter(Boolean);
  return [widths, range, ...ways.map((way) => `; ${way}`)].join("");
}

function typedWords(read) {
  const words = { code: " (by its code)", bits: " (by its bits)", number: "" }[read.reading];
  return [long(isFinite(read.value) && read.value.d === 1n ? decimalText(read.value) : shortText(read.value, 40)), words];
}

/** "0.1 is stored as", before the stored value. */
function heroWords(text, read, rounded) {
  const typed = text.trim().length <= 24 ? text.trim() : shortText(read.value, 24);
  return `${typed} is ${rounded.flags.length ? "stored as" : "stored exactly, as"} `;
}

/** stored - typed, in absolute terms and in ulp. */
function errorWords(typed, value, fmt, flags) {
  if (!isFinite(typed)) return "none";
  if (!isFinite(value)) return flags.includes("invalid") ? `${fmt.name} has no such number` : "the number is out of range";
  const error = difference(value, typed);
  if (isZero(error)) return "none: exactly what you typed";
  const ulps = errorInUlp(typed, value, quantumAt(value, fmt));
  return `stored − typed = ${shortText(error, 20)} = ${ulpsText(ulps, 16)} ulp`;
}

/** |stored - typed| / |typed|. */
function relativeWords(typed, value) {
  if (!isFinite(typed) || !isFinite(value) || isZero(typed)) return "none";
  const error = difference(value, typed);
  return isZero(error) ? "0" : ratioText(error, typed);
}

function ulpWords(value, fmt) {
  if (!isFinite(value)) return value.kind === "nan" ? "NaN" : "∞";
  const q = quantumAt(value, fmt);
  return `${powerText(q)} = ${shortText({ kind: "finite", negative: false, n: 1n, d: 1n, e: q }, 20)}`;
}
