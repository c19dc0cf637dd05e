"""Exercises of lesson 10: backpropagation. Write the functions, then run: fp16sim grade exercises/10_backpropagation.py

All in binary16: fs.add, fs.subtract, fs.multiply and fs.divide round once each, ties to even.
"""

TASKS = {
    "tanh_vjp": [
        ((1.0, 0.0), 1.0),
        ((2.0, 0.5), 1.5),
        ((1.0, 1.0), 0.0),
        ((1.0, -0.99951171875), 2.0**-10),
        ((3.0, 0.9892578125), 0.064453125),
        ((2.0, 0.8251953125), 0.6376953125),
        ((2.0**-15, 0.99951171875), 0.0),
        ((2.0**-14, 0.99951171875), 2.0**-24),
    ],
    "divide_vjp": [
        ((1.0, 1.0, 2.0), (0.5, -0.25)),
        ((3.0, 8.0, 4.0), (0.75, -1.5)),
        ((1.0, -1.0, 0.5), (2.0, 4.0)),
        ((2.0**-14, 2.0**-12, 2.0**-2), (2.0**-12, -(2.0**-22))),
        ((2.0**-14, 2.0**-12, 2.0**2), (2.0**-16, -0.0)),
    ],
    "product_gradients": [
        (([3.0],), [1.0]),
        (([2.0, 3.0],), [3.0, 2.0]),
        (([2.0, 3.0, 5.0],), [15.0, 10.0, 6.0]),
        (([1.0, 2.0**13, 2.0**-14, 2.0**-12],), [0.0, 0.0, 2.0, 0.5]),
        (([2.0**-14, 2.0**-12, 2.0**13],), [2.0, 0.5, 0.0]),
        (([2049.0 - 1.0, 3.0, 0.5, 0.25],), [0.375, 256.0, 1536.0, 3072.0]),
    ],
}


def tanh_vjp(g, y):
    """The derivative by x, where y = tanh(x) and g is the derivative by y: g * (1 - y * y), each operation rounded."""
    raise NotImplementedError


def divide_vjp(g, a, b):
    """The pair of derivatives by a and by b of y = a / b, where g is that by y: g / b and -(g * y) / b.

    Each operation is rounded, also the one that gives y; the minus sign belongs to the product g * y.
    """
    raise NotImplementedError


def product_gradients(factors):
    """The list of the derivatives of ((f1 * f2) * f3) * ... by each factor, every product rounded.

    Walk from the last factor to the second with g = 1 at first. Each of them gets g * (the rounded product of all
    factors before it, from the front); then g becomes g * factor. The first factor gets the g that is left.
    """
    raise NotImplementedError
