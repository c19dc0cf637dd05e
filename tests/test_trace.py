"""Trace: unchanged code, emulated as FloatArray does it; escapes, branches and lines named; cures; scripts; blocks."""

import builtins
import functools
import json
import math
import statistics
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.cli import main
from fp16sim.trace import Run, cures
from fp16sim.trace.literals import Literal
from fp16sim.trace.sites import is_foreign

from .support import first

X = np.array([0.1, 1.7, 30.0, 300.0, 1e-4, 65504.0])


def traced(function, *args, fmt="binary16", **how):
    return fs.trace.wrap(function, fmt, **how)(*args)


# --- emulated as it would be without the trace ----------------------------------------------------------------------


def chain(x):
    y = np.exp(-x / 7) + np.sqrt(x) * 0.3
    z = (x - x.mean()) / (y + 1e-3)
    x[1] = 2.5
    x[2:4] *= y[2:4]
    parts = np.concatenate([x[::2], np.sort(y), np.clip(z, -1, 1)])
    return np.where(z > 0, z, y), x.reshape(2, 3) @ y.reshape(3, 2), np.sum(z), np.tanh(x[1:] - x[:-1]), parts, z.max()


@pytest.mark.parametrize("mode", ["ties_to_even", "toward_zero", "stochastic"])
@pytest.mark.parametrize("fmt", ["binary16", "bfloat16"])
def test_the_emulated_values_are_those_of_float_array(fmt, mode):
    run = fs.trace.wrap(chain, fmt, mode, rng=1)(X)
    with np.errstate(all="ignore"):
        plain = chain(fs.array(X, fmt, mode, rng=1))
    for ours, theirs in zip(run.returned, plain, strict=True):
        np.testing.assert_array_equal(ours.codes, theirs.codes)


@pytest.mark.parametrize("fmt", ["binary16", "bfloat16", "binary32"])
def test_the_emulated_values_of_large_arrays_are_those_of_float_array(fmt):
    def block(x, y):
        z = x * y + 0.1
        return np.exp(z / 9) - np.sqrt(np.abs(x)) / (y * y + 1), np.maximum(x, y) - z, np.sum(x)

    x, y = np.random.default_rng(0).normal(size=(2, 5000))
    with np.errstate(all="ignore"):
        plain = block(fs.array(x, fmt), fs.array(y, fmt))
    run = traced(block, x, y, fmt=fmt)
    for ours, theirs in zip(run.returned, plain, strict=True):
        np.testing.assert_array_equal(ours.codes, theirs.codes)
    assert all(result.known for result in run.results)


@pytest.mark.parametrize("accumulator", ["pairwise", "kahan", "exact", "binary32"])
def test_sums_are_added_by_the_accumulator(accumulator):
    x = np.random.default_rng(0).normal(size=300)
    run = traced(lambda x: (np.sum(x), x @ x, x.mean(), np.linalg.norm(x)), x, accumulator=accumulator)
    a = fs.array(x, "binary16")
    expected = (
        a.sum(accumulator=accumulator),
        a.matmul(a, accumulator=accumulator),
        a.mean(accumulator=accumulator),
        a.norm(accumulator=accumulator),
    )
    assert [float(y) for y in run.returned] == [float(y) for y in expected]


# --- unchanged code -------------------------------------------------------------------------------------------------


class Model:
    rate = 0.1

    def __init__(self, w):
        self.w = w

    @property
    def scaled(self):
        return self.w * 0.3

    def step(self, g):
        self.w = self.w - self.rate * g
        return self

    @staticmethod
    def loss(x):
        return math.log(x) / 3.0


def halves(x):
    while x > 0.01:
        x = x / 2.0
        yield x


def doubled(function):
    @functools.wraps(function)
    def wrapper(*args):
        return 2.0 * function(*args)

    return wrapper


@doubled
def decorated(x, factor=0.7):
    return x * factor


def remembering(x):
    known = {x: 0.5}
    return known[x] * x + {x, 2 * x}.pop() * 0.0 + divmod(x, 0.3)[1]


PROGRAMS = {
    "methods": lambda x: Model(x).step(0.5).scaled + Model.loss(x),
    "generators": lambda x: sum(halves(x)),
    "decorators": lambda x: decorated(x),
    "comprehensions": lambda x: sum(k * 0.1 * x for k in range(5)),
    "sorting by a key": lambda x: sorted([x, 2 * x, 0.3], key=lambda v: -v * 0.1)[0],
    "keywords": lambda x: (lambda a, *, b=0.2: a * b)(x, b=x),
    "unpacking": lambda x: [a * b for a, b in zip(*[(x, 0.1), (0.2, x)], strict=True)][1],
    "an import inside": lambda x: __import__("math").sqrt(x),
    "literals": lambda x: 1 - 0.999 + x * 0,
    "creation": lambda x: np.linspace(0, 1, 11)[3] * x + np.full(3, 0.1)[1] + np.zeros(2)[0] + np.pi,
    "numbers as keys": remembering,
    "random numbers": lambda x: np.random.default_rng(3).normal(size=4)[2] * x,
}


def inside(x):
    import math as m
    from math import exp

    import numpy

    return exp(x) * m.sqrt(x) + numpy.log(x)


def by_float_array(program):
    """The program with FloatArrays and rounded constants, as far as it can be written that way."""
    x = fs.array(1.7, "binary16")
    values = {
        "methods": lambda: (x - x.constant(0.1) * x.constant(0.5)) * 0.3 + np.log(x) / 3.0,
        "literals": lambda: x.constant(1 - 0.999) + x * 0,  # Python folds constants before anything runs
        "an import inside": lambda: np.sqrt(x),
        "comprehensions": lambda: sum((k * x.constant(0.1)) * x for k in range(5)),
    }
    return values.get(program)


@pytest.mark.parametrize("name", first(6, [*PROGRAMS]))
def test_ordinary_python_is_traced_and_every_operation_has_its_line(name):
    run = traced(PROGRAMS[name], 1.7)
    assert isinstance(run.returned, fs.FloatArray)
    assert run.returned.fmt == fs.BINARY16
    assert not run.escapes
    assert {line.file for line in run.lines} == {__file__}
    if (expected := by_float_array(name)) is not None:
        assert float(run.returned) == float(expected())


def test_numpy_and_math_that_are_imported_inside_a_function_are_traced():
    run = traced(inside, 1.7)
    assert not run.escapes
    assert {site.operation for site in run.sites} >= {"exp", "sqrt", "log"}


def test_a_function_without_source_is_traced():
    names = {}
    exec(compile("import math\ndef f(x):\n    return (1 - math.cos(x)) / x**2 * 0.5", "<typed>", "exec"), names)
    run = traced(names["f"], 0.03)
    assert run.lines[0].line == 3
    assert run.lines[0].cancelled > 10


def test_what_was_changed_for_a_run_is_put_back_also_after_an_error():
    def scaled(x, factor=0.1):
        return x * factor * 0.7

    def failing(x):
        return x.nothing * 0.3

    before = scaled.__code__, scaled.__defaults__, chain.__globals__["np"], builtins.__import__, Model.step.__code__
    traced(scaled, 1.0)
    traced(PROGRAMS["methods"], 1.0)
    with pytest.raises(AttributeError, match="nothing"):
        traced(failing, 1.0)
    after = scaled.__code__, scaled.__defaults__, chain.__globals__["np"], builtins.__import__, Model.step.__code__
    assert after == before
    assert after[0] is before[0]
    assert type(scaled(1.0)) is float
    assert type(Model.rate) is float


def test_global_variables_that_the_code_assigns_keep_what_it_assigned():
    names = {}
    exec("limit = 0.5\ndef f(x):\n    global limit\n    limit = 'changed'\n    return x", names)
    traced(names["f"], 1.0)
    assert names["limit"] == "changed"


def test_another_thread_computes_with_plain_floats_meanwhile():
    found = []

    def program(x):
        thread = threading.Thread(target=lambda: found.append(np.float64(0.1) * 3 + np.sqrt(np.ones(2))[0]))
        thread.start()
        thread.join()
        return x * 0.1

    traced(program, 1.0)
    assert type(found[0]) is np.float64


def test_an_error_surfaces_as_it_is_with_the_traced_line():
    def program(x):
        x = x * 0.1
        raise KeyError("reason")

    with pytest.raises(KeyError, match="reason") as caught:
        traced(program, 1.0)
    assert caught.traceback[-1].lineno + 1 == program.__code__.co_firstlineno + 2


def test_a_literal_is_a_float_wherever_it_is_not_computed_with():
    x = Literal(0.25)
    assert (x, float(x), f"{x}", {0.25: 1}[x], round(x, 1)) == (0.25, 0.25, "0.25", 1, 0.2)
    assert type(x + 1) is float


def test_a_generator_runs_under_the_trace():
    run = traced(halves, 1.0)
    assert len(run.returned) == 7
    assert all(isinstance(x, fs.FloatArray) for x in run.returned)


def test_arguments_in_lists_and_dicts_are_traced_and_integers_stay_integers():
    def program(data, n, mask):
        assert type(n) is int
        assert mask.dtype == bool
        return {"y": [data["x"][0] * n, data["x"][1][mask]]}

    run = traced(program, {"x": [0.1, np.array([1.0, 2.0])]}, 3, np.array([True, False]))
    assert float(run.returned["y"][0]) == float(fs.array(0.1) * 3)
    assert len(run.results) == 2


def test_a_traced_number_is_a_float_for_code_that_asks_and_an_array_is_an_array():
    def program(x, y):
        assert isinstance(x, float)
        assert isinstance(y, np.ndarray)
        assert not isinstance(x, np.ndarray)
        assert isinstance(x * 2, (int, float))
        return fs.array([1.0, 2.0], "binary16") * y[:2] + x ** y[0]

    run = traced(program, 0.5, X)
    assert not run.escapes
    assert isinstance(run.returned, fs.FloatArray)


def test_changes_through_a_view_reach_the_array_and_its_shadow():
    def program(x):
        row = x.reshape(2, 3)[1]
        row += 0.1
        row[0] = 7.0
        return x

    run = traced(program, X)
    assert run.returned.values[3:].tolist() == [7.0, *(fs.array(X)[4:] + 0.1).values.tolist()]
    np.testing.assert_allclose(run.results[0].shadow[4:], fs.array(X).values[4:].astype(float) + 0.1, rtol=1e-12)


def test_a_scalar_is_not_changed_through_another_name():
    def program(x):
        y = x
        y += 0.5
        return x, y

    assert [float(v) for v in traced(program, 1.0).returned] == [1.0, 1.5]


def test_a_cast_to_float32_is_an_island_and_float64_is_the_traced_format():
    def program(x):
        wide = x.astype(np.float32)
        return np.sum(wide * wide), np.float64(x[0]) * 0.1, (wide * 2).astype(x.dtype)

    run = traced(program, np.full(100, 60.0))
    assert [y.fmt.name for y in run.returned] == ["binary32", "binary16", "binary16"]
    assert float(run.returned[0]) == 360000


# --- what is measured -----------------------------------------------------------------------------------------------


def test_the_line_to_blame_has_its_source_and_its_number():
    run = traced(lambda x: (1 - math.cos(x)) / x**2, 0.03)
    assert run.lines[0].expression == "1 - math.cos(x)"
    assert run.lines[0].cancelled > 10
    assert run.lines[0].witness.amplification > 1000
    assert run.results[0].error == pytest.approx(0.085, rel=0.01)


def events_of(function, *args, **how):
    return {name: n for line in traced(function, *args, **how).lines for name, n in line.events.items()}


@pytest.mark.parametrize(
    ("function", "args", "event", "times"),
    first(
        6,
        [
            (lambda x: x if 1 - (1 - x / 4096) else -x, (1.0,), "branches", 1),
            (lambda s: [s := s + 1.0 for _ in range(5)][-1], (2046.0,), "absorbed", 3),
            (lambda x: x * x, (300.0,), "overflow", 1),
            (lambda x: x * x, (1e-4,), "underflow", 1),
            (lambda x: x * 0.9, (6.2e-5,), "subnormal", 1),
            (lambda x: x - x, (math.inf,), "nan", 1),
            (lambda x: (x * x) - (x * x), (300.0,), "nan", 1),
            (lambda x: 1.0 if x * 3 - 0.3 == 0 else x, (0.1,), "branches", 0),
            (lambda x: x if 1 - (1 - x / 4096) > 0 else -x, (1.0,), "branches", 1),
            (lambda x: np.argmax(x * 300 - 3e4), (np.array([100.01, 100.02]),), "branches", 0),
            (lambda x: np.sum(x), (np.ones(2050),), "absorbed", 2),
        ],
        unpack=True,
    ),
)
def test_what_happens_to_a_number_is_counted(function, args, event, times):
    assert events_of(function, *args).get(event, 0) == times


def test_mullers_recurrence_is_exact_for_scalars_and_lost_for_arrays():
    def muller(x, y, count):
        for _ in range(count):
            x, y = y, 111 - 1130 / y + 3000 / (x * y)
        return y

    exact = traced(muller, 2.0, -4.0, 50)
    assert exact.results[0].known
    assert exact.results[0].shadow == pytest.approx(6, rel=1e-4)
    assert float(exact.returned) == 100
    lost = traced(muller, np.array([2.0]), np.array([-4.0]), 60)
    assert not lost.results[0].known
    assert lost.lines[0].events["shadow_lost"]
    assert "shadow was lost" in str(lost)
    assert "shadow" in str(lost.to_dict()["lines"][0]["events"])


def test_a_long_chain_of_roundings_is_blamed_on_its_line():
    def drifting(x):
        total = 0.0
        for _ in range(100):
            total = total + x
        return total * 1.0

    run = traced(drifting, 0.1)
    assert run.lines[0].source == "total = total + x"
    assert run.lines[0].blamed > 1.5


def test_the_argument_of_an_ill_conditioned_function_is_to_blame():
    def program(x):
        angle = x * 1.1
        return np.sin(angle)

    run = traced(program, 1857.0)
    assert run.lines[0].source == "angle = x * 1.1"
    assert "grows in np.sin(angle)" in str(run)


def test_errors_that_heal_are_not_blamed():
    def program(x):
        tiny = (1 + x) - 1
        return 1000.0 + tiny

    run = traced(program, 1e-3)
    assert run.results[0].lost == 0
    assert not any(line.blamed for line in run.lines)
    assert run.lines[0].source == "tiny = (1 + x) - 1"
    assert run.lines[0].gained > 1


@pytest.mark.parametrize("function", [np.cumsum, np.var])
def test_a_function_of_a_library_is_blamed_where_it_was_called_and_its_cures_are_tried_there(function):
    x = np.random.default_rng(0).uniform(0, 1, 5000)
    run = fs.trace.wrap(function, "binary16")(x)
    said = str(run)  # cures run it again, from here
    assert run.lines[0].source == 'run = fs.trace.wrap(function, "binary16")(x)'
    assert "cure: add in binary32" in said


# --- escapes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "how"),
    first(
        5,
        [
            (lambda x: float(x[0]) * 2, "float(x)"),
            (lambda x: int(x[1]), "int(x)"),
            (lambda x: x[0].item(), "x.item()"),
            (lambda x: x.tolist(), "x.tolist()"),
            (lambda x: math.floor(x[1]), "math.floor(x)"),
            (lambda x: memoryview(np.ascontiguousarray(x).__array__()), "np.asarray(x)"),
            (lambda x: np.fft.fft(x), "computed in float64"),
            (lambda x: np.linalg.solve(np.eye(6), x), "computed in float64"),
            (lambda x: math.gamma(x[1]), "computed in float64"),
            (lambda x: x.astype(int), "astype"),
            (lambda x: abs(x[0] * 1j), "complex arithmetic"),
            (lambda x: np.add.at(np.zeros(2), [0], x[0]), "add.at: computed in float64"),
            (lambda x: x * np.array([1j]), "complex arithmetic"),
            (lambda x: np.linalg.norm(x, 1), "numpy.linalg.norm: computed in float64"),
            (lambda x: "%.3f" % x[0], "float(x)"),  # noqa: UP031
            (lambda x: json.dumps([float(x[0])]), "float(x)"),
        ],
        unpack=True,
    ),
)
def test_what_leaves_the_trace_is_listed_with_its_line(function, how):
    run = traced(function, X)
    (found,) = run.escapes
    assert how in found.how
    assert found.place.line == function.__code__.co_firstlineno
    assert found.place.file == __file__


@pytest.mark.parametrize(
    ("function", "args"),
    [
        (lambda n: sum(1 / k for k in range(1, n)), (100,)),
        (lambda a: a / 3, (np.arange(4),)),
        (lambda a: a * 0.1, (np.arange(4),)),
        (lambda a: 0.1 + a[2], (np.arange(4),)),
        (lambda k: 3**-k, (2,)),
    ],
)
def test_integers_that_make_a_float_are_traced(function, args):
    """sum(1 / k) once ran in float64, and no line said so."""
    run = traced(function, *args)
    assert isinstance(run.returned, fs.FloatArray)
    assert run.operations
    assert not run.escapes
    assert 0 < run.error < 0.01


@pytest.mark.parametrize("function", [lambda k, n: k / n, lambda k, n: [np.arange(n).mean()]])
def test_a_float_that_no_traced_operation_made_is_listed(function):
    run = traced(function, 5, 7)
    (found,) = run.escapes
    assert found.how == "returned a float that was not traced"
    assert found.place.line == function.__code__.co_firstlineno
    (found,) = traced(functools.partial(function, 5), 7).escapes
    assert found.place.file == __file__


def test_a_mean_of_the_standard_library_is_listed():
    def inside(x):
        from statistics import stdev

        return stdev(x) * 2

    for function in (inside, lambda x: statistics.mean(x) * 2):
        run = traced(function, [0.5, 1.5])
        assert isinstance(run.returned, fs.FloatArray)
        assert "statistics." in next(iter(run.escapes)).how


def test_a_loop_that_takes_another_number_of_steps_is_told():
    def program(step):
        t = 0.0
        while t < 1.0:
            t += step
        return t

    run = traced(program, 0.001)
    said = " ".join(str(run).split())
    assert "22 comparisons go another way than without rounding, first at test_trace.py:" in said
    assert "(t < 1.0)" in said
    assert "another way" in run.to_html()
    assert "another way" not in str(traced(program, 0.25))


def test_elements_that_are_not_chosen_are_not_computed():
    def program(x, y):
        return np.divide(x, y, out=np.full(3, 7.0), where=y != 0), np.add(x, 1, out=x, where=x > 2)

    run = traced(program, np.array([1.0, 2.0, 3.0]), np.array([4.0, 0.0, 5.0]))
    assert [y.tolist() for y in run.returned] == [[0.25, 7.0, float(np.float16(0.6))], [1.0, 2.0, 4.0]]
    assert not run.escapes
    assert not run.lines[0].events


def test_a_traced_array_answers_as_one_of_floats_does():
    def program(x):
        return x.dtype.kind, np.issubdtype(x.dtype, np.floating), x.dtype == np.float64, isinstance(x, np.ndarray)

    assert traced(program, X).returned == program(X)


TABLE = np.array([300.0, 400.0])


class Weights:
    def __init__(self):
        self.weights = np.array([300.0, 0.1])

    def __call__(self):
        return np.sum(self.weights * self.weights)

    def move(self):
        self.weights[1] = 0.25
        return self.weights * 2


def test_arrays_that_were_there_before_are_traced():
    """A global array times itself once was float64, and no line said so."""
    table, model = np.array([300.0, 1.0]), Weights()
    for function in (lambda: TABLE * TABLE, lambda: table**2, lambda: np.dot(table, table), model, model.__call__):
        run = traced(function)
        assert np.isinf(run.error)
        assert not run.escapes
    assert type(TABLE) is type(table) is type(model.weights) is np.ndarray


def test_what_the_code_writes_to_an_array_that_was_there_before_arrives():
    model = Weights()
    before = model.weights
    traced(model.move)
    assert model.weights is before
    assert model.weights[1] == 0.25


def test_a_cast_to_a_wider_format_is_not_blamed_for_what_it_is_given():
    def program(x):
        y = 1 - np.cos(x)
        return np.asarray(y, dtype=np.float32) * np.float32(2.0)

    for x in (0.03, np.full(3, 0.03)):
        run = traced(program, x)
        assert run.lines[0].source == "y = 1 - np.cos(x)"
        assert run.lines[1].blamed < 0.5
        assert "7.4 of 11 bits lost" in " ".join(str(run).split())


def test_integers_of_the_source_are_integers_everywhere_else():
    def program(x):
        with pytest.raises(ZeroDivisionError):
            1 / len(())
        return json.dumps([1, 2]), f"{7:03d}", [4, 5][1], divmod(7, 2), pow(3, -1, 7), np.full(2, 9), 2**3, {1: x}

    run = traced(program, 2)
    assert repr(run.returned) == repr(program(2))
    assert not run.operations


def test_a_project_beside_a_library_whose_name_begins_alike_is_the_users():
    assert is_foreign(fs.__file__)
    assert not is_foreign(str(Path(fs.__file__).parent) + "_mine.py")
    assert is_foreign(json.__file__)
    assert is_foreign(np.__file__)


def test_what_a_function_that_is_not_traced_writes_to_an_array_arrives():
    def program(x):
        np.add.at(x, [0, 1, 1], 0.5)
        np.random.default_rng(0).shuffle(x)
        return x

    run = traced(program, np.array([1.0, 2.0, 4.0]))
    assert sorted(run.returned.tolist()) == [1.5, 3.0, 4.0]
    assert len(run.escapes) == 2


def test_an_empty_array_has_zeros_and_a_product_of_matrices_has_no_pair_of_operands():
    def program(x):
        y = np.empty(2)
        y += 0.5
        return y, x @ x - 1.0

    run = traced(program, np.array([0.7, -0.71]))
    assert run.returned[0].tolist() == [0.5, 0.5]
    assert [site.witness.operands for site in run.sites if site.operation == "matmul" and site.witness] in ([], [()])


def test_results_of_a_function_that_is_not_traced_come_back_as_new_numbers():
    run = traced(lambda x: np.linalg.solve(np.eye(2) * 3.0, x) * 0.1, np.array([1.0, 2.0]))
    assert isinstance(run.returned, fs.FloatArray)
    assert "numbers left the trace" in str(run).lower()


# --- cures ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "function", "args"),
    first(
        5,
        [
            ("log1p", lambda x: np.log(1 + x), (1e-3,)),
            ("expm1", lambda x: np.exp(x) - 1, (1e-3,)),
            ("half angle", lambda x: (1 - math.cos(x)) / x**2, (0.03,)),
            ("hypot", lambda x, y: math.sqrt(x * x + y * y), (300.0, 400.0)),
            ("scaling before squaring", lambda x: x / np.sqrt(np.mean(x**2) + 1e-5), (np.array([300.0, 40.0]),)),
            ("norm, scaled", lambda x: np.linalg.norm(x), (np.array([300.0, 40.0]),)),
            ("logsumexp", lambda x: np.log(np.sum(np.exp(x))), (np.array([12.0, 11.0]),)),
            ("softmax, shifted", lambda x: np.exp(x) / np.sum(np.exp(x)), (np.array([12.0, 11.0]),)),
            ("two passes", lambda x: np.mean(x * x) - np.mean(x) ** 2, (30 + X[:3],)),
            ("conjugate", lambda x: np.sqrt(x + 1) - np.sqrt(x), (1000.0,)),
            ("difference of squares", lambda x, y: x * x - y * y, (30.03, 30.0)),
            ("one root at a time", lambda x, y: x / np.sqrt(x * y), (300.0, 300.0)),
            ("binary32 accumulator", lambda x: np.sum(x), (np.full(4000, 0.1),)),
            ("Kahan", lambda x: functools.reduce(lambda s, _: s + x, range(120), 0.0), (0.1,)),
            ("other constant", lambda x: x / (abs(x) + 1e-8), (0.0,)),
            ("binary32 island", lambda x: x**3 - 3 * x**2 + 3 * x - 1, (1.03125,)),
        ],
        unpack=True,
    ),
)
def test_a_cure_is_measured_by_repeating_the_run(name, function, args):
    run = traced(function, *args)
    (cure,) = (one for one in run.tried if one.name == name)
    assert cure.helps
    assert cure.before == run.norm_error
    assert cure.after < 0.5
    assert cure.advice in " ".join(str(run).split())


def test_where_no_cure_helps_the_report_says_so():
    def muller(x, y):
        for _ in range(12):
            x, y = y, 111 - 1130 / y + 3000 / (x * y)
        return y

    run = traced(muller, 2.0, -4.0)
    assert not run.cures
    assert "no cure that is known here helps; tried: " in str(run)


def test_a_cure_is_measured_on_the_results_that_the_line_spoiled():
    def program(x, y):
        square = y * y
        return (1 - math.cos(x)) / x**2, square

    run = traced(program, 0.03, 300.0)
    (cure,) = (one for one in cures.tried(run, run.lines[1]) if one.name == "half angle")
    assert run.lines[0].source == "square = y * y"
    assert cure.helps
    assert cure.before < 0.1


def test_formulas_that_are_not_there_cost_one_run_together():
    runs = []

    def program(x, y):
        runs.append(x)
        return np.log(1 + np.mean(x * y)) - np.sum(np.sqrt(x + y)) / np.sum(np.exp(y))

    tried = traced(program, X[:2], X[:2]).tried
    assert tried
    assert len(runs) == 2 + len(tried)  # the program, a search for all formulas, and each cure


def test_what_leaves_no_digit_right_is_no_cure():
    def bessel(x):
        one, two = 0.7651976865579666, 0.44005058574493355
        for n in range(1, 7):
            one, two = two, 2 * n / x * two - one
        return two

    run = traced(bessel, 1.0)
    assert any(cure.after < cure.before / 2 for cure in run.tried)
    assert not run.cures
    assert "no cure that is known here helps" in str(run)


def test_a_formula_that_computes_something_else_is_no_cure():
    """A decay and a share that do not add up to 1 are no moving average."""

    def program(x):
        mean = 1.0
        for _ in range(300):
            mean = 0.997 * mean + 0.001 * x
        return mean

    run = traced(program, 2.0)
    (found,) = (cure for cure in run.tried if cure.name == "moving average")
    assert not found.helps


@pytest.mark.parametrize(
    ("function", "argument", "sentence"),
    [
        (lambda x: math.sqrt(x), -1.0, "nan: the shadow is NaN, so the error is not known"),
        (lambda x: math.sqrt(x), -1.0, "no line is to blame as far as the shadow is known"),
        (lambda x: np.linalg.det(np.eye(2) * x), 0.1, "no line that was traced is to blame"),
        (lambda x: x * 2, np.ones(3), "3 numbers: exact"),
    ],
)
def test_a_result_that_is_not_known_to_be_good_is_not_called_good(function, argument, sentence):
    said = str(traced(function, argument))
    assert sentence in said
    assert "as good as" not in said or "exact" in sentence


def test_the_typical_error_is_no_larger_than_the_worst():
    def program(x):
        y = x * x
        return (1 - math.cos(0.01)) * y

    run = traced(program, 300.0)
    assert all(line.typical <= line.worst for line in run.lines)
    assert {line.typical for line in run.lines} == {1.0, math.inf}


def test_a_run_that_is_long_is_not_repeated(monkeypatch):
    monkeypatch.setattr(cures, "SHORT", 1)
    assert traced(PROGRAMS["methods"], 1.0).tried == ()


# --- reports --------------------------------------------------------------------------------------------------------


def test_the_report_is_data_and_a_page_with_the_source_beside_the_numbers():
    run = traced(lambda x: (1 - math.cos(x)) / x**2, 0.03)
    found = json.loads(json.dumps(run.to_dict(), allow_nan=False))
    assert found["lines"][0]["expression"] == "1 - math.cos(x)"
    page = run.to_html()
    assert page.startswith("<!doctype html>")
    assert "(1 - math.cos(x)) / x**2, 0.03)" in page
    assert "http" not in page.replace("http-equiv", "")
    assert run._repr_html_().startswith("<div")
    assert "print it" in repr(run)


def test_a_name_in_the_source_is_no_markup():
    names = {}
    exec(compile("def f(x):\n    return (1 + x) - 1 # <script>", "<img onerror>", "exec"), names)
    assert "<img" not in traced(names["f"], 1e-3).to_html().replace("<img onerror>", "&", 0).split("</style>")[1]


# --- blocks ---------------------------------------------------------------------------------------------------------


def test_a_block_is_traced_and_its_unused_values_are_the_results():
    with fs.trace.recording("binary16") as t:
        x = t.array([300.0, 400.0])
        total = np.sum(x * x)
        length = np.sqrt(total)
    assert isinstance(np.sqrt(2.0), float)
    assert [float(result.values) for result in t.run.results] == [math.inf]
    assert t.run.lines[0].source == "total = np.sum(x * x)"
    assert float(length.value) == math.inf
    assert t.run.tried == ()


def test_the_results_of_a_block_can_be_named():
    with fs.trace.recording("bfloat16") as t:
        x = t.array(0.1)
        y = x * 3
        t.result(x)
        _ = y * 2
    assert [float(result.values) for result in t.run.results] == [float(fs.array(0.1, "bfloat16"))]


# --- comparison -----------------------------------------------------------------------------------------------------


def test_the_first_operation_that_differs_is_found_with_its_operands():
    def program(x):
        y = x * 2
        return y + 1

    a, b = (traced(program, 1024.5, mode=mode) for mode in ("toward_zero", "toward_positive"))
    found = fs.trace.compare(a, b)
    assert (found.number, found.operation, found.equal) == (1, "multiply", 0) or found.number == 2
    assert found.ulp == 1
    assert bool(found)
    assert "run a at test_trace.py" in str(found)
    assert not fs.trace.compare(a, a)


def test_tensors_of_two_machines_are_compared():
    ours = {"h": np.ones(3), "logits": np.array([1.0, 2.0])}
    theirs = {"h": np.ones(3), "logits": np.array([1.0, np.nextafter(np.float32(2), np.float32(3))])}
    found = fs.trace.compare(ours, theirs)
    assert (found.operation, found.index, found.ulp, found.equal) == ("logits", (1,), 1.0, 1)


def test_runs_that_do_different_things_are_told_apart():
    found = fs.trace.compare(traced(lambda x: x * 2, 1.0), traced(lambda x: x + 2, 1.0))
    assert "run a executes multiply" in str(found)
    with pytest.raises(TypeError, match="give what a traced function returned"):
        fs.trace.compare(3, 4)
    with fs.trace.recording() as t:
        t.result(t.array(1.0) * 2)
    with pytest.raises(ValueError, match="'block' is a block, which cannot be repeated"):
        fs.trace.compare(t.run, t.run)


# --- the lab --------------------------------------------------------------------------------------------------------


def test_a_step_of_the_lab_is_traced_forward_and_backward():
    found = fs.trace.training_step("pure-binary16", layers=(8,), batch=16)
    assert {(one.layer, one.operation, one.backward) for one in found.operations} >= {
        ("layer1", "matmul", False),
        ("layer2", "matmul", True),
    }
    first_product = found.operations[0]
    assert first_product.inherited == 0
    assert 0 < first_product.made == first_product.error < 2**-9
    assert 0 < max(found.gradients.values()) < 0.01
    assert "gradient of matmul" in str(found)
    assert found.worst[0].operation.startswith("optimizer")  # Adam's epsilon is 0 in binary16
    assert found.worst[0].infinite
    assert found.worst[0].inherited < 0.01
    healthy = fs.trace.training_step("bfloat16-kahan", layers=(8,), batch=16)
    assert {one.operation for one in healthy.operations} >= {"optimizer, weight", "update, weight"}
    assert max(one.error for one in healthy.operations) < 0.1
    dead = fs.trace.training_step("pure-binary16", step=2, layers=(8,), batch=16)  # epsilon is 0 in binary16
    assert not math.isfinite(dead.loss)
    with pytest.raises(ValueError, match="step=0"):
        fs.trace.training_step("pure-binary16", step=0)


# --- scripts --------------------------------------------------------------------------------------------------------

SCRIPT = """
import sys
import numpy as np
from helper import variance

print("variance", variance(np.linspace(0, 1, int(sys.argv[1])) + 30))
"""
HELPER = """
import numpy as np

def variance(x):
    m = np.mean(x)
    return np.mean(x * x) - m * m
"""


@pytest.fixture
def script(tmp_path):
    (tmp_path / "helper.py").write_text(HELPER, encoding="utf-8")
    path = tmp_path / "a script.py"
    path.write_text(SCRIPT, encoding="utf-8")
    return path


def test_a_script_and_the_modules_beside_it_are_traced(script, capsys):
    run = fs.trace.script(script, ["16"])
    assert capsys.readouterr().out.startswith("variance ")
    assert isinstance(run, Run)
    assert run.lines[0].source == "return np.mean(x * x) - m * m"
    assert any(cure.name == "two passes" for cure in run.tried)
    assert capsys.readouterr().out == ""  # repeated in silence
    assert "helper" not in sys.modules


def test_the_command_prints_the_report_and_writes_the_page(script, capsys, tmp_path):
    page = tmp_path / "t.html"
    assert main(["trace", "--html", str(page), str(script), "16"]) == 0
    out = capsys.readouterr().out
    assert "helper.py:6 in variance" in out
    assert "subtract the mean before squaring" in out
    assert "np.mean(x * x)" in page.read_text(encoding="utf-8")


@pytest.mark.exhaustive  # matplotlib takes seconds
def test_the_command_draws_error_against_operation(script, capsys, tmp_path):
    picture = tmp_path / "t.png"
    assert main(["trace", "--plot", str(picture), "--no-cures", str(script), "16"]) == 0
    assert picture.stat().st_size > 1000


@pytest.mark.exhaustive
def test_the_picture_names_the_files_where_there_are_several(script):
    axes = fs.plots.trace(fs.trace.script(script, ["16"]))
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert any(label.startswith("helper.py:6: return") for label in labels)
    assert "helper.py:6 loses" in axes.get_title(loc="left").replace("\n", " ")


def sums_of_squares(x):
    total = np.sum(x)
    return (np.sum(x * x) - total * total / len(x)) / (len(x) - 1)


def test_a_variance_from_two_sums_is_cured_by_two_passes():
    run = fs.trace.wrap(sums_of_squares)(18.75 + np.arange(8) / 16)
    assert [cure.name for cure in run.cures][:1] == ["two passes, sums"]
    assert run.cures[0].after < 0.001 < run.cures[0].before


def test_an_option_after_the_script_is_said_to_be_the_scripts(script, capsys):
    assert main(["trace", "--no-cures", str(script), "16", "--html=t.html"]) == 0
    assert "--html=t.html stands after the script, so the script gets it" in capsys.readouterr().err


def test_the_command_prints_json_and_nothing_else(script, capsys):
    assert main(["trace", "--json", "--no-cures", "--format", "bfloat16", str(script), "16"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert (found["format"], found["cures"]) == ("bfloat16", [])
    assert "variance" in captured.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1.0\nraise ValueError('no')", "raised ValueError at bad.py:2: no"),
        ("import sys\nsys.exit(3)", "ended with exit code 3"),
        ("x = (", "SyntaxError"),
    ],
)
def test_a_script_that_fails_is_one_line_with_the_place(text, message, tmp_path, capsys):
    (tmp_path / "bad.py").write_text(text, encoding="utf-8")
    assert main(["trace", str(tmp_path / "bad.py")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_an_accumulator_that_does_not_exist_is_refused_before_the_script_runs(script, capsys):
    assert main(["trace", "--accumulator", "kahn", str(script), "16"]) == 2
    captured = capsys.readouterr()
    assert "did you mean 'kahan'" in captured.err
    assert captured.out == ""
    with pytest.raises(ValueError, match="kahn"), fs.trace.recording(accumulator="kahn"):
        pass


def test_a_script_that_is_not_there_is_refused(capsys, tmp_path):
    assert main(["trace", str(tmp_path / "none.py")]) == 2
    assert "is not a file" in capsys.readouterr().err


@pytest.mark.parametrize("bad", [{"fmt": "binary61"}, {"mode": "up"}, {"accumulator": "kahn"}])
def test_wrong_options_are_refused_before_anything_runs(bad):
    with pytest.raises(ValueError, match=r"binary61|up|kahn"):
        fs.trace.wrap(abs, **bad)
    with pytest.raises(TypeError, match="cannot be called"):
        fs.trace.wrap(3)


@pytest.mark.exhaustive  # a process of its own
def test_without_mpmath_functions_of_scalars_still_have_shadows():
    code = (
        "import sys; sys.modules['mpmath'] = None; import math, fp16sim as fs; "
        "print(fs.trace.wrap(lambda x: (1 - math.cos(x)) / x**2)(0.03).results[0].known)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
