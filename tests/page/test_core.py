"""The page's arithmetic, in a real browser, against `fp16sim.exact`: values, texts, neighbours, classes, operations."""

import itertools
import random
import sys
from fractions import Fraction
from functools import lru_cache

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import cases, exact
from fp16sim.exact.codes import encode_held
from fp16sim.explain.decoding import read
from fp16sim.formats import NAMED_FORMATS, Rounding, p3109

from ..support import MODES, count_cases, first

SMALL = tuple(fmt for fmt in NAMED_FORMATS if fmt.width <= 16)
OWN = (
    "e3m4",
    "width=6,precision=3",
    "e5m4,specials=nan",
    "e2m5,specials=none,saturate=true,nan_code=3",
    "binary16,saturate=true",
    "e4m3fn,saturate=true",
    *(f"e4m3_ieee,subnormals={way}" for way in ("flush_to_zero", "flush_to_nearest", "flush_inputs")),
    "bfloat16,subnormals=flush_inputs,saturate=true",
    "binary16,bias=3",
    "e4m3fnuz,saturate=true",
    "e5m2fnuz,subnormals=flush_to_nearest",
    "e4m3b11fnuz,subnormals=flush_inputs",
    "e8m0fnu,saturate=true",
    "e8m0fnu,bias=3,subnormals=flush_inputs",
    "binary8p1,saturate=true",
    "binary8p3ue,saturate=true",
    "binary6p2uf,subnormals=flush_to_zero,saturate=true",
    "binary8p3ue,subnormals=flush_inputs",
    "width=7,precision=6,specials=nan,bias=2",
)
CUSTOM = tuple(map(fs.get_format, OWN))


def drafts(widths):
    """All formats of P3109 with these widths that have a positive number."""
    every = itertools.product(widths, range(1, 16), ("se", "sf", "ue", "uf"))
    return [p3109(*one) for one in every if one[1] <= one[0] and (one[0], one[2]) != (2, "se")]


P3109 = drafts(range(2, 7))
LONG = [pytest.param(fmt, marks=pytest.mark.exhaustive) for fmt in drafts(range(7, 11))]
CUSTOM_CODES = [
    fmt for fmt in CUSTOM if fmt.width <= 8 and fmt.subnormals == "gradual" and fmt.saturate == (not fmt.has_nan)
]
EIGHT = [pytest.param(fmt, marks=pytest.mark.exhaustive) for fmt in drafts((7, 8))]

ALL_CODES = """([name, codes]) => {
  const s = fp16sim, fmt = s.format(name);
  return codes.map((c) => {
    const code = BigInt(c), x = s.decode(code, fmt);
    return [s.decimalText(x), s.fractionText(x), s.hexText(x, fmt), s.shortestText(x, fmt), s.classify(code, fmt),
      s.nextUp(code, fmt), s.nextDown(code, fmt), x.kind === "nan" ? "nan" : s.encodeHeld(x, fmt)].join(" ");
  });
}"""

OPERATIONS = """([name, mode, cases]) => {
  const s = fp16sim, fmt = s.format(name);
  return cases.map(([operation, operands, draw]) => {
    const values = operands.map((x) => s.readNumber(x, fmt).value);
    const { code, flags } = operation === "round"
      ? s.roundResult(values[0], fmt, mode, BigInt(draw)) : s.operate(operation, values, fmt, mode, BigInt(draw));
    return code === null ? "refused" : [code, ...[...flags].sort()].join(" ");
  });
}"""


def first_difference(got, expected, inputs):
    assert len(got) == len(expected)
    wrong = [(x, e, g) for x, e, g in zip(inputs, expected, got, strict=True) if e != g]
    assert not wrong, f"{len(wrong)} of {len(got)} differ; first (input, Python, page): {wrong[0]}"


# --- codes ----------------------------------------------------------------------------------------------------------


def facts(fmt, codes):
    """What Python says of codes, in the words of ALL_CODES."""
    values = np.asarray(fs.decode(codes, fmt))
    kinds = np.asarray(fs.classify(values, fmt))
    with np.errstate(invalid="ignore", over="ignore"):  # signaling NaNs, and the ends of unsigned formats
        up, down = (np.asarray(fs.encode(near(values, fmt), fmt)) for near in (fs.next_up, fs.next_down))
    for code, value, kind, above, below in zip(codes, values.tolist(), kinds, up, down, strict=True):
        if np.isnan(value):
            texts, back = ["nan"] * 4, "nan"
        else:
            texts, back = [fs.to_text(value, fmt, style) for style in ("exact", "fraction", "hex", "shortest")], code
        yield " ".join(map(str, [*texts, kind, above, below, back]))


def compare_codes(core, fmt, codes):
    codes = [int(code) for code in codes]
    got = core.evaluate(ALL_CODES, [fmt.name, codes])
    first_difference(got, list(facts(fmt, codes)), [f"{fmt.name} {code:#x}" for code in codes])
    count_cases(len(codes), "page")


@pytest.mark.parametrize("fmt", SMALL, ids=str)
def test_codes_have_the_values_texts_neighbours_and_classes_that_python_gives_them(core, fmt):
    top = 2**fmt.width
    landmarks = [0, 1, 2**fmt.trailing_bits, top // 2 - 1, top // 2, top // 2 + 1, top - 1]
    compare_codes(core, fmt, {*landmarks, *range(0, top, max(1, top // 250) | 1)})


@pytest.mark.exhaustive
@pytest.mark.parametrize("fmt", SMALL, ids=str)
def test_all_codes_have_the_values_texts_neighbours_and_classes_that_python_gives_them(core, fmt):
    for codes in np.array_split(np.arange(2**fmt.width), max(1, 2**fmt.width // 4096)):
        compare_codes(core, fmt, codes)


@pytest.mark.parametrize("fmt", [*P3109, *LONG, *CUSTOM_CODES], ids=str)
def test_all_codes_of_formats_unlike_those_of_ieee_754_agree_with_python(core, fmt):
    compare_codes(core, fmt, range(2**fmt.width))


@pytest.mark.exhaustive
@pytest.mark.parametrize("fmt", [fmt for fmt in drafts(range(11, 16)) if fmt.fits_in(fs.BINARY64)], ids=str)
def test_codes_of_wide_formats_of_p3109_agree_with_python(core, fmt):
    top = 2**fmt.width
    ends = [0, 1, 2**fmt.trailing_bits, top // 2 - 1, top // 2, top // 2 + 1, top - 2, top - 1]
    compare_codes(core, fmt, {*ends, *range(0, top, top // 300 | 1)})


@pytest.mark.parametrize("fmt", [f for f in NAMED_FORMATS if f.width > 16], ids=str)
def test_codes_of_wide_formats_agree_with_python(core, fmt):
    chosen = random.Random(0)
    codes = [chosen.randrange(2**fmt.width) for _ in range(40)]
    got = core.evaluate(ALL_CODES, [fmt.name, [str(code) for code in codes]])
    first_difference(got, list(facts(fmt, np.array(codes, np.uint64))), codes)


# --- formats --------------------------------------------------------------------------------------------------------

NAMES = """(texts) => texts.map((text) => {
  const fmt = fp16sim.formats.get(text);
  const facts = ["name", "width", "precision", "specials", "subnormals", "saturate", "nanCode", "bias", "signed"];
  return fmt ? [...facts, "zero"].map((fact) => fmt[fact]).join(" ") : "refused";
})"""


UNSIGNED = ("", ",signed=false", "_and_infinities,signed=false", ",bias=9")


def described(text):
    try:
        fmt = fs.get_format(text)
    except ValueError:
        return "refused"
    if fmt.trailing_bits > 112:
        return "refused"  # too wide for the page
    facts = fmt.to_dict() | {"nan_code": "" if fmt.nan_code is None else fmt.nan_code}
    return " ".join(str(fact).lower() if isinstance(fact, bool) else str(fact) for fact in facts.values())


def test_a_format_has_the_same_spellings_and_name_as_in_python(core):
    layouts = [f"e{e}m{m}" for e in range(14) for m in range(0, 56, 3)]
    layouts += [f"width={w},precision={p}" for w in range(2, 20) for p in range(1, 12)]
    ways = [f",specials={x}" for x in ("ieee", "nan", "none", "x")] + [
        ",saturate=true",
        ",saturate=false,specials=none",
    ]
    ways += [f",subnormals={x}" for x in ("flush_to_zero", "FLUSH-INPUTS", "gradual")] + [",nan_code=0x2,specials=none"]
    bases = [
        "binary16",
        "bf16",
        "Half",
        "fp8_e4m3",
        "torch.float16",
        "e5m4",
        "e3m2",
        "e4m3fn",
        "e2m1",
        "float8_e4m3_ieee",
        "e4m3",
        "E04M3",
        "float8_e4m3",
    ]
    odd = ["", ",", "fp8", "float8_e4m2", "binary17", "e5m", "m3e4", "width=8", "width=8,precision", "e5m4,width=7"]
    odd += [
        "width=8,precision=4,width=8",
        "e5m4,saturate=yes",
        "e5m4,colour=red",
        "99-99-99",
        "constructor",
        "__proto__",
    ]
    ways += [",bias=3", ",bias=-40000", ",bias=+12", ",width=8,precision=4", ",signed=false", ",zero=false"]
    ways += [
        f",specials={x}{more}"
        for x in ("one_nan", "one_nan_and_infinities")
        for more in ("", ",signed=false", ",bias=8")
    ]
    ways += [
        ",width=8,precision=1,signed=false,zero=false,specials=one_nan",
        ",precision=1,specials=none",
        ",bias=1,bias=1",
    ]
    bases += [
        "e4m3fnuz",
        "E5M2-FNUZ",
        "float8_e4m3b11fnuz",
        "e8m0",
        "binary8p3",
        "binary8p4uf",
        "binary12p1se",
        "binary6p6sf",
    ]
    ways += [f",overflow={name}" for name in fs.overflow.CONVENTIONS]
    ways += [
        ",overflow=PyTorch,subnormals=flush_to_zero",
        ",overflow=ml-dtypes",
        ",overflow=pytorch,saturate=true",
        ",overflow=nobody",
        ",overflow",
        ",overflow=ieee,overflow=ieee",
        ",overflow=ieee,bias=3",
    ]
    bases += ["float6_e2m3fn", "e3m4", "tf32", "overflow=ieee"]
    layouts += [
        f"width={w},precision={p},specials=one_nan{x}" for w in range(1, 17) for p in range(9) for x in UNSIGNED
    ]
    layouts += [
        f"binary{k}p{p}{kind}" for k in range(17) for p in range(17) for kind in ("", "se", "sf", "ue", "uf", "s")
    ]
    texts = [*layouts, *odd, *bases, *(base + way for base in bases for way in ways)]
    first_difference(core.evaluate(NAMES, texts), [described(text) for text in texts], texts)
    count_cases(len(texts), "page: formats")


# --- operations -----------------------------------------------------------------------------------------------------

ARITY = {"add": 2, "subtract": 2, "multiply": 2, "divide": 2, "sqrt": 1, "fma": 3, "round": 1}


@lru_cache(maxsize=32)
def grid(fmt):
    """The codes of the interesting values, and rows of operands for fma with the products that are ties."""
    if not fmt.has_negative_zero:
        codes, chosen = range(2**fmt.width), random.Random(fmt.name)
        return codes, [tuple(chosen.choices(codes, k=3)) for _ in range(500)]
    with np.errstate(over="ignore"):  # the decoding of binary64's infinity
        codes = [int(code) for code in fs.encode(cases.values(fmt), fmt)]
        columns = [fs.encode(column, fmt).tolist() for column in cases.tuples(fmt, 3)]
    return codes, list(zip(*columns, strict=True))


def off_grid(fmt, code, chosen):
    """A number near a tie, a value, or the end of the range: as a fraction, which the page has to read."""
    value = exact.decode(code, fmt)
    if isinstance(value, float):
        return str(value)
    ulp = Fraction(2) ** (exact.quantum_exponent(abs(value), fmt) if value else fmt.quantum_exponent_min)
    moved = (
        value
        + ulp * Fraction(chosen.randrange(9), 8)
        + ulp * chosen.choice([0, 0, Fraction(1, 3**20), -Fraction(1, 2**60)])
    )
    return str(moved)


def drawn_cases(fmt, count, seed):
    """(operation, operands as text, draw), from the grid."""
    chosen, (codes, rows) = random.Random(f"{fmt.name} {seed}"), grid(fmt)
    for i in range(count):
        operation = list(ARITY)[i % len(ARITY)]
        operands = [chosen.choice(codes) for _ in range(ARITY[operation])]
        if operation == "fma" and i % 2:
            operands = chosen.choice(rows)
        texts = [off_grid(fmt, operands[0], chosen)] if operation == "round" else [f"0x{code:x}" for code in operands]
        yield operation, texts, chosen.choice([0, 1, 2**31 - 1, 2**31, 2**32 - 1, chosen.randrange(2**32)])


def judged(operation, texts, draw, fmt, mode):
    try:
        if operation == "round":
            code = texts[0].startswith("0x") and int(texts[0], 16)
            given = exact.decode(code, fmt) if code else exact.parse(texts[0])
            result = exact.round_result(given, fmt, mode, draw)
        else:
            operands = tuple(exact.decode(int(text, 16), fmt) for text in texts)
            result = exact.operate(operation, operands, fmt, mode, draw)
        return " ".join([str(exact.encode(result.value, fmt)), *sorted(result.flags)])
    except ValueError:
        return "refused"


def compare_operations(core, fmt, mode, count):
    compare_cases(core, fmt, mode, list(drawn_cases(fmt, count, mode.value)))


def compare_cases(core, fmt, mode, given):
    got = core.evaluate(OPERATIONS, [fmt.name, mode.value, [[o, t, str(d)] for o, t, d in given]])
    first_difference(
        got, [judged(*case, fmt, mode) for case in given], [(fmt.name, mode.value, *case) for case in given]
    )
    count_cases(len(given), "page")


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_operations_give_the_codes_and_flags_of_the_exact_layer(core, mode):
    for fmt in (*NAMED_FORMATS, *CUSTOM):
        compare_operations(core, fmt, mode, 98)


FEW_BITS = ("stochastic_8", "stochastic_3_half", "stochastic_1", "stochastic_8_half", "stochastic_32_half")


@pytest.mark.parametrize("mode", first(2, FEW_BITS))
def test_a_mode_with_few_random_bits_gives_the_codes_and_flags_of_the_exact_layer(core, mode):
    for fmt in map(fs.get_format, ("binary16", "e4m3fn", "e2m1fn,overflow=ml_dtypes", "e5m2,overflow=ocp-saturating")):
        compare_operations(core, fmt, Rounding(mode), 98)


def points(fmt):
    """Every number of a small format, every tie, what lies beside them and beyond both ends, and what is special."""
    held = {exact.decode(code, fmt) for code in range(2**fmt.width)}
    numbers = sorted({Fraction(0), *(abs(x) for x in held if isinstance(x, Fraction))})
    ties = [(x + y) / 2 for x, y in itertools.pairwise(numbers)]
    little = numbers[1] / 1000
    near = {x + shift for x in (*numbers, *ties) for shift in (-little, 0, little)} | {numbers[1] / k for k in (3, 4)}
    far = {numbers[-1] * Fraction(k, 8) for k in (9, 10, 11, 12, 14, 16, 17)}
    return [str(sign * x) for x in sorted(near | far) for sign in (1, -1)] + ["-0", "inf", "-inf", "nan"]


ROUNDINGS = """([name, modes, texts, draw]) => {
  const s = fp16sim, fmt = s.format(name);
  return modes.map((mode) => texts.map((text) => {
      const { code, flags } = s.roundOperand(s.readNumber(text, fmt).value, fmt, mode, BigInt(draw));
      return code === null ? "refused" : [code, ...[...flags].sort()].join(" ");
    }));
}"""
# Draws of whole quarters, so that points halfway between two numbers go both ways.
DRAWS = (2**30, 2**31, 3 * 2**30)


@pytest.mark.parametrize(
    "fmt", [*P3109[::2], *EIGHT, *(fmt for fmt in (*NAMED_FORMATS, *CUSTOM) if fmt.width <= 8)], ids=str
)
def test_every_tie_and_every_end_is_rounded_as_by_the_exact_layer_in_every_mode(core, fmt):
    texts, draw = points(fmt), DRAWS[fmt.width % 3]
    values = [exact.parse(text) for text in texts]
    for mode, got in zip(
        MODES, core.evaluate(ROUNDINGS, [fmt.name, [m.value for m in MODES], texts, str(draw)]), strict=True
    ):
        first_difference(
            got, [rounded_code(x, fmt, mode, draw) for x in values], [(fmt.name, mode.value, t) for t in texts]
        )
    count_cases(len(MODES) * len(texts), "page: roundings")


def rounded_code(x, fmt, mode, draw):
    try:
        result = exact.round_operand(x, fmt, mode, draw)
    except ValueError:
        return "refused"
    return " ".join([str(encode_held(result.value, fmt)), *sorted(result.flags)])


def test_special_operands_agree_in_every_combination(core):
    for name in ("binary16", "e4m3fn", "e5m2", "e2m1fn", "e4m3fnuz", "e8m0fnu", "binary8p3ue", "binary5p1sf"):
        fmt = fs.get_format(name)
        top = 2 ** (fmt.width - 1)
        one = exact.encode("1", fmt)
        codes = sorted(
            {0, 1, one, top - 1, exact.encode("inf", fmt)} | {top, top + one, 2 * top - 1} & {*range(2 * top)}
        )
        if fmt.has_payloads and fmt.trailing_bits > 1:
            codes += [exact.encode("inf", fmt) + 1]  # a signaling NaN
            compare_cases(core, fmt, Rounding.TIES_TO_EVEN, [("round", [f"0x{codes[-1]:x}"], 0)])
        for mode in (Rounding.TIES_TO_EVEN, Rounding.TOWARD_NEGATIVE):
            given = [
                (operation, [f"0x{code:x}" for code in operands], 0)
                for operation, arity in ARITY.items()
                for operands in itertools.product(codes, repeat=arity)
                if operation != "round"
            ]
            compare_cases(core, fmt, mode, given)


def test_a_draw_goes_up_exactly_where_python_says(core):
    """Beside, at and on the other side of (draw + 1/2) / 2^32."""
    for draw in (0, 1, 5, 2**31, 2**32 - 1):
        near = [Fraction(2 * draw + 1 + k, 2**33) for k in (-1, 0, 1)]
        texts = [str(1 + Fraction(1, 2**10) * rest) for rest in near] + ["-" + str(1 + Fraction(1, 2**10) * near[1])]
        compare_cases(core, fs.BINARY16, Rounding.STOCHASTIC, [("round", [text], draw) for text in texts])


@pytest.mark.exhaustive
@pytest.mark.parametrize("mode", [*MODES, *map(Rounding, FEW_BITS)], ids=str)
@pytest.mark.parametrize("fmt", [*NAMED_FORMATS, *CUSTOM], ids=str)
def test_ten_thousand_operations_a_mode_and_format_agree_with_the_exact_layer(core, fmt, mode):
    compare_operations(core, fmt, mode, 10_003)


# --- reading --------------------------------------------------------------------------------------------------------

READ = """(texts) => texts.map((text) => {
  const { value, error, reading } = fp16sim.readNumber(text, fp16sim.format("binary16"));
  if (error) return "refused";
  const minusZero = value.kind === "finite" && value.n === 0n && value.negative;
  return `${reading} ${minusZero ? "-0" : fp16sim.fractionText(value)}`;
})"""
# fmt: off
NUMBERS = [
    "0.1", "-1.5e-8", "1/3", "0x1.8p3", "1p-24", "3*2^-24", "2^-24", "2**-24", "inf", "-Infinity", "nan", "1_000.5",
    ".5", "5.", "1e5p3", "-0", "0.5/.25", "1e-400", "6*2**3", "0x.8p0", "1e5/2e3", "+7", "2^10", "1.e2", "0/5",
    "-1/3", "INF", "NaN", "0x1.8_0p3",
    "11111111111111111", "2.4E+00000000001", "1e-" + "0" * 99 + "1", "0e9999999999", "-0e-9999999999", "0/1e9999999999",
    "1e99999/1e99999", "0" * 5000 + "1", "1." + "0" * 5000, "1" + "0" * 6000, "1e6020", "1e-6020", "2^20000",
    "2^-20000", "0x1p20000", "1e-19999p66000", "9" * 1200, "0x" + "0" * 2000 + "f.8p-4", "1e5001", "20e-1^5", "2.0**3",
    "1/3e6000", "1\u00a0/\u00a03", "1,5", "−0,5", "−2⁻²⁴", "3 × 10⁻⁵", "10^-5", "65\u202f536",
    "0.000\u2009061", "∞", "1÷3",
]
NO_NUMBERS = [
    ".", "p3", "0x", "1..2", "1e", "_1", "0x1p", "inf3", "1/0", "1.2.3", "2^", "^3", "1*2^", "0x1.8", "1e99999999",
    "3^2", "1/-3", "1/2/3", "1p2p3", "2^3/4", "-nan(1)", "0x1.8p", "2^20001", "-2^-20001", "e5", "1,500", "½", "1e6021",
    "5,", "1,2,3", "1\u00a000", "0.1…", "3²",
    "1e-6021", "1e" + "9" * 5000, "1" * 1201, "1e999999999999p-3321928094887", "0x1p-99999", "1/1e99999", "٣",
    "1" * 10_001, "0x" + "1" * 10_001 + "p1",
]
# fmt: on


@pytest.fixture
def _long_integers():
    """Python writes integers of more than 4,300 digits."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    yield
    sys.set_int_max_str_digits(before)


@pytest.mark.usefixtures("_long_integers")
def test_texts_are_read_as_python_reads_them(core):
    values = [exact.parse(text) for text in NUMBERS]
    expected = ["number " + ("-0" if isinstance(v, float) and v == 0 else str(v)) for v in values]
    first_difference(core.evaluate(READ, NUMBERS), expected, NUMBERS)
    first_difference(
        core.evaluate(READ, ["- 5", " 1 p 3 ", "1 / 3", "3 * 2 ^ 4"]),
        [f"number {v}" for v in (-5, 8, "1/3", 48)],
        "abcd",
    )


def test_what_python_refuses_is_refused(core):
    for text in NO_NUMBERS:
        with pytest.raises(ValueError, match="text"):
            exact.parse(text)
    assert set(core.evaluate(READ, [*NO_NUMBERS, "", " ", "1" * 1400])) == {"refused"}


SIGNS, DIGITS = ("", "-", "−", "+", "- "), ("0", "1", "12", "100", "1234", "007", "65536", "1_0")
SPACES, POINTS = ("\u00a0", "\u2009", "\u202f", " ", "_"), (".", ",")
HEX = ("1", "1.8", ".8", "F,8", "1\u2009000")
CODES = ("0 01011 1001100110", "0_01011_1001100110", "0\u00a001011\u00a01001100110", "0x2E66", "0b1\u2009000")
RAISED = str.maketrans("+-0123456789", "⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def spelling(chosen):
    """A number as somebody may write it, or nearly: with signs, groups, commas and powers of every kind."""

    def decimal():
        text = chosen.choice(DIGITS)
        for _ in range(chosen.choice([0, 0, 1, 2])):
            text += chosen.choice(SPACES) + chosen.choice(["000", "536", "061", "12", "5"])
        if chosen.random() < 0.6:
            text += chosen.choice(POINTS) + chosen.choice(
                ["5", "25", "125", "000", "061\u202f035", "234\u20095", "1234", ""]
            )
        return text + (chosen.choice(["e5", "E-7", "e+2", "e−3"]) if chosen.random() < 0.2 else "")

    def power(base):
        exponent = chosen.choice(["", "-", "−", "+"]) + chosen.choice(["0", "3", "10", "24", "300"])
        raised = exponent.replace("−", "-").translate(RAISED)
        return f"{base}{chosen.choice([f'^{exponent}', f'**{exponent}', raised, f' ^ {exponent}', f'⁻{raised}'])}"

    times = chosen.choice(["*", " * ", "×", " × ", " · ", "⋅", "x", " "])
    forms = [
        lambda: decimal(),
        lambda: f"{decimal()}{times}{power(chosen.choice(['2', '10', '10', '3']))}",
        lambda: power(chosen.choice(["2", "10", "2.0", "1e1", "5"])),
        lambda: f"{decimal()}{chosen.choice(['/', ' / ', '÷', ' ÷ '])}{decimal()}",
        lambda: f"{decimal()}{chosen.choice(['p', ' p ', 'P'])}{chosen.choice(['3', '-24', '−24', '⁻³'])}",
        lambda: f"0x{chosen.choice(HEX)}p{chosen.choice(['3', '−4', '+2', '³'])}",
        lambda: chosen.choice(["inf", "∞", "Infinity", "NaN", "∞inity", "nan", "1,234,567", "1.234,5", "0.1…"]),
        lambda: chosen.choice(CODES),
    ]
    text = chosen.choice(SIGNS) + chosen.choice(forms)()
    if chosen.random() < 0.15:  # one character more, or one less
        at = chosen.randrange(len(text) + 1)
        text = (
            text[:at]
            + chosen.choice(["", " ", "\u2009", ",", ".", "−", "⁻", "0", "_", "x"])
            + text[at + chosen.randrange(2) :]
        )
    return text


def as_python_reads(text):
    try:
        value = read(text, fs.BINARY16).value
    except ValueError:
        return "refused"
    return "-0" if isinstance(value, float) and value == 0 else str(value)


@pytest.mark.usefixtures("_long_integers")
def test_thousands_of_spellings_mean_the_same_to_the_page_and_to_python(core):
    chosen = random.Random(16)
    texts = sorted({spelling(chosen) for _ in range(6000)})
    expected = [as_python_reads(text) for text in texts]
    got = [answer.split(" ")[-1] for answer in core.evaluate(READ, texts)]
    first_difference(got, expected, texts)
    assert 1000 < expected.count("refused") < len(texts) - 1000
    count_cases(len(texts), "page: spellings")


@pytest.mark.usefixtures("_long_integers")
def test_what_the_page_prints_is_read_back(core):
    printed = core.evaluate(PRINTED, ["1.5", "-2^-14", "65504", "-0.1", "1/3", "2^-24", "-inf", "1e-7"])
    for text, value in printed:
        assert as_python_reads(text) == value, text


PRINTED = """(texts) => texts.flatMap((text) => {
  const s = fp16sim, fmt = s.format("binary16"), { value } = s.roundResult(s.readNumber(text, fmt).value, fmt, "ties_to_even");
  const short = [12, 60].map((room) => s.shortText(value, room)).filter((t) => !t.includes("…"));
  return [s.decimalText(value), s.fractionText(value), s.hexText(value, fmt), ...short].map((t) => [t, s.fractionText(value)]);
})"""  # noqa: E501


def test_codes_and_bits_are_read_as_such(core):
    texts = [
        "0x2E66",
        "0b10111",
        "0_01011_1001100110",
        "0 01011 1001100110",
        "0010111001100110",
        "0x12345",
        "0b" + "1" * 17,
    ]
    expected = [
        "code 819/8192",
        "bits 23/16777216",
        "bits 819/8192",
        "bits 819/8192",
        "bits 819/8192",
        "refused",
        "refused",
    ]
    first_difference(core.evaluate(READ, texts), expected, texts)


def test_hostile_text_costs_next_to_nothing(core):
    hostile = [
        "1" * 1200,
        "1_" * 600,
        "1" * 600 + "/" + "1" * 600 + "x",
        "1 " * 600,
        "0x" + "f" * 1200 + "q",
        "2 ^ " + " " * 1000 + "x",
    ]
    took = core.evaluate(
        f"(texts) => {{ const t = performance.now(); ({READ})(texts); return performance.now() - t; }}", hostile
    )
    assert took < 200
