"""The interesting operands: they are of the format, simplest first, and hold what rounding decides about."""

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import cases, exact

FORMATS = [fs.BINARY16, fs.BFLOAT16, fs.E4M3FN, fs.E5M2, fs.TF32, fs.BINARY32, fs.Format("toy", 6, 3)]


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_values_are_numbers_of_the_format_without_repetition(fmt):
    x = cases.values(fmt)
    codes = fs.encode(x, fmt)
    assert len(set(codes.tolist())) == x.size
    finite = x[np.isfinite(x)]
    assert (fs.round_to(finite, fmt) == finite).all()
    for landmark in (0.0, -0.0, 1.0, -1.0, fmt.max_finite, -fmt.max_finite, fmt.min_normal, fmt.min_subnormal):
        assert exact.encode(landmark, fmt) in codes
    assert np.isnan(x).sum() == 1
    assert np.isinf(x).sum() == 2 * fmt.has_infinity


@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.E4M3FN, fs.E2M1FN], ids=str)
def test_all_codes_are_ordered_once_each_by_cost(fmt):
    codes = cases.ordered_codes(fmt)
    assert sorted(codes.tolist()) == list(range(2**fmt.width))
    costs = cases.cost(fs.decode(codes, fmt))
    assert (np.diff(costs) >= 0).all()


def test_simpler_is_what_a_person_would_say():
    x = np.array([0.3, 65504.0, np.nan, 0.5, 2.0, -1.0, -0.0, 1.0, np.inf, 3.0, 0.0, 1025.0])
    ordered = x[cases.simplest_first(x)]
    expected = [0.0, 1.0, -1.0, -0.0, 2.0, 3.0, 0.5, 1025.0, 65504.0, 0.3, np.inf, np.nan]
    assert [str(v) for v in ordered] == [str(np.float64(v)) for v in expected]


@pytest.mark.parametrize("fmt", FORMATS[:5], ids=str)
@pytest.mark.parametrize("every", [False, True])
def test_what_is_given_to_a_rounder_has_ties_and_both_sides_of_each(fmt, every):
    if every and fmt.width > cases.WIDEST_TABLE:
        return
    x = cases.roundable(fmt, every)
    have = set(x[np.isfinite(x)].tolist())
    overflow = float(fmt.max_finite) + float(fs.ulp(fmt.max_finite, fmt)) / 2
    one_and_a_half = 1 + float(fmt.machine_epsilon) / 2
    for tie in (overflow, one_and_a_half, float(fmt.min_subnormal) / 2):
        for sign in (1, -1):
            assert {sign * tie, sign * np.nextafter(tie, 0), sign * np.nextafter(tie, np.inf)} <= have
    if every:
        values = fs.all_values(fmt)
        assert set(values[np.isfinite(values)].tolist()) <= have


def test_products_that_are_ties_meet_an_addend_too_small_to_see():
    a, b, c = cases.tuples("binary16", 3)
    rows = set(zip(a.tolist(), b.tolist(), c.tolist(), strict=True))
    assert (3.0, 683.0, 2.0**-24) in rows


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_operands_are_numbers_of_the_format(fmt, count):
    for column in cases.tuples(fmt, count):
        finite = column[np.isfinite(column)]
        assert (fs.round_to(finite, fmt) == finite).all()


def test_every_pair_of_a_small_format_is_there():
    a, _ = cases.tuples("e4m3fn", 2, every=True)
    assert a.size == 255**2  # one NaN stands for both


def test_a_format_too_wide_is_refused_by_name():
    with pytest.raises(ValueError, match="fmt=tf32 has 2"):
        cases.ordered_codes("tf32")
    with pytest.raises(ValueError, match="fmt=binary64: binary64 has too few"):
        cases.roundable("binary64")
