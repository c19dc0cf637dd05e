"""The histogram of exponents: rows that hold every number, zones that rounding confirms, honest bars and shares."""

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.learn.observe.exponents import survey
from fp16sim.learn.observe.histogram import ZONES, bars, percent, rows, zone

from .support import BYTES, TOYS
from .test_exponents import fate_by_rounding

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("fmt", [*TOYS[:3], TOYS[4], *BYTES, fs.BINARY16, fs.BFLOAT16], ids=lambda fmt: fmt.name)
@pytest.mark.parametrize("most", [1, 5, 20])
def test_rows_hold_every_number_and_cross_no_edge_of_the_window(fmt, most):
    x = np.ldexp(1.25, RNG.integers(-150, 140, 3000))
    seen = survey(x, fmt)
    found = rows(seen, most)
    assert sum(row.numbers for row in found) == 3000
    assert len(found) <= max(most, 4) + 4
    exponents = np.frexp(x)[1] - 1
    for row in found:
        inside = x[(exponents >= row.low) & (exponents <= row.high)]
        assert inside.size == row.numbers
        fate = fate_by_rounding(inside, fmt)
        assert fate[ZONES.index(row.zone)] == inside.size
    assert [row.low for row in found[1:]] == [row.high + 1 for row in found[:-1]]


def test_zones_move_with_the_loss_scale():
    assert [zone(-26, fs.BINARY16, k) for k in (0, 1, 11, 12, 42)] == [
        "becomes 0",
        "subnormal",
        "subnormal",
        "normal",
        "overflows",
    ]
    flushing = fs.Format("ftz", 16, 11, subnormals="flush_to_zero")
    assert (zone(-15, flushing), zone(-14, flushing)) == ("becomes 0", "normal")


def test_bars_are_as_long_as_the_shares_and_never_empty_for_what_is_there():
    lines = bars(survey([1.0] * 1000 + [4.0], "binary16"), width=20).splitlines()
    assert [line.count("#") for line in lines] == [20, 0, 1]
    assert [line.split()[1] for line in lines] == ["normal"] * 3
    assert bars(survey([0.0], "binary16")) == ""


def test_a_share_is_0_of_none_only_and_100_of_all_only():
    assert [percent(n, 10**6) for n in (0, 1, 49, 50, 999949, 999950, 999999, 10**6)] == [
        "0",
        "<0.01%",
        "<0.01%",
        "0.01%",
        "99.99%",
        ">99.99%",
        ">99.99%",
        "100%",
    ]
