"""raised.absorbed: addends that are not zero and left the sum as it was, compared with the definition in Fractions."""

from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.accumulators import Blocked, Exact, Fused, Kahan, Pairwise, Sequential, TensorCore
from fp16sim.flags import Flag
from fp16sim.learn.model.updates import UPDATES
from fp16sim.learn.observe.telemetry import count_absorbed

from .support import first

NEAREST = "ties_to_even"
SMALL = fs.Format("small", 6, 3)
FORMATS = (SMALL, fs.get_format("width=6,precision=3,saturate=true,subnormals=flush_to_zero"), fs.E2M1FN)


def absorbed(addends, result):
    """The definition: one addend is not zero, and the result is the other one, which is not the exact sum."""
    a, b = addends
    if not np.isfinite(result):
        return False
    y = Fraction(float(result))
    return a + b != y and ((y == a and b != 0) or (y == b and a != 0))


def judge(raised, wanted):
    """Compare a record with the mask of the definition."""
    assert raised.absorbed.count == np.count_nonzero(wanted) > 0
    assert raised.absorbed.index == tuple(int(i) for i in np.unravel_index(np.argmax(wanted), np.shape(wanted)))


def finite(fmt):
    x = np.asarray(fs.all_values(fmt))
    return x[np.isfinite(x)]


@pytest.mark.parametrize("mode", first(3, list(fs.Rounding)))
@pytest.mark.parametrize("fmt", FORMATS, ids=str)
@pytest.mark.parametrize("name", ["add", "subtract"])
def test_all_pairs_of_a_small_format_are_as_defined(name, fmt, mode):
    x = fs.round_to(finite(fmt), fmt)  # without what is flushed
    a, b = np.meshgrid(x, x, indexing="ij")
    with np.errstate(all="ignore"):
        with fs.record_flags(only=["absorbed"]) as raised:
            y = getattr(fs, name)(a, b, fmt, mode, rng=1)
        assert np.array_equal(y, getattr(fs, name)(a, b, fmt, mode, rng=1))  # recording changes no result
    sign = -1 if name == "subtract" else 1
    rows = zip(a.flat, b.flat, y.flat, strict=True)
    judge(raised, np.reshape([absorbed((Fraction(p), sign * Fraction(q)), r) for p, q, r in rows], a.shape))


@pytest.mark.parametrize("mode", first(1, list(fs.Rounding)))
def test_the_addends_of_fma_are_the_exact_product_and_c(mode):
    x = finite(fs.E2M1FN)
    a, b, c = np.meshgrid(x, x, x, indexing="ij")
    with np.errstate(all="ignore"), fs.record_flags() as raised:
        y = fs.fma(a, b, c, fs.E2M1FN, mode, rng=1)
    rows = zip(a.flat, b.flat, c.flat, y.flat, strict=True)
    judge(raised, np.reshape([absorbed((Fraction(p) * Fraction(q), Fraction(r)), s) for p, q, r, s in rows], a.shape))


def test_products_that_float64_does_not_hold_are_compared_exactly():
    third = 1 + 2.0**-52
    for a, b, c, expected in (
        (third, third, 2.0**-200, 0),  # the result is the rounded product, which is not the exact one
        (3.0, 5.0, 2.0**-200, 1),
        (2.0**-600, 2.0**-600, 1.0, 1),  # float64 would say that the product is 0
        (0.0, 5.0, 1.0, 0),
    ):
        with fs.record_flags() as raised:
            fs.fma([a], [b], [c], "binary64")
        assert raised.absorbed.count == expected, (a, b, c)


def test_zeros_infinities_and_nan_are_no_absorption():
    for a, b in ((0.0, 1.0), (0.0, -0.0), (np.inf, 1.0), (np.nan, 1.0), (65504.0, 65504.0), (1.0, 1.0)):
        with np.errstate(all="ignore"), fs.record_flags() as raised:
            fs.add([a, b], [b, a], "binary16")
        assert not raised.absorbed, (a, b)


# --- sums -----------------------------------------------------------------------------------------------------------

TERMS = np.array([2046.0, 1.0, 1.0, 1.0, 0.0, 1.0, 2.0, 1.0, -1.0])


def count_by_hand(operations):
    """How many events the single operations of a loop have."""
    with fs.record_flags() as raised:
        operations(lambda a, b: float(fs.add(a, b, "binary16")))
    return raised.absorbed.count


def in_turn(add):
    s = TERMS[0]
    for x in TERMS[1:]:
        s = add(s, x)


def in_blocks(add):
    s = add(TERMS[0], TERMS[1])
    for k in (2, 4, 6):
        s = add(s, add(TERMS[k], TERMS[k + 1]))
    add(s, TERMS[8])


@pytest.mark.parametrize(
    ("how", "operations"),
    [(Sequential("binary16"), in_turn), (Fused("binary16"), in_turn), (Blocked("binary16", block=2), in_blocks)],
    ids=["sequential", "fused", "blocked"],
)
def test_a_sum_counts_the_events_of_its_additions(how, operations):
    wanted = count_by_hand(operations)
    assert wanted > 0
    for repeats in (1, 200):  # few sums and many take different ways
        x = np.repeat(TERMS[:, None], repeats, axis=1)
        with fs.record_flags() as raised:
            fs.sum(x, "binary16", axis=0, accumulator=how)
        assert raised.absorbed == Flag(wanted * repeats, "sum", (0,))
    with fs.record_flags() as raised:
        fs.matmul([TERMS], np.ones((len(TERMS), 1)), "binary16", accumulator=how)
    assert raised.absorbed.count == wanted


def test_the_index_of_a_partial_sum_tells_the_term():
    with fs.record_flags() as raised:
        fs.cumsum(TERMS, "binary16")
    assert raised.absorbed == Flag(3, "cumsum", (3,))


def test_sums_that_lose_no_term_alone_raise_nothing():
    for how in (Exact(), Pairwise("binary16")):
        with fs.record_flags() as raised:
            fs.sum(np.ones(4096), "binary16", accumulator=how)
        assert not raised.absorbed


def test_kahan_absorbs_in_a_step_and_adds_it_later():
    with fs.record_flags() as raised:
        assert fs.sum([2048.0, 1.0, 1.0], "binary16", accumulator=Kahan("binary16")) == 2050
    assert raised.absorbed.count >= 1


def test_a_group_of_a_matrix_unit_that_leaves_the_sum_as_it_was_is_one_event():
    a = np.zeros(16)
    a[0], a[4:8] = 1.0, 2.0**-14  # of volta's groups of four the second one is cut off
    b = np.where(a == 1.0, 1024.0, 2.0**-14)
    with fs.record_flags() as raised:
        assert fs.dot(a, b, accumulator=TensorCore("volta")) == 1024
    assert raised.absorbed == Flag(1, "dot", ())
    a[5], a[7] = -a[4], -a[6]  # now the products cancel exactly, and nothing is lost
    with fs.record_flags() as raised:
        fs.dot(a, b, accumulator=TensorCore("volta"))
    assert not raised.absorbed


# --- who meets it ---------------------------------------------------------------------------------------------------


def test_a_stuck_weight_and_a_stuck_moving_average_show():
    weight, mean = fs.array([1.0, 0.01], "bfloat16"), fs.array(1.0, "bfloat16")
    with fs.record_flags() as raised:
        weight += fs.array([1e-4, 1e-4], "bfloat16")
    assert raised.absorbed == Flag(1, "add", (0,))
    with fs.record_flags() as raised:
        for _ in range(10):
            mean = mean * 0.999 + fs.array(1.1, "bfloat16") * 0.001
    assert (float(mean), raised.absorbed.count, raised.absorbed.operation) == (1.0, 10, "add")


def test_the_updates_of_the_lab_are_counted_as_its_microscope_counts_them():
    rng = np.random.default_rng(0)
    weights = {name: fs.array(rng.standard_normal(50), "bfloat16") for name in ("w", "b")}
    steps = {name: fs.array(rng.standard_normal(50) * 0.01, "bfloat16") for name in weights}
    with fs.record_flags(only=["absorbed"]) as raised:
        after, _ = UPDATES["plain"].add(weights, steps, {}, None)
    assert raised.absorbed.count == count_absorbed(weights, after, steps).count > 0


def test_the_record_prints_what_was_raised():
    with fs.record_flags() as raised:
        fs.add(2048, 1, "binary16")
    assert repr(raised) == (
        "Flags(inexact=Flag(count=1, operation='add', index=()), absorbed=Flag(count=1, operation='add', index=()))"
    )
    assert raised.names() == ("inexact",)  # those of IEEE 754
    with fs.record_flags() as nothing:
        fs.add(2048, 2, "binary16")
    assert repr(nothing) == "Flags()"


def test_an_explanation_says_which_addend_was_absorbed():
    assert any("b = 0.5 is too small to change a" in said for said in fs.explain.subtract(2048, 0.5).remarks)
    assert any("a × b = 0.5 is too small to change c" in said for said in fs.explain.fma(0.5, 1, 2048).remarks)
