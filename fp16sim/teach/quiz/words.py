"""The words of questions and solutions, each explained in a sentence.

Where the glossary of the course, `tutorials/glossary.md`, has the word too, its entry begins with the same sentence: a
test compares them.
"""

from __future__ import annotations

import re

WORDS = {
    "absorption": "b is so small beside a that a + b gives a: b is at most half an ulp of a, and is lost",
    "align": "write both operands with the same power of two, so that they can be added",
    "bias": "what is added to an exponent before it is stored, so that the stored field is never negative",
    "biased exponent": "the exponent field as it is stored: the exponent plus the bias",
    "cancellation": "two nearly equal numbers are subtracted: their leading digits vanish, and what was wrong in "
    "the last digits comes first",
    "carry": "a digit that moves one place to the left, as in 9 + 1",
    "class": "what kind of number a code stands for: zero, subnormal, normal, infinity or NaN",
    "code": "the bits of a number, read as an integer",
    "divide_by_zero": "the flag for a finite number other than 0, divided by 0: the result is infinity",
    "double rounding": "a number is rounded to one format and then to a shorter one",
    "emin": "the exponent of min_normal, the smallest normal number: 1 - bias",
    "exponent": "the e in a number that is written as 1.... times 2^e",
    "flag": "a mark that an operation leaves when its result is not exact, too large, too small, or not sensible",
    "fraction": "a part of 1",
    "guard, round and sticky": "the three bits that decide a rounding: the first one after those that are kept, "
    "the next one, and whether any later bit is 1",
    "implicit 1": "the bit before the point of a normal number; it is always 1, so it is not stored",
    "inexact": "the flag for a result that had to be rounded",
    "infinity": "what stands for numbers beyond max_finite",
    "integer ratio": "a fraction of integers",
    "invalid": "the flag for an operation without a sensible result, such as 0 / 0: the result is NaN",
    "kept": "the digits that the format has room for; the others are cut off",
    "leading bit": "the first bit that is not 0",
    "magnitude": "a number without its sign",
    "max_finite": "the largest number of a format",
    "midpoint": "the number halfway between two neighbours",
    "min_normal": "the smallest positive normal number, with all digits: 2^emin",
    "min_subnormal": "the smallest positive number of a format",
    "mode": "the rule by which a number between two neighbours becomes one of them",
    "NaN": '"not a number": the result of 0 / 0 and the like',
    "normal": "a number with an implicit 1",
    "normalisation": "moving the point until one digit other than 0 stands before it",
    "operand": "one of the numbers that an operation is given",
    "overflow": "the flag for a rounded result beyond max_finite",
    "product": "the result of a multiplication",
    "quantum": "the value of the last bit of a number",
    "quiet NaN": "the usual NaN, which passes through operations silently; a signaling one raises invalid first",
    "quotient": "the result of a division",
    "remainder": "what is left over in a division of integers",
    "scale": "a drawing of the two neighbours, the midpoint between them, and the exact number",
    "sign": "the first bit: 0 for +, 1 for -",
    "significand": "the digits of a number: 1.1001 in 1.1001 * 2^3",
    "stochastic": "the mode that rounds up or down at random, to the nearer neighbour more often",
    "subnormal": "a number below min_normal, the smallest normal one: it has no implicit 1, and fewer digits",
    "term": "one of the numbers of a sum",
    "tie": "a number exactly halfway between two neighbours",
    "ties_to_away": "to the nearest number; a tie to the one that is farther from 0",
    "ties_to_even": "the usual rule: to the nearest number; a tie to the one whose last bit is 0",
    "to_odd": "if the number is not exact, to the neighbour whose last bit is 1",
    "toward_negative": "to the neighbour below",
    "toward_positive": "to the neighbour above",
    "toward_zero": "to the neighbour that is nearer to 0: what is cut off is forgotten",
    "trailing significand": "the stored bits of the significand: those after the point",
    "ulp": '"unit in the last place": the distance from one number to the next, at this place',
    "underflow": "the flag for a result below min_normal that had to be rounded",
}
"""In alphabetical order."""


def used_in(text: str) -> dict[str, str]:
    """The words of a text that `WORDS` explains, also in the plural.

    >>> list(used_in("Exactly half an ulp is cut off: a tie."))
    ['tie', 'ulp']
    """
    found = text.lower()
    return {word: said for word, said in WORDS.items() if re.search(rf"\b{_pattern(word)}\b", found)}


def _pattern(word: str) -> str:
    return "(?:guard|sticky)s?" if word.startswith("guard") else rf"{re.escape(word.lower())}(?:s|es|ed)?"
