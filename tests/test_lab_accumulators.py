"""Every accumulator in the lab: products, stacks of them, convolutions and their gradients, as fs.matmul has them."""

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.accumulators import MACHINES, NAMES
from fp16sim.learn import Config, Conv2d, Policy, Tensor, gradients, train
from fp16sim.learn.precision import Products

from .support import first

GENERATOR = np.random.default_rng(5)
SHAPES = [((3, 5), (5, 2)), ((2, 3, 33), (2, 33, 2)), ((2, 1, 2, 4), (3, 4, 2)), ((1, 1), (1, 1))]

UNITS_OF = {"binary16": tuple(MACHINES), "bfloat16": ("ampere", "ada", "hopper", "blackwell", "cdna1", "cdna3")}
UNITS_OF["tf32"] = ("ampere", "ada", "hopper", "blackwell", "cdna3")
SOFT = tuple(name for name in NAMES if name not in MACHINES)
WIDER = tuple(f"{name}:binary32" for name in ("sequential", "pairwise", "blocked", "kahan", "fused"))
CASES = [(fmt, name) for fmt, units in UNITS_OF.items() for name in (*SOFT, *WIDER, *units)]
CASES += [("binary16", f"{name}:binary16") for name in ("volta", "turing", "ampere", "hopper")]


def swapped(x):
    return np.swapaxes(x, -1, -2)


def summed_to(shape, x, fmt, accumulator):
    """The gradient of a factor that is repeated: the sums of the rounded gradients, by the same accumulator."""
    while x.ndim > len(shape):
        x = fs.sum(x, fmt, axis=0, accumulator=accumulator)
    for axis, size in enumerate(shape):
        if size == 1 and x.shape[axis] != 1:
            x = np.expand_dims(fs.sum(x, fmt, axis=axis, accumulator=accumulator), axis)
    return x


@pytest.mark.parametrize(("fmt", "name"), first(12, CASES, unpack=True))
def test_products_and_their_gradients_equal_those_of_matmul(fmt, name):
    how = Products.of(Policy(fmt, accumulator=name))
    for left, right in SHAPES:
        a, b = (Tensor(fs.array(GENERATOR.normal(size=shape), fmt), name=n) for n, shape in (("a", left), ("b", right)))
        y = a.matmul(b, how)
        expected = fs.matmul(a.value.values, b.value.values, fmt, accumulator=name)
        np.testing.assert_array_equal(y.value.values, expected)
        weights = fs.array(GENERATOR.normal(size=y.shape), fmt)
        found = gradients((y * weights).sum(), {"a": a, "b": b})
        of_a = fs.matmul(weights.values, swapped(b.value.values), fmt, accumulator=name)
        of_b = fs.matmul(swapped(a.value.values), weights.values, fmt, accumulator=name)
        np.testing.assert_array_equal(found["a"].values, summed_to(left, of_a, fmt, name))
        np.testing.assert_array_equal(found["b"].values, summed_to(right, of_b, fmt, name))


@pytest.mark.parametrize(("fmt", "name"), first(8, CASES, unpack=True))
def test_a_convolution_and_its_gradients_equal_products_of_windows(fmt, name):
    layer, how = Conv2d(2, 3, kernel=2), Products.of(Policy(fmt, accumulator=name))
    x, weight, bias = (fs.array(GENERATOR.normal(size=shape), fmt) for shape in ((2, 3, 4, 2), (2, 2, 2, 3), (3,)))
    given = {"x": Tensor(x, name="x"), "weight": Tensor(weight), "bias": Tensor(bias)}
    y = layer(given, given["x"], how)
    windows = np.lib.stride_tricks.sliding_window_view(x.values, (2, 2), axis=(1, 2))
    rows = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, 8)
    products = fs.matmul(rows, weight.values.reshape(8, 3), fmt, accumulator=name)
    np.testing.assert_array_equal(y.value.values.reshape(-1, 3), fs.add(products, bias.values, fmt))
    g = fs.array(GENERATOR.normal(size=y.shape), fmt)
    found = gradients((y * g).sum(), given)
    rows_of_g = g.values.reshape(-1, 3)
    expected = fs.matmul(rows.T, rows_of_g, fmt, accumulator=name)
    np.testing.assert_array_equal(found["weight"].values.reshape(8, 3), expected)
    np.testing.assert_array_equal(found["bias"].values, fs.sum(rows_of_g, fmt, axis=0, accumulator=name))
    back = fs.matmul(rows_of_g, weight.values.reshape(8, 3).T, fmt, accumulator=name)
    corner = back.reshape(2, 2, 3, 2, 2, 2)[:, 0, 0, 0, 0]  # one window has it
    np.testing.assert_array_equal(found["x"].values[:, 0, 0], corner)


EIGHT_BITS = [("bfloat16", name, "e4m3fn") for name in ("ada", "hopper", "blackwell")]
EIGHT_BITS += [("binary32", "hopper", "e4m3fn"), ("bfloat16", "cdna3", "e4m3fnuz")]


@pytest.mark.parametrize(("fmt", "name", "narrow"), EIGHT_BITS)
def test_products_of_factors_of_8_bits_equal_those_of_matmul_in_their_format(fmt, name, narrow):
    policy = Policy(fmt, operand=narrow, cotangent=narrow, accumulator=name)
    a, b = (
        Tensor(fs.array(GENERATOR.normal(size=shape), fmt), name=n) for n, shape in (("a", (3, 40)), ("b", (40, 2)))
    )
    y = a.matmul(b, Products.of(policy))
    eight = {n: fs.round_to(x.value.values, narrow, saturate=True) for n, x in (("a", a), ("b", b))}
    unit = fs.accumulators.TensorCore(name, factors=narrow)
    expected = unit.dot(eight["a"][:, None], eight["b"].T[None])
    np.testing.assert_array_equal(y.value.values, fs.round_to(expected, fmt))
    found = gradients(y.sum(), {"a": a})["a"]
    back = unit.dot(np.ones((3, 1, 2)), eight["b"][None])
    np.testing.assert_array_equal(found.values, fs.round_to(back, fmt))


@pytest.mark.parametrize("name", ["ampere", "ada", "hopper", "blackwell", "cdna3"])
def test_binary32_multiplies_factors_in_tf32_on_a_matrix_unit(name):
    how = Products.of(Policy("binary32", operand="tf32", cotangent="tf32", accumulator=name))
    a, b = (Tensor(fs.array(GENERATOR.normal(size=shape), "binary32")) for shape in ((3, 9), (9, 2)))
    tf32 = [fs.round_to(x.value.values, "tf32") for x in (a, b)]
    expected = fs.accumulators.TensorCore(name, factors="tf32").dot(tf32[0][:, None], tf32[1].T[None])
    np.testing.assert_array_equal(a.matmul(b, how).value.values, expected)


@pytest.mark.parametrize("name", [*first(3, [*SOFT, *WIDER, *MACHINES])])
def test_a_run_trains_with_each_accumulator(name):
    history = train(Config(Policy("binary16", accumulator=name), layers=(4,), batch=512, epochs=1))
    assert history.death is None
    assert history.config.policy.accumulator == name


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"compute": "binary32", "accumulator": "ampere"}, "use binary16, bfloat16, tf32 or an 8-bit format"),
        (
            {"compute": "bfloat16", "accumulator": "volta"},
            "what it computes; use factors binary16",
        ),
        (
            {"compute": "bfloat16", "operand": "e4m3fn", "cotangent": "e5m2", "accumulator": "ampere"},
            "accumulator='ampere' with compute=bfloat16 operand=e4m3fn cotangent=e5m2: generation='ampere'",
        ),
        (
            {"compute": "binary16", "operand": "bfloat16", "cotangent": "bfloat16", "accumulator": "ampere"},
            "compute=binary16 does not hold the factors in bfloat16; use a wider compute",
        ),
        ({"compute": "binary32", "accumulator": "kahan:binary16"}, "narrower than fmt=binary32"),
    ],
)
def test_what_an_accumulator_does_not_take_is_refused_with_the_rule_and_the_way_out(parts, says):
    with pytest.raises(ValueError, match=says):
        Policy(**parts)
