"""Surveys: what they count is what `round_to` does, for every format, at every place where it decides, at any scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fp16sim as fs
from fp16sim.learn.observe.exponents import Fate, Survey, survey

from .support import BYTES, TOYS, around, count_cases, landmarks

FORMATS = (*TOYS, *BYTES, fs.BINARY16, fs.BFLOAT16, fs.TF32)
FTZ = [fs.Format("ftz", 16, 11, subnormals=how) for how in ("flush_to_zero", "flush_to_nearest", "flush_inputs")]


def fate_by_rounding(x, fmt):
    """The same counts the slow way: round each number, and look at the result."""
    x = np.asarray(x, np.float64).ravel()
    x = x[np.isfinite(x) & (x != 0)]
    with np.errstate(all="ignore"):
        y = np.abs(fs.round_to(x, fmt))
        unlimited = fs.round_to(x, fs.Format("unlimited", width=fmt.precision + 11, precision=fmt.precision))
    beyond = np.abs(unlimited) > fmt.max_finite
    zero, small = (y == 0) & ~beyond, (y < fmt.min_normal) & (y > 0) & ~beyond
    count_cases(x.size, "surveys")
    return Fate(*(int(np.count_nonzero(which)) for which in (zero, small, ~(zero | small | beyond), beyond)))


def deciding(fmt, dtype):
    """The numbers at which a format decides, with their neighbours in the dtype, and a sample of the rest."""
    sample = np.ldexp(np.random.default_rng(0).uniform(1, 2, 4000), np.tile(np.arange(-160, 160), 13)[:4000])
    with np.errstate(all="ignore"):
        edges = (
            landmarks(fmt)
            if fmt.width < 16
            else around(
                [
                    fmt.min_subnormal / 2,
                    fmt.min_subnormal,
                    fmt.min_normal / 2,
                    fmt.min_normal - fmt.min_subnormal / 2,
                    fmt.min_normal,
                    fmt.max_finite,
                    fmt.max_finite + 2.0 ** (fmt.emax - fmt.precision),
                ]
            )
        )
        tie = float(fmt.max_finite) + 2.0 ** (fmt.emax - fmt.precision)  # between max_finite and what would follow
        x = np.concatenate([edges, [tie, -tie], sample, -sample, [0.0, -0.0, np.nan, np.inf, -np.inf]]).astype(dtype)
        return np.concatenate([x, np.nextafter(x, dtype(0)), np.nextafter(x, dtype(np.inf))])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("fmt", [*FORMATS, *FTZ], ids=lambda fmt: fmt.name)
def test_fates_are_those_that_rounding_decides(fmt, dtype):
    x = deciding(fmt, dtype)
    seen = survey(x, fmt)
    assert seen.fate() == fate_by_rounding(x, fmt)
    finite = np.isfinite(x)
    assert (seen.total, seen.zeros, seen.finite) == (x.size, int((x == 0).sum()), int((finite & (x != 0)).sum()))
    assert (seen.nans, seen.infinities) == (int(np.isnan(x).sum()), int(np.isinf(x).sum()))


@pytest.mark.parametrize("fmt", [fs.E2M1FN, fs.E4M3FN, TOYS[5], fs.BINARY16, fs.BFLOAT16, *FTZ], ids=lambda f: f.name)
def test_a_shift_is_a_multiplication_by_a_power_of_two(fmt):
    x = deciding(fmt, np.float64)
    x = x[(np.abs(x) < 1e200) & (np.abs(x) > 1e-200)]
    seen = survey(x, fmt)
    for shift in (-20, -3, -1, 1, 2, 7, 13, 40):
        assert seen.fate(shift) == fate_by_rounding(np.ldexp(x, shift), fmt), shift


def test_formats_as_precise_as_the_carrier_lose_only_what_is_out_of_range():
    x = np.array([1e-45, 1e-38, 1.0, 3.4e38], np.float32)
    assert survey(x, "binary32").fate() == Fate(0, 2, 2, 0)
    assert survey([2.0**-1074, 1.0, 1.7e308], "binary64").fate() == Fate(0, 1, 2, 0)
    nan_style = fs.Format("nan_style", width=32, precision=24, specials="nan")
    x = np.array([nan_style.max_finite, 1.0])
    x = np.append(x, np.nextafter(x[0], np.inf))
    assert survey(x, nan_style).fate() == fate_by_rounding(x, nan_style)


@given(st.lists(st.floats(width=32, allow_nan=True), max_size=40))
def test_the_histogram_is_that_of_frexp(numbers):
    x = np.array(numbers, np.float32)
    kept = x[np.isfinite(x) & (x != 0)].astype(np.float64)
    e, n = np.unique(np.frexp(kept)[1] - 1, return_counts=True)
    seen = {k: v for k, v in survey(x, "bfloat16").exponents.items() if v}
    assert seen == dict(zip(e.tolist(), n.tolist(), strict=True))


@given(st.lists(st.floats(), max_size=20), st.lists(st.floats(), max_size=20))
def test_surveys_add_up_to_that_of_both_arrays(a, b):
    assert survey(a, "binary16") + survey(b, "binary16") == survey(a + b, "binary16")


def test_layout_byte_order_and_piece_size_do_not_matter(monkeypatch):
    x = np.random.default_rng(1).standard_normal((40, 50)).astype(np.float32) * np.float32(1e-6)
    x[3] = 0
    expected = survey(x.copy(), "binary16")
    for other in (x.T, x[::-1], x.astype(">f4"), np.broadcast_to(x, (1, 40, 50))):
        assert survey(other, "binary16") == expected
    assert survey(x[::2], "binary16") + survey(x[1::2], "binary16") == expected
    monkeypatch.setattr("fp16sim.learn.observe.binades.CHUNK", 7)
    assert survey(x, "binary16") == expected


def test_nothing_is_counted_in_an_empty_array_and_its_best_shift_is_0():
    nothing = survey(np.empty((0, 3), np.float32), "binary16")
    assert nothing == Survey(fs.BINARY16)
    assert nothing.fate() == Fate(0, 0, 0, 0)
    assert nothing.best_shift() == 0


def mean_error(x, fmt):
    """The mean relative error the slow way; what is lost counts as 1."""
    with np.errstate(all="ignore"):
        y = fs.round_to(x, fmt)
        errors = np.abs(y - x) / np.abs(x)
    return np.where(np.isfinite(y), errors, 1).mean()


@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.E5M2, fs.E4M3FN, *FTZ], ids=lambda f: f.name + str(f.subnormals))
def test_the_expected_error_is_that_of_numbers_that_are_spread_evenly(fmt):
    exponents = np.repeat(np.arange(fmt.quantum_exponent_min - 6, fmt.emax + 4), 2000)
    x = np.ldexp(np.random.default_rng(4).uniform(1, 2, exponents.size), exponents)
    for part in (x, x[exponents >= fmt.emin], x[exponents < fmt.emin], x[exponents == fmt.emin - 2]):
        for shift in (0, 3):
            expected = survey(part, fmt).expected_error(shift)
            assert expected == pytest.approx(mean_error(np.ldexp(part, shift), fmt), rel=0.05), (part[0], shift)


def test_nothing_has_no_error():
    assert survey([0.0], "binary16").expected_error() == 0
    assert survey([2.0**-25], "binary16").expected_error() == 1


def test_the_best_shift_has_the_least_error_and_is_the_nearest_to_0():
    x = np.random.default_rng(2).standard_normal(5000) * 2.0**-26
    seen = survey(x, "binary16")
    errors = {k: mean_error(np.ldexp(x, k), fs.BINARY16) for k in range(-60, 61)}
    best = seen.best_shift()
    assert errors[best] - min(errors.values()) < 1.1 * seen.negligible_error
    assert all(errors[k] > errors[best] + seen.negligible_error for k in range(2 - best, best - 1))
    assert seen.best_shift(range(3)) == 2
    assert survey([1.0, 0.5], "binary16").best_shift() == 0
    assert survey([1e6, 1.0], "binary16").best_shift() == -4
    with pytest.raises(ValueError, match="shifts is empty"):
        seen.best_shift([])


@pytest.mark.parametrize("x", [[1j], ["a"], [None], np.zeros(2, np.longdouble)], ids=str)
def test_what_is_no_array_of_numbers_is_refused(x):
    with pytest.raises(TypeError, match="dtype"):
        survey(x, "binary16")


def test_surveys_of_different_formats_do_not_add_up():
    with pytest.raises(TypeError, match="binary16 and fmt=bfloat16 differ"):
        survey([1], "binary16") + survey([1], "bfloat16")
