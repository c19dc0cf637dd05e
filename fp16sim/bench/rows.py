"""The rows of the table: each names our work, the rival, and the goal for the ratio of the times."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .. import elementary, reductions
from ..accumulators import Blas
from ..blocks import quantize
from ..conversion import Array
from ..formats import BINARY16
from ..rounding import round_to
from .measure import Comparison, Missing, Pair
from .training_step import training_steps

ELEMENTS = 1 << 22
"""The size of the arrays that are rounded."""


# --- the data -------------------------------------------------------------------------------------------------------


def normal(n: int) -> Array:
    """Ordinary data: normal(0, 1) in float32."""
    return np.random.default_rng(0).normal(size=n).astype(np.float32)


def spread(n: int) -> Array:
    """Data like gradients: spread evenly over the binades from 2^-30 to 2^18, with many subnormals and overflows."""
    rng = np.random.default_rng(0)
    return (rng.choice([-1.0, 1.0], n) * 2.0 ** rng.uniform(-30, 18, n)).astype(np.float32)


def need(module: str) -> Any:
    """The module of another library."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise Missing(f"{module} is not installed: pip install {module}") from None


def _size(scale: float, n: int = ELEMENTS) -> int:
    return max(16, int(n * scale))


def _edge(scale: float, n: int) -> int:
    """The side of a matrix: the work grows with its cube."""
    return max(4, round(n * scale ** (1 / 3)))


def _round_trip(x: Array, dtype: Any) -> Callable[[], Array]:
    return lambda: x.astype(dtype).astype(np.float32)


# --- rounding -------------------------------------------------------------------------------------------------------


def _against_numpy(data: Callable[[int], Array], scale: float) -> Pair:
    x = data(_size(scale))
    return Pair(lambda: round_to(x, "binary16"), _round_trip(x, np.float16))


def _against_ml_dtypes(scale: float) -> Pair:
    bfloat16, x = need("ml_dtypes").bfloat16, normal(_size(scale))
    return Pair(lambda: round_to(x, "bfloat16"), _round_trip(x, bfloat16))


def _against_ourselves(fmt: str, scale: float, wide: bool = False, **options: Any) -> Pair:
    """Another mode, another number of threads or float64 input, against ties to even on float32."""
    x = normal(_size(scale))
    given, threads = x.astype(np.float64) if wide else x, 1 if "threads" in options else None
    return Pair(lambda: round_to(given, fmt, **options), lambda: round_to(x, fmt, threads=threads))


def _small_calls(scale: float) -> Pair:
    x = normal(1000)
    return Pair(lambda: round_to(x, "binary16"), _round_trip(x, np.float16), repeat=_size(scale, 500))


def _gfloat(scale: float) -> Pair:
    gfloat, formats = need("gfloat"), need("gfloat.formats")
    x = normal(_size(scale))
    theirs = lambda: gfloat.round_ndarray(formats.format_info_binary16, x)  # noqa: E731
    return Pair(lambda: round_to(x, "binary16"), theirs)


def _pychop(name: str, arguments: tuple[Any, ...], elements: int, scale: float) -> Pair:
    chop = getattr(need("pychop"), name)(*arguments)
    x = normal(_size(scale, elements))
    return Pair(lambda: round_to(x, "binary16"), lambda: chop(x))


def _blocks(name: str, scale: float) -> Pair:
    """An array into blocks, values out, against its rounding to e4m3fn without scales."""
    x = normal(max(1, _size(scale) // 2048) * 2048)
    return Pair(lambda: quantize(x, name).values, lambda: round_to(x, "e4m3fn"))


def _blocks_of_gfloat(name: str, scale: float) -> Pair:
    gfloat, formats = need("gfloat"), need("gfloat.formats")
    info, x = formats.format_info_mxfp8_e4m3, normal(32 * _size(scale, 256))
    wide = x.astype(np.float64).reshape(-1, 32)
    theirs = lambda: [gfloat.quantize_block(info, row, gfloat.compute_scale_amax) for row in wide]  # noqa: E731
    return Pair(lambda: quantize(x, name).values, theirs)


def _rounding_rows() -> list[Comparison]:
    astype = "x.astype(float16).astype(float32)"
    rows = [
        Comparison("round_to binary16, normal(0, 1)", astype, 0.40, partial(_against_numpy, normal)),
        Comparison("round_to binary16, 2^-30 .. 2^18", astype, 0.04, partial(_against_numpy, spread)),
        Comparison("round_to bfloat16, normal(0, 1)", "ml_dtypes round trip", 0.75, _against_ml_dtypes),
    ]

    def own(what: str, than: str, goal: float, fmt: str, **options: Any) -> None:
        rows.append(Comparison(f"round_to {fmt}, {what}", than, goal, partial(_against_ourselves, fmt, **options)))

    for fmt in ("binary16", "bfloat16"):
        own("threads=2", "one thread", 0.75, fmt, threads=2)
    for fmt in ("binary16", "bfloat16"):
        for mode in ("ties_to_away", "toward_zero", "toward_positive", "toward_negative", "to_odd"):
            own(mode, "ties_to_even", 2.2, fmt, mode=mode)
    for fmt in ("binary16", "bfloat16"):
        own("stochastic", "ties_to_even", 5.0, fmt, mode="stochastic", rng=np.random.default_rng(0))
    for fmt, goal in (("binary16", 3.0), ("bfloat16", 4.0)):
        own("float64 input", "float32 input", goal, fmt, wide=True)
    rows.append(Comparison("round_to binary16, 1,000 elements", astype, 4.0, _small_calls))
    rows.append(Comparison("round_to binary16", "gfloat.round_ndarray", 1 / 40, _gfloat))
    rows.append(
        Comparison("round_to binary16", "pychop.Chop", 1 / 40, partial(_pychop, "Chop", (5, 10), ELEMENTS // 8))
    )
    rows.append(
        Comparison("round_to binary16", "pychop.FaultChop", 1 / 40, partial(_pychop, "FaultChop", ("h",), ELEMENTS))
    )
    rows += [
        Comparison(f"quantize to {name}, values out", "round_to e4m3fn", 6.0, partial(_blocks, name))
        for name in ("mxfp8", "nvfp4")
    ]
    rows.append(Comparison("quantize to mxfp8", "gfloat.quantize_block", 1 / 40, partial(_blocks_of_gfloat, "mxfp8")))
    return rows


# --- matrices, functions, training, import --------------------------------------------------------------------------


def _outer_products(a: Array, b: Array) -> Array:
    """A matrix product in which every product and every sum is rounded to the dtype of a and b."""
    total = a[:, 0, None] * b[0]
    for k in range(1, a.shape[1]):
        total = total + a[:, k, None] * b[k]
    return total


def _matmul(fmt: str, scale: float) -> Pair:
    dtype = np.float16 if fmt == "binary16" else need("ml_dtypes").bfloat16
    n = _edge(scale, 256)
    a, b = (round_to(normal(n * n), fmt).reshape(n, n) for _ in range(2))
    narrow_a, narrow_b = a.astype(dtype), b.astype(dtype)
    return Pair(lambda: reductions.matmul(a, b, fmt), lambda: _outer_products(narrow_a, narrow_b))


def _mixed_matmul(scale: float) -> Pair:
    n = _edge(scale, 1024)
    a, b = (round_to(normal(n * n), BINARY16).reshape(n, n) for _ in range(2))
    return Pair(lambda: reductions.matmul(a, b, "binary16", accumulator=Blas()), lambda: np.matmul(a, b))


def _function(name: str, scale: float) -> Pair:
    ours, theirs = getattr(elementary, name), getattr(np, name)
    x = round_to(np.abs(normal(_size(scale, 1 << 20))) + np.float32(2.0**-10), "binary16")
    return Pair(lambda: ours(x, "binary16"), lambda: theirs(x).astype(np.float16).astype(np.float32))


def _training_step(scale: float) -> Pair:
    return Pair(*training_steps())


def _import(scale: float) -> Pair:
    # Users import from bytecode. The first calls write it, and they are not measured.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}

    def load(module: str) -> None:
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True, env=environment)

    return Pair(lambda: load("fp16sim"), lambda: load("numpy"))


ROWS = (
    *_rounding_rows(),
    Comparison(
        "matmul 256^3, all rounded to binary16", "the same loop in np.float16", 0.25, partial(_matmul, "binary16")
    ),
    Comparison(
        "matmul 256^3, all rounded to bfloat16", "the same loop in ml_dtypes", 0.60, partial(_matmul, "bfloat16")
    ),
    Comparison("matmul 1024^3, binary16 in, binary32 sums", "np.matmul float32", 1.25, _mixed_matmul),
    Comparison("training step, MLP 784-128-10, binary16", "the same in float32, not rounded", 4.0, _training_step),
    *(
        Comparison(f"{name}, 1 Mi binary16 numbers", f"np.{name} float32, round trip", 0.35, partial(_function, name))
        for name in ("exp", "tanh", "log")
    ),
    Comparison("import fp16sim", "import numpy", 1.25, _import),
)
"""The table, in order."""
