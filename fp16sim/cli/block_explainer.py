"""A block explained on the command line: numbers that are typed, or one block of a file of numbers."""

from __future__ import annotations

import argparse
import math
import re
from fractions import Fraction
from pathlib import Path

import numpy as np

from .. import explain
from ..archives import Header, map_npy
from ..blocks.block import BLOCKS, SCALE_RULES, get_block
from ..conversion import Array
from ..exact import is_finite, parse
from ..wording import joined, quoted
from .documents import ShownRecord
from .parsing import Parser, refuse_unused

MAX_TEXT = 1 << 24
"""Characters of a text file that is read."""
ONLY = ("scale_rule", "tensor_amax", "which")
"""Options that mean something for a block alone."""
OTHERS = ("format", "saturate", "subnormals", "accumulator")
"""Options that mean nothing for a block."""


def add_block_options(parser: Parser) -> None:
    """The options that explain a block."""
    group = parser.add_argument_group("blocks that share a scale")
    option = group.add_argument
    option("--block", metavar="NAME", help=f"explain a block: {joined(BLOCKS, 'or')}; EXPRESSION is numbers or a file")
    option("--scale-rule", metavar="RULE", help=joined(SCALE_RULES, "or"))
    option("--tensor-amax", metavar="X", help="largest magnitude of the tensor (default: that of the numbers)")
    option("--which", metavar="N", type=int, help="which block of a file, from 0, in rows (default: 0)")


def explain_block(options: argparse.Namespace) -> ShownRecord:
    """The block that the options ask for."""
    refuse_unused(options, "the element and the scale of a block have formats of their own", *OTHERS)
    block = get_block(options.block)
    path = Path(options.expression)
    is_file = path.suffix in (".npy", ".txt", ".csv")
    numbers = _from_file(path) if is_file else _typed(options.expression)
    if not is_file:
        refuse_unused(options, "the numbers are one block, and only a file has several", "which")
    assert isinstance(block.size, int)  # as every named block has it
    chosen = _block_of(numbers, options.which or 0, block.size) if is_file else numbers
    amax = options.tensor_amax
    if amax is None and block.tensor_scale and is_file:
        amax = _largest(numbers)
    return explain.block(
        chosen, block, scale_rule=options.scale_rule, mode=options.mode, tensor_amax=amax, rng=options.rng
    )


def _typed(text: str) -> list[str]:
    """Numbers with commas or blanks between them."""
    return [part for part in re.split(r"[\s,;]+", text.strip().strip("[]()")) if part]


def _from_file(path: Path) -> list[str] | Array:
    """The numbers of a file: an array of NumPy, or text with commas, blanks or lines between them."""
    if not path.is_file():
        raise ValueError(f"{quoted(str(path))} is not a file; give numbers such as '7 0.5 -3', or a .npy or text file")
    if path.suffix != ".npy":
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            text = file.read(MAX_TEXT + 1)
        if len(text) > MAX_TEXT:
            raise ValueError(f"{path.name} has more than {MAX_TEXT} characters; save it as .npy")
        numbers = _typed(text)
        if not numbers:
            raise ValueError(f"{path.name} holds no numbers; write some, such as 7 0.5 -3")
        return numbers
    found = map_npy(path)
    if isinstance(found, Header) or found.dtype.kind not in "fiu" or not found.size:
        raise ValueError(f"{path.name} holds no array of numbers; save one of float32 or float64 with numpy.save")
    return found if found.ndim else found.reshape(1)


def _block_of(numbers: list[str] | Array, which: int, size: int) -> list[str] | Array:
    """One block of those along the last axis, in C order."""
    shape = (len(numbers),) if isinstance(numbers, list) else numbers.shape
    rows, length = math.prod(shape[:-1]), shape[-1]
    each = -(-length // size)
    if not 0 <= which < rows * each:
        raise ValueError(f"which={quoted(which)} is not a block of the file; use 0 to {rows * each - 1}")
    row, at = divmod(which, each)
    if isinstance(numbers, list):
        return numbers[at * size : (at + 1) * size]
    line = numbers[tuple(int(k) for k in np.unravel_index(row, shape[:-1]))] if len(shape) > 1 else numbers
    return np.array(line[at * size : (at + 1) * size])


def _largest(numbers: list[str] | Array) -> float | Fraction:
    """The largest finite magnitude of a file."""
    if isinstance(numbers, list):
        rough = [_roughly(text) for text in numbers]
        most = max((x for x in rough if x < math.inf), default=0.0)
        candidates = map(parse, {text for text, x in zip(numbers, rough, strict=True) if not x < most})
        return max((abs(Fraction(x)) for x in candidates if is_finite(x)), default=Fraction(0))
    with np.errstate(invalid="ignore"):
        magnitudes = np.abs(np.asarray(numbers, np.float64))
    return float(magnitudes.max(initial=0, where=np.isfinite(magnitudes)))


def _roughly(text: str) -> float:
    """The magnitude as a float, which takes a tenth of the time of `parse`; infinity where `parse` has to decide."""
    try:
        return abs(float(text))
    except ValueError:
        return math.inf


def refuse_block_options(options: argparse.Namespace) -> None:
    """ValueError if an option of blocks was given without --block."""
    refuse_unused(options, "only a block has it, with --block", *ONLY)
