"""Random inputs from a seed: formats, numbers in every form that a user may give, arrays, junk, texts, expressions."""

import inspect
import random
import string
import struct
from decimal import Decimal
from fractions import Fraction
from types import FunctionType

import numpy as np

import fp16sim as fs
from fp16sim import exact
from fp16sim.formats import NAMED_FORMATS, Format, Specials, Subnormals

from .support import DETERMINISTIC

SHAPES = ((), (), (), (1,), (3,), (4,), (2, 3), (0,))
DTYPES = (np.float64, np.float64, np.float32, np.float16, ">f8", ">f4", np.int8, np.int64, np.uint16, bool, object)


class Source:
    """Random things, the same ones for the same seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.pick, self.below = self.random.choice, self.random.randrange

    # --- formats and modes ------------------------------------------------------------------------------------------

    def format(self):
        """A named format, or any small one with any ends of the range."""
        if self.below(3) == 0:
            return self.pick(NAMED_FORMATS)
        precision = self.below(2, 9)
        width = precision + self.below(2, 6)
        specials = self.pick(tuple(Specials))
        subnormals = self.pick((Subnormals.GRADUAL, *Subnormals))
        nan_code = self.below(2**width) if specials is Specials.NONE and self.below(2) else None
        if nan_code is not None and subnormals is not Subnormals.GRADUAL:
            nan_code |= 1 << (precision - 1)  # not a subnormal, which the format would flush
        name, saturate = f"random_{width}_{precision}", self.below(4) == 0
        return Format(name, width, precision, specials, subnormals, saturate, nan_code)

    def mode(self):
        return self.pick(DETERMINISTIC)

    # --- numbers ----------------------------------------------------------------------------------------------------

    def value(self, fmt):
        """An exact value: of the format, between two of its numbers, at an end of its range, or any."""
        kind = self.below(12)
        if kind < 5:
            return self.of(fmt)
        if kind < 7:  # a midpoint, or just beside one
            code = self.below(2 ** (fmt.width - 1))
            near = [exact.decode(c, fmt) for c in (code, max(code - 1, 0))]
            if all(map(exact.is_finite, near)):
                middle = (Fraction(near[0]) + Fraction(near[1])) / 2
                return self.pick((1, -1)) * middle * (1 + self.pick((0, 0, 1, -1)) * Fraction(1, 2**70))
        if kind == 7:
            return self.pick((1, -1)) * fmt.max_finite * self.pick((1, 2, Fraction(2**80 + 1, 2**80)))
        if kind == 8:
            return self.pick((0.0, -0.0, np.inf, -np.inf, np.nan))
        if kind == 9:
            return Fraction(self.below(-(10**6), 10**6), self.below(1, 10**4))
        if kind == 10:
            return Fraction(self.below(-300, 300))
        return struct.unpack("<d", self.random.randbytes(8))[0]

    def of(self, fmt):
        return exact.decode(self.below(2**fmt.width), fmt)

    def spelled(self, value):
        """A value in one of the forms of a number, some of which round it."""
        kind = self.below(12)
        finite = exact.is_finite(value)
        if kind == 0:
            return f"{value}" if not finite else f"{Fraction(value)}" if value else str(value)
        if kind == 1 and finite and not (value == 0 and exact.is_negative(value)):
            return Fraction(value)
        if kind == 2 and finite and abs(value) < 10**30:
            return int(value)
        if kind == 3:
            return Decimal(self.as_float(value))
        if kind in (4, 5, 6):
            with np.errstate(all="ignore"):
                return self.pick((np.float64, np.float32, np.float16))(self.as_float(value))
        if kind == 7 and finite and abs(value) < 100:
            return self.pick((np.int8, np.int64, np.int32))(int(value))
        if kind == 8 and self.below(4) == 0:
            return self.pick((True, False, np.True_))
        return self.as_float(value)

    @staticmethod
    def as_float(value):
        try:
            return float(value)
        except OverflowError:
            return float("-inf" if value < 0 else "inf")

    # --- what holds numbers -----------------------------------------------------------------------------------------

    def operand(self, fmt, shape):
        """Numbers of a shape in some container."""
        if not shape:
            x = self.spelled(self.value(fmt))
            return np.array(x) if self.below(6) == 0 and not isinstance(x, str) else x
        count = int(np.prod(shape))
        values = [self.value(fmt) for _ in range(count)]
        kind = self.below(4)
        if kind == 0:
            return nested([self.spelled(x) for x in values], shape)
        if kind == 1 and fmt.has_nan:
            return fs.array(np.reshape([self.as_float(x) for x in values], shape), fmt)
        return self.layout(self.numpy_array(values, shape))

    def numpy_array(self, values, shape):
        dtype = np.dtype(self.pick(DTYPES))
        if dtype.hasobject:
            x = np.empty(len(values), object)
            x[:] = [self.spelled(v) for v in values]
            return x.reshape(shape)
        floats = np.array([self.as_float(x) for x in values])
        with np.errstate(all="ignore"):
            whole = dtype.kind in "iub"
            return (
                (np.nan_to_num(floats, posinf=100, neginf=0).clip(-100, 100) if whole else floats)
                .astype(dtype)
                .reshape(shape)
            )

    def layout(self, x):
        """The same array in another place: reversed, a part of a larger one, read-only, transposed."""
        kind = self.below(5)
        if kind == 0:
            return x[::-1]
        if kind == 1:
            larger = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
            larger[..., ::2] = x
            return larger[..., ::2]
        if kind == 2:
            return np.ascontiguousarray(x.T).T
        if kind == 3:
            x.flags.writeable = False
        return x

    def shapes(self, count):
        """Shapes that broadcast against each other."""
        shape = self.pick(SHAPES)
        others = [shape, shape, ()] + ([shape[-1:], (1,)] if shape else [])
        return [shape, *(self.pick(others) for _ in range(count - 1))]

    # --- junk -------------------------------------------------------------------------------------------------------

    def junk(self):
        """Something that a function may not expect."""
        make = self.pick(JUNK)
        return make(self) if isinstance(make, FunctionType) else make

    def argument(self, name, fmt):
        """What a parameter of this name takes, or junk."""
        if self.below(4) == 0:
            return self.junk()
        if name in ("x", "a", "b", "c"):
            return self.operand(fmt, self.pick(SHAPES))
        if name == "code":
            return self.pick((self.below(2**fmt.width), self.below(-2, 300), np.array([0, 1])))
        make = {
            "fmt": lambda: self.pick((fmt, fmt.name, self.format())),
            "source": self.format,
            "mode": lambda: self.pick((self.mode(), "stochastic", "to_odd")),
            "rng": lambda: self.pick((None, 0, np.random.default_rng(1))),
            "axis": lambda: self.pick((None, 0, -1, 1, 5, (0, 1))),
            "accumulator": lambda: self.pick((None, "kahan", "pairwise:binary32", "exact", "volta", "blas", "fused")),
            "style": lambda: self.pick(("shortest", "exact", "hex", "bits", "fraction")),
            "out": lambda: np.zeros(self.pick(SHAPES)),
            "threads": lambda: self.pick((None, 1, 2)),
            "saturate": lambda: self.pick((None, True, False)),
            "subnormals": lambda: self.pick((None, *Subnormals)),
            "tininess": lambda: self.pick(("after", "before")),
            "text": lambda: self.number_text()[0],
        }
        return make.get(name, self.junk)()

    def arguments(self, function):
        """Arguments by position and by name, most of which fit; those that may be left out often are."""
        fmt, given, named = self.format(), [], {}
        for name, parameter in inspect.signature(function).parameters.items():
            optional = parameter.default is not parameter.empty
            if optional and self.below(2):
                continue
            if named or parameter.kind is parameter.KEYWORD_ONLY or (optional and self.below(2)):
                named[name] = self.argument(name, fmt)
            else:
                given.append(self.argument(name, fmt))
        return given, named

    # --- texts ------------------------------------------------------------------------------------------------------

    def number_text(self):
        """(text, exact value) of a number as people write it, by the grammar that `parse` documents."""
        sign = self.pick(("", "", "-", "+"))
        kind = self.below(7)
        if kind == 0:
            text, value = self.pick((("inf", np.inf), ("Infinity", np.inf), ("nan", np.nan), ("INF", np.inf)))
        elif kind == 1:
            digits, e = self.digits("0123456789abcdefABCDEF"), self.below(-150, 150)
            whole, _, part = digits.partition(".")
            text = f"0{self.pick('xX')}{digits}{self.pick('pP')}{e:{self.pick(('', '+'))}d}"
            value = Fraction(int(whole + part, 16), 16 ** len(part)) * Fraction(2) ** e
        elif kind == 2:
            e = self.below(-1100, 1100)
            text, value = f"2{self.pick(('^', '**'))}{e}", Fraction(2) ** e
        else:
            text, value = self.decimal()
            if kind == 3:
                bottom, by = self.decimal()
                if by:
                    text, value = f"{text}{self.pick(('/', ' / '))}{bottom}", value / by
            elif kind == 4:
                e = self.below(-200, 200)
                text, value = f"{text}{self.pick(('p', ' * 2^', '*2**'))}{e}", value * Fraction(2) ** e
        space = self.pick(("", "", " "))
        value = -value if sign == "-" and (value or isinstance(value, float)) else value
        return f"{space}{sign}{text}{space}", -0.0 if sign == "-" and value == 0 else value

    def digits(self, alphabet="0123456789"):
        """Digits with one point at most, and one digit at least."""
        n = self.below(1, 12)
        text = "".join(self.pick(alphabet) for _ in range(n))
        return self.pick((text, text, f"{text[: n // 2]}.{text[n // 2 :]}"))

    def decimal(self):
        digits, e = self.digits(), self.below(-40, 40)
        whole, _, part = digits.partition(".")
        value = Fraction(int(whole + part), 10 ** len(part))
        if self.below(2):
            return digits, value
        return f"{digits}{self.pick('eE')}{e:{self.pick(('', '+'))}d}", value * Fraction(10) ** e

    def mutated(self, text):
        """A text with a few characters removed, doubled, exchanged or put in."""
        letters = list(text)
        for _ in range(self.below(1, 4)):
            at = self.below(len(letters) + 1)
            change = self.below(4)
            if change == 0 and letters:
                del letters[min(at, len(letters) - 1)]
            elif change == 1:
                letters[at:at] = letters[at : at + self.below(1, 5)]
            else:
                letters[at : at + change - 2] = [self.pick(SYMBOLS)]
        return "".join(letters)

    def expression(self, fmt, depth=3):
        """(text, function of a mode -> exact value) of an expression; each operation is rounded to the format."""
        kind = self.below(6 if depth else 1)
        if kind < 2:
            powers = f"1e{self.below(-9, 6)}", f"2^{self.below(-30, 16)}"
            text = self.pick((f"{self.below(100)}", self.digits(), *powers))
            return text, lambda mode: exact.as_exact(text)
        if kind == 2:
            inner, value = self.expression(fmt, depth - 1)
            return f"sqrt({inner})", lambda mode: exact.sqrt(value(mode), fmt, mode)
        if kind == 3:
            parts = [self.expression(fmt, depth - 1) for _ in range(3)]
            inside = ", ".join(text for text, _ in parts)
            return f"fma({inside})", lambda mode: exact.fma(*(value(mode) for _, value in parts), fmt, mode)
        (left, a), (right, b) = (self.expression(fmt, depth - 1) for _ in range(2))
        sign, name = self.pick((("+", "add"), ("-", "subtract"), ("*", "multiply"), ("/", "divide")))
        return f"({left}) {sign} ({right})", lambda mode: getattr(exact, name)(a(mode), b(mode), fmt, mode)


SYMBOLS = string.digits + "..--++eEpPxX__//**^^()[],, nNiIfF" + "\x00\n\u00d7\u0663\u221e\U0001f4a5"

JUNK = (
    None,
    "",
    "abc",
    "0x12",
    "1e5001",
    "binary16",
    "nearest",
    "\x1b[31m",
    "nan",
    b"1.0",
    1j,
    Ellipsis,
    2**400,
    -1,
    0,
    True,
    1e308,
    float("nan"),
    Decimal("sNaN"),
    Fraction(1, 3),
    object,
    len,
    object(),
    range(3),
    {"a": 1.0},
    {1.0, 2.0},
    frozenset(),
    np.float16,
    np.dtype("f2"),
    np.dtype("O"),
    np.datetime64("2020-01-01"),
    np.random.default_rng(0),
    Format("junk", 9, 4),
    lambda source: [],
    lambda source: [[1.0, 2.0], [3.0]],
    lambda source: [1.0, "x", None],
    lambda source: [source.junk(), source.junk()],
    lambda source: (source.junk(),),
    lambda source: np.array(["1.0", "x"]),
    lambda source: np.array([1j]),
    lambda source: np.array([None, 1.0]),
    lambda source: np.zeros((2, 0, 3)),
    lambda source: np.ma.array([1.0, 2.0], mask=[0, 1]),
    lambda source: np.array([(1, 2.0)], dtype="i4,f8"),
    lambda source: np.arange(6.0).reshape(2, 3),
    lambda source: np.array([0, 1, 2], np.uint64),
    lambda source: fs.array([1.0, 2.0], source.pick(NAMED_FORMATS)) if source.below(2) else fs.array(1.0, "bf16"),
    lambda source: endless(),
    lambda source: (x for x in (1.0, 2.0)),
    lambda source: source.format(),
    lambda source: source.mode(),
    lambda source: source.number_text()[0],
    lambda source: source.value(fs.BINARY16),
)


def endless():
    """A list that contains itself."""
    x = [1.0]
    x.append(x)
    return x


def nested(values, shape):
    """Values in nested lists, or a tuple of them."""
    if len(shape) == 1:
        return values if len(values) % 2 else tuple(values)
    step = len(values) // shape[0] if shape[0] else 0
    return [nested(values[k * step : (k + 1) * step], shape[1:]) for k in range(shape[0])]


def elements(x):
    """The elements of an operand as exact values, in an array of objects of its shape."""
    if isinstance(x, fs.FloatArray):
        x = x.values
    if isinstance(x, (list, tuple)):
        parts = [elements(part) for part in x]
        found = np.empty((len(parts), *(parts[0].shape if parts else ())), object)
        for k, part in enumerate(parts):
            found[k] = part[()]
        return found
    found = np.empty(np.shape(x), object)
    for index in np.ndindex(found.shape):
        one = x[index] if isinstance(x, np.ndarray) else x
        found[index] = exact.as_exact(one.item() if isinstance(one, (np.integer, np.bool)) else one)
    return found


def snapshot(x):
    """What must not change while a function is called."""
    if isinstance(x, fs.FloatArray):
        return snapshot(x.values)
    if isinstance(x, np.ndarray) and x.dtype != object:
        return x.tobytes(), x.dtype.str, x.shape, x.flags.writeable
    if isinstance(x, np.ndarray):
        return repr(x)
    if isinstance(x, (list, tuple, dict, set)):
        return repr(x)
    return None
