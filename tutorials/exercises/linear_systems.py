"""Exercises of the lesson "Solving Ax = b". Write the functions, then run: fp16sim grade exercises/linear_systems.py

fs.subtract(a, b), fs.multiply(a, b) and fs.divide(a, b) round once each to binary16.
"""

import fp16sim as fs

TASKS = {
    "upper_solve": "upper_solve",
    "corrections": "corrections",
}


def upper_solve(u, b):
    """x with u x = b in binary16, as a list: u is an upper triangle (a list of rows), b a list of binary16 values.

    The last unknown is found first. x[i] is b[i], less the rounded products u[i][j] * x[j] one after the other, the
    last unknown first, divided by u[i][i]. upper_solve([[2.0, 1.0], [0.0, 4.0]], [5.0, 4.0]) is [2.0, 1.0].
    """
    raise NotImplementedError


def corrections(k, start, goal):
    """How many corrections make an error of 2^-start at most 2^-goal, if each multiplies it by 2^-k: an int.

    k is 1 or more. corrections(3, 4, 24) is 7, and corrections(3, 24, 24) is 0.
    """
    raise NotImplementedError
