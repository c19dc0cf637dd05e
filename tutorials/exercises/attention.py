"""Exercises of the lesson "Attention in 16 bits". Write the functions, then run: fp16sim grade exercises/attention.py

All is in binary16, and each step is rounded: fs.add(a, b), fs.subtract(a, b), fs.multiply(a, b), fs.divide(a, b) and
fs.exp(x) round once each. Sums go from left to right, and begin with the first term.
"""

import fp16sim as fs

TASKS = {
    "my_softmax": "softmax",
    "my_attention": "attention",
    "my_online": "online_attention",
}


def my_softmax(values):
    """The softmax of a list of numbers, a list: subtract the largest, take fs.exp, add them up, divide each by the sum.

    my_softmax([12.0, 11.0, 10.0]) is [0.6650..., 0.2446..., 0.0900...]: nothing is infinite.
    """
    raise NotImplementedError


def my_attention(query, keys, values, seen, scale):
    """What one query gets, a list with a number for each column of `values`.

    query is a list, keys a list of lists (one for each token), values as well, and seen says of each key whether it
    counts: True or False. Multiply the query by the scale. The scores are its dot products with the keys that are seen;
    take their softmax, and then the dot product of these weights with each column. If no key is seen, all are 0.0.
    my_attention([2.0, 1.0], [[1.0, 0.0], [0.0, 1.0]], [[1.0], [3.0]], [True, False], 0.5) is [1.0].
    """
    raise NotImplementedError


def my_online(scores, values, tile):
    """The mean of the values, weighted by the softmax of the scores, a number: `tile` scores at a time.

    Keep m, the largest score so far, the sum of e^(score - m), and the sum of e^(score - m) * value. For each tile: the
    new m; the two sums of this tile, each from left to right; each old sum times e^(old m - new m), plus that of the
    tile. At the end divide once. A score of -infinity is a hidden key: leave out a tile that has no other. If all are
    hidden, the result is 0.0. my_online([0.0, 1.0], [1.0, 3.0], 1) is 2.46...
    """
    raise NotImplementedError
