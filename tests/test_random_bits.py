"""Stochastic rounding with few random bits: as hardware has it, with and without half a unit added."""

import pickle
from copy import deepcopy
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import exact
from fp16sim.formats import Format, p3109

from .support import TOY, Draws, assert_same_codes, count_cases

pytestmark = pytest.mark.usefixtures("quiet")

FORMATS = [fs.BINARY16, fs.BFLOAT16, fs.E4M3FN, fs.E2M1FN, TOY, replace(fs.BINARY16, subnormals="flush_to_nearest")]
FORMATS += [replace(fs.E5M2, saturate=True), p3109(6, 1), fs.E4M3FNUZ]
MODES = [fs.Rounding(f"stochastic_{bits}{half}") for bits in (1, 3, 8, 32) for half in ("", "_half")]


def points(fmt, rng):
    """Numbers of every size, with few and with many bits beyond the last place; overflow, zeros and specials."""
    e = rng.integers(fmt.quantum_exponent_min - 4, fmt.emax + 2, 120)
    x = np.ldexp(rng.choice([1, -1], 120) * (1 + rng.integers(0, 2**30, 120) * 2.0**-30), e)
    x[::2] = np.ldexp(rng.choice([1, -1], 60) * (1 + rng.integers(0, 2**9, 60) * 2.0**-9), e[::2])
    top = float(fmt.max_finite)
    special = [0.0, -0.0, np.inf, -np.inf, top, -top, top * (1 + 2.0**-30), top * 1.01]
    return np.concatenate([x, special, [np.nan] * fmt.has_nan])


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_arrays_round_as_the_exact_layer_does_with_its_flags(mode, fmt):
    x = points(fmt, np.random.default_rng(1))
    draws = np.random.default_rng(9).integers(0, 2**32, x.size, dtype=np.uint32).tolist()
    judged = [exact.round_operand(exact.as_exact(float(v)), fmt, mode, draw) for v, draw in zip(x, draws, strict=True)]
    with fs.record_flags() as raised:
        ours = fs.round_to(x, fmt, mode, rng=9)
    assert_same_codes(ours, [float(result.value) for result in judged], fmt, "random bits: exact", inputs=[x])
    counted = {name: sum(name in result.flags for result in judged) for name in raised.names()}
    assert {name: getattr(raised, name).count for name in raised.names()} == counted
    assert set().union(*(result.flags for result in judged)) == set(raised.names())
    texts = [str(Fraction(v)) for v in x if np.isfinite(v)]  # one by one, in the exact layer
    kept = np.isfinite(x) & ~((x == 0) & np.signbit(x))
    one_by_one = fs.round_to(texts, fmt, mode, rng=Draws(2**31))
    assert_same_codes(one_by_one[kept[np.isfinite(x)]], fs.round_to(x[kept], fmt, mode, rng=Draws(2**31)), fmt)


@pytest.mark.parametrize(("half", "theirs"), [("", "StochasticFastest"), ("_half", "StochasticFast")])
@pytest.mark.parametrize("bits", [1, 2, 5, 8])
def test_rounding_is_that_of_gfloat_given_the_same_random_bits(bits, half, theirs):
    gfloat = pytest.importorskip("gfloat", reason="an independent implementation of hardware's random bits")
    from gfloat import formats

    info, rng = formats.format_info_ocp_e4m3, np.random.default_rng(3)
    for x in np.ldexp(1 + rng.random(60), rng.integers(-12, 8, 60)):
        for random in {0, 1, 2**bits - 1, int(rng.integers(2**bits))}:
            expected = gfloat.round_float(info, float(x), gfloat.RoundMode[theirs], srbits=random, srnumbits=bits)
            # They are added there; here the complement is compared.
            draw = (2**bits - 1 - random) << (32 - bits)
            assert fs.round_to(x, "e4m3fn", f"stochastic_{bits}{half}", rng=Draws(draw)) == expected
            count_cases(1, "random bits: gfloat")


@pytest.mark.parametrize("bits", [1, 2, 3, 4])
@pytest.mark.parametrize("half", ["", "_half"])
def test_of_all_random_bits_as_many_round_up_as_the_fraction_has_units(bits, half):
    mode, units = fs.Rounding(f"stochastic_{bits}{half}"), 2**bits
    for n in range(129):
        rest = Fraction(n, 128)
        x = 1 + rest / 4  # in the toy format, between 1 and 1.25
        draws = [random << (32 - bits) for random in range(units)]
        ups = sum(exact.round_result(x, TOY, mode, draw).value > 1 for draw in draws)
        expected = n * units // 128 if not half else (2 * n * units + 128) // 256
        assert ups == expected
        assert Fraction(ups, units) == (exact.chance_of_up(rest, mode) if n < 128 else 1)
        assert sum(fs.round_to(float(x), TOY, mode, rng=Draws(draw)) > 1 for draw in draws) == expected


@pytest.mark.parametrize("given", ["0.3", "1/3", "-1.3", "3e-9"])
@pytest.mark.parametrize("mode", ["stochastic_3", "stochastic_3_half", "stochastic_1", "stochastic"])
def test_explain_gives_the_exact_mean_of_all_random_bits(mode, given):
    mode = fs.Rounding(mode)
    why = fs.explain.rounding(given, "binary16", mode, rng=1)
    x = Fraction(given)
    bits = mode.random_bits
    found = next(result for result in why.modes if result.mode is mode)
    if bits is None:
        assert found.mean == x
        assert "Bias" not in str(why)
        return
    results = [exact.round_result(x, fs.BINARY16, mode, draw << (32 - bits)).value for draw in range(2**bits)]
    assert found.mean == sum(map(Fraction, results)) / 2**bits
    assert abs(found.mean) <= abs(x) or mode.adds_half
    assert "Bias: with" in str(why)
    assert f"{mode}: " in str(why)
    assert f"{bits} random bit" in " ".join(why.to_dict()["remarks"])
    assert {why.rounding.below.probability, why.rounding.above.probability} >= {o.probability for o in found.outcomes}


def test_a_mean_that_some_result_has_no_value_for_is_none():
    why = fs.explain.rounding(65510, "binary16", "stochastic_8", rng=1)
    assert [result.mean for result in why.modes if result.mode.random] == [None, None]


@pytest.mark.parametrize("mode", ["stochastic_4", "stochastic_32_half"])
def test_operations_and_arrays_take_the_mode(mode):
    a, b = np.float64([[0.3], [0.7]]), np.float64([0.1, 0.2, 1.0])
    fmt, chosen = Format("small", width=8, precision=4), fs.Rounding(mode)
    draws = iter(np.random.default_rng(5).integers(0, 2**32, 11, dtype=np.uint32).tolist())
    ra, rb = ([exact.round_operand(exact.as_exact(v), fmt, chosen, next(draws)).value for v in x.flat] for x in (a, b))
    judged = [[float(exact.operate("divide", (x, y), fmt, chosen, next(draws)).value) for y in rb] for x in ra]
    assert_same_codes(fs.divide(a, b, fmt, mode, rng=5), judged, fmt)
    ratio = fs.array([0.25], fmt, mode, rng=7) / 3  # of the three roundings, one changes its number
    assert ratio.mode is chosen
    draw = int(np.random.default_rng(7).integers(0, 2**32, 3, dtype=np.uint32)[2])
    judged = exact.operate("divide", (Fraction(1, 4), Fraction(3)), fmt, chosen, draw).value
    assert ratio.tolist() == [float(judged)]


def test_a_sum_with_few_random_bits_falls_short():
    terms, true = np.full((8, 4096), 2.0**-6), 4096 * 2.0**-6
    found = {
        mode: np.mean(fs.sum(terms, "bfloat16", mode, axis=1, rng=1))
        for mode in ("stochastic", "stochastic_2", "stochastic_8")
    }
    assert found["stochastic_2"] < true / 2  # a fraction below 1/4 is never rounded up
    assert abs(found["stochastic"] - true) < true / 10
    assert abs(found["stochastic_8"] - true) < true / 10


@pytest.mark.parametrize("mode", MODES)
def test_the_mode_is_one_object_and_text_everywhere(mode):
    assert fs.Rounding(str(mode)) is mode
    assert pickle.loads(pickle.dumps(mode)) is deepcopy(mode) is mode
    assert mode == f"stochastic_{mode.random_bits}{'_half' * mode.adds_half}"
    assert mode not in list(fs.Rounding)
    assert mode.random
    assert not mode.nearest
    assert fs.array(0.1, "binary16", str(mode).upper().replace("_", "-"), rng=1).mode is mode


@pytest.mark.parametrize("text", ["stochastic_0", "stochastic_33", "stochastic_99_half", "stochastic_08"])
def test_other_numbers_of_random_bits_are_refused(text):
    with pytest.raises(ValueError, match=rf"mode='{text}': .* 1 to 32 random bits; write stochastic_8"):
        fs.round_to(0.1, "binary16", text)
