/* Operations by definition: exact, then rounded once. As `fp16sim.exact.operations`. */

import {
  NAN, finite, infinity, isFinite, isZero, magnitude, negate, product, quotient, squareRoot, sum,
} from "./exact.js";
import { FLAGS, roundResult } from "./rounding.js";

const of = (value, flags = []) => ({ value, flags });
const INVALID = of(NAN, ["invalid"]);

/** An exact zero from x + y: the common sign; of unlike signs +0, but -0 toward negative. */
function zeroSum(a, b, mode) {
  return finite(a.negative === b.negative ? a.negative : mode === "toward_negative", 0n);
}

function add(mode, a, b) {
  if (!isFinite(a) || !isFinite(b)) {
    if (isFinite(a) || isFinite(b) || a.negative === b.negative) return of(isFinite(a) ? b : a);
    return INVALID;
  }
  const total = sum(a, b);
  return of(isZero(total) ? zeroSum(a, b, mode) : total);
}

function multiply(mode, a, b) {
  if (isFinite(a) && isFinite(b)) return of(product(a, b));
  return isZero(a) || isZero(b) ? INVALID : of(infinity(a.negative !== b.negative));
}

function divide(mode, a, b) {
  const negative = a.negative !== b.negative;
  if ((!isFinite(a) && !isFinite(b)) || (isZero(a) && isZero(b))) return INVALID;
  if (isZero(b)) return of(infinity(negative), isFinite(a) ? ["divide_by_zero"] : []);
  if (!isFinite(a)) return of(infinity(negative));
  return of(isFinite(b) ? quotient(a, b) : finite(negative, 0n));
}

function sqrt(mode, a) {
  if (isZero(a)) return of(a);
  if (a.negative) return INVALID;
  if (!isFinite(a)) return of(a);
  const root = squareRoot(a);
  return { value: root.value, flags: [], irrational: !root.exact };
}

function fma(mode, a, b, c) {
  const ab = multiply(mode, a, b);
  if (ab.flags.length || c.kind === "nan") return ab.flags.length ? ab : of(c);
  return add(mode, ab.value, c);
}

/** The operations of the page: how many operands, how they are written, and the exact result. */
export const OPERATIONS = {
  round: { arity: 1, symbol: "→", label: "round a", exact: (mode, a) => of(a) },
  add: { arity: 2, symbol: "+", label: "a + b", exact: add },
  subtract: { arity: 2, symbol: "−", label: "a − b", exact: (mode, a, b) => add(mode, a, negate(b)) },
  multiply: { arity: 2, symbol: "×", label: "a × b", exact: multiply },
  divide: { arity: 2, symbol: "÷", label: "a ÷ b", exact: divide },
  sqrt: { arity: 1, symbol: "√", label: "√a", exact: sqrt },
  fma: { arity: 3, symbol: "", label: "fma: a × b + c", exact: fma },
};

/** The exact result of an operation on values: {value, flags}. A quiet NaN goes through, a signaling one is invalid. */
export function unrounded(operation, operands, mode) {
  if (operation !== "round" && operands.some((x) => x.signaling)) return INVALID;
  // fma decides for itself: infinity times zero is invalid whatever c is.
  const asked = operation === "fma" ? operands.slice(0, 2) : operands;
  if (asked.some((x) => x.kind === "nan")) return of(NAN);
  return OPERATIONS[operation].exact(mode, ...operands);
}

/** Value, code and flags of an operation on operands that `fmt` holds. */
export function operate(operation, operands, fmt, mode, draw = 0n) {
  const exact = unrounded(operation, operands, mode);
  const rounded = roundResult(exact.value, fmt, mode, draw);
  return { ...rounded, flags: union(exact.flags, rounded.flags) };
}

/** Flags of several steps, in the usual order. */
export function union(...lists) {
  const raised = new Set(lists.flat());
  return FLAGS.filter((name) => raised.has(name));
}

/** |stored - exact| as an exact number, for finite values. */
export function distance(x, y) {
  return magnitude(sum(x, negate(y)));
}
