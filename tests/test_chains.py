"""Fast sums equal the clear ones code for code, with the same exceptions: each step exhaustively, then long chains."""

import itertools
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import accumulators
from fp16sim.accumulators import Blocked, Exact, Fused, Kahan, Pairwise, Sequential, base, chain, exact_sum, floats
from fp16sim.formats import Rounding, Subnormals

from .support import DETERMINISTIC, TOYS, assert_same_codes, bit_patterns, count_cases, first, held_values, pairs
from .test_accumulators import Do, kahan, operands, sequential

pytestmark = pytest.mark.usefixtures("quiet")
NEAREST = Rounding.TIES_TO_EVEN
WIDE = (fs.BINARY16, fs.BFLOAT16, fs.TF32, fs.BINARY32, fs.E4M3FN, fs.E5M2)
of_modes = pytest.mark.parametrize("mode", DETERMINISTIC, ids=str)
of_toys = pytest.mark.parametrize("fmt", TOYS, ids=str)
of_wide = pytest.mark.parametrize("fmt", WIDE, ids=str)


def finite(values):
    return values[np.isfinite(values)]


# --- one step -------------------------------------------------------------------------------------------------------


@of_toys
@of_modes
def test_each_addition_of_floats_is_that_of_arrays(fmt, mode):
    a, b = pairs(held_values(fmt))
    add = floats.adder(fmt, mode)
    assert_same_codes(list(map(add, a.tolist(), b.tolist())), fs.add(a, b, fmt, mode), fmt, "chains: toys", (a, b))


@pytest.mark.parametrize("fmt", [fmt for fmt in TOYS if fmt.width <= 6], ids=str)
@of_modes
def test_each_addition_of_an_exact_product_of_floats_is_a_fused_one(fmt, mode):
    values = held_values(fmt)
    a, b, c = (x.ravel() for x in np.meshgrid(values, values[: values.size // 2], values, indexing="ij"))
    add = floats.adder(fmt, mode)
    products = (a * b).tolist()
    found = list(map(add, products, c.tolist()))
    assert_same_codes(found, fs.fma(a, b, c, fmt, mode), fmt, "chains: toys", (a, b, c))


@of_wide
@of_modes
def test_additions_of_floats_near_every_edge_of_a_wide_format_are_those_of_arrays(fmt, mode):
    rng = np.random.default_rng(0)
    edges = np.concatenate([-x for x in (_edges(fmt), -_edges(fmt))])
    a, b = rng.choice(edges, (2, 20_000))
    b = np.where(rng.random(b.size) < 0.3, fs.round_to(-a * rng.choice([0.5, 1.0, 1 + 2.0**-9], a.size), fmt), b)
    found = list(map(floats.adder(fmt, mode), a.tolist(), b.tolist()))
    assert_same_codes(found, fs.add(a, b, fmt, mode), fmt, "chains: additions", (a, b), mode=mode)


def _edges(fmt):
    """Values around the ends of the range and of binades, and some of every exponent."""
    rng = np.random.default_rng(1)
    exponents = rng.integers(fmt.quantum_exponent_min, fmt.emax + 1, 4000)
    x = rng.choice([1.0, 2 - 2.0 ** (1 - fmt.precision), 1 + 2.0 ** (1 - fmt.precision)], 4000) * 2.0**exponents
    x[:2000] = (rng.random(2000) + 1) * 2.0 ** exponents[:2000]
    return np.append(fs.round_to(x, fmt), [0.0, float(fmt.max_finite), float(fmt.min_subnormal), float(fmt.min_normal)])


@pytest.mark.parametrize("precision", range(2, 25))
def test_the_shift_of_floats_rounds_to_nearest_with_ties_to_even(precision):
    fmt = fs.Format("any", precision + 8, precision)
    c, p, rng = floats.shifter(fmt, NEAREST), precision, np.random.default_rng(precision)
    ties = (np.arange(2**p) if p <= 12 else rng.integers(0, 2**p, 4096)) * 2 + 1 + 2 ** (p + 1)  # all, or many
    m = np.concatenate([
        np.arange(2**53 - 2 ** (min(p, 12) + 1), 2**53),  # the ends of a binade
        np.arange(2**52, 2**52 + 1000),
        rng.integers(2**52, 2**53, 20_000),
        (ties << (51 - p)),
        (ties << (51 - p)) + rng.choice([-1, 1], ties.size),
    ])  # fmt: skip
    for x in (m * 2.0**-52, m * -(2.0**-52), m * 2.0**-170):
        high = c * x
        rounded, e = high - (high - x), np.frexp(x)[1]
        expected = np.ldexp(np.rint(np.ldexp(x, p - e)), e - p)
        assert (rounded == expected).all()
        count_cases(x.size, "chains: shifts")


@of_modes
@pytest.mark.parametrize("how", [Sequential, Kahan], ids=lambda how: how.__name__)
def test_two_more_terms_after_any_pair_of_a_toy_format_give_what_the_clear_way_gives(how, mode, monkeypatch):
    for fmt in TOYS[:8]:
        values = finite(held_values(fmt))[:: 2 if fmt.width == 5 else 3]
        x = np.stack(np.meshgrid(values, values, values[::2], indexing="ij")).reshape(3, -1)
        with np.errstate(all="ignore"):
            fast = [_columns(how(fmt, mode), x[:, k : k + 60]) for k in range(0, x.shape[1], 60)]
        monkeypatch.setattr(chain, "runner_for", lambda *_: None)
        clear = _columns(how(fmt, mode), x)
        monkeypatch.undo()
        assert_same_codes(np.concatenate(fast, axis=1), clear, fmt, "chains: toys", mode=mode)


def _columns(accumulator, x):
    return fs.cumsum(x, accumulator.fmt, accumulator.mode, axis=0, accumulator=accumulator)


ONE_BIT = fs.Format("one_bit", width=4, precision=1, specials="none")
SMALL = (
    fs.Format("small", width=4, precision=2),
    ONE_BIT,
    fs.Format("small_fn", 4, 2, specials="nan"),
    fs.Format("small_fnuz", 4, 2, specials="one_nan"),
    *(replace(TOYS[5], subnormals=toy.subnormals, saturate=toy.saturate) for toy in TOYS[:5]),
    fs.get_format("binary5p3"),
)
ORDERS = [(fmt, mode, 3) for mode in (NEAREST, *DETERMINISTIC[1:]) for fmt in SMALL]
ORDERS += [(fmt, mode, 4) for mode in DETERMINISTIC for fmt in SMALL[:4]]


@pytest.mark.parametrize("how", [Sequential, Kahan], ids=lambda how: how.__name__)
@pytest.mark.parametrize(("fmt", "mode", "n"), first(4, ORDERS, unpack=True), ids=str)
def test_every_sequence_of_the_values_of_a_small_format_is_added_from_left_to_right(fmt, mode, n, how):
    values = held_values(fmt)
    x = np.stack(np.meshgrid(*[values] * n, indexing="ij")).reshape(n, -1)
    chains = {Sequential: accumulators.sequential.ADDITIONS, Kahan: accumulators.compensated.COMPENSATED_ADDITIONS}
    runner = chains[how].runner(fmt, mode)
    expected = (sequential if how is Sequential else kahan)(x, Do(fmt, mode))
    found = [how(fmt, mode).sum(column) for column in x.T[::97]]  # a public call takes longer
    assert_same_codes(found, expected[::97], fmt, "chains: sequences", x[:, ::97])
    if runner is None:
        assert fmt is ONE_BIT
        return
    zero = np.zeros(1)
    states = ((x[:1, j], zero) if how is Kahan else (x[:1, j],) for j in range(x.shape[1]))
    fast = [runner.run(state, x[1:, j, None], None).states[0][-1, 0] for j, state in enumerate(states)]
    assert_same_codes(fast, expected, fmt, "chains: sequences", x)
    # These sequences tell the orders of addition apart.
    backwards = sequential(x[::-1], Do(fmt, mode))
    assert np.count_nonzero(bit_patterns(backwards) != bit_patterns(fast)) > len(fast) / 50


# --- long chains ----------------------------------------------------------------------------------------------------


def long(fmt, n, kind, rng):
    """Terms that wander, cancel, overflow, underflow, end in infinity or NaN, or are all zeros."""
    top, least = float(fmt.max_finite), float(fmt.min_subnormal)
    x = rng.standard_normal(n)
    if kind == "cancelling":
        x = np.where(np.arange(n) % 2, -np.roll(x, 1), x) * (1 + rng.integers(-1, 2, n) * 2.0 ** (1 - fmt.precision))
    elif kind == "of all sizes":
        x = x * 2.0 ** rng.integers(fmt.quantum_exponent_min, fmt.emax - 3, n)
    elif kind == "tiny":
        x = rng.integers(-3, 4, n) * least
    elif kind == "overflowing":
        x = np.where(rng.random(n) < 0.02, rng.choice([top, -top, top / 2], n), x * top / 64)
    elif kind == "special":
        x[rng.integers(n // 2, n, 3)] = rng.choice([np.inf, -np.inf, np.nan], 3)
    elif kind == "zeros":
        x = rng.choice([-0.0, 0.0], n, p=[0.99, 0.01])
    return fs.round_to(x, fmt)


KINDS = ("wandering", "cancelling", "of all sizes", "tiny", "overflowing", "special", "zeros")
CALLS = {
    "sum": lambda x, how: how.sum(x, 0),
    "cumsum": lambda x, how: fs.cumsum(x, how.fmt, how.mode, axis=0, accumulator=how),
    "dot": lambda x, how: how.dot(x.T, np.roll(x, 1, axis=0).T),
    "dot with c": lambda x, how: how.dot(x.T, x.T, float(how.fmt.min_normal)),
    "norm": lambda x, how: fs.norm(x, how.fmt, how.mode, axis=0, accumulator=how),
}
LISTENERS = (("overflow", "invalid"), ("overflow",), ("invalid", "divide_by_zero", "overflow", "underflow", "inexact"))


def outcome(call, only):
    """The result, and for each exception (count, index)."""
    with fs.record_flags(only=only) as after, fs.record_flags(only=only, tininess="before") as before:
        y = call()
    flags = [[(flag.count, flag.index) for flag in (getattr(f, n) for n in LISTENERS[-1])] for f in (after, before)]
    return y, flags


def check_both_ways(work, fmt, monkeypatch, **context):
    """A call gives the same results and exceptions fast and clear, whoever listens."""
    fast = [outcome(work, only) for only in LISTENERS]
    with monkeypatch.context() as patch:
        patch.setattr(chain, "runner_for", lambda *_: None)
        clear = [outcome(work, only) for only in (LISTENERS[0], LISTENERS[-1])]
    for y, _ in fast:
        assert_same_codes(y, clear[-1][0], fmt, "chains: long", **context)
    assert [fast[0][1], fast[-1][1]] == [flags for _, flags in clear], context


ROUNDS = pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.exhaustive) for n in range(1, 9))])


@ROUNDS
@pytest.mark.parametrize("how", [Sequential, Kahan, Fused], ids=lambda how: how.__name__)
@of_wide
def test_a_long_chain_gives_the_results_and_the_exceptions_of_the_clear_way(how, fmt, seed, monkeypatch):
    monkeypatch.setattr(chain, "AT_ONCE", 12)  # so that the terms are taken in several parts
    rng = np.random.default_rng(seed)
    for kind, mode in itertools.product(KINDS, (NEAREST, *rng.choice(DETERMINISTIC, 1))):
        columns = int(rng.choice([1, 3]))
        x = np.stack([long(fmt, 27, kind, rng) for _ in range(columns)], axis=1)
        x = np.asfortranarray(x) if rng.random() < 0.5 else x[:, 0] if columns == 1 else x[::-1]
        for call in rng.permutation(list(CALLS))[:2]:
            work = partial(CALLS[call], x, how(fmt, Rounding(mode)))
            check_both_ways(work, fmt, monkeypatch, kind=kind, mode=mode, call=call)


@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.BFLOAT16, fs.BINARY64], ids=str)
def test_a_chain_of_a_thousand_terms_equals_the_clear_way_across_its_parts(fmt, monkeypatch):
    monkeypatch.setattr(chain, "AT_ONCE", 300)
    x = fs.round_to(np.random.default_rng(3).standard_normal(1000), fmt)
    for how in (Sequential(fmt), Kahan(fmt)):
        fast = [fs.cumsum(x, fmt, accumulator=how), how.sum(x), how.dot(x, x)]
        with monkeypatch.context() as patch:
            patch.setattr(chain, "runner_for", lambda *_: None)
            clear = [fs.cumsum(x, fmt, accumulator=how), how.sum(x), how.dot(x, x)]
        for a, b in zip(fast, clear, strict=True):
            assert_same_codes(a, b, fmt, "chains: long")
        assert fast[0][-1] == fast[1]


FLUSHING = [
    fs.Format(f"{subnormals.value}, {saturate}", 10, 5, subnormals=subnormals, saturate=saturate)
    for saturate, subnormals in itertools.product((False, True), Subnormals)
]


@ROUNDS
@pytest.mark.parametrize("fmt", [*FLUSHING, fs.E4M3FNUZ, fs.get_format("binary8p3")], ids=str)
def test_formats_that_flush_saturate_or_lack_negative_zero_have_fast_chains_too(fmt, seed, monkeypatch):
    rng = np.random.default_rng(seed)
    for kind, mode in itertools.product(KINDS, rng.choice(DETERMINISTIC, 2)):
        x = long(fmt, 25, kind, rng)
        how = (Sequential, Kahan, Fused)[rng.integers(3)](fmt, Rounding(mode))
        assert chain.runner_for(accumulators.sequential.ADDITIONS, how.steps("", float), 1)
        for call in rng.permutation(list(CALLS))[:2]:
            check_both_ways(partial(CALLS[call], x, how), fmt, monkeypatch, kind=kind, mode=mode, how=how)


# --- stochastic chains ----------------------------------------------------------------------------------------------

RANDOM = [Rounding(name) for name in ("stochastic", "stochastic_8", "stochastic_5_half")]


@ROUNDS
@pytest.mark.parametrize("fmt", first(1, [fs.BFLOAT16, fs.BINARY16, fs.E4M3FN, fs.E4M3FNUZ, *TOYS[:8]]), ids=str)
@pytest.mark.parametrize("how", [Sequential, Kahan, Fused], ids=lambda how: how.__name__)
def test_a_stochastic_chain_takes_the_draws_of_the_clear_way_in_its_order(how, fmt, seed, monkeypatch):
    monkeypatch.setattr(chain, "AT_ONCE", 20)
    rng = np.random.default_rng(seed)
    for kind, call in zip(KINDS, rng.choice(list(CALLS), len(KINDS)), strict=True):
        x = np.stack([long(fmt, 11, kind, rng) for _ in range(2)], axis=1)
        work = partial(_drawn, CALLS[call], x, how(fmt, RANDOM[rng.integers(3)]))
        for only in ((), LISTENERS[0], LISTENERS[-1]):
            fast, flags = outcome(work, only)
            with monkeypatch.context() as patch:
                patch.setattr(chain, "runner_for", lambda *_: None)
                clear, raised = outcome(work, only)
            assert_same_codes(fast, clear, fmt, "chains: stochastic", kind=kind, call=call)
            assert flags == raised


def _drawn(call, x, how):
    """The results of a call, and what its generator draws next."""
    generator = np.random.default_rng(7)
    generator.integers(0, 2**32, 1, dtype=np.uint32)  # half a word of the generator is left
    return np.append(call(x, replace(how, rng=generator)), generator.integers(0, 2**52))


def test_a_stochastic_chain_is_fast_and_does_not_stagnate(operations):
    ones = np.ones(5000, np.float32)
    total = fs.sum(ones, "bfloat16", "stochastic", rng=1)
    assert len(operations) < 20
    assert abs(total - 5000) < 1000 < 5000 - fs.sum(ones, "bfloat16")


# --- many cumulative sums at once -----------------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", first(1, [fs.BFLOAT16, fs.BINARY16, fs.BINARY32, fs.E4M3FN]), ids=str)
def test_many_cumulative_sums_at_once_are_those_of_the_clear_way_with_its_exceptions(fmt, monkeypatch):
    for kind in KINDS:
        x = np.stack([long(fmt, 9, kind, np.random.default_rng(j)) for j in range(130)], axis=1)
        for terms in (x, np.float32(x), x.T.copy().T):
            fast = [outcome(partial(CALLS["cumsum"], terms, Sequential(fmt)), only) for only in (*LISTENERS, ())]
            with monkeypatch.context() as patch:
                patch.setattr(accumulators.sequential, "sum_by_hardware", lambda *_: None)
                clear = [outcome(partial(CALLS["cumsum"], terms, Sequential(fmt)), only) for only in (*LISTENERS, ())]
            for (y, flags), (expected, raised) in zip(fast, clear, strict=True):
                assert_same_codes(y, expected, fmt, "chains: long", kind=kind)
                assert flags == raised


# --- exact sums by 64-bit integers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", first(1, WIDE), ids=str)
@of_modes
def test_exact_sums_by_integers_of_64_bits_are_those_of_any_size(fmt, mode, monkeypatch):
    rng = np.random.default_rng(5)
    for kind, n in itertools.product(KINDS, (1, 2, 40)):
        x = np.stack([long(fmt, max(2, n), kind, rng)[:n] for _ in range(3)], axis=1)
        for call in CALLS.values():
            work = partial(call, x, Exact(fmt, mode))
            fast, flags = outcome(work, LISTENERS[-1])
            with monkeypatch.context() as patch:
                patch.setattr(exact_sum, "_by_int64", lambda *_: None)
                clear, raised = outcome(work, LISTENERS[-1])
            assert_same_codes(fast, clear, fmt, "exact sums", kind=kind, mode=mode)
            assert flags == raised, (kind, n)


def test_exact_sums_of_up_to_62_bits_round_by_their_last_bit(monkeypatch):
    monkeypatch.setattr(exact_sum, "_as_integers", None)  # 64 bits are enough
    # 1 + 2^-24 is halfway between two numbers of binary32; one unit more or less decides, also toward the sign.
    unit = 2.0**-58
    for mode, half, more, less in (
        ("ties_to_even", 0, 1, 0),
        ("ties_to_away", 1, 1, 0),
        ("toward_zero", 0, 0, 0),
        ("toward_positive", 1, 1, 1),
        ("to_odd", 1, 1, 1),
    ):
        for last, up in ((0.0, half), (unit, more), (-unit, less)):
            terms = [1.0, 2.0**-24, last]
            assert fs.sum(terms, "binary32", mode, accumulator=Exact()) == 1 + up * 2.0**-23
            assert fs.sum(np.negative(terms), "binary32", mode, accumulator=Exact()) in (-1, -1 - 2.0**-23)
            if mode != "toward_positive":
                assert fs.sum(np.negative(terms), "binary32", mode, accumulator=Exact()) == -1 - up * 2.0**-23


# --- partial sums that share their parts ----------------------------------------------------------------------------

SHARING = {
    "pairwise": Pairwise("binary16"),
    "pairwise toward zero": Pairwise("binary16", "toward_zero"),
    "blocks of 7": Blocked("binary16", 7),
    "blocks of 64": Blocked("binary16", 64),
    "blocks of 1": Blocked("binary16", 1),
    "exact": Exact(),
    "volta": accumulators.TensorCore("volta"),
    "hopper": accumulators.TensorCore("hopper"),
}


@pytest.mark.parametrize("how", SHARING.values(), ids=list(SHARING))
def test_each_partial_sum_is_the_sum_of_the_first_terms_for_every_length(how):
    for n in (*range(1, 18), 31, 32, 33, 63, 64, 65, 130):
        for kind in ("wandering", "overflowing", "special"):
            x = np.stack([long(fs.BINARY16, max(2, n), kind, np.random.default_rng(n + j))[:n] for j in range(2)])
            mode = how.mode if isinstance(how, Pairwise) else NEAREST
            expected = [fs.sum(x[:, : k + 1], "binary16", mode, axis=1, accumulator=how) for k in range(n)]
            y = fs.cumsum(x, "binary16", mode, axis=1, accumulator=how)
            assert_same_codes(y, np.transpose(expected), fs.BINARY16, "partial sums", n=n, kind=kind)


@pytest.mark.parametrize("how", SHARING.values(), ids=list(SHARING))
def test_a_recorder_counts_the_steps_of_each_partial_sum(how):
    x = fs.round_to(np.random.default_rng(6).standard_normal(40) * 3000, "binary16")
    with fs.record_flags() as once:
        fs.cumsum(x, accumulator=how)
    with fs.record_flags() as each:
        for k in range(40):
            fs.sum(x[: k + 1], accumulator=how)
    assert once.inexact.count == each.inexact.count > 0
    assert once.overflow.count == each.overflow.count


def test_tiles_of_partial_sums_change_nothing(monkeypatch):
    x = operands((20, 6), fs.BINARY16, 7)
    whole = fs.cumsum(x, axis=0, accumulator="pairwise")
    monkeypatch.setattr(accumulators.blocked, "TABLED_TERMS", 45)
    assert_same_codes(fs.cumsum(x, axis=0, accumulator="pairwise"), whole, fs.BINARY16, "partial sums")


# --- how much is done -----------------------------------------------------------------------------------------------


@pytest.fixture
def operations(monkeypatch):
    """The sizes of all operations on arrays that accumulators compute."""
    sizes, plain = [], base.operate

    def operate(name, arrays, *rest):
        y = plain(name, arrays, *rest)
        sizes.append(y.size)
        return y

    monkeypatch.setattr(base, "operate", operate)
    return sizes


N = 3000


@pytest.mark.parametrize("fmt", WIDE, ids=str)
@pytest.mark.parametrize("mode", [NEAREST, Rounding.TOWARD_ZERO], ids=str)
def test_one_long_sum_takes_no_call_of_numpy_for_each_term(fmt, mode, operations):
    x = fs.round_to(np.random.default_rng(8).standard_normal(N) / 64, fmt)
    for how in (Sequential(fmt, mode), Kahan(fmt, mode), Fused(fmt, mode)):
        for call in CALLS.values():
            call(x, how)
    assert len(operations) < N / 20


@pytest.mark.parametrize("how", ["blocked", "exact", "volta"])
def test_partial_sums_take_a_number_of_steps_proportional_to_the_terms(how, operations):
    x = fs.round_to(np.random.default_rng(9).standard_normal(N), "binary16")
    fs.cumsum(x, accumulator=how)
    assert sum(operations) <= 4 * N


def test_pairwise_partial_sums_take_far_fewer_steps_than_the_square_of_the_terms(operations):
    x = fs.round_to(np.random.default_rng(10).standard_normal(N), "binary16")
    fs.cumsum(x, accumulator="pairwise")
    assert sum(operations) < 3 * N**1.5 < N**2 / 16


def test_a_long_sum_needs_little_memory_of_its_own():
    import tracemalloc

    x = np.ones(1 << 16, np.float32)
    for call in (fs.sum, fs.norm, lambda x, fmt: fs.dot(x, x, fmt)):
        for fmt in ("binary16", "bfloat16"):
            call(x[:1000], fmt)
            tracemalloc.start()
            call(x, fmt)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak < 2**20, (call, fmt)
