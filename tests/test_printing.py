"""Arrays as text: NumPy's layout and print options, and the shortest text of each element."""

import numpy as np

import fp16sim as fs

from .support import assert_same_codes, held_values


def test_text_follows_numpys_print_options():
    x = fs.array([[0.1, -2048.0], [np.inf, np.nan]], "binary16")
    assert repr(x) == "FloatArray([[  0.1, -2048],\n            [  inf,   nan]], binary16)"
    assert str(x) == "[[  0.1 -2048]\n [  inf   nan]]"
    assert np.array_str(x) == np.array2string(x) == str(x)
    assert np.array_repr(x) == repr(x)
    third = fs.array([1 / 3, 1e-7, 123.456], "binary32")
    assert str(third) == "[0.33333334 1e-07 123.456]"
    assert str(fs.array([1 / 3, 0.012345679], "binary64")) == "[0.3333333333333333 0.012345679]"  # more than 8 digits
    with np.printoptions(precision=2, nanstr="NaN", infstr="Inf"):
        assert str(third) == "[0.33 1e-07 123.46]"
        assert str(third[0] + 0.6662) == "1"
        assert str(third[1:2] * 1.2345) == "[1.23e-07]"
        assert str(x) == "[[  0.1 -2048]\n [  Inf   NaN]]"
        with np.printoptions(floatmode="unique"):
            assert str(third[:1]) == "[0.33333334]"
    assert np.array2string(third, precision=1, separator="; ") == "[0.3; 1e-07; 123.5]"
    many = fs.array(np.arange(2000.0), "binary16")
    assert repr(many) == "FloatArray([0, 1, 2, ..., 1997, 1998, 1999], binary16)"
    with np.printoptions(threshold=5, edgeitems=1, linewidth=30):
        assert str(many) == "[0 ... 1999]"
        assert max(map(len, repr(many[:5]).splitlines())) <= 30
    with np.printoptions(formatter={"float": "<{}>".format}):
        assert str(fs.array([1.0])) == "[<1.0>]"
    assert repr(fs.array(np.zeros((0, 3)))) == "FloatArray([], shape=(0, 3), binary16)"


def test_every_text_reads_back_to_its_code_by_default():
    x = fs.array(held_values(fs.BFLOAT16, 37), "bfloat16")
    with np.printoptions(threshold=10**6):
        assert_same_codes(fs.array(str(x)[1:-1].split(), "bfloat16").values, x.values, fs.BFLOAT16)
