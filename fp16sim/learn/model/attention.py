"""Attention in three forms: softmax as its formula says, softmax without overflow, and softmax tile by tile.

    attention(q, k, v) = softmax(q k^T / sqrt(size)) v

All three are equal in real numbers. Rounded they differ: the first overflows where a score is large, and the third
rounds at each tile.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arrays import FloatArray
from ...conversion import Array
from ...wording import did_you_mean, quoted
from ..precision import DEFAULT_PRODUCTS, Products
from .initialisers import Initialiser, for_sums
from .layers import Compound, Layer, Linear, call_part, check_sizes
from .rotary import rotated
from .tensor import Tensor


@dataclass(frozen=True)
class Mask:
    """Which scores do not count, and what is done to them.

    Attributes
    ----------
    hidden : array of bool, or None
        True where a score does not count; its shape is that of the scores, or is repeated to it. None hides nothing.
    value : float
        What stands for a score that does not count. It is rounded to the format, as every constant is.
    added : bool
        Whether the value is added to the score, as many libraries do, instead of replacing it.
    """

    hidden: Array | None = None
    value: float = -math.inf
    added: bool = False

    def of(self, scores: Tensor, keys: slice = slice(None)) -> Tensor:
        """The scores, masked; `keys` says which keys they are of."""
        if self.hidden is None:
            return scores
        hidden = self.hidden[..., keys]
        if not self.added:
            return scores.masked_fill(hidden, self.value)
        return scores + np.where(hidden, self.value, 0.0)


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Mask | None = None,
    *,
    form: str = "stable",
    tile: int = 16,
    how: Products = DEFAULT_PRODUCTS,
) -> Tensor:
    """softmax(query key^T / sqrt(size)) value; every product, sum, exponential and quotient is rounded.

    Parameters
    ----------
    query, key, value : Tensor
        Of shape (..., time, size). The axes before count heads and samples.
    mask : Mask, optional
        Which scores do not count; see `causal`.
    form : {"stable", "naive", "online"}
        "naive" divides e^score by the sum of its row. "stable" first subtracts the largest score of the row. "online"
        is the forward pass of flash attention (Dao et al. 2022): it takes `tile` keys at a time, keeps the largest
        score so far, the sum of the exponentials and the sum of the values, and rescales both sums when a larger score
        comes. Its backward pass is that of these operations.
    tile : int
        How many keys "online" takes at a time.
    how : Products
        How products and sums are rounded.

    Examples
    --------
    >>> import fp16sim as fs
    >>> q = Tensor(fs.array([[4.0, 0.0], [0.0, 4.0]], "binary16"))
    >>> with np.errstate(all="ignore"):  # e^(16 / sqrt 2) = 82,000 is infinite in binary16
    ...     attention(q, q, q, form="naive").value
    FloatArray([[nan, nan],
                [nan, nan]], binary16)
    >>> attention(q, q, q, causal(2)).value
    FloatArray([[       4,        0],
                [4.89e-05,        4]], binary16)
    """
    if form not in FORMS:
        known = f"{did_you_mean(form, FORMS)}use one of {', '.join(map(repr, FORMS))}"
        raise ValueError(f"attention={quoted(form)} is unknown; {known}")
    if tile < 1:
        raise ValueError(f"tile={tile} must be 1 key or more")
    mask = Mask() if mask is None else mask
    return FORMS[form](query, key, value, mask, how, tile)


def causal(time: int, value: float = -math.inf, *, added: bool = False) -> Mask:
    """The mask of a language model: position t sees the positions up to t."""
    return Mask(np.triu(np.ones((time, time), bool), 1), value, added)


def _scaled(query: Tensor) -> Tensor:
    """The queries divided by the root of their size: before the products, so that these do not overflow."""
    return query * (1 / math.sqrt(query.shape[-1]))


def _scores(scaled: Tensor, key: Tensor, how: Products) -> Tensor:
    return scaled.matmul(key.swapaxes(-1, -2), how)


def _naive(query: Tensor, key: Tensor, value: Tensor, mask: Mask, how: Products, tile: int) -> Tensor:
    powers = mask.of(_scores(_scaled(query), key, how)).exp()
    return (powers / powers.sum(how.accumulator, axis=-1, keepdims=True)).matmul(value, how)


def _stable(query: Tensor, key: Tensor, value: Tensor, mask: Mask, how: Products, tile: int) -> Tensor:
    return mask.of(_scores(_scaled(query), key, how)).softmax(how.accumulator).matmul(value, how)


def _online(query: Tensor, key: Tensor, value: Tensor, mask: Mask, how: Products, tile: int) -> Tensor:
    """Tile by tile. With m the largest score so far, l = sum of e^(score - m), o = sum of e^(score - m) value:

        new m = max(m, scores of the tile);  l = l e^(m - new m) + ...;  o = o e^(m - new m) + ...;  at the end o / l.

    In real numbers o / l does not depend on m. So no gradient passes through m, as in flash attention. As long as all
    scores of a row are -infinity, 0 is subtracted instead of m, and l and o stay 0.
    """
    scaled = _scaled(query)

    def sums(own: slice, before: FloatArray | None = None) -> tuple[FloatArray, Tensor, Tensor]:
        scores = mask.of(_scores(scaled, key[..., own, :], how), own)
        largest = scores.value.max(axis=-1, keepdims=True)
        largest = largest if before is None else Tensor(largest).maximum(before).value
        powers = (scores - _known(largest, largest)).exp()
        total = powers.sum(how.accumulator, axis=-1, keepdims=True)
        return largest, total, powers.matmul(value[..., own, :], how)

    first, *rest = (slice(start, start + tile) for start in range(0, key.shape[-2], tile))
    m, l_, o = sums(first)
    for own in rest:
        largest, total, values = sums(own, m)
        rescale = (_known(m, largest) - _known(largest, largest)).exp()
        m, l_, o = largest, l_ * rescale + total, o * rescale + values
    return o / l_


def _known(x: FloatArray, largest: FloatArray) -> FloatArray:
    """x, with 0 where the largest score is -infinity."""
    found: Any = np.where(largest.values == -math.inf, 0.0, x)
    return found


FORMS: dict[str, Callable[[Tensor, Tensor, Tensor, Mask, Products, int], Tensor]] = {
    "stable": _stable,
    "naive": _naive,
    "online": _online,
}
"""By name."""

MASKS = ("-inf", "-1e9", "-65504")
"""Values of masks that are in use; in binary16, -1e9 is -infinity, and -65504 the most negative number."""


def mask_value(name: str) -> float:
    """The number that the name of a mask stands for; ValueError for another name."""
    if name not in MASKS:
        raise ValueError(f"mask={quoted(name)} is unknown; use one of {', '.join(map(repr, MASKS))}")
    return float(name)


ROTARY = {"rotary": False, "rotary-wide": True}
"""Positions that turn queries and keys, and whether their angles are computed in binary64; see `rotary`."""


@dataclass(frozen=True)
class CausalAttention(Compound):
    """Multi-head self-attention in which position t sees the positions up to t: (batch, time, width) to the same shape.

    Queries, keys and values are products of the input, without biases. Each head attends with its own part of them; the
    results of all heads are multiplied by the output weights.

    Parameters
    ----------
    width, heads : int
        The width must be a multiple of the heads.
    form, tile
        See `attention`.
    positions : {"none", "rotary", "rotary-wide"}
        Whether queries and keys are turned by their positions: with each operation rounded, or with angles that are
        computed in binary64.
    mask : {"-inf", "-1e9", "-65504"}
        What stands for the score of a later position.
    output : callable, optional
        How the output weights are drawn.
    """

    width: int
    heads: int = 4
    form: str = "stable"
    positions: str = "none"
    mask: str = "-inf"
    tile: int = 16
    output: Initialiser = for_sums

    def __post_init__(self) -> None:
        check_sizes(self, "width", "heads", "tile")
        if self.width % self.heads:
            raise ValueError(f"width={self.width} is not a multiple of heads={self.heads}; each head has an equal part")
        for name, known in (("form", FORMS), ("positions", ("none", *ROTARY))):
            if (given := getattr(self, name)) not in known:
                similar = f"{did_you_mean(given, known)}use one of {', '.join(map(repr, known))}"
                raise ValueError(f"{name}={quoted(given)} of CausalAttention is unknown; {similar}")
        if self.positions in ROTARY and self.width // self.heads % 2:
            raise ValueError(
                f"width={self.width} with heads={self.heads} gives heads of {self.width // self.heads} numbers; rotary "
                "positions turn pairs, so use an even number"
            )
        mask_value(self.mask)

    def parts(self) -> dict[str, Layer]:
        """The four products."""
        n = self.width
        names = ("query", "key", "value")
        return {**{name: Linear(n, n, False, for_sums) for name in names}, "out": Linear(n, n, False, self.output)}

    def __call__(self, params: Mapping[str, Tensor], x: Tensor, how: Products = DEFAULT_PRODUCTS) -> Tensor:
        """The output."""
        if x.ndim != 3 or x.shape[-1] != self.width:
            raise ValueError(f"x.shape={x.shape} must be (batch, time, {self.width}) for this layer")
        parts, time = self.parts(), x.shape[1]
        query, key, value = (
            self._split(call_part(name, parts[name], params, x, how)) for name in ("query", "key", "value")
        )
        if self.positions in ROTARY:
            query, key = (rotated(y, wide=ROTARY[self.positions]) for y in (query, key))
        mask = causal(time, mask_value(self.mask))
        y = attention(query, key, value, mask, form=self.form, tile=self.tile, how=how)
        joined = y.transpose(0, 2, 1, 3).reshape(*x.shape)
        return call_part("out", parts["out"], params, joined, how)

    def _split(self, y: Tensor) -> Tensor:
        """(batch, time, width) to (batch, heads, time, size)."""
        batch, time, width = y.shape
        return y.reshape(batch, time, self.heads, width // self.heads).transpose(0, 2, 1, 3)
