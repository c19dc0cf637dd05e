"""Backpropagation: hints, and worked solutions."""

from itertools import accumulate

import fp16sim as fs

HINTS = {
    "tanh_vjp": (
        "In which order do the brackets of g * (1 - y * y) ask for the operations?",
        "Three operations, each of them rounded: y * y, then 1 minus that, then g times that.",
        "From the inside out: fs.multiply(y, y), fs.subtract(1.0, ...), fs.multiply(g, ...).",
    ),
    "divide_vjp": (
        "How many roundings are there in g / b, and how many in -(g * y) / b, if y = a / b is rounded as well?",
        "One, and three: y = a / b, then g * y, whose sign is changed (that is exact), then the division by b.",
        "y = fs.divide(a, b). The pair is fs.divide(g, b), and fs.divide of the negative of fs.multiply(g, y) by b.",
    ),
    "product_gradients": (
        "What does the derivative by one factor consist of? Which products occur again and again?",
        "It is the product of the factors before it times the product of those after it. The products from the "
        "front are computed once, and kept; g collects those from the back.",
        """Keep before[k], the rounded product of the factors up to k. Start with
        g = 1.0. For k from the last down to 1:

            note fs.multiply(g, before[k - 1]); then g becomes fs.multiply(g, factors[k])

        The first factor gets the g that is left. Turn the list round at the end.""",
    ),
}


def tanh_vjp(g, y):
    """The derivative of tanh is 1 - tanh^2, and y = tanh(x) is there already: nothing is computed again.

    Where y is so near to 1 that y * y rounds to 1, the derivative is 0, and no gradient passes: the unit is saturated.
    """
    return fs.multiply(g, fs.subtract(1.0, fs.multiply(y, y)))


def divide_vjp(g, a, b):
    """y = a / b has the derivatives 1 / b and -a / b^2 = -y / b; each is multiplied by g.

    With y, b * b is not needed: it would overflow, or underflow, long before the quotient does. The minus sign is
    exact, so that it does not matter to which factor it is given, except for the sign of a zero.
    """
    y = fs.divide(a, b)
    return fs.divide(g, b), fs.divide(-fs.multiply(g, y), b)


def product_gradients(factors):
    """The walk of backpropagation: forward it keeps the partial products, backward it multiplies them by g.

    accumulate(factors, fs.multiply) gives the rounded products from the front. g is the product of the factors
    behind. So 2n multiplications give all n derivatives, where n products from scratch would need n^2. If g
    underflows on the way, all the factors before that get 0.
    """
    before = list(accumulate(factors, fs.multiply))
    g, found = 1.0, []
    for k in range(len(factors) - 1, 0, -1):
        found.append(fs.multiply(g, before[k - 1]))
        g = fs.multiply(g, factors[k])
    return [g, *reversed(found)]
