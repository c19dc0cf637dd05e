"""explain.dot equals fs.dot, by every accumulator whose steps it knows; convert, parse, anatomy and compare too."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fp16sim as fs
from fp16sim import explain
from fp16sim.accumulators import Blas, Blocked, Exact, Fused, Kahan, Pairwise, Sequential, TensorCore

from .support import MODES, assert_same_codes, bit_patterns, count_cases, first

pytestmark = pytest.mark.usefixtures("quiet")

NUMBERS = st.one_of(st.floats(width=16), st.floats(-100, 100), st.sampled_from([0.0, -0.0, 1.0, 2048.0, 2.0**-24]))
VECTORS = st.integers(1, 7).flatmap(lambda n: st.tuples(*[st.lists(NUMBERS, min_size=n, max_size=n)] * 2))
HOW = [
    lambda fmt, mode: None,
    lambda fmt, mode: Sequential("binary32", mode),
    lambda fmt, mode: Fused(fmt, mode),
    lambda fmt, mode: Pairwise(fmt, mode),
    lambda fmt, mode: Blocked(fmt, block=2, mode=mode),
    lambda fmt, mode: Kahan(fmt, mode),
    lambda fmt, mode: Kahan("tf32", mode),
    lambda fmt, mode: Exact(),
]


@settings(max_examples=60)
@given(VECTORS, st.sampled_from(["binary16", "bfloat16", "e4m3fn"]), st.sampled_from(MODES[:-1]), st.sampled_from(HOW))
def test_a_dot_product_is_explained_as_it_is_computed(vectors, fmt, mode, how):
    if fmt == "bfloat16" and mode in MODES and how(fmt, mode) == Kahan("tf32", mode):
        fmt = "binary16"
    a, b = vectors
    accumulator = how(fmt, mode)
    why = explain.dot(a, b, fmt, mode, accumulator=accumulator)
    with fs.record_flags() as raised:
        y = fs.dot(a, b, fmt, mode, accumulator=accumulator)
    count_cases(1, "explain: dot products")
    assert bit_patterns(float(why.result.value)) == bit_patterns(y)
    assert why.flags == raised.names()
    best = fs.dot(a, b, fmt, mode, accumulator=Exact())
    assert bit_patterns(float(why.best.value)) == bit_patterns(best)
    assert max(map(len, str(why).splitlines())) <= 80


@pytest.mark.parametrize("how", HOW[2:6])
@pytest.mark.parametrize("n", range(1, 10))
def test_the_order_of_additions_is_the_accumulators_for_every_length(n, how):
    for seed in range(4):
        a, b = np.random.default_rng(seed).normal(size=(2, n))
        accumulator = how("e5m2", "ties_to_even")  # of three bits, so that another order gives another sum
        why = explain.dot(a, b, "e5m2", accumulator=accumulator)
        assert_same_codes([float(why.result.value)], [fs.dot(a, b, "e5m2", accumulator=accumulator)], fs.E5M2)


@pytest.mark.parametrize(
    ("name", "arguments", "options"),
    [
        ("dot", "vectors", {}),
        ("dot", "vectors", {"accumulator": Kahan("binary32")}),
        ("dot", "vectors", {"accumulator": Exact()}),
        ("dot", "vectors", {"accumulator": Sequential("binary32", "stochastic", 7)}),
        ("add", (0.1, 0.2), {}),
        ("fma", (0.1, 3, 1e-9), {}),
        ("sqrt", (2,), {}),
    ],
)
def test_draws_are_taken_as_the_operation_takes_them_and_as_many(name, arguments, options):
    given = np.random.default_rng(0).normal(size=(2, 6)) if arguments == "vectors" else arguments
    for seed in range(12):
        one, other = np.random.default_rng(seed), np.random.default_rng(seed)
        why = getattr(explain, name)(*given, "bfloat16", "stochastic", rng=one, **options)
        y = getattr(fs, name)(*given, "bfloat16", "stochastic", rng=other, **options)
        assert_same_codes([float(why.result.value)], [y], fs.BFLOAT16)
        assert one.bit_generator.state == other.bit_generator.state


def test_the_steps_of_a_dot_product_are_those_of_its_loop():
    why = explain.dot([1, 1, 1], [2048, 1, 1], "binary16")
    assert [(s.name, s.formula) for s in why.steps] == [
        ("s0", "a0 × b0"),
        ("p1", "a1 × b1"),
        ("s1", "s0 + p1"),
        ("p2", "a2 × b2"),
        ("s2", "s1 + p2"),
    ]
    assert [s.why.rounding.rule for s in why.steps if s.name in ("s1", "s2")] == ["tie_to_even", "tie_to_even"]
    assert (why.result.value, why.exact, why.ulps) == (2048, 2050, 1)
    fused = explain.dot([3], [683], "binary16", accumulator=Fused("binary32"))
    assert (fused.total, fused.result.value, fused.final.rule) == (2049, 2048, "tie_to_even")


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: explain.dot([1], [1, 2]), ValueError, "vectors of the same length"),
        (lambda: explain.dot([], []), ValueError, "one element or more"),
        (lambda: explain.dot(1, 2), TypeError, "is not a vector"),
        (lambda: explain.dot([1], [1], accumulator=Blas()), TypeError, "not a loop of rounded operations"),
        (lambda: explain.dot([1], [1], accumulator=TensorCore("cdna3")), TypeError, "its step is 'floored'"),
        (lambda: explain.dot([1], [1], "binary32", accumulator=Kahan("binary16")), ValueError, "narrower"),
        (lambda: explain.dot(fs.array([1.0], "bf16"), [1]), TypeError, "astype"),
        (lambda: explain.add([1, 2], 1), TypeError, "not one number"),
        (lambda: explain.add(fs.array(1.0, "bf16"), 1), TypeError, "astype"),
        (lambda: explain.rounding("0x12345"), ValueError, "0x12345p0"),
        (lambda: explain.rounding("0_0_0"), ValueError, "1, 5 and 10 bits"),
        (lambda: explain.rounding("nan", "e2m1fn"), ValueError, "nan_code"),
        (lambda: explain.rounding(1, tininess="later"), ValueError, "'after' or 'before'"),
        (lambda: explain.parse("0x2E66"), ValueError, "is a code"),
        (lambda: explain.parse(0.1), TypeError, "is not text"),
    ],
)
def test_what_cannot_be_explained_is_refused_with_a_way_out(call, error, says):
    with pytest.raises(error, match=says.replace("(", r"\(")):
        call()


# --- convert and parse ----------------------------------------------------------------------------------------------


@settings(max_examples=80)
@given(st.floats(), st.sampled_from(["binary16", "bfloat16", "e5m2"]), st.sampled_from(MODES), st.integers(0, 9))
def test_a_conversion_rounds_what_the_source_holds(x, fmt, mode, seed):
    rng = np.random.default_rng(seed)
    with fs.record_flags() as raised:
        y = fs.round_to(fs.round_to(x, "binary32", mode, rng=rng), fmt, mode, rng=rng)
    why = explain.convert(x, fmt, mode, source="binary32", rng=seed)
    assert bit_patterns(float(why.result.value)) == bit_patterns(y)
    assert why.flags == raised.names()


def test_a_conversion_says_when_it_rounded_twice():
    why = explain.convert(1 + 2**-11 + 2**-40, "binary16")
    assert why.result.value == 1
    assert "Double rounding" in str(why)
    assert not explain.convert("0x3F801000", "binary16").remarks


def test_a_text_is_read_once_where_others_read_it_twice():
    why = explain.parse("1.00048828125000000000001")
    assert [(d.via, d.value, d.differs) for d in why.detours] == [("binary32", 1, True), ("binary64", 1, True)]
    assert why.result.value == Fraction(1025, 1024)
    assert "read first as binary32" in str(why)


# --- one number, and side by side -----------------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", [fs.E4M3FN, fs.E5M2, replace(fs.E2M1FN, nan_code=0), fs.E3M2FN], ids=str)
def test_the_anatomy_of_every_code_agrees_with_the_functions_of_the_package(fmt):
    for code in range(2**fmt.width):
        value = float(fs.decode(code, fmt))
        it = explain.anatomy(f"0x{code:x}", fmt)
        assert it.number.code == code
        assert it.is_code
        assert it.number.kind == fs.classify(value, fmt)
        fields = (it.number.sign, it.number.biased_exponent, it.number.trailing_significand)
        assert fields == tuple(int(part) for part in fs.fields(value, fmt))
        assert it.number.bits == fs.to_text(value, fmt, "bits")
        near = [float(x.value) for x in (it.number, it.next_down, it.next_up)]
        assert_same_codes(near, [value, fs.next_down(value, fmt), fs.next_up(value, fmt)], fmt, "explain: anatomies")
        if math.isfinite(value):
            assert it.ulp == Fraction(float(fs.ulp(value, fmt)))
            assert it.shortest == fs.to_text(value, fmt)
            significand = Fraction(it.number.significand, 2**fmt.trailing_bits)
            assert significand * Fraction(2) ** it.number.exponent == abs(Fraction(value))


@settings(max_examples=30)
@given(st.one_of(st.floats(allow_nan=False), st.fractions()), st.sampled_from(MODES[:-1]))
def test_a_comparison_shows_what_each_format_stores(x, mode):
    found = explain.compare(x, mode=mode)
    assert [row.fmt for row in found.rows] == list(fs.formats.NAMED_FORMATS)
    for row in found.rows:
        assert bit_patterns(float(row.number.value)) == bit_patterns(fs.round_to(x, row.fmt, mode))
        if row.error is not None:
            assert row.number.value == Fraction(x) + row.error
    assert max(map(len, str(found).splitlines())) <= 80


def test_a_nan_is_compared_in_the_formats_that_have_one():
    assert {row.fmt.has_nan for row in explain.compare("nan").rows} == {True}
    with pytest.raises(ValueError, match="nan_code"):
        explain.compare("nan", ["e2m1fn"])


def test_a_code_is_a_code_and_not_a_number():
    for text in ("0x2E66", "0b0010111001100110", "0_01011_1001100110", "0010111001100110", "0x2e_66"):
        assert explain.rounding(text).result.code == 0x2E66
    assert explain.rounding("101").result.value == 101
    assert explain.rounding("0x2E66p0").result.value == 11880
    assert explain.anatomy("0x7C01").number.kind == "signalingNaN"
    assert explain.compare("0x3F80", fmt="bf16").exact == 1


# --- matrix units -----------------------------------------------------------------------------------------------------

UNITS = [
    ("volta", "binary16", "binary32"),
    ("turing", "binary16", "binary16"),
    ("ada", "e4m3fn", "binary32"),
    ("hopper", "bfloat16", "binary32"),
    ("hopper", "e5m2", "binary32"),
]


@pytest.mark.parametrize("unit", first(2, UNITS), ids="-".join)
def test_the_alignment_of_a_matrix_unit_explains_what_it_gives(unit):
    machine, fmt, output = unit
    rng = np.random.default_rng([*map(ord, machine + fmt)])
    for n in (1, 3, 16, 40):
        a, b = (fs.round_to(rng.normal(size=n) * 2.0 ** rng.integers(-5, 5, n), fmt) for _ in range(2))
        core = TensorCore(machine, output, fmt)
        why = explain.dot(a, b, fmt, accumulator=core)
        with fs.record_flags() as raised:
            y = fs.dot(a, b, fmt, accumulator=core)
        assert (float(why.result.value), why.flags) == (float(y), raised.names())
        assert float(why.total) == core.dot(a, b)
        groups = why.alignment.groups
        assert len(groups) == -(-n // core.path.group)
        assert groups[-1].result == why.total
        for group in groups:
            unit = Fraction(2) ** (group.highest - group.bits)
            for term in group.terms:
                assert term.kept + term.lost == term.value
                assert (term.kept / unit).denominator == 1
                assert abs(term.lost) < unit
            assert sum(term.kept for term in group.terms) == group.total
        backwards = core.dot(a[::-1], b[::-1])
        order = why.alignment.orders[0]
        assert (order.differs, float(order.value)) == (backwards != core.dot(a, b), backwards)
        assert max(map(len, str(why).splitlines())) <= 80
        assert len(why.to_dict()["alignment"]["groups"]) == len(groups)


@pytest.mark.parametrize(
    ("machine", "fmt", "output"), [("blackwell", "e4m3fn", "binary32"), ("hopper", "e5m2", "binary16")]
)
def test_products_in_halves_are_explained_sum_by_sum(machine, fmt, output):
    rng = np.random.default_rng(23)
    core = TensorCore(machine, output, fmt)
    for n in (1, 2, 5, 40):
        a, b = (fs.round_to(rng.normal(size=n) * 2.0 ** rng.integers(-5, 5, n), fmt) for _ in range(2))
        why = explain.dot(a, b, fmt, accumulator=core, c=0.3)
        assert float(why.total) == core.dot(a, b, fs.round_to(0.3, output))
        groups = why.alignment.groups
        halves = [group for group in groups if "." in group.name]
        assert sorted(x.name for group in halves for x in group.terms[1:]) == sorted(f"p{k}" for k in range(n))
        assert all(group.bits == 25 for group in halves)
        sums = [group for group in groups if group.bits is None]
        assert [group.name for group in sums] == [f"s{k}" for k in range(1, 1 + -(-n // 32))]
        assert all(term.lost == 0 for group in sums for term in group.terms)
        assert groups[-1].result == why.total
    with pytest.raises(ValueError, match="step=6: this product has 6 steps"):
        fs.demos.window(a, b, fmt, accumulator=core, step=6)
    whole = fs.demos.window(a, b, fmt, accumulator=core, step=2)
    assert whole.lesson == f"{machine} adds whole terms here: nothing is cut"
    assert not fs.plots.window(whole).texts


def test_a_matrix_unit_starts_from_c_and_other_accumulators_refuse_it():
    why = explain.dot([1, 2.0**-12], [1, 2.0**-12], accumulator="volta", c="1/3")
    core = TensorCore("volta")
    assert float(why.total) == core.dot([1, 2.0**-12], [1, 2.0**-12], fs.round_to("1/3", "binary32"))
    assert why.alignment.groups[0].terms[0].value == why.c.number.value == fs.exact.round_to("1/3", "binary32")
    assert why.exact == 1 + Fraction(1, 2**24) + why.c.number.value
    assert "c  1/3  rounded to 0.3333" in str(why)
    assert "inexact" in why.flags
    assert explain.dot([1], [1], accumulator="volta", c="-inf").total == -math.inf
    assert explain.dot([1], [1], accumulator="volta").c is None
    with pytest.raises(ValueError, match="c=3: only a matrix unit has a sum to start from"):
        explain.dot([1], [1], c=3)


def test_a_term_that_alignment_cuts_off_is_shown_beyond_the_window():
    why = explain.dot([1, 2.0**-12, 2.0**-13, -1], [1, 2.0**-12, 2.0**-12, 1], accumulator="volta")
    said = str(why)
    assert "p1 +.........................|1\n" in said
    assert "p2 +.........................|.1\n" in said
    assert "window  from 2^0 down to 2^-23; 8.94069671630859375e-08 is cut off" in said
    assert "p0" in why._repr_html_()
    assert why.alignment.groups[0].lost == Fraction(3, 2**25)


def test_another_order_that_changes_the_result_is_named():
    # In the first group of four, 2^-24 is lost beside 1. From the largest on, it comes alone, after a sum of 0.
    why = explain.dot([1, 2.0**-12, -1, 0.5, -0.5], [1, 2.0**-12, 1, 1, 1], accumulator="volta")
    assert [one.order for one in why.alignment.orders if one.differs] == ["from the largest to the smallest"]
    assert (why.total, why.alignment.orders[2].value) == (0, Fraction(1, 2**24))
    assert "another result" in str(why)


def test_infinite_factors_have_a_result_and_no_alignment():
    why = explain.dot([math.inf, 1], [1, 1], accumulator="hopper")
    assert (why.result.value, why.alignment.groups) == (math.inf, ())
