"""Exercises of the lesson "A network in 16 bits". Write them, then run: fp16sim grade exercises/mlp_in_16_bits.py

fs.add(a, b), fs.subtract(a, b) and fs.multiply(a, b) round once each to binary16, ties to even.
"""

import fp16sim as fs

TASKS = {
    "largest_scale": "largest_scale",
    "one_weight": "one_weight",
}


def largest_scale(gradients):
    """The largest of 1, 2, 4, ... 32768 by which all these gradients can be multiplied and stay finite in binary16.

    They are a list of floats below 65520 in size. For an empty list, or one of zeros, it is 32768. largest_scale([3.0,
    0.1]) is 16384.
    """
    raise NotImplementedError


def one_weight(w, x, target, rate, steps):
    """The weight w of a network whose output is w * x, after some steps, all in binary16.

    A step computes error = w * x - target, then gradient = error * x, then w = w - rate * gradient. Each operation
    is rounded. one_weight(1.0, 1.0, 2.0, 0.5, 2) is 1.75.
    """
    raise NotImplementedError
