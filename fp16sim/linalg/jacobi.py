"""Eigenvalues of symmetric matrices and singular values, by Jacobi's rotations: short, and right in any format.

A sweep takes each pair of rows once, n/2 disjoint pairs at a time, in the order of a tournament (Brent and Luk 1985):
rotations of disjoint pairs do not touch the same numbers in a row or a column, so one operation on arrays does all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..accumulators import AccumulatorLike
from ..conversion import Array, Seed
from ..formats import FormatLike, Rounding
from .orthogonal import householder, reflected
from .work import Work, check_matrix, check_square, exponents, start

SWEEPS, IDLE = 60, 3
"""More sweeps than any matrix needs, since convergence is quadratic; and how many without progress end it."""


class Eigen(NamedTuple):
    """Eigenvalues in ascending order, and the eigenvectors as columns."""

    values: Any
    """In ascending order."""
    vectors: Any
    """One in each column, in the order of the values."""


class SVD(NamedTuple):
    """Factors of a matrix: a is about u @ diag(s) @ vh."""

    u: Any
    """The left singular vectors, one in each column."""
    s: Any
    """The singular values in descending order."""
    vh: Any
    """The right singular vectors, one in each row."""


def eigh(
    a: Any,
    fmt: FormatLike | None = None,
    mode: Rounding | str | None = None,
    *,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> Eigen:
    """Eigenvalues and eigenvectors of a symmetric matrix by Jacobi's rotations, every operation rounded.

    The values have errors of a few n u norm(a): each rotation is backward stable, and a number takes part in about n of
    them in each of the few sweeps (Golub and Van Loan, Matrix Computations, 4th edition, section 8.5). A power of two
    makes the numbers at most 1 first, so nothing overflows.

    Parameters
    ----------
    a : array_like
        A square matrix. Only its lower triangle is read.
    fmt, mode : optional
        As for `round_to`; by default those of a if it is a FloatArray, else binary16 and ties to even.
    accumulator, rng
        As for `matmul`; there are no sums of more than two products here, so the accumulator changes nothing.

    Returns
    -------
    Eigen
        `values` in ascending order, and `vectors`, one in each column; FloatArrays if a is one.

    Raises
    ------
    ValueError, TypeError
        For a shape that is not square.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.linalg.eigh([[2.0, 1.0], [1.0, 2.0]], "binary16").values
    array([1., 3.])
    """
    work, (x,) = start("eigh", {"a": a}, fmt, mode, accumulator, rng)
    check_square(work.label, "a", x)
    power = int(exponents(np.abs(np.tril(x)).max()))
    whole = work.scaled(np.tril(x) + np.tril(x, -1).T, -power)
    values, vectors = _diagonalized(work, whole)
    order = np.argsort(values, stable=True)
    return Eigen(work.result(work.scaled(values[order], power)), work.result(vectors[:, order]))


def _diagonalized(work: Work, a: Array) -> tuple[Array, Array]:
    """Rotations until what is off the diagonal is below a rounding error of the largest number, or shrinks no more."""
    vectors, progress = np.eye(len(a), dtype=a.dtype), Progress()
    tolerance = float(work.fmt.unit_roundoff) * float(np.abs(a).max()) / len(a)
    for _ in range(SWEEPS):
        if progress.ended(float(np.abs(a - np.diag(np.diagonal(a))).max()), tolerance):
            break
        for p, q in tournament(len(a)):
            c, s, t = _rotation(work, a[p, p], a[q, q], a[p, q])
            change = work.steps.multiply(t, a[p, q])
            ends = work.steps.subtract(a[p, p], change), work.steps.add(a[q, q], change)
            a[p], a[q] = _rotated(work, a[p], a[q], c[:, None], s[:, None])
            a[:, p], a[:, q] = _rotated(work, a[:, p], a[:, q], c, s)
            a[p, p], a[q, q], a[p, q], a[q, p] = *ends, 0, 0
            vectors[:, p], vectors[:, q] = _rotated(work, vectors[:, p], vectors[:, q], c, s)
    return np.diagonal(a), vectors


class Progress:
    """Whether sweeps go on: the largest number that should become zero has been smaller not long ago."""

    def __init__(self) -> None:
        self.least, self.idle = np.inf, 0

    def ended(self, largest: float, tolerance: float) -> bool:
        """Note the largest such number of a sweep; True if it is below the tolerance, or shrinks no more."""
        self.idle = 0 if largest < self.least else self.idle + 1
        self.least = min(self.least, largest)
        return largest <= tolerance or self.idle == IDLE


def tournament(n: int) -> Iterator[tuple[Array, Array]]:
    """Disjoint pairs p < q of 0 ... n - 1, round by round: each pair once.

    >>> [(p.tolist(), q.tolist()) for p, q in tournament(4)]
    [([0, 1], [3, 2]), ([0, 1], [2, 3]), ([0, 2], [1, 3])]
    """
    players = list(range(n + n % 2))
    for _ in range(len(players) - 1):
        half = len(players) // 2
        pairs = [sorted(pair) for pair in zip(players[:half], players[: half - 1 : -1], strict=True)]
        kept = np.array([pair for pair in pairs if pair[1] < n], np.int64).reshape(-1, 2)
        yield kept[:, 0], kept[:, 1]
        players.insert(1, players.pop())


def _rotation(work: Work, x: Array, y: Array, off: Array) -> tuple[Array, Array, Array]:
    """cos, sin and tan of the smaller angle that makes [[x, off], [off, y]] diagonal (Rutishauser 1966)."""
    do, (one, two) = work.steps, work.steps.round([1, 2])
    with np.errstate(all="ignore"):  # theta may be infinite where `off` is negligible: then there is no rotation
        theta = do.operate("divide", do.subtract(y, x), do.multiply(two, off))
        root = do.operate("sqrt", do.add(do.multiply(theta, theta), one))
        root = np.where(np.isfinite(root), root, np.abs(theta))  # if the square overflows, 1 is lost beside it
        t = np.copysign(do.operate("divide", one, do.add(np.abs(theta), root)), theta)
    t = np.where((off == 0) | ~np.isfinite(t), 0, t).astype(x.dtype)
    c = do.operate("divide", one, do.operate("sqrt", do.add(do.multiply(t, t), one)))
    return c, do.multiply(t, c), t


def _rotated(work: Work, x: Array, y: Array, c: Array, s: Array) -> tuple[Array, Array]:
    """(c x - s y, s x + c y): each product and each sum rounded."""
    do = work.steps
    return do.subtract(do.multiply(c, x), do.multiply(s, y)), do.add(do.multiply(s, x), do.multiply(c, y))


# --- singular values ------------------------------------------------------------------------------------------------


def svd(
    a: Any,
    fmt: FormatLike | None = None,
    mode: Rounding | str | None = None,
    *,
    accumulator: AccumulatorLike | None = None,
    rng: Seed = None,
) -> SVD:
    """The singular value decomposition by one-sided Jacobi rotations, every operation rounded.

    Pairs of columns are rotated until all are orthogonal; their lengths are the singular values (Hestenes 1958; Golub
    and Van Loan, Matrix Computations, 4th edition, section 8.6). The values have errors of a few m n u norm(a). A power
    of two makes the numbers at most 1 first, so no square overflows.

    Parameters
    ----------
    a : array_like
        A matrix of m rows and n columns.
    fmt, mode : optional
        As for `round_to`; by default those of a if it is a FloatArray, else binary16 and ties to even.
    accumulator, rng
        As for `matmul`: for the inner products of columns.

    Returns
    -------
    SVD
        `u` (m, k), `s` (k,) in descending order, `vh` (k, n) with k = min(m, n); FloatArrays if a is one.

    Raises
    ------
    ValueError, TypeError
        For a shape that is not that of a matrix.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.linalg.svd([[3.0, 0.0], [4.0, 5.0]], "binary16").s
    array([6.70703125, 2.23632812])
    """
    work, (x,) = start("svd", {"a": a}, fmt, mode, accumulator, rng)
    check_matrix(work.label, "a", x)
    u, s, v = _decomposed(work, x) if x.shape[0] >= x.shape[1] else reversed(_decomposed(work, x.T))
    return SVD(work.result(u), work.result(s), work.result(v.T))


def singular_values(work: Work, a: Array) -> Array:
    """The singular values alone, in descending order."""
    return _decomposed(work, a if a.shape[0] >= a.shape[1] else a.T)[1]


def _decomposed(work: Work, a: Array) -> tuple[Array, Array, Array]:
    """u, s, v for at least as many rows as columns."""
    power = int(exponents(np.abs(a).max()))
    columns, v = _orthogonalized(work, work.scaled(a, -power))
    lengths = work.length(columns)
    order = np.argsort(-lengths, stable=True)
    columns, lengths, v = columns[:, order], lengths[order], v[:, order]
    rank = int(np.count_nonzero(lengths > _least_length(work)))
    u = work.steps.operate("divide", columns[:, :rank], lengths[:rank])
    if rank < len(lengths):  # for those that have lost their digits: any columns that are orthogonal to the others
        reflections, _ = householder(work, u) if rank else ([], u)
        more = np.eye(len(a), dtype=a.dtype)[:, rank : len(lengths)]
        u = np.concatenate([u, reflected(work, reflections[::-1], more)], axis=1)
    return u, work.scaled(lengths, power), v


def _orthogonalized(work: Work, a: Array) -> tuple[Array, Array]:
    """Rotations of pairs of columns until no angle differs from a right one by more than rounding errors can tell."""
    columns, v = np.array(a), np.eye(a.shape[1], dtype=a.dtype)
    tolerance, progress = float(work.fmt.unit_roundoff) * len(a) ** 0.5, Progress()
    for _ in range(SWEEPS):
        largest = 0.0
        for p, q in tournament(a.shape[1]):
            x, y = columns[:, p], columns[:, q]
            xx, yy, off, cosines, seen = _angles(work, x, y)
            largest = max(largest, float(cosines.max(initial=0, where=seen)))
            c, s, _ = _rotation(work, xx, yy, np.where(cosines > tolerance, off, 0))
            columns[:, p], columns[:, q] = _rotated(work, x, y, c, s)
            v[:, p], v[:, q] = _rotated(work, v[:, p], v[:, q], c, s)
        if progress.ended(largest, tolerance):
            break
    return columns, v


def _angles(work: Work, x: Array, y: Array) -> tuple[Array, Array, Array, Array, Array]:
    """What a rotation of columns needs, their cosines, and which pairs have the digits to become orthogonal.

    Powers of two make both columns of a pair about as long as 1, so that no square underflows. The rotation depends on
    (y.y - x.x) / x.y alone; with x = 2^i x' and y = 2^j y', that is (2^(j - i) y'.y' - 2^(i - j) x'.x') / x'.y'.
    """
    i, j = (exponents(np.abs(z).max(axis=0)) for z in (x, y))
    x, y = work.scaled(x, -i), work.scaled(y, -j)
    xx, yy, off = (np.asarray(work.inner(*pair)) for pair in ((x, x), (y, y), (x, y)))
    size = np.sqrt(xx.astype(np.float64) * yy)  # a measurement: nothing is computed from it
    with np.errstate(all="ignore"):
        cosines = np.where(off == 0, 0, np.abs(off) / size)
        xx, yy = work.scaled(xx, i - j), work.scaled(yy, j - i)
    return xx, yy, off, cosines, np.ldexp(1.0, np.minimum(i, j)) > _least_length(work)


def _least_length(work: Work) -> float:
    """Below it, a column whose elements are of the order of the smallest subnormal has no digits to speak of."""
    return float(work.fmt.min_subnormal) / float(work.fmt.unit_roundoff)
