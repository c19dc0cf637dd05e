"""What the tests share: comparison of codes, toy formats, the judge, operands, and a count of the compared cases."""

from collections import Counter
from dataclasses import replace
from functools import lru_cache

import ml_dtypes
import numpy as np
import pytest

import fp16sim as fs
from fp16sim import exact
from fp16sim.exact.operations import unrounded as exact_unrounded
from fp16sim.formats import Format, Rounding, Subnormals

MODES = tuple(Rounding)
DETERMINISTIC = tuple(mode for mode in Rounding if mode is not Rounding.STOCHASTIC)
TININESS = ("after", "before")

TOY = Format("toy", width=6, precision=3)


def within_ml_dtypes(x, fmt):
    """Numbers that every version of ml_dtypes casts alike: 0.5 has other ties in e8m0fnu, and keeps 2^127 above it."""
    tie_or_beyond = (np.abs(np.frexp(x)[0]) == 0.75) | (np.isfinite(x) & (np.abs(x) > fmt.max_finite))
    return x[~tie_or_beyond] if fmt == fs.E8M0FNU and np.lib.NumpyVersion(ml_dtypes.__version__) < "0.6.0" else x


def first(count, values, unpack=False):
    """Parameters of a test: the first few always run, the others only in the exhaustive run. `unpack`: rows."""
    rest = (value if unpack else (value,) for value in values[count:])
    return [*values[:count], *(pytest.param(*row, marks=pytest.mark.exhaustive) for row in rest)]


TOYS = (
    TOY,
    replace(TOY, name="toy_saturating", saturate=True),
    replace(TOY, name="toy_flushing", subnormals=Subnormals.FLUSH_TO_ZERO),
    replace(TOY, name="toy_flushing_to_nearest", subnormals=Subnormals.FLUSH_TO_NEAREST),
    replace(TOY, name="toy_flushing_inputs", subnormals=Subnormals.FLUSH_INPUTS),
    Format("toy_of_two_bits", width=5, precision=2),
    Format("toy_fn", width=6, precision=4, specials="nan"),
    Format("toy_fn_saturating", width=6, precision=3, specials="nan", saturate=True),
    replace(fs.E3M2FN, nan_code=0),
    replace(fs.E2M3FN, nan_code=0x3F),
    replace(fs.E2M1FN, nan_code=8),
)
BYTES = (fs.E4M3FN, fs.E4M3, fs.E5M2, replace(fs.E4M3FN, name="e4m3fn_saturating", saturate=True))

# --- how much was compared ------------------------------------------------------------------------------------------

CASES: Counter[str] = Counter()
"""(input, mode, format) cases compared so far, by group; printed at the end of the run."""


def count_cases(n, group):
    CASES[group] += int(n)


# --- comparing codes ------------------------------------------------------------------------------------------------


def bit_patterns(values):
    """binary64's bits, all NaNs alike: two values of a format have one code exactly where these agree."""
    with np.errstate(all="ignore"):
        values = np.array(values, np.float64, order="C")
    return np.where(np.isnan(values), np.uint64(0x7FF8 << 48), values.view(np.uint64))


def describe(value, fmt):
    """A value with its hex digits and its code in `fmt`, where it has one."""
    value = float(value)
    plain = replace(fmt, subnormals="gradual", saturate=False)
    if np.isnan(value) or (np.isinf(value) and fmt.has_infinity):
        return f"{value}"
    held = np.isfinite(value) and exact.round_to(value, plain) == value
    return f"{value!r} = {value.hex()}, " + (f"code {exact.encode(value, plain):#x}" if held else f"not in {fmt}")


def assert_same_codes(actual, expected, fmt, group="single facts", inputs=(), **context):
    """Every value of `actual` has the code of its counterpart; else shows the first that has not, with its inputs."""
    actual, expected = np.broadcast_arrays(np.asarray(actual), np.asarray(expected))
    count_cases(expected.size, group)
    wrong = bit_patterns(actual) != bit_patterns(expected)
    if wrong.any():
        at = np.unravel_index(np.argmax(wrong), wrong.shape)
        given = [describe(np.broadcast_to(x, wrong.shape)[at], fmt) for x in inputs]
        raise AssertionError(
            f"{np.count_nonzero(wrong)} of {wrong.size} differ in {fmt} {context or ''}; first at {tuple(map(int, at))}"
            + "".join(f"\n  given    {text}" for text in given)
            + f"\n  expected {describe(expected[at], fmt)}\n  actual   {describe(actual[at], fmt)}"
        )


# --- flags ----------------------------------------------------------------------------------------------------------


def raised_by(call):
    """The result of `call()`, and (count, first index) of each exception, for both definitions of tiny.

    Called twice: when nobody listens, other paths run, and they must give the same codes.
    """
    quiet = call()
    with fs.record_flags() as after, fs.record_flags(tininess="before") as before:
        result = call()
    assert (bit_patterns(quiet) == bit_patterns(result)).all(), "the result depends on whether flags are recorded"
    return result, {"after": summary(after), "before": summary(before)}


def summary(flags):
    return {name: (getattr(flags, name).count, getattr(flags, name).index) for name in flags.names()}


def expected_flags(raised, shape):
    """The same summary from an iterable of sets of names, one for each element in C order."""
    found = {}
    for i, names in enumerate(raised):
        for name in names:
            count, first = found.get(name, (0, i))
            found[name] = (count + 1, first)
    return {n: (count, tuple(map(int, np.unravel_index(first, shape)))) for n, (count, first) in found.items()}


# --- the judge ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4)  # of up to 2^18 results each
def unrounded(name, buffers, toward_negative):
    """The different exact results of an operation on arrays given by their bytes, and which of them is whose.

    The mode decides the sign of a zero only.
    """
    mode = Rounding.TOWARD_NEGATIVE if toward_negative else Rounding.TIES_TO_EVEN
    results, which, places = [], [], {}
    for operands in zip(*(np.frombuffer(buffer).tolist() for buffer in buffers), strict=True):
        found = exact_unrounded(name, tuple(map(exact.as_exact, operands)), mode)
        key = (type(found.value), found)  # with the type, because -0.0 == Fraction(0)
        if key not in places:
            places[key] = len(results)
            results.append(found)
        which.append(places[key])
    return results, which


def judged(name, operands, fmt, mode, draws):
    """What the exact layer says of an operation on flat arrays of values of `fmt`: results, and flags by tininess."""
    results, which = unrounded(name, tuple(x.tobytes() for x in operands), mode is Rounding.TOWARD_NEGATIVE)
    cases = list(zip(which, draws, strict=True))
    flags = {}
    for tininess in TININESS:
        rounded = {(i, d): exact.round_result(results[i].value, fmt, mode, d, tininess) for i, d in set(cases)}
        raised = {(i, d): part.flags | results[i].flags for (i, d), part in rounded.items()}
        flags[tininess] = expected_flags((raised[case] for case in cases), operands[0].shape)
    values = {case: float(part.value) for case, part in rounded.items()}
    return np.array([values[case] for case in cases]), flags


class Draws(np.random.Generator):
    """A generator whose 32-bit draws are the given ones, in turn: what a probability depends on, under control."""

    def __init__(self, *draws):
        super().__init__(np.random.PCG64(0))
        self.draws, self.taken = np.array(draws, np.uint32), 0

    def integers(self, low, high=None, size=None, dtype=np.int64, endpoint=False):
        assert (low, high, dtype) == (0, 2**32, np.uint32)
        index = np.arange(self.taken, self.taken + size) % self.draws.size
        self.taken += size
        return self.draws[index]


# --- operands -------------------------------------------------------------------------------------------------------


def held_values(fmt, step=1):
    """Every value that `round_to` leaves alone (or every `step`th, and the edges of the range), one NaN at most."""
    values = fs.all_values(fmt)
    if step > 1:
        edges = [0, 1, 2**fmt.trailing_bits, 2 ** (fmt.width - 1) - 2, 2 ** (fmt.width - 1) - 1]
        codes = np.unique(np.append(np.arange(0, values.size, step), edges + [values.size // 2 + c for c in edges]))
        values = values[codes]
    values = values[~np.isnan(values)]
    if fmt.subnormals is not Subnormals.GRADUAL:
        values = values[(np.abs(values) >= fmt.min_normal) | (values == 0)]
    if fmt.saturate:
        values = values[np.isfinite(values)]
    return np.append(values, np.nan) if fmt.has_nan else values


def positive_values(fmt):
    """The finite values that are not negative, in the order of their codes, which is theirs too."""
    values = fs.all_values(fmt)[: 2 ** (fmt.width - 1)]
    return values[np.isfinite(values)]


def around(values, dtype=np.float64):
    """Each number with its two neighbours in `dtype`, ascending; both signs."""
    values = np.asarray(values, dtype)
    with np.errstate(all="ignore"):
        below, above = np.nextafter(values, dtype(-np.inf)), np.nextafter(values, dtype(np.inf))
    x = np.unique(np.concatenate([below, values, above]))
    return np.concatenate([x, -x])


def landmarks(fmt):
    """Values, midpoints, the bounds of the range, and the neighbours of all in binary64, of both signs."""
    v = positive_values(fmt)
    top = np.ldexp(1.0, fmt.emax + 1)
    edges = np.append(v, top)
    finite = np.concatenate([edges, (edges[1:] + edges[:-1]) / 2, [2 * top]])
    return np.append(around(finite), [np.inf, -np.inf])


def interesting(fmt, exponents, trailings):
    """The values of both signs with these biased exponents and trailing significands, as TestFloat builds operands."""
    codes = [(e << fmt.trailing_bits) | t for e in exponents for t in trailings]
    codes += [code | 1 << (fmt.width - 1) for code in codes]
    values = fs.decode(codes, fmt)
    return values[~np.isnan(values)]


def pairs(values):
    """All pairs, as two flat arrays."""
    a, b = np.meshgrid(values, values, indexing="ij")
    return a.ravel(), b.ravel()


# --- MPFR -----------------------------------------------------------------------------------------------------------

MPFR_MODES = {
    Rounding.TIES_TO_EVEN: "RoundToNearest",
    Rounding.TOWARD_ZERO: "RoundToZero",
    Rounding.TOWARD_POSITIVE: "RoundUp",
    Rounding.TOWARD_NEGATIVE: "RoundDown",
}


def mpfr_context(gmpy2, fmt, mode):
    """A context in which MPFR computes in `fmt`; MPFR's significands lie in [1/2, 1), hence the shifted exponents."""
    return gmpy2.context(
        precision=fmt.precision,
        emin=fmt.quantum_exponent_min + 1,
        emax=fmt.emax + 1,
        subnormalize=True,
        round=getattr(gmpy2, MPFR_MODES[mode]),
    )
