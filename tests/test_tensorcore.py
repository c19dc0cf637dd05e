"""Matrix units against the model of each step on Fractions, and what GPUs were seen to give."""

import itertools

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.accumulators import MACHINES, TensorCore, unit_for_blocks
from fp16sim.accumulators.machines import DATAPATHS, STEPS
from fp16sim.hardware import block_sum, model_of
from fp16sim.hardware.model import STEP
from fp16sim.learn.model.autograd import gradients
from fp16sim.learn.model.tensor import Tensor
from fp16sim.learn.precision import Policy, Products

from . import measured_products
from .support import assert_same_codes, first

pytestmark = pytest.mark.usefixtures("quiet")

NVIDIA = ("volta", "turing", "ampere", "hopper")
PUBLISHED = {"volta": (4, 23), "turing": (4, 24), "ampere": (8, 24), "hopper": (16, 25)}  # group, fraction bits


def factors_of(kind, fmt, shape, rng):
    fmt = fs.get_format(fmt)
    if kind == "alike":
        x = rng.standard_normal(shape)
    elif kind == "of many sizes":
        x = rng.standard_normal(shape) * 2.0 ** rng.integers(-7, 5, shape)
        x[rng.random(shape) < 0.15] = 0
    else:  # any finite code: subnormals, and everything else
        x = fs.decode(rng.integers(0, 2**fmt.width, shape), fmt)
        x = np.where(np.isfinite(x), x, -0.0)
        x = np.where(rng.random(shape) < 0.3, fs.decode(rng.integers(0, 2**fmt.trailing_bits, shape), fmt), x)
    return fs.round_to(x, fmt)


ROWS = {(p.machine, p.factors, p.output.name, p.model): p for p in reversed(DATAPATHS) if not p.scales}
"""The rows of factors without scales; of two equal ones the first."""


def case_of(kind, path, n, size=40):
    rng = np.random.default_rng([n, *map(ord, path.machine + path.factors + kind)])
    a, b = factors_of(kind, path.factors, (size, n), rng), factors_of(kind, path.factors, (size, n), rng)
    c = np.asarray(fs.round_to(rng.standard_normal(size) * 2.0 ** rng.integers(-26, 6, size), path.output))
    c[::3] = 0
    if kind == "of many sizes":  # cancel most of it, so that what alignment lost shows
        b[:, -1], a[:, -1] = -b[:, 0], a[:, 0]
    return a, b, c


@pytest.mark.parametrize("row", first(24, list(ROWS)), ids="-".join)
@pytest.mark.parametrize("kind", ["alike", "of many sizes", "of all codes"])
def test_every_dot_product_is_that_of_the_model(row, kind):
    path, fmt = ROWS[row], fs.get_format(row[1])
    core = TensorCore(path.machine, path.output, fmt, model=path.model)
    assert core.path == path
    model = model_of(path)
    for n in (1, 3, 16, 37):
        a, b, c = case_of(kind, path, n)
        rows = zip(a.tolist(), b.tolist(), c.tolist(), strict=True)
        expected = [model.dot(*row) for row in rows]
        assert_same_codes(core.dot(a, b, c), expected, path.output, "matrix units")


def test_every_step_is_in_the_model_and_every_machine_has_rows():
    assert {path.step for path in DATAPATHS} == set(STEPS) == {*STEP, "blocks"}
    assert set(MACHINES) == {path.machine for path in ROWS.values()}


# --- what GPUs gave -------------------------------------------------------------------------------------------------


def decoded(codes, fmt, digits):
    return fs.decode([int(codes[k : k + digits], 16) for k in range(0, len(codes), digits)], fmt)


@pytest.mark.parametrize("row", measured_products.ROWS, ids=lambda row: "-".join(row[:4]))
def test_the_model_gives_what_the_gpu_gave(row):
    _, machine, factors, output, a, b, c, result = row
    digits, out = -(-fs.get_format(factors).width // 4), fs.get_format(output).width // 4
    core = TensorCore(machine, output, factors)
    assert core.path.model == "measured"
    found = core.dot(decoded(a, factors, digits), decoded(b, factors, digits), decoded(c, output, out)[0])
    assert_same_codes(found, decoded(result, output, out)[0], fs.get_format(output), "measured matrix units")


def test_the_simulator_gives_another_number_where_a_machine_was_measured_to_convert_first():
    row = next(row for row in measured_products.ROWS if row[:4] == ("B200", "blackwell", "e4m3fn", "binary32"))
    a, b, c = decoded(row[4], "e4m3fn", 2), decoded(row[5], "e4m3fn", 2), decoded(row[6], "binary32", 8)[0]
    measured, simulated = (TensorCore("blackwell", factors="e4m3fn", model=m).dot(a, b, c) for m in (None, "mma_sim"))
    assert measured != simulated


# --- blocks with scales ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", ["mxfp8", "mxfp8_e5m2", "mxfp6", "mxfp4", "nvfp4"])
def test_a_product_of_two_block_arrays_is_that_of_the_model(recipe):
    rng = np.random.default_rng([*map(ord, recipe)])
    a, b = rng.standard_normal((5, 128)) * 2.0 ** rng.integers(-9, 9, (5, 1)), rng.standard_normal((128, 4))
    a[:, 40] *= 3000
    a, b = fs.blocks.quantize(a, recipe), fs.blocks.quantize(b, recipe, axis=0)
    core = TensorCore("blackwell", factors=a.block.element, scales=a.block.scale)
    found, side = core.product_of_blocks(a, b), a.block.size
    model, size = model_of(core.path), 16 if core.path.step == "blocks" else 1
    for i, j in itertools.product(range(5), range(4)):
        left = [(a.elements[i, k], a.scales[i, k // side]) for k in range(128)]
        right = [(b.elements[k, j], b.scales[k // side, j]) for k in range(128)]
        c = 0.0
        for k in range(0, 128, core.path.group):
            part = slice(k, k + core.path.group)
            c = block_sum(model, size, left[part], right[part], c, a.block.scale)
        assert_same_codes(found[i, j], c, fs.BINARY32, "block matrix units")
    whole = fs.matmul(a, b, "bfloat16", accumulator="blackwell")
    expected = fs.round_to(found, "bfloat16")
    tensor = 1.0 if a.tensor_scale is None else a.tensor_scale * b.tensor_scale
    assert_same_codes(whole, fs.multiply(expected, tensor, "bfloat16"), fs.BFLOAT16, "block matrix units")


def test_blocks_that_lie_along_the_other_axis_are_refused():
    a, b = fs.blocks.quantize(np.ones((32, 32)), "mxfp8"), fs.blocks.quantize(np.ones((32, 32)), "mxfp8")
    with pytest.raises(ValueError, match=r"b\.block_shape=\(1, 32\): .* quantize b with axis=-2"):
        fs.matmul(a, b, "bfloat16", accumulator="blackwell")
    assert unit_for_blocks("hopper", a, b) is None
    assert unit_for_blocks("blackwell", a, np.ones((32, 32))) is None


def test_the_model_has_sums_of_both_signs_zeros_subnormals_and_infinities_in_it():
    rng = np.random.default_rng(5)
    a, b = (factors_of("of all codes", "binary16", (500, 4), rng) for _ in range(2))
    y = TensorCore("volta", output="binary16").dot(a, b)
    assert (y > 0).any()
    assert (y < 0).any()
    assert (y == 0).any()
    assert np.isinf(y).any()
    assert ((np.abs(y) < 2.0**-14) & (y != 0)).any()


def test_a_matrix_product_is_a_dot_product_for_each_element():
    rng = np.random.default_rng(6)
    a, b = factors_of("alike", "bfloat16", (2, 5, 21), rng), factors_of("alike", "bfloat16", (21, 3), rng)
    core = TensorCore("ampere", factors="bfloat16")
    expected = [[[core.dot(row, column) for column in b.T] for row in batch] for batch in a]
    # Given a format, the core takes its factors from it; the result is then rounded to it.
    actual = fs.matmul(a, b, "bfloat16", accumulator=TensorCore("ampere"))
    assert_same_codes(actual, fs.round_to(expected, "bfloat16"), fs.BFLOAT16, "tensor cores")
    assert_same_codes(core.sum(a[0, 0]), core.dot(a[0, 0], np.ones(21)), fs.BINARY32, "tensor cores")


# --- what Fasi, Higham, Mikaitis and Pranesh (2021) observed --------------------------------------------------------

TINY = 2.0**-12  # TINY * TINY is half an ulp of binary32 at 1


@pytest.mark.parametrize("generation", NVIDIA)
def test_products_are_exact(generation):
    x = 1 + 2.0**-10
    assert TensorCore(generation).dot([x], [x]) == x * x == 1 + 2.0**-9 + 2.0**-20


@pytest.mark.parametrize("generation", NVIDIA)
def test_subnormal_factors_and_sums_count(generation):
    assert TensorCore(generation).dot([2.0**-24], [2.0**-24]) == 2.0**-48
    assert TensorCore(generation, output="binary16").dot([2.0**-24], [1.0], 2.0**-24) == 2.0**-23
    assert TensorCore(generation, factors="bfloat16", hypothetical=True).dot([2.0**-70], [2.0**-79]) == 2.0**-149


@pytest.mark.parametrize("generation", ["turing", "ampere", "hopper"])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_sum_is_truncated_toward_zero_and_a_negative_one_too(generation, sign):
    # sign * (1 + 2^-23 + 2^-24): nearest, and away from zero, it would be sign * (1 + 2^-22).
    y = TensorCore(generation).dot([sign * 2.0**-11, sign * TINY], [TINY, TINY], sign * 1.0)
    assert y == sign * (1 + 2.0**-23)


@pytest.mark.parametrize("sign", [1, -1])
def test_binary16_output_is_rounded_to_nearest_even_once_a_group(sign):
    core = TensorCore("volta", output="binary16")
    assert core.dot([sign * 2.0**-11], [1.0], sign * 1.0) == sign * 1.0
    assert core.dot([sign * 3 * 2.0**-11], [1.0], sign * 1.0) == sign * (1 + 2.0**-9)
    assert core.dot([sign * 2.0**-11] * 2, [1.0] * 2, sign * 1.0) == sign * (1 + 2.0**-10)


def test_volta_has_no_guard_bit_and_its_successors_have_one_or_two():
    # 1 - 2^-24 is a binary32 number, but 2^-24 is below the last fraction bit at 1 on Volta.
    found = {g: TensorCore(g).dot([-TINY], [TINY], 1.0) for g in NVIDIA}
    assert found == {"volta": 1.0, "turing": 1 - 2.0**-24, "ampere": 1 - 2.0**-24, "hopper": 1 - 2.0**-24}
    # And two of 2^-25 make a difference to 1 on Hopper alone.
    found = {g: TensorCore(g).dot([-TINY] * 2, [TINY / 2] * 2, 1.0) for g in NVIDIA}
    assert found == {"volta": 1.0, "turing": 1.0, "ampere": 1.0, "hopper": 1 - 2.0**-24}


def test_partial_sums_are_not_normalised():
    # Normalised after each addition, 1 - 2^-24 + 2^-24 would be 1, and swallow the other three.
    assert TensorCore("volta").dot([TINY] * 4, [TINY] * 4, 1 - 2.0**-24) == 1 + 2.0**-23


def test_a_larger_term_can_give_a_smaller_sum():
    core = TensorCore("volta")
    below, one = 1 - 2.0**-24, 1.0
    assert below < one
    assert core.dot([TINY] * 4, [TINY] * 4, below) > core.dot([TINY] * 4, [TINY] * 4, one) == 1


@pytest.mark.parametrize("generation", NVIDIA)
def test_the_order_within_a_group_does_not_matter(generation):
    rng = np.random.default_rng(7)
    a, b = (factors_of("of many sizes", "binary16", (300, 4), rng) for _ in range(2))
    core = TensorCore(generation)
    for order in itertools.permutations(range(4)):
        assert_same_codes(core.dot(a[:, order], b[:, order]), core.dot(a, b), fs.BINARY32, "tensor cores")


@pytest.mark.parametrize("generation", NVIDIA)
def test_the_length_of_a_group_shows_from_outside(generation):
    # 1 and -1 cancel in the first group: a tiny product is lost beside them, and found in the next group.
    n = 24
    found = [
        TensorCore(generation).dot([1.0, -1.0, *np.eye(n)[k, 2:] * TINY], [1.0] * 2 + [TINY / 4] * (n - 2))
        for k in range(2, n)
    ]
    assert next(k for k, y in enumerate(found, 2) if y) == PUBLISHED[generation][0]


def test_products_are_aligned_by_the_exponents_of_their_factors():
    # 1.5 * 1.5 = 2.25 has the exponent 1, its factors 0 and 0: on Volta 2^-23 is kept beside it, and would not be else.
    y = TensorCore("volta").dot([1.5, 2.0**-11, -1.5], [1.5, TINY, 1.5])
    assert y == 2.0**-23


# --- specials and errors --------------------------------------------------------------------------------------------


def test_infinities_and_nan_go_through_and_a_zero_sum_is_plus_zero():
    inf, nan = np.inf, np.nan
    core = TensorCore("hopper")
    a = [[inf, 1.0], [-inf, 1.0], [inf, -inf], [inf, 1.0], [nan, 1.0], [1.0, 1.0], [-0.0, -0.0], [1.0, -1.0]]
    b = [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [0.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]
    c = [0.0, 0.0, 0.0, 0.0, 0.0, -inf, -0.0, 0.0]
    assert_same_codes(core.dot(a, b, c), [inf, -inf, nan, nan, nan, -inf, 0.0, 0.0], fs.BINARY32, "tensor cores")


def test_only_significands_are_truncated_so_that_overflow_is_infinite():
    core, top = TensorCore("ampere", factors="bfloat16"), float(fs.BINARY32.max_finite)
    huge = 2.0**64
    assert core.dot([huge], [huge]) == np.inf
    assert core.dot([-huge], [huge]) == -np.inf
    assert core.dot([1.0], [1.0], top) == top
    with fs.record_flags() as raised:
        core.dot([huge], [huge])
    assert raised.overflow
    assert TensorCore("volta", output="binary16").dot([255.0], [257.0], -15.0) == np.inf  # 65520
    assert TensorCore("volta", output="binary16").dot([255.0], [257.0], -16.0) == 65504  # 65519


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda: TensorCore("pascal"),
            "generation='pascal' is unknown; use one of 'volta', 'turing', 'ampere', 'ada', 'hopper', 'blackwell'",
        ),
        (lambda: TensorCore("volta", output="bfloat16"), "output=bfloat16: .* binary32 or binary16.*use one of them"),
        (lambda: TensorCore("volta", factors="binary32"), "factors=binary32 .*does not fit in tf32.*use binary16"),
        (lambda: TensorCore(factors=fs.Format("long", width=14, precision=4)), "factors=long .*does not fit in tf32"),
        (
            lambda: TensorCore("ampere", factors="e4m3fn"),
            "generation='ampere' with factors=e4m3fn and output=binary32: nobody has published .*; "
            "use factors binary16, bfloat16 or tf32, or hypothetical=True",
        ),
        (lambda: TensorCore("cdna3", "binary16"), "nobody has published .*use another output or machine"),
        (lambda: TensorCore("volta", model="fasi"), "model='fasi': nobody has published"),
        (lambda: TensorCore(model="guess"), "model='guess' is unknown; use one of 'measured', .*, or None"),
        (lambda: fs.matmul([[1.0]], [[1.0]], "e4m3fn", accumulator="volta"), "factors=e4m3fn .*use factors binary16"),
        (lambda: fs.matmul([[1.0]], [[1.0]], "binary32", accumulator=TensorCore()), "factors=binary32 .*use binary16"),
    ],
)
def test_what_no_tensor_core_does_is_refused_with_the_way_out(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_an_array_that_the_factors_do_not_hold_is_refused():
    with pytest.raises(
        TypeError, match=r"format bfloat16, which does not fit in binary16; convert it.*astype\('binary16'"
    ):
        TensorCore().dot(fs.array([1.0], "bfloat16"), fs.array([1.0], "bfloat16"))


# --- in the lab -------------------------------------------------------------------------------------------------------


def test_a_recipe_for_8_bits_multiplies_as_the_unit_multiplies_8_bit_factors():
    policy = Policy("bfloat16", operand="e4m3fn", cotangent="e5m2", accumulator="hopper")
    how = Products.of(policy)
    rng = np.random.default_rng(8)
    x, w, g = (fs.round_to(rng.normal(size=size), "bfloat16") for size in [(5, 70), (70, 4), (5, 4)])
    a, b = (Tensor(fs.array(v, "bfloat16"), wanted=True) for v in (x, w))
    y = a.matmul(b, how)
    left, right = fs.round_to(x, "e4m3fn"), fs.round_to(w, "e4m3fn")
    unit = TensorCore("hopper", factors="e4m3fn")
    expected = [[unit.dot(row, column) for column in right.T] for row in left]
    assert_same_codes(y.value.values, fs.round_to(expected, "bfloat16"), fs.BFLOAT16, "8-bit recipes")
    wide = TensorCore("hopper", factors="bfloat16")
    assert not np.array_equal(expected, [[wide.dot(row, column) for column in right.T] for row in left])
    constant = Tensor(fs.array(g, "bfloat16"))
    found = gradients((y * constant).sum(), {"a": a})["a"].values
    model = model_of(unit.path)
    narrow = fs.round_to(fs.round_to(g, "bfloat16"), "e5m2")
    by_hand = [[model.dot(row.tolist(), column.tolist()) for column in right] for row in narrow]
    assert_same_codes(found, fs.round_to(by_hand, "bfloat16"), fs.BFLOAT16, "8-bit recipes")
