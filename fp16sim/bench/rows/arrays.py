"""Rows about rounding an array: to 16 bits, in other modes, by other emulators, and in blocks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ...blocks import quantize
from ...conversion import Array
from ...rounding import round_to
from ..inputs import ELEMENTS, need, normal, round_trip, size, spread
from ..measure import Comparison, Pair


def _against_numpy(data: Callable[[int], Array], scale: float) -> Pair:
    x = data(size(scale))
    return Pair.of(lambda: round_to(x, "binary16"), round_trip(x, np.float16))


def _against_ml_dtypes(scale: float) -> Pair:
    bfloat16, x = need("ml_dtypes").bfloat16, normal(size(scale))
    return Pair.of(lambda: round_to(x, "bfloat16"), round_trip(x, bfloat16))


def _against_ourselves(fmt: str, scale: float, wide: bool = False, **options: Any) -> Pair:
    """Another mode, another number of threads or float64 input, against ties to even in one thread on float32."""
    x = normal(size(scale))
    given = x.astype(np.float64) if wide else x
    options = {"threads": 1, **options}
    timed = Pair.in_one_thread if options["threads"] == 1 else Pair.of
    return timed(lambda: round_to(given, fmt, **options), lambda: round_to(x, fmt, threads=1))


ARRAYS = (
    Comparison(
        "arrays",
        "round-binary16",
        "round_to binary16, normal(0, 1)",
        "NumPy round trip",
        0.40,
        "Four million ordinary float32 numbers, rounded to binary16 and kept in float32. NumPy's way is "
        "x.astype(float16).astype(float32).",
        partial(_against_numpy, normal),
    ),
    Comparison(
        "arrays",
        "round-gradients",
        "round_to binary16, 2^-30 .. 2^18",
        "NumPy round trip",
        0.04,
        "The same with numbers like gradients, of which many become subnormal, zero or infinite. NumPy's conversion "
        "is much slower on these.",
        partial(_against_numpy, spread),
    ),
    Comparison(
        "arrays",
        "round-bfloat16",
        "round_to bfloat16, normal(0, 1)",
        "ml_dtypes trip",
        0.95,
        "Four million ordinary float32 numbers, rounded to bfloat16. NumPy has no bfloat16; the rival is the "
        "compiled code of ml_dtypes, to its bfloat16 and back.",
        _against_ml_dtypes,
    ),
)

THREADS = tuple(
    Comparison(
        "threads",
        f"threads-{fmt}",
        f"round_to {fmt}, threads=2",
        "one thread",
        0.75,
        "The same array with threads=2 and with threads=1. The results are equal; the ratio says whether a second "
        "core is worth it.",
        partial(_against_ourselves, fmt, threads=2),
    )
    for fmt in ("binary16", "bfloat16")
)

_MODES = {
    "away": ("ties_to_away", 2.2, ""),
    "zero": ("toward_zero", 2.2, ""),
    "positive": ("toward_positive", 2.2, ""),
    "negative": ("toward_negative", 2.2, ""),
    "odd": ("to_odd", 2.2, ""),
    "random": ("stochastic", 5.0, " A random number is drawn for each element, which takes most of the time."),
}
"""The beginning of a row's name: the mode, the goal, and what to add to its meaning."""

MODES = tuple(
    Comparison(
        "modes",
        f"{name}-{fmt}",
        f"round_to {fmt}, {mode}",
        "ties_to_even",
        goal,
        f"Four million float32 numbers, rounded in the mode {mode} and in the usual one, ties_to_even, both in one "
        f"thread.{more}",
        partial(_against_ourselves, fmt, mode=mode, rng=0 if mode == "stochastic" else None),
    )
    for fmt in ("binary16", "bfloat16")
    for name, (mode, goal, more) in _MODES.items()
)

WIDE = tuple(
    Comparison(
        "wide",
        f"wide-{fmt}",
        f"round_to {fmt}, float64 input",
        "float32 input",
        goal,
        "The same numbers given in float64 and in float32. If float32 holds your numbers, the results are the same, "
        "and float32 is faster.",
        partial(_against_ourselves, fmt, wide=True),
    )
    for fmt, goal in (("binary16", 3.0), ("bfloat16", 4.0))
)


# --- other emulators ------------------------------------------------------------------------------------------------


def _gfloat(scale: float) -> Pair:
    gfloat, formats = need("gfloat"), need("gfloat.formats")
    x = normal(size(scale))
    theirs = lambda: gfloat.round_ndarray(formats.format_info_binary16, x)  # noqa: E731
    return Pair.of(lambda: round_to(x, "binary16"), theirs)


def _pychop(name: str, arguments: tuple[Any, ...], elements: int, scale: float) -> Pair:
    chop = getattr(need("pychop"), name)(*arguments)
    x = normal(size(scale, elements))
    return Pair.of(lambda: round_to(x, "binary16"), lambda: chop(x))


EMULATORS = (
    Comparison(
        "emulators",
        "gfloat",
        "round_to binary16",
        "gfloat",
        1 / 40,
        "Four million float32 numbers, rounded to binary16. gfloat.round_ndarray does the same, for any format, with "
        "NumPy.",
        _gfloat,
    ),
    Comparison(
        "emulators",
        "pychop-chop",
        "round_to binary16",
        "pychop.Chop",
        1 / 40,
        "Half a million float32 numbers, rounded to binary16. pychop.Chop does the same, for any format, with NumPy.",
        partial(_pychop, "Chop", (5, 10), ELEMENTS // 8),
    ),
    Comparison(
        "emulators",
        "pychop-faultchop",
        "round_to binary16",
        "pychop.FaultChop",
        1 / 40,
        "Four million float32 numbers, rounded to binary16. pychop.FaultChop does the same for some formats.",
        partial(_pychop, "FaultChop", ("h",), ELEMENTS),
    ),
)


# --- blocks ---------------------------------------------------------------------------------------------------------


def _blocks(name: str, scale: float) -> Pair:
    """An array into blocks, values out, against its rounding to e4m3fn without scales."""
    x = normal(max(1, size(scale) // 2048) * 2048)
    return Pair.of(lambda: quantize(x, name).values, lambda: round_to(x, "e4m3fn", threads=1))


def _blocks_of_torchao(name: str, scale: float) -> Pair:
    torch, library = need("torch"), "torchao.prototype.mx_formats"
    need("torchao")
    torch.set_num_threads(1)
    x = normal(32 * size(scale, ELEMENTS // 128))
    given = torch.from_numpy(x.reshape(-1, 32))
    if name == "mxfp8":
        to_mx = need(f"{library}.mx_tensor").to_mx
        return Pair.of(lambda: quantize(x, name).values, lambda: to_mx(given, torch.float8_e4m3fn, 32))
    theirs = need(f"{library}.nvfp4_tensor")
    tensor = theirs.per_tensor_amax_to_scale(given.abs().max())
    return Pair.of(lambda: quantize(x, name).values, lambda: theirs.nvfp4_quantize(given, 16, tensor))


def _blocks_of_gfloat(scale: float) -> Pair:
    gfloat, formats = need("gfloat"), need("gfloat.formats")
    info, x = formats.format_info_mxfp8_e4m3, normal(32 * size(scale, 256))
    wide = x.astype(np.float64).reshape(-1, 32)
    theirs = lambda: [gfloat.quantize_block(info, row, gfloat.compute_scale_amax) for row in wide]  # noqa: E731
    return Pair.of(lambda: quantize(x, "mxfp8").values, theirs)


BLOCKS = (
    *(
        Comparison(
            "blocks",
            name,
            f"quantize to {name}, values out",
            "e4m3fn, no scales",
            6.0,
            f"Four million float32 numbers in blocks that share a scale ({name}), and back to values, against rounding "
            "each number to e4m3fn on its own, in one thread.",
            partial(_blocks, name),
        )
        for name in ("mxfp8", "nvfp4")
    ),
    Comparison(
        "blocks",
        "mxfp8-gfloat",
        "quantize to mxfp8",
        "gfloat's blocks",
        1 / 40,
        "256 blocks of 32 numbers, in one call here, and with a call of gfloat.quantize_block for each block.",
        _blocks_of_gfloat,
    ),
    *(
        Comparison(
            "blocks",
            f"{name}-torchao",
            f"quantize to {name}, values out",
            f"torchao's {theirs.removesuffix('_quantize')}",
            goal,
            f"A million float32 numbers in blocks, to codes and back to values, against {theirs} of torchao, which "
            "gives codes alone, on the CPU in one thread.",
            partial(_blocks_of_torchao, name),
        )
        for name, theirs, goal in (("mxfp8", "to_mx", 2.5), ("nvfp4", "nvfp4_quantize", 0.8))
    ),
)

ROWS = (*ARRAYS, *THREADS, *MODES, *WIDE, *EMULATORS, *BLOCKS)
