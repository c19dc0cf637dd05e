"""Exercises of the lesson "The article, claim by claim".

Write the functions, then run: fp16sim grade exercises/the_article.py
"""

import fp16sim as fs

TASKS = {
    "f1": "f1",
    "first_step": "first_step",
    "changed": "changed",
}


def f1(labels, predicted, positive):
    """F1 of one class: 2 t / (labels of the class + predictions of it), t the right ones among them; 0.0 for 0 / 0.

    f1([0, 1, 1, 1], [1, 1, 0, 0], 1) is 0.4.
    """
    raise NotImplementedError


def first_step(g, beta1, beta2, correct):
    """Adam's first step for a gradient g that is not 0, in learning rates, with epsilon 0, in Python floats.

    That is m / sqrt(v), where m and v start at 0. If correct is true, m is divided by 1 - beta1, and v by 1 - beta2, first.
    first_step(2.0, 0.75, 0.75, False) is 0.5.
    """
    raise NotImplementedError


def changed(low, high, fmt):
    """How many of the integers from low to high, both included, are not numbers of the format: an integer.

    fs.round_to(n, fmt) rounds one number or an array. changed(2047, 2050, "binary16") is 1, because of 2049.
    """
    raise NotImplementedError
