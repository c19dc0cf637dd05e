"""Twenty classic unstable computations: what the table says of each is so, and trace names its line."""

import inspect
from pathlib import Path

import numpy as np
import pytest

from fp16sim import trace
from fp16sim.demos.classics import CLASSICS, cures, measure, unstable

from .support import first


def test_there_are_twenty_each_with_a_line_of_its_own_file():
    functions = [name for name, _ in inspect.getmembers(unstable, inspect.isfunction)]
    assert sorted(row.name for row in CLASSICS) == sorted(functions)
    assert len(functions) == 20
    for row in CLASSICS:
        lines = [text.strip() for text in inspect.getsource(unstable).splitlines()]
        assert lines[row.line_number - 1] == row.line
        assert inspect.getsource(row.function).count(row.line) == 1
        assert (row.cure is not None) == hasattr(cures, row.name)


@pytest.mark.parametrize("row", [row for row in CLASSICS if row.cure], ids=lambda row: row.name)
def test_a_cure_computes_the_same_quantity_in_float64(row):
    assert inspect.signature(row.cured) == inspect.signature(row.function)
    one, other = row.function(*row.arguments), row.cured(*row.arguments)
    # In binary32, angles of up to 1857 have an ulp of 2^-13: their cosines are off by up to half of that.
    np.testing.assert_allclose(one, other, rtol=1e-6, atol=2.0**-14)


@pytest.mark.parametrize("row", first(6, CLASSICS), ids=lambda row: row.name)  # the page of the manual runs all twenty
def test_the_trace_blames_the_line_that_an_analyst_names_and_the_cure_helps(row):
    found = measure(row)
    assert found.rank == 1
    if row.cure:
        assert found.after < found.before / 20


@pytest.mark.parametrize("row", first(4, CLASSICS), ids=lambda row: row.name)
def test_the_trace_suggests_a_cure_that_it_has_measured_or_says_that_it_knows_none(row):
    run = trace.wrap(row.function, row.fmt)(*row.arguments)
    assert (run.cures[0].name if run.cures else None) == row.suggestion
    assert all(cure.after < cure.before / 20 for cure in run.cures)
    assert ("no cure that is known here" in str(run)) == (row.cure is None)


def test_the_page_of_the_manual_has_each_line_with_its_reason_and_cure():
    page = (Path(__file__).parents[1] / "tutorials" / "reference" / "classics.md").read_text(encoding="utf-8")
    for row in CLASSICS:
        cells = (row.title, f"`{row.line}`", row.why, row.cure or "none: the recurrence is unstable")
        assert f"| {' | '.join(cells)} | {row.suggestion or 'none'} |\n" in page


def test_an_exact_zero_of_the_shadow_is_known():
    (row,) = (row for row in CLASSICS if row.name == "gram_schmidt")
    run = trace.wrap(row.function, row.fmt)(*row.arguments)
    assert not any(line.events.get("shadow_lost") for line in run.lines)
    assert all(result.known for result in run.results)


RNG = np.random.default_rng(5)


def activations():
    x = RNG.normal(size=256)
    x[RNG.integers(256)] = RNG.uniform(200, 900)
    return x, np.ones(256)


def similar():
    a = RNG.normal(size=512)
    return a, a + RNG.normal(size=512) / 2


def masked():
    return RNG.normal(size=5), RNG.permutation([1.0, 1.0, 0.0, 1.0, 0.0])


DRAWN = {
    "quadratic_formula": lambda: (1.0, float(RNG.uniform(20, 140)), float(RNG.uniform(0.5, 3))),
    "one_pass_variance": lambda: (RNG.uniform(5, 30) + RNG.normal(size=16),),
    "one_minus_cosine": lambda: (float(RNG.uniform(0.005, 0.1)),),
    "softmax": lambda: (RNG.normal(9, 4, 8),),
    "logsumexp": lambda: (RNG.normal(9, 4, 5).tolist(),),
    "norm": lambda: tuple(RNG.uniform(100, 400, 2).tolist()),
    "expanded_polynomial": lambda: (float(1 + RNG.uniform(-0.1, 0.1)),),
    "gram_schmidt": lambda: ([np.array([1.0, *row]) for row in RNG.uniform(0.003, 0.02) * np.eye(3)],),
    "muller": lambda: (2.0, -4.0, int(RNG.integers(4, 30))),
    "continued_subtraction": lambda: (float(RNG.uniform(50, 200)), 0.1, int(RNG.integers(100, 300))),
    "horner": lambda: ([1.0, -6.0, 13.0, -12.0, 4.0], float(RNG.uniform(0.9, 1.1))),
    "rms_norm": activations,
    "layer_norm": lambda: (RNG.normal(0, RNG.uniform(100, 600), 128),),
    "cosine_similarity": similar,
    "rotary_angles": lambda: (float(RNG.integers(1000, 2048)), 16),
    "moving_average": lambda: (1.0, [float(1 + RNG.uniform(0.1, 0.5))] * 100),
    "adam": lambda: (RNG.normal(size=4), RNG.normal(size=4) * [1, 1, 1, 0], 0.001),
    "attention_mask": masked,
    "log_of_softmax": lambda: (np.array([0.0, RNG.uniform(18, 24), 5.0]),),
    "clip_gradient": lambda: (RNG.normal(0, 200, 4), 1.0),
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("row", CLASSICS, ids=lambda row: row.name)
def test_the_line_to_blame_is_the_same_for_other_arguments(row):
    judged = 0
    for _ in range(10):
        run = trace.wrap(row.function, row.fmt)(*DRAWN[row.name]())
        if run.norm_error > 0.02:
            judged += 1
            assert run.lines[0].line == row.line_number
    assert judged > 3
