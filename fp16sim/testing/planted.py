"""What these assertions find and let pass: `python -m fp16sim.testing.planted` prints the table of the guide.

Twenty kernels with one planted fault each, tried with the usual tolerance of bfloat16 tests and with an assertion of
this package; and five right kernels, whose terms are added in orders that nobody told the assertion, on many seeds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from .. import cases, faults
from ..accumulators import Accumulator, Blocked, Pairwise, Sequential, TensorCore
from ..conversion import Array
from ..formats import Format, Rounding, get_format
from ..rounding import round_to
from ..wording import aligned
from .bounds import call_of
from .exactly import FUNCTIONS, assert_operation, assert_rounded
from .explained import assert_explained
from .kernels import KERNELS
from .rows import hard_rows

RTOL, ATOL = 1.6e-2, 1e-5
"""The tolerances of torch.testing.assert_close for bfloat16, which many projects have taken over."""
EVEN = Rounding.TIES_TO_EVEN
SEEDS = 200


class Planted(NamedTuple):
    """A fault of the table `fp16sim.faults`, the format that it is planted in, and the operands of its test."""

    task: str
    name: str
    fmt: str
    data: str = "plain"
    shape: tuple[int, int] = (16, 64)


PLANTED = (
    Planted("rounding", "ties_away", "bfloat16"),
    Planted("rounding", "truncates", "bfloat16"),
    Planted("rounding", "float32", "binary16"),
    Planted("divide", "by_reciprocal", "binary16"),
    Planted("fma", "two_roundings", "bfloat16"),
    Planted("kernel_matmul", "narrow", "binary16", "same_sign"),
    Planted("kernel_matmul", "narrow", "bfloat16", "cancelling"),
    Planted("kernel_matmul", "rounded_products", "bfloat16", "same_sign"),
    Planted("kernel_matmul", "without_last", "bfloat16", "same_sign", (8, 256)),
    Planted("kernel_matmul", "truncates", "bfloat16"),
    Planted("kernel_matmul", "other_factors", "binary16", "same_sign"),
    Planted("kernel_matmul", "narrow_tiles", "bfloat16", "same_sign"),
    Planted("kernel_mean", "n_minus_1", "bfloat16", "same_sign", (16, 256)),
    Planted("kernel_mean", "narrow", "binary16", "overflowing"),
    Planted("kernel_softmax", "short_log2e", "bfloat16"),
    Planted("kernel_softmax", "narrow_exponentials", "bfloat16"),
    Planted("kernel_softmax", "unshifted_narrow", "binary16", "masked"),
    Planted("kernel_layer_norm", "n_minus_1", "bfloat16", "plain", (16, 256)),
    Planted("kernel_layer_norm", "eps_outside", "binary16", "underflowing"),
    Planted("kernel_layer_norm", "narrow_mean", "bfloat16", "absorbing"),
)


class Verdict(NamedTuple):
    """What was found of a planted fault."""

    planted: Planted
    misconception: str
    passes_rtol: bool
    message: str
    """Of the assertion; empty if it passed."""
    permissive: str | None
    """The same where sums in the format itself are permitted, in any order; None for operations without a sum."""

    @property
    def named(self) -> bool:
        """Whether the message names the mistake, or the accumulator that gives the results."""
        said = " ".join(self.message.split())
        return self.misconception in said or "which is not permitted here" in said


def operands_of(planted: Planted, rng: np.random.Generator) -> tuple[Array, ...]:
    """The data of a test: interesting operands for single operations, rows of numbers for kernels."""
    fmt = get_format(planted.fmt)
    if planted.task == "rounding":
        return (cases.roundable(fmt),)
    if not planted.task.startswith("kernel_"):
        return cases.tuples(fmt, 3 if planted.task == "fma" else 2)
    x = hard_rows(planted.data, planted.shape, fmt, rng)
    return (x, hard_rows(planted.data, planted.shape, fmt, rng).T) if planted.task == "kernel_matmul" else (x,)


def verdict(planted: Planted, seed: int = 0) -> Verdict:
    """What the usual tolerance and the assertion say of a planted fault."""
    fmt, fault = get_format(planted.fmt), faults.find(planted.name, planted.task)
    operands = operands_of(planted, np.random.default_rng(seed))
    with np.errstate(all="ignore"):
        if not planted.task.startswith("kernel_"):
            got = np.asarray(fault.answer(planted.task, operands, fmt))
            right = np.asarray(_once(planted.task)(*operands, fmt), np.float64)
            checked, permissive = _check_once(planted.task, got, operands, fmt), None
        else:
            operation = planted.task.removeprefix("kernel_")
            got = np.asarray(fault.answer(planted.task, [*operands, np.float64(1e-5)], fmt))
            right = _reference(operation, operands, fmt)
            checked, permissive = (
                _check_kernel(operation, got, operands, fmt, how) for how in ("binary32", "sequential")
            )
        close = bool(np.allclose(got, right, RTOL, ATOL, equal_nan=True))
    return Verdict(planted, fault.misconception, close, checked, permissive)


def _axis(operation: str) -> int | None:
    return -1 if operation in ("sum", "mean") else None


def _once(task: str) -> Callable[..., Any]:
    return round_to if task == "rounding" else FUNCTIONS[task]


def _check_once(task: str, got: Array, operands: tuple[Array, ...], fmt: Format) -> str:
    if task == "rounding":
        return _message(lambda: assert_rounded(got, operands[0], fmt))
    return _message(lambda: assert_operation(got, task, *operands, fmt=fmt))


def _check_kernel(operation: str, got: Array, operands: tuple[Array, ...], fmt: Format, how: str) -> str:
    return _message(
        lambda: assert_explained(got, operation, *operands, fmt=fmt, axis=_axis(operation), accumulators=how)
    )


def _message(check: Callable[[], Any]) -> str:
    try:
        check()
    except AssertionError as error:
        return str(error)
    return ""


def _reference(operation: str, operands: tuple[Array, ...], fmt: Format) -> Array:
    """What a test compares with: the right kernel with sums in binary32."""
    kernel, call = call_of(operation, operands, fmt, EVEN, _axis(operation), 1e-5)
    return next(iter(kernel.compute(call, Sequential("binary32"), np.arange(call.n))))


# --- right kernels --------------------------------------------------------------------------------------------------

RIGHT: dict[str, tuple[str, Callable[[], Accumulator]]] = {
    "sequential": ("bfloat16", lambda: Sequential("bfloat16")),
    "pairwise": ("binary16", lambda: Pairwise("binary16")),
    "blocked": ("bfloat16", lambda: Blocked("bfloat16", block=8)),
    "binary32": ("bfloat16", lambda: Sequential("binary32")),
    "tensor core": ("binary16", lambda: TensorCore("hopper")),
}
"""Right kernels by name: their format and their sums."""
KINDS = ("plain", "same_sign", "cancelling", "absorbing", "order_matters", "underflowing", "overflowing")


def false_alarms(seeds: int = SEEDS) -> dict[str, list[int]]:
    """The seeds on which an assertion refused a right kernel, for each of them.

    Operation, shape, data and the order of the terms change from seed to seed; the assertion is told the accumulator
    only, so that most results are judged by the bound.
    """
    return {name: [seed for seed in range(seeds) if _refused(name, seed)] for name in RIGHT}


def _refused(name: str, seed: int) -> str:
    fmt, make = RIGHT[name]
    how, rng = make(), np.random.default_rng(seed)
    names = [one for one, kernel in KERNELS.items() if kernel.matrix_units or name != "tensor core"]
    operation, kind = names[seed % len(names)], KINDS[seed // len(names) % len(KINDS)]
    n = int(rng.integers(2, 80))
    x = hard_rows(kind, (4, n), fmt, rng)
    operands = (x, hard_rows(kind, (4, n), fmt, rng).T) if operation in ("dot", "matmul") else (x,)
    with np.errstate(all="ignore"):
        kernel, call = call_of(operation, operands, get_format(fmt), EVEN, _axis(operation), 1e-5)
        results = list(kernel.compute(call, how, rng.permutation(n)))
        got = results[seed % len(results)]
        return _message(
            lambda: assert_explained(got, operation, *operands, fmt=fmt, accumulators=how, axis=_axis(operation))
        )


# --- the table ------------------------------------------------------------------------------------------------------


def _rows(found: list[Verdict]) -> Iterator[tuple[str, ...]]:
    yield "", "operation", "format", "planted fault: it ...", "rtol=1.6e-2", "fs.testing", "if narrow sums may be"
    for k, one in enumerate(found, 1):
        said = ("found, named" if one.named else "found") if one.message else "passes"
        operation = one.planted.task.removeprefix("kernel_")
        loose = "-" if one.permissive is None else "found" if one.permissive else "passes"
        usual = "passes" if one.passes_rtol else "found"
        yield str(k), operation, one.planted.fmt, one.misconception, usual, said, loose


def main(arguments: list[str]) -> int:
    """Print the table; with a number, also the false alarms on so many seeds."""
    found = [verdict(one) for one in PLANTED]
    print(aligned(list(_rows(found)), left=7))
    caught, passing = sum(bool(one.message) for one in found), sum(one.passes_rtol for one in found)
    print(f"found: {caught} of {len(found)}; {passing} of these {len(found)} pass rtol={RTOL}, atol={ATOL}")
    loose = [one for one in found if one.permissive is not None]
    still = sum(bool(one.permissive) for one in loose)
    print(f"found though sums in the format are permitted, in any order: {still} of {len(loose)}")
    if arguments:
        seeds = int(arguments[0])
        for name, refused in false_alarms(seeds).items():
            print(f"right kernel, {name}: {len(refused)} false alarms on {seeds} seeds")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
