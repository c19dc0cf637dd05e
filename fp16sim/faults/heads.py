"""A head of attention for one query, right and wrong: all weights at once, and tile by tile as in flash attention."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from .. import accumulators, arithmetic, elementary, reductions
from ..formats import Format, Rounding
from ..rounding import round_to
from .roundings import Answer, right

Numbers: TypeAlias = Sequence[float]
Adding: TypeAlias = Callable[[Format, Rounding], accumulators.Accumulator]
NAN = math.nan


def _pairwise(fmt: Format, mode: Rounding) -> accumulators.Accumulator:
    return accumulators.Pairwise(fmt, mode)


def _fused(fmt: Format, mode: Rounding) -> accumulators.Accumulator:
    return accumulators.Fused(fmt, mode)


def _left(fmt: Format, mode: Rounding) -> accumulators.Accumulator:
    return accumulators.Sequential(fmt, mode)


def _binary32(fmt: Format, mode: Rounding) -> accumulators.Accumulator:
    return accumulators.Sequential("binary32")


# --- all weights at once --------------------------------------------------------------------------------------------


def head(
    query: Numbers,
    keys: Sequence[Numbers],
    values: Sequence[Numbers],
    seen: Sequence[bool],
    scale: float,
    fmt: Format,
    mode: Rounding,
    *,
    scaled: str = "query",
    hidden: str = "left out",
    empty: float = 0.0,
    largest: str = "of seen keys",
    total: Adding = _left,
    backwards: bool = False,
    products: Adding = _left,
    divided: str = "weights",
) -> list[float]:
    """A head of attention, right as its options stand here; one number for each column of the values.

    Parameters
    ----------
    query, keys, values, seen, scale, fmt, mode
        Values have a row for each key, and `seen` says which keys count.
    scaled : {"query", "keys", "products", "nothing"}
    hidden : {"left out", "product", "lowest", "afterwards", "ignored"}
        What is done about hidden keys: a product with -1e9 is added to the scores; their scores are the most negative
        number; their weights become 0 in the end; nothing.
    empty : float
        The result for a query that sees no key.
    largest : {"of seen keys", "of all keys", "none"}
        What is subtracted before exp.
    total, products : callable
        The accumulator of the exponentials, and that of the products of scores and values.
    backwards : bool
        Whether the exponentials are added from the last to the first.
    divided : {"weights", "sums", "by reciprocal"}
        What is divided by the sum of the exponentials: they, the weighted sums, or 1.
    """
    own, sees, at_end = (fmt, mode), np.asarray(seen, bool), hidden == "afterwards"
    scores = _scores(query, keys, scale, fmt, mode, scaled, products)
    if hidden == "product":
        scores = arithmetic.add(scores, arithmetic.multiply(1.0 - sees, round_to(-1e9, *own), *own), *own)
    if hidden == "lowest":
        scores = np.where(sees, scores, -float(fmt.max_finite))
    if hidden not in ("left out", "afterwards"):
        sees = np.ones_like(sees)
    if not sees.any():
        return [empty] * len(values[0])
    subtracted = {"of seen keys": scores[sees], "of all keys": scores, "none": np.zeros(1)}[largest].max()
    e = np.where(sees | at_end, elementary.exp(arithmetic.subtract(scores, subtracted, *own), *own), 0.0)
    denominator = reductions.sum(e[::-1] if backwards else e, *own, accumulator=total(*own))
    if divided == "by reciprocal":
        weights = arithmetic.multiply(e, arithmetic.divide(1.0, denominator, *own), *own)
    else:
        weights = e if divided == "sums" else arithmetic.divide(e, denominator, *own)
    weights = np.where(sees, weights, 0.0)
    results = reductions.matmul(weights, values, *own, accumulator=products(*own))
    return _positive(arithmetic.divide(results, denominator, *own) if divided == "sums" else results)


def _scores(
    query: Numbers, keys: Sequence[Numbers], scale: float, fmt: Format, mode: Rounding, scaled: str, products: Adding
) -> Any:
    q = arithmetic.multiply(query, scale, fmt, mode) if scaled == "query" else np.asarray(query)
    k = arithmetic.multiply(keys, scale, fmt, mode) if scaled == "keys" else np.asarray(keys)
    scores = reductions.matmul(k, q, fmt, mode, accumulator=products(fmt, mode))
    return np.asarray(arithmetic.multiply(scores, scale, fmt, mode) if scaled == "products" else scores)


def _positive(x: Any) -> list[float]:
    """Floats in which a zero has the sign +: that of a sum of zeros depends on how a mask is written."""
    found: list[float] = (np.asarray(x, np.float64) + 0.0).tolist()
    return found


def _in_float64(
    query: Numbers, keys: Sequence[Numbers], values: Sequence[Numbers], seen: Sequence[bool], scale: float, *own: Any
) -> list[float]:
    """A head in float64, whose steps NumPy rounds."""
    if not any(seen):
        return [0.0] * len(values[0])
    scores = (np.asarray(query) * scale) @ np.asarray(keys).T
    e = np.where(seen, np.exp(scores - scores[np.asarray(seen)].max()), 0.0)
    return _positive(e / e.sum() @ np.asarray(values))


# --- tile by tile ---------------------------------------------------------------------------------------------------

_SUBTRACTED: dict[str, Callable[[float, float], float]] = {
    "largest so far": max,
    "largest of the tile": lambda before, own: own,
    "largest of the first tile": lambda before, own: own if before == -math.inf else before,
    "nothing": lambda before, own: 0.0,
}
"""The largest score before a tile, and that of the tile -> what is subtracted before exp."""

_FACTORS: dict[str, Callable[[float, float], tuple[float, float]]] = {
    "both sums": lambda factor, inverse: (factor, factor),
    "the sum of weights": lambda factor, inverse: (factor, 1.0),
    "the sum of values": lambda factor, inverse: (1.0, factor),
    "nothing": lambda factor, inverse: (1.0, 1.0),
    "inversely": lambda factor, inverse: (inverse, inverse),
}
"""e^(before - new) and e^(new - before) -> the factors of both sums when a larger score comes."""


def tiled(
    scores: Numbers,
    values: Numbers,
    tile: int,
    fmt: Format,
    mode: Rounding,
    *,
    subtracted: str = "largest so far",
    rescaled: str = "both sums",
    skips: bool = True,
    last: bool = True,
    one_by_one: bool = False,
    reciprocal: bool = False,
    sums: Adding = _left,
) -> float:
    """The values weighted by an online softmax of the scores, right as its options stand here.

    Parameters
    ----------
    scores, values, tile, fmt, mode
        A score and a value for each key; -infinity is the score of a hidden one.
    subtracted, rescaled : str
        Keys of the tables above.
    skips, last : bool
        Whether a tile of hidden keys is left out, and whether a last tile that is not full counts.
    one_by_one : bool
        Whether the terms of a tile are added to the old sums, not their own sums.
    reciprocal : bool
        Whether the end is a product with 1 / sum.
    sums : callable
        The accumulator of the sums of a tile.
    """
    own, largest = (fmt, mode), -math.inf
    both: list[float] = []
    for start in range(0, len(scores), tile):
        s, v = (np.asarray(x[start : start + tile], np.float64) for x in (scores, values))
        if (skips and s.max() == -math.inf) or (len(s) < tile and not last):
            continue
        shift = _SUBTRACTED[subtracted](largest, float(s.max()))
        e = np.asarray(elementary.exp(arithmetic.subtract(s, shift, *own), *own))
        terms = (e, np.asarray(arithmetic.multiply(e, v, *own)))
        found = [float(reductions.sum(x, *own, accumulator=sums(*own))) for x in terms]
        new = max(largest, shift)
        if both:
            change = (arithmetic.subtract(*pair, *own) for pair in ((largest, new), (new, largest)))
            factors = _FACTORS[rescaled](*(float(elementary.exp(x, *own)) for x in change))
            kept = [float(arithmetic.multiply(x, factor, *own)) for x, factor in zip(both, factors, strict=True)]
            added = [list(x) for x in terms] if one_by_one else [[x] for x in found]
            found = [float(reductions.sum([x, *y], *own)) for x, y in zip(kept, added, strict=True)]
        largest, both = new, found
    if not both:
        return 0.0
    total, weighted = both
    if reciprocal:
        return float(arithmetic.multiply(weighted, arithmetic.divide(1.0, total, *own), *own)) + 0.0
    return float(arithmetic.divide(weighted, total, *own)) + 0.0


def _at_once(scores: Numbers, values: Numbers, tile: int, *own: Any) -> float:
    """The softmax of all scores, and then the weighted sum: nothing is done tile by tile."""
    e = elementary.exp(arithmetic.subtract(scores, max(scores), *own), *own)
    return float(reductions.dot(arithmetic.divide(e, reductions.sum(e, *own), *own), values, *own)) + 0.0


def _tiled_in_float64(scores: Numbers, values: Numbers, tile: int, *own: Any) -> float:
    e = np.exp(np.asarray(scores) - max(scores))
    return float(e @ np.asarray(values) / e.sum()) + 0.0


# --- the tables -----------------------------------------------------------------------------------------------------


def _each(row: Callable[..., Any]) -> Answer:
    """A function of one row of arguments, applied to each row."""

    def answer(operands: tuple[Any, ...], fmt: Format, mode: Rounding) -> list[Any]:
        with np.errstate(all="ignore"):
            return [row(*given, fmt, mode) for given in zip(*operands, strict=True)]

    return answer


def _rounded(row: Callable[..., Any]) -> Callable[..., Any]:
    """Computed in float64, and rounded in the end."""
    return lambda *given: right(np.asarray(row(*given)), *given[-2:]).tolist()


_WRONG_HEADS: dict[str, tuple[str, dict[str, Any]]] = {
    "unshifted": ("does not subtract the largest score: exponentials overflow", {"largest": "none"}),
    "shift_by_hidden": ("subtracts the largest score of all keys, hidden ones too", {"largest": "of all keys"}),
    "unscaled": ("does not scale the query", {"scaled": "nothing"}),
    "scaled_late": ("scales the products instead of the query: they overflow before", {"scaled": "products"}),
    "scaled_keys": ("scales the keys instead of the query", {"scaled": "keys"}),
    "no_mask": ("looks at hidden keys, too", {"hidden": "ignored"}),
    "mask_lowest": (
        "masks by a large negative number instead of leaving keys out: a query without keys sees them all",
        {"hidden": "lowest"},
    ),
    "mask_product": (
        "masks by adding (1 - seen) * -1e9: where -1e9 is infinite, 0 * -1e9 is NaN",
        {"hidden": "product"},
    ),
    "mask_afterwards": (
        "sets the weights of hidden keys to 0 after the softmax: the others do not add up to 1",
        {"hidden": "afterwards", "largest": "of all keys"},
    ),
    "empty_nan": ("gives NaN for a query that sees no key", {"empty": NAN}),
    "pairwise": ("adds the exponentials pairwise", {"total": _pairwise}),
    "backwards": ("adds the exponentials from the last to the first", {"backwards": True}),
    "wide_total": ("adds the exponentials in binary32", {"total": _binary32}),
    "wide_products": ("adds the products of scores and values in binary32", {"products": _binary32}),
    "wide": (
        "adds exponentials and products in binary32, not in the format",
        {"total": _binary32, "products": _binary32},
    ),
    "fused": ("adds products that were not rounded, as fma does", {"products": _fused}),
    "reciprocal": ("rounds twice: multiplies by the rounded reciprocal of the sum", {"divided": "by reciprocal"}),
    "divided_late": ("divides the weighted sums, not the weights", {"divided": "sums"}),
}
"""The options of `head` that make it wrong."""

_WRONG_TILES: dict[str, tuple[str, dict[str, Any]]] = {
    "unshifted": ("does not subtract the largest score: exponentials overflow", {"subtracted": "nothing"}),
    "own_largest": (
        "subtracts the largest score of the tile, also where an earlier one was larger",
        {"subtracted": "largest of the tile"},
    ),
    "first_largest": (
        "keeps the largest score of the first tile: exponentials overflow",
        {"subtracted": "largest of the first tile"},
    ),
    "not_rescaled": ("does not rescale its sums when a larger score comes", {"rescaled": "nothing"}),
    "weights_rescaled": (
        "rescales the sum of the weights, and not that of the values",
        {"rescaled": "the sum of weights"},
    ),
    "values_rescaled": (
        "rescales the sum of the values, and not that of the weights",
        {"rescaled": "the sum of values"},
    ),
    "inverse": ("rescales by e^(new - old), not by e^(old - new)", {"rescaled": "inversely"}),
    "empty_tile": ("computes -infinity minus -infinity, NaN, for a tile without keys", {"skips": False}),
    "last_tile": ("leaves out a last tile that is not full", {"last": False}),
    "one_by_one": ("adds a tile's terms to the old sums one by one, not the tile's own sums", {"one_by_one": True}),
    "reciprocal": ("rounds twice: multiplies by the rounded reciprocal of the sum", {"reciprocal": True}),
    "wide": ("adds a tile's terms in binary32", {"sums": _binary32}),
    "pairwise": ("adds a tile's terms pairwise", {"sums": _pairwise}),
}
"""The options of `tiled` that make it wrong."""

HEADS: tuple[tuple[str, str, str, Answer], ...] = (
    # name, task, misconception, answer
    *((name, "attention", words, _each(partial(head, **how))) for name, (words, how) in _WRONG_HEADS.items()),
    ("float64", "attention", "computes in float64 and rounds once, at the end", _each(_rounded(_in_float64))),
    ("unrounded", "attention", "does not round at all", _each(_in_float64)),
    *((name, "online_attention", words, _each(partial(tiled, **how))) for name, (words, how) in _WRONG_TILES.items()),
    ("at_once", "online_attention", "takes the softmax of all scores at once, not tile by tile", _each(_at_once)),
    (
        "float64",
        "online_attention",
        "computes in float64 and rounds once, at the end",
        _each(_rounded(_tiled_in_float64)),
    ),
    ("unrounded", "online_attention", "does not round at all", _each(_tiled_in_float64)),
)
