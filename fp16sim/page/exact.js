/* Exact numbers: a sign and a ratio of integers times a power of two. Nothing here rounds.

   A number is {kind, negative, n, d, e}. Where kind is "finite" its magnitude is n / d * 2^e, with BigInts n >= 0 and
   d >= 1 and a Number e; zero keeps its sign. The other kinds are "infinite" and "nan", which may be `signaling`.
   Everything a format holds has d = 1; quotients and decimals need d. */

export const NAN = Object.freeze({ kind: "nan", negative: false, n: 0n, d: 1n, e: 0, signaling: false });

/** The number (-1)^negative * n / d * 2^e. */
export function finite(negative, n, d = 1n, e = 0) {
  return { kind: "finite", negative, n, d, e };
}

/** Infinity with a sign. */
export function infinity(negative) {
  return { kind: "infinite", negative, n: 0n, d: 1n, e: 0 };
}

export const isZero = (x) => x.kind === "finite" && x.n === 0n;
export const isFinite = (x) => x.kind === "finite";
export const negate = (x) => ({ ...x, negative: !x.negative });
export const magnitude = (x) => ({ ...x, negative: false });

/** The number of bits of n >= 0: that of 0 is 0. */
export function bitLength(n) {
  if (n === 0n) return 0;
  const digits = n.toString(16);
  return 4 * digits.length - 4 + 32 - Math.clz32(parseInt(digits[0], 16));
}

/** floor(log2 |x|) of a finite x other than zero, by integers alone. */
export function exponentOf(x) {
  const guess = bitLength(x.n) - bitLength(x.d); // 2^(guess - 1) < n / d < 2^(guess + 1)
  const reached = guess >= 0 ? x.n >= x.d << BigInt(guess) : x.n << BigInt(-guess) >= x.d;
  return x.e + (reached ? guess : guess - 1);
}

/** |x| / 2^q as an integer and a rest: {low, rest, den} with |x| = (low + rest / den) * 2^q. */
export function lift(x, q) {
  const shift = x.e - q;
  const num = shift >= 0 ? x.n << BigInt(shift) : x.n;
  const den = shift >= 0 ? x.d : x.d << BigInt(-shift);
  const low = num / den;
  return { low, rest: num - low * den, den };
}

/** The sign of |x| - |y| for finite x and y. */
export function compareMagnitude(x, y) {
  const shift = x.e - y.e;
  const left = x.n * y.d;
  const right = y.n * x.d;
  const a = shift > 0 ? left << BigInt(shift) : left;
  const b = shift < 0 ? right << BigInt(-shift) : right;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The sign of x - y; the two zeros are equal, infinities are the ends. Not for NaN. */
export function compare(x, y) {
  const side = (v) => (isZero(v) ? 0 : v.negative ? -1 : 1);
  if (side(x) !== side(y)) return Math.sign(side(x) - side(y));
  if (x.kind === "infinite" || y.kind === "infinite") {
    return side(x) * ((x.kind === "infinite") - (y.kind === "infinite"));
  }
  return side(x) * compareMagnitude(x, y);
}

/** x + y of finite numbers; an exact zero is +0 here, and `operations` knows its sign. */
export function sum(x, y) {
  const e = Math.min(x.e, y.e);
  const common = x.d === y.d; // then it stays the denominator, so that long sums keep small ones
  const scaled = (v, w) => ((v.negative ? -v.n : v.n) * (common ? 1n : w.d)) << BigInt(v.e - e);
  const n = scaled(x, y) + scaled(y, x);
  return finite(n < 0n, n < 0n ? -n : n, common ? x.d : x.d * y.d, e);
}

export const difference = (x, y) => sum(x, negate(y));

/** x * y of finite numbers. */
export function product(x, y) {
  return finite(x.negative !== y.negative, x.n * y.n, x.d * y.d, x.e + y.e);
}

/** x / y of finite numbers, y not zero. */
export function quotient(x, y) {
  return finite(x.negative !== y.negative, x.n * y.d, x.d * y.n, x.e - y.e);
}

/** floor(sqrt(n)) by Newton's method from above. */
export function integerSqrt(n) {
  if (n < 2n) return n;
  let root = 1n << BigInt((bitLength(n) + 1) >> 1);
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** sqrt(x), x > 0: exact where `bits` bits hold it, else a number between its neighbours of that many bits.

    Every rounding to fewer bits is decided alike for both (rounding to odd), so `exact` says whether it is the root. */
export function squareRoot(x, bits = 256) {
  let shift = 2 * bits - exponentOf(x);
  shift += shift & 1;
  const { low, rest } = lift(x, -shift);
  const root = integerSqrt(low);
  const exact = rest === 0n && root * root === low;
  return { value: finite(false, 2n * root + (exact ? 0n : 1n), 1n, -shift / 2 - 1), exact };
}

/** The same number with the smallest n and d: no common factor, both odd (or n = 0). */
export function reduced(x) {
  if (x.kind !== "finite" || x.n === 0n) return x.kind === "finite" ? finite(x.negative, 0n) : x;
  const [top, bottom] = [withoutTwos(x.n), withoutTwos(x.d)]; // most denominators are powers of two, and done with here
  const common = bottom.odd === 1n ? 1n : divisor(top.odd, bottom.odd);
  return finite(x.negative, top.odd / common, bottom.odd / common, x.e + top.twos - bottom.twos);
}

/** The greatest common divisor, by Euclid. */
function divisor(a, b) {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}

/** n > 0 as odd * 2^twos. */
function withoutTwos(n) {
  const twos = bitLength(n & -n) - 1;
  return { odd: n >> BigInt(twos), twos };
}

/** The nearest Number, for drawing alone: good to 2^-52, infinite or zero beyond its range. */
export function toNumber(x) {
  if (x.kind === "nan") return NaN;
  const sign = x.negative ? -1 : 1;
  if (x.kind === "infinite") return sign * Infinity;
  if (x.n === 0n) return sign * 0;
  const e = exponentOf(x);
  const { low } = lift(x, e - 54); // 55 bits
  const scale = (v, k) => (k < -1000 ? v * 2 ** -1000 * 2 ** (k + 1000) : k > 900 ? v * 2 ** 900 * 2 ** (k - 900) : v * 2 ** k);
  return sign * scale(Number(low), e - 54);
}

/** log2 |x| as a Number, for drawing alone; never overflows. */
export function log2(x) {
  const e = exponentOf(x);
  return e + Math.log2(Number(lift(x, e - 54).low)) - 54;
}

/** The exact number that a finite JavaScript Number is. */
export function fromNumber(v) {
  if (v === 0) return finite(Object.is(v, -0), 0n);
  let e = 0;
  let m = Math.abs(v);
  while (!Number.isInteger(m)) [m, e] = [m * 2, e - 1];
  return finite(v < 0, BigInt(m), 1n, e);
}
