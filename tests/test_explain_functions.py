"""Explanations of functions, sums and comparisons: the results and flags of the library, in every mode."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import explain
from fp16sim.cli import main
from fp16sim.cli.expressions import FUNCTIONS, VECTORS
from fp16sim.exact import decode
from fp16sim.explain.functions import ARGUMENTS, COMPARISONS, NEIGHBOURING
from fp16sim.explain.number_parts import PARTS

from .support import first

FLUSHING = replace(fs.BINARY16, name="flushing", subnormals="flush_inputs", saturate=True)
FORMATS = [fs.BINARY16, FLUSHING, fs.E4M3FN, fs.BFLOAT16, fs.E5M2, fs.BINARY32]
NUMBERS = [0.0, -0.0, 1.0, -1.0, 0.1, -0.3, 2.5, 10.0, 3e-5, -6e-8, 300.0, -700.0, 60000.0, np.inf, -np.inf, np.nan]
MODES = [mode for mode in fs.Rounding if mode is not fs.Rounding.STOCHASTIC]


def of_library(f, *arguments, **options):
    """What a function returns, and the flags that it raises."""
    with fs.record_flags() as raised, np.errstate(all="ignore"):
        y = f(*arguments, **options)
    return y, tuple(name for name in ("invalid", "divide_by_zero", "overflow", "underflow", "inexact")
                    if getattr(raised, name))  # fmt: skip


def same(number, y):
    """Whether a number of an explanation is that value: NaN is NaN, and zeros have signs."""
    value = float(number.value)
    return np.isnan(value) if np.isnan(y) else value == y and np.signbit(value) == np.signbit(y)


def operands_of(name):
    if name == "scale_b":
        return [(x, n) for x in NUMBERS for n in (0, -3, 17, -30, 10**6)]
    if ARGUMENTS.get(name, 2) == 1:
        return [(x,) for x in NUMBERS]
    return [(x, y) for x in NUMBERS[::2] for y in NUMBERS[1::2]] + [(x, x) for x in NUMBERS]


@pytest.mark.parametrize("name", [name for name in ARGUMENTS if name not in NEIGHBOURING])
@pytest.mark.parametrize("fmt", first(2, FORMATS), ids=str)
def test_a_function_is_explained_with_the_librarys_result_and_flags(name, fmt):
    modes = MODES if ARGUMENTS[name] == 1 else MODES[::3]
    for mode in modes:
        for operands in operands_of(name):
            y, raised = of_library(getattr(fs, name), *operands, fmt, mode)
            why = explain.function(name, operands, fmt, mode)
            assert same(why.result, y), (operands, mode)
            assert why.flags == raised, (operands, mode)


def as_tuple(y):
    return y if isinstance(y, tuple) else (y,)


def part_values(why):
    return [float(part.number.value) if part.number else part.integer for part in why.parts]


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("fmt", [*FORMATS, fs.BINARY64, fs.E2M3FN], ids=str)
def test_a_function_with_parts_is_explained_with_the_librarys_results_and_flags(name, fmt):
    options = [{}, {"width": 8, "exact": True, "invalid": "x86"}, {"signed": False, "invalid": "riscv"}]
    for mode in MODES:
        for x in NUMBERS[: None if fmt.has_nan else -1]:
            for how in options if name == "to_integer" else [{}]:
                y, raised = of_library(getattr(fs, name), x, fmt, mode, **how)
                why = explain.parts(name, x, fmt, mode, **how)
                wanted = [float(part) if part.dtype.kind == "f" else int(part) for part in as_tuple(y)]
                assert list(map(repr, part_values(why))) == list(map(repr, wanted)), (x, mode)
                assert why.flags == raised, (x, mode)
                assert max(map(len, str(why).splitlines())) <= 80
    for seed in range(20):
        why = explain.parts(name, 0.3, "e2m1fn", "stochastic", rng=seed)
        y = getattr(fs, name)(0.3, "e2m1fn", "stochastic", rng=seed)
        assert part_values(why) == [float(part) for part in as_tuple(y)]


@pytest.mark.parametrize("name", NEIGHBOURING)
@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.BFLOAT16, FLUSHING, fs.BINARY32], ids=str)
def test_a_neighbour_is_explained_for_numbers_that_the_format_lacks_too(name, fmt):
    for x in [*NUMBERS, "1/3", 2**70 + 1]:
        y, raised = of_library(getattr(fs, name), x, fmt)
        why = explain.function(name, x, fmt)
        assert same(why.result, y), x
        assert (why.flags, why.operands, why.modes) == (raised, (), ())


SOME = ("exp", "power", "minimum", "maximum_number", "ieee_remainder", "next_up", "log_b", "round_to_integral")


@pytest.mark.parametrize("name", SOME)
def test_a_signaling_nan_is_explained_with_its_flag(name):
    code = "0x7C01"
    operands = (code, "1")[: ARGUMENTS[name]]
    why = explain.function(name, operands, "binary16")
    values = [decode(0x7C01, "binary16"), 1.0][: ARGUMENTS[name]]
    y, raised = of_library(getattr(fs, name), *values, "binary16")
    assert same(why.result, y)
    assert why.flags == raised == ("invalid",)


def test_a_stochastic_function_takes_its_draws_as_the_library_does():
    for seed in range(40):
        why = explain.function("exp", 0.1, "bfloat16", "stochastic", rng=seed)
        assert same(why.result, fs.exp(0.1, "bfloat16", "stochastic", rng=seed))


@pytest.mark.parametrize("name", ["exp", "fmod", "round_to_integral", "scale_b", *PARTS])
def test_a_stochastic_function_takes_as_many_draws_as_the_library_does(name):
    ours, theirs = np.random.default_rng(1), np.random.default_rng(1)
    operands = (2.3, 2)[: ARGUMENTS.get(name, 1)]
    for _ in range(5):
        y = getattr(fs, name)(*operands, "binary16", "stochastic", rng=theirs)
        if name in PARTS:
            assert part_values(explain.parts(name, *operands, "binary16", "stochastic", rng=ours)) == list(as_tuple(y))
        else:
            assert same(explain.function(name, operands, "binary16", "stochastic", rng=ours).result, y)
        assert ours.bit_generator.state == theirs.bit_generator.state


def test_every_mode_scales_by_the_same_power():
    why = explain.function("scale_b", (1.7, -24), "binary16")
    for one in why.modes:
        assert one.outcomes[0].value == fs.scale_b(1.7, -24, "binary16", one.mode), one.mode
    assert len({one.outcomes[0].code for one in why.modes}) == 2


@pytest.mark.parametrize(
    ("name", "x", "accuracy", "says"),
    [
        ("exp2", 3, "exact", "The value is exact."),
        ("exp", 1, "near", "2.71828182846..."),
        ("sin", "2^-24", "below", "just below 5.9604644775390625e-08"),
        ("tan", "2^-24", "above", "just above 5.9604644775390625e-08"),
        ("tanh", 20, "below", "Nearly a whole ulp is cut off"),
        ("sin", "-2^-24", "above", "just above -5.9604644775390625e-08"),
        ("exp", 1000, "huge", "beyond 2^1000"),
        ("exp", -1000, "tiny", "The number lies between 0 and min_subnormal, nearly at 0."),
        ("log", 0, "exact", "A pole"),
        ("log", -1, "exact", "log has no real value here"),
    ],
)
def test_the_text_has_no_more_digits_than_are_right(name, x, accuracy, says):
    why = explain.function(name, x, "binary16")
    assert why.accuracy == accuracy
    assert says in " ".join(str(why).split())
    assert max(map(len, str(why).splitlines())) <= 80
    assert "is not promised" in str(explain.function(name, x, "binary32")) or not np.isfinite(float(why.value))


# --- sums -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "accumulator", ["sequential", "pairwise", "blocked", "kahan", "fused", "exact", "kahan:binary32"]
)
@pytest.mark.parametrize("name", ["sum", "mean", "norm"])
@pytest.mark.parametrize("fmt", first(2, [fs.BFLOAT16, FLUSHING, fs.BINARY16]), ids=str)
def test_a_sum_is_explained_with_the_librarys_result_and_flags(name, fmt, accumulator):
    if accumulator.endswith("binary32") and fmt is FLUSHING:
        pytest.skip("its operands are flushed, and binary32 is not")
    for mode in MODES:
        for x in ([3.0], [2048, 1, 1, 1], [0.1, -0.7, 5e-5, 3e-6, 30000], [60000, 9000, 1], [np.inf, -np.inf], [-0.0]):
            y, raised = of_library(getattr(fs, name), x, fmt, mode, accumulator=accumulator)
            why = explain.total(x, fmt, mode, operation=name, accumulator=accumulator)
            assert same(why.result, y), (x, mode)
            assert why.flags == raised, (x, mode)
            assert (why.operation, why.b) == (name, ())


def test_the_steps_of_a_sum_are_named_by_its_terms():
    why = explain.total([2048, 1, 1], accumulator="kahan")
    assert [step.formula for step in why.steps][:4] == ["x1 - lost0", "x0 + y1", "s1 - x0", "u1 - y1"]
    assert [step.formula for step in explain.total([1, 2], operation="norm").steps] == [
        "x0 × x0", "x1 × x1", "s0 + p1", "sqrt(sum)"
    ]  # fmt: skip
    assert [step.formula for step in explain.total([1, 2, 3], operation="mean").steps][-1] == "sum / 3"
    assert [step.formula for step in explain.total([1, 2], accumulator="fused").steps] == ["x1 + x0"]


# --- comparisons ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMPARISONS)
@pytest.mark.parametrize("signaling", [False, True])
@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.E4M3FN, FLUSHING], ids=str)
def test_a_comparison_is_explained_with_the_librarys_result_and_flags(name, signaling, fmt):
    options = {"signaling": True} if signaling else {}
    if signaling and name in ("unordered", "total_order"):
        with pytest.raises(ValueError, match=f"signaling=True is not for {name}"):
            explain.comparison(name, 1, 2, signaling=True)
        return
    for a, b in operands_of("comparison"):
        if name == "total_order" and not fmt.has_infinity and max(abs(a), abs(b)) > fmt.max_finite:
            continue  # they become NaN, and no standard says with which sign
        y, raised = of_library(getattr(fs, name), a, b, fmt, **options)
        why = explain.comparison(name, a, b, fmt, **options)
        assert (why.truth, why.flags) == (bool(y), raised), (a, b)


@pytest.mark.parametrize(
    ("expression", "truth", "says"),
    [
        ("0.1 < 0.2", True, "0.0999755859375 is less than 0.199951171875."),
        ("nan == nan", False, "So == < <= > and >= are all false, and != is true."),
        ("nan ≤ 1", False, "The signaling one, which < is in C, would raise invalid here."),
        ("0x7C01 < 1", False, "invalid: an operand is NaN."),
        ("0.1 + 0.2 == 0.3", False, "0.2998046875 is less than 0.300048828125."),
        ("0.1 == 0.09999", True, "Before they were rounded it was otherwise: 0.1 is greater than 0.09999."),
        ("0 == -0", True, "The zeros of both signs are equal."),
        ("total_order(-0, 0)", True, "-0 is before 0, or is it."),
        ("unordered(1, nan)", True, "The question is whether an operand is NaN."),
    ],
)
def test_a_comparison_says_what_was_compared(expression, truth, says, capsys):
    assert main(["explain", expression, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data[-1] if isinstance(data, list) else data)["truth"] is truth
    assert main(["explain", expression]) == 0
    printed = capsys.readouterr().out
    assert says in " ".join(printed.split())
    assert max(map(len, printed.splitlines())) <= 80


# --- expressions ----------------------------------------------------------------------------------------------------

NO_NUMBERS = {"all_values", "array_api", "get_format", "record_flags"}
"""Public functions that take no number."""
MODULES = {"accumulators", "blocks", "exact"}


@pytest.mark.parametrize("name", [n for n in fs.__all__ if n[0].islower() and n not in MODULES])
def test_every_public_function_of_numbers_is_answered_in_an_expression(name, capsys):
    if name in NO_NUMBERS:
        assert name not in FUNCTIONS
        return
    vector = "[1, 0.5]" if name in VECTORS else {"decode": "0x3800", "scale_b": "2"}.get(name, "0.5")
    assert main(["explain", f"{name}({', '.join([vector] * FUNCTIONS[name])})"]) == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    listed = main(["explain", f"{name}("])
    assert listed == 2


def test_the_help_lists_every_function(capsys):
    with pytest.raises(SystemExit):
        main(["explain", "--help"])
    words = set(re.findall(r"\w+", capsys.readouterr().out))
    assert set(FUNCTIONS) <= words


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("exp(log(2) + 0)", "2"),
        ("pow(2, 3) - min(1, 2)", "7"),
        ("sum([1, 2, 3]) / 3", "2"),
        ("norm([3, 4])", "5"),
        ("reciprocal(4)", "0.25"),
        ("-exp(0)", "-1"),
        ("cumsum([2048, 1, 1])", "2048"),
        ("remainder(7, 4)", "-1"),
        ("fmod(-7, 4) + ldexp(1, -2)", "-2.75"),
        ("rint(2.5) + logb(9)", "5"),
        ("scale_b(1 + 2, 3)", "24"),
    ],
)
def test_functions_are_parts_of_expressions(expression, value, capsys):
    assert main(["explain", "--json", "--", expression]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data[-1] if isinstance(data, list) else data)["result"]["value"] == value


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("1 < 2 < 3", "only two numbers are compared at a time"),
        ("1 = 2", "write == to compare two numbers"),
        ("less(1, 2) + 1", "less gives no number, so it stands alone"),
        ("cumsum([1, 2]) + 1", "cumsum gives a list, so it stands alone"),
        ("frexp(3) + 1", "frexp gives two numbers, so it stands alone"),
        ("to_integer(3) + 1", "to_integer gives an integer, which is no number of the format, so it stands alone"),
        ("scale_b(1, 0.5)", "n=0.5 is not an integer; give the power of two, such as -3"),
        ("scale_b(1, inf)", "n=inf is not an integer"),
        ("sum(1, 2)", "because sum takes a list: sum([1, 2, 3])"),
        ("exp(1, 2)", "exp takes 1 argument, but 2 are given"),
        ("hypot(1)", "hypot takes 2 arguments, but 1 is given"),
        ("expp(1)", "did you mean 'exp'?"),
        ("sum([])", "a number is missing"),
        ("ulp(inf, 1)", "ulp takes 1 argument"),
    ],
)
def test_a_wrong_expression_is_answered_with_the_way_out(expression, says, capsys):
    assert main(["explain", expression]) == 2
    assert says in capsys.readouterr().err
