"""What round_to accepts and refuses: containers, numbers of every kind, shapes, layouts, out=, and hardware traps."""

import ctypes
import platform
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs

from .support import MODES, assert_same_codes

pytestmark = pytest.mark.usefixtures("quiet")

EXPECTED = np.array([0.0999755859375, -2.0, 65504.0])


@pytest.mark.parametrize(
    "x",
    [
        [0.1, -2, 65504],
        ["0.1", "-2", "0x1.ffcp15"],
        [Fraction(1, 10), Decimal(-2), "65504"],
        np.array(["0.1", "-2", "65504"]),
        np.array([0.1, -2, 65504], ">f8"),
        np.array([0.1, 9, -2, 9, 65504])[::2],
        np.array([65504, -2, 0.1])[::-1],
        np.array([0.1, -2, 65504], np.longdouble),
        np.array([0.1, -2, 65504], object),
        (np.float32(0.1), np.int8(-2), 65504),
    ],
)
def test_whatever_carries_the_numbers_they_round_to_the_same(x):
    result = fs.round_to(x, "binary16")
    assert result.dtype == np.float64
    assert_same_codes(result, EXPECTED, fs.BINARY16)


@pytest.mark.parametrize(
    ("x", "fmt", "mode", "expected"),
    [
        (True, "binary16", "to_odd", 1.0),
        (np.array([True, False]), "binary16", "to_odd", [1.0, 0.0]),
        (2**70 + 1, "bfloat16", "toward_positive", 2.0**70 * (1 + 2**-7)),
        (-(2**70) - 1, "bfloat16", "toward_positive", -(2.0**70)),
        (10**400, "binary16", "toward_zero", 65504.0),
        ([10**400, 0.5, Fraction(1, 3)], "binary16", "toward_negative", [65504.0, 0.5, 0.333251953125]),
        (
            np.array([2**53 + 1, 2**63 + 2**52 + 1], np.uint64),
            "binary64",
            "to_odd",
            [2.0**53 + 2, 2.0**63 + 2**52 + 2048],
        ),
        (np.array([2**53 + 1]), "binary64", "to_odd", [2.0**53 + 2]),
        (np.array([-(2**53) - 1]), "bfloat16", "toward_negative", [-(2.0**53) - 2.0**46]),
        (np.array([2**64 - 1], np.uint64), "binary16", "toward_zero", [65504.0]),
        (np.array([-(2**63)]), "bfloat16", "ties_to_even", [-(2.0**63)]),
        (Decimal("1.00048828125000000000001"), "binary16", "ties_to_even", 1.0009765625),
        ("1.00048828125000000000001", "binary16", "ties_to_even", 1.0009765625),
        (1 + 2**-11 + 2**-40, "binary16", "ties_to_even", 1.0009765625),
        ("-1e-4000", "bfloat16", "toward_negative", -(2.0**-133)),
        ("-0", "binary16", "toward_positive", -0.0),
        (Decimal("-0"), "binary16", "ties_to_even", -0.0),
        (Decimal("NaN"), "binary16", "ties_to_even", np.nan),
    ],
)
def test_a_number_that_no_double_holds_is_rounded_once(x, fmt, mode, expected):
    assert_same_codes(fs.round_to(x, fmt, mode), expected, fs.get_format(fmt))


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 60, reason="longdouble is no wider than binary64 here")
def test_a_longdouble_is_rounded_once_even_beyond_the_range_of_double():
    one, two = np.longdouble(1), np.longdouble(2)
    x = np.array([one + two**-60, one + two**-11 + two**-60, two**14000, -(two**-14000)])
    assert_same_codes(fs.round_to(x, "binary16"), [1.0, 1 + 2.0**-10, np.inf, -0.0], fs.BINARY16)
    up = fs.round_to(x, "bfloat16", "toward_positive")
    assert_same_codes(up, [1.0078125, 1.0078125, np.inf, -0.0], fs.BFLOAT16)
    assert_same_codes(fs.round_to(two**14000, "binary16", "toward_zero"), 65504.0, fs.BINARY16)


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float6_e3m2fn", "float4_e2m1fn"])
def test_an_array_of_ml_dtypes_is_taken_by_value(name):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = np.array([0.5, -1.5, 3.0]).astype(getattr(ml_dtypes, name))
    assert_same_codes(fs.round_to(x, name, "to_odd"), [0.5, -1.5, 3.0], fs.get_format(name))
    assert_same_codes(fs.round_to([x[0], 0.1], "binary32"), [0.5, np.float32(0.1)], fs.BINARY32)


@pytest.mark.parametrize(
    ("given", "fmt", "returned"),
    [
        (np.float32, "binary16", np.float32),
        (np.float32, "binary32", np.float32),
        (np.float32, "binary64", np.float64),
        (np.float16, "binary16", np.float64),
        (np.float64, "binary16", np.float64),
        (np.int32, "binary16", np.float64),
        (">f4", "binary16", np.float32),
    ],
)
def test_float32_gives_float32_where_the_format_fits_and_all_else_float64(given, fmt, returned):
    for x in (np.ones((2, 3), given), np.ones((), given)[()], np.ones((0,), given)):
        assert fs.round_to(x, fmt, "to_odd").dtype == returned == fs.round_to(x, fmt).dtype


# --- shapes, layouts, out= ------------------------------------------------------------------------------------------


def layouts(x):
    """The same numbers in memory in other ways."""
    frozen = x.copy()
    frozen.flags.writeable = False
    padded = np.zeros((2 * x.shape[0], 3 * x.shape[1]), x.dtype)
    padded[::2, ::3] = x
    return {
        "contiguous": x,
        "fortran": np.asfortranarray(x),
        "strided": padded[::2, ::3],
        "reversed": np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1],
        "transposed": np.ascontiguousarray(x.T).T,
        "read-only": frozen,
        "big-endian": x.astype(x.dtype.newbyteorder(">")),
        "unaligned": np.frombuffer(b"?" + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape),
    }


@pytest.mark.parametrize("layout", list(layouts(np.zeros((2, 2)))))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("mode", MODES)
def test_the_layout_of_an_array_does_not_matter(mode, dtype, layout):
    x = (np.random.default_rng(3).normal(size=(53, 401)) * 2.0**-12).astype(dtype)
    expected = fs.round_to(x, "binary16", mode, rng=5)
    given = layouts(x)[layout]
    before = given.copy()
    assert_same_codes(fs.round_to(given, "binary16", mode, rng=5), expected, fs.BINARY16, "layouts", layout=layout)
    assert given.tobytes() == before.tobytes(), "round_to wrote to its input"
    out = layouts(np.zeros_like(x))[layout] if layout not in ("read-only", "unaligned") else np.empty_like(x)
    assert fs.round_to(x, "binary16", mode, rng=5, out=out) is out
    assert_same_codes(out, expected, fs.BINARY16, "layouts", layout=layout)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("mode", MODES)
def test_out_may_be_the_input_or_overlap_it(mode, dtype):
    x = (np.random.default_rng(4).normal(size=50_001) * 2.0**-12).astype(dtype)
    expected = fs.round_to(x, "binary16", mode, rng=6)
    for source, target in ((slice(None), slice(None)), (slice(0, -1), slice(1, None)), (slice(1, None), slice(0, -1))):
        memory = x.copy()
        truth = fs.round_to(x[source], "binary16", mode, rng=6)
        fs.round_to(memory[source], "binary16", mode, rng=6, out=memory[target])
        assert_same_codes(memory[target], truth, fs.BINARY16, "layouts", mode=mode, source=source)
    backward = x.copy()
    fs.round_to(backward, "binary16", mode, rng=6, out=backward[::-1])
    assert_same_codes(backward[::-1], expected, fs.BINARY16, "layouts", mode=mode)


def test_out_may_be_wider_or_narrower_than_the_input_or_hold_what_python_gave():
    out = np.empty(2, np.float32)
    assert_same_codes(fs.round_to([0.1, "1/3"], "binary16", out=out), [0.0999755859375, 0.333251953125], fs.BINARY16)
    assert_same_codes(fs.round_to(np.array([1 + 2**-11 + 2**-40, 0.1]), out=out)[:1], [1.0009765625], fs.BINARY16)
    assert fs.round_to(np.float32(0.1), "binary64") == np.float32(0.1)
    wide = np.empty((), np.float64)
    assert fs.round_to(np.float32(0.1), out=wide) is wide
    assert wide == 0.0999755859375


def test_a_scalar_gives_a_scalar_an_array_an_array_and_nothing_nothing():
    for x in (0.1, "0.1", Fraction(1, 10), np.float64(0.1), np.array(0.1)):
        assert isinstance(fs.round_to(x), np.float64)
    assert fs.round_to([]).shape == (0,)
    assert fs.round_to(np.empty((3, 0, 2), np.float32), "bfloat16", "stochastic").shape == (3, 0, 2)
    assert fs.round_to([[1, 2], [3, "1/3"]]).shape == (2, 2)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_a_signaling_nan_raises_invalid_and_no_warning_of_the_hardware(kind):
    bits = np.dtype(f"u{np.dtype(kind).itemsize}")
    fmt = fs.get_format(kind)
    x = np.array([(2**fmt.exponent_bits - 1 << fmt.trailing_bits) + 1], bits).view(kind)
    with np.errstate(all="raise"):
        for call in (fs.encode, fs.classify, fs.ulp):
            call(x, fmt)
        fs.total_order(x, x, fmt)
    with np.errstate(all="warn"):
        for call in (fs.round_to, fs.next_up, fs.next_down, fs.sqrt, fs.exp):
            with pytest.warns(RuntimeWarning) as caught:
                call(x, fmt)
            assert [str(w.message) for w in caught] == [f"invalid value encountered in {call.__name__}"]
        for call in (fs.add, fs.multiply, fs.fma, fs.minimum, fs.maximum_number, fs.less):
            with pytest.warns(RuntimeWarning) as caught:
                call(*[x] * (3 if call is fs.fma else 2), fmt)
            assert [str(w.message) for w in caught] == [f"invalid value encountered in {call.__name__}"]
        with pytest.warns(RuntimeWarning) as caught:
            assert np.isnan(fs.round_to(x, "e4m3fn", "toward_zero", out=np.empty(1))).all()
        assert len(caught) == 1


# --- refusals: what was given, the rule, the way out ----------------------------------------------------------------

FROZEN = np.zeros(2)
FROZEN.flags.writeable = False


@pytest.mark.parametrize(
    ("call", "error", "fragments"),
    [
        (
            lambda: fs.round_to(1, "binary17"),
            ValueError,
            ["fmt='binary17'", "did you mean 'binary16'", "width=8"],
        ),
        (lambda: fs.round_to(1, 16), TypeError, ["fmt=16", "dtype"]),
        (lambda: fs.round_to(1, "fp16", "nearest"), ValueError, ["mode='nearest'", "'ties_to_even'"]),
        (lambda: fs.round_to(1, "fp16", 3), TypeError, ["mode=3", "'ties_to_even'"]),
        (lambda: fs.round_to(1j), TypeError, ["1j", "not a real number", "give"]),
        (lambda: fs.round_to(np.array([1j])), TypeError, ["complex128", "not real", "give"]),
        (lambda: fs.round_to(None), TypeError, ["None", "NoneType", "give"]),
        (lambda: fs.round_to([1.0, [2.0]]), TypeError, ["[2.0]", "list", "give"]),
        (lambda: fs.round_to(b"1"), TypeError, ["b'1'", "give"]),
        (lambda: fs.round_to(np.array(["2020"], "M8[Y]")), TypeError, ["datetime64", "give"]),
        (lambda: fs.round_to("0x2E66"), ValueError, ["'0x2E66'", "code or a number", "decode(0x2E66", "11878"]),
        (lambda: fs.round_to("one"), ValueError, ["'one'", "not a number", "1/3"]),
        (lambda: fs.round_to("1/0"), ValueError, ["'1/0'", "divides by zero"]),
        (lambda: fs.round_to(1, "fp16", "stochastic", rng="x"), TypeError, ["rng='x'", "seed"]),
        (lambda: fs.round_to(1, subnormals="ftz"), ValueError, ["subnormals='ftz'", "'flush_to_zero'"]),
        (lambda: fs.round_to(1, "e2m1fn", saturate=False), ValueError, ["saturate=False", "e2m1fn", "leave"]),
        (lambda: fs.round_to(np.nan, "e2m1fn"), ValueError, ["x=nan", "e2m1fn", "nan_code"]),
        (lambda: fs.round_to(["nan", 2**80], "e3m2fn"), ValueError, ["x=nan", "e3m2fn", "nan_code"]),
        (lambda: fs.round_to(1, fs.Format("quad", 128, 113)), ValueError, ["fmt=quad", "binary64", "exact"]),
        (lambda: fs.round_to([1.0], out=[0.0]), TypeError, ["out", "list", "float64"]),
        (lambda: fs.round_to([1.0], out=np.zeros(1, int)), TypeError, ["out", "int64", "float64"]),
        (lambda: fs.round_to([1.0], out=np.zeros(2)), ValueError, ["out.shape=(2,)", "(1,)", "np.empty"]),
        (
            lambda: fs.round_to([1.0], "binary64", out=np.zeros(1, np.float32)),
            ValueError,
            ["out.dtype=float32", "float64"],
        ),
        (lambda: fs.round_to([1.0, 2.0], out=FROZEN), ValueError, ["out is read-only", "give"]),
    ],
)
def test_bad_input_is_refused_with_its_value_the_rule_and_the_way_out(call, error, fragments):
    with pytest.raises(error) as caught:
        call()
    for fragment in fragments:
        assert fragment in str(caught.value)


FLUSH = """
import ctypes, fp16sim as fs
libm, state = ctypes.CDLL("libm.so.6"), (ctypes.c_uint32 * 8)()  # glibc's fenv_t on x86-64; its last word is MXCSR
fs.round_to(1.0)
libm.fegetenv(state)
state[7] |= 0x8040  # flush results (bit 15) and inputs (bit 6) to zero
libm.fesetenv(state)
for call in (lambda: fs.round_to(1.0), lambda: fs.add([1.0], [2.0], "bfloat16"), lambda: fs.minimum(1.0, 2.0)):
    try:
        call()
    except RuntimeError as error:
        print(error)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="sets MXCSR through glibc on x86-64"
)
def test_a_processor_that_flushes_subnormals_is_detected_and_named():
    try:
        ctypes.CDLL("libm.so.6")
    except OSError:
        pytest.skip("no glibc here")
    told = subprocess.run([sys.executable, "-c", FLUSH], capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(told) == 3
    assert all("flushes subnormal" in line and "torch.set_flush_denormal(False)" in line for line in told)
