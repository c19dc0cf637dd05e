"""Operations of Tensor, bit for bit: values and gradients are those of the same steps written with fs.add, ..."""

import itertools
import math

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.learn import Tensor, concatenate, einsum, gradients, stack
from fp16sim.learn.model import einsums

from .support import first

SETTINGS = [
    ("binary16", "ties_to_even"),
    ("bfloat16", "toward_positive"),
    *itertools.product(("binary16", "bfloat16", "e5m2"), ("ties_to_even", "toward_zero", "toward_negative")),
    ("binary32", "ties_to_even"),
]
SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 3.0, 40000.0, -50000.0, 2.0**-20, -(2.0**-14), np.inf, -np.inf, np.nan]


def test_what_a_tensor_was_computed_from_is_not_printed():
    x = Tensor(fs.array([1.0], "binary16"))
    for _ in range(60):  # each is the sum of the one before it with itself: 2^60 in all
        x = x * 0.5 + x * 0.5
    assert len(repr(x)) < 300


class In:
    """The functions of fp16sim in one format and mode: `In("binary16").add(a, b)`."""

    def __init__(self, fmt, mode="ties_to_even"):
        self.fmt, self.mode = fmt, mode

    def __getattr__(self, name):
        return lambda *x, **how: getattr(fs, name)(*x, self.fmt, self.mode, **how)

    def tensor(self, values):
        return Tensor(fs.array(values, self.fmt, self.mode))

    def codes(self, values):
        values = np.asarray(values, np.float64)
        return fs.encode(np.where(np.isnan(values), np.nan, values), self.fmt).tolist()


def draw(f, shape, seed=0, special=True):
    rng = np.random.default_rng([seed, *shape])
    x = f.round_to(rng.standard_normal(shape) * np.exp2(rng.integers(-6, 4, shape)))
    flat = x.reshape(-1)
    if special:
        flat[: len(SPECIAL)] = f.round_to(SPECIAL)[: flat.size]
    return flat.reshape(shape)


@np.errstate(all="ignore")
def agree(f, call, expected, slopes, *operands):
    """The value of a call with tensors, and its gradients for a drawn cotangent, are these plain arrays."""
    tensors = {str(k): f.tensor(x) for k, x in enumerate(operands)}
    y = call(*tensors.values())
    value = expected(*operands)
    assert f.codes(y.value.values) == f.codes(value)
    g = draw(f, y.shape, 7, special=False)
    found = gradients((y * g).sum(), tensors)
    for name, slope in zip(tensors, slopes(g, value, *operands), strict=True):
        assert f.codes(found[name].values) == f.codes(slope), name


# --- functions of each element --------------------------------------------------------------------------------------


def gelu_slope(f, x):
    below = f.multiply(f.add(1, f.erf(f.multiply(x, f.round_to(math.sqrt(0.5))))), 0.5)
    half = f.multiply(-f.multiply(x, x), 0.5)
    return f.add(below, f.multiply(x, f.multiply(f.exp(half), f.round_to(1 / math.sqrt(2 * math.pi)))))


def inside(f, x, low, high):
    return (x >= f.round_to(low)) & (x <= f.round_to(high))


def tanh_gelu(f, x):
    cube = f.multiply(f.multiply(x, x), x)
    inner = f.multiply(f.add(x, f.multiply(cube, f.round_to(0.044715))), f.round_to(math.sqrt(2 / math.pi)))
    return f.multiply(f.multiply(x, 0.5), f.add(f.tanh(inner), 1))


ELEMENTWISE = {
    "square": (
        lambda t: t.square(),
        lambda f, x: f.multiply(x, x),
        lambda f, g, y, x: f.add(f.multiply(g, x), f.multiply(g, x)),
    ),
    "rsqrt": (
        lambda t: t.rsqrt(),
        lambda f, x: f.rsqrt(x),
        lambda f, g, y, x: f.divide(-f.multiply(g, y), f.add(x, x)),
    ),
    "sin": (lambda t: t.sin(), lambda f, x: f.sin(x), lambda f, g, y, x: f.multiply(g, f.cos(x))),
    "cos": (lambda t: t.cos(), lambda f, x: f.cos(x), lambda f, g, y, x: -f.multiply(g, f.sin(x))),
    "erf": (
        lambda t: t.erf(),
        lambda f, x: f.erf(x),
        lambda f, g, y, x: f.multiply(g, f.multiply(f.exp(-f.multiply(x, x)), f.round_to(2 / math.sqrt(math.pi)))),
    ),
    "gelu": (lambda t: t.gelu(), lambda f, x: f.gelu(x), lambda f, g, y, x: f.multiply(g, gelu_slope(f, x))),
    "softplus": (lambda t: t.softplus(), lambda f, x: f.softplus(x), lambda f, g, y, x: f.multiply(g, f.sigmoid(x))),
    "silu": (
        lambda t: t.silu(),
        lambda f, x: f.multiply(x, f.sigmoid(x)),
        lambda f, g, y, x: f.add(
            f.multiply(g, s := f.sigmoid(x)), f.multiply(f.multiply(g, x), f.multiply(s, f.subtract(1, s)))
        ),
    ),
    "clip": (
        lambda t: t.clip(-0.7, 2.3),
        lambda f, x: np.clip(x, f.round_to(-0.7), f.round_to(2.3)),
        lambda f, g, y, x: np.where(inside(f, x, -0.7, 2.3), g, 0),
    ),
    "power": (
        lambda t: t**1.5,
        lambda f, x: f.power(x, 1.5),
        lambda f, g, y, x: f.multiply(g, f.multiply(1.5, f.power(x, 0.5))),
    ),
    "square by **": (
        lambda t: t**2,
        lambda f, x: f.multiply(x, x),
        lambda f, g, y, x: f.add(f.multiply(g, x), f.multiply(g, x)),
    ),
    "power of 2": (
        lambda t: 2**t,
        lambda f, x: f.power(2, x),
        lambda f, g, y, x: f.multiply(g, f.multiply(y, f.log(2))),
    ),
}


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize(("fmt", "mode"), first(2, SETTINGS, unpack=True))
def test_a_function_of_each_element_and_its_gradient_are_the_same_steps_with_functions(name, fmt, mode):
    f = In(fmt, mode)
    call, expected, slope = ELEMENTWISE[name]
    x = draw(f, (60,))
    agree(f, call, lambda x: expected(f, x), lambda g, y, x: [slope(f, g, y, x)], x)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("fmt", ["binary16", "bfloat16"])
def test_the_same_for_every_number_of_a_format(name, fmt):
    f = In(fmt)
    call, expected, slope = ELEMENTWISE[name]
    agree(f, call, lambda x: expected(f, x), lambda g, y, x: [slope(f, g, y, x)], fs.all_values(fmt))


def test_gelu_by_tanh_is_its_formula_step_by_step():
    f = In("binary16")
    x = fs.all_values("binary16")[::7]
    with np.errstate(all="ignore"):
        assert f.codes(f.tensor(x).gelu("tanh").value.values) == f.codes(tanh_gelu(f, x))


def test_a_bound_of_clip_is_a_number_of_the_format_and_a_number_at_the_bound_has_its_gradient():
    f = In("binary16")
    low, high = f.round_to(-0.7), f.round_to(0.7)
    t = f.tensor([low, high, fs.next_up(high, "binary16"), fs.next_down(low, "binary16"), np.nan])
    assert gradients(t.clip(-0.7, 0.7).sum(), {"t": t})["t"].tolist() == [1, 1, 0, 0, 0]


@pytest.mark.parametrize(("fmt", "mode"), first(2, SETTINGS, unpack=True))
def test_a_power_of_two_tensors_has_the_slopes_of_both(fmt, mode):
    f = In(fmt, mode)
    x, p = np.abs(draw(f, (40,), special=False)), draw(f, (40,), 3, special=False)
    x[:3] = 0, 0, 1
    p[:3] = 2, 0, 0

    def slopes(g, y, x, p):
        of_x = f.multiply(g, f.multiply(p, f.power(x, f.subtract(p, 1))))
        of_p = np.where((x == 0) & (p > 0), 0 * g, f.multiply(g, f.multiply(y, f.log(x))))
        return of_x, of_p

    agree(f, lambda t, u: t**u, lambda x, p: f.power(x, p), slopes, x, p)


def test_of_two_equal_numbers_the_first_one_gets_the_gradient_and_a_nan_gets_it_too():
    f = In("binary16")
    a, b = [1.0, 2.0, 3.0, -0.0, np.nan, 1.0], [1.0, 3.0, 2.0, 0.0, 1.0, np.nan]
    x, y = f.tensor(a), f.tensor(b)
    for z, of_a in ((x.maximum(y), [1, 0, 1, 0, 1, 0]), (x.minimum(y), [1, 1, 0, 1, 1, 0])):
        found = gradients(z.sum(), {"x": x, "y": y})
        of_a[3] = 1  # the zeros are equal
        assert found["x"].tolist() == of_a
        assert found["y"].tolist() == [1 - k for k in of_a]
    assert f.codes(x.maximum(y).value.values) == f.codes(f.maximum(np.array(a), np.array(b)))


# --- sums and means -------------------------------------------------------------------------------------------------

SHAPE = (3, 4, 5)
AXES = [0, 1, -1, (0, 2), (1, 2), None]


def over(f, name, x, axis, **how):
    """A reduction over axes by one over the first axis of the terms in C order."""
    axes = range(x.ndim) if axis is None else [k % x.ndim for k in np.atleast_1d(axis)]
    terms = np.moveaxis(x, list(axes), range(len(axes)))
    return getattr(f, name)(terms.reshape(-1, *terms.shape[len(axes) :]), axis=0, **how)


def repeated(x, shape, axis):
    axes = range(len(shape)) if axis is None else [k % len(shape) for k in np.atleast_1d(axis)]
    return np.broadcast_to(np.reshape(x, [1 if k in axes else n for k, n in enumerate(shape)]), shape)


def count(shape, axis):
    return math.prod(np.take(shape, range(len(shape)) if axis is None else axis).reshape(-1).tolist())


@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("accumulator", [None, fs.accumulators.Pairwise("binary32"), fs.accumulators.Exact()], ids=str)
def test_a_sum_and_a_mean_over_axes_are_those_of_the_functions(axis, accumulator):
    f = In("binary16")
    x, how = draw(f, SHAPE, special=False), {"accumulator": accumulator}
    for keepdims in (False, True):
        agree(
            f,
            lambda t: t.sum(axis=axis, keepdims=keepdims, **how),  # noqa: B023
            lambda x: np.reshape(over(f, "sum", x, axis, **how), x.sum(axis, keepdims=keepdims).shape),  # noqa: B023
            lambda g, y, x: [repeated(g, SHAPE, axis)],
            x,
        )
        agree(
            f,
            lambda t: t.mean(axis, keepdims, **how),  # noqa: B023
            lambda x: np.reshape(over(f, "mean", x, axis, **how), x.sum(axis, keepdims=keepdims).shape),  # noqa: B023
            lambda g, y, x: [repeated(f.divide(g, count(SHAPE, axis)), SHAPE, axis)],
            x,
        )


@pytest.mark.parametrize("axis", AXES, ids=str)
def test_a_variance_is_two_passes_and_that_of_a_floatarray(axis):
    f = In("binary16")
    x = draw(f, SHAPE, special=False)
    for ddof, keepdims in ((0, False), (1, True)):
        y = f.tensor(x).var(axis, ddof, keepdims)
        centred = f.subtract(x, repeated(over(f, "mean", x, axis), SHAPE, axis))
        expected = f.divide(over(f, "sum", f.multiply(centred, centred), axis), count(SHAPE, axis) - ddof)
        assert f.codes(y.value.values.reshape(-1)) == f.codes(np.reshape(expected, -1))
        array = fs.array(x, "binary16")
        assert y.value.codes.tolist() == array.var(axis, ddof, keepdims).codes.tolist()
        assert f.tensor(x).std(axis, ddof).value.codes.tolist() == array.std(axis, ddof).codes.tolist()


@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("name", ["max", "min"])
def test_the_first_of_the_largest_numbers_gets_the_gradient_or_the_first_nan(name, axis):
    f = In("binary16")
    x = np.round(draw(f, SHAPE, special=False))  # with equal ones
    x[1, 2, 3], x[2, 2, 3] = np.nan, np.nan
    for keepdims in (False, True):
        y = getattr(f.tensor(x), name)(axis, keepdims)
        assert f.codes(y.value.values) == f.codes(getattr(x, name)(axis, keepdims=keepdims))
    t = f.tensor(x)
    y = getattr(t, name)(axis)
    g = draw(f, y.shape, 5, special=False)
    expected, wanted = np.zeros(SHAPE), np.asarray(y.value.values)
    axes = range(3) if axis is None else [k % 3 for k in np.atleast_1d(axis)]
    free = [k for k in range(3) if k not in axes]
    seen = set()
    for index in np.ndindex(SHAPE):  # in C order
        place = tuple(index[k] for k in free)
        if place not in seen and (x[index] == wanted[place] or (np.isnan(x[index]) and np.isnan(wanted[place]))):
            seen.add(place)
            expected[index] = g[place]
    assert gradients((y * g).sum(), {"t": t})["t"].tolist() == expected.tolist()


# --- products -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shapes", [((3, 2, 4), (3, 4, 2)), ((2, 3, 2, 4), (4, 2)), ((2, 4), (3, 4, 2)), ((1, 2, 4), (3, 4, 1))], ids=str
)
@pytest.mark.parametrize("fmt", ["binary16", "bfloat16"])
def test_a_product_of_stacks_is_that_of_each_two_matrices_and_gradients_are_summed_along_repeated_axes(shapes, fmt):
    f = In(fmt)
    a, b = (draw(f, shape, k, special=False) for k, shape in enumerate(shapes))
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])

    def each(a, b):
        a, b = (np.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (a, b))
        return np.array([f.matmul(a[k], b[k]) for k in np.ndindex(batch)]).reshape(*batch, a.shape[-2], b.shape[-1])

    def summed(x, shape):
        while x.ndim > len(shape):
            x = f.sum(x, axis=0)
        for k, n in enumerate(shape[:-2]):
            x = np.expand_dims(f.sum(x, axis=k), k) if n == 1 != x.shape[k] else x
        return x

    def slopes(g, y, a, b):
        return summed(each(g, b.swapaxes(-1, -2)), a.shape), summed(each(a.swapaxes(-1, -2), g), b.shape)

    agree(f, lambda t, u: t @ u, each, slopes, a, b)


@pytest.mark.parametrize("shapes", [((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 3)), ((2, 3, 4), (4,))], ids=str)
def test_a_vector_stands_for_a_matrix_of_one_row_or_one_column(shapes):
    f = In("binary16")
    a, b = (draw(f, shape, k, special=False) for k, shape in enumerate(shapes))
    y = f.tensor(a) @ f.tensor(b)
    assert y.shape == (a @ b).shape
    assert f.codes(y.value.values) == f.codes(np.asarray((fs.array(a, "binary16") @ fs.array(b, "binary16")).values))


def in_loops(f, text, a, b):
    """Einstein's sum of two operands: for each element its products, added in the order of the letters."""
    (own, its), result = einsums.parse(text, [a.shape, b.shape])
    size = dict(zip(own + its, a.shape + b.shape, strict=True))
    summed = [x for x in own if x not in result]
    y = np.empty([size[k] for k in result])
    for index in np.ndindex(y.shape):
        at = dict(zip(result, index, strict=True))
        total = None
        for terms in itertools.product(*(range(size[k]) for k in summed)):
            place = {**at, **dict(zip(summed, terms, strict=True))}
            term = f.multiply(a[tuple(place[k] for k in own)], b[tuple(place[k] for k in its)])
            total = term if total is None else f.add(total, term)
        y[index] = total
    return y


TEXTS = {
    "ij,jk->ik": ((2, 3), (3, 4)),
    "ij,jk": ((2, 3), (3, 4)),
    "bhqd,bhkd->bhqk": ((2, 2, 3, 4), (2, 2, 2, 4)),
    "i,j->ji": ((2,), (3,)),
    "ij,ij->": ((2, 3), (2, 3)),
    "abc,cbd->da": ((2, 3, 2), (2, 3, 4)),
    "...ij,jk->...ik": ((2, 3, 2, 3), (3, 2)),
}


@pytest.mark.parametrize("text", TEXTS)
def test_einsteins_sum_is_the_sum_of_its_products_one_after_the_other(text):
    f = In("binary16")
    a, b = (draw(f, shape, k, special=False) for k, shape in enumerate(TEXTS[text]))
    y = einsum(text, f.tensor(a), f.tensor(b))
    assert f.codes(y.value.values) == f.codes(in_loops(f, text, a, b))
    assert np.einsum(text, f.tensor(a), f.tensor(b)).value.codes.tolist() == y.value.codes.tolist()


@pytest.mark.parametrize(
    "text", [*TEXTS, "ijk->ki", "ij", "ij->", "ij,kl->il", "i,ij,j->", "ab,bc,cd->da", "...a->a..."]
)
def test_einsteins_sum_is_numpys_and_its_gradients_are_central_differences(text):
    sizes = {letter: n for n, letter in enumerate("ijklabcdbhq", 2)}
    if text in TEXTS:
        shapes = TEXTS[text]
    else:
        own = text.split("->")[0].replace("...", "kl").split(",")
        shapes = [[sizes[x] % 3 + 2 for x in one] for one in own]
    rng = np.random.default_rng(0)
    values = [rng.standard_normal(shape) for shape in shapes]
    tensors = {str(k): Tensor(fs.array(x, "binary64")) for k, x in enumerate(values)}
    y, expected = einsum(text, *tensors.values()), np.einsum(text, *values)
    np.testing.assert_allclose(y.value.values, expected, rtol=1e-12)
    g = rng.standard_normal(expected.shape)
    found = gradients((y * g).sum(), tensors)
    for k, x in enumerate(values):
        d = rng.standard_normal(x.shape)  # the sum is linear in each operand
        moved = np.einsum(text, *values[:k], d, *values[k + 1 :])
        assert float((found[str(k)].values * d).sum()) == pytest.approx(float((moved * g).sum()), rel=1e-10)


def test_a_letter_that_only_one_operand_has_is_summed_before_the_product():
    f = In("binary16")
    a, b = draw(f, (5, 3), special=False), draw(f, (3,), 1, special=False)
    y = einsum("ij,j->j", f.tensor(a), f.tensor(b))
    assert f.codes(y.value.values) == f.codes(f.multiply(f.sum(a, axis=0), b))
    z = einsum("j,ij->j", f.tensor(b), f.tensor(a), how=fs.accumulators.Exact())
    assert f.codes(z.value.values) == f.codes(f.multiply(b, f.sum(a, axis=0, accumulator=fs.accumulators.Exact())))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ii", "text='ii' names two axes of one operand 'i'"),
        ("ij,jk", "text='ij,jk' has 2 operands, but 1 are given"),
        ("i", "'i' does not name the axes of shape="),
        ("ij->ik", "'k' of the result must be a letter of an operand, once"),
        ("ij->ii", "'i' of the result must be a letter of an operand, once"),
    ],
)
def test_a_text_of_einsteins_sum_that_does_not_fit_is_refused(text, says):
    with pytest.raises(ValueError, match=says):
        einsum(text, In("binary16").tensor(np.ones((2, 2))))
    with pytest.raises(ValueError, match="'j' has the sizes 2 and 3"):
        einsum("ij,jk", *(In("binary16").tensor(np.ones(shape)) for shape in ((2, 2), (3, 2))))


# --- moving numbers -------------------------------------------------------------------------------------------------

CUBE = (2, 3, 4)
MOVES = {
    "transpose": (lambda t: t.transpose(2, 0, -2), lambda x: x.transpose(2, 0, 1)),
    "T": (lambda t: t.T, lambda x: x.T),
    "swapaxes": (lambda t: t.swapaxes(0, -1), lambda x: x.swapaxes(0, -1)),
    "moveaxis": (lambda t: t.moveaxis([0, 2], [1, 0]), lambda x: np.moveaxis(x, [0, 2], [1, 0])),
    "slices with steps": (lambda t: t[::-1, 2::-2, 1:4:2], lambda x: x[::-1, 2::-2, 1:4:2]),
    "an integer, new axes": (lambda t: t[-1, None, ..., 2], lambda x: x[-1, None, ..., 2]),
    "rows by number": (lambda t: t[[1, -1]], lambda x: x[[1, -1]]),
    "rows by an array": (lambda t: t[np.array([[0], [1]])], lambda x: x[[[0], [1]]]),
    "along an axis": (lambda t: t.take([2, 0], 1), lambda x: x.take([2, 0], 1)),
    "a mask": (lambda t: t[t.value.values > 0], lambda x: x[x > 0]),
    "a mask of rows": (lambda t: t[np.array([False, True])], lambda x: x[[False, True]]),
    "split": (lambda t: t.split(2, 2)[1], lambda x: np.split(x, 2, 2)[1]),
    "split at places": (lambda t: t.split([1, 2], 1)[2], lambda x: np.split(x, [1, 2], 1)[2]),
    "broadcast": (lambda t: t.broadcast_to(5, *CUBE)[3], lambda x: x),
    "masked_fill": (
        lambda t: t.masked_fill(t.value.values > 0, 0.1),
        lambda x: np.where(x > 0, In("binary16").round_to(0.1), x),
    ),
}


@pytest.mark.parametrize("name", MOVES)
@np.errstate(all="ignore")
def test_moving_numbers_is_exact_and_the_gradient_moves_back(name):
    call, expected = MOVES[name]
    f = In("binary16")
    x = draw(f, CUBE)
    t = f.tensor(x)
    y = call(t)
    assert f.codes(y.value.values) == f.codes(expected(x))
    if name in ("broadcast", "masked_fill", "rows by number"):
        return
    # The gradient of sum(y * g) has g where the element went, and 0 elsewhere: found by numbering the elements.
    numbers = np.arange(1.0, 1 + x.size).reshape(CUBE)
    numbers = np.where(x > 0, numbers, -numbers) if "mask" in name else numbers
    moved, g = expected(numbers), draw(f, y.shape, 9, special=False)
    back = np.zeros(x.size)
    back[np.abs(moved).astype(int).reshape(-1) - 1] = g.reshape(-1)
    assert gradients((y * g).sum(), {"t": t})["t"].tolist() == back.reshape(CUBE).tolist()


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_tensors_one_after_the_other_and_stacked_are_those_of_numpy_and_each_gets_its_own_gradient(axis):
    f = In("bfloat16")
    parts = [draw(f, CUBE, k, special=False) for k in range(3)]
    for join, expected in ((concatenate, np.concatenate), (stack, np.stack)):
        agree(
            f,
            lambda *t: join(t, axis),  # noqa: B023
            lambda *x: expected(x, axis),  # noqa: B023
            lambda g, y, *x: np.split(g, 3, axis) if g.ndim == 3 else list(np.moveaxis(g, axis, 0)),
            *parts,
        )


def test_data_may_stand_among_the_tensors_that_are_joined():
    f = In("binary16")
    t = f.tensor([1.0, 2.0])
    y = concatenate([[0.1, 0.2], t, fs.array([3.0], "binary16")])
    assert y.value.tolist() == [*f.round_to([0.1, 0.2]).tolist(), 1.0, 2.0, 3.0]
    assert gradients(y.sum(), {"t": t})["t"].tolist() == [1, 1]
    with pytest.raises(TypeError, match="has no Tensor; make one"):
        stack([[1.0], [2.0]])
    with pytest.raises(TypeError, match="astype"):
        concatenate([t, Tensor(fs.array([1.0], "bfloat16"))])


ACCUMULATORS = [
    None,
    fs.accumulators.Sequential("binary32"),
    fs.accumulators.Kahan("binary16"),
    fs.accumulators.Exact(),
]


@pytest.mark.parametrize("accumulator", ACCUMULATORS, ids=str)
def test_a_row_that_is_taken_several_times_gets_the_sum_of_its_gradients_in_their_order(accumulator):
    f = In("binary16")
    table = draw(f, (4, 3), special=False)
    numbers = np.random.default_rng(0).integers(-4, 3, (5, 20))

    def slopes(g, y, x):
        rows = np.zeros(x.shape)
        for row in range(4):
            own = g.reshape(-1, 3)[(numbers % 4).reshape(-1) == row]
            rows[row] = f.sum(own, axis=0, accumulator=accumulator) if len(own) else 0
        return [rows]

    agree(f, lambda t: t.take(numbers, 0, accumulator), lambda x: x[numbers], slopes, table)


def test_rows_are_added_to_others_one_after_the_other():
    f = In("binary16")
    x, rows = draw(f, (4, 3), special=False), draw(f, (5, 3), 1, special=False)
    numbers = [3, 0, 3, -1, 0]

    def added(x, rows):
        y = x.copy()
        for number, row in zip(numbers, rows, strict=True):
            y[number] = f.add(y[number], row)
        return y

    agree(f, lambda t, u: t.scatter_add(numbers, u), added, lambda g, y, x, rows: (g, g[numbers]), x, rows)


def test_a_sum_of_gradients_of_a_row_stagnates_as_a_sum_does():
    f = In("binary16")
    t = f.tensor([[1.0], [2.0]])
    taken = t.take([0] * 3000 + [1])
    assert gradients(taken.sum(), {"t": t})["t"].tolist() == [[2048.0], [1.0]]
    assert gradients(t.take([0] * 3000, 0, fs.accumulators.Exact()).sum(), {"t": t})["t"].tolist() == [[3000.0], [0.0]]


REFUSED = {
    "a number of a row that is not there": (
        lambda t: t.take([0, 4]),
        ValueError,
        "indices contain 4, but the axis has 2",
    ),
    "a number that is not an integer": (
        lambda t: t.take([0.5]),
        TypeError,
        r"indices=\[0.5\] has dtype=float64; give int",
    ),
    "a mask of another shape": (
        lambda t: t[np.ones((3, 2), bool)],
        ValueError,
        r"mask.shape=\(3, 2\) does not fit shape",
    ),
    "a mask of numbers": (
        lambda t: t.masked_fill([[0, 1, 0]], 0.0),
        TypeError,
        "mask is an array of int64, not of boo",
    ),
    "an axis in place of an accumulator": (
        lambda t: t.sum(0),
        TypeError,
        "accumulator=0 is not an accumulator.*axis=0",
    ),
    "parts that do not fit": (lambda t: t.split(2, 1), ValueError, "parts=2 does not divide the 3 elements of axis 1"),
    "an axis that is left out": (lambda t: t.transpose(0), ValueError, r"axes=\(0,\) do not name each of the 2 axes"),
    "an axis twice": (lambda t: t.transpose(0, 0), ValueError, "repeated axis"),
    "an axis that is not there": (lambda t: t.max(2), ValueError, "axis 2 is out of bounds"),
    "an unknown gelu": (lambda t: t.gelu("erf"), ValueError, "approximate='erf' is unknown; use 'none' or 'tanh'"),
    "places of other axes": (lambda t: t.moveaxis([0, 1], [0]), ValueError, "have different lengths"),
    "shapes that differ": (lambda t: stack([t, t[0]]), ValueError, r"shapes \(2, 3\) and \(3,\); give tensors of one"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_done_is_refused_with_its_value(name):
    call, kind, says = REFUSED[name]
    with pytest.raises(kind, match=says):
        call(In("binary16").tensor(np.ones((2, 3))))
