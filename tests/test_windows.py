"""Convolution and pooling against loops that share no code with them; windows and their vjp are adjoint."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fp16sim as fs
from fp16sim.accumulators import Exact, Fused, Kahan, Pairwise, Sequential
from fp16sim.learn import RNN, Conv2d, Flatten, Images, Linear, MaxPool2d, Tensor, gradients
from fp16sim.learn.model.windows import kept, max_pool, max_pool_vjp, patches, patches_vjp, sizes_after
from fp16sim.learn.precision import DEFAULT_PRODUCTS, Products

from .support import assert_same_codes

FORMATS = ("binary16", "bfloat16")
ACCUMULATORS = {"own": None, "binary32": Sequential("binary32")}
SHAPES = [(3, 1, 0), (3, 2, 1), (2, 1, 1), (2, 3, 0), (1, 1, 0)]  # kernel, stride, padding


def draw(fmt, *shape, rng=0):
    return fs.round_to(np.random.default_rng(rng).standard_normal(shape).astype(np.float32), fmt)


def convolve(x, w, b, fmt, stride, padding, accumulator):
    """The definition, a loop over output pixels: terms by the window's rows, its columns, then the channels."""
    n, height, width, inputs = x.shape
    kernel, _, _, outputs = w.shape
    rows, columns = ((m + 2 * padding - kernel) // stride + 1 for m in (height, width))
    y = np.empty((n, rows, columns, outputs))
    for image, i, j, o in np.ndindex(y.shape):
        left, right = [], []
        for di, dj, c in np.ndindex(kernel, kernel, inputs):
            r, s = i * stride + di - padding, j * stride + dj - padding
            inside = 0 <= r < height and 0 <= s < width
            left.append(x[image, r, s, c] if inside else 0.0)
            right.append(w[di, dj, c, o])
        y[image, i, j, o] = fs.add(fs.dot(left, right, fmt, accumulator=accumulator), b[o], fmt)
    return y


def convolve_back(g, x, w, fmt, stride, padding, accumulator):
    """The gradients of x, w and b by loops: a pixel collects from the windows that it is in, by its place in them."""
    kernel = w.shape[0]
    _, rows, columns, _ = g.shape
    dx, dw = np.zeros(x.shape), np.empty(w.shape)
    how = {"accumulator": accumulator}
    for image, r, s, c in np.ndindex(x.shape):
        parts = [0.0]
        for di, dj in np.ndindex(kernel, kernel):
            i, j = r + padding - di, s + padding - dj
            if i % stride == 0 and j % stride == 0 and 0 <= i // stride < rows and 0 <= j // stride < columns:
                parts.append(fs.dot(g[image, i // stride, j // stride], w[di, dj, c], fmt, **how))
        dx[image, r, s, c] = fs.sum(parts, fmt, **how)
    padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    for di, dj, c, o in np.ndindex(w.shape):
        seen = padded[:, di : di + stride * rows : stride, dj : dj + stride * columns : stride, c]
        dw[di, dj, c, o] = fs.dot(seen.reshape(-1), g[..., o].reshape(-1), fmt, **how)
    return dx, dw, fs.sum(g.reshape(-1, g.shape[-1]), fmt, axis=0, **how)


@pytest.mark.parametrize("accumulator", ACCUMULATORS)
@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_convolution_and_its_gradients_are_those_of_the_loops(shape, fmt, accumulator):
    kernel, stride, padding = shape
    acc = ACCUMULATORS[accumulator]
    layer = Conv2d(2, 2, kernel, stride, padding)
    x, w, b = draw(fmt, 1, 5, 4, 2), draw(fmt, kernel, kernel, 2, 2, rng=1), draw(fmt, 2, rng=2)
    tensors = {name: Tensor(fs.array(v, fmt)) for name, v in {"x": x, "weight": w, "bias": b}.items()}
    y = layer(tensors, tensors["x"], Products(acc) if acc else DEFAULT_PRODUCTS)
    held = fs.get_format(fmt)
    assert_same_codes(y.value.values, convolve(x, w, b, fmt, stride, padding, acc), held, "learning")
    g = draw(fmt, *y.value.shape, rng=3)
    found = gradients(y * Tensor(fs.array(g, fmt), wanted=False), tensors)
    for name, expected in zip(("x", "weight", "bias"), convolve_back(g, x, w, fmt, stride, padding, acc), strict=True):
        assert_same_codes(found[name].values, expected, held, "learning", tensor=name)


@pytest.mark.parametrize("how", [Pairwise, Kahan, Fused, Exact])
def test_cotangents_that_meet_at_a_pixel_are_added_by_the_accumulator(how):
    x, g = fs.array(draw("binary16", 1, 3, 3, 1), "binary16"), fs.array(draw("binary16", 4, 4, rng=1), "binary16")
    found = patches_vjp(g, x, x, (2, 2), accumulator=how("binary16"))
    # The middle pixel is in all four windows: last in the first one, first in the last.
    terms = np.array([g.values[3, 0], g.values[2, 1], g.values[1, 2], g.values[0, 3]])
    assert float(found.values[0, 1, 1, 0]) == fs.sum(terms, "binary16", accumulator=how("binary16"))


@pytest.mark.parametrize("how", [Sequential, Pairwise], ids=lambda how: how.__name__)
def test_an_overflow_in_the_sum_of_a_pixel_has_the_index_of_that_pixel(how):
    x = fs.array(np.zeros((2, 3, 4, 1)), "binary16")
    g = np.zeros((2, 4, 5, 2, 2))
    g[1, 2, 1, 0, 1] = g[1, 1, 1, 1, 1] = 60000.0  # both windows have pixel (1, 1) of the second image there
    g = fs.array(g.reshape(-1, 4), "binary16")
    with np.errstate(all="ignore"), fs.record_flags() as raised:
        back = patches_vjp(g, x, x, (2, 2), padding=1, accumulator=how("binary16"))
    assert np.argwhere(np.isinf(back.values)).tolist() == [[1, 1, 1, 0]]
    assert raised.overflow.index == (1, 1, 1, 0)


@settings(max_examples=60)
@given(st.data(), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2), st.integers(1, 2))
def test_windows_and_their_vjp_are_adjoint(data, kernel, stride, padding, channels):
    """<patches(x), g> == <x, patches_vjp(g)>: exact, since all numbers are small integers."""
    height, width = (data.draw(st.integers(max(1, kernel - 2 * padding), 5)) for _ in range(2))
    how = {"kernel": (kernel, min(kernel, width + 2 * padding)), "stride": stride, "padding": padding}
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    x = fs.array(rng.integers(-8, 9, (2, height, width, channels)), "binary64")
    rows = patches(x, **how)
    g = fs.array(rng.integers(-8, 9, rows.shape), "binary64")
    back = patches_vjp(g, rows, x, **how)
    assert back.shape == x.shape
    assert (rows.values * g.values).sum() == (x.values * back.values).sum()
    assert rows.shape[0] == 2 * np.prod(sizes_after((height, width), **how))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_that_are_kept_keep_all_their_bits_and_the_others_become_plus_zero(dtype):
    """The same as np.where, also for NaN of either sign, infinities and -0, in any layout and into any part."""
    words = np.dtype(dtype).str.replace("f", "u")
    values = np.array([[1.5, -0.0, np.inf, np.nan], [-2.0, 0.0, -np.inf, -np.nan]], dtype)
    for chosen in (values > 0, np.isnan(values), np.ones(values.shape, bool), np.zeros(values.shape, bool)):
        whole = np.full((2, 8), 7.0, dtype)
        kept(values, chosen, out=whole[:, ::2])
        expected = np.where(chosen, values, dtype(0)).view(words)
        assert kept(values, chosen).view(words).tolist() == expected.tolist()
        assert kept(values.T, chosen.T).view(words).tolist() == expected.T.tolist()
        assert whole[:, ::2].copy().view(words).tolist() == expected.tolist()
        assert (whole[:, 1::2] == 7).all()


# --- the largest of a window ----------------------------------------------------------------------------------------


def pool_of(window, g=1.0, fmt="binary16"):
    """Output of one 2 x 2 window, and where its cotangent goes."""
    x = fs.array(np.array(window, float).reshape(1, 2, 2, 1), fmt)
    y = max_pool(x, 2)
    return y.values.item(), max_pool_vjp(fs.array(np.full(y.shape, g), fmt), y, x, 2).values.reshape(-1)


def test_the_cotangent_of_a_pool_goes_to_the_largest_and_to_the_first_of_several():
    assert pool_of([1, 4, 2, 3], 5)[1].tolist() == [0, 5, 0, 0]
    assert pool_of([7, 7, 7, 7], 5)[1].tolist() == [5, 0, 0, 0]
    assert pool_of([1, 3, 2, 3], 5)[1].tolist() == [0, 5, 0, 0]
    assert pool_of([-np.inf, -np.inf, -np.inf, -1], 5)[1].tolist() == [0, 0, 0, 5]


@pytest.mark.parametrize("fmt", [*FORMATS, "binary64"])
@pytest.mark.parametrize("window", [[-0.0, 0.0, -1, -2], [0.0, -0.0, -1, -2], [-3, -0.0, -0.0, 0.0]], ids=str)
def test_the_larger_of_two_zeros_is_plus_zero_and_one_of_them_gets_the_cotangent(window, fmt):
    y, back = pool_of(window, 2.0, fmt)
    assert (y, np.signbit(y)) == (0, False)
    assert sorted(back.tolist()) == [0, 0, 0, 2]
    assert np.array(window)[back == 2].tolist() == [0]


def test_the_largest_of_negative_zeros_is_one():
    y, back = pool_of([-0.0, -0.0, -1, -0.0])
    assert np.signbit(y)
    assert back.tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize("at", range(4))
@pytest.mark.parametrize("zero", [1.0, -0.0])
def test_a_nan_is_the_largest_and_keeps_its_cotangent(at, zero):
    window = [5.0, zero, 1.0, 2.0]
    window[at] = np.nan
    y, back = pool_of(window, 3.0)
    assert np.isnan(y)
    assert back.tolist() == [3.0 * (k == at) for k in range(4)]


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_pool_is_that_of_the_loop(size, fmt):
    x, rows, columns = draw(fmt, 2, 7, 6, 3), 7 // size, 6 // size
    x[0, :4] = np.round(x[0, :4])  # ties and zeros of both signs
    y = MaxPool2d(size)({}, Tensor(fs.array(x, fmt)))
    g = draw(fmt, 2, rows, columns, 3, rng=1)
    expected, back = np.empty((2, rows, columns, 3)), np.zeros(x.shape)
    for n, i, j, c in np.ndindex(expected.shape):
        best = None
        for r, s in np.ndindex(size, size):
            at = n, i * size + r, j * size + s, c
            best = at if best is None or x[at] > x[best] else best
        expected[n, i, j, c] = max(x[best], 0.0) if x[best] == 0 else x[best]
        back[best] = g[n, i, j, c]
    assert (y.value.values == expected).all()
    tensor = Tensor(fs.array(x, fmt))
    found = gradients(tensor.max_pool(size) * Tensor(fs.array(g, fmt), wanted=False), {"x": tensor})["x"]
    assert (found.values == back).all()


def test_images_and_flatten_only_move_numbers():
    x = Tensor(fs.array(draw("binary16", 2, 12), "binary16"))
    y = Images(4, 3)({}, x)
    assert y.value.shape == (2, 4, 3, 1)
    assert Flatten()({}, y).value.codes.tolist() == x.value.codes.tolist()
    assert Flatten()({}, x) is x


@pytest.mark.parametrize(
    ("layer", "shape", "says"),
    [
        (Conv2d(1, 1, 3), (1, 2, 5, 1), "images of 2 x 5 pixels with padding=0 are smaller than the window of 3 x 3"),
        (Conv2d(1, 1, 3), (1, 5, 5, 2), r"x.shape=\(1, 5, 5, 2\) must be \(batch, rows, columns, 1\)"),
        (Conv2d(1, 1, 3), (5, 25), "must be .batch, rows, columns, 1."),
        (MaxPool2d(3), (1, 2, 5, 1), "has no windows of 3 x 3"),
        (MaxPool2d(2), (4, 4), "has no windows of 2 x 2; give .batch, rows, columns, channels."),
    ],
)
def test_images_that_do_not_fit_are_refused(layer, shape, says):
    params = {name: Tensor(fs.array(v, "binary16")) for name, v in layer.draw(np.random.default_rng(0)).items()}
    with pytest.raises(ValueError, match=says):
        layer(params, Tensor(fs.array(np.zeros(shape), "binary16")))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Conv2d(1, 1, 3, stride=0), "stride=0 of Conv2d must be 1 or more"),
        (lambda: Conv2d(1, 1, 3, padding=-1), "padding=-1 of Conv2d must be 0 or more"),
        (lambda: Conv2d(1, 1, 0), "kernel=0"),
        (lambda: MaxPool2d(0), "size=0 of MaxPool2d"),
        (lambda: Linear(0, 2), "inputs=0 of Linear"),
        (lambda: RNN(2, 2, activation="swish"), "activation='swish' is unknown"),
        (lambda: max_pool(fs.array(np.zeros((1, 4, 4, 1))), 0), "has no windows of 0 x 0"),
        (lambda: sizes_after((4, 4), (3, 3), 0), "stride=0"),
    ],
)
def test_impossible_layers_are_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()
