"""Exercises of the lesson "Backpropagation". Write the functions, then run: fp16sim grade exercises/backpropagation.py

The first needs plain Python numbers only. The second is in binary16: fs.multiply and fs.divide round once each.
"""

import fp16sim as fs

TASKS = {
    "line_gradients": "line_gradients",
    "divide_vjp": "divide_vjp",
}


def line_gradients(w, b, xs, ts):
    """The pair of gradients, by w and by b, of the sum of (w * x + b - t)^2 over all pairs of xs and ts.

    xs and ts are lists of the same length. For w = 1.0, b = 0.0 and the points (2, 1) and (3, 5), the errors are 1 and -2:
    line_gradients(1.0, 0.0, [2.0, 3.0], [1.0, 5.0]) is (-8.0, -2.0).
    """
    raise NotImplementedError


def divide_vjp(g, a, b):
    """The pair of derivatives by a and by b of y = a / b, where g is that by y: g / b and -(g * y) / b.

    Each operation is rounded, also the one that gives y; the minus sign belongs to the product g * y. divide_vjp(3.0, 8.0,
    4.0) is (0.75, -1.5).
    """
    raise NotImplementedError
