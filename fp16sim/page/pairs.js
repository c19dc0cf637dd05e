/* All pairs of a small format: the error of an operation in ulp, computed in slices so that the page stays awake. */

import { isFinite, isZero, toNumber } from "./exact.js";
import { errorInUlp } from "./explain.js";
import { decode, ordinal, quantumAt } from "./formats.js";
import { operate, unrounded } from "./operations.js";
import { roundOperand } from "./rounding.js";

/** What a cell shows: the error, or why there is none. */
export const KINDS = ["exact", "inexact", "overflow", "invalid", "infinite", "vanished"];
export const KIND_WORDS = {
  exact: "exact",
  inexact: "rounded",
  overflow: "overflow",
  invalid: "NaN",
  infinite: "exact infinity",
  vanished: "rounded to zero",
};

/** The codes of a format in the order of their values, zeros beside each other, NaNs at the end. */
export function axisOf(fmt) {
  const codes = Array.from({ length: 2 ** fmt.width }, (_, i) => BigInt(i));
  const isNan = (code) => decode(code, fmt).kind === "nan";
  const key = (code) => Number(ordinal(code, fmt)) - (code === fmt.signBit && fmt.signed ? 0.5 : 0);
  const numbers = codes.filter((code) => !isNan(code)).sort((x, y) => key(x) - key(y));
  return [...numbers, ...codes.filter(isNan)];
}

/** One cell: {kind, error in ulp as a Number, code, flags}. */
export function cellOf(operation, a, b, fmt, mode, draw) {
  const exact = unrounded(operation, [a, b], mode);
  const got = operate(operation, [a, b], fmt, mode, draw);
  const cell = { kind: "exact", error: 0, code: got.code, value: got.value, flags: got.flags };
  if (exact.value.kind === "nan" || got.flags.includes("invalid")) return { ...cell, kind: "invalid" };
  if (got.flags.includes("overflow")) return { ...cell, kind: "overflow" };
  if (!isFinite(exact.value)) return { ...cell, kind: "infinite" };
  if (!got.flags.includes("inexact")) return cell;
  const error = toNumber(errorInUlp(exact.value, got.value, quantumAt(got.value, fmt)));
  return { ...cell, kind: isZero(got.value) ? "vanished" : "inexact", error };
}

/** A table of all pairs that fills itself: `advance(ms)` works for about so long, and says which rows are new. */
export function pairTable(operation, fmt, mode, draw) {
  const axis = axisOf(fmt);
  const values = axis.map((code) => decode(code, fmt));
  const used = values.map((x) => (x.kind === "nan" ? x : roundOperand(x, fmt, mode, draw).value)); // a format may flush them
  const n = axis.length;
  const kinds = new Uint8Array(n * n);
  const errors = new Float32Array(n * n);
  const counts = Object.fromEntries(KINDS.map((kind) => [kind, 0]));
  const table = { operation, fmt, mode, axis, values, used, n, kinds, errors, counts, worst: 0, rows: 0, done: false };

  const fillRow = (row) => {
    for (let column = 0; column < n; column++) {
      const { kind, error } = cellOf(operation, used[row], used[column], fmt, mode, draw);
      kinds[row * n + column] = KINDS.indexOf(kind);
      errors[row * n + column] = error;
      counts[kind] += 1;
      if (Math.abs(error) > table.worst) table.worst = Math.abs(error);
    }
  };
  table.advance = (ms) => {
    const until = performance.now() + ms;
    const from = table.rows;
    while (table.rows < n && performance.now() < until) fillRow(table.rows++);
    table.done = table.rows === n;
    return [from, table.rows];
  };
  return table;
}
