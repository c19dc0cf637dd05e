"""Fixtures for pytest. A project imports them in its conftest.py; nothing registers them on its own::

    from fp16sim.testing.fixtures import hard_rows, rng

    def test_my_sum(hard_rows):                       # runs once for each kind of rows
        x = hard_rows((16, 256), "bfloat16")
        fs.testing.assert_explained(my_sum(x), "sum", x, axis=-1, fmt="bfloat16")

This is the only module of fp16sim that imports pytest; `import fp16sim.testing` does not load it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from .rows import ROWS
from .rows import hard_rows as make_rows

__all__ = ["hard_rows", "rng"]


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator whose seed is made from the name of the test: the same numbers in every run, others in each test."""
    return np.random.default_rng(zlib.crc32(request.node.nodeid.rpartition("::")[2].encode()))


@pytest.fixture(params=list(ROWS))
def hard_rows(request: pytest.FixtureRequest, rng: np.random.Generator) -> Callable[..., Any]:
    """A function of a shape and a format that makes rows of one kind; the test runs once for each kind."""
    return partial(make_rows, request.param, rng=rng)
