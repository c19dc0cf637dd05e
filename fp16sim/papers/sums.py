"""Papers about sums: stochastic rounding, chunks, promotion, the harmonic series, Euler's method."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..accumulators import Accumulator, Blocked, Sequential, TensorCore
from ..accumulators.narrow_factors import NarrowFactors
from ..arithmetic import add, multiply, subtract
from ..conversion import Array
from ..demos import harmonic as partial_sums
from ..formats import E4M3FN, Format, get_format
from ..reductions import dot, matmul
from ..reductions import sum as rounded_sum
from ..rounding import round_to
from ..sweeps import Results
from .claims import Paper, Quantity
from .judging import bounded, extreme, quantity, ratio

# --- rounding errors of sums ----------------------------------------------------------------------------------------

BOUND = math.sqrt(2 * math.log(2 / 0.01))
"""With probability 0.99, n rounding errors that are independent and of mean 0 add up to less than this times sqrt(n) u
(Hoeffding's inequality)."""


def stochastic_sum(n: int, mode: str, rng: int, fmt: str = "bfloat16") -> dict[str, float]:
    """The relative error of the sum of n numbers between 0 and 1, and its multiple of sqrt(n) u."""
    x = round_to(np.random.default_rng(rng).random(n), fmt)
    error = abs(float(rounded_sum(x, fmt, mode, rng=rng)) / math.fsum(x) - 1)
    return {"error": error, "units": error / (math.sqrt(n) * _unit(fmt, mode))}


def _unit(fmt: str, mode: str) -> float:
    """The largest relative error of one rounding: twice as large if it is stochastic."""
    u = float(get_format(fmt).unit_roundoff)
    return 2 * u if mode == "stochastic" else u


def judge_stochastic(results: Results) -> tuple[Quantity, ...]:
    """Stochastic errors stay within the bound for sqrt(n), those of rounding to nearest do not."""
    most = max(row.place["n"] for row in results.rows)
    return (
        bounded(
            "stochastic rounding: largest error / (sqrt(n) u)",
            extreme(results, "units", mode="stochastic"),
            below=BOUND,
            claim="bounded",
        ),
        bounded(
            "rounding to nearest: largest error / (sqrt(n) u)",
            extreme(results, "units", mode="ties_to_even"),
            above=BOUND,
            claim="grows faster",
        ),
        bounded(
            f"n = {most:,}: error with stochastic rounding / with nearest",
            *ratio(results, "error", {"mode": "stochastic"}, {"mode": "ties_to_even"}, n=most),
            below=0.5,
            claim="smaller",
        ),
    )


def inner_product(n: int, numbers: str, rng: int, fmt: str = "binary16") -> dict[str, float]:
    """The error of an inner product, as a part of the sum of all magnitudes, in multiples of n u and of sqrt(n) u."""
    generator, low = np.random.default_rng(rng), {"positive": 0.0, "of both signs": -1.0}[numbers]
    x, y = (round_to(generator.uniform(low, 1, n) / math.sqrt(n), fmt) for _ in range(2))
    error = abs(float(dot(x, y, fmt)) - math.fsum(x * y)) / math.fsum(np.abs(x * y))
    u = float(get_format(fmt).unit_roundoff)
    return {"error": error, "of_n": error / (n * u), "of_root": error / (math.sqrt(n) * u)}


def judge_inner_product(results: Results) -> tuple[Quantity, ...]:
    """The worst case is never reached; for numbers of both signs the error is below sqrt(n) u."""
    most = max(row.place["n"] for row in results.rows)
    return (
        bounded("largest error / (n u)", extreme(results, "of_n"), below=1.0, claim="far smaller"),
        bounded(
            "numbers of both signs: largest error / (sqrt(n) u)",
            extreme(results, "of_root", numbers="of both signs"),
            below=BOUND,
            claim="bounded",
        ),
        bounded(
            f"n = {most:,}: error of positive numbers / that of both signs",
            *ratio(results, "error", {"numbers": "positive"}, {"numbers": "of both signs"}, n=most),
            above=1.0,
            claim="larger",
        ),
    )


# --- accumulators ---------------------------------------------------------------------------------------------------

SIX_NINE = Format("e6m9", 16, 10)
"""The 16 bits of Wang et al.: 6 for the exponent, 9 for the fraction."""

SUMS: dict[str, Callable[[], Accumulator | None]] = {
    "nearest": lambda: Sequential(SIX_NINE),
    "stochastic": lambda: None,
    "chunks of 32": lambda: Blocked(SIX_NINE, block=32),
    "chunks of 256": lambda: Blocked(SIX_NINE, block=256),
}


def chunked_sum(n: int, accumulation: str, rng: int) -> dict[str, float]:
    """The relative error of the sum of n numbers of mean 1 and standard deviation 1, in 16 bits (1, 6, 9)."""
    half = math.sqrt(3)
    x = round_to(np.random.default_rng(rng).uniform(1 - half, 1 + half, n), SIX_NINE)
    how = {"mode": "stochastic", "rng": rng} if accumulation == "stochastic" else {"accumulator": SUMS[accumulation]()}
    total = float(rounded_sum(x, SIX_NINE, **how))
    return {"sum": total, "error": abs(total / math.fsum(x) - 1)}


def judge_chunks(results: Results) -> tuple[Quantity, ...]:
    """Rounding to nearest stops near 4096; chunks and stochastic rounding go on."""
    most = max(row.place["n"] for row in results.rows)
    largest = extreme(results, "sum", accumulation="nearest")
    return (
        bounded("nearest: the largest sum", largest, above=2048.0, below=8192.0, claim="near 4,096"),
        *(
            bounded(
                f"{name}: error at n = {most:,}",
                *quantity(results, "error", accumulation=name, n=most),
                below=0.05,
                claim="as binary32",
            )
            for name in SUMS
            if name != "nearest"
        ),
    )


PROMOTIONS = {"never": 0, "after 512": 512, "after 128": 128}
"""After how many products the sum so far is added to one in binary32."""


def narrow_accumulator(terms: int, promotion: str, rng: int) -> dict[str, float]:
    """The largest relative error of 256 products of fp8 vectors on a unit that keeps 13 bits of sums."""
    generator, unit = np.random.default_rng(rng), NarrowFactors(TensorCore("hopper", factors=E4M3FN), (E4M3FN,))
    a, b = round_to(generator.random((16, terms)), E4M3FN), round_to(generator.random((terms, 16)), E4M3FN)
    every = PROMOTIONS[promotion] or terms
    total: Array = np.zeros((16, 16))
    for k in range(0, terms, every):
        part = matmul(a[:, k : k + every], b[k : k + every], "binary32", accumulator=unit)
        total = add(total, part, "binary32")
    return {"error": float(np.abs(total / (a @ b) - 1).max())}


def judge_promotion(results: Results) -> tuple[Quantity, ...]:
    """Without promotion errors of percents, with it much smaller ones."""
    return (
        bounded(
            "4,096 products, no promotion: largest relative error",
            *quantity(results, "error", terms=4096, promotion="never"),
            above=0.01,
            below=0.04,
            claim="nearly 0.02",
        ),
        bounded(
            "promotion after 128 products: error / that without",
            *ratio(results, "error", {"promotion": "after 128"}, {"promotion": "never"}, terms=4096),
            below=0.25,
            claim="much smaller",
        ),
    )


# --- Higham and Pranesh ---------------------------------------------------------------------------------------------

TABLE = {"bfloat16": (5.0625, 65), "binary16": (7.0859375, 513), "binary32": (15.403683, 2_097_152)}
"""The sums, and the number of terms with which they are reached."""


def harmonic(fmt: str, terms: int) -> dict[str, float]:
    """The harmonic series: the sum that no term changes any more, and the first term that does not change it."""
    found = partial_sums(fmt, terms=terms)
    last = math.nan if found.stops_at is None else float(found.stops_at + 1)
    return {"sum": float(found.sums[-1]), "terms": last}


def judge_harmonic(results: Results) -> tuple[Quantity, ...]:
    """Sums and terms as published, to the digits that were."""
    found = []
    for row in results.rows:
        fmt, (total, last) = row.place["fmt"], TABLE[row.place["fmt"]]
        near: dict[str, Any] = {"above": total * (1 - 1e-5), "below": total * (1 + 1e-5)}
        found.append(bounded(f"{fmt}: sum", row.number("sum"), **near, published=f"{total:.5g}"))
        if fmt != "binary32":
            exactly: dict[str, Any] = {"above": last - 0.5, "below": last + 0.5}
            found.append(bounded(f"{fmt}: terms", row.number("terms"), **exactly, published=f"{last:,}"))
    return tuple(found)


FORMAT_AND_MODE: dict[str, tuple[str, str]] = {
    "binary64": ("binary64", "ties_to_even"),
    "binary32": ("binary32", "ties_to_even"),
    "binary16": ("binary16", "ties_to_even"),
    "bfloat16": ("bfloat16", "ties_to_even"),
    "binary16 stochastic": ("binary16", "stochastic"),
    "bfloat16 stochastic": ("bfloat16", "stochastic"),
}


def euler(steps: int, arithmetic: str, rng: int) -> dict[str, float]:
    """The relative error of Euler's method for y' = -y, y(0) = 2^-6, at 1: every operation rounded."""
    fmt, mode = FORMAT_AND_MODE[arithmetic]
    generator: Any = np.random.default_rng(rng) if mode == "stochastic" else None
    h, y = round_to(1 / steps, fmt), 2.0**-6
    for _ in range(steps):
        y = float(subtract(y, multiply(h, y, fmt, mode, rng=generator), fmt, mode, rng=generator))
    return {"error": abs(y / (2.0**-6 * math.exp(-1)) - 1)}


def judge_euler(results: Results) -> tuple[Quantity, ...]:
    """In 16 bits smaller steps make it worse; stochastic rounding makes it better again."""
    steps = sorted({row.place["steps"] for row in results.rows})
    least, most = steps[0], steps[-1]
    found = [
        bounded(
            f"{fmt}: error of {most:,} steps / the smallest error",
            *ratio(results, "error", {"steps": most}, {"steps": _best(results, steps, fmt)}, arithmetic=fmt),
            above=1.5,
            claim="grows again",
        )
        for fmt in ("binary16", "bfloat16")
    ]
    return (
        bounded(
            f"binary64: error of {most:,} steps / of {least:,}",
            *ratio(results, "error", {"steps": most}, {"steps": least}, arithmetic="binary64"),
            below=1.0,
            claim="smaller",
        ),
        *found,
        *(
            bounded(
                f"{fmt}, {most:,} steps: error with stochastic rounding / with nearest",
                *ratio(results, "error", {"arithmetic": f"{fmt} stochastic"}, {"arithmetic": fmt}, steps=most),
                below=1.0,
                claim="smaller",
            )
            for fmt in ("binary16", "bfloat16")
        ),
    )


def _best(results: Results, steps: list[int], fmt: str) -> int:
    """The number of steps with the smallest error."""
    errors = [
        (error, n) for n in steps if (error := quantity(results, "error", arithmetic=fmt, steps=n)[0]) is not None
    ]
    return min(errors)[1] if errors else steps[-1]


HERE = "fp16sim.papers.sums"

PAPERS = (
    Paper(
        "stochastic-sums",
        "Connolly, Higham, Mary (2021), Stochastic rounding and its probabilistic backward error analysis",
        "https://doi.org/10.1137/20M1334796",
        "With stochastic rounding the error of a sum grows like sqrt(n) u; with rounding to nearest it grows faster, "
        "because the sum stagnates.",
        f"{HERE}:stochastic_sum",
        {
            "minute": {"mode": ("ties_to_even", "stochastic"), "n": (64, 1024, 4096, 16384), "rng": tuple(range(5))},
            "full": {
                "mode": ("ties_to_even", "stochastic"),
                "n": tuple(4**k for k in range(2, 11)),
                "rng": tuple(range(20)),
            },
        },
        judge_stochastic,
        "error",
        "Sums of numbers between 0 and 1 in bfloat16.",
    ),
    Paper(
        "probabilistic-bounds",
        "Higham, Mary (2019), A new approach to probabilistic rounding error analysis",
        "https://doi.org/10.1137/18M1226312",
        "Errors of inner products stay far below the worst case n u. For numbers of both signs they stay below a small "
        "multiple of sqrt(n) u; for positive numbers they are larger.",
        f"{HERE}:inner_product",
        {
            "minute": {"numbers": ("positive", "of both signs"), "n": (64, 1024, 16384), "rng": tuple(range(5))},
            "full": {
                "numbers": ("positive", "of both signs"),
                "n": tuple(4**k for k in range(2, 11)),
                "rng": tuple(range(20)),
            },
        },
        judge_inner_product,
        "error",
        "binary16 in place of binary32, so that large n u are reached.",
    ),
    Paper(
        "chunked-sums",
        "Wang et al. (2018), Training deep neural networks with 8-bit floating point numbers",
        "https://arxiv.org/abs/1812.08011",
        "A sum of numbers of mean 1 in 16 bits (1, 6, 9) stops growing near 4096; sums in chunks and stochastic "
        "rounding follow the true sum.",
        f"{HERE}:chunked_sum",
        {
            "minute": {"accumulation": tuple(SUMS), "n": (1024, 4096, 65536), "rng": tuple(range(3))},
            "full": {"accumulation": tuple(SUMS), "n": tuple(2**k for k in range(6, 17)), "rng": tuple(range(10))},
        },
        judge_chunks,
        "error",
        "The accumulation alone, on the paper's uniform numbers; its networks are not trained.",
    ),
    Paper(
        "narrow-accumulators",
        "DeepSeek-AI (2024), DeepSeek-V3 technical report",
        "https://arxiv.org/abs/2412.19437",
        "A unit that keeps about 14 bits of its sums had a largest relative error of nearly 2 % in products of random "
        "matrices with sums of 4096 terms. Adding up in binary32 after every 128 terms makes errors much smaller.",
        f"{HERE}:narrow_accumulator",
        {
            "minute": {"promotion": ("never", "after 128"), "terms": (512, 4096), "rng": tuple(range(3))},
            "full": {
                "promotion": tuple(PROMOTIONS),
                "terms": tuple(2**k for k in range(8, 14)),
                "rng": tuple(range(20)),
            },
        },
        judge_promotion,
        "error",
        "The factors are random numbers between 0 and 1; the report does not say which numbers it used. The model of "
        "the unit was checked against results of real ones.",
    ),
    Paper(
        "harmonic",
        "Higham, Pranesh (2019), Simulating low precision floating-point arithmetic",
        "https://doi.org/10.1137/19M1251308",
        "The harmonic series reaches 5.0625 with 65 terms in bfloat16, 7.0859 with 513 in binary16, and 15.404 with "
        "2,097,152 in binary32, and no term changes it any more.",
        f"{HERE}:harmonic",
        {
            "minute": {"fmt": ("bfloat16", "binary16"), "terms": (4096,)},
            "full": {"fmt": ("bfloat16", "binary16", "binary32"), "terms": (1 << 22,)},
        },
        judge_harmonic,
        "sum",
        "binary64 is left out: it would take 2.8e14 terms.",
    ),
    Paper(
        "euler",
        "Fasi, Mikaitis (2021), Algorithms for stochastically rounded elementary arithmetic operations in IEEE 754 "
        "floating-point arithmetic",
        "https://doi.org/10.1109/TETC.2021.3069165",
        "In 16 bits the error of Euler's method grows again when steps become small: a step then changes the solution "
        "by less than half a unit in the last place. With stochastic rounding the error is smaller.",
        f"{HERE}:euler",
        {
            "minute": {"arithmetic": tuple(FORMAT_AND_MODE), "steps": (16, 128, 1024), "rng": tuple(range(5))},
            "full": {
                "arithmetic": tuple(FORMAT_AND_MODE),
                "steps": tuple(4**k for k in range(2, 8)),
                "rng": tuple(range(5)),
            },
        },
        judge_euler,
        "error",
        "y' = -y with y(0) = 2^-6 on [0, 1], as Higham and Pranesh (2019) have it without stochastic rounding.",
    ),
)
