"""What the adapters share: lists of checks for libraries whose arrays have dtypes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ...codes import decode
from ...formats import Format, Rounding, get_format
from ...formats import with_behaviour as changed
from ...overflow import get_overflow
from ..inputs import COUNTS
from ..subject import Array, Check

Cast = Callable[[Array], Any]

SHORT = {"binary64": "float64", "binary32": "float32", "binary16": "float16"}
"""What libraries call the formats that operands are taken from."""


def documented(fmt: Format | str, convention: str) -> tuple[Format, str]:
    """A format with the overflow that a library documents, and where it does; the plain one where that is the same."""
    fmt = get_format(fmt)
    known = get_overflow(convention)
    if not any(get_format(name).layout == fmt.layout for name in known.formats):
        return fmt, ""
    own = changed(fmt, None, None, convention)
    return (fmt, "") if own.saturate == fmt.saturate else (own, known.source)


def values_of(codes: Any, fmt: Format) -> Array:
    """The values of codes, by fp16sim's own `decode`, so that a fault of the library's cannot hide one."""
    return np.asarray(decode(np.asarray(codes), fmt), np.float64)


def casts(
    fmt: Format, by_source: Mapping[str, Cast], where: str = "", mode: Rounding = Rounding.TIES_TO_EVEN
) -> Iterator[Check]:
    """Casts to a format from each source."""
    for source, cast in by_source.items():
        plain = fmt.name.partition(",overflow=")[0]
        way = "" if mode is Rounding.TIES_TO_EVEN else f", {mode.value}"
        yield Check(f"{plain} from {SHORT.get(source, source)}{way}", "rounding", fmt, cast, source, mode, where)


def arithmetic(
    fmt: Format, operation: Callable[[str, tuple[Array, ...]], Any], names: Iterable[str]
) -> Iterator[Check]:
    """+ - * / sqrt of a format; `operation` takes the name and float64 columns."""
    for name in names:
        yield Check(f"{fmt.name} {name}", name, fmt, _operation(operation, name))


def _operation(operation: Callable[[str, tuple[Array, ...]], Any], name: str) -> Callable[..., Any]:
    return lambda *columns: operation(name, columns)


FIVE = tuple(name for name in COUNTS if name != "fma")
PYTHON_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
}


def functions(fmt: Format, evaluate: Callable[[str, Array], Any], names: Mapping[str, str]) -> Iterator[Check]:
    """Elementary functions of a format: `names` maps ours to the library's; `evaluate` takes the library's."""
    for ours, theirs in names.items():
        yield Check(f"{fmt.name} {ours}", ours, fmt, _function(evaluate, theirs))


def _function(evaluate: Callable[[str, Array], Any], name: str) -> Cast:
    return lambda x: evaluate(name, x)


def one_by_one(function: Callable[..., Any]) -> Callable[..., Array]:
    """A function of columns from a function of numbers."""

    def each(*columns: Any) -> Array:
        lists = (column.tolist() if isinstance(column, np.ndarray) else column for column in columns)
        return np.array([function(*row) for row in zip(*lists, strict=True)], np.float64)

    return each
