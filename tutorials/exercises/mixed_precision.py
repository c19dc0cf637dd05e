"""Exercises of the lesson "Mixed precision". Write the functions, then run: fp16sim grade exercises/mixed_precision.py

fs.add and fs.subtract(a, b, fmt) round once, ties to even.
"""

import fp16sim as fs

TASKS = {
    "absorbed": "absorbed",
    "kahan_update": "kahan_update",
    "memory": "memory",
}


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


def memory(parameters, activations, master):
    """Bytes held while training with Adam, an integer.

    There are that many parameters, each with a weight, a gradient and two moments; and that many numbers in activations.
    Without master weights every number has 2 bytes. With them, weights and activations have 2 bytes, and there are a second
    copy of the weights, gradients and moments of 4 bytes each. memory(1000, 5000, False) is 18000.
    """
    raise NotImplementedError
