/* Blocks by definition: amax, the scale that a rule makes of it, and what becomes of each element. As
   `fp16sim.blocks.definition` and `fp16sim.explain.block`, under the same names in camel case. */

import { NAN, bitLength, compare, compareMagnitude, difference, exponentOf, finite, isFinite, isZero, lift, magnitude, product, quotient, sum } from "./exact.js";
import { LIBRARY_RULES, SMALLEST_OF_TORCHAO, libraryShares, libraryWanted } from "./blocklibraries.js";
import { tickets } from "./explain.js";
import { decode, encodeHeld } from "./formats.js";
import { DRAWS, chanceOfUp, isRandom, roundOperand, roundsUp } from "./rounding.js";

const ONE = finite(false, 1n);
const ZERO = finite(false, 0n);
/** The rules whose scales are powers of two. */
export const POWERS_OF_TWO = ["floor", "ceil", "even", "rceil"];
const NEAREST = "ties_to_even";
/** From the random bits of one number to those of the next: 2^32 divided by the golden ratio, so that few lie near each other. */
const NEXT_DRAW = 0x9E3779B9n;
const power = (e) => finite(false, 1n, 1n, e);

/* --- types ------------------------------------------------------------------------------------------------------- */

/** The blocks that Python names: {get(name), named}, from their rows and the page's formats. */
export function blockTable(rows, formats) {
  const named = rows.map((row) => Object.freeze({
    ...row, scale: formats.get(row.scale), tensor: row.tensor && formats.get(row.tensor), single: formats.get("binary32"),
    element: typeof row.element === "string" ? formats.get(row.element) : fixedPoint(row.element),
  }));
  const key = (text) => String(text).toLowerCase().replace(/-/g, "_");
  return { named, get: (text) => named.find((block) => block.name === key(text)) ?? null };
}

/** Two's complement integers times a power of two; for its bits, the sign and all others. */
function fixedPoint({ name, width, fractionBits }) {
  const largest = (1n << BigInt(width - 1)) - 1n;
  return Object.freeze({
    name, width, fractionBits, largest, isFixed: true, signed: true, exponentBits: 0, trailingBits: width - 1, codes: 1n << BigInt(width),
    precision: width - 1, emax: width - 2 - fractionBits, emin: -fractionBits, quantumExponentMin: -fractionBits, hasNegativeZero: false,
    maxFinite: finite(false, largest, 1n, -fractionBits), minFinite: finite(true, largest + 1n, 1n, -fractionBits),
  });
}

/** The smallest number of an element type: that of a format is the largest, negated. */
const leastOf = (element) => element.minFinite ?? { ...element.maxFinite, negative: true };

/* --- scales ------------------------------------------------------------------------------------------------------ */

/** The exponent of a scale that is a power of two, as if there were no largest and no smallest one. */
export function scaleExponent(amax, element, rule) {
  const floor = exponentOf(amax);
  if (rule === "floor") return floor - element.emax;
  if (rule === "ceil") return floor + isAbove(amax, floor) - element.emax;
  if (rule === "even") {
    const lifted = lift(amax, floor - element.precision + 1);
    const up = roundsUp(lifted, (lifted.low & 1n) === 1n, NEAREST, false);
    return floor + (bitLength(lifted.low + (up ? 1n : 0n)) > element.precision ? 1 : 0) - element.emax;
  }
  const ratio = quotient(amax, element.maxFinite); // rceil
  return exponentOf(ratio) + isAbove(ratio, exponentOf(ratio));
}

const isAbove = (x, e) => (compareMagnitude(x, power(e)) > 0 ? 1 : 0);

/** x rounded to a format, and to its largest number where it is beyond that. */
const saturated = (x, fmt, mode = NEAREST, draw = 0n) => roundOperand(x, { ...fmt, saturate: true }, mode, draw);

/** The scales that a rule chooses from, for amax > 0 divided by the tensor scale. */
function candidates(amax, { element, scale }, rule) {
  if (POWERS_OF_TWO.includes(rule)) return [power(Math.min(Math.max(scaleExponent(amax, element, rule), scale.quantumExponentMin), scale.emax))];
  const targets = rule === "four_over_six" ? [finite(false, 6n), finite(false, 4n)] : [element.maxFinite];
  return targets.map((target) => notBelow(saturated(quotient(amax, target), scale).value, scale.minSubnormal));
}

const notBelow = (x, least) => (compare(x, least) < 0 ? least : x);

/** The scale of a tensor whose largest magnitude is amax; 1 without one, and for zeros. */
function tensorScale(amax, { element, scale, tensor }, rule) {
  if (!tensor || isZero(amax)) return ONE;
  const largest = rule === "nearest" ? scale.maxFinite : power(scale.emax);
  return notBelow(saturated(quotient(amax, product(element.maxFinite, largest)), tensor).value, tensor.minSubnormal);
}

/** The scale of a block: NaN if something in it is not finite. */
function scaleOf(values, block, rule, tensor) {
  if (!values.every(isFinite)) return NAN;
  const amax = quotient(largestOf(values), tensor);
  if (isZero(amax)) return decode(0n, block.scale);
  const found = candidates(amax, block, rule);
  if (found.length === 1) return found[0];
  const shares = values.map((x) => quotient(x, tensor));
  const [first, second] = found.map((scale) => squares(shares, shares.map((x) => product(elementOf(quotient(x, scale), block.element).value, scale))));
  return compare(second, first) < 0 ? found[1] : found[0];
}

/** The largest magnitude; of what is not finite, the first. */
function largestOf(values) {
  const strange = values.find((x) => !isFinite(x));
  return magnitude(strange ?? values.reduce((x, y) => (compareMagnitude(y, x) > 0 ? y : x)));
}

/** The sum of the squared differences. */
function squares(values, others) {
  const errors = values.map((x, i) => difference(x, others[i])).map((x) => product(x, x));
  return errors.reduce((x, y) => sum(x, y), ZERO);
}

/* --- elements ---------------------------------------------------------------------------------------------------- */

/** The number of the element type that a finite x becomes: {value, code}. */
function elementOf(x, element, mode = NEAREST, draw = 0n) {
  if (!element.isFixed) return saturated(x, element, mode, draw);
  const lifted = lift(x, -element.fractionBits);
  const n = lifted.low + (roundsUp(lifted, (lifted.low & 1n) === 1n, mode, x.negative, draw) ? 1n : 0n);
  const most = x.negative ? element.largest + 1n : element.largest;
  return fixedNumber(x.negative, n < most ? n : most, element);
}

const fixedNumber = (negative, n, element) =>
  ({ value: finite(negative && n > 0n, n, 1n, -element.fractionBits), code: negative && n > 0n ? element.codes - n : n });

/** Both numbers that a stochastic mode may give, with their probabilities; one where nothing is cut off. */
function chancesOf(share, element, mode) {
  if (!element.isFixed) return tickets(share, { ...element, saturate: true }, mode);
  const [low, high] = ["toward_zero", share.negative ? "toward_negative" : "toward_positive"].map((way) => elementOf(share, element, way));
  if (low.code === high.code) return [{ ...low, probability: ONE }];
  const { top, bottom } = chanceOfUp(lift(share, -element.fractionBits), mode);
  const both = [{ ...high, probability: finite(false, top, bottom) }, { ...low, probability: finite(false, bottom - top, bottom) }];
  return both.filter(({ probability }) => !isZero(probability));
}

/** The scale, and what every element becomes. */
function quantized(values, block, rule, mode, draw, amax) {
  const { tensor, scale, shares } = (LIBRARY_RULES.includes(rule) ? libraryShares : exactShares)(values, block, rule, amax);
  const unit = isFinite(scale) ? product(scale, tensor) : NAN;
  const elements = values.map((x, i) => oneElement(x, shares[i], unit, block.element, mode, (draw + BigInt(i) * NEXT_DRAW) % DRAWS));
  return { tensor, scale, unit, scaleCode: encodeHeld(scale, block.scale), elements };
}

/** The scales, and each number divided by them, without any rounding of the quotients. */
function exactShares(values, block, rule, amax) {
  const tensor = tensorScale(amax, block, rule);
  const scale = scaleOf(values, block, rule, tensor);
  const share = (x) => (!isFinite(scale) ? NAN : isZero(x) ? x : quotient(x, product(scale, tensor)));
  return { tensor, scale, shares: values.map(share) };
}

function oneElement(given, share, unit, element, mode, draw) {
  if (!isFinite(unit)) return { given, share: NAN, number: ZERO, code: 0n, value: NAN, fate: "nan" };
  const { value: number, code } = share.kind === "nan" ? { value: ZERO, code: 0n } : elementOf(share, element, mode, draw);
  const value = isZero(number) ? number : product(number, unit);
  return { given, share, number, code, value, fate: fateOf(given, number, value, unit, element) };
}

function fateOf(given, number, value, unit, element) {
  if (compare(value, given) === 0) return "exact";
  if (isZero(number)) return "vanished";
  const isBeyond = compare(given, product(element.maxFinite, unit)) > 0 || compare(given, product(leastOf(element), unit)) < 0;
  return isBeyond ? "saturated" : "rounded";
}

/* --- explained --------------------------------------------------------------------------------------------------- */

/** Everything about one block of exact values; `tensorAmax` is null for the largest given. */
export function explainBlock(values, block, rule, mode, draw, tensorAmax = null) {
  const finiteOnes = values.filter(isFinite);
  const largest = tensorAmax ?? (finiteOnes.length ? largestOf(finiteOnes) : ZERO);
  const each = block.rules.map((name) => [name, quantized(values, block, name, mode, draw, largest)]);
  const found = each.find(([name]) => name === rule)[1];
  const amax = largestOf(values);
  const wanted = wantedScale(amax, largest, found.tensor, block, rule);
  const isAmax = (x) => (isFinite(amax) ? compareMagnitude(x, amax) === 0 : x.kind === amax.kind);
  return {
    block, rule, mode, amax, amaxIndex: values.findIndex(isAmax), tensorAmax: block.tensor ? largest : null, tensorScale: found.tensor,
    wantedScale: wanted, scale: found.scale, scaleCode: found.scaleCode, unit: found.unit, limit: limitOf(wanted, block, rule),
    elements: isRandom(mode) ? found.elements.map((x) => withChances(x, block.element, mode)) : found.elements,
    rules: each.map(([name, one]) => ruleResult(name, rule, values, one)),
  };
}

const withChances = (x, element, mode) => (x.share.kind === "nan" ? x : { ...x, chances: chancesOf(x.share, element, mode) });

/** The scale before its format, of four over six the one for six; null for zeros and NaN. */
function wantedScale(amax, largest, tensor, block, rule) {
  if (LIBRARY_RULES.includes(rule)) return libraryWanted(amax, largest, block, rule);
  if (!isFinite(amax) || isZero(amax)) return null;
  const share = quotient(amax, tensor);
  return POWERS_OF_TWO.includes(rule) ? power(scaleExponent(share, block.element, rule)) : quotient(share, block.element.maxFinite);
}

/** Which end of the scale's format the wanted scale is beyond, if any. */
function limitOf(wanted, { scale }, rule) {
  if (!wanted) return "";
  const largest = POWERS_OF_TWO.includes(rule) ? power(scale.emax) : scale.maxFinite;
  const { value } = roundOperand(wanted, scale, NEAREST);
  if (compare(wanted, largest) > 0 && !(isFinite(value) && compare(value, largest) === 0)) return "largest";
  const smallest = rule === "torchao" ? SMALLEST_OF_TORCHAO : scale.minSubnormal;
  return compare(wanted, smallest) < 0 && (rule === "torchao" || !isZero(wanted)) ? "smallest" : "";
}

function ruleResult(rule, chosen, values, { tensor, scale, scaleCode, elements }) {
  const many = (fate) => elements.filter((x) => x.fate === fate).length;
  const squaredError = isFinite(scale) ? squares(values, elements.map((x) => x.value)) : null;
  return { rule, chosen: rule === chosen, scale, scaleCode, tensorScale: tensor, saturated: many("saturated"), vanished: many("vanished"), squaredError };
}
