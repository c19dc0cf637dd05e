"""Exercises of the lesson "Loss scaling". Write the functions, then run: fp16sim grade exercises/loss_scaling.py

Python's floats hold every product here exactly: compare with where binary16 ends, 2^-25 and 65520.
"""

TASKS = {
    "fate_of": "fate_of",
    "dynamic_step": "dynamic_step",
    "count_skipped": "count_skipped",
}


def fate_of(gradients, k):
    """The pair (zeros, infinities): how many of a list of floats become 0, and infinite, if they are multiplied by 2^k.

    Each product is rounded to binary16. What was 0 before does not count. fate_of([0.0, 1e-8, -3.0], 0) is (1, 0), and
    fate_of([0.0, 1e-8, -3.0], 15) is (0, 1).
    """
    raise NotImplementedError


def dynamic_step(gradients, scale, good, interval):
    """The tuple (taken, scale, good) after a step under a dynamic loss scale; `gradients` is a list of floats.

    If one of them is not finite: not taken (False), half the scale, 0 good steps. Else taken, one more good step; when
    these are `interval`, the scale doubles and the count starts again from 0. dynamic_step([1.0, -2.0], 8.0, 1, 2) is
    (True, 16.0, 0).
    """
    raise NotImplementedError


def count_skipped(largest, scale, interval):
    """How many steps of a run are skipped under a dynamic loss scale: an integer.

    `largest` is a list: the size of the largest gradient of each step, before scaling. A step whose product with the
    scale is infinite in binary16 is skipped. The scale changes as in dynamic_step. count_skipped([3.0, 3.0, 3.0], 65536.0,
    1) is 2: with 65536 and 32768 the step is skipped, and with 16384 it is taken.
    """
    raise NotImplementedError
