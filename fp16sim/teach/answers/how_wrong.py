"""How wrong is it: hints, and worked solutions."""

import math

import fp16sim as fs

HINTS = {
    "ulps_apart": (
        "How far apart are the codes of two positive numbers? What goes wrong if one of them is negative?",
        "Codes count the steps away from zero. Give each number a place on one line: the code itself for a positive "
        "number, its negative for a negative one, without the sign bit. Then both zeros are at place 0.",
        "The place is the code if it is below 0x8000, else 0x8000 - code. The answer is the distance of the two "
        "places.",
    ),
    "small_root": (
        "Which step of the school formula subtracts two numbers that are nearly equal?",
        "The two roots multiply to 1: compute the larger one, where nothing cancels, and take 1 divided by it. And b "
        "* b overflows: write the root of b^2 - 4 as a product of two roots.",
        "With size = abs(b), s = math.sqrt(size - 2) * math.sqrt(size + 2); the larger root is size / 2 + s / 2. "
        "Return its reciprocal with the sign of b.",
    ),
    "versine_ratio": (
        "For a small x, what is left of the digits of 1 - cos x?",
        "1 - cos x = 2 sin(x / 2)^2: nothing is subtracted any more. Divide the sine by x / 2 before you square it, "
        "so that a tiny square does not underflow.",
        "r = math.sin(x / 2) / (x / 2); the ratio is r * r / 2, rounded with fs.round_to at the end. At x = 0 return "
        "0.5.",
    ),
}


def place(x):
    """Where a number stands on the line: the steps from zero, negative below it."""
    code = int(fs.encode(x))
    return code if code < 0x8000 else 0x8000 - code


def ulps_apart(a, b):
    """Neighbours have neighbouring codes, so that a difference of codes counts steps.

    For negative numbers the code grows downward, and has the sign bit: 0x8000 - code turns it round and removes the
    bit. Both zeros come to place 0, so that they count as one place on the way.
    """
    return abs(place(a) - place(b))


def small_root(b):
    """The product of the two roots is 1, so that the small one is 1 divided by the large one.

    In the large one two positive numbers are added, and nothing cancels. b^2 - 4 = (b - 2)(b + 2), and the root of
    the product is the product of the roots: neither overflows. Halving before the addition keeps that from
    overflowing, too.
    """
    size = abs(b)
    s = math.sqrt(size - 2) * math.sqrt(size + 2)
    return math.copysign(1 / (size / 2 + s / 2), b)


def versine_ratio(x):
    """The identity 1 - cos x = 2 sin(x / 2)^2 replaces a subtraction of nearly equal numbers by a product.

    (1 - cos x) / x^2 = (sin(x / 2) / (x / 2))^2 / 2. The quotient is near 1 for every small x, so that no step
    underflows. The few errors of the last digits of a float are far below the rounding to binary16.
    """
    if x == 0:
        return 0.5
    ratio = math.sin(x / 2) / (x / 2)
    return fs.round_to(0.5 * ratio * ratio, "binary16")
