"""The cells of a sweep: every combination of the values of its axes, each with its whole configuration as plain data.

A cell is known by its key, a digest of its whole configuration: what was given, and what the function adds by itself,
such as the defaults of its arguments. So a table finds a finished cell again, however the sweep was written down.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from ..wording import joined, quoted

MOST_CELLS = 1_000_000

MOST_BITS = 14_000
"""Of an integer: Python writes no more than 4,300 decimal digits."""

Options: TypeAlias = Mapping[str, Any]
Expand: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]
"""From the options that are given for a cell to its whole configuration, as plain data."""


@dataclass(frozen=True)
class Cell:
    """One computation of a sweep.

    Attributes
    ----------
    place : dict
        Its values of the axes, as they were given.
    config : dict
        Its whole configuration, as plain data.
    key : str
        A digest of `config`.
    """

    place: dict[str, Any]
    config: dict[str, Any]
    key: str


def make_cells(axes: Options, cells: Sequence[Options], base: Options, expand: Expand) -> tuple[Cell, ...]:
    """All cells, in the order of the axes: the last axis changes fastest, and listed cells are the first axis.

    Raises
    ------
    ValueError
        For an axis without values, a value or a cell that is given twice, a name that is given twice, and no cells.
    TypeError
        For what is not plain data.
    """
    _check(axes, cells, base)
    found: dict[str, Cell] = {}
    for place in _places(axes, cells):
        config = plain(expand({**base, **place}), "configuration")
        key = key_of(config)
        if key in found:
            first = said(found[key].place)
            raise ValueError(f"the cells {first} and {said(place)} have the same configuration; leave one out")
        found[key] = Cell(place, config, key)
    return tuple(found.values())


def _places(axes: Options, cells: Sequence[Options]) -> Iterator[dict[str, Any]]:
    listed: Sequence[Options] = cells or [{}]
    for first, *rest in product(listed, *axes.values()):
        yield {**first, **dict(zip(axes, rest, strict=True))}


def _check(axes: Options, cells: Sequence[Options], base: Options) -> None:
    if not isinstance(axes, Mapping):
        raise TypeError(f"axes={quoted(axes)} is not a table of lists; give a dict, such as {{'rng': [0, 1, 2]}}")
    if not axes and not cells:
        raise ValueError("the sweep has no axes and no cells; give axes, such as {'rng': [0, 1, 2]}")
    number = max(1, len(cells))
    for name, values in axes.items():
        _check_axis(name, values)
        number *= len(values)
        if name in base:
            raise ValueError(f"{name}={quoted(base[name])} is also an axis; give it once")
    if number > MOST_CELLS:
        raise ValueError(f"the sweep has {number:,} cells; use at most {MOST_CELLS:,}")
    for cell in cells:
        if not isinstance(cell, Mapping) or not cell:
            raise TypeError(f"cell={quoted(cell)} is not a table of options; give a dict with one option or more")
        for name in cell:
            if name in axes or name in base:
                where = "an axis" if name in axes else "an option of all cells"
                raise ValueError(f"{name}={quoted(cell[name])} of a cell is also {where}; give it once")


def _check_axis(name: str, values: Any) -> None:
    if isinstance(values, (str, bytes)) or not isinstance(values, (Sequence, np.ndarray)):
        raise TypeError(f"axis {name}={quoted(values)} is not a list of values; write [{quoted(values)}] for one")
    if not len(values):
        raise ValueError(f"axis {name}=[] has no values; give one or more, or leave it out")
    seen = set()
    for value in values:
        same = isinstance(value, bool), value if isinstance(value, Hashable) else repr(value)  # True is not 1
        if same in seen:
            raise ValueError(f"axis {name} has the value {quoted(value)} twice; give each value once")
        seen.add(same)


# --- plain data -----------------------------------------------------------------------------------------------------


def plain(x: Any, what: str, *, spell: bool = False) -> Any:
    """What JSON can say, with NumPy's numbers and arrays as Python's; TypeError or ValueError for anything else.

    With `spell`, NaN and infinities become texts that `float` reads.

    >>> import numpy as np
    >>> plain({"lr": np.float64(0.5), "layers": (64, 32)}, "cell")
    {'lr': 0.5, 'layers': [64, 32]}
    >>> plain([1.5, np.float16("inf")], "losses", spell=True)
    [1.5, 'Infinity']
    """
    if isinstance(x, (np.generic, np.ndarray)):
        x = x.tolist()
    if isinstance(x, int) and x.bit_length() > MOST_BITS:
        raise ValueError(f"{what} is an integer of {x.bit_length():,} bits; give it as a text")
    if x is None or isinstance(x, (str, bool, int)):
        return x
    if isinstance(x, float):
        if not np.isfinite(x):
            if spell:
                return json.dumps(float(x))
            raise ValueError(f"{what}={x} is not finite, which JSON cannot say; give it as a text")
        return x
    if isinstance(x, (list, tuple)):
        return [plain(item, f"{what}[{k}]", spell=spell) for k, item in enumerate(x)]
    if isinstance(x, Mapping) and all(isinstance(name, str) for name in x):
        return {name: plain(value, f"{what}.{name}", spell=spell) for name, value in x.items()}
    raise TypeError(
        f"{what}={quoted(x)} is of type {type(x).__name__}, not plain data; give numbers, texts, lists or dicts of them"
    )


def canonical(x: Any) -> str:
    """The one JSON text of plain data: names in order, without blanks.

    >>> canonical({"b": 1, "a": [0.1, None]})
    '{"a":[0.1,null],"b":1}'
    """
    return json.dumps(x, sort_keys=True, separators=(",", ":"), allow_nan=False)


def key_of(config: Mapping[str, Any]) -> str:
    """The key of a cell: 16 hexadecimal digits of the SHA-256 digest of its configuration.

    >>> key_of({"lr": 0.1, "rng": 0})
    'f2fdc82c26a8f9d2'
    """
    return hashlib.sha256(canonical(config).encode("ascii")).hexdigest()[:16]


def shown(value: Any) -> str:
    """A value of an axis in tables and pictures.

    >>> shown(1e-3), shown("bfloat16"), shown([64, 32]), shown(True)
    ('0.001', 'bfloat16', '64, 32', 'yes')
    """
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(float(value))
    if isinstance(value, (list, tuple, np.ndarray)):
        return ", ".join(map(shown, value))
    return str(value)


def said(place: Mapping[str, Any]) -> str:
    """The place of a cell in a sentence.

    >>> said({"policy": "bfloat16", "lr": 0.001, "rng": 0})
    'policy=bfloat16, lr=0.001 and rng=0'
    """
    return joined(f"{name}={shown(value)}" for name, value in place.items()) if place else "(all options)"
