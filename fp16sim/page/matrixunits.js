/* Matrix units of GPUs by definition: a group of products and the sum so far, step by step, on exact numbers. As
   `fp16sim.hardware.Model`, with the sums of a step as `fp16sim.explain.dot` has them. What each machine does comes from
   Python's table. */

import { compareMagnitude, difference, exponentOf, finite, infinity, isFinite, isZero, lift, product, sum } from "./exact.js";
import { unrounded } from "./operations.js";
import { roundsUp } from "./rounding.js";

const ZERO = finite(false, 0n);
const NEAREST = "ties_to_even";
const KEYS = ["machine", "factors", "output", "model"];
/** CDNA 3: fraction bits of the sum of products when the sum so far is added; that keeps the path's own bits. */
const EXTRA_BITS = 31;

/* --- the table --------------------------------------------------------------------------------------------------- */

/** Python's table: {machines, all(key), steps, sources, find}. */
export function unitTable({ columns, rows, steps, sources }, formats) {
  const named = rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])));
  /** The row for names of KEYS, and the names that there are for each; one that does not exist gives way to the first. */
  const find = (asked) => {
    let left = named;
    const [choices, found] = [{}, {}];
    for (const key of KEYS) {
      choices[key] = [...new Set(left.map((row) => row[key]))];
      found[key] = choices[key].includes(asked[key]) ? asked[key] : choices[key][0];
      left = left.filter((row) => row[key] === found[key]);
    }
    const path = { ...left[0], factors: formats.get(found.factors), output: formats.get(found.output), single: formats.get("binary32"), half: formats.get("binary16") };
    const fitting = { ...found, model: asked.model && found.model === asked.model ? found.model : "" };
    return { path, choices, fitting };
  };
  const all = (key) => [...new Set(named.map((row) => row[key]))];
  return { machines: all("machine"), all, steps, sources, find };
}

/* --- parts of a step --------------------------------------------------------------------------------------------- */

const storedExponent = (x, fmt, zero) => (isZero(x) || !isFinite(x) ? zero : Math.max(exponentOf(x), fmt.emin));

/** x without what is below 2^q, toward zero or down. */
function cut(x, q, down = false) {
  const { low, rest } = lift(x, q);
  return finite(x.negative, down && x.negative && rest > 0n ? low + 1n : low, 1n, q);
}

const sumOf = (values) => values.reduce((x, y) => sum(x, y), ZERO);
/** x + y; infinities and NaN as IEEE 754 has them. */
const anySum = (x, y) => unrounded("add", [x, y], NEAREST).value;

/** A number of a unit: a zero is +0, and only the significand is cut off, so that 2^(emax + 1) is infinite. */
function rounded(path, x, mode = path.mode, fmt = path.output) {
  if (!isFinite(x)) return x;
  if (isZero(x)) return ZERO;
  const precision = fmt === path.output ? path.precision : fmt.precision;
  const q = Math.max(exponentOf(x), fmt.emin) - precision + 1;
  const lifted = lift(x, q);
  const value = finite(x.negative, lifted.low + (roundsUp(lifted, (lifted.low & 1n) === 1n, mode, x.negative) ? 1n : 0n), 1n, q);
  if (compareMagnitude(value, finite(false, 1n, 1n, fmt.emax + 1)) >= 0) return infinity(x.negative);
  const vanishes = isZero(value) || (path.flushes && compareMagnitude(value, fmt.minNormal) < 0);
  return vanishes ? ZERO : value;
}

/** Exact products by their places, with the exponents that the unit sees. */
function productsOf(path, places, { a, b }, fmt = path.factors) {
  return places.map((k) => {
    const [e, f] = [a[k], b[k]].map((x) => storedExponent(x, fmt, path.zero));
    return { name: `p${k}`, value: unrounded("multiply", [a[k], b[k]], NEAREST).value, exponent: e === null || f === null ? null : e + f };
  });
}

const sumSoFar = (path, name, value) => ({ name, value, exponent: storedExponent(value, path.output, path.zero) });

/** The largest exponent of some terms, at least that of the path; 0 without any. */
function highestOf(path, terms) {
  const present = terms.map((term) => term.exponent).filter((e) => e !== null);
  const highest = present.length ? Math.max(...present) : 0;
  return path.least === null ? highest : Math.max(highest, path.least);
}

/** Terms, aligned, cut off, added and rounded; without `bits` nothing is cut off. */
function added(path, name, terms, mode = path.mode, bits = path.bits) {
  const strange = terms.filter((term) => !isFinite(term.value));
  if (strange.length) return { name, strange: true, result: strange.map((term) => term.value).reduce(anySum) };
  const highest = highestOf(bits === null ? { least: null } : path, terms);
  const shown = terms.map((term) => {
    const kept = bits === null ? term.value : cut(term.value, highest - bits);
    return { ...term, kept, lost: difference(term.value, kept) };
  });
  const total = sumOf(shown.map((term) => term.kept));
  return { name, highest, bits, terms: shown, total, mode, result: rounded(path, total, mode) };
}

/* --- steps ------------------------------------------------------------------------------------------------------- */

/** All products and the sum so far: one sum. */
const atOnce = (path, n, places, factors, total) => [added(path, `s${n}`, [sumSoFar(path, `s${n - 1}`, total), ...productsOf(path, places, factors)])];

/** Every other pair of products from zero, then the others on top of that; the sum so far is added last. */
function inHalves(path, n, places, factors, total) {
  const found = [];
  let [part, name] = [ZERO, "0"];
  const mode = path.output.name === path.half.name ? NEAREST : "toward_zero";
  for (const pairs of [0, 1]) {
    const half = places.filter((_, i) => (i >> 1) % 2 === pairs);
    if (!half.length) continue;
    const terms = [sumSoFar(path, name, part), ...productsOf(path, half, factors, path.half)];
    name = `s${n}.${pairs + 1}`;
    found.push(added(path, name, terms, mode));
    part = found.at(-1).result;
  }
  return [...found, added(path, `s${n}`, [sumSoFar(path, `s${n - 1}`, total), sumSoFar(path, name, part)], path.mode, null)];
}

/** Products rounded to binary32 and added there in pairs; the sum so far comes last. */
function pairwise(path, n, places, factors, total) {
  const single = (x) => rounded(path, x, path.mode, path.single);
  let terms = productsOf(path, places, factors).map((term) => single(term.value));
  while (terms.length > 1) {
    terms = Array.from({ length: Math.ceil(terms.length / 2) }, (_, i) => single(anySum(terms[2 * i], terms[2 * i + 1] ?? ZERO)));
  }
  return [{ name: `s${n}`, hidden: true, result: rounded(path, anySum(terms[0], total)) }];
}

/** CDNA 3: a sum of products and the sum so far, each rounded down below the larger exponent. */
function beside(path, name, products, highest, total, strict) {
  const exponent = storedExponent(total, path.single, path.zero);
  const top = exponent === null ? highest : Math.max(highest, exponent);
  const vanishes = strict && exponent !== null && exponent < top - path.bits - 1;
  const kept = vanishes ? ZERO : cut(total, top - path.bits, true);
  return [{ name, hidden: true, result: rounded(path, sum(cut(products, top - EXTRA_BITS, true), kept)) }];
}

const strangeSum = (path, name, terms, total) => {
  const all = [sumSoFar(path, "", total), ...terms];
  return all.every((term) => isFinite(term.value)) ? null : [{ ...added(path, name, all), hidden: true }];
};

/** CDNA 3: products are aligned, cut off and added; that and the sum so far are aligned and rounded down. */
function floored(path, n, places, factors, total) {
  const terms = productsOf(path, places, factors);
  const strange = strangeSum(path, `s${n}`, terms, total);
  if (strange) return strange;
  const huge = terms.filter((term) => !isZero(term.value) && exponentOf(term.value) >= 128).map((term) => infinity(term.value.negative));
  if (huge.length) return [{ name: `s${n}`, hidden: true, result: huge.reduce(anySum) }];
  const highest = highestOf(path, terms);
  return beside(path, `s${n}`, sumOf(terms.map((term) => cut(term.value, highest - path.bits))), highest, total, false);
}

/** CDNA 3 with 8-bit factors: even and odd products are aligned apart, and their sums rounded down. */
function oddEven(path, n, places, factors, total) {
  const terms = productsOf(path, places, factors);
  const strange = strangeSum(path, `s${n}`, terms, total);
  if (strange) return strange;
  const zeros = { name: "", value: ZERO, exponent: path.zero === null ? null : 2 * path.zero }; // the odd ones of a single product
  const halves = [0, 1].map((odd) => terms.filter((_, i) => i % 2 === odd)).map((half) => (half.length ? half : [zeros]));
  const tops = halves.map((half) => highestOf(path, half));
  const parts = halves.map((half, i) => sumOf(half.map((term) => cut(term.value, tops[i] - path.bits))));
  const top = Math.max(...tops);
  return beside(path, `s${n}`, sumOf(parts.map((part) => cut(part, top - path.bits, true))), top, total, true);
}

const STEPS = { aligned: atOnce, exact: atOnce, in_halves: inHalves, pairwise, floored, odd_even: oddEven };
/** Whether the sums of a step have terms to be drawn. */
export const isDrawn = (path) => ["aligned", "exact", "in_halves"].includes(path.step);

/* --- a dot product ----------------------------------------------------------------------------------------------- */

/** c plus the products of a and b: {sums, value}. A sum has `terms`, unless it is `hidden` or has something `strange`. */
export function runUnit(path, a, b, c) {
  const flushed = (x, fmt) => (path.flushes && isFinite(x) && compareMagnitude(x, fmt.minNormal) < 0 ? ZERO : x);
  const factors = { a: a.map((x) => flushed(x, path.factors)), b: b.map((x) => flushed(x, path.factors)) };
  const sums = [];
  let value = flushed(c, path.output);
  for (let k = 0; k < a.length; k += path.group) {
    const places = Array.from({ length: Math.min(path.group, a.length - k) }, (_, i) => k + i);
    const found = STEPS[path.step](path, k / path.group + 1, places, factors, value);
    sums.push(...(isFinite(value) ? found : found.map(({ name, result }) => ({ name, hidden: true, result })))); // it stays infinite or NaN
    value = sums.at(-1).result;
  }
  return { sums, value: isZero(value) ? ZERO : value };
}

export const ORDERS = ["from the last to the first", "from the smallest to the largest", "from the largest to the smallest"];

/** What the unit gives for the same products in each of ORDERS. */
export function otherOrders(path, a, b, c) {
  const products = a.map((x, k) => product(x, b[k]));
  const bySize = a.map((_, k) => k).sort((i, j) => compareMagnitude(products[i], products[j]));
  const orders = [a.map((_, k) => a.length - 1 - k), bySize, [...bySize].reverse()];
  return orders.map((order, i) => ({ order: ORDERS[i], value: runUnit(path, order.map((k) => a[k]), order.map((k) => b[k]), c).value }));
}

const MOST_MORE = 30;

/** What an endless window would give, and how many bits more give the same; null for steps that have no such window. */
export function widerWindow(path, a, b, c, value) {
  if (!["aligned", "in_halves"].includes(path.step)) return null;
  const withBits = (bits) => runUnit({ ...path, bits }, a, b, c).value;
  const endless = withBits(null);
  const isSame = (x, y) => x.kind === y.kind && x.negative === y.negative && (!isFinite(x) || compareMagnitude(x, y) === 0);
  if (isSame(endless, value)) return { value: endless, more: 0 };
  let more = 1;
  while (more <= MOST_MORE && !isSame(withBits(path.bits + more), endless)) more++;
  return { value: endless, more: more > MOST_MORE ? null : more };
}

/** c plus all products, exactly; infinities and NaN as IEEE 754 has them. */
export function exactDot(a, b, c) {
  return a.map((x, k) => unrounded("multiply", [x, b[k]], NEAREST).value).reduce(anySum, c);
}
