"""Exercises of the lesson "The article, claim by claim".

Write the functions, then run: fp16sim grade exercises/the_article.py
"""

TASKS = {
    "memory": "memory",
    "f1": "f1",
    "first_step": "first_step",
    "survives": "survives",
}


def memory(parameters, activations, master):
    """Bytes held while training with Adam, an integer.

    There are that many parameters, each with a weight, a gradient and two moments; and that many numbers in activations.
    Without master weights every number has 2 bytes. With them, weights and activations have 2 bytes, and there are a second
    copy of the weights, gradients and moments of 4 bytes each. memory(1000, 5000, False) is 18000.
    """
    raise NotImplementedError


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


def survives(epsilon):
    """Whether 0 / (sqrt(0) + epsilon) is a number in binary16, epsilon rounded to it first: True or False.

    survives(1e-4) is True, and survives(1e-8) is False.
    """
    raise NotImplementedError
