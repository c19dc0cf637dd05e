"""Quantizers of blocks as graded tasks: what they are tried on, what is right by the definition, how it is shown.

A task's name is that of its block (`mxfp4`, `nvfp4`), with the rule of the scale if it is not the usual one. The size
of a block is an argument, so that the smallest counterexample is a block of two numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from ... import cases, exact, explain
from ...blocks import Block, from_codes, quantize_block, tensor_scale
from ...blocks.packing import pack_bits, unpack_bits
from ...exact import is_finite
from ...faults import SETTINGS
from ...formats import Format, Rounding
from .inputs import Columns, Given
from .tasks import Task

Row: TypeAlias = tuple[str, list[float], int]
"""A label, the values, and the size of a block."""

# --- what a quantizer is tried on -----------------------------------------------------------------------------------


SPECIAL = ("blocks of zeros", "signs of zeros", "NaN and infinity", "the ends of the scale's range")
"""What comes after the ordinary blocks of the same length."""


def _filled(x: Sequence[float], least: int) -> list[float]:
    """A block of at least so many elements, with zeros at its end."""
    return [*x, *[0.0] * (least - len(x))]


def _beside(x: float) -> list[float]:
    """A number and those beside it, in binary64 and in binary32."""
    single = np.float32(x)
    near = [float(np.nextafter(single, np.float32(to))) for to in (0, math.inf)]
    return [x, math.nextafter(x, 0), math.nextafter(x, math.inf), *near]


def _ordinary(element: Format) -> Iterator[list[float]]:
    top = float(element.max_finite)
    yield from ([1.0, 0.5], [-3.0, 1.0], [0.1, -0.07], [top, 1.0], [1000.0, -250.0], [1.5, 1.0], [-1.0, 1.0])
    yield from ([2.0**-20, 2.0**-22], [3e-5, 1e-5], [1e9, 3e8], [0.75, 0.625])


def _binades(element: Format) -> Iterator[list[float]]:
    """Largest magnitudes where a scale changes."""
    top = float(element.max_finite)
    for k in (-7, -1, 0, 1, 3, 6, 10):
        for x in (*_beside(2.0**k), *_beside(top * 2.0**k)):
            yield [x, -(2.0 ** (k - 1))]


def _ties(element: Format) -> Iterator[list[float]]:
    """Beside a number that makes the scale 1, by both rules."""
    magnitudes = np.unique(np.abs(cases.values(element)))
    magnitudes = magnitudes[np.isfinite(magnitudes) & (magnitudes < 2.0**element.emax)]
    ties = [float(x) for x in cases.midpoints(magnitudes[-12:], element)]
    for tie in [*ties, *map(float, cases.midpoints(magnitudes[:3], element))]:
        yield [float(element.max_finite), tie]
        yield [float(element.max_finite), -tie]
        yield [float(element.max_finite), math.nextafter(tie, 0)]
        yield [float(element.max_finite), math.nextafter(tie, math.inf)]


def _saturating(element: Format) -> Iterator[list[float]]:
    """From the largest element to the next power of two, where the rule floor saturates."""
    top, beyond = float(element.max_finite), 2.0 ** (element.emax + 1)
    half = float(cases.midpoints([top], element)[0])
    for x in (top, half, (half + beyond) / 2, math.nextafter(beyond, 0), *_beside(half)):
        yield [x, 1.0]
        yield [-x, 1.0]


def _zeros() -> Iterator[list[float]]:
    yield from ([0.0, 0.0], [-0.0, 0.0], [-0.0, -0.0])


def _small_parts(element: Format) -> Iterator[list[float]]:
    """Zeros of both signs, and numbers that become such."""
    top = float(element.max_finite)
    yield from ([1.0, -0.0], [-top, -0.0], [top, -float(element.min_subnormal) / 4], [-top, 2.0**-40])


def _specials() -> Iterator[list[float]]:
    for x in (math.nan, math.inf, -math.inf):
        yield [x, 1.0]
        yield [1.0, x]
    yield [math.nan, 0.0]
    yield [-math.inf, math.nan]


def _far(element: Format, nvfp4: bool) -> Iterator[list[float]]:
    """Where the scale leaves its format, or nearly."""
    if nvfp4:  # the tensor scale: subnormal in binary32, and the smallest
        for k in (-126, -137, -140, -145, -149):
            yield [2.0**k, 2.0 ** max(k - 1, -149)]
            yield [-1.5 * 2.0**k, 2.0 ** max(k - 2, -149)]
        yield [2.0**127, 2.0**125]
        yield [3900 * 2.0**-149, 600 * 2.0**-149]  # the block scale is beyond 448, and the element beyond 6
        return
    for k in (-125, -126, -127, -128, -129, -140, 126, 127, 128):
        x = 2.0 ** (k + element.emax)
        yield [x, -x / 2]
        yield [1.5 * x, x / 4]


def _several(element: Format, nvfp4: bool) -> Iterator[list[list[float]]]:
    top = float(element.max_finite)
    nan = math.nan
    yield from (
        [[4.0, 1.0], [0.5, 0.25]],
        [[0.5, 0.25], [4.0, 1.0]],
        [[1.0, 0.5], [0.0, -0.0]],
        [[0.0, 0.0], [1.0, 1.0]],
    )
    yield from ([[nan, 1.0], [1.0, 0.5]], [[2.0, 1.0], [8.0, math.inf]], [[3.0, 0.1], [100.0, 7.0], [1e-3, 2e-3]])
    if not nvfp4:
        return
    largest = [2688.0, 0.0]  # 6 x 448: the tensor scale is 1
    for x in (0.25, 0.75, 1.25, 2.5, 5.0, 0.2, 0.26):
        yield [largest, [6.0, x]]
        yield [largest, [-6.0, -x]]
    for s in (1.0, 1.0625, 1.1875, 1.05, 1.07, 2.0**-6, 2.0**-7, 2.0**-8, 2.0**-9, 2.0**-10, 1.5 * 2.0**-10, 2.0**-11):
        yield [largest, [6 * s, -2 * s]]
    yield from ([[12.0, 0.0], [9.0, 1.0]], [[448.0, 1.0], [1e-3, 5e-4]], [largest, [1e-9, -1e-9]])
    yield [[top, 1.0], [nan, 1000.0]]


def _random(size: int, blocks: int, count: int, seed: int) -> Iterator[list[list[float]]]:
    rng = np.random.default_rng(seed)
    for _ in range(count):
        x = rng.normal(size=(blocks, size)) * 2.0 ** rng.integers(-8, 9, (blocks, 1))
        x = np.where(rng.random(x.shape) < 0.1, 0.0, x)
        yield x.astype(np.float32).astype(float).tolist()


def rows(block: Block) -> Iterator[Row]:
    """What a quantizer of these blocks is tried on."""
    element, nvfp4 = block.element, block.tensor_scale is not None
    assert isinstance(element, Format)
    least = 4 if element.width == 6 else 2
    groups = (
        ("ordinary blocks", _ordinary(element)),
        ("beside powers of two", _binades(element)),
        ("ties", _ties(element)),
        ("beyond the largest element", _saturating(element)),
        ("blocks of zeros", _zeros()),
        ("signs of zeros", _small_parts(element)),
        ("NaN and infinity", _specials()),
        ("the ends of the scale's range", _far(element, nvfp4)),
    )
    for label, some in groups:
        for x in some:
            yield label, _filled(x, least), least
    for several in _several(element, nvfp4):
        yield "several blocks", [v for x in several for v in _filled(x, least)], least
    for several in (*_random(4, 1, 12, 1), *_random(4, 2, 12, 2), *_random(8, 2, 6, 3)):
        yield (
            "several blocks" if len(several) > 1 else "ordinary blocks",
            [v for x in several for v in x],
            len(several[0]),
        )
    whole = block.size if isinstance(block.size, int) else 32
    for several in (*_random(whole, 1, 4, 4), *_random(whole, 2, 4, 5)):
        yield "whole blocks", [v for x in several for v in x], whole


def _inputs(block: Block, fmt: Format, mode: Rounding, every: bool) -> Given:
    found = sorted(rows(block), key=lambda row: (len(row[1]), row[0] in SPECIAL, float(cases.cost(row[1]).sum())))
    labels, values, sizes = zip(*found, strict=True)
    return (list(values), list(sizes)), list(labels)


# --- what is right --------------------------------------------------------------------------------------------------


def quantized(values: Sequence[float], size: int, block: Block, rule: str, mode: Rounding) -> tuple[Any, ...]:
    """([tensor scale,] codes of the scales, bytes of the elements), by the definition."""
    numbers = [exact.as_exact(v) for v in values]
    blocks = [numbers[i : i + size] for i in range(0, len(numbers), size)]
    good = [abs(Fraction(v)) for x in blocks if all(map(is_finite, x)) for v in x]
    tensor = tensor_scale(max(good, default=Fraction(0)), block, rule)
    found = [quantize_block(x, block, rule, mode, tensor=tensor) for x in blocks]
    codes = np.array([code for one in found for code in one.codes], np.uint8)
    parts = [one.scale_code for one in found], list(pack_bits(codes, block.element.width))
    return (float(tensor), *parts) if block.tensor_scale else parts


def _truth(block: Block, rule: str, columns: Columns, fmt: Format, mode: Rounding, every: bool) -> list[Any]:
    return [quantized(values, size, block, rule, mode) for values, size in zip(*columns, strict=True)]


def without_lost_elements(answer: Any, task: str) -> Any:
    """An answer whose blocks with a NaN scale have elements of code 0: what is stored there has no meaning."""
    block, _ = SETTINGS[task]
    *tensor, scales, packed = answer
    nan = exact.encode(math.nan, block.scale)
    if not scales or len(packed) % len(scales):
        return answer
    each = len(packed) // len(scales)
    kept = [0 if scales[i // each] == nan else byte for i, byte in enumerate(packed)]
    return (*tensor, scales, kept)


# --- how it is shown ------------------------------------------------------------------------------------------------


def shown(answer: Any, task: str) -> str:
    """An answer in hexadecimal, with the values that it stands for.

    >>> shown(([127], [0x17, 0x0D]), "mxfp4")
    'scale codes 0x7F; bytes 17 0D; values 6, 0.5, -3, 0'
    """
    block, _ = SETTINGS[task]
    *tensor, scales, packed = answer
    parts = [f"tensor scale {float(tensor[0])!r}"] if tensor else []
    parts.append(
        f"scale codes {_some([block.scale.hex_code(code) if code >= 0 else str(code) for code in scales], ' ')}"
    )
    parts.append(f"bytes {_some([f'{byte:02X}' for byte in packed], ' ')}")
    return "; ".join([*parts, *_values(tensor, scales, packed, block)])


def _some(texts: Sequence[str], between: str = ", ") -> str:
    return between.join(texts if len(texts) <= 8 else [*texts[:8], "..."]) or "none"


def _values(tensor: Sequence[float], scales: Sequence[int], packed: Sequence[int], block: Block) -> list[str]:
    """The values of an answer, if it stands for any."""
    count = len(packed) * 8 // block.element.width
    if not scales or not count or count % len(scales):
        return []
    size = count // len(scales)
    own = Block(block.element, block.scale, size, block.tensor_scale)
    try:
        codes = unpack_bits(bytes(packed), block.element.width, count)
        scale = float(tensor[0]) if tensor else None
        values = from_codes(codes, scales, own, tensor_scale=scale).values
    except (ValueError, TypeError, OverflowError):
        return []
    return [f"values {_some([f'{x:g}' for x in values.tolist()])}"]


def why(task: str, arguments: tuple[Any, ...], mode: Rounding) -> str:
    """The explanations of the blocks; of more than two only the first."""
    block, rule = SETTINGS[task]
    values, size = arguments
    own = Block(block.element, block.scale, size, block.tensor_scale, block.name)
    blocks = [values[i : i + size] for i in range(0, len(values), size)]
    good = [abs(v) for x in blocks if all(map(math.isfinite, x)) for v in x]
    texts = []
    for x in blocks[:2]:
        largest = max([*good, *(abs(v) for v in x if math.isfinite(v))], default=0.0)
        amax = largest if block.tensor_scale else None
        texts.append(str(explain.block(x, own, scale_rule=rule, mode=mode, tensor_amax=amax)))
    return "\n\n".join(texts if len(blocks) <= 2 else texts[:1])


# --- the table ------------------------------------------------------------------------------------------------------


def _statement(block: Block, rule: str) -> str:
    two = " (two 4-bit elements in a byte, the first in its low half)" if block.element.width == 4 else ""
    two = " (four 6-bit elements in three bytes, from the lowest bit)" if block.element.width == 6 else two
    head = "(tensor scale, scale codes, bytes)" if block.tensor_scale else "(scale codes, bytes)"
    return (
        f"{head} of a list of floats in {block.name} blocks of `size`: {block.element} elements{two}, scales in "
        f"{block.scale} by the rule {rule}; as fs.blocks.quantize does"
    )


def _task(name: str) -> Task:
    block, rule = SETTINGS[name]
    assert isinstance(block.element, Format)
    result = "blocks of a tensor" if block.tensor_scale else "blocks"
    inputs, truth = partial(_inputs, block), partial(_truth, block, rule)
    return Task(
        name,
        "f(values, size)",
        _statement(block, rule),
        result,
        inputs,
        truth,
        fmt=block.element,
        spelling=partial(without_lost_elements, task=name),
        shown=partial(shown, task=name),
        why=partial(why, name),
    )


BLOCK_TASKS: dict[str, Task] = {name: _task(name) for name in SETTINGS}
"""A task for each block and rule; the format of the elements is part of it."""
