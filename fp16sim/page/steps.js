/* The steps of an operation, each {title, body}: what is told, drawn from an explanation. */

import { bitsInline } from "./bits.js";
import { modeWords } from "./controls.js";
import { h, s } from "./dom.js";
import { difference, finite, isFinite, isZero, lift, toNumber } from "./exact.js";
import { errorInUlp } from "./explain.js";
import { quantumAt } from "./formats.js";
import { OPERATIONS } from "./operations.js";
import { classWords } from "./panel.js";
import { binaryText, codeText, decimalText, fractionText, powerText, shortText, ulpsText } from "./text.js";
import { alignment, expansion } from "./columns.js";
import {
  FLAG_WORDS, chanceWords, decisionWords, distanceWords, flushWords, noNumberWords, normalisationWords, overflowWords, quantumWords, specialWords,
} from "./words.js";

/** All steps of a record, in order. */
export function stepsOf(record, ctx) {
  if (record.refused) return [operandStep(record), refusal(record)];
  const digits = record.exact.rule === "digits" && record.rounding.quantumExponent !== undefined;
  return [
    operandStep(record),
    ...(digits ? [computeStep(record), ...(record.operation === "round" ? [] : [exactStep(record)]), cutStep(record), decisionStep(record), neighbourStep(record)] : [specialStep(record)]),
    resultStep(record), modesStep(record, ctx), ...(record.detours.length && digits ? [detourStep(record)] : []),
  ];
}

const p = (...words) => h("p", {}, words);
const says = (value, room = 30) => h("span", { class: "num" }, shortText(value, room));

/** An operation as it is written. */
export function written(operation, names) {
  const [a, b, c] = names;
  if (operation === "fma") return `${a} × ${b} + ${c}`;
  if (operation === "sqrt") return `√ ${a}`;
  return operation === "round" ? `${a}` : `${a} ${OPERATIONS[operation].symbol} ${b}`;
}

function operandStep({ operation, operands, fmt, mode }) {
  const row = (x) => {
    if (operation === "round") return [p(says(x.exact, 60), ", to be rounded.")];
    const changed = x.rounding ? p(...operandWords(x, fmt, mode)) : null;
    if (x.code === null) return [changed, p("no code for NaN")];
    return [changed, p(says(x.value, 44), scientific(x.value, fmt)), p(bitsInline(x.code, fmt), " ", h("code", {}, codeText(x.code, fmt)))];
  };
  return { title: "Operands", body: operands.map((x) => h("div", { class: "operand" }, h("b", {}, x.name), h("div", {}, row(x)))) };
}

/** Why an operand is not what was typed. */
function operandWords({ exact, rounding, off }, fmt, mode) {
  if (rounding.case === "no_number") return [says(exact, 40), `: ${noNumberWords(rounding)}`];
  if (flushWords(rounding)) return [says(exact, 40), `: ${flushWords(rounding)}`];
  const how = rounding.overflowRule ? " (overflow)" : `, by ${ulpsText(off, 14)} ulp`;
  return [`${fmt.name} cannot represent `, says(exact, 40), `; it is first rounded ${modeWords(mode)}${how}:`];
}

/** = 1.1001₂ × 2^-4, as the operation sees an operand. */
function scientific(value, fmt) {
  if (!isFinite(value) || isZero(value)) return "";
  const sign = value.negative ? "−" : "";
  return h("span", { class: "num soft" }, ` = ${sign}${binaryText(value.n, fmt.trailingBits)}₂ × ${powerText(value.e + fmt.trailingBits)}`);
}

function computeStep(record) {
  return { round: liftStep, multiply: productStep, divide: quotientStep, sqrt: rootStep }[record.operation]?.(record) ?? sumStep(record);
}

function liftStep(record) {
  return { title: "In binary", body: [h("p", { class: "num soft" }, `a ${leading(record.exact.value, record.rounding)}`), expansion(record.rounding)] };
}

function sumStep(record) {
  const { exact, operation, operands } = record;
  const product = operation === "fma" ? [p("The product is exact first: ", says(operands[0].value), " × ", says(operands[1].value), " = ", says(exact.terms[0].value, 40), ". It is not rounded.")] : [];
  if (exact.shift === null) return { title: "Align", body: [product, p("One term is zero: there is nothing to align.")] };
  const words = exact.shift
    ? `The last places differ by ${exact.shift}: ${exact.shifted} moves right by ${exact.shift} ${exact.shift === 1 ? "bit" : "bits"}, and no bit is dropped.`
    : "Both have the same last place: nothing moves.";
  return { title: "Align and add", body: [product, p(words), alignment(record)] };
}

function productStep({ exact }) {
  const [a, b] = exact.terms;
  return { title: "Multiply", body: [
    p("Significands as integers multiply exactly, exponents add:"),
    h("p", { class: "sum" }, `${a.integer} × ${b.integer} = ${a.integer * b.integer}`),
    h("p", { class: "sum" }, `${powerText(a.exponent)} × ${powerText(b.exponent)} = ${powerText(a.exponent + b.exponent)}`),
  ] };
}

function quotientStep({ exact, rounding }) {
  const [a, b] = exact.terms;
  const rest = exact.value.n % exact.value.d === 0n;
  return { title: "Divide", body: [
    p("Significands as integers divide, exponents subtract:"),
    h("p", { class: "sum" }, `${a.integer} ÷ ${b.integer} = ${fractionText(finite(false, a.integer, b.integer))}, times ${powerText(a.exponent - b.exponent)}`),
    p(rest || !rounding.sticky ? "The quotient is exact within the bits shown." : "The quotient does not end: the remainder sets the sticky bit."),
  ] };
}

function rootStep({ exact }) {
  const [a] = exact.terms;
  const even = a.exponent % 2 === 0;
  const [n, e] = even ? [a.integer, a.exponent] : [2n * a.integer, a.exponent - 1];
  return { title: "Take the root", body: [
    p("The exponent is made even and halved; the root of the integer is taken:"),
    h("p", { class: "sum" }, `√(${n} × ${powerText(e)}) = √${n} × ${powerText(e / 2)}`),
    p(exact.irrational ? "The root is irrational: the remainder sets the sticky bit." : "The root is rational."),
  ] };
}

function exactStep({ exact, rounding, operation, operands }) {
  const names = operands.map((x) => (x.exact.negative && operands.length > 1 ? `(${shortText(x.value, 18)})` : shortText(x.value, 18)));
  const equals = exact.irrational ? "≈" : "=";
  const text = exact.irrational ? shortText(exact.value, 44) : exactWords(exact.value);
  return { title: "Exact result", body: [
    h("p", { class: "exact num" }, h("span", { class: "soft" }, `${written(operation, names)} ${equals} `), h("strong", { class: "num" }, text)),
    p(normalisationWords(exact)),
    rounding.exponent === undefined ? null : h("p", { class: "num soft" }, leading(exact.value, rounding)),
  ] };
}

const exactWords = (x) => (x.d === 1n && decimalText(x).length <= 70 ? decimalText(x).replace("-", "−") : shortText(x, 44));

/** 1.0011… × 2^e of an exact value. */
function leading(x, { exponent, fmt }) {
  const places = fmt.trailingBits + 6;
  const { low, rest } = lift(x, exponent - places);
  const text = binaryText(low, places);
  return `= ${x.negative ? "−" : ""}${rest ? `${text}…` : text.replace(/0+$/, "").replace(/\.$/, ".0")}₂ × ${powerText(exponent)}`;
}

function specialStep(record) {
  const flushed = flushWords(record.rounding);
  if (flushed) return { title: "A special case", body: [p(flushed)] };
  return { title: "A special case", body: [p(specialWords(record))] };
}

function refusal({ fmt, refused }) {
  return { title: "No result", body: [p(`${refused}, and ${fmt.name} has no code for it. fp16sim raises ValueError here; nan_code=… in the format names a code to use instead.`)] };
}

function cutStep({ rounding }) {
  return { title: "Keep and cut", body: [p(quantumWords(rounding)), cells(rounding)] };
}

/** Kept bits, then guard, round and sticky, as labelled cells. */
function cells({ kept, guard, round, sticky }) {
  const cell = (digit, kind) => h("span", { class: `cell ${kind}` }, digit);
  const digits = kept.toString(2).split("");
  const lost = [["guard", guard], ["round", round], ["sticky", sticky]];
  return h("div", { class: "cut", role: "img", "aria-label": `kept ${digits.join("")}, guard ${guard}, round ${round}, sticky ${sticky}` },
    h("div", { class: "group" }, h("div", { class: "cells" }, digits.map((d) => cell(d, "kept"))), h("div", { class: "under" }, `kept: ${kept}`)),
    h("div", { class: "bar", "aria-hidden": "true" }),
    lost.map(([name, digit]) => h("div", { class: "group" }, h("div", { class: "cells" }, cell(digit, "lost")), h("div", { class: "under" }, name))));
}

function decisionStep({ rounding: r }) {
  const carry = r.carry ? p("A carry gives the kept integer one more bit, so the exponent grows by 1.") : null;
  const overflow = r.beyond ? null : overflowWords(r);
  return { title: "Decide", body: [
    p(h("b", {}, modeWords(r.mode)), ". ", decisionWords(r)), r.flushed ? null : carry, overflow ? p(overflow) : null, r.flushed ? p(flushWords(r)) : null,
  ] };
}

function neighbourStep({ rounding: r }) {
  const row = (name, n) => h("tr", { class: n.chosen ? "chosen" : "" }, h("th", { scope: "row" }, name), h("td", { class: "num", "data-label": "value" }, shortText(n.value, 26)),
    h("td", { class: "num", "data-label": "code" }, n.code === null ? (isFinite(n.value) ? "beyond the range" : "no code") : codeText(n.code, r.fmt)),
    h("td", { "data-label": "distance" }, distanceWords(n)), h("td", {}, n.chosen ? "◀ chosen" : null));
  const same = r.rule === "exact" && !r.beyond && !r.flushed;
  return { title: "Neighbours", body: [
    same ? p("The exact result is a number of the format: no neighbour is needed.") : r.beyond ? p("The exact result is beyond the number that would follow the largest one.") : ruler(r),
    h("div", { class: "scroll" }, h("table", { class: "stacks" }, h("thead", {}, h("tr", {}, ["", "value", "code", "distance", ""].map((x) => h("th", { scope: "col" }, x)))),
      h("tbody", {}, same ? row("exact", r.below) : [row("above", r.above), row("below", r.below)]))),
  ] };
}

/** The two neighbours, the midpoint between them and the exact result, to scale. */
function ruler(r) {
  const [left, right] = [60, 380];
  const rest = toNumber(r.rest);
  const t = r.exact.negative ? 1 - rest : rest;
  const x = left + t * (right - left);
  const tick = (at, kind, words) => [s("line", { x1: at, x2: at, y1: 34, y2: 54, class: kind }), s("text", { x: at, y: 72, class: "label", "text-anchor": "middle" }, words)];
  const chosen = (r.above.chosen ? right : left);
  return s("svg", { viewBox: "0 0 440 80", class: "ruler", role: "img", "aria-label": `The exact result lies ${distanceWords(r.below)} above the lower neighbour` },
    s("line", { x1: left, x2: right, y1: 44, y2: 44, class: "axis" }),
    tick(left, "tick", shortText(r.below.value, 14)), tick(right, "tick", shortText(r.above.value, 14)), tick((left + right) / 2, "midpoint", "½"),
    Math.abs(x - chosen) > 40 ? s("path", { d: `M ${x} 20 Q ${(x + chosen) / 2} -4 ${chosen} 32`, class: "arrow" }) : [],
    s("circle", { cx: chosen, cy: 44, r: 6, class: "stored-mark" }),
    s("path", { d: `M ${x} 38 l 6 6 l -6 6 l -6 -6 z`, class: "typed-mark" }),
    s("text", { x: Math.min(Math.max(x, 60), 380), y: 14, class: "label", "text-anchor": "middle" }, "exact"));
}

function resultStep({ result, flags, fmt, asTyped }) {
  return { title: "Result and flags", body: [
    h("p", { class: "exact" }, h("strong", { class: "num" }, shortText(result.value, 40)), " ", h("code", {}, codeText(result.code, fmt))),
    p(bitsInline(result.code, fmt), " ", classWords(result.code, fmt)),
    asTyped ? typedResult(asTyped, result.value, fmt) : null,
    flags.length ? h("ul", { class: "flags" }, flags.map((f) => h("li", {}, h("b", {}, f), `: ${FLAG_WORDS[f]}`))) : p("No flag is raised."),
  ] };
}

/** How far the result is from that of the operands as they were typed, all roundings together. */
function typedResult({ value: asked, irrational }, value, fmt) {
  if (!isFinite(asked) || !isFinite(value)) return null;
  const off = difference(value, asked);
  const ulps = errorInUlp(asked, value, quantumAt(value, fmt));
  return p("With the operands as typed, the exact result is ", irrational ? "about " : "", says(asked, 26), ". ",
    isZero(off) ? "The errors cancel: the result is exact." : ["With all roundings together, the error of the result is ", says(off, 18), " = ", h("span", { class: "num" }, ulpsText(ulps, 14)), " ulp."]);
}

const modeName = (mode) => modeWords(mode).replace("s", "S"); // of the stochastic ones

function modesStep({ modes, fmt, mode: own, lotteries }, ctx) {
  const row = (m) => h("tr", { class: m.mode === own ? "chosen" : "" },
    h("th", { scope: "row" }, h("button", { type: "button", class: "text", "aria-current": m.mode === own ? "true" : null, onclick: () => ctx.store.set({ mode: m.mode }) }, modeWords(m.mode))),
    h("td", { class: "num", "data-label": "result" }, shortText(m.value, 22)),
    h("td", { class: "num", "data-label": "code" }, m.code === null ? "none" : codeText(m.code, fmt)),
    h("td", { "data-label": "beside it" }, m.mode === own ? "◀ this one" : m.differs ? "differs" : "the same"), h("td", { "data-label": "flags" }, m.flags.join(", ") || "none"));
  return { title: "In every mode", body: [
    h("div", { class: "scroll" }, h("table", { class: "stacks" },
      h("thead", {}, h("tr", {}, ["mode", "result", "code", "beside it", "flags"].map((x) => h("th", { scope: "col" }, x)))), h("tbody", {}, modes.map(row)))),
    lotteries.map(({ mode, outcomes }) => (outcomes.length > 1 || mode === own ? p(`${modeName(mode)}, over all random numbers: ${chanceWords(outcomes)}.`) : null)),
  ] };
}

function detourStep({ detours, fmt }) {
  const line = (d) => h("li", {}, d.via === "two roundings" ? "With the product rounded first, to " : `Computed first in ${d.via}: `, says(d.between, 26), `, and then in ${fmt.name} `, says(d.value, 20), ": ",
    d.differs ? h("b", {}, "another result (double rounding).") : "the same.");
  return { title: "Through a wider format", body: [p("Hardware often computes to nearest in a wider format first, and then rounds again:"), h("ul", {}, detours.map(line))] };
}
