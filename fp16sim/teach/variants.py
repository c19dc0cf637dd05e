"""Exercises with formats and modes drawn from a student's name, so that solutions cannot be copied.

    variant = draw("Anna Müller", secret="oak")
    variant.tasks["own_round"]            # ("rounding", Format(...), Rounding...)
    variant.text()                        # the file of exercises, for exercises/variant.py

The same name and word give the same exercises again, here and on every machine: a file that is handed in says whose
it is, and `marks` draws anew what it is graded as. Without a word everybody can draw everybody's; with one, the
teacher only.
"""

from __future__ import annotations

import ast
import hashlib
import random
import unicodedata
from dataclasses import dataclass
from typing import Any

from ..formats import Format, Rounding
from ..wording import power_of_two, quoted

FILE = "variant.py"
LONGEST_NAME = 100

EXERCISES: dict[str, tuple[str, str, str, str]] = {
    "own_fields": ("fields", "A", "code", "The tuple (sign, E, T), integers, of a code of the format A."),
    "own_classify": (
        "classify",
        "A",
        "code",
        'The kind of number of a code of A: "zero", "subnormal", "normal", "infinity" or "nan".',
    ),
    "own_decode": (
        "decode",
        "A",
        "code",
        "The value, a float, of a code of A; also the zeros of both signs, the infinities, and NaN.",
    ),
    "own_ulp": (
        "ulp",
        "B",
        "x",
        "The distance of the numbers of B in the binade of x, a value of B; infinity for infinities, NaN for NaN.",
    ),
    "own_next_down": ("next_down", "B", "x", "The largest value of B that is less than x; -infinity and NaN stay."),
    "own_round": ("rounding", "B", "x", "The float x rounded to B, {mode}."),
    "own_other_round": ("rounding", "C", "x", "The float x rounded to C, {mode}."),
    "own_multiply": ("multiply", "C", "a, b", "a * b rounded once to C, {mode}; also infinities, NaN, and -0."),
}
"""By function: the task, the letter of its format, the arguments, and what it returns. B and C have a mode each."""

MODES = {
    Rounding.TIES_TO_AWAY: "to nearest, a tie away from zero",
    Rounding.TOWARD_ZERO: "toward zero",
    Rounding.TOWARD_POSITIVE: "toward positive: to the least value that is not less",
    Rounding.TOWARD_NEGATIVE: "toward negative: to the greatest value that is not greater",
    Rounding.TO_ODD: "to odd: itself if the format has it, else the neighbour whose last bit is 1",
}
_NO_MODE = Rounding.TIES_TO_EVEN
"""Of the tasks that do not round."""
FORMATS = [(exponent_bits + precision, precision) for exponent_bits in range(3, 8) for precision in range(4, 10)]
"""(width, precision): none is a format of the lessons."""


@dataclass(frozen=True)
class Variant:
    """The exercises of one student: her name, what shows that name and word belong together, and what is drawn."""

    student: str
    check: str
    formats: tuple[Format, Format, Format]
    modes: tuple[Rounding, Rounding, Rounding]

    @property
    def tasks(self) -> dict[str, tuple[str, Format, Rounding]]:
        """What each function is graded as, for `grade.file(path, declared=...)`."""
        place = {"A": 0, "B": 1, "C": 2}
        return {
            name: (task, self.formats[place[letter]], self.modes[place[letter]] if "{mode}" in text else _NO_MODE)
            for name, (task, letter, _, text) in EXERCISES.items()
        }

    def text(self) -> str:
        """The file of exercises."""
        formats = "\n".join(map(_defined, self.formats))
        rows = "\n".join(
            f'    "{name}": ("{task}", {fmt.name}{_mode(mode)}),' for name, (task, fmt, mode) in self.tasks.items()
        )
        stubs = "\n\n\n".join(
            f'def {name}({EXERCISES[name][2]}):\n    """{_statement(name, mode)}"""\n    raise NotImplementedError'
            for name, (_, _, mode) in self.tasks.items()
        )
        return _FILE.format(student=self.student, check=self.check, formats=formats, rows=rows, stubs=stubs)


_FILE = '''"""Exercises of your own: formats and modes are drawn from your name. Run: fp16sim grade exercises/variant.py

They are like those of the lessons. Subnormal numbers, infinities and NaN are as in binary16: the largest E is theirs.
Leave the next two lines as they are: they say whose exercises these are.
"""

import fp16sim as fs

STUDENT = {student!r}
CHECK = {check!r}

{formats}

TASKS = {{
{rows}
}}


{stubs}
'''


def _mode(mode: Rounding) -> str:
    return "" if mode is _NO_MODE else f', "{mode.value}"'


def _defined(fmt: Format) -> str:
    shape = f"1 sign bit, {fmt.exponent_bits} bits of E, bias {fmt.bias}, {fmt.trailing_bits} bits of T"
    ends = f"largest number {float(fmt.max_finite)!r}, smallest {power_of_two(float(fmt.min_subnormal))}"
    return (
        f"# {fmt.name}: {shape};\n# {ends}\n"
        f'{fmt.name} = fs.Format("{fmt.name}", width={fmt.width}, precision={fmt.precision})'
    )


def _statement(name: str, mode: Rounding) -> str:
    return EXERCISES[name][3].format(mode=MODES.get(mode, ""))


# --- drawing --------------------------------------------------------------------------------------------------------


def draw(student: str, secret: str = "") -> Variant:
    """The variant of a student: the same for the same name, in capitals or not, and the same word.

    Raises
    ------
    ValueError
        For a name that is empty, too long, or has characters that cannot be seen.

    Examples
    --------
    >>> draw("Anna").tasks == draw(" anna ").tasks, draw("Anna").tasks == draw("Anna", "oak").tasks
    (True, False)
    """
    name = " ".join(unicodedata.normalize("NFC", student).split()).casefold()
    if not name or not name.isprintable() or len(name) > LONGEST_NAME:
        raise ValueError(f"student={quoted(student)} is not a name; use 1 to {LONGEST_NAME} letters, digits and spaces")
    seed = hashlib.sha256(f"{name}\0{secret}".encode()).hexdigest()
    source = random.Random(seed)
    shapes = source.sample(FORMATS, 3)
    a, b, c = (Format(letter, width=w, precision=p) for letter, (w, p) in zip("ABC", shapes, strict=True))
    first, second = source.sample(list(MODES), 2)
    return Variant(" ".join(student.split()), seed[:8], (a, b, c), (_NO_MODE, first, second))


def named_in(text: str) -> tuple[str, str] | None:
    """STUDENT and CHECK of a file, without running it; None if it is no file of a variant."""
    found: dict[str, Any] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            found[ast.unparse(node.targets[0])] = node.value.value
    student = found.get("STUDENT")
    return (student, str(found.get("CHECK"))) if isinstance(student, str) else None


def words(name: str) -> set[str]:
    """The words of a name, for comparisons: without capitals, signs and accents.

    >>> sorted(words("Müller, Anna_1234"))
    ['1234', 'anna', 'muller']
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return set("".join(c if c.isalnum() else " " for c in plain).split())
