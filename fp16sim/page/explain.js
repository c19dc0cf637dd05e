/* Why a result is what it is: every step of an operation as plain data, by the names of `fp16sim.explain`'s records. */

import {
  bitLength, compare, compareMagnitude, difference, exponentOf, finite, infinity, isFinite, isZero, lift, magnitude, negate, product, sum,
} from "./exact.js";
import { decode, encodeHeld, quantumAt } from "./formats.js";
import { OPERATIONS, operate, union, unrounded } from "./operations.js";
import {
  DRAWS, MODES, chanceOfUp, drawsUp, isFlushed, isFlushedInput, isOdd, isRandom, quantumExponent, randomBits, roundOperand, roundResult, roundsInward, roundsUp,
} from "./rounding.js";

const NAMES = ["a", "b", "c"];

/** Everything about one operation. `inputs` are {text, value, code} as `readNumber` gives them.

    `asTyped` is the exact result of the operands before their own rounding, where that changed one; `wider` are the
    formats to try as intermediates; `refused` says that the format has no code for the result (or for an operand), as Python refuses it. */
export function explain(operation, inputs, fmt, mode, draw = 0n, wider = []) {
  const operands = inputs.map((input, i) => operandOf(NAMES[i], input, operation, fmt, mode, draw));
  const refused = operands.find((x) => x.code === null);
  if (refused) return { operation, fmt, mode, draw, operands, refused: `${refused.name} is NaN` };
  const exact = exactStep(operation, operands.map((x) => x.value), mode);
  const rounding = roundingStep(exact.value, fmt, mode, draw, { irrational: exact.irrational, operand: operation === "round" });
  const flags = union(...operands.map((x) => x.flags), exact.flags, rounding.flags);
  const record = { operation, fmt, mode, draw, operands, exact, rounding, flags, result: rounding.result };
  if (rounding.result.code === null) return { ...record, refused: "the result is NaN" };
  const changed = operands.some((x) => x.rounding);
  const asTyped = changed ? unrounded(operation, operands.map((x) => x.exact), mode) : null;
  return { ...record, asTyped, lotteries: lotteries(operation, inputs, fmt, mode), modes: modesOf(operation, inputs, record), detours: detoursOf(record, wider) };
}

/** What an operation works on: the value that the format holds. To `round`, the given number is the operand itself. */
function operandOf(name, input, operation, fmt, mode, draw) {
  const exact = input.value;
  if (operation === "round") return { name, text: input.text, exact, value: exact, code: 0n, flags: [], rounding: null };
  const rounded = heldIn(operation, input, fmt, mode, draw);
  const changed = rounded.flags.length > 0;
  const value = rounded.code === null ? rounded.value : decode(rounded.code, fmt);
  const rounding = changed ? roundingStep(exact, fmt, mode, draw, { operand: true }) : null;
  const off = changed && isFinite(value) && isFinite(exact) ? errorInUlp(exact, value, quantumAt(value, fmt)) : null;
  return { name, text: input.text, exact, value, code: rounded.code, flags: rounded.flags, rounding, off };
}

/** The operation without any rounding. */
function exactStep(operation, values, mode) {
  const { value, flags, irrational = false } = unrounded(operation, values, mode);
  const step = { rule: "digits", value, flags, irrational, terms: [], shift: null };
  const special = specialRule(operation, values, value, flags);
  if (special) return { ...step, rule: special };
  const terms = termsOf(operation, values);
  const sums = ["add", "subtract", "fma"].includes(operation);
  if (!sums || terms.some((t) => t.integer === 0n)) return { ...step, terms, ...normalised(operation, values, value) };
  const [first, second] = terms;
  const shift = Math.abs(first.exponent - second.exponent);
  const shifted = shift ? (first.exponent < second.exponent ? first.name : second.name) : null;
  const base = Math.min(first.exponent, second.exponent);
  return { ...step, terms, shift, shifted, integer: lift(value, base).low, integerExponent: base, ...normalised(operation, values, value) };
}

/** The rule for infinities, NaN and zeros; null where integers decide. */
function specialRule(operation, values, value, flags) {
  if (values.some((x) => x.signaling)) return "signaling_operand";
  if (flags.includes("invalid")) return invalidRule(operation, values);
  if (value.kind === "nan") return "nan_operand";
  if (flags.includes("divide_by_zero")) return "divide_by_zero";
  if (!isFinite(value)) return "infinity";
  return isZero(value) ? zeroRule(operation, values) : null;
}

function invalidRule(operation, values) {
  if (operation === "sqrt") return "invalid_root";
  if (operation === "divide") return isZero(values[0]) ? "invalid_zero_by_zero" : "invalid_infinity_by_infinity";
  const product = ["multiply", "fma"].includes(operation) && values.slice(0, 2).some(isZero);
  return product ? "invalid_zero_times_infinity" : "invalid_difference";
}

/** Of a sum: the terms cancel, or all are zeros. Else a zero among the operands, or an infinite divisor. */
function zeroRule(operation, values) {
  if (["add", "subtract", "fma"].includes(operation)) {
    const [first, second] = termsOf(operation, values);
    if (first.integer !== 0n) return "cancelled";
    return first.negative === second.negative ? "zeros_of_one_sign" : "zeros_of_unlike_signs";
  }
  return operation === "divide" && !isFinite(values[1]) ? "by_infinity" : "zero";
}

/** What is added, multiplied or divided, as integer * 2^exponent. */
function termsOf(operation, values) {
  const term = (name, x) => ({ name, integer: x.n, exponent: x.e, negative: x.negative, value: x });
  if (operation === "fma") return [term("a × b", product(values[0], values[1])), term("c", values[2])];
  if (operation === "subtract") return [term("a", values[0]), term("b", negate(values[1]))];
  return values.map((x, i) => term(NAMES[i], x));
}

/** Exponent of the result, and by how much it differs from what the operands' exponents promise. */
function normalised(operation, values, value) {
  const exponent = exponentOf(value);
  const top = (x) => (isZero(x) ? -Infinity : exponentOf(x));
  const e = values.map(top);
  const promised = {
    round: () => e[0],
    add: () => Math.max(e[0], e[1]),
    subtract: () => Math.max(e[0], e[1]),
    multiply: () => e[0] + e[1],
    divide: () => e[0] - e[1],
    sqrt: () => Math.floor(e[0] / 2),
    fma: () => Math.max(top(product(values[0], values[1])), e[2]),
  }[operation]();
  return { exponent, normalisation: exponent - promised };
}

/** One rounding: lift |exact| = scaled * 2^q, round scaled to an integer, put it back. An `operand` may be flushed first. */
export function roundingStep(exact, fmt, mode, draw = 0n, { irrational = false, operand = false } = {}) {
  const result = (operand ? roundOperand : roundResult)(exact, fmt, mode, draw);
  const step = { fmt, mode, draw, exact, irrational, result, flags: result.flags, rule: "special" };
  if (exact.kind === "nan") return { ...step, case: "nan", overflowRule: null };
  if (isMissing(exact, fmt)) return { ...step, case: "no_number", overflowRule: null };
  if (exact.kind !== "finite") return { ...step, case: "infinity", overflowRule: infinityRule(result, fmt) };
  if (exact.n === 0n) return { ...step, case: "zero", overflowRule: null };
  const exponent = exponentOf(exact);
  if (operand && isFlushedInput(exact, fmt)) return { ...step, case: "flushed_input", rule: "flushed_input", exponent, overflowRule: null };
  const q = quantumExponent(exact, fmt);
  const lifted = lift(exact, q);
  const rounded = roundsUp(lifted, isOdd(lifted.low, q, fmt), mode, exact.negative, draw) ? lifted.low + 1n : lifted.low;
  const overflow = result.flags.includes("overflow");
  return {
    ...step,
    ...cutOff(exact, q),
    case: overflow ? "overflow" : exponent < fmt.emin ? "subnormal" : "normal",
    rule: ruleOf(lifted, mode),
    exponent, quantumExponent: q, kept: lifted.low, rounded,
    rest: finite(false, lifted.rest, lifted.den),
    up: rounded > lifted.low,
    odd: isOdd(lifted.low, q, fmt),
    carry: bitLength(rounded) > fmt.precision,
    flushed: isFlushed(finite(false, rounded, 1n, q), fmt),
    overflowRule: overflow ? overflowRule(exact.negative, fmt, mode) : null,
    ...(isRandom(mode) && { chance: chanceOfUp(lifted, mode), drawsUp: drawsUp(lifted, mode) }),
    ...neighboursOf(exact, lifted, q, fmt, rounded, mode),
  };
}

/** Whether a format lacks such numbers: negative ones, zero, or all as small. */
function isMissing(x, fmt) {
  if (isZero(x)) return !fmt.zero;
  if (fmt.signed) return false;
  return x.negative || (!fmt.zero && isFinite(x) && compareMagnitude(x, fmt.minNormal) < 0);
}

/** The first two bits cut off, and whether any later one is 1. */
function cutOff(x, q) {
  const { low, rest } = lift(x, q - 2);
  return { guard: Number((low >> 1n) & 1n), round: Number(low & 1n), sticky: Number(rest !== 0n) };
}

function ruleOf({ rest, den }, mode) {
  if (rest === 0n) return "exact";
  if (!mode.startsWith("ties")) return isRandom(mode) ? "stochastic" : mode;
  return 2n * rest === den ? mode.replace("ties", "tie") : "nearer";
}

function overflowRule(negative, fmt, mode) {
  if (fmt.saturate) return "saturate";
  if (roundsInward(negative, mode)) return "max_finite";
  return fmt.hasInfinity ? "infinity" : "nan";
}

/** Why an infinity became something else: the format saturates, or has no infinity. */
function infinityRule(result, fmt) {
  if (!result.flags.includes("overflow")) return null;
  return fmt.saturate ? "saturate" : "nan";
}

/** The numbers on either side, below <= exact <= above, and their distances in ulp; `code` null beyond max_finite. */
function neighboursOf(exact, { low, rest, den }, q, fmt, rounded, mode) {
  if (compareMagnitude(finite(false, low, 1n, q), fmt.maxFinite) > 0) return beyond(exact, fmt, mode);
  const side = (k) => {
    const value = finite(exact.negative && (k > 0n || fmt.hasNegativeZero), k, 1n, q);
    const inside = compare(magnitude(value), fmt.maxFinite) <= 0;
    const distance = k === low ? finite(false, rest, den) : finite(false, den - rest, den);
    return { value, code: inside ? encodeHeld(value, fmt) : null, distance, chosen: k === rounded, kept: k === low };
  };
  const [inner, outer] = [side(low), rest === 0n ? side(low) : side(low + 1n)];
  return exact.negative ? { below: outer, above: inner } : { below: inner, above: outer };
}

/** Further out than the number after max_finite: max_finite, and infinity (code null where there is none). */
function beyond(exact, fmt, mode) {
  const { negative } = exact;
  const inward = ["max_finite", "saturate"].includes(overflowRule(negative, fmt, mode));
  const largest = { ...fmt.maxFinite, negative };
  const away = difference(magnitude(exact), fmt.maxFinite);
  const inner = { value: largest, code: encodeHeld(largest, fmt), distance: { ...away, e: away.e - fmt.emax + fmt.trailingBits }, chosen: inward };
  const outer = { value: infinity(negative), code: fmt.hasInfinity ? encodeHeld(infinity(negative), fmt) : null, distance: null, chosen: !inward };
  return negative ? { below: outer, above: inner, beyond: true } : { below: inner, above: outer, beyond: true };
}

/** What each mode gives, operands rounded in it too. */
function modesOf(operation, inputs, { fmt, mode: own, draw, result }) {
  return [...MODES, ...(randomBits(own) ? [own] : [])].map((mode) => {
    const operands = inputs.map((input) => heldIn(operation, input, fmt, mode, draw));
    const got = computed(operation, operands.map((x) => x.value), fmt, mode, draw);
    const flags = union(got.flags, ...operands.map((x) => x.flags));
    return { mode, code: got.code, value: got.value, flags, differs: got.code !== result.code };
  });
}

/** What an operation takes for an input; a NaN that was given as a code keeps it. To `round`, it is the input itself. */
function heldIn(operation, input, fmt, mode, draw) {
  if (operation === "round") return { value: input.value, code: 0n, flags: [] };
  const code = input.code ?? null;
  if (code !== null && input.value.kind === "nan") return { value: input.value, code, flags: [] };
  return roundOperand(input.value, fmt, mode, draw);
}

/** An operation, or rounding alone, on values. */
const computed = (operation, values, fmt, mode, draw) =>
  (operation === "round" ? roundOperand(values[0], fmt, mode, draw) : operate(operation, values, fmt, mode, draw));

/** The same operation in a wider format to nearest, as hardware does it, and rounded a second time. */
function detoursOf({ operation, fmt, mode, draw, operands, result }, wider) {
  if (isRandom(mode)) return []; // two answers may differ there, though nothing is wrong
  const values = operands.map((x) => x.value);
  const wide = wider.filter((w) => w.precision > fmt.precision && w.emax >= fmt.emax);
  const detour = (via, between, got) => ({ via, between, code: got.code, value: got.value, differs: got.code !== result.code });
  const found = wide.map((via) => {
    const between = computed(operation, values, via, "ties_to_even", 0n).value;
    const judge = operation === "round" ? roundOperand : roundResult;
    return detour(via.name, between, judge(between, fmt, mode, draw));
  });
  if (operation !== "fma") return found;
  const between = operate("multiply", values.slice(0, 2), fmt, mode, draw).value;
  return [...found, detour("two roundings", between, operate("add", [between, values[2]], fmt, mode, draw))];
}

/** What "stochastic" may give, and the mode itself if it has few random bits: [{mode, outcomes}]. */
function lotteries(operation, inputs, fmt, own) {
  return ["stochastic", ...(randomBits(own) ? [own] : [])].map((mode) => ({ mode, outcomes: lottery(operation, inputs, fmt, mode) }));
}

/** What a stochastic mode may give, operands rounded so too: [{code, value, probability}], the likeliest first. */
export function lottery(operation, inputs, fmt, mode) {
  const certain = (x) => [{ value: x.value, probability: finite(false, 1n) }];
  const isSure = (x) => operation === "round" || ((x.code ?? null) !== null && x.value.kind === "nan");
  const held = inputs.map((x) => (isSure(x) ? certain(x) : tickets(x.value, fmt, mode, roundOperand)));
  const draws = held.reduce((before, choices) => before.flatMap((b) => choices.map((c) => ({
    values: [...b.values, c.value], probability: product(b.probability, c.probability),
  }))), [{ values: [], probability: finite(false, 1n) }]);
  const outcomes = new Map();
  for (const draw of draws) {
    for (const ticket of tickets(unrounded(operation, draw.values, mode).value, fmt, mode, operation === "round" ? roundOperand : roundResult)) {
      const more = product(draw.probability, ticket.probability);
      const before = outcomes.get(ticket.code);
      outcomes.set(ticket.code, { ...ticket, probability: before ? sum(before.probability, more) : more });
    }
  }
  return [...outcomes.values()].sort((x, y) => compare(y.probability, x.probability));
}

/** The one or two results of rounding a number stochastically; of "stochastic", as if its draws had infinitely many bits. */
export function tickets(x, fmt, mode, judge = roundOperand) {
  // Draws beside the 32-bit ones, below or not below every count of draws that go up.
  const [low, high] = [DRAWS, -1n].map((draw) => judge(x, fmt, mode, draw));
  if (low.code === high.code) return [{ ...low, probability: finite(false, 1n) }];
  const { top, bottom } = chanceOfUp(lift(x, quantumExponent(x, fmt)), mode);
  const both = [{ ...high, probability: finite(false, top, bottom) }, { ...low, probability: finite(false, bottom - top, bottom) }];
  return both.filter(({ probability }) => !isZero(probability));
}

/** stored - exact in ulp of the stored binade, for finite numbers: what the heatmap shows. */
export function errorInUlp(exact, value, q) {
  const error = difference(value, exact);
  return { ...error, e: error.e - q };
}
