"""What is audited, as data: a subject has checks, block quantizers and sums; each a function, and what it should do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from ..formats import Format, Rounding

Array: TypeAlias = np.ndarray[Any, Any]
Kind: TypeAlias = Literal["conversion", "arithmetic", "function", "text"]


@dataclass(frozen=True)
class Check:
    """A function of the library, and what it should do: the definition of one comparison.

    Attributes
    ----------
    name : str
        Such as "bfloat16 from float64".
    task : str
        "rounding", "integer", "parse" (of texts), "decode" (of codes), "print", "add" and its sisters, or the name of
        an elementary function.
    fmt : Format
        The format of the results. Its own overflow is what the library documents: see `documented`.
    function : callable
        Columns of operands -> values, as float64. It is given float64 arrays; codes for "decode", a list of texts for
        "parse", Python integers for "integer".
    source : str
        The format that operands are taken from, for "rounding": binary64, binary32, binary16 ...
    mode : Rounding
        How results are rounded.
    documented : str
        Where the library says that it departs from the format's own overflow; "" if it does not.
    limits : tuple of int
        For "integer": the smallest and the largest integer that the function takes.
    step : int
        Only every so many of the probe's inputs are compared: for functions that take a number at a time, slowly.
    flushes : bool
        Whether the library documents that subnormal operands and results may be replaced by zeros.
    """

    name: str
    task: str
    fmt: Format
    function: Callable[..., Any]
    source: str = "binary64"
    mode: Rounding = Rounding.TIES_TO_EVEN
    documented: str = ""
    limits: tuple[int, int] = (-(2**63), 2**63 - 1)
    step: int = 1
    flushes: bool = False


@dataclass(frozen=True)
class BlockCheck:
    """A block quantizer: `function` takes float32 rows of one block each and gives (values, or None; scale codes)."""

    name: str
    block: str
    rule: str
    function: Callable[[Array], tuple[Array | None, Array]]


@dataclass(frozen=True)
class Reduction:
    """A sum, a dot product or a mean: `function` takes numbers of `fmt` as one float64 array and gives one number."""

    name: str
    fmt: Format
    function: Callable[[Array], float]
    mean: bool = False


@dataclass(frozen=True)
class Accuracy:
    """A function of rows that has no single right answer in 16 bits, such as softmax: its error is measured.

    `function` and `reference` take float64 rows of numbers of `fmt`; the reference computes in float64.
    """

    name: str
    fmt: Format
    function: Callable[[Array], Any]
    reference: Callable[[Array], Array]


@dataclass(frozen=True)
class Subject:
    """A library, or one function of a user: what it is called, its version, and all that is compared."""

    name: str
    version: str
    checks: tuple[Check, ...] = ()
    blocks: tuple[BlockCheck, ...] = ()
    reductions: tuple[Reduction, ...] = ()
    accuracies: tuple[Accuracy, ...] = ()
