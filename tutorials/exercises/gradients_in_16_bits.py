"""Exercises of the lesson "Gradients in 16 bits". Write them, then run: fp16sim grade exercises/gradients_in_16_bits.py

All in binary16: fs.add, fs.subtract, fs.multiply and fs.divide round once each, ties to even.
"""

import fp16sim as fs

TASKS = {
    "tanh_vjp": "tanh_vjp",
    "product_gradients": "product_gradients",
}


def tanh_vjp(g, y):
    """The derivative by x, where y = tanh(x) and g is the derivative by y: g * (1 - y * y), each operation rounded.

    tanh_vjp(2.0, 0.5) is 1.5.
    """
    raise NotImplementedError


def product_gradients(factors):
    """The list of the derivatives of ((f1 * f2) * f3) * ... by each factor, every product rounded.

    Walk from the last factor to the second with g = 1 at first. Each of them gets g * (the rounded product of all
    factors before it, from the front); then g becomes g * factor. The first factor gets the g that is left. For [2.0, 3.0,
    5.0] the list is [15.0, 10.0, 6.0].
    """
    raise NotImplementedError
