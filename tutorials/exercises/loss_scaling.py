"""Exercises of the lesson "Loss scaling". Write the functions, then run: fp16sim grade exercises/loss_scaling.py

Python's floats hold every product here exactly: compare with where binary16 ends, 2^-25 and 65520.
"""

TASKS = {
    "fate_of": "fate_of",
    "static_scale": "static_scale",
    "dynamic_step": "dynamic_step",
}


def fate_of(gradients, k):
    """The pair (zeros, infinities): how many of a list of floats become 0, and infinite, if they are multiplied by 2^k.

    Each product is rounded to binary16. What was 0 before does not count. fate_of([0.0, 1e-8, -3.0], 0) is (1, 0), and
    fate_of([0.0, 1e-8, -3.0], 15) is (0, 1).
    """
    raise NotImplementedError


def static_scale(gradients):
    """The largest of the powers of two from 1 to 2^15 by which all gradients can be multiplied and stay finite.

    `gradients` is a list of floats with at least one, and the products are rounded to binary16. If not even 1 will do,
    it is 1. static_scale([0.5, -3.0]) is 16384.0.
    """
    raise NotImplementedError


def dynamic_step(gradients, scale, good, interval):
    """The tuple (taken, scale, good) after a step under a dynamic loss scale; `gradients` is a list of floats.

    If one of them is not finite: not taken (False), half the scale, 0 good steps. Else taken, one more good step; when
    these are `interval`, the scale doubles and the count starts again from 0. dynamic_step([1.0, -2.0], 8.0, 1, 2) is
    (True, 16.0, 0).
    """
    raise NotImplementedError
