"""Matrices with which linear algebra is tested: by formula, in float64, to be rounded to the format that you study.

Formulas after N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, chapter 28.
"""

from __future__ import annotations

import operator

import numpy as np

from ..conversion import Array, Seed
from ..wording import quoted


def _size(n: int) -> int:
    n = operator.index(n)
    if n < 1:
        raise ValueError(f"n={n} is not the size of a matrix; give 1 or more")
    return n


def hilbert(n: int) -> Array:
    """1 / (i + j + 1) for i, j from 0: positive definite, with a condition number that grows like 34^n / sqrt(n).

    >>> hilbert(2)
    array([[1.        , 0.5       ],
           [0.5       , 0.33333333]])
    """
    k = np.arange(_size(n))
    return 1.0 / (k[:, None] + k + 1)


def vandermonde(n: int) -> Array:
    """The powers x[j]^i of n points from -1 to 1 that are equally far from each other.

    >>> vandermonde(3)
    array([[ 1.,  1.,  1.],
           [-1.,  0.,  1.],
           [ 1.,  0.,  1.]])
    """
    return np.linspace(-1, 1, _size(n)) ** np.arange(n)[:, None]


def graded(n: int, ratio: float = 0.5) -> Array:
    """Numbers that become smaller along rows and columns: ratio^max(i, j), with 2 on the diagonal in place of 1.

    >>> graded(3)
    array([[2.  , 0.5 , 0.25],
           [0.5 , 1.  , 0.25],
           [0.25, 0.25, 0.5 ]])
    """
    k = np.arange(_size(n))
    return ratio ** np.maximum(k[:, None], k) * (1.0 + np.eye(n))


def wilkinson_growth(n: int) -> Array:
    """Wilkinson's example for partial pivoting: the last column doubles in each step, up to 2^(n - 1).

    >>> wilkinson_growth(3)
    array([[ 1.,  0.,  1.],
           [-1.,  1.,  1.],
           [-1., -1.,  1.]])
    """
    a = np.eye(_size(n)) - np.tril(np.ones((n, n)), -1)
    a[:, -1] = 1
    return a


def with_condition(n: int, condition: float, rng: Seed = 0) -> Array:
    """A random matrix with the given condition number in the 2-norm, and singular values in geometric progression.

    The product of two random orthogonal matrices with the singular values between them: mode 3 of MATLAB's `randsvd`.

    >>> round(float(np.linalg.cond(with_condition(5, 1000.0))))
    1000
    """
    if not 1 <= condition < np.inf:
        raise ValueError(f"condition={quoted(condition)} is not that of a matrix; give a finite number of 1 or more")
    generator = np.random.default_rng(rng)
    values = condition ** -(np.arange(_size(n)) / max(1, n - 1))
    left, right = (_orthogonal(generator.standard_normal((n, n))) for _ in range(2))
    return (left * values) @ right


def _orthogonal(a: Array) -> Array:
    q, r = np.linalg.qr(a)
    return q * np.copysign(1, np.diagonal(r))  # so that all directions are equally likely
