"""fs.testing: right kernels pass, wrong ones are refused and named, and the derived bounds are never too small."""

import math
import subprocess
import sys
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings

import fp16sim as fs
from fp16sim import accumulators as acc
from fp16sim import cases, exact, faults
from fp16sim.formats import get_format
from fp16sim.teach import strategies as fst
from fp16sim.testing import balls, kernels, planted
from fp16sim.testing.fixtures import hard_rows, rng  # noqa: F401 - as a project imports them
from fp16sim.testing.permitted import ORDERS, permitted

from .support import TOY, first

pytestmark = pytest.mark.usefixtures("quiet")
EVEN = fs.Rounding.TIES_TO_EVEN


def refusal(call, *arguments, **options):
    """The message of an assertion that fails."""
    with pytest.raises(AssertionError) as caught:
        call(*arguments, **options)
    return str(caught.value)


# --- differences ----------------------------------------------------------------------------------------------------


def test_a_difference_in_ulp_is_that_of_fractions_at_the_expected_number():
    expected = np.array([1.0, 2048.5, -3e-6, 65504.0, 0.0])
    got = np.array([1.0009765625, 2050.0, -3.5e-6, 65472.0, 2.0**-24])
    for found, x, y in zip(fs.testing.ulp_difference(got, expected, "binary16"), got, expected, strict=True):
        assert found == float(abs(Fraction(x) - Fraction(y)) / Fraction(float(fs.ulp(y, "binary16"))))


def test_equal_results_do_not_differ_and_one_that_is_nan_or_infinite_alone_is_infinitely_far_away():
    pairs = [
        (0.0, -0.0),
        (math.nan, math.nan),
        (math.inf, math.inf),
        (math.inf, 1.0),
        (1.0, math.nan),
        (math.inf, -math.inf),
    ]
    found = fs.testing.ulp_difference(*zip(*pairs, strict=True), "bfloat16")
    assert found.tolist() == [0, 0, 0, math.inf, math.inf, math.inf]
    assert fs.testing.within_ulps(*zip(*pairs, strict=True), 10**9, "bfloat16").tolist() == [True] * 3 + [False] * 3


# --- bit for bit ----------------------------------------------------------------------------------------------------


ROUNDINGS = [(fmt, mode) for fmt in ("e4m3fn", "binary16", "bfloat16") for mode in ("toward_zero", "ties_to_even")]


@pytest.mark.parametrize(("fmt", "mode"), first(1, ROUNDINGS, unpack=True))
def test_every_rounding_of_our_own_passes_and_every_wrong_rounder_is_refused_and_named(fmt, mode):
    x = cases.roundable(fmt)
    fs.testing.assert_rounded(fs.round_to(x, fmt, mode), x, fmt, mode)
    for fault in faults.wrong_rounders(get_format(fmt), fs.Rounding(mode)):
        message = refusal(fs.testing.assert_rounded, fault(x, fmt, mode), x, fmt, mode)
        assert "In every case that was compared, it answers like a function that " in message, fault.name


def test_a_message_counts_shows_the_worst_and_explains_the_simplest_example():
    x = np.array([1.0, 261.0, 257.0, np.nan, 3.0])
    message = refusal(fs.testing.assert_rounded, [1.0, 262.0, 260.0, 7.0, 3.0], x, "bfloat16")
    assert "got is not round_to(x, bfloat16, ties_to_even)" in message
    assert "Mismatched elements: 3 / 5 (60.0%)" in message
    assert "NaN or infinite on one side only: 1 element\n" in message
    assert "Largest difference: 2 ulp, at [2]: got 260.0 (0x4382), expected 256.0" in message
    assert "Simplest example: x = 257.0, at [2]\n  got       260.0 (0x4382)\n  expected  256.0 (0x4380)" in message
    assert "a tie. The kept digits end in 0" in message
    assert "answers like" not in message


def test_a_sign_of_zero_is_a_difference_and_a_result_that_was_never_rounded_is_named_so():
    assert "Only signs of zero differ" in refusal(fs.testing.assert_rounded, [0.0], [-1e-9], "binary16")
    assert "0.1 (not a number of binary16)" in refusal(fs.testing.assert_rounded, [0.1], [0.1], "binary16")


def test_stochastic_rounding_may_give_either_neighbour_and_no_other_number():
    x = np.linspace(0.1, 0.2, 50)
    fs.testing.assert_rounded(fs.round_to(x, "bfloat16", "stochastic", rng=1), x, "bfloat16", "stochastic")
    beyond = fs.next_up(fs.round_to(x, "bfloat16", "toward_positive"), "bfloat16")
    assert " or " in refusal(fs.testing.assert_rounded, beyond, x, "bfloat16", "stochastic")
    fs.testing.assert_rounded([0.5], [0.5], "bfloat16", "stochastic")
    refusal(fs.testing.assert_rounded, [fs.next_up(0.5, "bfloat16")], [0.5], "bfloat16", "stochastic")


OPERATIONS = ["add", "subtract", "multiply", "divide", "sqrt", "fma"]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_passes_where_it_is_right_and_each_known_fault_of_it_is_refused_by_name(name):
    columns = [x[::7] for x in cases.tuples("binary16", {"sqrt": 1, "fma": 3}.get(name, 2))]
    right = getattr(fs, name)(*columns, "binary16")
    fs.testing.assert_operation(right, name, *columns, fmt="binary16")
    found = 0
    for fault in [one for one in faults.suspects(name) if one.function]:
        wrong = fault.answer(name, columns, "binary16")
        if not np.array_equal(wrong, right, equal_nan=True):
            assert fault.misconception in " ".join(
                refusal(fs.testing.assert_operation, wrong, name, *columns, fmt="binary16").split()
            )
            found += 1
    assert found


def test_an_elementary_function_is_checked_and_explained():
    x = np.float16([0.5, 1.0, 2.0])
    fs.testing.assert_operation(fs.exp(x), "exp", x)
    message = refusal(fs.testing.assert_operation, fs.next_up(fs.exp(x)), "exp", x)
    assert "Simplest example: x = 1.0" in message
    assert "exp(1.0) in binary16, ties_to_even: 2.71875" in message


# --- what is taken --------------------------------------------------------------------------------------------------


class Tensor:
    """What a torch tensor looks like from outside: NumPy cannot read bfloat16, so `numpy()` refuses it."""

    __module__ = "torch"

    def __init__(self, values, dtype):
        self.values_, self.dtype, self.requires_grad = np.asarray(values, np.float32), f"torch.{dtype}", True

    def detach(self):
        self.requires_grad = False
        return self

    def cpu(self):
        return self

    def float(self):
        found = Tensor(self.values_, "float32")
        found.requires_grad = self.requires_grad
        return found

    def numpy(self):
        assert not self.requires_grad, "Can't call numpy() on Tensor that requires grad"
        if self.dtype == "torch.bfloat16":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self.values_

    def __array__(self, dtype=None, copy=None):
        raise AssertionError("the tensor is still on its device")


KINDS = {
    "list": list,
    "float32": lambda x: np.asarray(x, np.float32),
    "ml_dtypes": lambda x: np.asarray(x, ml_dtypes.bfloat16),
    "FloatArray": lambda x: fs.array(x, "bfloat16"),
    "torch bfloat16": lambda x: Tensor(x, "bfloat16"),
    "torch float32": lambda x: Tensor(x, "float32"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_results_and_operands_of_every_kind_are_read(kind):
    x = fs.testing.hard_rows("plain", (2, 8), "bfloat16", 0)
    make, right = KINDS[kind], fs.sum(x, "bfloat16", axis=-1, accumulator="binary32")
    fs.testing.assert_explained(make(right), "sum", make(x), fmt="bfloat16", axis=-1)
    fs.testing.assert_rounded(make(x), x, "bfloat16")
    fs.testing.assert_operation(make(fs.sqrt(np.abs(x), "bfloat16")), "sqrt", make(np.abs(x)), fmt="bfloat16")
    refusal(fs.testing.assert_rounded, make(np.abs(x)), x, "bfloat16")
    assert fs.testing.ulp_difference(make(x), make(x), "bfloat16").max() == 0


def test_importing_it_loads_no_framework_and_the_fixtures_alone_load_pytest():
    code = (
        "import sys, fp16sim.testing; fp16sim.testing.bound; print(*{name.partition('.')[0] for name in sys.modules})"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pytest", "hypothesis", "torch", "jax", "ml_dtypes", "matplotlib", "rich"} & set(loaded)


# --- bounds ---------------------------------------------------------------------------------------------------------

TINY = [TOY, get_format("e4m3_ieee"), get_format("e5m2"), fs.BFLOAT16]
MODES = ["ties_to_even", "ties_to_away", "toward_zero", "toward_negative", "to_odd"]


def tree_sum(terms, fmt, mode, random):
    """The sum of terms in a random tree of additions, by the exact layer."""
    terms = [Fraction(x) for x in terms]
    while len(terms) > 1:
        a, b = (terms.pop(random.integers(len(terms))) for _ in range(2))
        terms.append(exact.add(a, b, fmt, mode))
    return float(terms[0])


@pytest.mark.parametrize("seed", first(12, range(1500)))
def test_no_tree_of_additions_leaves_the_bound_of_any_order(seed):
    random = np.random.default_rng(seed)
    fmt, mode = TINY[random.integers(len(TINY))], fs.Rounding(MODES[random.integers(len(MODES))])
    kind = ["plain", "same_sign", "cancelling", "absorbing", "order_matters", "underflowing"][random.integers(6)]
    x = fs.testing.hard_rows(kind, int(random.integers(1, 60)), fmt, random) / 4
    x = fs.round_to(x, fmt)
    found = fs.testing.bound("sum", x, fmt=fmt, mode=mode, accumulators="sequential")
    got = tree_sum(x, fmt, mode, random)
    if np.isfinite(got):
        assert abs(got - found.value) <= found.radius
    else:
        assert found.overflows


def test_the_bounds_of_sums_are_sharp():
    """1 and 8 halves of an ulp: each is lost in a tie; the error is 8 u, and the bound 8 u S with S = 1 + 8 u."""
    x = np.array([1.0, *[2.0**-9] * 8])
    fmt = fs.Format("nine", width=16, precision=9)
    found = fs.testing.bound("sum", x, fmt=fmt, accumulators="sequential")
    assert fs.sum(x, fmt) == 1.0
    assert 8 * 2.0**-9 <= found.radius <= 1.02 * 8 * 2.0**-9


def test_a_directed_mode_may_lose_nearly_a_whole_ulp_in_each_addition():
    nine = fs.Format("nine", width=16, precision=9)
    x = np.array([1.0, *[2.0**-8 * (1 - 2.0**-9)] * 8])
    found = fs.testing.bound("sum", x, fmt=nine, mode="toward_zero", accumulators="sequential")
    assert fs.sum(x, nine, "toward_zero") == 1.0
    assert x.sum() - 1 <= found.radius < 1.1 * (x.sum() - 1)


def test_a_partial_sum_counts_that_is_larger_than_the_sum_and_no_larger_one():
    nine = fs.Format("nine", width=16, precision=9)
    x = np.array([1.0, *[2.0**-9] * 8, -1.0])
    assert fs.sum(x, nine) == 0.0
    assert fs.testing.bound("sum", x, fmt=nine, accumulators="sequential").radius >= x.sum() == 2.0**-6
    signs = np.array([1.0, -1.0] * 32)  # no partial sum exceeds 32, half of S
    found = fs.testing.bound("sum", signs, fmt="binary16", accumulators="sequential")
    assert found.radius == pytest.approx(63 * 32 * 2.0**-11, rel=1e-9)


def test_a_matrix_unit_may_cut_off_all_but_the_largest_term_of_each_group():
    small = 2.0**-12, 2.0**-11 * (1 - 2.0**-11)  # products just below 2^-23, the last place of volta beside 1
    a, b = (np.array([1.0, *[x] * 39, 1.0]) for x in small)
    b[[0, -1]] = 1.0, -1.0
    error = abs(fs.dot(a, b, accumulator="volta") - a @ b)
    assert error > 39 * 2.0**-24
    assert error <= fs.testing.bound("dot", a, b, accumulators="volta").radius < 8 * error


def test_the_rounding_of_a_difference_moves_an_exponential_by_many_ulp():
    x = np.array([-20.0, 0.0625])  # the difference, -20.0625, is a tie in bfloat16
    how = acc.Sequential("bfloat16")
    e = fs.exp(fs.subtract(x, x.max(), "bfloat16"), "bfloat16")
    got = fs.divide(e, fs.sum(e, "bfloat16"), "bfloat16")
    found = fs.testing.bound("softmax", x, fmt="bfloat16", accumulators=how)
    error = fs.testing.ulp_difference(got, found.value, "bfloat16")
    assert error[0] > 5
    assert (error <= found.ulps).all()


def test_the_errors_of_all_exponentials_count_in_the_sum():
    x = np.array([1.0, *[0.0] * 9])
    e = np.exp(x - 1) * np.where(x == 1, 1.0, 1 + 2.0**-9)  # 2^14 ulp of binary32 at most
    got = fs.round_to(e / e.sum())
    fs.testing.assert_explained(got, "softmax", x, function_ulps=2.0**15)
    refusal(fs.testing.assert_explained, got, "softmax", x)
    e = np.array(
        [1 + 2.0**-9, *[1 - 2.0**-9] * 9]
    )  # 2^14 ulp each, the first one upward: its share moves by 1.8 * 2^-9
    fs.testing.assert_explained(fs.round_to(e / e.sum()), "softmax", np.zeros(10), function_ulps=2.0**14)


def test_an_error_of_the_mean_adds_its_square_to_each_squared_deviation():
    steps = balls.Steps(permitted(acc.Sequential("binary16"), ("any",), fs.BINARY16, EVEN)[0], None, 1.0)
    d, shift = np.array([-1.0, 1.0]), np.array([1.0])
    q = kernels._squares(balls.Ball(d, np.ones(2)), shift, steps)
    assert q.radius.sum() >= (d - shift) @ (d - shift) - d @ d == 2
    assert q.radius.sum() < 2.01  # the first-order terms, 2 d c, cancel


def test_what_is_permitted_is_bounded_by_the_worst_of_it():
    nine = fs.Format("nine", width=16, precision=9)
    pair = [1.0, 2.0**-9]  # one addition, which loses the second term
    assert fs.testing.bound("sum", pair, fmt=nine, accumulators="pairwise", orders="forward").radius >= 2.0**-9
    x = fs.testing.hard_rows("plain", 32, "binary16", 0)
    narrow, wide = (fs.testing.bound("sum", x, accumulators=how).radius for how in ("sequential", "binary32"))
    for both in (["sequential", "binary32"], ["binary32", "sequential"]):
        assert fs.testing.bound("sum", x, accumulators=both).radius == narrow > wide


def test_a_nan_beside_results_that_only_the_bound_accepts_is_right_where_the_exact_result_is_one():
    x = fs.testing.hard_rows("order_matters", (2, 40), "binary16", 0)
    got = fs.next_up(fs.sum(x, axis=-1)) + 2.0**-5  # which no order that is tried gives
    x[0, 3] = got[0] = np.nan
    assert fs.testing.assert_explained(got, "sum", x, axis=-1, accumulators="sequential").bound is not None
    got[0] = 1.0
    refusal(fs.testing.assert_explained, got, "sum", x, axis=-1, accumulators="sequential")


def test_where_gamma_does_not_exist_another_theorem_bounds_the_sum():
    x = np.ones(300)
    found = fs.testing.bound("sum", x, fmt="bfloat16", accumulators="sequential")
    assert found.radius == pytest.approx(299 * 2.0**-8 * 300)
    text = str(found)
    assert "Jeannerod and Rump" in text
    assert "gamma does not exist here: (n - 1) u = 1.168 is not below 1" in text
    assert fs.sum(x, "bfloat16") == 256 >= found.value - found.radius
    directed = fs.testing.bound("sum", x, fmt="bfloat16", mode="toward_zero", accumulators="sequential")
    assert directed.radius > found.radius
    assert "Jeannerod" not in str(directed)
    assert "gamma = " in str(fs.testing.bound("sum", np.ones(200), fmt="bfloat16", accumulators="sequential"))


def test_a_known_order_has_a_smaller_bound_than_any_order():
    x = fs.testing.hard_rows("same_sign", 64, "bfloat16", 0)

    def radius(orders, accumulators="pairwise"):
        return fs.testing.bound("sum", x, fmt="bfloat16", accumulators=accumulators, orders=orders).radius

    assert radius("forward") < radius("any") / 5
    assert radius("forward", acc.Blocked("bfloat16", block=8)) < radius("any") / 2
    assert radius("forward", "binary32") < radius("forward") / 4


def test_a_probabilistic_bound_grows_with_the_root_of_n_and_says_its_probability():
    radii = {}
    for n in (1000, 4000):
        x = np.ones(n) * 2.0**-4
        found = fs.testing.bound(
            "sum", x, fmt="binary16", accumulators="sequential", kind="probabilistic", failure=1e-6
        )
        assert (found.kind, found.failure) == ("probabilistic", 1e-6)
        assert "which a right kernel exceeds with a probability of at most 1e-06" in str(found)
        rigorous = fs.testing.bound("sum", x, fmt="binary16", accumulators="sequential")
        assert (rigorous.kind, rigorous.failure) == ("rigorous", 0)
        assert found.radius < rigorous.radius
        radii[n] = found.radius / x.sum()
    assert 1.8 < radii[4000] / radii[1000] < 2.2
    short = fs.testing.bound("sum", np.ones(8), fmt="binary16", accumulators="sequential", kind="probabilistic")
    assert short.kind == "rigorous"  # the smaller one
    truncating = fs.testing.bound("sum", x, mode="toward_zero", accumulators="sequential", kind="probabilistic")
    assert truncating.kind == "rigorous"  # its errors all have one sign


def test_the_probability_follows_the_theorem():
    n, sums, failure, v = 1000, 16, 1e-6, 2.0**-11
    level = math.sqrt(2 * math.log(2 * n * sums / failure)) / (1 - v)
    factor = math.expm1(level * math.sqrt(n) * v + n * v * v / (1 - v))
    x = np.full((sums, n), 2.0**-4)
    found = fs.testing.bound("sum", x, accumulators="sequential", kind="probabilistic", failure=failure, axis=-1)
    assert found.radius == pytest.approx(factor * n * 2.0**-4, rel=1e-9)


@pytest.mark.parametrize("mode", ["ties_to_even", "stochastic"])
def test_random_sums_stay_within_the_probabilistic_bound(mode):
    random = np.random.default_rng(0)
    x = fs.round_to(random.random((20, 600)), "binary16")
    found = fs.testing.bound("sum", x, mode=mode, accumulators="sequential", kind="probabilistic", axis=-1)
    assert found.kind == "probabilistic"
    got = fs.sum(x, "binary16", mode, axis=-1, rng=1 if mode == "stochastic" else None)
    assert (np.abs(got - found.value) <= found.radius).all()


def test_products_that_underflow_are_within_the_bound():
    a = fs.testing.hard_rows("underflowing", (8, 40), "binary16", 3)
    found = fs.testing.bound("matmul", a, a.T, accumulators="sequential")
    got = fs.matmul(a, a.T, "binary16")
    assert (np.abs(got - found.value) <= found.radius).all()
    assert (found.radius >= 40 * 2.0**-25).all()
    tiny = np.full(8, 1.25 * 2.0**-12)  # squares of 1.5625 quanta of binary16 become 2
    found = fs.testing.bound("dot", tiny, tiny, accumulators="sequential")
    assert found.value < 16 * 2.0**-24 <= fs.dot(tiny, tiny) <= found.value + found.radius


def test_a_sum_that_may_overflow_on_the_way_may_be_infinite_and_no_other_may():
    x = fs.testing.hard_rows("overflowing", 16, "binary16", 0)
    found = fs.testing.bound("sum", x, accumulators="sequential")
    assert found.overflows
    for right in (np.inf, -np.inf, np.nan, float(fs.round_to(x.sum()))):
        fs.testing.assert_explained(right, "sum", x, accumulators="sequential")
    refusal(fs.testing.assert_explained, float(fs.round_to(x.sum())) + 16384, "sum", x, accumulators="binary32")
    refusal(fs.testing.assert_explained, np.inf, "sum", x, accumulators="binary32")  # in binary32 nothing overflows
    refusal(fs.testing.assert_explained, np.inf, "sum", np.ones(16), accumulators="sequential")


def test_special_operands_have_one_right_result():
    x = np.array([1.0, np.inf, 2.0])
    fs.testing.assert_explained(np.inf, "sum", x)
    refusal(fs.testing.assert_explained, 65504.0, "sum", x)
    fs.testing.assert_explained(np.nan, "sum", [np.inf, -np.inf])
    refusal(fs.testing.assert_explained, 0.0, "sum", [np.inf, -np.inf])
    masked = np.array([1.0, -np.inf, 2.0])
    right = fs.round_to([1 / (1 + np.e), 0, np.e / (1 + np.e)])
    fs.testing.assert_explained(right, "softmax", masked)
    fs.testing.assert_explained([np.nan] * 3, "softmax", [-np.inf] * 3)


def test_a_result_that_is_no_number_of_the_format_is_refused_though_it_is_near():
    x = fs.testing.hard_rows("same_sign", 16, "bfloat16", 0)
    message = refusal(fs.testing.assert_explained, x.sum() * (1 + 2.0**-20), "sum", x, fmt="bfloat16")
    assert "Not numbers of bfloat16, so never rounded to it: 1" in message


# --- kernels of the wild: other orders, float32 inside, other variants ------------------------------------------------


def float32_layer_norm(x, weight, bias, eps):
    x = x.astype(np.float32)
    d = x - x.mean(axis=-1, keepdims=True)
    y = d / np.sqrt((d * d).mean(axis=-1, keepdims=True) + np.float32(eps))
    return y * weight.astype(np.float32) + bias.astype(np.float32)


def float32_softmax(x):
    e = np.exp(x.astype(np.float32) - x.max(axis=-1, keepdims=True).astype(np.float32))
    return e / e.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("fmt", ["binary16", "bfloat16"])
@pytest.mark.parametrize("seed", first(1, range(100)))
def test_float32_kernels_of_numpy_pass_within_the_bound_of_binary32(seed, fmt):
    random = np.random.default_rng(seed)
    x = fs.round_to(random.standard_normal((8, 96)) * 10.0 ** random.integers(-2, 2), fmt)
    weight, bias = fs.round_to(random.standard_normal((2, 96)), fmt)
    x32 = x.astype(np.float32)
    results = {
        "softmax": (float32_softmax(x), (x,), {}),
        "layer_norm": (float32_layer_norm(x, weight, bias, 1e-5), (x, weight, bias), {}),
        "mean": (x32.mean(axis=-1), (x,), {"axis": -1}),
        "sum": (x32.sum(axis=-1), (x,), {"axis": -1}),
        "matmul": (x32 @ x32.T, (x, x.T), {}),
        "dot": (x32 @ weight.astype(np.float32), (x, weight), {}),
    }
    for name, (wide, operands, options) in results.items():
        got = fs.round_to(wide, fmt)
        evidence = fs.testing.assert_explained(got, name, *operands, fmt=fmt, function_ulps=4, **options)
        assert evidence.unjudged == 0
        got, sharpest = got.copy(), np.argmin(fs.testing.bound(name, *operands, fmt=fmt, **options).ulps)
        got.ravel()[sharpest] = fs.next_up(fs.next_up(got.ravel()[sharpest], fmt), fmt)
        refusal(fs.testing.assert_explained, got, name, *operands, fmt=fmt, function_ulps=4, **options)


@pytest.mark.parametrize(
    ("accumulator", "order"),
    [
        ("sequential", "forward"),
        ("sequential", "backward"),
        ("pairwise", "lanes:8"),
        ("kahan", "lanes:4"),
        ("hopper", "forward"),
    ],
)
def test_the_accumulator_and_the_order_that_gave_the_results_are_named(accumulator, order):
    a, b = (fs.testing.hard_rows("order_matters", (4, 48), "binary16", seed) for seed in (0, 1))
    way = ORDERS[order](48)
    got = fs.matmul(a[:, way], b.T[way], "binary16", accumulator=accumulator)
    everything = ["sequential", "pairwise", "kahan", "hopper"]
    evidence = fs.testing.assert_explained(got, "matmul", a, b.T, accumulators=everything, kind=None)
    assert (evidence.order, evidence.bound) == (order, None)
    assert evidence.accumulator.lower().startswith("tensorcore(hopper" if accumulator == "hopper" else accumulator)
    assert "all 16 results are those of" in str(evidence)


def test_what_is_not_permitted_is_named_and_refused():
    a, b = (fs.testing.hard_rows("same_sign", (4, 64), "binary16", seed) for seed in (0, 1))
    got = fs.matmul(a, b.T, "binary16")
    message = refusal(fs.testing.assert_explained, got, "matmul", a, b.T)
    assert "All results are those of Sequential(binary16), forward, which is not permitted here." in message
    assert "Permitted: Sequential(binary32), in any order" in message
    message = refusal(
        fs.testing.assert_explained, got, "matmul", a, b.T, accumulators="pairwise", orders="forward", kind=None
    )
    assert "No bound: only results that are equal bit for bit pass" in message


def test_kahans_sum_passes_bit_for_bit_and_has_no_bound():
    x = fs.testing.hard_rows("order_matters", 40, "binary16", 0)
    fs.testing.assert_explained(fs.sum(x, accumulator="kahan"), "sum", x, accumulators="kahan")
    other = fs.sum(x, accumulator="kahan") + 0.125
    assert "No bound" in refusal(fs.testing.assert_explained, other, "sum", x, accumulators="kahan")
    with pytest.raises(ValueError, match=r"accumulators=Kahan\(binary16\): no error bound with known constants"):
        fs.testing.bound("sum", x, accumulators="kahan")


def test_an_axis_is_that_of_numpy():
    x = fs.testing.hard_rows("same_sign", (3, 4, 5), "binary16", 0)
    for axis in (0, 1, -1, None):
        fs.testing.assert_explained(fs.mean(x, axis=axis, accumulator="binary32"), "mean", x, axis=axis)
    e = np.exp(x)
    fs.testing.assert_explained(fs.round_to(e / e.sum(axis=1, keepdims=True)), "softmax", x, axis=1)
    refusal(fs.testing.assert_explained, fs.round_to(e / e.sum(axis=1, keepdims=True)), "softmax", x, axis=2)


# --- right and wrong kernels ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seeds", [4, pytest.param(200, marks=pytest.mark.exhaustive)])
def test_no_right_kernel_is_refused(seeds):
    assert planted.false_alarms(seeds) == {name: [] for name in planted.RIGHT}


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(20))
def test_planted_faults_are_found_and_many_pass_the_usual_tolerance(seed):
    found = [planted.verdict(one, seed) for one in planted.PLANTED]
    caught = [one for one in found if one.message]
    assert len(found) == 20
    assert len(caught) >= 18
    assert sum(one.passes_rtol for one in caught) >= 8
    assert sum(one.named or "not permitted here" in one.message for one in caught) >= 18


@pytest.mark.parametrize("k", first(9, [5, 6, 7, 11, 12, 14, 16, 18, 19, 8, 9, 10, 13, 15, 17]))
def test_a_planted_fault_of_a_kernel_is_found_and_named(k):
    found = planted.verdict(planted.PLANTED[k])
    assert found.named or "is not permitted here" in found.message


@pytest.mark.exhaustive
def test_every_wrong_kernel_of_the_table_differs_from_the_right_one_on_some_rows():
    for fault in faults.FAULTS:
        task = fault.tasks[0]
        if task.startswith("kernel_"):
            kinds = ("plain", "absorbing", "underflowing", "overflowing", "same_sign")
            tried = [planted.Planted(task, fault.name, "binary16", kind, (4, 60)) for kind in kinds]
            assert any(planted.verdict(one).message for one in tried), (task, fault.name)


@pytest.mark.exhaustive
def test_the_program_prints_the_table(capsys):
    assert planted.main(["1"]) == 0
    said = capsys.readouterr().out
    assert "found: 20 of 20; 13 of these 20 pass rtol=0.016, atol=1e-05\n" in said
    assert "found though sums in the format are permitted, in any order: " in said
    assert said.endswith("right kernel, tensor core: 0 false alarms on 1 seeds\n")


# --- rows and fixtures ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", ["binary16", "bfloat16", "e4m3fn", "e5m2"])
def test_rows_are_what_their_names_say(fmt):
    fmt = get_format(fmt)
    rows = {kind: fs.testing.hard_rows(kind, (20, 32), fmt, 0) for kind in fs.testing.ROWS}
    for x in rows.values():
        assert np.array_equal(fs.round_to(x, fmt), x)
    with np.errstate(all="ignore"):
        sums = np.cumsum(rows["overflowing"], axis=-1)
    assert (np.abs(sums).max(axis=-1) > fmt.max_finite).all()
    assert (np.abs(sums[:, -1]) < fmt.max_finite).all()
    assert (np.abs(rows["cancelling"].sum(axis=-1)) < np.abs(rows["cancelling"]).sum(axis=-1) / 8).all()
    assert (rows["same_sign"] > 0).all()
    assert (rows["underflowing"] ** 2 < 8 * fmt.min_normal).all()
    absorbing = rows["absorbing"]
    assert (fs.sum(absorbing, fmt, axis=-1) < fs.sum(absorbing[:, ::-1], fmt, axis=-1)).all()
    different = fs.sum(rows["order_matters"], fmt, axis=-1) != fs.sum(rows["order_matters"][:, ::-1], fmt, axis=-1)
    assert different.mean() > 0.5


def test_fixtures_run_a_test_once_for_each_kind_with_the_same_numbers_each_time(hard_rows, rng):  # noqa: F811
    x = hard_rows((2, 16), "bfloat16")
    assert x.shape == (2, 16)
    fs.testing.assert_rounded(x, x, "bfloat16")
    assert isinstance(rng, np.random.Generator)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(fst.rows("bfloat16", max_length=20), fst.matrix_pairs("binary16", max_length=20))
def test_the_strategies_draw_rows_and_shapes_that_fit(x, pair):
    a, b = pair
    fs.testing.assert_explained(
        fs.sum(x, "bfloat16", axis=-1), "sum", x, fmt="bfloat16", axis=-1, accumulators="sequential"
    )
    fs.testing.assert_explained(fs.matmul(a, b, accumulator="volta"), "matmul", a, b, accumulators="volta")


# --- refusals -------------------------------------------------------------------------------------------------------

X = [1.0, 2.0]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda t: t.assert_explained(X, "sums", X), ValueError, "operation='sums'.*did you mean 'sum'"),
        (lambda t: t.assert_explained(X, "sum", X, X), ValueError, "takes 1 operands, but 2 are given"),
        (lambda t: t.assert_explained(X, "matmul", X, [1.0]), ValueError, "make the last axis of a as long"),
        (lambda t: t.assert_explained(X, "sum", X, axis=3), ValueError, "axis=3 does not exist in x of shape"),
        (lambda t: t.assert_explained(X, "sum", []), ValueError, "has no element along the axis"),
        (lambda t: t.assert_explained(X, "layer_norm", X, [1.0] * 3), ValueError, r"weight.shape=\(3,\)"),
        (lambda t: t.assert_explained(X, "layer_norm", X, eps=-1), ValueError, "eps=-1 is not a small positive"),
        (lambda t: t.assert_explained(X, "softmax", X, fmt="binary64"), ValueError, "fit in binary32"),
        (lambda t: t.bound("sum", X, accumulators="kahn"), ValueError, "did you mean 'kahan'"),
        (lambda t: t.bound("sum", X, accumulators=[]), ValueError, "permits nothing"),
        (lambda t: t.bound("sum", X, orders="forwards"), ValueError, "did you mean 'forward'"),
        (lambda t: t.bound("sum", X, orders=[]), ValueError, "permits nothing"),
        (lambda t: t.bound("sum", X, kind="likely"), ValueError, "kind='likely' is unknown"),
        (lambda t: t.bound("sum", X, failure=0), ValueError, "failure=0 is not a probability"),
        (lambda t: t.bound("softmax", X, function_ulps=0.1), ValueError, "function_ulps=0.1"),
        (lambda t: t.assert_operation(X, "adds", X, X), ValueError, "did you mean 'add'"),
        (lambda t: t.assert_operation(X, "add", X), ValueError, "takes 2 operands, but 1 are given"),
        (lambda t: t.assert_rounded(fs.array(X, "bfloat16"), X), TypeError, "x.astype"),
        (
            lambda t: t.assert_rounded(["0.1", "0.2"], X),
            TypeError,
            "got has .*0.1.*, which float64 does not hold; give floats",
        ),
        (lambda t: t.assert_rounded(X, X, "binary128"), ValueError, "binary128"),
        (lambda t: t.within_ulps(X, X, -1), ValueError, "ulps=-1 is not a distance"),
        (lambda t: t.hard_rows("plane", 3), ValueError, "did you mean 'plain'"),
        (lambda t: t.hard_rows("plain", 0), ValueError, "shape="),
        (lambda t: t.hard_rows("plain", 3, "e8m0fnu"), ValueError, "rows need signs"),
    ],
)
def test_bad_input_is_refused_with_the_rule_and_the_way_out(call, error, words):
    with pytest.raises(error, match=words):
        call(fs.testing)


def test_results_of_another_shape_fail():
    assert "got.shape=(1,) is not the shape of the result, (2,)" in refusal(fs.testing.assert_rounded, [1.0], X)
    assert "got.shape=(2,) is not the shape of the result, ()" in refusal(fs.testing.assert_explained, X, "sum", X)


def test_of_many_results_a_sample_is_tried_first_and_then_all():
    a = fs.testing.hard_rows("plain", (80, 16), "binary16", 0)
    got = fs.matmul(a, a.T, "binary16", accumulator="binary32")
    assert fs.testing.assert_explained(got, "matmul", a, a.T).equal == 6400
    got[1, 1] = fs.next_up(got[1, 1])  # in a row that is not tried
    message = refusal(fs.testing.assert_explained, got, "matmul", a, a.T)
    assert "Outside the bound: 1 / 6,400" in message
