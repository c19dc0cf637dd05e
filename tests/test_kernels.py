"""Every kernel equals the general path, bit for bit."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.formats import Format, Rounding
from fp16sim.rounding import kernels
from fp16sim.rounding.reference import round_float64

from .support import BYTES, DETERMINISTIC, MODES, TOYS, assert_same_codes, count_cases

pytestmark = pytest.mark.usefixtures("quiet")

SIXTEEN = (fs.BINARY16, fs.BFLOAT16)
SATURATING = replace(fs.BINARY16, name="binary16_saturating", saturate=True)
FLUSHING = replace(fs.BFLOAT16, name="bfloat16_flushing", subnormals="flush_to_zero")
WIDE = Format("wide_in_float64", width=50, precision=40)
FORMATS = (
    *SIXTEEN,
    fs.TF32,
    fs.BINARY32,
    *BYTES,
    *TOYS,
    SATURATING,
    FLUSHING,
    replace(fs.BINARY16, name="binary16_flushing_inputs", subnormals="flush_inputs"),
    replace(fs.BFLOAT16, name="bfloat16_saturating", saturate=True),
    Format("wide_exponent", width=11, precision=3),
    Format("narrow_range", width=24, precision=22),
    Format("no_range", width=18, precision=16),
    Format("too_precise", width=30, precision=23),
    WIDE,
)
CARRIERS = ("float32", "float64")
MIRRORED = {Rounding.TOWARD_POSITIVE: Rounding.TOWARD_NEGATIVE, Rounding.TOWARD_NEGATIVE: Rounding.TOWARD_POSITIVE}


def words(x):
    """The bits of floats, for comparison; NaNs of one sign are alike."""
    x = np.where(np.isnan(x), np.copysign(x.dtype.type(np.nan), x), x)
    return x.view({4: np.uint32, 8: np.uint64}[x.itemsize])


def assert_same_bits(actual, expected, fmt, given, **context):
    assert actual.dtype == expected.dtype
    if not np.array_equal(words(actual), words(expected)):
        assert_same_codes(actual, expected, fmt, "kernels", [given], **context)
        signs = np.signbit(actual) != np.signbit(expected)
        raise AssertionError(f"{fmt} {context}: NaN of the wrong sign for {given[signs][:5]}")
    count_cases(actual.size, "kernels")


def by_general_path(x, fmt, mode, draws=None):
    return round_float64(x.astype(np.float64), fmt, mode, draws).astype(x.dtype)


@lru_cache
def grid(carrier):
    """Every exponent with patterns of bits around each midpoint, and a stride of all, of both signs; their order."""
    t, word, bits = (23, np.uint32, 31) if carrier == "float32" else (52, np.uint64, 63)
    tails = [k << s for s in range(t) for k in (1, 3, 5)] + [0, 2**t - 1, 2 ** (t - 1)]
    tails = np.unique(np.clip([u + d for u in tails for d in (-1, 0, 1)], 0, 2**t - 1)).astype(word)
    step = 1 if carrier == "float32" else 23
    exponents = np.arange(0, 1 << (bits - t), step, dtype=word)
    places = (exponents[:, None] << word(t) | tails).ravel()
    stride = np.arange(0, 1 << bits, (1 << bits) // 65521, dtype=word)
    x = np.concatenate([places, stride]).view(carrier)
    if carrier == "float64":  # and around what float32 and the 16-bit formats hold
        with np.errstate(all="ignore"):
            near = np.float64(grid("float32")[0][::11])
        x = np.concatenate([x, near, np.nextafter(near, np.inf), np.nextafter(near, 0)])
    x = np.concatenate([x, -x])
    return x, np.argsort(x)


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_a_kernel_equals_the_general_path_on_a_grid_of_all_numbers(fmt, carrier):
    """In one chunk, where all kinds of numbers meet, and sorted in small chunks, each with one kind of number."""
    mixed, order = grid(carrier)
    draws = np.random.default_rng(3).integers(0, 2**32, mixed.size, dtype=np.uint32)
    draws[::3] = np.resize(np.uint32([0, 1, 2**31 - 1, 2**31, 2**32 - 1]), draws[::3].size)
    for mode in MODES:
        kernel = kernels.find(fmt, mode, carrier)
        if kernel is None:
            continue
        bits = draws if mode is Rounding.STOCHASTIC else None
        expected = by_general_path(mixed, fmt, mode, bits)
        out = np.full_like(mixed, 77)
        kernel(mixed, out, bits, None, 1 << 26)
        assert_same_bits(out, expected, fmt, mixed, mode=mode)
        out = mixed[order]  # in place
        kernel(out, out, None if bits is None else bits[order], None, 1 << 13)
        assert_same_bits(out, expected[order], fmt, mixed[order], mode=mode)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.06, 0.07, 0.5])
@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_few_numbers_or_many_below_min_normal_are_rounded_stochastically_by_their_draws(fmt, share):
    rng, n = np.random.default_rng(11), 1 << 15
    low, high = max(fmt.emin, -126), min(fmt.emax, 126)  # below 2^emax, where other rules begin
    x = rng.uniform(1, 2, n) * np.exp2(rng.integers(low, high, n))
    small = float(fmt.min_normal) * np.where(rng.random(n) < 0.1, 1 - 2.0**-24, rng.uniform(0, 1, n) ** 9)
    x = np.float32(np.where(rng.random(n) < share, small, x) * rng.choice([1, -1], n))
    x[rng.random(n) < 0.2] *= 0  # zeros, of both signs, are not small
    draws = np.uint32(rng.integers(0, 2**32, n))
    draws[::5] = np.resize(np.uint32([0, 2**31, 2**32 - 1]), draws[::5].size)
    kernel = kernels.find(fmt, Rounding.STOCHASTIC, "float32")
    if kernel is None:
        pytest.skip("no kernel")
    expected = by_general_path(x, fmt, Rounding.STOCHASTIC, draws)
    for size in (1 << 26, 1 << 10):
        out = x.copy()
        kernel(out, out, draws, None, size)
        assert_same_bits(out, expected, fmt, x, size=size)


@pytest.mark.parametrize("carrier", CARRIERS)
def test_few_numbers_at_a_time_come_out_as_many_do(carrier):
    """Binary16 in ties to even rounds them in another way, and must report large ones, too."""
    x = np.sort(grid(carrier)[0])
    x = x[:: x.size // 40_000 + 1]
    kernel, expected = kernels.find(fs.BINARY16, Rounding.TIES_TO_EVEN, carrier), None
    for few in (kernels.FEW, kernels.FEW + 1):
        out, large = x.copy(), []
        for first in range(0, x.size, few):
            part = out[first : first + few]

            def remember(chunk, start, large=large, first=first):
                large.append(first)
                return False

            kernel(part, part, None, remember)
        expected = by_general_path(x, fs.BINARY16, Rounding.TIES_TO_EVEN) if expected is None else expected
        assert_same_bits(out, expected, fs.BINARY16, x, few=few)
        assert set(np.flatnonzero(~np.isfinite(expected)) // few) <= {first // few for first in large}


def test_few_numbers_keep_their_shape():
    x = np.float32([[0.1, -0.0], [1e-9, 70000.0]])
    for given in (x, x[:, :1].copy(), np.float32(0.1).reshape(())):
        assert_same_bits(
            fs.round_to(given, "binary16", out=np.empty_like(given)), np.float32(np.float16(given)), fs.BINARY16, given
        )


@pytest.mark.parametrize("specials", ["ieee", "nan", "one_nan"])
@pytest.mark.parametrize("carrier", CARRIERS)
def test_formats_of_small_numbers_keep_them_beside_a_large_one(carrier, specials):
    """Where emax is far below 0, no power of two of the carrier brings large and small results back at once."""
    for emax in (0, -22, -23, -51, -52, -100):
        fmt = Format("small", width=9, precision=5, specials=specials, bias=15 - emax)
        x = np.array([1.0, -1.25, 1.71875, 3.0, 100.0, np.inf], carrier) * np.array(2.0**fmt.emin, carrier)
        for mode in DETERMINISTIC:
            assert_same_bits(fs.round_to(x, fmt, mode), by_general_path(x, fmt, mode), fmt, x, mode=mode)


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan, 3.4e38, -3e33, 1e-40, -1e-45, -0.0, 65519.0, -65520.0])
@pytest.mark.parametrize("carrier", CARRIERS)
def test_one_odd_number_among_ordinary_ones_is_not_overlooked(odd, carrier):
    x = np.random.default_rng(0).normal(size=1 << 13).astype(carrier)
    x[4321] = odd
    draws = np.random.default_rng(1).integers(0, 2**32, x.size, dtype=np.uint32)
    for fmt in (*SIXTEEN, fs.TF32, fs.E4M3FN, FLUSHING):
        for mode in MODES:
            out = np.empty_like(x)
            kernels.find(fmt, mode, carrier)(x, out, draws)
            assert_same_bits(out, by_general_path(x, fmt, mode, draws), fmt, x, mode=mode)


@pytest.mark.parametrize("mode", MODES)
def test_there_is_a_kernel_for_each_mode_of_what_is_in_use(mode):
    for fmt in (*SIXTEEN, fs.TF32, *BYTES, SATURATING, FLUSHING):
        for carrier in CARRIERS:
            assert kernels.find(fmt, mode, carrier) is not None, (fmt, carrier)
    assert kernels.find(fs.BINARY64, mode, "float32") is None
    assert kernels.find(replace(fs.BINARY16, subnormals="flush_to_nearest"), mode, "float32") is None


@pytest.mark.parametrize("mode", DETERMINISTIC)
@pytest.mark.parametrize("fmt", [*BYTES, *TOYS], ids=str)
def test_a_small_format_takes_every_16_bit_number_as_the_general_path_does(fmt, mode):
    for wide in SIXTEEN:
        x = np.float32(fs.all_values(wide))
        expected = by_general_path(x, fmt, mode)
        # FLUSH_INPUTS takes small numbers for zeros before it rounds, which is not the kernel's business.
        if fmt.subnormals == "flush_inputs":
            expected = by_general_path(
                np.where(np.abs(x) < fmt.min_normal, np.copysign(np.float32(0), x), x), fmt, mode
            )
        assert_same_bits(fs.round_to(x, fmt, mode), expected, fmt, x, mode=mode)


@pytest.mark.parametrize("dropped", range(2, 23))
def test_every_significand_is_rounded_ties_to_even_whatever_number_of_bits_is_dropped(dropped):
    fmt = Format("like_bfloat16", width=32 - dropped, precision=24 - dropped)
    x = np.arange(0x3F800000, 0x40000000, dtype=np.uint32).view(np.float32)[:: 1 if dropped == 16 else 8]
    ties = (np.arange(0x7F << (23 - dropped), 0x80 << (23 - dropped), dtype=np.uint32) << np.uint32(dropped)).view(
        np.float32
    )
    for given_numbers in (x, ties + np.float32(2.0 ** (dropped - 24))):
        out = np.empty_like(given_numbers)
        kernels.find(fmt, Rounding.TIES_TO_EVEN, "float32")(given_numbers, out)
        bits = given_numbers.view(np.uint32).astype(np.uint64)
        rest, kept = bits & np.uint64((1 << dropped) - 1), bits >> np.uint64(dropped)
        half = np.uint64(1 << (dropped - 1))
        kept += (rest > half) | ((rest == half) & (kept % np.uint64(2) == 1))
        assert_same_bits(out, (kept << np.uint64(dropped)).astype(np.uint32).view(np.float32), fmt, given_numbers)


# --- all 2^32 float32 -----------------------------------------------------------------------------------------------


@pytest.mark.exhaustive
@pytest.mark.parametrize("mode", DETERMINISTIC)
@pytest.mark.parametrize("fmt", SIXTEEN, ids=str)
def test_a_kernel_equals_the_general_path_on_all_float32(fmt, mode):
    """The general path rounds -x in the mirrored mode as it does x, of which this makes use: it is the slower part."""
    size = 1 << 14
    kernel, mirrored = (kernels.find(fmt, m, "float32") for m in (mode, MIRRORED.get(mode, mode)))
    out, bits = np.empty(size, np.float32), np.arange(size, dtype=np.uint32)
    for start in range(0, 2**31, size):
        x = (bits + np.uint32(start)).view(np.float32)
        expected = by_general_path(x, fmt, mode)
        for numbers, fast, wanted in ((x, kernel, expected), (-x, mirrored, -expected)):
            fast(numbers, out)
            if not np.array_equal(out.view(np.uint32), wanted.view(np.uint32)):
                assert_same_bits(out, wanted, fmt, numbers, mode=mode)
    count_cases(2**32, "kernels")


# --- what a format holds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_no_number_that_rounding_would_change_is_called_representable(fmt):
    """One by one among zeros and ones, so that nothing hides behind its neighbours."""
    x = grid("float32")[0]
    x = x[:: x.size // 5000 + 1]
    changed = words(by_general_path(x, fmt, Rounding.TIES_TO_EVEN)) != words(x)
    for number, differs in zip(x, changed | ~np.isfinite(x), strict=True):
        among = np.float32([0.0, -0.0, 1.0, 1.0, number])
        assert not (differs and kernels.all_representable(among, fmt)), number


@pytest.mark.parametrize("fmt", [*SIXTEEN, fs.TF32, *(fmt for fmt in BYTES if fmt.subnormals == "gradual")], ids=str)
def test_all_finite_values_of_a_format_are_called_representable(fmt):
    x = fs.all_values(fmt)
    x = np.float32(x[np.isfinite(x)])
    assert kernels.all_representable(x, fmt)
    assert kernels.all_representable(x[:0], fmt)
    assert not kernels.all_representable(x.astype(np.float64), fmt)
    assert not kernels.all_representable(np.append(x, np.float32(np.inf)), fmt)
    many = np.resize(x, 3 << 16)
    assert kernels.all_representable(many, fmt)
    many[-1] = 1 + 2.0**-20
    assert not kernels.all_representable(many, fmt)


@pytest.mark.exhaustive
@pytest.mark.parametrize("fmt", SIXTEEN, ids=str)
def test_of_all_float32_with_few_enough_bits_exactly_the_finite_values_are_called_representable(fmt):
    dropped = 24 - fmt.precision
    x = (np.arange(2 ** (32 - dropped), dtype=np.uint64) << np.uint64(dropped)).astype(np.uint32).view(np.float32)
    values = np.float32(fs.all_values(fmt))
    expected = np.isin(x.view(np.uint32), values[np.isfinite(values)].view(np.uint32))
    assert [kernels.all_representable(x[k : k + 1], fmt) for k in range(x.size)] == expected.tolist()


@pytest.mark.parametrize("fmt", ["binary16", "bfloat16", "e5m2", "e4m3_ieee"])
def test_the_kernel_for_sums_rounds_sums_as_the_general_one_does(fmt):
    """Of many magnitudes, with zeros of both signs; from 2^17 elements on also with overflows, infinities and NaN."""
    rng, fmt = np.random.default_rng(0), fs.get_format(fmt)
    general = kernels.find(fmt, Rounding.TIES_TO_EVEN, "float32")
    sums = kernels.find_for_sums(fmt, Rounding.TIES_TO_EVEN)
    few, many = np.array([np.inf, -np.inf, np.nan, fmt.max_finite, -fmt.max_finite], np.float32), (1 << 17) + 200
    exponents = rng.uniform(fmt.emin - fmt.trailing_bits, fmt.emax - 9, (2, many))
    a, b = fs.round_to((rng.choice([-1, 1], (2, many)) * 2.0**exponents), fmt).astype(np.float32)
    a[: 1 << 10], b[: 1 << 9], a[-few.size :], b[-few.size :] = -0.0, -0.0, few, few
    with np.errstate(all="ignore"):
        for size in (many, 1 << 16, 129, 5):
            x, found = a[:size] + b[:size], []
            for kernel in (general, sums):
                out, seen = np.empty_like(x), []
                kernel(x, out, None, lambda chunk, start, seen=seen: bool(seen.append(start)) or True)
                in_place = x.copy()
                kernel(in_place, in_place)
                found.append((out.tobytes(), in_place.tobytes(), max(seen, default=-1)))
            assert found[0] == found[1]
    assert found[0][2] == -1
