"""Seeded fuzzing: random calls and random texts. A small share here, more of the same under the marker `exhaustive`.

Every case follows from its seed and its number, which a failure names. The well-typed calls are compared with the exact
layer; whatever is called, no argument changes, and nothing but TypeError and ValueError is raised.
"""

import dataclasses
import functools
import inspect
import operator
import signal
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import elementary, exact, explain
from fp16sim.cli import main
from fp16sim.cli.errors import ExpressionError
from fp16sim.cli.expression_explainer import Explainer
from fp16sim.cli.expressions import parse_expression
from fp16sim.exact.operations import EXTREMES as exact_extremes

from .fuzzing import Source, elements, snapshot
from .support import bit_patterns, count_cases

pytestmark = pytest.mark.usefixtures("quiet", "bounded")

MORE = pytest.mark.exhaustive
SEEDS = [0, *(pytest.param(seed, marks=MORE) for seed in range(1, 41))]
SECONDS, BYTES = 20, 2 << 30


@pytest.fixture
def bounded():
    """A case has a bound of time, and all of them one of memory: an attack fails, and takes nothing else down."""
    resource = pytest.importorskip("resource", reason="bounds of memory are Unix's")
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + BYTES, hard))
    except OSError:
        pass  # not Linux: the bound of time remains
    before = signal.signal(signal.SIGALRM, too_slow)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def too_slow(number, frame):
    raise TimeoutError(f"a case took more than {SECONDS} seconds")


def cases(seed, count):
    """(source, number) of each case, with its own seed and its own time."""
    for k in range(count):
        signal.alarm(SECONDS)
        yield Source(seed * 1_000_003 + k), k
    signal.alarm(0)


def call(function, *args, **keywords):
    """(result, None), or (None, the error); the arguments stay as they are."""
    before = [snapshot(x) for x in args]
    try:
        result, error = function(*args, **keywords), None
    except (TypeError, ValueError) as caught:
        result, error = None, caught
    assert [snapshot(x) for x in args] == before, "an argument was changed"
    return result, error


def check(told, name, judge, operands, *how, **keywords):
    """A function of fs gives the codes that the judge gives for the exact elements; if it refuses them, ValueError."""
    result, error = call(getattr(fs, name), *operands, *how, **keywords)
    try:
        for x in operands:  # which are rounded first, even if another one is empty
            for one in elements(x).flat:
                exact.round_to(one, *how)
        expected = judge(*map(elements, operands), *how)
    except ValueError:
        assert isinstance(error, ValueError), (told, name, operands, how)
        return
    assert error is None, (told, name, operands, how, error)
    if expected is not None:
        expected = np.array(expected, object).astype(float)
        assert np.shape(result) == expected.shape, (told, name, operands, how)
        assert (bit_patterns(result) == bit_patterns(expected)).all(), (told, name, operands, how, result, expected)
        count_cases(expected.size, "fuzz")


def for_each_element(judge):
    """A judge of arrays from one of numbers; the operands are broadcast."""

    def of_arrays(*given):
        operands, how = given[:-2], given[-2:]
        broadcast = np.broadcast_arrays(*operands)
        found = np.empty(broadcast[0].shape, object)
        for index in np.ndindex(found.shape):
            found[index] = judge(*(x[index] for x in broadcast), *how)
        return found

    return of_arrays


# --- compared with the exact layer ----------------------------------------------------------------------------------

ARITY = {"add": 2, "subtract": 2, "multiply": 2, "divide": 2, "fma": 3, "ieee_remainder": 2, "fmod": 2}
ARITY |= dict.fromkeys(("round_to", "sqrt", "log_b"), 1)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ARITY)
def test_operations_on_whatever_holds_numbers_are_those_of_the_exact_layer(name, seed):
    for source, k in cases(seed, 40):
        fmt, mode = source.format(), source.mode()
        operands = [source.operand(fmt, shape) for shape in source.shapes(ARITY[name])]
        flags = set()

        def judge(*given):
            *x, fmt, mode = given
            rounds = name == "round_to"
            found = exact.round_operand(x[0], fmt, mode) if rounds else exact.compute(name, tuple(x), fmt, mode)
            flags.update(found.flags)  # noqa: B023 - called before the next case
            return found.value

        with fs.record_flags() as raised:
            check((seed, k), name, for_each_element(judge), operands, fmt, mode)
        if all(np.size(elements(x)) for x in operands) and (fmt.has_nan or fmt.nan_code is not None):
            assert set(raised.names()) == flags, (seed, k, name, operands, fmt, mode)


def folded_sum(x, fmt, mode):
    """The rounded sum of exact values, one after the other."""
    held = [exact.round_to(v, fmt, mode) for v in x]
    return functools.reduce(lambda a, b: exact.add(a, b, fmt, mode), held)


def products(a, b, fmt, mode):
    return [exact.multiply(x, y, fmt, mode) for x, y in zip(a, b, strict=True)]


def dot(a, b, fmt, mode):
    return folded_sum(products(a, b, fmt, mode), fmt, mode)


def exact_sum(x, fmt, mode):
    """Rounded once; None for infinities, NaNs and zero, whose rules have tests of their own."""
    held = [exact.round_to(v, fmt, mode) for v in x]
    finite = all(map(exact.is_finite, held)) and sum(map(Fraction, held))
    return exact.round_result(sum(map(Fraction, held)), fmt, mode).value if finite else None


REDUCTIONS = {
    "sum": folded_sum,
    "mean": lambda x, fmt, mode: exact.divide(folded_sum(x, fmt, mode), len(x), fmt, mode),
    "norm": lambda x, fmt, mode: exact.sqrt(dot(x, x, fmt, mode), fmt, mode),
    "cumsum": lambda x, fmt, mode: [folded_sum(x[: k + 1], fmt, mode) for k in range(len(x))],
    "dot": dot,
    "matmul": lambda a, b, fmt, mode: [[dot(row, column, fmt, mode) for column in b.T] for row in a],
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_are_the_steps_of_the_exact_layer(name, seed):
    for source, k in cases(seed, 30):
        fmt, mode, n = source.format(), source.mode(), source.below(1, 6)
        shapes = {"dot": [(n,), (n,)], "matmul": [(2, n), (n, 2)]}.get(name, [(n,)])
        check((seed, k), name, REDUCTIONS[name], [source.operand(fmt, shape) for shape in shapes], fmt, mode)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_exact_sum_is_rounded_once(seed):
    for source, k in cases(seed, 40):
        fmt, mode = source.format(), source.mode()
        check((seed, k), "sum", exact_sum, [source.operand(fmt, (4,))], fmt, mode, accumulator="exact")


ORDER = {
    "equal": operator.eq,
    "not_equal": operator.ne,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "unordered": lambda a, b: exact.is_nan(a) or exact.is_nan(b),
}


def extreme(name, a, b):
    """IEEE 754-2019's minimum, maximum, minimumNumber, ..., maximumMagnitudeNumber."""
    numbers = [x for x in (a, b) if not exact.is_nan(x)]
    if len(numbers) < 2:
        return numbers[0] if numbers and name.endswith("number") else exact.NAN
    size = abs if "magnitude" in name else lambda x: 0
    return (min if "min" in name else max)(numbers, key=lambda x: (size(x), x, not exact.is_negative(x)))


EXTREMES = {name: functools.partial(extreme, name) for name in exact_extremes}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", [*ORDER, *EXTREMES])
def test_comparisons_and_extremes_are_those_of_the_rounded_operands(name, seed):
    relation = {**ORDER, **EXTREMES}[name]

    def judge(a, b, fmt, mode):
        return relation(exact.round_to(a, fmt, mode), exact.round_to(b, fmt, mode))

    for source, k in cases(seed, 15):
        fmt, mode = source.format(), source.mode()
        operands = [source.operand(fmt, shape) for shape in source.shapes(2)]
        check((seed, k), name, for_each_element(judge), operands, fmt, mode)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["round_to_integral", "frexp", "modf", "to_integer"])
def test_functions_of_integers_are_those_of_the_exact_layer(name, seed):
    for source, k in cases(seed, 40):
        fmt, mode = source.format(), source.mode()
        x = source.operand(fmt, ())
        found, error = call(getattr(fs, name), x, fmt, mode)
        if error is None:
            expected = getattr(exact, name)(elements(x)[()], fmt, mode)
            ours, theirs = (v if isinstance(v, tuple) else (v,) for v in (found, expected))
            for one, other in zip(ours, theirs, strict=True):
                assert bit_patterns(float(one)) == bit_patterns(float(other)), (seed, k, x, fmt, mode)
            count_cases(1, "fuzz")


@pytest.mark.parametrize("seed", SEEDS)
def test_codes_neighbours_and_texts_are_those_of_the_exact_layer(seed):
    for source, k in cases(seed, 40):
        fmt, mode = source.format(), source.mode()
        codes = np.array([source.below(2**fmt.width) for _ in range(4)], np.uint64)
        values = [exact.decode(int(c), fmt) for c in codes]
        assert (bit_patterns(fs.decode(codes, fmt)) == bit_patterns(list(map(float, values)))).all(), (seed, k, fmt)
        x = source.operand(fmt, ())
        code, error = call(fs.encode, x, fmt, mode)
        if error is None:  # of the codes of NaN, any will do
            ours, theirs = (exact.decode(int(c), fmt) for c in (code, exact.encode(elements(x)[()], fmt, mode)))
            assert bit_patterns(float(ours)) == bit_patterns(float(theirs)), (seed, k, x, fmt, mode)
        for value in filter(exact.is_finite, values):
            check_neighbours_and_texts((seed, k), value, fmt)


def check_neighbours_and_texts(told, value, fmt):
    """The numbers next to a number have it as their neighbour, and each of its texts is read as it again."""
    up = fs.next_up(float(value), fmt)
    assert up > value or up == fmt.max_finite, (told, fmt, value)
    assert fs.next_down(up, fmt) == value or value in (0, fmt.max_finite) or up == 0, (told, fmt, value)
    plain = dataclasses.replace(fmt, subnormals="gradual", saturate=False)
    for style in ("shortest", "exact", "fraction", "hex"):
        back = exact.round_to(fs.to_text(float(value), plain, style), plain)
        assert (back, exact.is_negative(back)) == (value, exact.is_negative(value)), (told, fmt, value, style)
    count_cases(1, "fuzz")


@pytest.mark.parametrize("seed", SEEDS)
def test_an_elementary_function_gives_numbers_of_the_format_and_the_same_ones_for_each_element_alone(seed):
    for source, k in cases(seed, 20):
        name, mode = source.pick(elementary.__all__), source.mode()
        fmt = source.pick((fs.BINARY16, fs.BFLOAT16, fs.E5M2, fs.Format("narrow", 9, 5), fs.BINARY32))
        function = getattr(fs, name)
        count = len(inspect.signature(function).parameters.keys() & {"x", "y"})
        operands = [source.operand(fmt, (3,)) for _ in range(count)]
        result, error = call(function, *operands, fmt, mode)
        told = (name, seed, k, operands, fmt, mode)
        assert error is None, (told, error)
        assert (bit_patterns(fs.round_to(result, fmt)) == bit_patterns(result)).all(), told
        alone = [function(*(x[i] for x in operands), fmt, mode) for i in range(3)]
        assert (bit_patterns(alone) == bit_patterns(result)).all(), (told, result, alone)
        count_cases(3, "fuzz")


# --- junk -----------------------------------------------------------------------------------------------------------

MATRIX = fs.array([[1.0, 0.1], [-2.0, 60000.0]], "binary16")
OF_EXACT = "parse round_to encode decode add sqrt fma"
OF_ACCUMULATORS = "parse Sequential Pairwise Blocked Kahan Fused Exact Blas TensorCore"
OF_ARRAYS = "astype clip constant cumprod cumsum dot matmul mean norm prod sum round"
CALLABLES = {
    "Format": fs.Format,
    **{name: getattr(fs, name) for name in fs.__all__ if inspect.isfunction(getattr(fs, name))},
    **{f"explain.{name}": getattr(explain, name) for name in explain.__all__ if name[0].islower()},
    **{f"exact.{name}": getattr(exact, name) for name in OF_EXACT.split()},
    **{f"accumulators.{name}": getattr(fs.accumulators, name) for name in OF_ACCUMULATORS.split()},
    **{f"x.{name}": getattr(MATRIX, name) for name in OF_ARRAYS.split()},
}


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_given_to_a_public_function_only_type_and_value_errors_are_raised(seed):
    for source, k in cases(seed, 1000):
        name = source.pick(tuple(CALLABLES))
        given, named = source.arguments(CALLABLES[name])
        try:
            result, error = call(CALLABLES[name], *given, **named)
        except Exception as wrong:
            raise AssertionError(f"{name}, seed {seed}, case {k}: {given} {named}") from wrong
        if error is not None:
            assert 0 < len(str(error)) < 1000, (name, seed, k, str(error)[:300])
        elif name.startswith("explain"):
            assert str(result), (name, seed, k)


# --- texts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_a_number_as_people_write_it_is_read_exactly(seed):
    for source, k in cases(seed, 500):
        text, value = source.number_text()
        found = fs.parse(text)
        assert found == value or (exact.is_nan(found) and exact.is_nan(value)), (seed, k, text, found, value)
        assert exact.is_negative(found) == exact.is_negative(value) or exact.is_nan(value), (seed, k, text)
        count_cases(1, "fuzz: texts")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_damaged_number_is_read_as_python_reads_it_or_refused(seed):
    for source, k in cases(seed, 800):
        text = source.mutated(source.number_text()[0])
        found, error = call(fs.parse, text)
        if error is not None:
            assert len(str(error)) < 400, (seed, k, text)
        elif (theirs := by_python(text)) is not None:
            ours = float(found) if isinstance(theirs, float) else found
            assert ours == theirs or (exact.is_nan(ours) and exact.is_nan(theirs)), (seed, k, text)
            count_cases(1, "fuzz: texts")


def by_python(text):
    """What Python reads: a Fraction, or a float of hexadecimal digits, infinity or NaN; None if it reads nothing."""
    text = text.replace("_", "").strip()
    try:
        return Fraction(text.replace(" ", ""))
    except (ValueError, ZeroDivisionError):
        pass
    try:
        return float.fromhex(text) if set(text.lower()) & set("xin") else None
    except (ValueError, OverflowError):
        return None


@pytest.mark.parametrize("seed", SEEDS)
def test_an_expression_has_the_value_of_the_exact_layer(seed):
    for source, k in cases(seed, 40):
        fmt, mode = source.pick((fs.BINARY16, fs.BFLOAT16, fs.E5M2, fs.E4M3FN)), source.mode()
        text, value = source.expression(fmt)
        found = Explainer(text, fmt, mode, None).run()[-1].result.value
        assert bit_patterns(float(found)) == bit_patterns(float(exact.round_to(value(mode), fmt, mode))), (
            seed,
            k,
            text,
        )
        count_cases(1, "fuzz: expressions")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_damaged_expression_is_read_or_its_error_points_at_the_place(seed):
    for source, k in cases(seed, 600):
        text = source.mutated(source.expression(fs.BINARY16, 2)[0])
        _, error = call(parse_expression, text)
        if error is not None:
            assert isinstance(error, ExpressionError), (seed, k, text)
            message, window, marks = str(error).rsplit("\n", 2)
            assert message, (seed, k, text)
            assert len(marks.rstrip()) <= len(window) + 1, (seed, k, text)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_command_line_explains_a_text_or_says_in_one_message_why_not(seed, capsys):
    for source, k in cases(seed, 25):
        text = source.mutated(source.pick((source.expression(fs.BINARY16, 2)[0], source.number_text()[0])))
        command = source.pick(("explain", "show", "compare"))
        status = main([command, "--", text])
        out, err = capsys.readouterr()
        assert status in (0, 2), (seed, k, command, text, err)
        assert "Traceback" not in err, (seed, k, command, text)
        assert bool(out) == (status == 0), (seed, k, command, text)
