"""explain equals what the operations return, flags included, and its steps are true of the numbers they speak of."""

import math
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fp16sim as fs
from fp16sim import exact, explain
from fp16sim.explain import basic_operations as operations
from fp16sim.formats import Format, Rounding

from .explain_checks import check_exact, check_step
from .support import DETERMINISTIC, MODES, TOY, TOYS, assert_same_codes, bit_patterns, count_cases, held_values, pairs

pytestmark = pytest.mark.usefixtures("quiet")

SMALL = Format("small", width=5, precision=3)
SMALLS = (
    SMALL,
    replace(SMALL, name="small_saturating", saturate=True),
    replace(SMALL, name="small_flushing", subnormals="flush_to_zero"),
    replace(SMALL, name="small_flushing_to_nearest", subnormals="flush_to_nearest"),
    replace(SMALL, name="small_flushing_inputs", subnormals="flush_inputs"),
    Format("small_fn", width=5, precision=3, specials="nan"),
    replace(fs.E2M1FN, nan_code=8),
)
BINARY = ("add", "subtract", "multiply", "divide")


# --- all pairs ------------------------------------------------------------------------------------------------------


def compare_all_pairs(name, fmt, mode, values):
    """Results, steps and flags of an operation on all pairs; flags by asking fs of all pairs with the same ones."""
    a, b = pairs(values)
    operands = [
        [operations.operand(side, x, fmt, mode, None if mode is not Rounding.STOCHASTIC else rng()) for x in values]
        for side in "ab"
    ]
    checked = set()
    found, by_flags = np.empty(a.size), defaultdict(list)
    for k in range(a.size):
        i, j = divmod(k, len(values))
        why = operations.operate_on(name, (operands[0][i], operands[1][j]), fmt, mode, 0)
        if why.exact.value not in checked:  # the same number is rounded in the same steps
            check_step(why.rounding)
            checked.add(why.exact.value)
        check_exact(why)
        found[k] = float(why.result.value)
        by_flags[why.flags].append(k)
    # A draw of 0 goes up wherever anything is cut off.
    draws = {"rng": AllUp()} if mode is Rounding.STOCHASTIC else {}
    operation = getattr(fs, name)
    assert_same_codes(found, operation(a, b, fmt, mode, **draws), fmt, "explain: all pairs", inputs=[a, b])
    for flags, where in by_flags.items():
        with fs.record_flags() as raised:
            operation(a[where], b[where], fmt, mode, **draws)
        assert raised.names() == flags
        assert all(getattr(raised, flag).count == len(where) for flag in flags)


class AllUp(np.random.Generator):
    """Draws of 0."""

    def __init__(self):
        super().__init__(np.random.PCG64(0))

    def integers(self, low, high=None, size=None, dtype=np.int64, endpoint=False):
        return np.zeros(size, dtype)


def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", BINARY)
def test_all_pairs_of_a_small_format_are_explained_as_they_are_computed(name, mode):
    compare_all_pairs(name, SMALL, mode, held_values(SMALL))


@pytest.mark.parametrize("fmt", SMALLS[1:], ids=str)
@pytest.mark.parametrize("name", ["add", "multiply", "divide"])
def test_formats_that_saturate_flush_or_lack_specials_are_explained_as_they_compute(name, fmt):
    values = held_values(fmt)[::2] if fmt.width > 4 else held_values(fmt)
    for mode in (Rounding.TIES_TO_EVEN, Rounding.TOWARD_NEGATIVE):
        compare_all_pairs(name, fmt, mode, values)


@pytest.mark.exhaustive
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("fmt", [*TOYS, fs.E4M3FN], ids=str)
def test_all_pairs_of_the_toys_and_of_e4m3fn(fmt, name, mode):
    compare_all_pairs(name, fmt, mode, held_values(fmt, 3 if fmt.width == 8 else 1))


@pytest.mark.parametrize("mode", DETERMINISTIC)
def test_roots_and_fused_products_of_a_small_format(mode):
    values = held_values(SMALL)
    for x in values:
        why = explain.sqrt(x, SMALL, mode)
        check_step(why.rounding)
        check_exact(why)
        assert_same_codes([float(why.result.value)], [fs.sqrt(x, SMALL, mode)], SMALL)
    for a in values[::5]:
        for b in values[::4]:
            for c in values[1::5]:
                why = explain.fma(a, b, c, SMALL, mode)
                check_step(why.rounding)
                with fs.record_flags() as raised:
                    y = fs.fma(a, b, c, SMALL, mode)
                assert_same_codes([float(why.result.value)], [y], SMALL, "explain: fma", inputs=[[a], [b], [c]])
                assert why.flags == raised.names()


# --- 16 bits --------------------------------------------------------------------------------------------------------

FORMATS = (
    fs.BINARY16,
    fs.BFLOAT16,
    fs.E4M3FN,
    fs.E5M2,
    replace(fs.E2M1FN, nan_code=0),
    replace(fs.BINARY16, name="saturating", saturate=True),
    replace(fs.BFLOAT16, name="flushing", subnormals="flush_inputs"),
)
NUMBERS = st.one_of(
    st.floats(width=16),
    st.floats(),
    st.integers(-70000, 70000),
    st.fractions(max_denominator=10**6),
    st.builds(lambda n, e: Fraction(n) * Fraction(2) ** e, st.integers(-4097, 4097), st.integers(-150, 130)),
)


def agree(why, call):
    """The explained result and flags are those of the call, for a scalar."""
    with fs.record_flags() as raised:
        y = call()
    count_cases(1, "explain: any numbers")
    assert bit_patterns(float(why.result.value)) == bit_patterns(y)
    assert why.flags == raised.names()
    check_step(why.rounding)
    check_exact(why)
    for x in why.operands:
        if x.rounding is not None:
            check_step(x.rounding)


@settings(max_examples=100)
@given(st.sampled_from(FORMATS), st.sampled_from(MODES), st.sampled_from(BINARY), NUMBERS, NUMBERS, st.integers(0, 99))
def test_any_two_numbers_are_explained_as_they_are_computed(fmt, mode, name, a, b, seed):
    why = getattr(explain, name)(a, b, fmt, mode, rng=seed)
    agree(why, lambda: getattr(fs, name)(a, b, fmt, mode, rng=seed))


@settings(max_examples=60)
@given(st.sampled_from(FORMATS), st.sampled_from(MODES), NUMBERS, NUMBERS, NUMBERS, st.integers(0, 99))
def test_any_three_numbers_and_any_one(fmt, mode, a, b, c, seed):
    agree(explain.fma(a, b, c, fmt, mode, rng=seed), lambda: fs.fma(a, b, c, fmt, mode, rng=seed))
    agree(explain.sqrt(a, fmt, mode, rng=seed), lambda: fs.sqrt(a, fmt, mode, rng=seed))
    agree(explain.rounding(a, fmt, mode, rng=seed), lambda: fs.round_to(a, fmt, mode, rng=seed))


@settings(max_examples=60)
@given(st.sampled_from(FORMATS), NUMBERS, NUMBERS, st.sampled_from(BINARY))
def test_every_mode_is_listed_with_what_it_gives(fmt, a, b, name):
    for result in getattr(explain, name)(a, b, fmt).modes:
        chances = {outcome.code: outcome.probability for outcome in result.outcomes}
        assert sum(chances.values()) == 1
        if result.mode is not Rounding.STOCHASTIC:
            with fs.record_flags() as raised:
                y = getattr(fs, name)(a, b, fmt, result.mode)
            assert [bit_patterns(float(o.value)) for o in result.outcomes] == [bit_patterns(y)]
            assert result.flags == raised.names()
            with fs.record_flags(tininess="before") as before:
                getattr(fs, name)(a, b, fmt, result.mode)
            other = getattr(explain, name)(a, b, fmt, result.mode, tininess="before")
            assert other.flags == before.names() == next(m.flags for m in other.modes if m.mode is result.mode)
        else:
            drawn = {
                fs.exact.encode(float(getattr(fs, name)(a, b, fmt, "stochastic", rng=k)), PLAIN[fmt]) for k in range(3)
            }
            assert drawn <= set(chances)


PLAIN = {fmt: replace(fmt, saturate=False, subnormals="gradual") for fmt in FORMATS}


@settings(max_examples=60)
@given(NUMBERS.filter(lambda x: not isinstance(x, float) or math.isfinite(x)), st.sampled_from((fs.BINARY16, TOY)))
def test_the_mean_of_the_stochastic_outcomes_is_the_exact_number(x, fmt):
    modes = {result.mode: result for result in explain.rounding(x, fmt).modes}
    outcomes = modes[Rounding.STOCHASTIC].outcomes
    if all(exact.is_finite(o.value) for o in outcomes):
        assert sum(Fraction(o.value) * o.probability for o in outcomes) == Fraction(x)


# --- other ways -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.BFLOAT16], ids=str)
@pytest.mark.parametrize("mode", DETERMINISTIC)
def test_detours_are_what_numpy_hardware_gives_rounded_again(fmt, mode):
    values = fs.round_to(np.random.default_rng(3).normal(size=24) * 2.0 ** np.arange(-12, 12), fmt)
    differing = 0
    for name in ("add", "multiply", "divide"):
        for a, b in zip(values, values[::-1] / 64, strict=True):
            b = float(fs.round_to(b, fmt))
            why = getattr(explain, name)(float(a), b, fmt, mode)
            for detour, dtype in zip(why.detours, (np.float32, np.float64), strict=True):
                wide = getattr(np, name)(dtype(a), dtype(b))
                assert bit_patterns(float(detour.between)) == bit_patterns(wide)
                assert bit_patterns(float(detour.value)) == bit_patterns(fs.round_to(wide, fmt, mode))
                assert detour.differs == (detour.code != why.result.code)
                differing += detour.differs
    if mode is Rounding.TIES_TO_EVEN:
        assert not differing  # Figueroa: 24 bits are 2p + 2 and more


@pytest.mark.parametrize("blank", ["\n", "\t", "\r\n", " \n  "])
def test_a_text_of_several_lines_is_explained_like_one_of_one_line(blank):
    given, plain = (str(fs.explain.parse(f"-6 ×{space}2^1988")) for space in (blank, " "))
    assert "".join(given.split()) == "".join(plain.split())
