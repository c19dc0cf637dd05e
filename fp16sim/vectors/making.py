"""Conformance vectors of a format and a mode: operands and right answers, as data for any language.

Columns are lists of equal length. A code is an integer; a number is text, a hexadecimal floating-point literal as in C.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import arithmetic, cases
from ..arithmetic.intermediates import LIFTED
from ..audit.block_probe import rows as block_rows
from ..blocks import quantize
from ..codes import decode, encode
from ..conversion import Array
from ..faults import SETTINGS
from ..formats import Format, FormatLike, Rounding, get_format, get_rounding
from ..rounding import round_to
from ..version import __version__

SCHEMA = "fp16sim vectors 1"
"""What a file says it is."""
OPERATIONS = {"add": 2, "subtract": 2, "multiply": 2, "divide": 2, "sqrt": 1, "fma": 3}
"""How many operands each has."""
SMALL = 8
"""Formats of at most so many bits have all their numbers in the vectors of conversions."""
MOST_BLOCKS = 300


def make(fmt: FormatLike = "binary16", mode: Rounding | str = "ties_to_even", *, every: bool = False) -> dict[str, Any]:
    """Vectors for whoever builds or tests an implementation: correctly rounded answers, ready for JSON.

    Sections: "decode" (every code up to 16 bits), "rounding" (numbers of the format, the midpoints between them and the
    neighbours of both in binary64, specials, and where overflow begins), the six operations on interesting operands,
    and the standard blocks of the format in ties to even.

    Parameters
    ----------
    fmt, mode
        As for `round_to`; not a stochastic mode.
    every : bool
        Whether "rounding" has every number and midpoint of a format of up to 16 bits, and operations of two operands
        all pairs of an 8-bit format. Conversions of formats of up to 8 bits have them in any case.

    Returns
    -------
    dict
        The schema is in the documentation.

    Raises
    ------
    ValueError
        For a stochastic mode, and a format of more than 50 bits of precision.

    Examples
    --------
    >>> vectors = make("e2m1fn")
    >>> [section["name"] for section in vectors["sections"]][:4]
    ['decode', 'rounding', 'add', 'subtract']
    >>> vectors["sections"][0]["expected"][:4]
    ['0x0.0p+0', '0x1.0000000000000p-1', '0x1.0000000000000p+0', '0x1.8000000000000p+0']
    """
    fmt, mode = get_format(fmt), get_rounding(mode)
    if mode.random:
        raise ValueError(f"mode={mode.value}: its answers are random; use another mode")
    with np.errstate(all="ignore"):
        sections = [_decoding(fmt), _rounding(fmt, mode, every)]
        sections += [_operation(name, n, fmt, mode, every) for name, n in OPERATIONS.items()]
        if mode is Rounding.TIES_TO_EVEN:
            sections += [_blocks(task) for task, (block, _) in SETTINGS.items() if block.element == fmt]
    return {
        "schema": SCHEMA,
        "made by": f"fp16sim {__version__}",
        "format": fmt.to_plain(),
        "mode": mode.value,
        "sections": sections,
    }


def literals(x: Array) -> list[str]:
    """Numbers as text."""
    return [float(v).hex() for v in x]


def numbers(texts: list[str]) -> Array:
    """The numbers of texts."""
    return np.array([float.fromhex(text) for text in texts])


def codes_of(x: Any, fmt: Format, mode: Rounding) -> list[int]:
    """The codes of numbers that the format has."""
    return [int(code) for code in np.asarray(encode(x, fmt, mode))]


def _section(name: str, operands: list[Any], expected: list[Any], kinds: tuple[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "operands are": kinds[0],
        "answers are": kinds[1],
        "operands": operands,
        "expected": expected,
    }


def _decoding(fmt: Format) -> dict[str, Any]:
    if fmt.width <= cases.WIDEST_TABLE:
        codes = list(range(2**fmt.width))
    else:
        codes = codes_of(cases.values(fmt), fmt, Rounding.TIES_TO_EVEN)
    values = np.asarray(decode(codes, fmt), np.float64)
    return _section("decode", [codes], literals(values), ("codes", "numbers"))


def _rounding(fmt: Format, mode: Rounding, every: bool) -> dict[str, Any]:
    x = cases.roundable(fmt, (every or fmt.width <= SMALL) and fmt.width <= cases.WIDEST_TABLE)
    return _section("rounding", [literals(x)], codes_of(round_to(x, fmt, mode), fmt, mode), ("numbers", "codes"))


def _operation(name: str, count: int, fmt: Format, mode: Rounding, every: bool) -> dict[str, Any]:
    columns = cases.tuples(fmt, count, every or (count == 1 and fmt.width <= SMALL))
    if not fmt.has_nan:
        has_result = ~np.isnan(LIFTED[name](mode, *columns))
        columns = tuple(x[has_result] for x in columns)
    expected = codes_of(getattr(arithmetic, name)(*columns, fmt, mode), fmt, mode)
    return _section(name, [codes_of(x, fmt, mode) for x in columns], expected, ("codes", "codes"))


def _blocks(task: str) -> dict[str, Any]:
    """Rows of numbers, of which each is a block; together they are one tensor."""
    x = block_rows(SETTINGS[task][0])
    x = np.concatenate([_special_rows(x[-1]), x[:: -(-len(x) // MOST_BLOCKS)]]).astype(np.float64)
    return _section(task, [[literals(row) for row in x]], block_answers(x, task), ("blocks", "codes of blocks"))


def _special_rows(ordinary: Array) -> Array:
    """Blocks of zeros; with a NaN or an infinity among numbers; and of the largest and smallest numbers of binary32."""
    rows = [np.zeros_like(ordinary), np.negative(np.zeros_like(ordinary))]
    for special in (np.nan, np.inf, -np.inf, -0.0):
        rows.append(ordinary.copy())
        rows[-1][3] = special
    return np.array([*rows, *(np.ldexp(np.frexp(ordinary)[0], e) for e in (128, 120, -120, -126, -140))])


def block_answers(x: Array, task: str) -> list[Any]:
    """For each row: the code of its scale, and those of its elements."""
    block, rule = SETTINGS[task]
    found = [quantize(row, block, scale_rule=rule) for row in x] if block.tensor_scale else None
    if found is not None:
        return [[[int(s) for s in one.scale_codes.ravel()], one.codes.ravel().tolist()] for one in found]
    whole = quantize(x, block, scale_rule=rule)
    return [
        [[int(s) for s in scales.ravel()], codes.ravel().tolist()]
        for scales, codes in zip(whole.scale_codes, whole.codes, strict=True)
    ]
