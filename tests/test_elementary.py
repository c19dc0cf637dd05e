"""exp, log and tanh against MPFR: every input of both 16-bit formats is a certificate, not a sample."""

import numpy as np
import pytest

import fp16sim as fs

from . import support
from .support import MPFR_MODES, assert_same_codes

gmpy2 = pytest.importorskip("gmpy2", reason="MPFR judges the elementary functions")
pytestmark = pytest.mark.usefixtures("quiet")


def compare_with_mpfr(name, fmt, mode, step):
    x = support.held_values(fmt, step)
    with support.mpfr_context(gmpy2, fmt, mode):
        function = getattr(gmpy2, name)
        expected = [float(function(gmpy2.mpfr(v))) for v in x.tolist()]
    assert_same_codes(getattr(fs, name)(x, fmt, mode), expected, fmt, "elementary", [x], function=name, mode=mode)


@pytest.mark.parametrize("name", ["exp", "log", "tanh"])
@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.BFLOAT16, fs.E4M3, fs.E5M2], ids=str)
@pytest.mark.parametrize("mode", MPFR_MODES)
def test_functions_are_correctly_rounded(name, fmt, mode):
    compare_with_mpfr(name, fmt, mode, step=7 if fmt.width == 16 else 1)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["exp", "log", "tanh"])
@pytest.mark.parametrize("fmt", [fs.BINARY16, fs.BFLOAT16], ids=str)
@pytest.mark.parametrize("mode", MPFR_MODES)
def test_functions_are_correctly_rounded_on_every_input(name, fmt, mode):
    compare_with_mpfr(name, fmt, mode, step=1)


def test_an_exponential_is_never_zero_where_the_mode_forbids_it():
    assert fs.exp(-1e4, "binary16", "toward_positive") == 2.0**-24
    assert fs.exp(60000.0, "binary16", "toward_zero") == 65504
    assert fs.tanh(60000.0, "binary16", "toward_zero") == fs.next_down(1.0, "binary16")


def test_the_logarithm_of_zero_is_a_division_by_zero_and_of_a_negative_number_invalid():
    with fs.record_flags() as raised:
        y = fs.log([0.0, -0.0, -1.0, 1.0], "binary16")
    assert y[0] == y[1] == -np.inf
    assert np.isnan(y[2])
    assert y[3] == 0
    assert (raised.divide_by_zero.count, raised.divide_by_zero.index) == (2, (0,))
    assert (raised.invalid.count, raised.invalid.index) == (1, (2,))
