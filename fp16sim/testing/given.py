"""What a test gives: arrays of NumPy, ml_dtypes and JAX, FloatArrays, torch tensors; none of these is imported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .. import exact
from ..conversion import Array, check_fits, lift, same_format
from ..faults.roundings import differs
from ..formats import BINARY64, Format, FormatLike, Rounding, Subnormals, get_format
from ..rounding import round_if_needed, round_to, round_without_flags
from ..wording import quoted


def array_of(x: Any, fmt: Format, name: str = "x") -> Array:
    """The exact values of `x`, as `lift` gives them; an array of another format is refused."""
    x = same_format(x, fmt)
    return lift(_from_torch(getattr(x, "values", x) if hasattr(x, "fmt") else x, name))


def numbers_of(x: Any, fmt: Format, name: str) -> Array:
    """The values of `x` in float64, for results and for operands of kernels."""
    found = array_of(x, fmt, name)
    return _as_float64(found, name) if found.dtype == object else found.astype(np.float64)


def _as_float64(found: Array, name: str) -> Array:
    """Fractions, texts and the like that are numbers of float64; a test must not round what it compares."""
    values = np.asarray(round_to(found, BINARY64), np.float64)
    for item, value in zip(found.flat, values.flat, strict=True):
        if not np.isnan(value) and exact.as_exact(item) != exact.as_exact(float(value)):
            raise TypeError(f"{name} has {quoted(item)}, which float64 does not hold; give floats")
    return values


def _from_torch(x: Any, name: str) -> Any:
    """A torch tensor as a NumPy array. NumPy has no bfloat16 and no float8: float32 holds their values."""
    if type(x).__module__.partition(".")[0] != "torch" or not hasattr(x, "detach"):
        return x
    kind, tensor = str(x.dtype).removeprefix("torch."), x.detach().cpu()
    if kind.startswith("complex"):
        raise TypeError(f"{name} is a tensor of {kind}; give real numbers")
    return (tensor.float() if kind.startswith(("bfloat", "float8", "half")) else tensor).numpy()


def format_of(fmt: FormatLike) -> Format:
    """The format of a test; one that float64 does not hold is refused."""
    fmt = get_format(fmt)
    check_fits(fmt)
    return fmt


def operand(x: Any, fmt: Format, mode: Rounding, name: str) -> Array:
    """An operand of a kernel: values of the format; others are rounded to it, to nearest if the mode is random."""
    mode = Rounding.TIES_TO_EVEN if mode.random else mode
    return np.asarray(round_if_needed(numbers_of(x, fmt, name), fmt, mode), np.float64)


def not_held(values: Array, fmt: Format) -> Array:
    """Where a number is not one of the format, however the format overflows or treats its subnormals."""
    plain = replace(fmt, subnormals=Subnormals.GRADUAL)
    return differs(round_without_flags(values, plain, Rounding.TIES_TO_EVEN), values)


def same_shape(got: Array, expected: Array) -> None:
    """AssertionError if the results have another shape, as in NumPy's assertions."""
    if got.shape != expected.shape:
        raise AssertionError(f"got.shape={got.shape} is not the shape of the result, {expected.shape}")
