"""Exercises of the lesson "Why the run died".

Write the functions, then run: fp16sim grade exercises/why_the_run_died.py

fs.add, fs.subtract and fs.multiply(a, b, fmt) round once, ties to even; fs.round_to(x, fmt) gives a constant.
"""

TASKS = {
    "first_second_moment": "first_second_moment",
    "absorbed": "absorbed",
    "kahan_update": "kahan_update",
    "dynamic_step": "dynamic_step",
}


def first_second_moment(g):
    """Adam's v after its first step, in binary16: (1 - beta2) * (g * g), where beta2 is 0.999 rounded to binary16.

    Each of the three operations is rounded to binary16. first_second_moment(32.0) is 1.0.
    """
    raise NotImplementedError


def absorbed(weight, step, fmt):
    """Whether weight + step, rounded to the format, is the weight again though the step is not 0: True or False.

    absorbed(1.0, 0.001, "bfloat16") is True, and absorbed(1.0, 0.001, "binary16") is False.
    """
    raise NotImplementedError


def kahan_update(weight, lost, step):
    """The pair (weight, lost) after one turn of the loop of the lesson "Sums", every operation rounded to bfloat16.

    y = step - lost; the new weight is weight + y; the new lost is (new weight - weight) - y. kahan_update(256.0, 0.0,
    1.0) is (256.0, -1.0).
    """
    raise NotImplementedError


def dynamic_step(gradients, scale, good, interval):
    """The tuple (taken, scale, good) after a step under a dynamic loss scale; `gradients` is a list of floats.

    If one of them is not finite: not taken (False), half the scale, 0 good steps. Else taken, one more good step; when
    these are `interval`, the scale doubles and the count starts again from 0. dynamic_step([1.0, -2.0], 8.0, 1, 2) is
    (True, 16.0, 0).
    """
    raise NotImplementedError
