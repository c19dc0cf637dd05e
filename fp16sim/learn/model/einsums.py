"""Einstein's sum, such as "bij,bjk->bik": its text, and its tensors as stacks of matrices that are multiplied.

It knows no graph: it is written with the methods of its operands, each of which has a vjp.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from string import ascii_letters
from typing import Any

from ...accumulators import Accumulator
from ...wording import quoted
from ..precision import Products


def einsum(text: str, *operands: Any, how: Products | Accumulator | None = None) -> Any:
    """The sum, of tensors."""
    labels, result = parse(text, [x.shape for x in operands])
    sums = how.accumulator if isinstance(how, Products) else how
    y, own = operands[0], labels[0]
    for k, (x, its) in enumerate(zip(operands[1:], labels[1:], strict=True), start=1):
        needed = result + "".join(labels[k + 1 :])
        y, own = _summed(y, own, its + needed, sums)
        x, its = _summed(x, its, own + needed, sums)
        y, own = _product_over(y, own, x, its, needed, how)
    y, own = _summed(y, own, result, sums)
    return y.transpose(*map(own.index, result)) if own != result else y


def _summed(x: Any, own: str, needed: str, accumulator: Accumulator | None) -> tuple[Any, str]:
    """The sum over the letters that nobody needs."""
    alone = tuple(k for k, letter in enumerate(own) if letter not in needed)
    left = "".join(letter for letter in own if letter in needed)
    return (x.sum(accumulator, axis=alone), left) if alone else (x, own)


def _product_over(
    a: Any, own: str, b: Any, its: str, needed: str, how: Products | Accumulator | None
) -> tuple[Any, str]:
    """The product of two stacks of matrices, over the letters that both have and nobody else needs."""
    both = [x for x in own if x in its]
    batch, summed = ("".join(x for x in both if (x in needed) == kept) for kept in (True, False))
    rows, columns = ("".join(x for x in these if x not in both) for these in (own, its))
    size = dict(zip(own + its, a.shape + b.shape, strict=True))

    def matrices(x: Any, letters: str, *parts: str) -> Any:
        moved = x.transpose(*map(letters.index, "".join(parts))) if "".join(parts) != letters else x
        return moved.reshape(*(size[k] for k in parts[0]), *(math.prod(size[k] for k in part) for part in parts[1:]))

    left, right = matrices(a, own, batch, rows, summed), matrices(b, its, batch, summed, columns)
    y = left.matmul(right, how) if summed else left * right
    return y.reshape(*(size[k] for k in batch + rows + columns)), batch + rows + columns


# --- the text -------------------------------------------------------------------------------------------------------


def parse(text: str, shapes: Sequence[tuple[int, ...]]) -> tuple[list[str], str]:
    """The letters of each operand, and those of the result; ValueError if they do not fit the shapes.

    >>> parse("bij,bjk->bik", [(5, 2, 3), (5, 3, 4)])
    (['bij', 'bjk'], 'bik')
    >>> parse("...i,ij", [(5, 2, 3), (3, 4)])
    (['zyi', 'ij'], 'zyj')
    """
    given, arrow, result = text.replace(" ", "").partition("->")
    labels = given.split(",")
    if len(labels) != len(shapes):
        raise ValueError(f"text={quoted(text)} has {len(labels)} operands, but {len(shapes)} are given")
    spare = [x for x in reversed(ascii_letters[:26]) if x not in text]
    most = (
        max(len(shape) - len(own) + 3 for own, shape in zip(labels, shapes, strict=True) if "..." in own)
        if ("..." in given)
        else 0
    )
    others = "".join(spare[:most])
    labels = [_with_letters(text, own, shape, others) for own, shape in zip(labels, shapes, strict=True)]
    once = Counter(x for own in labels for x in own)
    implied = others + "".join(sorted(x for x, n in once.items() if n == 1 and x not in others))
    result = result.replace("...", others) if arrow else implied
    _check(text, labels, result, shapes)
    return labels, result


def _with_letters(text: str, own: str, shape: tuple[int, ...], others: str) -> str:
    """The letters of an operand, with the last of `others` in place of the dots."""
    if "..." in own:
        missing = len(shape) - len(own) + 3
        own = own.replace("...", others[len(others) - missing :] if missing > 0 else "")
    if len(own) != len(shape) or not own.isascii() or not (own.isalpha() or not own):
        raise ValueError(f"text={quoted(text)}: {quoted(own)} does not name the axes of shape={shape}; one letter each")
    return own


def _check(text: str, labels: Sequence[str], result: str, shapes: Sequence[tuple[int, ...]]) -> None:
    sizes: dict[str, int] = {}
    for own, shape in zip(labels, shapes, strict=True):
        for letter, size in zip(own, shape, strict=True):
            if own.count(letter) > 1:
                raise ValueError(f"text={quoted(text)} names two axes of one operand {quoted(letter)}; take a diagonal")
            if sizes.setdefault(letter, size) != size:
                raise ValueError(f"text={quoted(text)}: {quoted(letter)} has the sizes {sizes[letter]} and {size}")
    if wrong := [x for x in result if x not in sizes or result.count(x) > 1]:
        raise ValueError(f"text={quoted(text)}: {quoted(wrong[0])} of the result must be a letter of an operand, once")
