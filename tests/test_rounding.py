"""round_to: every toy format against the exact layer, every 16-bit value and midpoint by construction."""

from dataclasses import replace

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import exact
from fp16sim.formats import Format, Rounding

from . import support
from .support import BYTES, DETERMINISTIC, MODES, TOYS, Draws, assert_same_codes, expected_flags

pytestmark = pytest.mark.usefixtures("quiet")

SIXTEEN = (fs.BINARY16, fs.BFLOAT16)
ODD_DRAWS = (0, 1, 2**31 - 1, 2**31, 2**32 - 1, 0x12345678, 3 << 30)

# --- the small formats, in full -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fmt", TOYS + BYTES, ids=str)
def test_a_small_format_rounds_all_its_landmarks_as_the_exact_layer_does(fmt, mode):
    x = support.landmarks(fmt)
    draws = [ODD_DRAWS[i % len(ODD_DRAWS)] for i in range(x.size)]
    values = [exact.as_exact(v) for v in x]
    got, flags = support.raised_by(lambda: fs.round_to(x, fmt, mode, rng=Draws(*ODD_DRAWS)))
    for tininess in support.TININESS:
        results = [exact.round_operand(v, fmt, mode, d, tininess) for v, d in zip(values, draws, strict=True)]
        assert_same_codes(got, [float(r.value) for r in results], fmt, "toys: round_to", [x], mode=mode)
        assert flags[tininess] == expected_flags((r.flags for r in results), x.shape)


@pytest.mark.parametrize("mode", DETERMINISTIC)
@pytest.mark.parametrize("fmt", [*SIXTEEN, fs.TF32, fs.BINARY32, fs.BINARY64], ids=str)
def test_a_wide_format_rounds_random_and_edge_numbers_as_the_exact_layer_does(fmt, mode):
    rng = np.random.default_rng(7)
    edges = np.ldexp(1.0, [fmt.emin - fmt.precision - 1, fmt.quantum_exponent_min, fmt.emin, 0, fmt.emax])
    edges = np.concatenate([edges, edges * (2 - float(fmt.unit_roundoff)), [fmt.max_finite]])
    any_bits = rng.integers(0, 2**64, 300, dtype=np.uint64).view(np.float64)
    in_range = rng.normal(size=300) * 2.0 ** rng.integers(max(fmt.emin, -1022) - 12, min(fmt.emax + 2, 1023), 300)
    x = np.concatenate([any_bits[~np.isnan(any_bits)], in_range, support.around(edges)])
    got, flags = support.raised_by(lambda: fs.round_to(x, fmt, mode))
    for tininess in support.TININESS:
        results = [exact.round_operand(exact.as_exact(v), fmt, mode, 0, tininess) for v in x]
        assert_same_codes(got, [float(r.value) for r in results], fmt, "exact: round_to", [x], mode=mode)
        assert flags[tininess] == expected_flags((r.flags for r in results), x.shape)


# --- binary16 and bfloat16, in full: what is expected follows from the order of the codes, without any rounding ------


def neighbourhoods(fmt, dtype):
    """(x, lo, hi, place): the numbers around every gap of the positive values, and where in the gap each one lies.

    Places: 0 on lo, 1 just above it, 2 just below the midpoint, 3 on it, 4 just above it, 5 just below hi. Above
    max_finite hi is infinity, and the gap ends at 2^(emax + 1).
    """
    lo = support.positive_values(fmt).astype(dtype)
    with np.errstate(all="ignore"):  # 2^128 is infinity in float32, and so is its distance from max_finite
        end = np.append(lo[1:], np.ldexp(1.0, fmt.emax + 1)).astype(dtype)
        middle = lo + (end - lo) / 2
    middle[-1] = lo[-1] + (lo[-1] - lo[-2]) / 2
    up, down = (lambda v: np.nextafter(v, dtype(np.inf))), (lambda v: np.nextafter(v, dtype(0)))
    x = np.stack([lo, up(lo), down(middle), middle, up(middle), down(end)])
    hi = np.append(lo[1:], dtype(np.inf))
    return x, np.broadcast_to(lo, x.shape), np.broadcast_to(hi, x.shape), np.arange(6)[:, None] + 0 * x.astype(int)


def picked(lo, hi, place, mode, negative):
    """The neighbour that a mode picks: read off its definition."""
    odd = np.arange(lo.shape[1])[None, :] % 2 == 1  # the index of lo is its code, whose last bit is that of lo
    up = {
        Rounding.TIES_TO_EVEN: (place > 3) | ((place == 3) & odd),
        Rounding.TIES_TO_AWAY: place >= 3,
        Rounding.TOWARD_ZERO: place < 0,
        Rounding.TOWARD_POSITIVE: (place > 0) & (not negative),
        Rounding.TOWARD_NEGATIVE: (place > 0) & negative,
        Rounding.TO_ODD: (place > 0) & ~odd,
    }[mode]
    return np.where(up, hi, lo)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("mode", DETERMINISTIC)
@pytest.mark.parametrize("fmt", SIXTEEN, ids=str)
def test_every_value_midpoint_and_neighbour_goes_where_the_order_of_codes_says(fmt, mode, dtype):
    x, lo, hi, place = neighbourhoods(fmt, dtype)
    for sign in (dtype(1), dtype(-1)):
        expected = picked(lo, hi, place, mode, sign < 0)
        got, flags = support.raised_by(lambda: fs.round_to(sign * x, fmt, mode))  # noqa: B023
        assert got.dtype == dtype
        assert_same_codes(got, sign * expected, fmt, "16 bits: every gap", [sign * x], mode=mode)
        inexact = place > 0
        beyond = inexact & (lo == lo.max())
        # Inward modes overflow only beyond the gap; the others where the upper end was picked.
        for after in flags.values():
            assert after["inexact"][0] == np.count_nonzero(inexact)
            assert after.get("overflow", (0,))[0] == np.count_nonzero(beyond & (expected == np.inf))
        assert flags["before"]["underflow"][0] == np.count_nonzero(inexact & (x < fmt.min_normal))


@pytest.mark.parametrize("fmt", SIXTEEN, ids=str)
def test_a_stochastic_step_at_every_gap_depends_on_the_draw_alone(fmt):
    x, lo, hi, place = neighbourhoods(fmt, np.float64)
    # Just above lo no draw goes up but those below 2^32 * 2^-40; around the midpoint those of the lower half do.
    for draw, first_up in ((0, 2), (2**31 - 1, 2), (2**31, 5), (2**32 - 1, 5)):
        got = fs.round_to(-x, fmt, "stochastic", rng=Draws(draw))
        assert_same_codes(got, -np.where(place >= first_up, hi, lo), fmt, "16 bits: stochastic", [-x], draw=draw)


@pytest.mark.parametrize("mode", DETERMINISTIC)
@pytest.mark.parametrize("fmt", [*SIXTEEN, fs.E4M3FN, replace(fs.E5M2, saturate=True)], ids=str)
def test_beyond_the_largest_number_each_mode_does_as_the_table_says(fmt, mode):
    huge = [2.0 * fmt.max_finite, 1e308, "1e400"]
    inward = mode in ("toward_zero", "to_odd", "toward_negative")
    bound = fmt.max_finite if fmt.saturate or inward else np.inf if fmt.has_infinity else np.nan
    assert_same_codes(fs.round_to(huge, fmt, mode), bound, fmt, mode=mode)
    infinity = fmt.max_finite if fmt.saturate else np.inf if fmt.has_infinity else np.nan
    assert_same_codes(fs.round_to([np.inf, -np.inf], fmt, mode), [infinity, -infinity], fmt, mode=mode)


@pytest.mark.parametrize("fmt", [*support.TOYS, fs.E4M3FN, replace(fs.E4M3FN, saturate=True), fs.E5M2], ids=str)
def test_to_odd_loses_digits_only_where_the_last_bit_is_1_or_the_flags_say_so(fmt):
    top = 4 * float(fmt.max_finite)
    x = np.arange(float(fmt.min_normal), top, top / 4096) * (1 + 2**-10)
    for value in x.tolist():
        result = exact.round_operand(exact.as_exact(value), fmt, Rounding.TO_ODD)
        lost, odd = result.value != exact.as_exact(value), exact.encode(result.value, fmt) % 2 == 1
        assert not lost or odd or "overflow" in result.flags, value
        assert result.value == fmt.max_finite or value < fmt.max_finite, value


def test_to_odd_beyond_a_largest_number_whose_last_bit_is_0_is_that_number():
    with fs.record_flags() as raised, np.errstate(over="ignore"):
        assert fs.round_to([448.1, -470.0, 600.0], "e4m3fn", "to_odd").tolist() == [448.0, -448.0, 448.0]
    assert (raised.overflow.count, raised.inexact.count) == (3, 3)
    assert fs.encode(448.0, "e4m3fn") % 2 == 0


def test_the_largest_double_below_a_half_does_not_round_to_one():
    toy = Format("integers", width=12, precision=8)
    assert fs.round_to(64 + 0.49999999999999994, replace(toy), "ties_to_away") == 64.5
    assert fs.round_to(0.49999999999999994 * 2**-24, "binary16", "ties_to_away") == 0.0
