"""The histogram of exponents: bars that count every number, zones that rounding confirms, lengths that are shares."""

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.learn.observe.exponents import survey
from fp16sim.learn.observe.histogram import ZONES, bar_chart, bars, zone

from .support import BYTES, TOYS
from .test_exponents import fate_by_rounding

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("fmt", [*TOYS[:3], TOYS[4], *BYTES, fs.BINARY16, fs.BFLOAT16], ids=lambda fmt: fmt.name)
@pytest.mark.parametrize("most", [1, 5, 20])
def test_bars_count_every_number_and_cross_no_edge_of_a_zone(fmt, most):
    x = np.ldexp(1.25, RNG.integers(-150, 140, 3000))
    seen = survey(x, fmt)
    found = bars(seen, most)
    assert sum(bar.numbers for bar in found) == 3000
    assert len(found) <= max(most, 4) + 4
    exponents = np.frexp(x)[1] - 1
    for bar in found:
        inside = x[(exponents >= bar.low) & (exponents <= bar.high)]
        assert inside.size == bar.numbers
        fate = fate_by_rounding(inside, fmt)
        assert fate[ZONES.index(bar.zone)] == inside.size
    assert [bar.low for bar in found[1:]] == [bar.high + 1 for bar in found[:-1]]


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
    lines = bar_chart(survey([1.0] * 1000 + [4.0], "binary16"), width=20).splitlines()
    assert [line.count("#") for line in lines] == [20, 0, 1]
    assert [line.split()[1] for line in lines] == ["normal"] * 3
    assert bar_chart(survey([0.0], "binary16")) == ""
