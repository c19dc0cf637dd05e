"""Backpropagation: puzzles, hints, and worked solutions."""

import itertools

import fp16sim as fs

from ..grading.puzzles import Puzzle

PUZZLES = {
    "rates_of_product": Puzzle(
        "f(a, b)",
        "the pair of rates of a * b: how much it grows for 1 more of a, and for 1 more of b",
        "pairs",
        lambda: itertools.permutations([2.0, 3.0, -1.0, 0.5, 5.0, -4.0, 0.25, 10.0], 2),
        lambda a, b: (b, a),
        [((2.0, 3.0), (3.0, 2.0)), ((5.0, 0.0), (0.0, 5.0)), ((-1.0, 4.0), (4.0, -1.0)), ((0.5, 0.25), (0.25, 0.5))],
    ),
    "rate_of_relu": Puzzle(
        "f(x)",
        "the rate of relu at x: 1.0 or 0.0; at x = 0 it is 0.0",
        "numbers",
        [3.0, -3.0, 0.0, *(sign * 2.0**k for k in (*range(16), *range(-1, -25, -1)) for sign in (1, -1))],
        lambda x: float(x > 0),
        [(3.0, 1.0), (-3.0, 0.0), (0.0, 0.0), (2.0**-24, 1.0), (-(2.0**-24), 0.0)],
    ),
}

HINTS = {
    "rates_of_product": (
        "Five boxes of b apples become six boxes: how many apples more? And five boxes with one more apple in each?",
        "One more of a gives b more, whatever a is. One more of b gives a more. The pair is asked for in this order.",
        "The first rate is the other factor, b. The second is the other one again, a.",
    ),
    "rate_of_relu": (
        "relu(x) is x where x is positive. If x = 3 grows a little, how much does relu grow? And if x = -3 grows?",
        "Where x is positive, relu grows as x does: the rate is 1. Where x is negative, relu stays 0: the rate is 0.",
        "One comparison decides: return 1.0 if x > ... else 0.0",
    ),
    "line_gradients": (
        "What are the two ways back for one single point, and what is done with the results of several points?",
        "For one point, e = w * x + b - t, and the loss e * e grows by 2 * e for 1 more of e. One more of w gives x "
        "more of e, one more of b gives 1 more. The points are several ways: their results are added.",
        """Begin with by_w = by_b = 0.0. Then

            for x, t in zip(xs, ts): compute e; by_w grows by 2 * e * x, by_b by 2 * e

        and return the pair.""",
    ),
    "divide_vjp": (
        "How many roundings are there in g / b, and how many in -(g * y) / b, if y = a / b is rounded as well?",
        "One, and three: y = a / b, then g * y, whose sign is changed (that is exact), then the division by b.",
        "y = fs.divide(a, b). The pair is fs.divide(g, b), and fs.divide of the negative of fs.multiply(g, y) by b.",
    ),
}


def rates_of_product(a, b):
    """If a grows by 1, a * b becomes (a + 1) * b, which is b more. The same for b: a more.

    So each factor gets the other one. That is why a network has to remember its numbers until the way back: the
    gradient of each weight is made with the number that met it on the way forward.
    """
    return b, a


def rate_of_relu(x):
    """Where x is positive, relu(x) is x, and grows by 1 for 1. Where x is negative, it is 0, and stays 0.

    At 0 there is a corner, and school says that there is no derivative. Programs take 0.
    """
    return 1.0 if x > 0 else 0.0


def line_gradients(w, b, xs, ts):
    """For each point the walk is that of the lesson: 2 * e comes to the error, and from there x to w and 1 to b.

    All points belong to one loss, so each is one more way to w and to b, and what they bring is added. A batch of
    pictures does the same: the gradient of a weight is a sum over the batch. In 16 bits this sum is rounded too, and
    the next lesson shows what can become of it.
    """
    by_w = by_b = 0.0
    for x, t in zip(xs, ts, strict=True):
        error = w * x + b - t
        by_w += 2 * error * x
        by_b += 2 * error
    return by_w, by_b


def divide_vjp(g, a, b):
    """y = a / b has the derivatives 1 / b and -a / b^2 = -y / b; each is multiplied by g.

    With y, b * b is not needed: it would overflow, or underflow, long before the quotient does. The minus sign is
    exact, so that it does not matter to which factor it is given, except for the sign of a zero.
    """
    y = fs.divide(a, b)
    return fs.divide(g, b), fs.divide(-fs.multiply(g, y), b)
