"""Blocks: arrays against the definition on Fractions, and against other libraries."""

from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings

import fp16sim as fs
from fp16sim import exact
from fp16sim.blocks import BLOCKS, Block, FixedPoint, get_block
from fp16sim.blocks.block import LIBRARY_RULES
from fp16sim.teach import strategies as fst

from . import support
from .support import count_cases

MX = [name for name in BLOCKS if name != "nvfp4"]

MODES = list(fs.Rounding)
OWN = (
    Block("e4m3fn", "e4m3fn", 8, name="e4m3fn scaled by e4m3fn"),
    Block("e4m3fn", "binary32", (None, None), name="a scale for the whole"),
    Block("e5m2", "bfloat16", (1, None), name="a scale per row"),
    Block("e2m1fn", "e4m3fn", (4, 4), "binary32", name="squares"),
    Block(FixedPoint("int4", 4, 2), "e8m0fnu", 8),
    Block("e3m4", "e5m2", 8, "binary32"),
    Block("e4m3fnuz", "e8m0fnu", 8),
)
PAIRS = [(block, rule) for block in (*BLOCKS.values(), *OWN) for rule in block.rules]


def same(a, b):
    """Equal values, zeros of equal signs, NaN equal to NaN."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return np.array_equal(a, b, equal_nan=True) and (np.signbit(a[~np.isnan(a)]) == np.signbit(b[~np.isnan(b)])).all()


def check(x, block, rule, mode="ties_to_even", rng=None):
    """Every scale code, element code and value is that of the definition."""
    found = fs.blocks.quantize(x, block, scale_rule=rule, mode=mode, rng=rng, pad="zeros")
    numbers = np.zeros(found.padded_shape)
    numbers[tuple(map(slice, x.shape))] = x
    amax = np.abs(numbers)
    blocks = [
        tuple(slice(i * n, (i + 1) * n) for i, n in zip(index, found.block_shape, strict=True))
        for index in np.ndindex(found.scales.shape)
    ]
    finite = [amax[at].max() for at in blocks if np.isfinite(amax[at]).all()]
    largest = Fraction(max(finite, default=0.0))
    tensor = fs.blocks.tensor_scale(largest, block, rule)
    assert found.tensor_scale == (float(tensor) if block.tensor_scale else None)
    draws = np.zeros(numbers.shape, np.uint32)
    if rng is not None:
        draws = np.random.default_rng(rng).integers(0, 2**32, numbers.shape, dtype=np.uint32)
    codes = fs.blocks.blockarray.element_codes(found.elements, block.element)
    values = found.scaled(float(tensor))
    for at, index in zip(blocks, np.ndindex(found.scales.shape), strict=True):
        given = [exact.as_exact(float(v)) for v in numbers[at].flat]
        drawn = [int(d) for d in draws[at].flat]
        defined = fs.blocks.quantize_block(
            given, block, rule, fs.Rounding(mode), tensor=tensor, draws=drawn, tensor_amax=largest
        )
        where = (block, rule, mode, index, numbers[at].tolist())
        assert found.scale_codes[index] == defined.scale_code, (*where, found.scales[index], defined.scale)
        assert codes[at].reshape(-1).tolist() == list(defined.codes), where
        assert same(values[at].reshape(-1), [float(v) for v in defined.values]), where
    count_cases(numbers.size, "blocks: definition")
    return found


def boundaries(block, exponents):
    """Largest magnitudes at which a scale rule may change: each boundary, with its float32 neighbours."""
    largest = float(block.element.max_finite)
    p = block.element.precision
    points = [
        1.0,
        1.5,
        2 - 2.0**-p,
        2 - 2.0 ** (1 - p),
        largest,
        largest * (1 + 2.0**-p),
        largest * 17 / 16,
        largest * 1.75,
    ]
    with np.errstate(over="ignore", under="ignore"):
        at = np.array([point * 2.0**e for point in points for e in exponents]).astype(np.float32)
        at = np.unique(np.concatenate([at, np.nextafter(at, np.float32(np.inf)), np.nextafter(at, np.float32(0))]))
    return at[np.isfinite(at) & (at > 0)]


def with_largest(amax, size, rng):
    """A block for each largest magnitude: other elements smaller, some by far, some zeros."""
    parts = rng.choice([1, 0.999, 0.5, 0.25, 0.1, 1e-3, 1e-9, 0.0, -0.0], (amax.size, size)) * rng.choice(
        [-1, 1], (amax.size, size)
    )
    with np.errstate(under="ignore"):
        x = (parts * amax[:, None]).astype(np.float32)
    x[np.arange(amax.size), rng.integers(0, size, amax.size)] = amax
    return x


NEAR = (-149, -135, -127, -126, -119, -9, 0, 8, 119, 126)
FAR = (-148, -140, -130, -129, -128, -125, -122, -112, -40, -8, -1, 1, 7, 100, 118, 120, 127)


def at_boundaries(block, rule, exponents):
    rng = np.random.default_rng(1)
    x = with_largest(boundaries(block, exponents), 4, rng)
    along_one = isinstance(block.size, int)
    check(x if along_one else x[: len(x) // 4 * 4], replace(block, size=4) if along_one else block, rule)


@pytest.mark.parametrize(("block", "rule"), PAIRS, ids=str)
def test_scales_and_elements_at_every_boundary_of_a_rule_are_those_of_the_definition(block, rule):
    at_boundaries(block, rule, NEAR[:: 1 if block in BLOCKS.values() and rule not in LIBRARY_RULES else 4])


@pytest.mark.exhaustive
@pytest.mark.parametrize(("block", "rule"), PAIRS, ids=str)
def test_and_so_they_are_in_all_binades(block, rule):
    at_boundaries(block, rule, (*NEAR, *FAR))


@pytest.mark.parametrize(("block", "mode"), list(product(["mxfp8", "mxint8", "nvfp4", *OWN[:1]], MODES)), ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_random_blocks_are_those_of_the_definition_in_every_mode(block, mode, dtype):
    rng = np.random.default_rng(2)
    x = (rng.normal(size=(4, 24)) * 2.0 ** rng.integers(-30, 30, (4, 1))).astype(dtype)
    x[rng.random(x.shape) < 0.1] = 0.0
    x[0] *= dtype(2.0**-100)
    seed = 7 if mode is fs.Rounding.STOCHASTIC else None
    for rule in ("rceil", "nearest"):
        check(x, get_block(block), rule, mode, seed)


@pytest.mark.parametrize("rule", ["floor", "nearest", "four_over_six"])
def test_float64_beyond_the_range_of_float32_is_no_exception(rule):
    x = np.array(
        [[1e300, 1e-300, 3.0, 0.0], [1e-300, 5e-324, 1e-310, 0.0], [1 + 2**-52, 1 - 2**-53, 0.25 + 2**-54, 0.5]]
    )
    check(x, replace(get_block("nvfp4"), size=4), rule)
    check(x, replace(get_block("nvfp4"), size=4, tensor_scale=None), rule)


def test_a_float64_just_above_a_tie_of_nvfp4_goes_up():
    """0.75 (1 + 2^-52) of the scale is above the tie: a quotient in float64 alone would say so only by luck."""
    block = Block("e2m1fn", "e4m3fn", 4)
    rng = np.random.default_rng(0)
    for scale in fs.decode(np.arange(20, 120), "e4m3fn"):
        ties = np.array([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5.0])[rng.integers(0, 7, 2)] * scale
        x = np.array([[6 * scale, *np.nextafter(ties, np.inf), np.nextafter(ties[0], 0)]])
        check(x, block, "nearest")


def test_a_float32_whose_quotient_is_next_to_a_tie_stays_on_its_side():
    """x / scale is within 2^-25 of a tie of E2M1, so that float32 would call it one."""
    rng = np.random.default_rng(3)
    ties = np.float32([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5.0])
    near = 0
    for amax in rng.uniform(1, 2, 60).astype(np.float32):
        x = np.repeat(amax, 16)
        product = float(fs.blocks.quantize(x, "nvfp4").scales[0] * fs.blocks.quantize(x, "nvfp4").tensor_scale)
        x[1:8] = (ties * product).astype(np.float32)
        x[8:15] = np.nextafter(x[1:8], np.float32(9))
        near += np.count_nonzero((x[1:15] / product).astype(np.float32) == np.tile(ties, 2))
        for mode in ("ties_to_even", "ties_to_away", "toward_zero", "to_odd"):
            check(x, get_block("nvfp4"), None, mode)
    assert near > 100


@pytest.mark.parametrize("block", ["nvfp4", *OWN[:2], OWN[3]], ids=str)
def test_a_few_numbers_next_to_ties_among_many_are_decided_as_in_float64(block):
    rng = np.random.default_rng(4)
    x = rng.normal(size=(256, 64)).astype(np.float32)
    found = fs.blocks.quantize(x, block)
    each = fs.blocks.scales.spread(found.scales * (found.tensor_scale or 1.0), found.block_shape)
    numbers = np.unique(np.abs(fs.all_values(found.block.element)))
    ties = (numbers[1:] + numbers[:-1])[np.isfinite(numbers[1:])] / 2
    near = np.nextafter((rng.choice(ties, x.shape) * each).astype(np.float32), rng.choice(np.float32([-9, 9]), x.shape))
    x = np.where((rng.random(x.shape) < 0.1) & (np.abs(near) < np.abs(x).max() / 9), near, x)
    for mode in ("ties_to_even", "ties_to_away"):
        narrow, wide = (fs.blocks.quantize(y, block, mode=mode) for y in (x, x.astype(np.float64)))
        assert (narrow.codes == wide.codes).all()
        assert (narrow.scale_codes == wide.scale_codes).all()


def test_four_over_six_takes_four_where_its_error_is_smaller_and_six_at_a_tie():
    taken = []
    rng = np.random.default_rng(5)
    block = replace(get_block("nvfp4"), size=8)
    for _ in range(20):
        x = rng.normal(size=(2, 8)).astype(np.float32)
        found = check(x, block, "four_over_six")
        largest = np.abs(found.elements).max(axis=1)
        taken += largest.tolist()
    assert {4.0, 6.0} <= set(taken)
    exact_in_both = np.array([[4.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0]], np.float32)
    assert check(exact_in_both, block, "four_over_six").elements.max() in (4.0, 6.0)


def test_working_in_slabs_changes_nothing(monkeypatch):
    rng = np.random.default_rng(8)
    x = rng.normal(size=(6, 8, 96)).astype(np.float32)
    x[2, 3, 5] = np.nan
    blocks = [*BLOCKS, Block("e4m3fn", "binary32", (4, 16)), Block("e2m1fn", "e4m3fn", (2, 4, 3), "binary32")]
    whole = [fs.blocks.quantize(x, b, mode=m, rng=1) for b in blocks for m in ("ties_to_even", "stochastic")]
    whole += [fs.blocks.quantize(x, "mxfp8", axis=a, pad="zeros") for a in (0, 1)]
    monkeypatch.setattr(fs.blocks.scales, "SLAB", 100)
    again = [fs.blocks.quantize(x, b, mode=m, rng=1) for b in blocks for m in ("ties_to_even", "stochastic")]
    again += [fs.blocks.quantize(x, "mxfp8", axis=a, pad="zeros") for a in (0, 1)]
    for a, b in zip(whole, again, strict=True):
        assert same(a.values, b.values), a
        assert (a.codes == b.codes).all()
        assert (a.scale_codes == b.scale_codes).all()


# --- what is decided ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", ["mxfp8", "mxfp4", "mxint8", "nvfp4"])
def test_a_block_of_zeros_has_scale_code_0_and_keeps_the_signs_of_its_zeros(block):
    x = np.array([0.0, -0.0] * 16, np.float32)
    found = check(x, get_block(block), None)
    assert not found.scale_codes.any()
    assert (found.values == 0).all()
    assert np.signbit(found.values).any() == (block != "mxint8")
    if block == "nvfp4":
        assert found.tensor_scale == 1.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("block", ["mxfp8", "mxfp4", "mxint8", "nvfp4"])
def test_a_block_with_nan_or_infinity_is_nan_and_spoils_no_other(block, bad):
    x = np.ones((2, 32), np.float32)
    x[1, 3] = bad
    found = check(x, get_block(block), None)
    alone = fs.blocks.quantize(x[0], block)
    assert (found.values[0] == alone.values).all()
    assert np.isnan(found.values[1, : get_block(block).size]).all()
    assert found.scale_codes[1, 0] == (0x7F if block == "nvfp4" else 0xFF)


def test_values_are_exact_and_the_largest_float32_does_not_become_infinite():
    top = np.full(32, np.finfo(np.float32).max)
    for rule in ("floor", "ceil", "even", "rceil"):
        found = fs.blocks.quantize(top, "mxfp8", scale_rule=rule).values
        assert np.isfinite(found).all()
        assert found.dtype == (np.float32 if rule == "floor" else np.float64)


def test_a_block_size_of_none_is_the_whole_axis_and_a_tuple_names_the_last_axes():
    x = np.random.default_rng(0).normal(size=(8, 32)).astype(np.float32)
    shapes = {(1, None): (8, 1), (None, None): (1, 1), (4, 16): (2, 2), None: (8, 1), 16: (8, 2)}
    for size, shape in shapes.items():
        assert fs.blocks.quantize(x, Block("e4m3fn", "binary32", size)).scales.shape == shape
    down = fs.blocks.quantize(x.T.copy(), "mxfp8", axis=0)
    assert same(down.values.T, fs.blocks.quantize(x, "mxfp8").values)


SHAPED = [  # block, shape that it does not divide
    (Block("e2m1fn", "e4m3fn", (16, 16), "binary32"), (17, 19)),
    (Block("e4m3fn", "e8m0fnu", (16, 16)), (5, 33)),
    (Block("e4m3fn", "binary32", (128, 128)), (3, 5)),
    (Block("e4m3fn", "binary32", (1, None)), (7, 13)),
    (Block("e5m2", "binary32", (None, None)), (7, 13)),
    (Block("e4m3fn", "e8m0fnu", (3, 2, 5)), (4, 3, 7)),
    (Block("e2m1fn", "e4m3fn", (1, 16), "binary32"), (2, 3, 17)),
    (Block("e4m3fn", "binary32", None), (5, 6)),
]


@pytest.mark.parametrize("rule", ["floor", *support.first(0, ["ceil", "even", "rceil", "nearest"])])
@pytest.mark.parametrize(("block", "shape"), SHAPED, ids=str)
def test_blocks_of_two_and_more_axes_are_those_of_the_definition_and_padding_changes_no_value(block, shape, rule):
    rng = np.random.default_rng(12)
    x = (rng.normal(size=shape) * 2.0 ** rng.integers(-9, 9, shape)).astype(np.float32)
    inside = SMALL.get(block.size, block.size)  # Fractions take long for 128 x 128
    found = check(x, replace(block, size=inside), rule)
    whole = np.zeros(found.padded_shape, np.float32)
    whole[tuple(map(slice, shape))] = x
    again = fs.blocks.quantize(whole, found.block, scale_rule=rule)
    assert same(again.values[tuple(map(slice, shape))], found.values)
    assert found.values.shape == found.codes.shape == shape
    if found.padded_shape != shape:
        with pytest.raises(ValueError, match="pad='zeros'"):
            fs.blocks.quantize(x, found.block, scale_rule=rule)


SMALL = {(128, 128): (128, 4)}


@pytest.mark.exhaustive
@pytest.mark.parametrize("shape", [(128, 128), (129, 1), (100, 140)])
def test_blocks_of_128_by_128_are_those_of_the_definition(shape):
    x = np.random.default_rng(13).normal(size=shape).astype(np.float32)
    check(x, Block("e4m3fn", "binary32", (128, 128)), "nearest")


# --- other libraries ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mxfp8", "mxfp8_e5m2", "mxfp6", "mxfp6_e3m2", "mxfp4", "mxint8"])
def test_mx_blocks_are_those_of_gfloat(name):
    gfloat = pytest.importorskip("gfloat", reason="an independent implementation of the MX blocks")
    from gfloat import formats

    theirs = {
        "mxfp8": formats.format_info_mxfp8_e4m3,
        "mxfp8_e5m2": formats.format_info_mxfp8_e5m2,
        "mxfp6": formats.format_info_mxfp6_e2m3,
        "mxfp6_e3m2": formats.format_info_mxfp6_e3m2,
        "mxfp4": formats.format_info_mxfp4_e2m1,
        "mxint8": formats.format_info_mxint8,
    }[name]
    rng = np.random.default_rng(3)
    for x in (rng.normal(size=(20, 32)) * 2.0 ** rng.integers(-100, 100, (20, 1))).astype(np.float32):
        ours = fs.blocks.quantize(x, name)
        scale = gfloat.compute_scale_amax(theirs.etype.emax, x.astype(np.float64))
        codes = list(gfloat.encode_block(theirs, scale, x.astype(np.float64) / scale))
        assert ours.scale_codes[0] == codes[0]
        if name == "mxint8":  # whose codes of integers gfloat gives as integers modulo 256
            codes = [code % 256 for code in codes]
        assert ours.codes.tolist() == codes[1:], (name, x)
        assert same(ours.values, gfloat.quantize_block(theirs, x.astype(np.float64), gfloat.compute_scale_amax))
    count_cases(20 * 32, "blocks: gfloat")


@pytest.mark.parametrize("rule", support.first(1, ["nearest", "rceil", "floor"]))
@pytest.mark.parametrize("name", [name for name in BLOCKS if name != "mxint8"])
def test_scales_and_elements_are_what_ml_dtypes_casts_the_same_quotients_to(name, rule):
    """Its casts of fp8 do not saturate, so quotients are clipped first; those of E8M0 are compared beside ties."""
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="an independent implementation of the casts")
    element, scale = (getattr(ml_dtypes, ML_DTYPES[fmt.name]) for fmt in (BLOCKS[name].element, BLOCKS[name].scale))
    rng = np.random.default_rng(14)
    exponents = (-2, 2) if name == "nvfp4" else (-100, 100)
    x = (rng.normal(size=(500, 32)) * 2.0 ** rng.uniform(*exponents, (500, 1))).astype(np.float32)
    x[rng.random(x.shape) < 0.05] = -0.0
    found = fs.blocks.quantize(x, name, scale_rule=rule)
    assert (found.scales.astype(scale).view(np.uint8) == found.scale_codes).all()
    assert (found.scale_codes.view(scale).astype(np.float64) == found.scales).all()
    tensor, largest = found.tensor_scale or 1.0, found.block.element.max_finite
    share = x / fs.blocks.scales.spread(found.scales * tensor, found.block_shape)
    codes = np.clip(share, -largest, largest).astype(np.float32).astype(element).view(np.uint8)
    assert (codes == found.codes).all()
    assert same(found.codes.view(element).astype(np.float64), found.elements)
    if rule == "nearest":
        amax = np.abs(x).reshape(500, -1, found.block_shape[-1]).max(axis=-1).astype(np.float64)
        assert ((amax / (largest * tensor)).astype(np.float32).astype(scale).view(np.uint8) == found.scale_codes).all()
    count_cases(x.size, "blocks: ml_dtypes")


ML_DTYPES = {
    "e4m3fn": "float8_e4m3fn",
    "e5m2": "float8_e5m2",
    "e2m3fn": "float6_e2m3fn",
    "e3m2fn": "float6_e3m2fn",
    "e2m1fn": "float4_e2m1fn",
    "e8m0fnu": "float8_e8m0fnu",
}


@pytest.mark.parametrize("rule", ["floor", "ceil", "even", "rceil"])
@pytest.mark.parametrize("name", ["mxfp8", "mxfp8_e5m2", "mxfp6", "mxfp6_e3m2", "mxfp4"])
def test_random_blocks_are_those_of_torchao_but_for_its_logarithm(name, rule):
    """Where torchao is installed. Its rceil takes a float32 logarithm, and may be one too small above a boundary."""
    torch = pytest.importorskip("torch", reason="torchao stands on it")
    mx = pytest.importorskip("torchao.prototype.mx_formats.mx_tensor", reason="an implementation of the MX blocks")
    dtypes = {
        "mxfp8": torch.float8_e4m3fn,
        "mxfp8_e5m2": torch.float8_e5m2,
        "mxfp6": mx.DTYPE_FP6_E2M3,
        "mxfp6_e3m2": mx.DTYPE_FP6_E3M2,
        "mxfp4": torch.float4_e2m1fn_x2,
    }
    n, rng = 20_000, np.random.default_rng(9)
    x = (rng.normal(size=(n, 32)) * 2.0 ** rng.uniform(-100, 100, (n, 1))).astype(np.float32)
    scales, elements = mx.to_mx(torch.from_numpy(x), dtypes[name], 32, mx.ScaleCalculationMode[rule.upper()])
    scales = scales.view(torch.uint8).numpy().reshape(n)
    elements = elements.view(torch.uint8).numpy().reshape(n, -1)
    if name == "mxfp4":
        elements = np.stack([elements & 15, elements >> 4], axis=-1).reshape(n, 32)
    found = fs.blocks.quantize(x, name, scale_rule=rule)
    differs = scales != found.scale_codes[:, 0]
    share = np.abs(x).max(axis=1) / found.block.element.max_finite
    just_above = np.frexp(share)[0] < 0.5 * (1 + 2.0**-18)
    assert not (differs & ~(just_above & (rule == "rceil"))).any()
    assert (elements == found.codes)[~differs].all()
    count_cases(x.size, "blocks: torchao")


@pytest.mark.parametrize("levels", [1, 2])
def test_nvfp4_by_the_rule_torchao_is_that_of_torchao(levels):
    """Where torchao is installed: ordinary tensors, large and tiny ones, each with blocks of many sizes, some zeros."""
    torch = pytest.importorskip("torch", reason="torchao stands on it")
    nvfp4 = pytest.importorskip("torchao.prototype.mx_formats.nvfp4_tensor", reason="an implementation of NVFP4")
    block = get_block("nvfp4") if levels == 2 else Block("e2m1fn", "e4m3fn", 16)
    rng = np.random.default_rng(10)
    for exponent in (0, 0, 0, 7, 40, 100, -8, -60, -110, -124):
        x = (rng.normal(size=(2000, 16)) * 2.0 ** (exponent + rng.uniform(-14, 8, (2000, 1)))).astype(np.float32)
        x[rng.random(2000) < 0.01] = 0.0
        given = torch.from_numpy(x)
        tensor = nvfp4.per_tensor_amax_to_scale(given.abs().max()) if levels == 2 else None
        scales, elements = nvfp4.nvfp4_quantize(given, 16, tensor)
        elements = elements.view(torch.uint8).numpy().reshape(-1, 8)
        elements = np.stack([elements & 15, elements >> 4], axis=-1).reshape(-1, 16)
        found = fs.blocks.quantize(x, block, scale_rule="torchao")
        assert levels == 1 or found.tensor_scale == float(tensor)
        assert (scales.view(torch.uint8).numpy().reshape(-1) == found.scale_codes[:, 0]).all()
        invalid = (x == 0) & (exponent == -124) & (levels == 2)  # 1 / g overflows, so 0 becomes NaN, which has no code
        assert (elements == found.codes)[~invalid].all()
    count_cases(10 * 2000 * 16, "blocks: torchao")


def test_scale_codes_of_torchao_where_it_is_right():
    """Single values of torchao 0.18: rule, largest magnitude, scale code of E4M3FN elements."""
    for rule, amax, code in (
        ("ceil", 4.0, 121),
        ("ceil", 4.000000476837158, 122),
        ("ceil", 2.0**-149, 0),
        ("even", 1.9375 * 2.0**27, 147),
        ("floor", 1.9375 * 2.0**27, 146),
    ):
        assert fs.blocks.quantize([amax] * 32, "mxfp8", scale_rule=rule).scale_codes[0] == code, (rule, amax)


def test_where_torchao_and_transformer_engine_differ_the_definition_says_the_exact_scale():
    """rceil of the float32 above 96: torchao's logarithm says 131. NVFP4 of 12 and 9: their orders give 122 and 123."""
    above = np.nextafter(np.float32(96), np.float32(100))
    assert fs.blocks.quantize([above] * 32, "mxfp4", scale_rule="rceil").scale_codes[0] == 132
    pair = np.repeat(np.float32([12, 9]), 16)
    for rule, codes in (("nearest", [126, 122]), ("torchao", [126, 122]), ("transformer_engine", [126, 123])):
        assert fs.blocks.quantize(pair, "nvfp4", scale_rule=rule).scale_codes.tolist() == codes


def test_the_steps_of_libraries_round_as_float32_does():
    """Single values, computed by hand in binary32 with the operations of each library, in its order."""
    rng, one = np.random.default_rng(11), np.float32(1)
    for amax, largest in zip(*np.exp2(rng.uniform(-3, 3, (2, 40))).astype(np.float32), strict=True):
        x = np.repeat(np.float32([max(amax, largest), amax]), 16)
        x[17:] = amax * rng.uniform(-1, 1, 15).astype(np.float32)
        top, g = x[0], x[0] / np.float32(2688)
        s = fs.round_to(max(amax / np.float32(6) / g, np.float32(2**-6)), "e4m3fn")
        found = fs.blocks.quantize(x, "nvfp4", scale_rule="torchao")
        assert (found.tensor_scale, found.scales[1]) == (g, s)
        assert (found.elements[16:] == fs.round_to(np.clip(x[16:] * (one / g / s), -6, 6), "e2m1fn")).all()
        big = np.float32(2688) / top
        s = fs.round_to(amax * (big * (one / np.float32(6))), "e4m3fn", saturate=True)
        found = fs.blocks.quantize(x, "nvfp4", scale_rule="transformer_engine")
        assert (found.tensor_scale, found.scales[1]) == (one / big, s)
        by = one / (s * (one / big))
        assert (found.elements[16:] == fs.round_to(np.clip(x[16:] * by, -6, 6), "e2m1fn")).all()


@pytest.mark.parametrize("name", support.first(1, ["mxfp8", "mxfp8_e5m2"]))
def test_mxfp8_by_transformer_engine_is_that_of_rceil_but_beside_the_scale_code_0(name):
    """It multiplies by 1 / largest, rounded; both rules are monotonic, so only numbers beside a boundary may differ.

    One does: the product of the float32 above largest x 2^-127 is a subnormal number, and rounds down to 2^-127. Of
    scale code 0 the elements stay unscaled, and vanish.
    """
    block = replace(get_block(name), size=1)
    differ = []
    for e in range(-130, 20, 3) if name == "mxfp8" else range(-130, 112):
        middle = np.float32(block.element.max_finite * 2.0**e).view(np.uint32).astype(np.int64)
        x = (middle + np.arange(-3, 4)).astype(np.uint32).view(np.float32)
        ours, theirs = (fs.blocks.quantize(x, block, scale_rule=rule) for rule in ("rceil", "transformer_engine"))
        differ += x[ours.scale_codes != theirs.scale_codes].tolist()
        assert (ours.codes == theirs.codes)[theirs.scale_codes > 0].all()
        assert not theirs.codes[theirs.scale_codes == 0].any()
    assert differ == [np.nextafter(np.float32(block.element.max_finite * 2.0**-127), np.float32(1))]


def test_what_torchao_does_beyond_binary32_is_as_decided():
    zeros = fs.blocks.quantize(np.zeros(32), "nvfp4", scale_rule="torchao")
    assert (zeros.tensor_scale, zeros.scale_codes.tolist()) == (0.0, [127, 127])
    assert np.isnan(zeros.values).all()
    for x in (np.full(16, 2.0**-140), [2.0**-140, 0.0] * 8, [2.0**-128, 0.0] * 8, np.repeat([1.0, 0.0], 16)):
        check(np.asarray(x, np.float32), get_block("nvfp4"), "torchao")
        check(np.asarray(x, np.float32), get_block("nvfp4"), "transformer_engine")
    one_zero_block = fs.blocks.quantize(np.repeat([1.0, 0.0], 16), "nvfp4", scale_rule="torchao")
    assert one_zero_block.scale_codes[1] == 8
    x = np.array([1 / 3, 1e300] * 16)
    found = fs.blocks.quantize(x, Block("e2m1fn", "e4m3fn", 1), scale_rule="torchao")
    assert np.isnan(found.values[1])  # infinity in binary32
    assert found.values[0] == fs.blocks.quantize([np.float32(1 / 3)], found.block, scale_rule="torchao").values[0]


# --- bytes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BLOCKS)
def test_bytes_have_the_width_of_the_codes_and_give_the_block_array_back(name):
    x = np.random.default_rng(4).normal(size=(130, 70)).astype(np.float32)
    for order in ("rows", "tiles"):
        found = fs.blocks.quantize(x, name, pad="zeros")
        packed = found.pack(order)
        assert len(packed.elements) * 8 == found.elements.size * found.block.element.width
        back = fs.blocks.unpack(packed, name, x.shape, scale_order=order)
        assert same(back.values, found.values)
        assert (back.codes == found.codes).all()
        assert (back.scale_codes == found.scale_codes).all()
    whole = fs.blocks.quantize(x[:, :64], name)
    again = fs.blocks.from_codes(whole.codes, whole.scale_codes, name, tensor_scale=whole.tensor_scale)
    assert same(again.values, whole.values)


def test_four_codes_of_six_bits_are_in_three_bytes_the_first_one_lowest():
    codes = np.array([0x01, 0x3F, 0x20, 0x15] * 8)
    packed = fs.blocks.from_codes(codes, [127], "mxfp6").pack().elements
    assert int.from_bytes(packed[:3], "little") == 0x01 | 0x3F << 6 | 0x20 << 12 | 0x15 << 18


def test_tiles_of_scales_are_in_the_order_of_tensor_cores():
    codes = np.arange(256, dtype=np.uint8)[:, None] + np.zeros(4, np.uint8)
    scales = (codes + 3 * np.arange(4, dtype=np.uint8)) % 250
    packed = fs.blocks.from_codes(np.zeros((256, 128), int), scales, "mxfp8").pack("tiles").scales
    for row, column in ((0, 0), (1, 0), (31, 3), (32, 0), (127, 2), (128, 1), (255, 3)):
        at = row // 128 * 512 + row % 32 * 16 + row % 128 // 32 * 4 + column
        assert packed[at] == scales[row, column]


# --- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: fs.blocks.quantize(np.ones(33), "mxfp8"), ValueError, "pad='zeros'"),
        (lambda: fs.blocks.quantize(np.ones(33), "mxfp8", pad="edge"), ValueError, "pad='edge'"),
        (lambda: fs.blocks.quantize(np.ones(32), "mxfp5"), ValueError, "did you mean 'mxfp"),
        (lambda: fs.blocks.quantize(np.ones(32), 8), TypeError, "block=8"),
        (lambda: fs.blocks.quantize(np.ones(32), "mxfp8", scale_rule="flor"), ValueError, "did you mean 'floor'"),
        (lambda: fs.blocks.quantize(np.ones(32), "mxfp8", scale_rule="four_over_six"), ValueError, "e2m1fn"),
        (lambda: fs.blocks.quantize(np.ones(32), "mxfp8", axis=1), ValueError, "axis=1"),
        (lambda: fs.blocks.quantize(np.ones(32), "mxfp8", axis=0.5), TypeError, "axis=0.5"),
        (lambda: fs.blocks.quantize(1.0, "mxfp8"), ValueError, "axes"),
        (lambda: fs.blocks.quantize(["1/3"] * 32, "mxfp8"), ValueError, "round them first"),
        (lambda: Block("e4m3fn", "e2m1fn"), ValueError, "scale=e2m1fn has no NaN"),
        (lambda: Block("e4m3fn", "binary64"), ValueError, "binary32"),
        (lambda: Block("binary32", "e8m0fnu"), ValueError, "16 bits"),
        (lambda: Block("e8m0fnu", "e8m0fnu"), ValueError, "lacks zero"),
        (lambda: Block("bfloat16", "binary32", 8, "binary32"), ValueError, "50 or less"),
        (lambda: Block("e4m3fn", "e8m0fnu", 0), ValueError, "size=0"),
        (lambda: Block("e4m3fn", "e8m0fnu", True), TypeError, "size=True"),
        (lambda: FixedPoint("int1", 1, 0), ValueError, "width=1"),
        (lambda: fs.blocks.from_codes(np.zeros(31, int), [127], "mxfp8"), ValueError, "whole blocks"),
        (lambda: fs.blocks.from_codes(np.zeros(32, int), [127, 1], "mxfp8"), ValueError, "shape (1,)"),
        (lambda: fs.blocks.from_codes(np.zeros(32, int), [127], "mxfp8", tensor_scale=2.0), ValueError, "leave it out"),
        (lambda: fs.blocks.quantize(np.ones(32), "mxfp8", scale_rule=[]), ValueError, "scale_rule=[]"),
        (lambda: fs.blocks.from_codes(np.ones(32), [127], "mxint8"), TypeError, "not integers"),
        (lambda: fs.blocks.from_codes(np.zeros(16, int), [1], "nvfp4", tensor_scale="x"), TypeError, "not a number"),
        (lambda: fs.blocks.unpack(fs.blocks.Packed(b"a" * 8, b"a"), "nvfp4", (16,)), ValueError, "of 4 bytes"),
        (lambda: fs.blocks.dequantize(3), TypeError, "not a BlockArray"),
        (lambda: fs.blocks.random_signs(16, "x"), TypeError, "rng='x'"),
        (lambda: fs.blocks.quantize(np.ones(32), "mxfp8").pack("columns"), ValueError, "scale_order='columns'"),
        (lambda: fs.blocks.unpack(fs.blocks.Packed(b"", b""), "mxfp8", (32,)), ValueError, "give 32 bytes"),
    ],
)
def test_bad_input_is_told_with_its_value_the_rule_and_the_way_out(call, kind, text):
    with pytest.raises(kind) as told:
        call()
    assert text in str(told.value)


# --- statistics, Hadamard, products -----------------------------------------------------------------------------------


def test_statistics_count_what_saturated_and_what_vanished_in_each_block():
    x = np.zeros((2, 64), np.float32)
    x[0, :4] = [7.0, -7.0, 0.1, 0.25]  # the tie 0.25 goes to the even 0
    x[0, 32:36] = [6.0, 4.0, 0.5, np.nan]
    x[1, 32:34] = [2.0**-140, -(2.0**-140)]
    found = fs.blocks.statistics(x, fs.blocks.quantize(x, "mxfp4"))
    assert found.saturated.tolist() == [[2 / 32, 0], [0, 0]]
    assert found.vanished[0, 0] == 2 / 32
    assert found.zeros[1, 0] == 1.0
    assert found.largest_error[0, 0] == 1.0
    assert np.isclose(found.rms_error[0, 0], np.sqrt((2 + 0.1**2 + 0.25**2) / 32), rtol=1e-6)
    assert np.isnan(found.scale[0, 1])
    assert found.scale_at_limit.tolist() == [[False, False], [False, True]]
    summary = found.summary()
    assert summary["blocks"] == 4
    assert summary["blocks_with_nan"] == 1
    with pytest.raises(ValueError, match="give the same array"):
        fs.blocks.statistics(x[0], fs.blocks.quantize(x, "mxfp4"))


@pytest.mark.parametrize("n", [2, 16, 32, 128])
def test_the_hadamard_transform_is_the_product_with_the_matrix_and_undoes_itself(n):
    matrix = np.array([[1.0]])
    while len(matrix) < n:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    x = np.random.default_rng(0).integers(-8, 8, (3, 2 * n)).astype(float)
    signs = fs.blocks.random_signs(n, rng=1)
    y = fs.blocks.hadamard(x, signs, "binary64")
    expected = (x.reshape(3, 2, n) * signs) @ matrix / np.sqrt(n)
    assert np.allclose(y, expected.reshape(x.shape), rtol=1e-15, atol=1e-15)
    assert np.allclose(fs.blocks.hadamard(y, signs, "binary64", inverse=True), x, atol=1e-13)
    down = fs.blocks.hadamard(x.T, signs, "binary64", axis=0)
    assert (y == down.T).all()


def test_every_addition_of_the_hadamard_transform_is_rounded():
    x = np.array([256.0, 1.0, 1.0, 1.0])
    y = fs.blocks.hadamard(x, np.ones(4), "bfloat16")
    assert y[0] == (256 + 2) / 2  # 256 + 1 is 256, and 256 + (1 + 1) is 258
    for bad in (np.ones(3), np.full(4, 2.0)):
        with pytest.raises(ValueError, match=r"signs|power of two"):
            fs.blocks.hadamard(x, bad)


def test_the_product_of_two_block_arrays_is_that_of_their_values_scaled_at_the_end():
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(4, 32)).astype(np.float32), rng.normal(size=(32, 3)).astype(np.float32)
    a, b = fs.blocks.quantize(x, "mxfp8"), fs.blocks.quantize(y, "mxfp8", axis=0)
    for fmt, accumulator in (("binary32", "exact"), ("binary32", "kahan"), ("bfloat16", "hopper")):
        ours = fs.matmul(a, b, fmt, accumulator=accumulator)
        assert (ours == fs.matmul(a.values, b.values, fmt, accumulator=accumulator)).all()
    a, b = fs.blocks.quantize(x, "nvfp4"), fs.blocks.quantize(y, "nvfp4", axis=0)
    ours = fs.matmul(a, b, "binary32", accumulator="exact")
    sums = fs.matmul(a.without_tensor_scale, b.without_tensor_scale, "binary32", accumulator="exact")
    factor = fs.round_to(a.tensor_scale * b.tensor_scale, "binary32")
    assert (ours == fs.multiply(sums, factor, "binary32")).all()
    assert np.allclose(ours, a.values @ b.values, rtol=1e-6)
    count_cases(ours.size, "blocks: products")


# --- strategies -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BLOCKS)
def test_what_the_strategy_draws_is_quantized_as_defined_by_every_rule(name):
    seen = set()

    @settings(max_examples=60, deadline=None, database=None, derandomize=True)
    @given(fst.blocks(name, allow_specials=True))
    def draw(x):
        for rule in get_block(name).rules:
            found = check(x, get_block(name), rule)
        seen.add("nan" if np.isnan(found.scales).any() else "number")

    draw()
    assert seen == {"nan", "number"}
