"""Exercises of lesson 11: training. Write the functions, then run: fp16sim grade exercises/11_why_the_run_died.py

fs.add, fs.subtract and fs.multiply(a, b, fmt) round once, ties to even; fs.round_to(x, fmt) gives a constant.
"""

import math

TASKS = {
    "first_second_moment": [
        ((1.0,), 2.0**-10),
        ((32.0,), 1.0),
        ((-(2.0**-7),), 2.0**-24),
        ((2.0**-8,), 0.0),
        ((0.0,), 0.0),
        ((128.0,), 16.0),
        ((256.0,), math.inf),
    ],
    "absorbed": [
        ((1.0, 0.001, "bfloat16"), True),
        ((1.0, 0.001, "binary16"), False),
        ((1.0, 2.0**-8, "bfloat16"), True),
        ((1.0, -(2.0**-8), "bfloat16"), False),
        ((1.0, -(2.0**-9), "bfloat16"), True),
        ((1.0, 0.0, "bfloat16"), False),
        ((0.0, 2.0**-130, "bfloat16"), False),
        ((2048.0, 1.0, "binary16"), True),
        ((2050.0, 1.0, "binary16"), False),
    ],
    "kahan_update": [
        ((1.0, 0.0, 2.0**-7), (1.0 + 2.0**-7, 0.0)),
        ((1.0, 0.0, 2.0**-9), (1.0, -(2.0**-9))),
        ((1.0, -(2.0**-9), 2.0**-9), (1.0, -(2.0**-8))),
        ((1.0, -(2.0**-8), 2.0**-9), (1.0 + 2.0**-7, 2.0**-9)),
        ((256.0, 0.0, 1.0), (256.0, -1.0)),
        ((256.0, -1.0, 1.0), (258.0, 0.0)),
    ],
    "dynamic_step": [
        (([1.0, -2.0], 8.0, 0, 2), (True, 8.0, 1)),
        (([1.0, -2.0], 8.0, 1, 2), (True, 16.0, 0)),
        (([1.0, math.inf], 8.0, 1, 2), (False, 4.0, 0)),
        (([math.nan, 0.0], 1024.0, 5, 2000), (False, 512.0, 0)),
        (([-math.inf], 1.0, 0, 1), (False, 0.5, 0)),
        (([0.0], 1.0, 0, 1), (True, 2.0, 0)),
    ],
}


def first_second_moment(g):
    """Adam's v after its first step, in binary16: (1 - beta2) * (g * g), where beta2 is 0.999 rounded to binary16.

    Each of the three operations is rounded to binary16.
    """
    raise NotImplementedError


def absorbed(weight, step, fmt):
    """Whether weight + step, rounded to the format, is the weight again though the step is not 0: True or False."""
    raise NotImplementedError


def kahan_update(weight, lost, step):
    """The pair (weight, lost) after one turn of the loop of lesson 7, every operation rounded to bfloat16.

    y = step - lost; the new weight is weight + y; the new lost is (new weight - weight) - y.
    """
    raise NotImplementedError


def dynamic_step(gradients, scale, good, interval):
    """The tuple (taken, scale, good) after a step under a dynamic loss scale; `gradients` is a list of floats.

    If one of them is not finite: not taken (False), half the scale, 0 good steps. Else taken, one more good step; when
    these are `interval`, the scale doubles and the count starts again from 0.
    """
    raise NotImplementedError
