"""Block quantizers: every boundary of a scale, each in a row of its own, and rows of ordinary numbers."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from .. import cases
from ..blocks import Block, get_block, quantize
from .expected import written
from .records import Cause, Example, Verdict
from .subject import Array, BlockCheck

NEAR = tuple(range(-7, 3))
"""Exponents for blocks in a tensor that has a scale itself: all of them are in one tensor."""
EXPONENTS = (-100, -60, -20, -7, -2, -1, 0, 1, 2, 5, 20, 60, 100)
ORDINARY = 2000


def rows(block: Block) -> Array:
    """float32 rows: each number and midpoint of the element's top binades, times powers of two, with its neighbours."""
    most, size = float(block.element.max_finite), size_of(block)
    found = cases.values(block.element, block.element.width <= 8)
    positive = np.unique(np.abs(found[np.isfinite(found)]))
    near = np.concatenate([positive, cases.midpoints(positive, block.element)])
    one_binade = np.unique(np.concatenate([np.frexp(near[near > 0])[0] * 2, np.frexp(most)[0] * np.array([2.0])]))
    amax = (
        (one_binade[:, None] * np.ldexp(1.0, NEAR if block.tensor_scale else EXPONENTS)).reshape(-1).astype(np.float32)
    )
    amax = np.unique(np.concatenate([amax, *(np.nextafter(amax, np.float32(to)) for to in (0, np.inf))]))
    rng = np.random.default_rng(32)
    others = rng.choice(positive / most, (amax.size, size - 1)) * rng.choice([1.0, -1.0], (amax.size, 1))
    boundary = np.column_stack([amax, others.astype(np.float32) * amax[:, None] * np.float32(0.99)])
    scale = 2.0 ** rng.uniform(*((-9, 1) if block.tensor_scale else (-30, 30)), (ORDINARY, 1))
    ordinary = rng.normal(size=(ORDINARY, size)) * scale
    return np.concatenate([boundary, ordinary]).astype(np.float32)


def size_of(block: Block) -> int:
    """The elements of a block that lies along one axis, as those of libraries do."""
    return block.size if isinstance(block.size, int) else 0


def judge_blocks(check: BlockCheck) -> Verdict:
    """Compare the scale of each row, and all elements of the rows whose scale is right."""
    block = get_block(check.block)
    x = rows(block)
    start = time.perf_counter()
    try:
        codes, scales = check.function(x)
    except Exception as error:
        text = " ".join(str(error).split())[:200]
        return Verdict(check.name, "blocks", check.block, check.rule, failure=f"raised {type(error).__name__}: {text}")
    seconds = time.perf_counter() - start
    truth = quantize(x, block, scale_rule=check.rule)
    right_scales = truth.scale_codes[:, 0].astype(int)
    off = np.asarray(scales).astype(int) - right_scales
    elements = np.zeros(len(x), bool) if codes is None else (np.asarray(codes) != truth.codes).any(axis=1)
    groups = {
        "chooses a scale that is one step too small": off == -1,
        "chooses a scale that is one step too large": off == 1,
        "chooses another scale": np.abs(off) > 1,
        "rounds an element differently, where the scale is right": elements & (off == 0),
    }
    causes = tuple(
        Cause("", words, int(mask.sum()), _example(check, x, mask, scales, right_scales, codes, truth))
        for words, mask in groups.items()
        if mask.any()
    )
    wrong = int((elements | (off != 0)).sum())
    return Verdict(check.name, "blocks", check.block, check.rule, len(x), wrong, causes=causes, seconds=seconds)


def _example(
    check: BlockCheck, x: Array, mask: Array, scales: Array, right: Array, codes: Array | None, truth: Any
) -> Example:
    """The row with the simplest largest number; a scale depends on that alone, so the line has no others."""
    indices = np.flatnonzero(mask)
    amax = np.abs(x).max(axis=1).astype(np.float64)
    index = int(indices[cases.simplest_first(amax[indices])[0]])
    block = get_block(check.block)
    if int(scales[index]) != int(right[index]) and block.tensor_scale is None:
        given, what = f"[{written(float(amax[index]))}] + [0.0] * {size_of(block) - 1}", "scale_codes"
        got, expected = str(int(scales[index])), str(int(right[index]))
    else:
        given = repr([float(value) for value in x[index]])
        theirs = [] if codes is None else np.asarray(codes)[index].tolist()
        got, expected, what = str(theirs), str(truth.codes[index].tolist()), "codes"
    line = f"fs.blocks.quantize({given}, {check.block!r}, scale_rule={check.rule!r}).{what}"
    return Example(given, got, expected, line, "a scale depends on the largest magnitude of its block")
