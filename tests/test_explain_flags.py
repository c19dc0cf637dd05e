"""The words of an explanation agree with its flags: who reads them learns of each overflow, and of no other."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import accumulators, explain
from fp16sim.explain.document import document_of
from fp16sim.explain.layouts.dot import rounding_words
from fp16sim.explain.layouts.sentences import decision
from fp16sim.formats import Format, Rounding

from .support import DETERMINISTIC, MODES, count_cases, first, held_values, pairs

pytestmark = pytest.mark.usefixtures("quiet")

TINY = Format("tiny", width=5, precision=3)
TINIES = (
    TINY,
    replace(TINY, name="tiny_saturating", saturate=True),
    replace(TINY, name="tiny_flushing", subnormals="flush_to_zero"),
    replace(TINY, name="tiny_flushing_inputs", subnormals="flush_inputs"),
    replace(TINY, name="tiny_flushing_to_nearest", subnormals="flush_to_nearest"),
    Format("tiny_fn", width=5, precision=3, specials="nan"),
    replace(fs.E2M1FN, nan_code=8),
)
WIDER = Format("wider", width=8, precision=4)
FLUSHING = replace(WIDER, name="wider_flushing", subnormals="flush_inputs", saturate=True)
NAMED = ("overflow", "underflow", "invalid", "divide_by_zero")
UNCHANGED = ("Nothing is cut off", "is exact", "stays NaN")
OF_OTHER_MODES = ("every mode", "remark", "remarks")


def typed(fmt):
    """Every code, as text, so that those are tried too that the format flushes or saturates; and numbers between."""
    codes = [fmt.hex_code(code) for code in range(2**fmt.width)]
    between = [Fraction(fmt.max_finite) * 3 / 2, Fraction(-fmt.min_subnormal) / 3, "0.3", "-inf"]
    return codes + between + (["nan"] if fmt.has_nan else [])


def sections(why):
    """The text of each section of a document, on one line."""
    found = {}
    for part in document_of(why).sections:
        lines = []
        for block in part.blocks:
            rows = block.rows if hasattr(block, "rows") else [(one,) for one in block.lines]
            lines += [" ".join("".join(span.text for span in cell) for cell in row) for row in rows]
        found[part.title] = " ".join(lines)
    return found


def check_rounding(step):
    """The sentence of a rounding, and the words of a table, name an overflow or a loss if there is one."""
    short = "".join(span.text for span in rounding_words(step))
    for words in (decision(step), short):
        assert ("overflow" in words) == ("overflow" in step.flags), words
        assert not step.flags or not any(phrase in words for phrase in UNCHANGED), words
    assert (short.split(",")[0] in ("exact", "")) == (not step.flags), short


def check_words(why):
    """The sections that speak of the result name a flag exactly if it is raised."""
    said = sections(why)
    text = " ".join(words for title, words in said.items() if title not in OF_OTHER_MODES)
    for flag in NAMED:
        assert (flag in text) == (flag in why.flags), f"{flag}: {text}"
    rounding = said.get("rounding", "")
    assert bool(why.rounding.flags) <= bool(rounding), said
    assert ("overflow" in rounding) == ("overflow" in why.rounding.flags)
    if "no flag" in text:
        assert not why.exact.flags
    for x in (x for x in why.operands if x.rounding):
        check_rounding(x.rounding)
        assert ("overflow" in said["operands"]) >= ("overflow" in x.rounding.flags)
    check_rounding(why.rounding)
    count_cases(1, "explain: words")


def check_absorption(why):
    """What is called too small to change the other operand is smaller than an ulp, and nothing overflows."""
    if any("Absorption" in remark for remark in why.remarks):
        assert "overflow" not in why.rounding.flags
        ulp = Fraction(2) ** why.rounding.quantum_exponent
        assert min(abs(Fraction(x.number.value)) for x in why.operands) < ulp


@pytest.mark.parametrize("fmt", first(4, TINIES[::2] + TINIES[1::2]), ids=str)
@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide"])
def test_all_pairs_name_the_flags_that_they_raise(name, fmt):
    compare_all_pairs(name, fmt, typed(fmt)[::4], (Rounding.TIES_TO_EVEN, Rounding.TOWARD_ZERO))


@pytest.mark.exhaustive
@pytest.mark.parametrize("fmt", TINIES, ids=str)
@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide"])
def test_all_pairs_in_every_mode_name_the_flags_that_they_raise(name, fmt):
    compare_all_pairs(name, fmt, typed(fmt), MODES)


def compare_all_pairs(name, fmt, given, modes):
    for mode in modes:
        for a in given:
            for b in given:
                why = getattr(explain, name)(a, b, fmt, mode, rng=0)
                check_words(why)
                check_absorption(why)


@pytest.mark.parametrize("fmt", first(4, TINIES[::2] + TINIES[1::2]), ids=str)
def test_roots_fused_products_roundings_and_conversions_name_the_flags_that_they_raise(fmt):
    given = typed(fmt)
    for mode in DETERMINISTIC:
        for x in given:
            check_words(explain.sqrt(x, fmt, mode))
            check_words(explain.rounding(x, fmt, mode))
    for a, b in zip(*pairs(range(0, len(given), 5)), strict=True):
        for c in given[1::9]:
            check_words(explain.fma(given[a], given[b], c, fmt))
    for x in fs.all_values(WIDER):
        if fmt.has_nan or fmt.nan_code is not None or not np.isnan(x):
            check_words(explain.convert(float(x), fmt, source=WIDER))


HOW = {
    "its own": lambda fmt, mode: None,
    "wider": lambda fmt, mode: accumulators.Sequential(WIDER, mode),
    "fused": accumulators.Fused,
    "Kahan": accumulators.Kahan,
    "exact": lambda fmt, mode: accumulators.Exact(),
    "flushing": lambda fmt, mode: accumulators.Sequential(FLUSHING, mode),
}


@pytest.mark.parametrize("fmt", first(2, [TINIES[i] for i in (0, 5, 1, 2)]), ids=str)
@pytest.mark.parametrize("how", HOW)
def test_dot_products_name_the_flags_that_they_raise(how, fmt):
    values = [float(x) for x in held_values(fmt)][::3]
    for mode in (Rounding.TIES_TO_EVEN, Rounding.TOWARD_ZERO):
        for a, b in zip(*pairs(values), strict=True):
            accumulator = HOW[how](fmt, mode)
            why = explain.dot([a, b], [b, a], fmt, mode, accumulator=accumulator)
            with fs.record_flags() as raised:
                fs.dot([a, b], [b, a], fmt, mode, accumulator=accumulator)
            assert why.flags == raised.names()
            check_dot(why)


def check_dot(why):
    """Each line of a dot product names the overflow of its own rounding, and so does the last rounding."""
    said = sections(why)
    for step in why.steps:
        check_rounding(step.why.rounding)
    in_steps = {flag for step in why.steps for flag in step.why.flags if flag != "inexact"}
    assert {flag for flag in NAMED if flag in said.get("steps", "")} == in_steps
    assert ("overflow" in said.get("last rounding", "")) == ("overflow" in why.final.flags)
    if why.final.flags:
        assert "last rounding" in said
        check_rounding(why.final)
    count_cases(1, "explain: words")


@pytest.mark.parametrize("fmt", TINIES, ids=str)
def test_the_anatomy_of_a_number_names_an_overflow(fmt):
    for mode in DETERMINISTIC:
        for x in [*typed(fmt), Fraction(2) ** (fmt.emax + 2), -(Fraction(2) ** (fmt.emax + 1)), 1]:
            it = explain.anatomy(x, fmt, mode)
            said = sections(it)
            assert ("overflow" in " ".join(said.values())) == ("overflow" in it.rounding.flags)
            assert ("rounding" in said) == bool(it.rounding.changes and not it.is_code)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: explain.dot([1, 1], [60000, 60000]), "= s0 + p1  inf    0x7C00  overflow: infinity"),
        (lambda: explain.dot([300], [300]), "= a0 × b0  inf  0x7C00  overflow: infinity"),
        (lambda: explain.dot([300], [300], "fp16", "toward_zero"), "overflow: max_finite"),
        (lambda: explain.dot([300], [300], "e4m3fn"), "overflow: no infinity, so NaN"),
        (lambda: explain.dot([70000], [0.5]), "70000  rounded to inf  overflow"),
    ],
)
def test_the_table_of_a_dot_product_has_words_for_an_overflow(call, says):
    text = str(call())
    assert says in text
    assert "cut off" not in text
    assert "exact;" not in text
