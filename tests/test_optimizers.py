"""Optimizers: their textbooks' formulas in binary64, the same with fs.multiply in 16 bits, and how a step is added."""

from dataclasses import replace

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.accumulators import Blas, Exact, Sequential, TensorCore
from fp16sim.learn import adam, adamw, clipped, rmsprop, sgd, step_decay
from fp16sim.learn.model import adam_steps
from fp16sim.learn.model.updates import UPDATES

from .support import assert_same_codes

GRADS = np.random.default_rng(0).standard_normal((6, 5))
START = np.random.default_rng(1).standard_normal(5)


def params(values, fmt="binary64"):
    return {"w": fs.array(values, fmt)}


def run(optimizer, fmt="binary64", grads=GRADS, start=START):
    """The steps that an optimizer takes for a sequence of gradients; the parameters stay."""
    w = params(start, fmt)
    state, found = optimizer.init(w), []
    for g in grads:
        steps, state = optimizer.update(params(g, fmt), state, w)
        found.append(steps["w"].values)
    assert state.count == len(grads)
    return np.array(found)


# --- the formulas, in binary64 --------------------------------------------------------------------------------------


def by_sgd(lr, momentum):
    m = 0.0
    for t, g in enumerate(GRADS):
        m = momentum * m + g
        yield -(lr(t) if callable(lr) else lr) * m


def by_rmsprop(lr, decay, epsilon):
    v = 0.0
    for g in GRADS:
        v = decay * v + (1 - decay) * g**2
        yield -lr * g / (np.sqrt(v) + epsilon)


def by_adam(lr, beta1, beta2, epsilon, correct=True, weight_decay=0.0):
    m = v = 0.0
    for t, g in enumerate(GRADS, start=1):
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        first = m / (1 - beta1**t) if correct else m
        second = v / (1 - beta2**t) if correct else v
        yield -lr * (first / (np.sqrt(second) + epsilon) + weight_decay * START)


DECAY = step_decay(0.5, every=2, factor=0.25)
FORMULAS = {
    "sgd": (lambda **how: sgd(0.5, **how), by_sgd(0.5, 0.0)),
    "momentum": (lambda **how: sgd(0.5, 0.75, **how), by_sgd(0.5, 0.75)),
    "sgd with a schedule": (lambda **how: sgd(DECAY, 0.5, **how), by_sgd(lambda t: 0.5 * 0.25 ** (t // 2), 0.5)),
    "rmsprop": (lambda **how: rmsprop(0.1, 0.8, 1e-3, **how), by_rmsprop(0.1, 0.8, 1e-3)),
    "adam": (lambda **how: adam(0.1, 0.8, 0.95, 1e-3, **how), by_adam(0.1, 0.8, 0.95, 1e-3)),
    "adam without correction": (
        lambda **how: adam(0.1, 0.8, 0.95, 1e-3, bias_correction=False, **how),
        by_adam(0.1, 0.8, 0.95, 1e-3, correct=False),
    ),
    "adamw": (lambda **how: adamw(0.1, 0.8, 0.95, 1e-3, 0.3, **how), by_adam(0.1, 0.8, 0.95, 1e-3, True, 0.3)),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_the_steps_are_the_textbooks_in_binary64(name):
    make, formula = FORMULAS[name]
    expected = np.array(list(formula))
    for constants in ("rounded", "binary64"):
        np.testing.assert_allclose(run(make(constants=constants)), expected, rtol=1e-12)


# --- bit for bit, in 16 bits ----------------------------------------------------------------------------------------

FORMATS = ("binary16", "bfloat16")


class Rounded:
    """A scalar type whose constants are rounded to the format first, and then every operation."""

    def __init__(self, fmt):
        self.fmt = fmt

    def constant(self, c):
        return fs.round_to(c, self.fmt)

    def times(self, x, c):
        return fs.multiply(x, c, self.fmt)

    def over(self, x, c):
        return fs.divide(x, c, self.fmt)

    def plus(self, x, c):
        return fs.add(x, c, self.fmt)

    def complement(self, c):
        return fs.subtract(1, c, self.fmt)


class Wide(Rounded):
    """Constants are binary64 numbers, and what they meet is computed in binary64 and rounded."""

    def constant(self, c):
        return c

    def times(self, x, c):
        return fs.round_to(np.asarray(x, np.float64) * c, self.fmt)

    def over(self, x, c):
        return fs.round_to(np.asarray(x, np.float64) / c, self.fmt)

    def plus(self, x, c):
        return fs.round_to(np.asarray(x, np.float64) + c, self.fmt)

    def complement(self, c):
        return 1 - c


def adam_by_hand(do, lr, b1, b2, epsilon, weight_decay=0.0):
    fmt = do.fmt
    w, b1, b2, epsilon, rate, shrink = (
        fs.round_to(START, fmt),
        *map(do.constant, (b1, b2, epsilon, -lr, -lr * weight_decay)),
    )
    m = v = np.zeros(5)
    p1 = p2 = 1.0
    for g in fs.round_to(GRADS, fmt):
        p1, p2 = (p1 * b1, p2 * b2) if isinstance(do, Wide) else (do.times(p1, b1), do.times(p2, b2))
        m = fs.add(do.times(m, b1), do.times(g, do.complement(b1)), fmt)
        v = fs.add(do.times(v, b2), do.times(fs.multiply(g, g, fmt), do.complement(b2)), fmt)
        first, second = do.over(m, do.complement(p1)), do.over(v, do.complement(p2))
        step = fs.divide(do.times(first, rate), do.plus(fs.sqrt(second, fmt), epsilon), fmt)
        yield fs.add(step, do.times(w, shrink), fmt) if weight_decay else step


def rmsprop_by_hand(do, lr, decay, epsilon):
    fmt = do.fmt
    decay, epsilon, rate = map(do.constant, (decay, epsilon, -lr))
    v = np.zeros(5)
    for g in fs.round_to(GRADS, fmt):
        v = fs.add(do.times(v, decay), do.times(fs.multiply(g, g, fmt), do.complement(decay)), fmt)
        yield fs.divide(do.times(g, rate), do.plus(fs.sqrt(v, fmt), epsilon), fmt)


def momentum_by_hand(do, lr, momentum):
    fmt, m = do.fmt, np.zeros(5)
    momentum, rate = do.constant(momentum), do.constant(-lr)
    for g in fs.round_to(GRADS, fmt):
        m = fs.add(do.times(m, momentum), g, fmt)
        yield do.times(m, rate)


BY_HAND = {
    "momentum": (lambda **how: sgd(0.1, 0.9, **how), lambda do: momentum_by_hand(do, 0.1, 0.9)),
    "rmsprop": (lambda **how: rmsprop(1e-3, 0.9, 1e-4, **how), lambda do: rmsprop_by_hand(do, 1e-3, 0.9, 1e-4)),
    "adam": (lambda **how: adam(1e-3, 0.9, 0.99, 1e-4, **how), lambda do: adam_by_hand(do, 1e-3, 0.9, 0.99, 1e-4)),
    "adamw": (
        lambda **how: adamw(1e-3, 0.9, 0.99, 1e-4, 0.1, **how),
        lambda do: adam_by_hand(do, 1e-3, 0.9, 0.99, 1e-4, 0.1),
    ),
}


@pytest.mark.parametrize("name", BY_HAND)
@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("constants", ["rounded", "binary64"])
def test_the_steps_in_16_bits_are_the_rounded_operations_bit_for_bit(name, fmt, constants):
    make, by_hand = BY_HAND[name]
    do = (Rounded if constants == "rounded" else Wide)(fmt)
    assert_same_codes(run(make(constants=constants), fmt), list(by_hand(do)), fs.get_format(fmt), "learning")


@pytest.mark.parametrize("fmt", FORMATS)
def test_clipping_scales_all_gradients_by_one_rounded_ratio(fmt):
    grads = {"a": fs.array(GRADS[0] * 3, fmt), "b": fs.array(GRADS[1], fmt)}
    squares = [fs.sum(fs.multiply(g.values, g.values, fmt), fmt) for g in grads.values()]
    length = fs.sqrt(fs.add(*squares, fmt), fmt)
    ratio = fs.divide(2.0, length, fmt)
    optimizer = clipped(sgd(1.0), 2.0)
    steps, _ = optimizer.update(grads, optimizer.init(grads))
    for name, g in grads.items():
        assert_same_codes(steps[name].values, -fs.multiply(g.values, ratio, fmt), fs.get_format(fmt), "learning")
    generous = clipped(sgd(1.0), float(length))
    steps, _ = generous.update(grads, generous.init(grads))
    assert steps["a"].values.tolist() == (-grads["a"].values).tolist()


def test_the_norm_of_tiny_gradients_needs_an_accumulator_for_its_sum():
    grads = {"w": fs.array([1.0] * 4096, "binary16")}
    found = []
    for accumulator in (None, Exact()):
        optimizer = clipped(sgd(1.0), 32.0, accumulator)
        found.append(-optimizer.update(grads, optimizer.init(grads))[0]["w"].values[0])
    assert found == [fs.divide(32, fs.sqrt(2048, "binary16"), "binary16"), 0.5]


def clip(grads, norm, fmt, accumulator=None, **how):
    """What clipping makes of gradients."""
    optimizer, given = clipped(sgd(1.0), norm, accumulator, **how), params(grads, fmt)
    return -optimizer.update(given, optimizer.init(given))[0]["w"].values


@pytest.mark.parametrize("fmt", ["binary16", "bfloat16", "binary32", "e5m2", "e4m3fn"])
@pytest.mark.parametrize("size", ["largest", "smallest normal", "smallest"])
def test_the_norm_neither_overflows_nor_vanishes_where_the_squares_would(fmt, size):
    fmt = fs.get_format(fmt)
    exponent = {"largest": fmt.emax, "smallest normal": fmt.emin, "smallest": fmt.quantum_exponent_min + 1}[size]
    grads = np.ldexp([1.0, -1.0, 1.0, 1.0], exponent)  # their norm is 2^(exponent + 1), even beyond the largest number
    assert clip(grads, 2.0**exponent, fmt).tolist() == (grads / 2).tolist()


def test_a_gradient_of_300_is_clipped_to_1_in_binary16():
    assert clip([300.0], 1.0, "binary16").tolist() == [fs.multiply(300, fs.divide(1, 300, "binary16"), "binary16")]
    assert clip([300.0], 1.0, "binary16") == pytest.approx(1, rel=2**-10)


@pytest.mark.parametrize("accumulator", [Exact(), Sequential("binary32"), Blas("binary32"), TensorCore("hopper")])
@pytest.mark.parametrize("scale", [2.0**-14, 1.0, 2.0**12])
def test_a_wider_accumulator_takes_exact_squares_at_any_scale(accumulator, scale):
    grads = fs.round_to(GRADS * scale, "binary16")
    length = fs.round_to(np.linalg.norm(grads.astype(float)), "binary32")  # it may be beyond 65504
    factor = fs.divide(scale, fs.round_to(length / scale, "binary16") * scale, "binary16")
    assert clip(grads, scale, "binary16", accumulator).tolist() == fs.multiply(grads, factor, "binary16").tolist()


@pytest.mark.parametrize("beyond", [np.inf, -np.inf, np.nan])
def test_a_gradient_that_is_not_finite_is_not_hidden_by_clipping(beyond, quiet):
    found = clip([1.0, beyond, 60000.0], 1.0, "binary16")
    np.testing.assert_array_equal(found, [1.0, beyond, 60000.0])
    assert clip([0.0, 0.0], 1.0, "binary16").tolist() == [0, 0]


def test_a_factor_too_small_for_its_format_makes_every_gradient_0_unless_constants_are_wider():
    grads = [30000.0, 40000.0]
    assert clip(grads, 1e-3, "binary16").tolist() == [0, 0]
    wide = clip(grads, 1e-3, "binary16", constants="binary64")
    assert wide.tolist() == pytest.approx([0.6e-3, 0.8e-3], rel=2**-10)


# --- what the field has seen ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("epsilon", "expected"), [(1e-8, [np.nan] * 3), (1e-4, [0.0] * 3)])
def test_a_gradient_of_0_steps_by_0_over_0_if_epsilon_is_0_in_its_format(epsilon, expected, quiet):
    with fs.record_flags() as raised:
        steps = run(adam(1e-3, epsilon=epsilon), "binary16", [np.zeros(3)], [1.0, -2.0, 0.5])
    np.testing.assert_array_equal(steps, [expected])
    assert raised.invalid.count == 3 * (epsilon == 1e-8)


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("constants", ["rounded", "binary64"])
def test_a_second_moment_of_1_never_comes_nearer_to_one_that_is_a_twentieth_larger(fmt, constants):
    # 0.999 * 1 + 0.001 * 1.05 is 1.00005, and half the distance to the next number is 0.0005 at least.
    optimizer, g = rmsprop(decay=0.999, constants=constants), params([1.05**0.5], fmt)
    state = replace(optimizer.init(g), v=params([1.0], fmt))
    for _ in range(1000):
        _, state = optimizer.update(g, state)
    assert state.v["w"].values.tolist() == [1.0]
    assert 1.0316 < 1.05 - 0.05 * 0.999**1000 < 1.0317  # what it should be


SHAPES = {"a": (3, 40), "b": (7,), "c": (2, 3), "d": (90,), "e": (1,)}  # with tiles of 32, and up to 10 joined
LEFT = {"corrected": (0.5, 0.25), "not corrected": (None, None)}


def moments(fmt, rng, scale):
    """Gradients of many magnitudes, some of them 0, and moments; the second ones are not negative."""
    drawn = [
        {k: rng.standard_normal(z) * 2.0 ** rng.integers(-8, 3, z) * rng.integers(0, 3, z) for k, z in SHAPES.items()}
        for _ in range(3)
    ]
    drawn[2] = {k: np.abs(x) for k, x in drawn[2].items()}
    return [{k: fs.array(np.float32(x * scale), fmt) for k, x in arrays.items()} for arrays in drawn]


def rates(fmt, left):
    given = (0.9, 0.1, 0.99, 0.01, *LEFT[left], -1e-3, 1e-4)
    return adam_steps.Rates(*(None if x is None else fs.array(x, fmt) for x in given))


@pytest.mark.parametrize("left", LEFT)
@pytest.mark.parametrize("fmt", ["binary16", "bfloat16", "binary32", "binary64", "e5m2"])
def test_adam_on_tiles_gives_the_bits_of_the_clear_one(fmt, left, monkeypatch, quiet):
    monkeypatch.setattr(adam_steps, "TILE", 32)
    monkeypatch.setattr(adam_steps, "SMALL", 10)
    given = *moments(fmt, np.random.default_rng(0), 0.25), rates(fmt, left)
    before = [[x.values.tobytes() for x in arrays.values()] for arrays in given[:3]]
    with fs.record_flags(only=["overflow"]):
        fast = adam_steps.on_tiles(*given)
    for found, expected in zip(fast, adam_steps.clear(*given), strict=True):
        assert list(found) == list(SHAPES)
        for name, x in found.items():
            assert (x.shape, x.fmt, x.mode) == (SHAPES[name], expected[name].fmt, expected[name].mode)
            assert x.values.tobytes() == expected[name].values.tobytes()
            assert not any(np.shares_memory(x.values, y.values) for arrays in given[:3] for y in arrays.values())
    assert before == [[x.values.tobytes() for x in arrays.values()] for arrays in given[:3]]


LARGE = {
    "squares": lambda g, m, v, largest: g["c"].values.__setitem__((1, 1), largest),
    "a hidden quotient": lambda g, m, v, largest: v["d"].values.__setitem__(3, largest),  # v / left2; the step is 0
    "many": lambda g, m, v, largest: [x["a"].values.__setitem__((2, slice(9, 37)), largest) for x in (g, v)],
    "last before first": lambda g, m, v, largest: (
        g["e"].values.__setitem__(0, largest),
        v["a"].values.__setitem__((2, 39), largest),
    ),
}


@pytest.mark.parametrize("only", [["overflow"], ["overflow", "invalid", "divide_by_zero"]], ids=len)
@pytest.mark.parametrize("fmt", ["binary16", "bfloat16", "binary32"])
@pytest.mark.parametrize("large", LARGE)
def test_overflows_in_adam_are_reported_as_by_the_clear_one(large, fmt, only, monkeypatch, quiet):
    monkeypatch.setattr(adam_steps, "TILE", 32)
    monkeypatch.setattr(adam_steps, "SMALL", 10)
    given, found = moments(fmt, np.random.default_rng(1), 0.25), []
    LARGE[large](*given, float(fs.get_format(fmt).max_finite))
    for steps in (adam_steps.adam_steps, adam_steps.clear):
        with fs.record_flags(only=only) as raised:
            moved = steps(*given, rates(fmt, "corrected"))
        overflow = raised.overflow
        found.append((overflow.count, overflow.operation, overflow.index, raised.names()))
        found.append([x.values.tobytes() for arrays in moved for x in arrays.values()])
    assert found[:2] == found[2:]
    assert found[0][0] > 0
    with fs.record_flags(only=only):
        assert (adam_steps.on_tiles(*given, rates(fmt, "corrected")) is None) == (len(only) > 1)


@pytest.mark.parametrize(
    "change",
    [
        lambda g, m, v, c: (g, m, v, c._replace(beta1=0.9)),
        lambda g, m, v, c: (g, m, {**v, "b": v["b"].reshape(7, 1)}, c),
        lambda g, m, v, c: (g, {**m, "b": m["b"].astype("bfloat16")}, v, c),
        lambda g, m, v, c: ({k: x.astype("binary16", "toward_zero") for k, x in g.items()}, m, v, c),
    ],
    ids=["binary64 constants", "another shape", "another format", "another mode"],
)
def test_what_tiles_cannot_compute_is_left_to_the_clear_adam(change, quiet):
    given = *moments("binary16", np.random.default_rng(2), 0.25), rates("binary16", "corrected")
    assert adam_steps.on_tiles(*given) is not None
    assert adam_steps.on_tiles(*change(*given)) is None
    with fs.record_flags():  # inexact and underflow need a look at every element
        assert adam_steps.on_tiles(*given) is None


def test_nothing_is_mutated_so_that_a_step_can_be_taken_again():
    optimizer, w, g = adam(), params(START, "binary16"), params(GRADS[0], "binary16")
    state = optimizer.init(w)
    first, _ = optimizer.update(g, state, w)
    again, _ = optimizer.update(g, state, w)
    assert first["w"].codes.tolist() == again["w"].codes.tolist()
    assert state.count == 0
    assert not state.m["w"].values.any()


# --- how a step is added --------------------------------------------------------------------------------------------


def thousand(update, weights=1.0, step=1e-3, times=1000):
    """The weights after a thousand steps in bfloat16."""
    w, steps = params(np.full(64, weights), "bfloat16"), params(np.full(64, step), "bfloat16")
    carry = UPDATES[update].init(w)
    rng = np.random.default_rng(0)
    for _ in range(times):
        w, carry = UPDATES[update].add(w, steps, carry, rng)
    assert w["w"].mode is fs.Rounding.TIES_TO_EVEN
    return w["w"].values


def test_a_thousand_small_steps_are_lost_plainly_kept_by_kahan_and_right_in_the_mean_by_stochastic_rounding():
    assert thousand("plain").tolist() == [1.0] * 64
    assert thousand("kahan").tolist() == [2.0] * 64
    truth = 1 + 1000 * fs.round_to(1e-3, "bfloat16")  # 1.999
    found = thousand("stochastic")
    assert len(set(found.tolist())) > 1
    # Each run's deviation is below sqrt(1000 ulp step) = 0.09, that of the mean of 64 below 0.012.
    assert np.mean(found) == pytest.approx(truth, abs=0.036)


@pytest.mark.parametrize("fmt", FORMATS)
def test_kahans_update_is_its_formula_bit_for_bit(fmt):
    w, carry = fs.round_to(START, fmt), np.zeros(5)
    held, kept = params(w, fmt), params(carry, fmt)
    for step in fs.round_to(GRADS * 1e-2, fmt):
        held, kept = UPDATES["kahan"].add(held, params(step, fmt), kept, None)
        wanted = fs.add(step, carry, fmt)
        moved = fs.add(w, wanted, fmt)
        w, carry = moved, fs.subtract(wanted, fs.subtract(moved, w, fmt), fmt)
        assert_same_codes(held["w"].values, w, fs.get_format(fmt), "learning")
        assert_same_codes(kept["w"].values, carry, fs.get_format(fmt), "learning")


def test_a_stochastic_update_is_the_stochastic_sum_of_the_same_draws():
    w, step = params(START, "bfloat16"), params(GRADS[0] * 1e-3, "bfloat16")
    found, _ = UPDATES["stochastic"].add(w, step, {}, np.random.default_rng(5))
    exact = w["w"].values.astype(np.float64) + step["w"].values
    expected = fs.round_to(exact, "bfloat16", "stochastic", rng=np.random.default_rng(5))
    assert_same_codes(found["w"].values, expected, fs.BFLOAT16, "learning")


# --- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: sgd(lr=-1), "lr=-1 must be positive"),
        (lambda: sgd(momentum=1.0), "momentum=1.0 must be 0 or more and less than 1"),
        (lambda: rmsprop(decay=-0.1), "decay=-0.1 must be 0 or more and less than 1"),
        (lambda: adam(beta2=1.0), "beta2=1.0 must be 0 or more and less than 1"),
        (lambda: adam(epsilon=-1e-8), "epsilon=-1e-08 is negative"),
        (lambda: adamw(weight_decay=-1.0), "weight_decay=-1.0 is negative"),
        (lambda: adam(constants="float"), "constants='float' is unknown; use 'rounded' or 'binary64'"),
        (lambda: clipped(sgd(), 0.0), "norm=0.0 must be positive"),
        (lambda: clipped(sgd(), 1.0, constants="float"), "constants='float' is unknown"),
        (lambda: step_decay(0.1, every=0), "every=0 must be 1 step or more"),
        (lambda: step_decay(0.1, every=1, factor=0.0), "factor=0.0 must be positive"),
    ],
)
def test_impossible_settings_are_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_weight_decay_without_the_parameters_is_refused():
    optimizer = adamw()
    with pytest.raises(TypeError, match="call update"):
        optimizer.update(params([1.0]), optimizer.init(params([1.0])))
