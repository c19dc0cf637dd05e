"""Twenty classic unstable computations: what the table says of each is so, and trace names its line."""

import inspect

import numpy as np
import pytest

from fp16sim.demos.classics import CLASSICS, cures, unstable


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
