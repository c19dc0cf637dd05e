"""Rows about sums and products: norms, cumulative sums with each accumulator, matrix products, tensor cores."""

from __future__ import annotations

from functools import partial
from time import process_time, thread_time

import numpy as np

from ... import reductions
from ...accumulators import Blas
from ...conversion import Array
from ..inputs import edge, need, rounded, size
from ..measure import Comparison, Pair, timed

MILLION, FEWER = 1 << 20, 100_000
"""Elements of a sum, and of a cumulative sum whose accumulator remembers more than one number."""


def _against_sum(work: str, fmt: str, scale: float) -> Pair:
    x, other = (rounded(name, size(scale, MILLION)) for name in ("binary16", fmt))
    calls = {
        "norm": lambda: reductions.norm(x, "binary16"),
        "dot": lambda: reductions.dot(x, x, "binary16"),
        "sum": lambda: reductions.sum(other, fmt),
        "cumsum": lambda: reductions.cumsum(other, fmt),
    }
    return Pair.in_one_thread(calls[work], lambda: reductions.sum(x, "binary16"))


def _against_cumsum(accumulator: str, scale: float) -> Pair:
    x = rounded("binary16", size(scale, FEWER))
    ours = lambda: reductions.cumsum(x, "binary16", accumulator=accumulator)  # noqa: E731
    return Pair.in_one_thread(ours, lambda: reductions.cumsum(x, "binary16"))


SUMS = (
    *(
        Comparison(
            "sums",
            name,
            f"{work}, 1 Mi {fmt} numbers",
            "fs.sum, binary16",
            goal,
            f"{what} The rival is our own sum of a million binary16 numbers, one after the other, which takes some "
            "milliseconds.",
            partial(_against_sum, work, fmt),
        )
        for name, work, fmt, goal, what in (
            ("norm", "norm", "binary16", 1.6, "The Euclidean norm of a million numbers, each step rounded."),
            ("dot", "dot", "binary16", 1.6, "The dot product of a million pairs, each product and sum rounded."),
            ("cumsum", "cumsum", "binary16", 1.6, "All partial sums of a million numbers."),
            ("sum-bfloat16", "sum", "bfloat16", 8.0, "The sum in a format for which NumPy has no addition."),
            ("cumsum-bfloat16", "cumsum", "bfloat16", 12.0, "All partial sums in such a format."),
        )
    ),
    *(
        Comparison(
            "sums",
            f"cumsum-{name}",
            f"cumsum of 100,000 numbers, {name}",
            "fs.cumsum",
            goal,
            f"All partial sums of 100,000 binary16 numbers, {what}. The rival is our own cumulative sum with the usual "
            "accumulator, one number after the other.",
            partial(_against_cumsum, name),
        )
        for name, goal, what in (
            ("blocked", 2.0, "added in blocks of 64"),
            ("exact", 2.0, "each exact and rounded once"),
            ("kahan", 20.0, "with Kahan's compensation"),
            ("pairwise", 230.0, "each added pairwise from its beginning (about 0.4 s is the goal)"),
        )
    ),
)


# --- matrices -------------------------------------------------------------------------------------------------------


def _outer_products(a: Array, b: Array) -> Array:
    """A matrix product in which every product and every sum is rounded to the dtype of a and b."""
    total = a[:, 0, None] * b[0]
    for k in range(1, a.shape[1]):
        total = total + a[:, k, None] * b[k]
    return total


def _matmul(fmt: str, scale: float) -> Pair:
    dtype = np.float16 if fmt == "binary16" else need("ml_dtypes").bfloat16
    n = edge(scale, 256)
    a = rounded(fmt, n * n).reshape(n, n)
    narrow = a.astype(dtype)
    return Pair.of(lambda: reductions.matmul(a, a, fmt), lambda: _outer_products(narrow, narrow))


def _mixed_matmul(scale: float) -> Pair:
    n = edge(scale, 1024)
    a = rounded("binary16", n * n).reshape(n, n)
    return Pair.of(lambda: reductions.matmul(a, a, "binary16", accumulator=Blas()), lambda: np.matmul(a, a))


def _tensor_core(generation: str, fmt: str, scale: float) -> Pair:
    rows, inner = edge(scale, 128), edge(scale, 1024)
    a = rounded(fmt, rows * inner).reshape(rows, inner)
    b, products = np.ascontiguousarray(a.T), rows * inner * rows
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    ours = lambda: reductions.matmul(a, b, fmt, accumulator=generation)  # noqa: E731
    theirs = lambda: np.matmul(wide_a, wide_b)  # noqa: E731
    # BLAS's other threads wait busily for a while after a product: only the time of this one is ours.
    return Pair(lambda: timed(ours, 1, thread_time) / products, lambda: timed(theirs, 1, process_time) / products)


MATRICES = (
    *(
        Comparison(
            "matrices",
            f"matmul-{fmt}",
            f"matmul 256^3, all rounded to {fmt}",
            rival,
            goal,
            f"A product of two matrices of 256 x 256 in which every product and every sum is rounded to {fmt}. The "
            f"rival is a loop over outer products in {library}.",
            partial(_matmul, fmt),
        )
        for fmt, rival, goal, library in (
            ("binary16", "np.float16 loop", 0.25, "NumPy's own float16"),
            ("bfloat16", "ml_dtypes loop", 0.60, "the bfloat16 of ml_dtypes"),
        )
    ),
    Comparison(
        "matrices",
        "matmul-mixed",
        "matmul 1024^3, binary16 in, binary32 sums",
        "np.matmul float32",
        1.25,
        "A product of two binary16 matrices of 1024 x 1024 whose sums are taken in binary32 by BLAS and rounded once, "
        "against the same product in float32.",
        _mixed_matmul,
    ),
    *(
        Comparison(
            "matrices",
            f"tensor-{name}",
            f"matmul 128 x 1024 x 128, {generation} tensor core{', ' + fmt if fmt != 'binary16' else ''}",
            "np.matmul float64",
            240.0,
            f"A product of {fmt} factors as the tensor cores of {generation.capitalize()} compute it, bit for bit. The "
            "time is that of one multiply-add. The rival is the same product in float64 by BLAS. Another emulator, "
            "MMA-Sim (arXiv 2511.10909), takes about 19,000 ns for a multiply-add; the goal is about 6 ns, a 3000th of "
            "that.",
            partial(_tensor_core, generation, fmt),
        )
        for name, generation, fmt in (
            ("volta", "volta", "binary16"),
            ("hopper", "hopper", "binary16"),
            ("hopper-fp8", "hopper", "e4m3fn"),
        )
    ),
)

ROWS = (*SUMS, *MATRICES)
