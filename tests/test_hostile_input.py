"""Hostile input: each error is a TypeError or ValueError that comes at once and quotes little of what was given."""

import ast
import re
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import exact
from fp16sim.cli import main
from fp16sim.wording import LONGEST_QUOTE, quoted

HUGE_TEXT, HUGE_LIST, HUGE_INT = "x" * 10**7, [1] * 10**6, 10**5000
ITSELF, TWICE = [], []
ITSELF.append(ITSELF)
TWICE += [TWICE, TWICE]
LATER = [1]
LATER.append(LATER)
SECOND = [[1, 2]]
SECOND += [SECOND, SECOND]
DEEP = 1
for _ in range(40):
    DEEP = [DEEP]
ARRAY = fs.array([0.1, 2, 3])


def refused(call, errors):
    """The message of an error that comes within 50 ms, at best of three times: the machine may have other work."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        with pytest.raises(errors) as caught:
            call()
        times.append(time.perf_counter() - start)
    assert min(times) < 0.05
    return str(caught.value)


NESTED = {"itself": ITSELF, "twice": TWICE, "deep": DEEP, "later": LATER, "second": SECOND}
TAKING_LISTS = {
    "round_to": fs.round_to,
    "encode": fs.encode,
    "decode": fs.decode,
    "array": fs.array,
    "sum": fs.sum,
    "add": lambda x: fs.add(x, 1),
    "exact.add": lambda x: exact.add(x, 1),
    "to_text": fs.to_text,
    "explain": fs.explain.rounding,
    "setitem": lambda x: ARRAY.__setitem__(0, x),
    "dot": lambda x: np.dot(ARRAY, x),
}


@pytest.mark.parametrize("name", TAKING_LISTS)
@pytest.mark.parametrize("x", NESTED.values(), ids=NESTED)
def test_a_list_that_contains_itself_or_is_nested_too_deeply_is_refused(x, name):
    message = refused(lambda: TAKING_LISTS[name](x), (TypeError, ValueError))
    assert len(message) < 2 * LONGEST_QUOTE


@pytest.mark.parametrize(
    "name", [name for name in TAKING_LISTS if name not in ("exact.add", "to_text", "explain", "dot")]
)
@pytest.mark.parametrize(
    "x", [[[1, 2], [3]], [1, [2]], [np.zeros(2), np.zeros(3)], [np.zeros((2, 2)), np.zeros((2, 3))]], ids=str
)
def test_ragged_lists_are_called_ragged(x, name):
    message = refused(lambda: TAKING_LISTS[name](x), TypeError)
    assert "ragged" in message or (name == "decode" and "is not an integer" in message)


@pytest.mark.parametrize(
    ("call", "error", "fragments"),
    [
        (lambda: np.dot(ARRAY, [1, 2, 3]), TypeError, ["operand of type list has no format", "fs.array("]),
        (lambda: np.dot([1, 2, 3], ARRAY), TypeError, ["operand of type list has no format"]),
        (lambda: np.outer(ARRAY, [1, 2, 3]), TypeError, ["operand of type list has no format"]),
        (lambda: np.tensordot(ARRAY, [1, 2, 3], 1), TypeError, ["operand of type list has no format"]),
        (lambda: np.inner(ARRAY, None), TypeError, ["operand of type NoneType has no format"]),
        (lambda: fs.parse([1]), TypeError, ["text=[1] is not a text", "'0.1'"]),
        (lambda: fs.parse(5), TypeError, ["text=5 is not a text"]),
        (lambda: fs.parse(HUGE_INT), TypeError, ["text=<an integer of 16610 bits> is not a text"]),
        (lambda: exact.decode(0.0, "binary16"), TypeError, ["code=0.0 is not an integer", "encode(x, fmt)"]),
        (lambda: exact.decode(-1), ValueError, ["code=-1", "use 0 to 65535"]),
        (lambda: fs.decode(np.array([], bool)), TypeError, ["code=array([], dtype=bool) is not an integer"]),
        (lambda: fs.decode([1, True]), TypeError, ["code=True is not an integer"]),
        (lambda: fs.decode(HUGE_INT), ValueError, ["code=<an integer of 16610 bits>", "use 0 to 65535"]),
        (lambda: fs.round_to(1, HUGE_TEXT), ValueError, ["fmt='xxx", "is not a known format"]),
        (lambda: fs.get_format(HUGE_LIST), TypeError, ["fmt=[1, 1,", "is not a format"]),
        (lambda: fs.round_to(1, "half", HUGE_TEXT), ValueError, ["mode='xxx", "use one of 'ties_to_even'"]),
        (lambda: fs.round_to(HUGE_TEXT), ValueError, ["text of 10000000 characters is too long"]),
        (lambda: fs.round_to(HUGE_TEXT.encode()), TypeError, ["x contains b'xxx", "of type bytes"]),
        (lambda: fs.round_to(1, "half", "stochastic", rng=HUGE_TEXT), TypeError, ["rng='xxx", "give a seed"]),
        (lambda: fs.round_to(1, "half", "stochastic", rng=-1), ValueError, ["rng=-1 is negative", "0 or more"]),
        (lambda: fs.round_to([1.0], threads=HUGE_TEXT), TypeError, ["threads='xxx"]),
        (lambda: fs.to_text(1, "half", HUGE_TEXT), ValueError, ["style='xxx", "'shortest'"]),
        (lambda: fs.to_text(1, "half", [1]), ValueError, ["style=[1] is unknown"]),
        (lambda: fs.sum([1.0], accumulator=HUGE_TEXT), ValueError, ["accumulator='xxx", "use one of"]),
        (lambda: fs.sum([1.0], accumulator=HUGE_LIST), TypeError, ["accumulator=[1, 1,", "is not an accumulator"]),
        (lambda: fs.sum([1.0], axis=HUGE_TEXT), TypeError, ["axis='xxx", "is not an integer"]),
        (lambda: fs.record_flags(tininess=HUGE_TEXT).__enter__(), ValueError, ["tininess='xxx", "'after'"]),
        (lambda: fs.record_flags(only=[HUGE_TEXT]).__enter__(), ValueError, ["only=['xxx", "not an exception"]),
        (lambda: fs.explain.rounding(HUGE_LIST), TypeError, ["x=[1, 1,", "is not one number"]),
        (lambda: fs.explain.parse(HUGE_LIST), TypeError, ["text=[1, 1,", "is not text"]),
        (lambda: fs.explain.parse("1" * 10**7), ValueError, ["text of 10000000 characters is too long"]),
        (lambda: fs.explain.rounding("0x" + "f" * 9000), ValueError, ["0xfff", "has 16 bits"]),
        (lambda: fs.explain.rounding("0_" + "1" * 9000 + "_1"), ValueError, ["1, 5 and 10 bits"]),
        (lambda: fs.explain.rounding(np.timedelta64(3, "s")), TypeError, ["timedelta64", "is not a real number"]),
        (lambda: fs.round_to([np.timedelta64(3, "s")]), TypeError, ["timedelta64", "is not a real number"]),
        (lambda: exact.round_to(np.array([[1, 2], [3, 4]])), TypeError, ["of type ndarray is not a real number"]),
    ],
)
def test_hostile_input_is_refused_at_once_in_few_words(call, error, fragments):
    message = refused(call, error)
    assert len(message) < 3 * LONGEST_QUOTE
    for fragment in fragments:
        assert fragment in message


def test_a_number_too_long_to_be_written_is_still_rounded_and_explained():
    x = Fraction(HUGE_INT, 3)
    with np.errstate(over="ignore"):
        assert fs.round_to([x, -x]).tolist() == [np.inf, -np.inf]
    assert "Fraction(<an integer of 16610 bits>, 3) rounded to binary16" in str(fs.explain.rounding(x))


@pytest.mark.parametrize(
    "text", ["1" * 10**7, "0" * 10**7, "x" * 10**7, "0b" + "1" * 10**7, " " * 10**7 + "1", "1e" + "9" * 10**6]
)
@pytest.mark.parametrize("command", ["show", "compare", "explain"])
def test_ten_million_digits_on_the_command_line_are_refused_in_one_moment(command, text, capsys):
    main([command, "1"])  # which loads the command
    capsys.readouterr()
    times = []
    for _ in range(3):
        start = time.perf_counter()
        assert main([command, text]) == 2
        times.append(time.perf_counter() - start)
    assert min(times) < 0.05
    assert len(capsys.readouterr().err) < 3 * 400


@pytest.mark.parametrize(
    ("x", "shown"),
    [
        ("0.1", "'0.1'"),
        (10**300, "<an integer of 997 bits>"),
        (-1, "-1"),
        ({i: i for i in range(100)}, "{0: 0, 1: 1, 2: 2, 3: 3, ...}"),
        (ITSELF, "[[[[[...]]]]]"),
        (b"a" * 3, "b'aaa'"),
        ("\x1b[31m", "'\\x1b[31m'"),
        (Fraction(1, HUGE_INT), "Fraction(1, <an integer of 16610 bits>)"),
    ],
)
def test_a_quotation_is_a_short_repr(x, shown):
    assert quoted(x) == shown


@pytest.mark.parametrize("x", [HUGE_TEXT, HUGE_TEXT.encode(), HUGE_LIST, set(range(10**6)), [["a" * 1000] * 9] * 9])
def test_a_quotation_is_never_long(x):
    assert len(quoted(x)) <= LONGEST_QUOTE


# --- the rule in every file -----------------------------------------------------------------------------------------

PATHS_AND_OUR_OWN_NAMES = re.compile(
    r"str\(.*\)|self\.path|.*\.data|(.*\.)?(fmt|wanted)\.name|__name__|name|twice|kind|dtype|text\[position\]|float\(nearest\)|"
    r"self\.(specials|subnormals)\.value|exclude_m..|allow_subnormal|path\.(machine|step)|SCHEMA"
)
"""What a message may show with !r."""


def quotations(path):
    """(line, expression) of each {x!r} in a message that is raised."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Raise) and node.exc is not None:
            for part in ast.walk(node.exc):
                if isinstance(part, ast.FormattedValue) and part.conversion == ord("r"):
                    yield node.lineno, ast.unparse(part.value)


def test_an_error_shows_what_was_given_in_the_words_of_quoted():
    home = Path(fs.__file__).parent
    long = [
        f"{path.relative_to(home)}:{line} {shown}"
        for path in sorted(home.rglob("*.py"))
        for line, shown in quotations(path)
        if not PATHS_AND_OUR_OWN_NAMES.fullmatch(shown)
    ]
    assert not long
