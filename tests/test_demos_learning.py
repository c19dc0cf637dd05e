"""The numbers behind the pictures of learning and of all pairs: fates of gradients, weights, probabilities, results."""

import dataclasses
import itertools
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import demos

# --- learning -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fmt", "edge"), [("binary16", 11.0859375), ("bfloat16", 88.5)])
def test_a_naive_softmax_is_nan_from_the_overflow_of_exp_on(fmt, edge):
    data = demos.softmax(fmt)
    assert data.overflows_at == fs.next_up(edge, fmt)
    assert np.isfinite(fs.exp(edge, fmt))
    assert np.isnan(demos.softmax(fmt, logits=[data.underflows_at]).naive[0])
    assert not np.isnan(demos.softmax(fmt, logits=[fs.next_up(data.underflows_at, fmt)]).naive[0])


def test_softmax_of_12_11_10():
    data = demos.softmax("binary16", logits=[12])
    assert np.isnan(data.naive[0])
    assert round(float(data.shifted[0]), 5) == 0.66553


def test_gradients_are_counted_as_they_round():
    g = np.array([0.0, np.nan, np.inf, 2.0**-26, -(2.0**-25), 2.0**-24, -1e-5, 1.0, 3.0, 60000.0, 1e6])
    (fates,) = demos.gradients("binary16", g, scales=(1,)).fates
    assert fates == (2 / 8, 2 / 8, 3 / 8, 1 / 8)
    data = demos.gradients("binary16", g, scales=(1, 4))
    assert data.fates[1] == (0, 4 / 8, 2 / 8, 2 / 8)
    assert data.shares.sum() == 1
    assert data.shares[data.exponents == 0] == 1 / 8
    with pytest.raises(ValueError, match="no finite nonzero element"):
        demos.gradients("binary16", [0.0, np.nan])


def test_a_saturating_format_counts_what_is_beyond_its_largest_number_as_overflow():
    (fates,) = demos.gradients("e2m1fn", [1.0, 6.0, 7.5, 1000.0], scales=(1,)).fates
    assert fates.overflow == 1 / 2


def test_a_loss_scale_saves_gradients_of_the_digits():
    first, scaled = demos.gradients("binary16").fates
    assert first.zero > 0.02 > 0.005 > scaled.zero
    assert first.subnormal > 0.4
    assert demos.gradients("bfloat16").fates[0].zero == 0


def test_a_bfloat16_weight_does_not_move():
    data = demos.stuck_weight("bfloat16")
    assert set(data.paths["ties_to_even"]) == {1.0}
    assert data.paths["Kahan"][-1] == 2
    assert data.mean == pytest.approx(2, abs=0.04)


def test_stochastic_rounding_is_right_on_average():
    data = demos.stochastic("bfloat16", runs=200)
    assert data.nearest[-1] == 32
    assert data.mean[-1] == pytest.approx(100, abs=1)
    assert len(set(data.runs[:, -1])) > 10
    assert list(data.runs[0]) != list(demos.stochastic("bfloat16", runs=1, rng=1).runs[0])


# --- pairs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["add", "subtract", "multiply", "divide"])
@pytest.mark.parametrize("fmt", ["e2m1fn", demos.TOY])
def test_pairs_are_judged_as_exact_arithmetic_judges_them(fmt, operation):
    data = demos.pairs(fmt, operation=operation)
    exact = getattr(fs.exact, operation)
    for (i, a), (j, b) in itertools.product(list(enumerate(data.values))[:: len(data.values) // 15], repeat=2):
        wide = exact(Fraction(float(a)), Fraction(float(b)), "binary64")
        if b == 0 and operation == "divide":
            assert data.invalid[j, i]
            continue
        beyond = Fraction(wide) if wide else Fraction(0)
        y = exact(Fraction(float(a)), Fraction(float(b)), dataclasses.replace(data.fmt, width=data.fmt.width + 4))
        assert data.overflow[j, i] == (abs(Fraction(y or 0)) > Fraction(data.fmt.max_finite))
        if not data.overflow[j, i]:
            off = abs(Fraction(y or 0) - beyond) / Fraction(float(fs.ulp(float(beyond), fmt)))
            assert data.error[j, i] <= 0.5
            if beyond == 0 or abs(beyond) >= Fraction(data.fmt.min_normal):
                assert data.error[j, i] == pytest.approx(float(off), abs=1e-12)


def test_every_pair_has_one_fate():
    for operation in ("add", "divide"):
        for fmt in ("e5m2", "e4m3fn"):
            assert sum(demos.pairs(fmt, operation=operation).shares.values()) == pytest.approx(1)


# --- weights of attention -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fmt", "bits"), [("binary16", 25), ("bfloat16", 134), ("e4m3fn", 10)])
def test_a_weight_is_zero_from_half_of_the_smallest_number_on(fmt, bits):
    edge = bits * np.log(2)
    data = demos.attention(fmt, gaps=[0, edge - 0.001, edge + 0.001])
    assert data.zero_from == pytest.approx(edge, rel=1e-12)
    assert data.ratios.tolist() == pytest.approx([1, 2, 0], rel=0.002)
