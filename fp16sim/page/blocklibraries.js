/* The steps of two libraries, each rounded to binary32, as `fp16sim.blocks.libraries` has them:

       torchao             g = T / 2688             scale = (amax / 6) / g, at least 2^-6     factor = (1 / g) / scale
       transformer_engine  S = 2688 / T, g = 1 / S  scale = amax (S (1 / 6))                  factor = 1 / (scale g)
       the same, MXFP8                              scale = amax (1 / largest), rounded up    factor = 1 / scale, or 1

   T is the largest magnitude of the tensor. An element is its number times the factor, rounded and saturated. */

import { NAN, compare, compareMagnitude, finite, isFinite, isZero, magnitude } from "./exact.js";
import { operate } from "./operations.js";
import { roundOperand } from "./rounding.js";

export const LIBRARY_RULES = ["torchao", "transformer_engine"];
/** E4M3's smallest normal number; torchao has no smaller scale. */
export const SMALLEST_OF_TORCHAO = finite(false, 1n, 1n, -6);

const [ONE, ZERO, SIX, LARGEST] = [1n, 0n, 6n, 2688n].map((n) => finite(false, n));
const NEAREST = "ties_to_even";
const held = (x, fmt) => roundOperand(x, fmt, NEAREST).value;
const saturated = (x, fmt, mode = NEAREST) => roundOperand(x, { ...fmt, saturate: true }, mode).value;

/** x between two ends; NaN passes. */
function clip(x, low, high) {
  if (x.kind === "nan") return x;
  return compare(x, low) < 0 ? low : compare(x, high) > 0 ? high : x;
}

/** The steps for one block: {tensor, wanted, scale, factor}, from its largest magnitude and that of its tensor. */
function stepsFor(amax, top, block, rule) {
  const { element, scale: fmt, tensor: hasTensor, single } = block;
  const divide = (a, b) => operate("divide", [a, b], single, NEAREST).value;
  const multiply = (a, b) => operate("multiply", [a, b], single, NEAREST).value;
  const encoding = !hasTensor || isZero(top) ? ONE : clip(divide(LARGEST, top), ZERO, single.maxFinite);
  const tensor = !hasTensor ? ONE : rule === "torchao" ? divide(top, LARGEST) : divide(ONE, encoding);
  const share = divide(ONE, element.maxFinite);
  if (fmt.precision === 1) {
    const wanted = multiply(amax, share);
    const scale = saturated(clip(wanted, fmt.minSubnormal, fmt.maxFinite), fmt, "toward_positive");
    return { tensor, wanted, scale, factor: compare(scale, fmt.minSubnormal) === 0 ? ONE : divide(ONE, scale) };
  }
  const isTorchao = rule === "torchao";
  const wanted = isTorchao ? divide(divide(amax, SIX), tensor) : multiply(amax, multiply(encoding, share));
  const scale = saturated(clip(wanted, isTorchao ? SMALLEST_OF_TORCHAO : ZERO, fmt.maxFinite), fmt);
  const factor = () => (isTorchao ? divide(divide(ONE, tensor), scale) : clip(divide(ONE, multiply(scale, tensor)), ZERO, single.maxFinite));
  return { tensor, wanted, scale, factor: isFinite(scale) ? factor() : NAN };
}

/** What a library finds for a block: {tensor, scale, shares}, the shares being what it rounds to elements. */
export function libraryShares(values, block, rule, largest) {
  const { single } = block;
  const numbers = values.map((x) => held(x, single));
  const amax = numbers.filter(isFinite).map(magnitude).reduce((x, y) => (compareMagnitude(y, x) > 0 ? y : x), ZERO);
  const { tensor, scale, factor } = stepsFor(amax, saturated(largest, single), block, rule);
  if (!numbers.every(isFinite) || !isFinite(scale)) return { tensor, scale: NAN, shares: values.map(() => NAN) };
  return { tensor, scale, shares: numbers.map((x) => operate("multiply", [x, factor], single, NEAREST).value) };
}

/** The scale that a library computes before its format; null where that is no number. */
export function libraryWanted(amax, largest, block, rule) {
  if (!isFinite(amax)) return null;
  const { wanted } = stepsFor(...[amax, largest].map((x) => saturated(x, block.single)), block, rule);
  return isFinite(wanted) ? wanted : null;
}
