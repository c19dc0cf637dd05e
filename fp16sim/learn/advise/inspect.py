"""What a format would do to tensors from elsewhere: saved gradients, weights, activations.

For people whose run failed in another framework. Save the tensors and inspect them here:

    numpy.savez("grads.npz", **{name: p.grad.float().cpu().numpy() for name, p in model.named_parameters()})
    fp16sim inspect grads.npz --format binary16
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...archives import MAX_BYTES, Header, check_memory, npy_header, open_archive
from ...conversion import Array
from ...formats import BINARY32, Format, FormatLike, get_format
from ...rounding import round_to
from ...wording import count, percent, share
from ..observe.binades import chunks
from ..observe.exponents import Fate, Survey, survey
from ..observe.histogram import bar_chart
from .scale_advice import recommend


@dataclass(frozen=True)
class Errors:
    """Relative errors |rounded - x| / |x| of the numbers that are not lost: those that stay nonzero and in range.

    Attributes
    ----------
    kept : int
        How many numbers are not lost.
    exact : int
        How many of them have the error 0.
    mean, largest : float
        Of the errors, in binary64. An error is at most the unit roundoff if the result is normal, and can reach 1 if
        it is subnormal.
    """

    kept: int = 0
    exact: int = 0
    mean: float = 0.0
    largest: float = 0.0

    def __add__(self, other: Errors) -> Errors:
        kept = self.kept + other.kept
        mean = (self.mean * self.kept + other.mean * other.kept) / kept if kept else 0.0
        return Errors(kept, self.exact + other.exact, mean, max(self.largest, other.largest))


@dataclass(frozen=True)
class Inspected:
    """What was counted for one tensor, or for all together: its survey and the relative errors of its numbers."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    survey: Survey
    errors: Errors

    @cached_property
    def fate(self) -> Fate:
        """What the numbers become without a loss scale."""
        return self.survey.fate()

    @cached_property
    def best_shift(self) -> int:
        """The k of the loss scale 2^k that loses the fewest numbers."""
        return self.survey.best_shift()

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        seen = self.survey
        counts = {name: getattr(seen, name) for name in ("total", "zeros", "nans", "infinities")}
        return {
            "name": self.name,
            "shape": list(self.shape),
            "dtype": self.dtype,
            **counts,
            **self.fate._asdict(),
            "exponents": {str(e): n for e, n in seen.exponents.items()},
            "best_scale_exponent": self.best_shift,
            "lost_at_best_scale": seen.fate(self.best_shift).lost,
            "relative_error": asdict(self.errors),
        }


@dataclass(frozen=True)
class Inspection:
    """The result of `inspect`. `print` shows the tensors, the histogram of all together, and the recommendation.

    Attributes
    ----------
    fmt : Format
    tensors : tuple of Inspected
    skipped : tuple of str
        The arrays that were not inspected, each with the reason.
    """

    fmt: Format
    tensors: tuple[Inspected, ...]
    skipped: tuple[str, ...] = ()

    @cached_property
    def together(self) -> Inspected:
        """All tensors as if they were one."""
        seen = sum((one.survey for one in self.tensors), Survey(self.fmt))
        dtypes = dict.fromkeys(one.dtype for one in self.tensors)
        errors = sum((one.errors for one in self.tensors), Errors())
        return Inspected("all together", (seen.total,), ", ".join(dtypes), seen, errors)

    @property
    def recommendation(self) -> str:
        """What to do, in a sentence or two, computed from the counts."""
        return recommend(self.together.survey)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "format": self.fmt.name,
            "tensors": [one.to_dict() for one in self.tensors],
            "together": self.together.to_dict(),
            "skipped": list(self.skipped),
            "recommendation": self.recommendation,
        }

    def __str__(self) -> str:
        tensors = "\n".join(_line(one) for one in (*self.tensors, self.together))
        advice = "\n".join([*self.skipped, self.recommendation])
        return "\n\n".join(filter(None, [tensors, bar_chart(self.together.survey), advice]))


def _line(one: Inspected) -> str:
    seen, fate = one.survey, one.fate
    text = f"{one.name}: {count(seen.total, 'number')}, {percent(share(seen.zeros, seen.total))} of them 0"
    if not seen.finite:
        return text
    kinds = (("become 0", fate.underflowed), ("become subnormal", fate.subnormal), ("overflow", fate.overflowed))
    fates = ", ".join(f"{percent(n / seen.finite)} {what}" for what, n in kinds)
    return f"{text}; of the finite nonzero ones {fates}"


def inspect(
    arrays: str | Path | Mapping[str, npt.ArrayLike] | npt.ArrayLike,
    fmt: FormatLike = "binary16",
    *,
    max_bytes: int = MAX_BYTES,
) -> Inspection:
    """Find out what a format would do to tensors: exact counts of the numbers that it loses, at any loss scale.

    Rounding is to nearest, ties to even, as in the casts of deep-learning frameworks.

    Parameters
    ----------
    arrays : path, mapping or array_like
        A .npz or .npy file, a mapping of names to arrays, or one array. Arrays of float16, float32 and float64 are
        inspected, and in memory also those of an ml_dtypes type whose numbers are all float32 numbers; others are
        skipped. A .npy file is read in chunks and a .npz file one tensor at a time, so large files are possible.
        Pickles are never opened.
    fmt : Format, str or dtype
    max_bytes : int
        A .npz file whose arrays take more bytes without compression is refused.

    Returns
    -------
    Inspection
        With `tensors`, `together`, `recommendation` and `to_dict()`.

    Raises
    ------
    ValueError
        If the file cannot be read, or there is no array of floats.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> found = inspect({"conv1": rng.standard_normal(1000) * 1e-7, "bias": [0.0, 1e-3]}, "binary16")
    >>> found.together.fate.underflowed
    233
    >>> print(found.recommendation)  # doctest: +NORMALIZE_WHITESPACE
    A loss scale of 2^9 loses least: none of the 1,001 nonzero numbers; without it 23.3% (233 become 0).
    2^8 is almost as good (0.10%). 2^9 can be doubled 16 times before the largest number overflows.
    """
    fmt = get_format(fmt)
    tensors, skipped = [], []
    for name, x in _named(arrays, max_bytes):
        floats = _as_floats(x)
        if isinstance(floats, str):
            skipped.append(f"{name} is skipped: {floats}")
        else:
            tensors.append(_inspected(name, floats, fmt))
    if not tensors:
        why = "; ".join(skipped) or "it is empty"
        raise ValueError(f"{_called(arrays)} has no array of floats to inspect: {why}")
    return Inspection(fmt, tuple(tensors), tuple(skipped))


def _inspected(name: str, x: Array, fmt: Format) -> Inspected:
    errors = sum((_errors(chunk, fmt) for chunk in chunks(x)), Errors())
    return Inspected(name, x.shape, str(x.dtype), survey(x, fmt), errors)


def _errors(x: Array, fmt: Format) -> Errors:
    with np.errstate(all="ignore"):
        x = x[np.isfinite(x)]
        y = round_to(x, fmt).astype(np.float64)
        x = x.astype(np.float64)
        kept = (y != 0) & np.isfinite(y) & ~_beyond(np.abs(x), fmt)
        x, y = x[kept], y[kept]
        relative = np.abs(y - x) / np.abs(x)
    if not x.size:
        return Errors()
    exact = int(np.count_nonzero(relative == 0))
    return Errors(x.size, exact, float(relative.mean()), float(relative.max()))


def _beyond(magnitude: Array, fmt: Format) -> Array:
    """Whether numbers overflow, even if the format saturates: from max_finite + ulp/2 on, which itself ties to even."""
    top = float(fmt.max_finite) + 2.0 ** (fmt.emax - fmt.precision)
    return magnitude >= top if fmt.max_significand % 2 else magnitude > top


# --- what is given --------------------------------------------------------------------------------------------------


def _called(arrays: object) -> str:
    return str(arrays) if isinstance(arrays, (str, Path)) else "arrays"


def _named(arrays: Any, max_bytes: int) -> Iterator[tuple[str, Any]]:
    if isinstance(arrays, (str, Path)):
        yield from _stored(Path(arrays), max_bytes)
    elif isinstance(arrays, Mapping):
        yield from ((str(name), x) for name, x in arrays.items())
    else:
        yield "array", arrays


def _stored(path: Path, max_bytes: int) -> Iterator[tuple[str, Any]]:
    """The arrays of a file, one at a time; for one that is not read, its header."""
    if path.suffix.lower() not in (".npy", ".npz"):
        raise ValueError(f"{path} is not a .npy or .npz file; save the tensors with numpy.savez('grads.npz', **arrays)")
    if not path.is_file():
        raise ValueError(f"{path} does not exist; give the path of a .npz or .npy file")
    try:
        if path.suffix.lower() == ".npy":
            header = npy_header(path)
            yield path.stem, np.load(path, mmap_mode="r", allow_pickle=False) if header.dtype else header
            return
        with open_archive(path) as stored:
            check_memory(sum(header.nbytes for header in stored.headers.values()), max_bytes)
            for name, header in stored.headers.items():
                yield name, stored.read(name) if header.dtype else header
    except (ValueError, OSError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None


def _as_floats(x: Any) -> Array | str:
    """The array, or the reason why it cannot be inspected."""
    if isinstance(x, Header):
        return f"dtype={x.descr} stands for Python objects or structures, which are never opened"
    x = np.asarray(x)
    if x.dtype.kind == "f" and x.dtype.itemsize <= 8:
        return x
    if x.dtype.kind == "V":
        try:
            if get_format(x.dtype).fits_in(BINARY32):
                return x.astype(np.float32)
        except ValueError:
            pass
        return (
            f"the file does not say what dtype={x.dtype} means; save x.astype(numpy.float32), which keeps every "
            "bfloat16 number"
        )
    return f"dtype={x.dtype} is not float16, float32 or float64"
