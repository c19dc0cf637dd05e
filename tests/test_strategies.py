"""The strategies: evenly over the codes, rare classes often enough, bounds kept, and failures shrink to simple ones."""

import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

import fp16sim as fs
from fp16sim import exact, faults
from fp16sim.faults.roundings import right
from fp16sim.formats import Rounding
from fp16sim.teach import strategies as fst

from .support import bit_patterns

pytestmark = pytest.mark.usefixtures("quiet")
EVEN = Rounding.TIES_TO_EVEN
INF = math.inf


def drawn(strategy, count, start=0):
    """What a property of this many examples gets to see."""
    found = []

    @seed(start)
    @settings(max_examples=count, database=None, derandomize=False, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def collect(x):
        found.append(x)

    collect()
    return found


@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.BFLOAT16], ids=str)
def test_two_thousand_draws_are_nearly_all_different_and_every_class_is_among_them(fmt):
    x = np.array(drawn(fst.floats(fmt), 2000))
    codes = fs.encode(x, fmt).astype(int)
    assert x.size == 2000
    assert len(set(codes.tolist())) >= 0.95 * x.size
    magnitude = codes & 0x7FFF
    trailing, field = magnitude & (2**fmt.trailing_bits - 1), magnitude >> fmt.trailing_bits
    normal = (field > 0) & np.isfinite(x)
    share = {
        "infinity": np.isinf(x),
        "nan": np.isnan(x),
        "subnormal": (np.abs(x) < fmt.min_normal) & (x != 0),
        "power of two": normal & (trailing == 0),
        "neighbour of one": normal & ((trailing == 1) | (trailing == 2**fmt.trailing_bits - 1)),
        "negative": np.signbit(x),
    }
    assert dict.fromkeys(share, True) == {name: bool(found.mean() >= 0.01) for name, found in share.items()}
    assert (codes == 0x8000).any()
    assert 0.4 < np.signbit(x).mean() < 0.6


def wrong(name, task="rounding", fmt="binary16"):
    """A property that a buggy function breaks: whether it differs from the right one there."""
    fault = faults.find(name, task)

    def breaks(*operands):
        columns = tuple(np.array([x], object if isinstance(x, str) else None) for x in operands)
        got = np.asarray(fault.answer(task, columns, fmt))[0]
        if task == "rounding":
            truth = right(columns[0], fs.get_format(fmt), EVEN)[0]
        else:
            truth = np.asarray(getattr(fs, task)(*operands, fmt) if task != "decode" else fs.decode(operands[0], fmt))
        return bit_patterns(got) != bit_patterns(truth)

    return breaks


# What a person would call the simplest case; found from any start, so the same for every seed.
MINIMAL = [
    ("ties_away", "rounding", lambda: fst.ties("binary16").map(float), 2049.0),
    ("ties_up", "rounding", lambda: fst.ties("binary16").map(float), 2049.0),
    ("late_overflow", "rounding", lambda: fst.near_overflow("binary16"), 65520.0),
    ("flushes", "rounding", lambda: fst.floats("binary16"), 2.0**-15),
    ("minus_zero", "rounding", lambda: fst.floats("binary16"), -0.0),
    ("inf_to_nan", "rounding", lambda: fst.floats("binary16"), INF),
    ("nan_to_zero", "rounding", lambda: fst.floats("binary16"), math.nan),
    ("root_zero", "sqrt", lambda: fst.floats("binary16"), -1.0),
    ("relative", "ulp", lambda: fst.floats("binary16", min_value=1), 1.5),
    ("away", "next_up", lambda: fst.floats("binary16", allow_nan=False).filter(bool), -1.0),
    ("bias_high", "decode", lambda: fst.codes("binary16"), 0x3C00),
    ("twos_complement", "decode", lambda: fst.codes("binary16"), 0xBC00),
]


@pytest.mark.parametrize(("name", "task", "strategy", "simplest"), MINIMAL, ids=[row[0] for row in MINIMAL])
def test_a_buggy_function_shrinks_to_its_simplest_case(name, task, strategy, simplest):
    quick = settings(max_examples=3000, database=None, deadline=None)
    found = find(strategy(), wrong(name, task), settings=quick, random=random.Random(1))
    assert bit_patterns(found) == bit_patterns(simplest), found


def test_a_buggy_addition_shrinks_to_small_numbers():
    pair = find(fst.cancelling_pairs("binary16"), lambda ab: wrong("minus_zero_sum", "add")(*ab))
    assert pair == (1.0, -1.0)


# --- bounds ---------------------------------------------------------------------------------------------------------

FEW = settings(max_examples=60, database=None, deadline=None)


@FEW
@given(st.data())
def test_what_is_drawn_is_of_the_format_and_within_its_bounds(data):
    fmt = data.draw(st.sampled_from([fs.BINARY16, fs.BFLOAT16, fs.E4M3FN, fs.E2M1FN, fs.BINARY32, fs.BINARY64]))
    low, high = sorted(data.draw(fst.floats(fmt, allow_nan=False, allow_infinity=False)) for _ in range(2))
    out_low, out_high = data.draw(st.booleans()), data.draw(st.booleans())
    try:
        strategy = fst.floats(fmt, low, high, exclude_min=out_low, exclude_max=out_high)
    except InvalidArgument:
        assert low == high or out_low or out_high
        return
    x = data.draw(strategy)
    assert low <= x <= high
    assert not (out_low and x == low and math.copysign(1, x) == math.copysign(1, low))
    assert not (out_high and x == high and math.copysign(1, x) == math.copysign(1, high))
    assert exact.round_to(x, fmt) == x


@FEW
@given(fst.floats("binary16", 100, 110), fst.floats("binary16", allow_subnormal=False, allow_nan=False))
def test_a_narrow_interval_and_no_subnormals(x, y):
    assert 100 <= x <= 110
    assert fs.round_to(x) == x
    assert y == 0 or abs(y) >= 2**-14


@FEW
@given(fst.floats("binary16", 0.0, 3 * 2.0**-16), fst.floats("e5m2", -3 * 2.0**-16, -(2.0**-16)))
def test_between_subnormal_bounds_every_number_is_of_the_format(x, y):
    assert fs.round_to(x) == x
    assert fs.round_to(y, "e5m2") == y


def test_a_narrow_interval_is_filled():
    assert set(drawn(fst.floats("e4m3fn", 104, 192), 200)) == {104.0, 112.0, 120.0, 128.0, 144.0, 160.0, 176.0, 192.0}
    assert set(map(str, drawn(fst.floats("binary16", 0.0, 0.0), 5))) == {"0.0"}
    assert set(map(str, drawn(fst.floats("binary16", -0.0, 0.0), 9))) == {"0.0", "-0.0"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"min_value": 0.1}, "min_value=0.1 cannot be exactly represented in binary16 - use min_value=0.0999755859375"),
        (
            {"min_value": 2, "max_value": 1},
            "no binary16 floating-point values between min_value=2 and max_value=1",
        ),
        ({"min_value": 1, "allow_nan": True}, "Cannot have allow_nan=True, with min_value or max_value"),
        ({"min_value": 1, "max_value": 2, "allow_infinity": True}, "Cannot have allow_infinity=True, with both"),
        ({"min_value": 1, "allow_subnormal": True}, "allow_subnormal=True, but minimum value 1.0 excludes"),
        ({"max_value": -1, "allow_subnormal": True}, "allow_subnormal=True, but maximum value -1.0 excludes"),
        ({"exclude_min": True}, "Cannot exclude min_value=None"),
        ({"min_value": "x"}, "Cannot use min_value='x'"),
        ({"min_value": math.nan}, "NaN is not a bound"),
        ({"fmt": "e4m3fn", "allow_infinity": True}, "e4m3fn has no infinity"),
        ({"fmt": "e2m1fn", "allow_nan": True}, "e2m1fn has no NaN"),
        ({"min_value": 1, "max_value": 1, "exclude_max": True}, "There are no"),
    ],
)
def test_arguments_that_contradict_each_other_are_refused_as_hypothesis_does(arguments, says):
    with pytest.raises(InvalidArgument) as caught:
        fst.floats(**arguments)
    assert says in str(caught.value)


def test_one_sided_bounds_reach_infinity_unless_it_is_excluded():
    assert INF in drawn(fst.floats("binary16", min_value=60000), 300)
    assert INF not in drawn(fst.floats("binary16", min_value=60000, allow_infinity=False), 300)
    assert -INF not in drawn(fst.floats("binary16", min_value=60000), 100)


# --- the others -----------------------------------------------------------------------------------------------------


@FEW
@given(st.data(), fst.formats(12))
def test_ties_lie_midway_between_two_neighbours(data, fmt):
    tie = data.draw(fst.ties(fmt))
    down, up = (Fraction(exact.round_to(abs(tie), fmt, mode)) for mode in ("toward_zero", "toward_zero"))
    assert isinstance(tie, Fraction)
    assert down < abs(tie)
    step = Fraction(float(fs.ulp(float(down), fmt)))
    assert abs(tie) - down == step / 2
    assert up == down


@FEW
@given(fst.cancelling_pairs("bfloat16"), fst.absorbing_pairs("bfloat16"), fst.absorbing_pairs("e4m3fn"))
def test_pairs_cancel_exactly_and_are_absorbed(cancelling, absorbing, narrow):
    a, b = cancelling
    assert exact.add(a, b, "bfloat16") == Fraction(a) + Fraction(b)
    for (a, b), fmt in ((absorbing, "bfloat16"), (narrow, "e4m3fn")):
        assert b != 0
        assert exact.add(a, b, fmt) == a


@FEW
@given(fst.near_overflow("binary16"), fst.near_underflow("binary16"), fst.reals("binary16"))
def test_what_is_near_an_end_is_near_it(over, under, real):
    assert abs(abs(over) - 65504) <= 129
    assert min(abs(under), abs(abs(under) - 2**-14)) <= 2**-22 + 2**-40
    assert isinstance(real, float)


@FEW
@given(fst.arrays("binary16", (3, 2), allow_nan=False), fst.codes("e4m3fn"), fst.modes(stochastic=True), fst.formats(8))
def test_arrays_codes_modes_and_formats_are_what_they_say(x, code, mode, fmt):
    assert x.shape == (3, 2)
    assert x.dtype == np.float64
    assert (fs.round_to(x) == x).all()
    assert 0 <= code < 256
    assert isinstance(mode, Rounding)
    assert fmt.width <= 8


def test_reals_are_mostly_no_numbers_of_the_format_and_find_double_rounding():
    x = np.array(drawn(fst.reals("binary16"), 200))
    inexact = np.isfinite(x) & (np.abs(x) < 65520) & (fs.round_to(x) != x)
    assert inexact.mean() > 0.4
    found = find(fst.reals("binary16"), wrong("float32"), settings=settings(max_examples=3000, database=None))
    assert fs.round_to(np.float64(np.float32(found))) != fs.round_to(found)


def test_no_plugin_of_hypothesis_is_installed():
    from importlib.metadata import entry_points

    assert not [entry for entry in entry_points(group="hypothesis") if "fp16sim" in entry.value]


# --- formats unlike IEEE 754's --------------------------------------------------------------------------------------


@settings(FEW, max_examples=25)
@given(st.data(), fst.formats(12, unusual=True))
def test_numbers_of_an_unusual_format_have_its_signs_and_zeros(data, fmt):
    x = data.draw(fst.floats(fmt))
    assert math.isnan(x) or exact.round_to(x, fmt) == x
    assert math.isnan(x) or fmt.signed or x >= 0
    assert x != 0 or (fmt.zero and (fmt.has_negative_zero or not exact.is_negative(x)))
    assert isinstance(data.draw(fst.reals(fmt)), float)
    assert fst.ties(fmt) is not None
    for pairs in (fst.cancelling_pairs, fst.absorbing_pairs):
        strategy = offered(pairs, fmt)
        if strategy is not None:
            assert all(exact.round_to(part, fmt) == part for part in data.draw(strategy))


def offered(pairs, fmt):
    """The strategy for pairs of a format; None if it is refused, which must be by name."""
    try:
        return pairs(fmt)
    except InvalidArgument as refused:
        return None if fmt.name in str(refused) else pytest.fail(str(refused))


def test_unusual_formats_are_drawn_only_if_they_are_asked_for():
    usual, unusual = (drawn(fst.formats(16, unusual=asked), count) for asked, count in ((False, 40), (True, 120)))
    assert all(fmt.signed and fmt.zero and fmt.has_negative_zero and fmt.precision > 1 for fmt in usual)
    for lacks in (
        lambda fmt: not fmt.signed,
        lambda fmt: fmt.signed and not fmt.has_negative_zero,
        lambda fmt: fmt.precision == 1,
        lambda fmt: fmt.name.startswith("binary8p"),
        lambda fmt: fmt.has_negative_zero,
    ):
        assert any(map(lacks, unusual))
    assert find(fst.formats(8, unusual=True), lambda fmt: not fmt.zero) == fs.E8M0FNU


def test_a_bound_below_zero_is_refused_in_a_format_without_sign():
    with pytest.raises(InvalidArgument, match="Invalid min_value=-1: e8m0fnu has no negative numbers"):
        fst.floats("e8m0fnu", -1)
    with pytest.raises(InvalidArgument, match="fmt=binary8p3uf has no negative numbers, so that nothing cancels"):
        fst.cancelling_pairs("binary8p3uf")
