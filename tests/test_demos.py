"""The numbers behind the pictures: known facts, found again by computing; and that every step is what fs computes."""

import dataclasses
import itertools
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import demos
from fp16sim.plots import PICTURES
from fp16sim.plots.style import several
from fp16sim.wording import number


def test_frozen_data_cannot_be_written_to():
    for data in (demos.ulp(), demos.number_line(), demos.muller(), demos.rump(most=10), demos.pairs("e2m1fn")):
        for field in dataclasses.fields(data):
            value = getattr(data, field.name)
            if isinstance(value, np.ndarray):
                with pytest.raises(ValueError, match="read-only"):
                    value[...] = 0
        with pytest.raises(dataclasses.FrozenInstanceError):
            data.fmt = None


def test_every_demo_has_a_picture_of_the_same_name_and_the_reverse():
    not_of_a_format_and_mode = {"window"}  # fs.plots.window draws it, but it is no picture of the gallery
    no_pictures = {"TOY", "digit_gradients", "failure", "failures"}
    assert set(PICTURES) == set(demos.__all__) - no_pictures - not_of_a_format_and_mode


# --- formats --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", [demos.TOY, "e2m1fn", "e4m3fn", "e5m2"])
def test_the_binades_of_a_number_line_hold_every_number_with_the_gap_they_say(fmt):
    line = demos.number_line(fmt)
    assert sum(binade.size for binade in line.binades) == len(line.values)
    for binade in line.binades:
        inside = line.values[(line.values >= binade.low) & (line.values < binade.high)]
        assert len(inside) == binade.size
        assert set(np.diff(inside)) <= {binade.gap}
        assert binade.subnormal == (binade.low < float(line.fmt.min_normal))


@pytest.mark.parametrize(("fmt", "last"), [("binary16", 2048), ("bfloat16", 256), ("e4m3fn", 16)])
def test_the_gap_is_two_from_the_last_odd_number_on(fmt, last):
    gaps = demos.ulp(fmt)
    assert gaps.last_odd == last
    assert gaps.gaps[gaps.magnitudes == last] == 2
    assert fs.round_to(last - 1, fmt) == last - 1
    assert fs.round_to(last + 1, fmt) != last + 1


MODES = [mode.value for mode in fs.Rounding if mode.value != "stochastic"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fmt", ["e2m1fn", demos.TOY, "e3m2fn"])
def test_a_staircase_is_the_exact_rounding_on_its_steps_and_at_its_dots(fmt, mode):
    stairs = demos.staircase(fmt, mode, low=-3.3, high=5.1)
    assert stairs.steps[0].low == -3.3
    assert stairs.steps[-1].high == 5.1
    for step in stairs.steps:
        for share in (Fraction(1, 1000), Fraction(1, 3), Fraction(999, 1000)):
            x = Fraction(step.low) + share * (Fraction(step.high) - Fraction(step.low))
            assert step.values == (float(fs.exact.round_to(x, fmt, mode)),)
    jumps = {before.high for before, after in itertools.pairwise(stairs.steps) if before.values != after.values}
    assert jumps <= {dot.x for dot in stairs.dots}
    for dot in stairs.dots:
        assert dot.value == float(fs.exact.round_to(Fraction(dot.x), fmt, mode))
        tiny = Fraction(1, 2**40)
        sides = tuple(float(fs.exact.round_to(Fraction(dot.x) + d, fmt, mode)) for d in (-tiny, tiny))
        assert sides == (dot.left, dot.right)
        held = fs.round_to(dot.x, fmt) == dot.x
        assert dot.tie == (not held)


def test_only_nearest_modes_jump_at_ties():
    for mode in MODES:
        ties = {dot.tie for dot in demos.staircase("e2m1fn", mode).dots}
        assert ties == ({True} if mode.startswith("ties") else {False})


def test_a_stochastic_staircase_names_both_neighbours():
    steps = demos.staircase("e2m1fn", "stochastic", low=0, high=4).steps
    assert [step.values for step in steps] == [(0, 0.5), (0.5, 1), (1, 1.5), (1.5, 2), (2, 3), (3, 4)]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fmt", ["e4m3fn", "binary16", "bfloat16", "e2m1fn"])
def test_the_sawtooth_keeps_its_bound_and_comes_near_it(fmt, mode):
    saw = demos.relative_error(fmt, mode)
    normal = saw.error[saw.x >= float(saw.fmt.min_normal)]
    assert normal.max() <= saw.bound
    assert normal.max() > 0.9 * saw.bound / (1 + saw.bound)
    k = len(saw.x) // 2
    exact = fs.exact.round_to(Fraction(float(saw.x[k])), saw.fmt, mode)
    assert saw.error[k] == pytest.approx(float(abs(Fraction(exact) / Fraction(float(saw.x[k])) - 1)))


# --- sums -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fmt", "stops", "total"), [("binary16", 512, 7.0859375), ("bfloat16", 64, 5.0625)])
def test_the_harmonic_series_stops(fmt, stops, total):
    data = demos.harmonic(fmt)
    assert (data.stops_at, data.sums[-1]) == (stops, total)
    by_hand = 0.0
    for n in range(1, stops + 2):
        by_hand = float(fs.add(by_hand, fs.round_to(Fraction(1, n), fmt), fmt))
        assert data.sums[n - 1] == by_hand


def test_the_harmonic_series_does_not_stop_in_binary32_within_the_picture():
    assert demos.harmonic("binary32", terms=1000).stops_at is None


def test_ten_thousand_tenths_by_three_accumulators():
    data = demos.tenths("binary16", points=2)
    assert {name: float(sums[-1]) for name, sums in data.sums.items()} == {
        "sequential": 256.0,
        "pairwise": 999.5,
        "Kahan": 1000.0,
    }


def test_tenths_are_the_sums_of_the_accumulators_that_they_name():
    data = demos.tenths("bfloat16", terms=700, points=3)
    for name in ("sequential", "pairwise", "Kahan"):
        accumulator = getattr(fs.accumulators, name.capitalize())("bfloat16")
        assert list(data.sums[name]) == [accumulator.sum([0.1] * n) for n in data.counts], name


def test_a_running_sum_in_bfloat16_stalls_at_32():
    data = demos.tenths("bfloat16", terms=400, points=400)
    assert data.sums["sequential"][-1] == 32
    assert list(data.sums["sequential"]) == list(fs.cumsum([0.1] * 400, "bfloat16"))


@pytest.mark.parametrize(("fmt", "stops"), [("binary16", 256), ("bfloat16", 32), ("binary32", None)])
def test_a_clock_of_tenths_stands_still(fmt, stops):
    data = demos.clock(fmt)
    assert data.stops_at == stops
    assert list(data.added[:6]) == [fs.sum([0.1] * round(10 * s), fmt) for s in data.seconds[:6]]
    assert np.all(np.abs(data.counted - data.seconds) <= float(data.fmt.unit_roundoff) * data.seconds)


def test_a_binary32_clock_is_minutes_off_after_15_hours():
    data = demos.clock("binary32")
    assert 270 < abs(data.added[-1] - data.seconds[-1]) < 280


def test_a_clock_in_another_mode_is_followed_for_an_hour():
    data = demos.clock("binary16", "toward_zero", ticks=(10, 3000, 3001, 400_000))
    assert (data.stops_at, len(data.seconds)) == (128, 3)


def test_the_error_of_a_dot_product_by_accumulator():
    data = demos.accumulators("binary16")
    errors = {cost.name: cost.error for cost in data.costs}
    assert errors["sequential"] == pytest.approx(0.086, abs=0.002)
    assert errors["binary32"] == pytest.approx(2e-6, rel=0.1)
    assert errors["exact, rounded once"] <= 2**-11
    assert errors["sequential"] > errors["blocks of 64"] > errors["pairwise"] > errors["exact, rounded once"]
    depths = {cost.name: cost.depth for cost in data.costs}
    assert (depths["pairwise"], depths["blocks of 64"], depths["sequential"]) == (13, 127, 4096)


# --- cancellation ---------------------------------------------------------------------------------------------------


def by_operators(formula, x, fmt):
    """A formula on one number at a time, as a reader would type it."""
    return [float(formula(fs.array(float(v), fmt))) for v in x]


def test_one_minus_cos_is_computed_as_written():
    ways = demos.one_minus_cos("binary16")
    x = ways.x[::20]
    assert by_operators(lambda z: (1 - np.cos(z)) / (z * z), x, "binary16") == list(ways.naive[::20])
    assert set(ways.naive[ways.x < 0.022]) == {0.0}
    assert np.all(np.abs(ways.careful - ways.exact) < 4 * 2.0**-11 * ways.exact)


@pytest.mark.parametrize("fmt", ["binary16", "bfloat16", "binary32"])
def test_the_small_root_is_lost_by_one_formula_only(fmt):
    ways = demos.quadratic(fmt)
    assert by_operators(lambda b: (b - np.sqrt(b * b - 4)) / 2, ways.x[::7], fmt) == list(ways.naive[::7])
    assert ways.naive[-1] == 0
    assert np.all(np.abs(ways.careful / ways.exact - 1) < 3 * float(ways.fmt.unit_roundoff))
    b = float(ways.x[3])
    root = ways.exact[3]
    assert abs(root * root - b * root + 1) < 1e-14


def test_a_polynomial_multiplied_out_is_noise_near_its_root():
    ways = demos.polynomial("binary16")

    def horner(x):
        y = x * 0 + 1
        for c in (-7, 21, -35, 35, -21, 7, -1):
            y = fs.array(float(fs.add(float(fs.multiply(float(y), float(x), "binary16")), c, "binary16")), "binary16")
        return y

    assert by_operators(horner, ways.x[::40], "binary16") == list(ways.naive[::40])
    assert "137 sign changes" in ways.lesson
    assert np.all(ways.careful * (ways.x - 1) >= 0)


@pytest.mark.parametrize(("fmt", "best"), [("binary16", -4), ("bfloat16", -3), ("binary32", -10)])
def test_a_difference_quotient_has_a_best_step(fmt, best):
    data = demos.derivative(fmt)
    assert data.best == 2.0**best
    assert data.error[-1] == 1
    assert data.error[0] == pytest.approx(0.25, rel=0.03)


def test_the_variance_in_one_pass_and_in_two():
    data = demos.variance("binary16", offsets=(100.0, 16.0))
    assert data.one_pass[0] == np.inf
    assert (round(float(data.two_pass[0]), 4), round(float(data.exact[0]), 4)) == (0.0532, 0.0517)
    assert data.one_pass[1] < 0


# --- recurrences ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fmt", "lost"), [("bfloat16", 6), ("binary16", 11), ("binary32", 22), ("binary64", 52)])
def test_the_logistic_map_loses_its_orbit(fmt, lost):
    orbit = demos.logistic(fmt)
    assert orbit.lost_at == lost
    x = fs.round_to(0.3, fmt)
    for n in range(1, 6):
        x = fs.multiply(fs.multiply(4, x, fmt), fs.subtract(1, x, fmt), fmt)
        assert orbit.values[n] == x


def test_the_exact_orbit_of_the_logistic_map_is_exact():
    x = Fraction(3, 10)
    for n, value in enumerate(demos.logistic("bfloat16", steps=12).exact):
        assert value == float(x), n
        x = 4 * x * (1 - x)


@pytest.mark.parametrize("fmt", ["binary16", "bfloat16", "binary32", "binary64"])
def test_mullers_recurrence_drifts_to_100_in_every_format(fmt):
    orbit = demos.muller(fmt)
    assert orbit.values[-1] == pytest.approx(100, abs=0.5)
    assert orbit.exact[-1] == pytest.approx(6, abs=0.02)
    assert np.all(np.abs(orbit.exact[10:] - 6) < 1)


def test_rumps_polynomial_agrees_on_what_is_wrong():
    data = demos.rump()
    values = dict(zip(data.precisions.tolist(), data.values.tolist(), strict=True))
    assert [round(values[p], 4) for p in (24, 53, 113)] == [1.1726] * 3
    assert round(data.exact, 6) == -0.827396
    assert data.right_from == 122
    assert round(values[122], 6) == -0.827396


# --- refusals and words ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: demos.number_line("binary16"), "fmt=binary16 has 2^16 numbers"),
        (lambda: demos.staircase("bfloat16"), "fmt=bfloat16 has 2^16 numbers"),
        (lambda: demos.staircase("e2m1fn", low=2, high=1), "low=2 must be less than high=1"),
        (lambda: demos.pairs("binary16"), "fmt=binary16 has"),
        (lambda: demos.pairs("e5m2", operation="mod"), "operation='mod' is unknown"),
        (lambda: demos.pairs("binary6p1"), "fmt=binary6p1se has powers of two only"),
        (lambda: demos.derivative("binary8p4ue"), "fmt=binary8p4ue has no negative numbers"),
        (lambda: demos.softmax("binary8p1"), "fmt=binary8p1se has one digit only"),
        (lambda: demos.stochastic("e3m4"), r"fmt=e3m4 ends at 15.5, and this picture needs numbers up to 100"),
        (lambda: demos.harmonic("fp17"), "fp17"),
        (lambda: demos.harmonic(mode="up"), "mode='up'"),
    ],
)
def test_what_cannot_be_shown_is_refused(call, says):
    with pytest.raises(ValueError, match=says.replace("^", r"\^")):
        call()


def test_numbers_and_formats_as_titles_need_them():
    assert [number(x) for x in (1e4, 0.1, 1e12, float("nan"), float("inf"))] == ["10,000", "0.1", "1e+12", "nan", "inf"]
    assert several(["fp16", fs.E5M2]) == (fs.BINARY16, fs.E5M2)


# --- refinement -----------------------------------------------------------------------------------------------------


def test_refinement_converges_for_the_condition_numbers_of_the_papers():
    half, brain = demos.refinement("binary16"), demos.refinement("bfloat16")
    assert [half.limit(way) for way in ("LU", "LU, scaled", "GMRES, scaled")] == [None, 1e4, 1e8]
    assert [brain.limit(way) for way in ("LU", "LU, scaled", "GMRES, scaled")] == [1e2, 1e3, 1e8]
    assert not half.fits[0].any()
    assert half.fits[1:].all()
    assert brain.fits.all()
    assert (np.diff(half.steps[1, :4]) >= 0).all()
