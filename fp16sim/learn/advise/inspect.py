"""What formats would do to tensors from elsewhere: saved gradients, weights, activations, indices.

For people whose run failed in another framework. Save the tensors and inspect them here:

    numpy.savez("grads.npz", **{name: p.grad.float().cpu().numpy() for name, p in model.named_parameters()})
    fp16sim inspect grads.npz

Files of safetensors and of torch.save are read as they are:

    fp16sim inspect model.safetensors --blocks mxfp8,nvfp4
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy.typing as npt

from ...archives import MAX_BYTES
from ...arrays import FloatArray
from ...blocks.block import Block, BlockLike
from ...formats import Format, FormatLike, as_integer
from ...wording import count, number, printable, quoted
from ..observe.histogram import bar_chart
from .inspected import InFormat, Inspected, examine, together
from .numbers import Numbers
from .parts import as_blocks, by_channel, in_blocks
from .tensor_table import block_table, channel_table, table
from .tensors import as_formats, as_numbers, by_size, dtype_of, opened, title
from .verdict import Kind, best_scale, not_finite, on_blocks, verdicts

KINDS: dict[Kind, str] = {"gradients": "gradients", "values": "values (weights, activations, indices)"}


@dataclass(frozen=True, repr=False)
class Inspection:
    """The result of `inspect`. `print` shows the verdict, then a table of the tensors.

    Attributes
    ----------
    kind : "gradients" or "values"
    reason : str
        Why the kind was guessed; "" if it was given.
    formats : tuple of Format
    tensors : tuple of Inspected
    skipped : tuple of str
        The arrays that were not inspected, each with the reason.
    """

    kind: Kind
    reason: str
    formats: tuple[Format, ...]
    tensors: tuple[Inspected, ...]
    skipped: tuple[str, ...] = ()

    @cached_property
    def together(self) -> Inspected:
        """All tensors as if they were one."""
        return together(self.tensors)

    @cached_property
    def verdict(self) -> str:
        """For each format what to do and why, in sentences that are computed from the counts."""
        blocks = [f"{one.block}: {on_blocks(one)}" for one in self.together.blocks]
        return "\n".join([*(f"{fmt}: {text}" for fmt, text in zip(self.formats, self._verdicts, strict=True)), *blocks])

    @cached_property
    def _verdicts(self) -> tuple[str, ...]:
        return verdicts(self.kind, self.tensors)

    @property
    def summary(self) -> str:
        """What was inspected, and what it was taken for."""
        seen, low, high = self.together.survey, self.together.smallest, self.together.largest
        span = "" if low is None or high is None else f" from {number(low)} to {number(high)}"
        integers = ", all integers" if self.together.integers and self.kind == "values" else ""
        taken = f"; taken as {KINDS[self.kind]}, because {self.reason}" if self.reason else ""
        return f"{count(len(self.tensors), 'tensor')}, {seen.total:,} {self.kind}{span}{integers}{taken}."

    def text(self, histogram: bool = False, each: bool = False, width: int = 100) -> str:
        """The verdict, a table of the tensors and, if asked for, the histogram of exponents in each format.

        With `each`, every tensor is in the table and has its own histogram, even if there are many. Sentences and the
        table fit into `width` characters if that is possible: it is from 75 on.
        """
        verdict = [*self.verdict.splitlines(), *filter(None, [not_finite(self.kind, self.together.survey)])]
        charts = (self.tensors if each else (self.together,)) if histogram else ()
        parts = [
            "\n".join(_wrapped(line, width) for line in [*verdict, *self.skipped]),
            _wrapped(self.summary, width),
            table(self.kind, self.tensors, each, width),
            *filter(None, [block_table(self.tensors, each, width), channel_table(self.tensors, each, width)]),
            *(_chart(one, found) for one in charts for found in one.formats),
        ]
        return "\n\n".join(parts)

    def __repr__(self) -> str:
        verdict = self.verdict.splitlines()
        return "\n".join([f"Inspection: {self.summary}", *verdict[:6], "print() shows the tensors"])

    def _repr_html_(self) -> str:
        """A card for notebooks: the summary, the verdict for each format, and the table, which a click opens."""
        verdict = "".join(f"<li>{escape(line)}</li>" for line in self.verdict.splitlines())
        tensors = (
            f"<details><summary>The tensors</summary><pre>{escape(table(self.kind, self.tensors))}</pre></details>"
        )
        return f"<div><strong>{escape(self.summary)}</strong><ul>{verdict}</ul>{tensors}</div>"

    def __str__(self) -> str:
        return self.text()

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "verdict": list(self._verdicts),
            "kind": self.kind,
            "reason": self.reason,
            "formats": [fmt.to_plain() for fmt in self.formats],
            "tensors": [self._plain(one) for one in self.tensors],
            "together": self._plain(self.together),
            "skipped": list(self.skipped),
        }

    def _plain(self, one: Inspected) -> dict[str, Any]:
        plain = one.to_dict()
        if self.kind == "gradients":
            for found, row in zip(one.formats, plain["formats"], strict=True):
                row["loss_scale_exponent"] = best_scale(found)
        return plain


def _wrapped(text: str, width: int) -> str:
    return fill(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _chart(one: Inspected, found: InFormat) -> str:
    chart = bar_chart(found.survey) or "no finite nonzero number"
    return f"{one.name}, exponents in {found.fmt}\n{chart}"


def inspect(
    arrays: str | Path | Mapping[str, npt.ArrayLike] | npt.ArrayLike,
    fmt: FormatLike | Sequence[FormatLike] = ("binary16", "bfloat16"),
    kind: Kind | None = None,
    *,
    read_as: FormatLike | Sequence[FormatLike] = (),
    per_channel: int | None = None,
    blocks: BlockLike | Sequence[BlockLike] = (),
    max_bytes: int = MAX_BYTES,
    on_progress: Callable[[int, int], None] | None = None,
) -> Inspection:
    """Find out what formats would do to tensors: exact counts of the numbers that they lose and change.

    Rounding is to nearest, ties to even, as in the casts of deep-learning frameworks.

    Parameters
    ----------
    arrays : path, mapping or array_like
        A .safetensors file (with the package safetensors), a state dict of `torch.save` (.pt, .pth, .bin), a .npz or
        .npy file, a model or checkpoint of `fp16sim train`, a mapping of names to arrays such as
        `dict(model.named_parameters())`, or one array. Floats of up to 64 bits and integers are inspected, tensors of
        PyTorch and arrays of ml_dtypes too; other arrays are skipped. Files are mapped and read in pieces, so that they
        may be larger than memory; of a .npz file this holds for large arrays that are not compressed. Pickles are never
        executed: that of a .pt file is read as data, and refused if it names anything but tensors and dicts.
    fmt : Format, str or dtype, or a list of them
    kind : "gradients" or "values", optional
        Gradients can be multiplied by a loss scale, so the verdict says which one suits them; integers are skipped.
        Values are all other numbers: weights, activations, indices. If it is not given, tensors are gradients if the
        name of the file, or the name of every tensor, has the word "grad", "grads", "gradient" or "gradients".
    read_as : Format, str or dtype, or a list of them
        What arrays of unnamed bytes are codes of, such as "bfloat16": NumPy saves bfloat16 as `|V2` and fp8 as `|V1`.
    per_channel : int, optional
        An axis: for each of its indices, what becomes 0, what overflows, and the mean error. Tensors without this axis
        are left out.
    blocks : Block or str, or a list of them
        Blocks that share a scale, such as "mxfp8", "mxfp4" or "nvfp4", along the last axis of each tensor: which
        numbers become 0 or saturate, and the error.
    max_bytes : int
        A .npz file whose arrays need more bytes of memory is refused. What is mapped needs none.
    on_progress : callable, optional
        Called after each tensor with the number of tensors that are done and that of all.

    Returns
    -------
    Inspection
        With `verdict`, `tensors`, `together` and `to_dict()`; each tensor has its `channels` and `blocks`.

    Raises
    ------
    ValueError
        If the file cannot be read, there is no array of numbers, or none has the axis `per_channel`.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> found = inspect({"conv1": rng.standard_normal(1000) * 1e-7, "bias": [0.0, 1e-3]}, "binary16", "gradients")
    >>> found.together["binary16"].fate.underflowed
    233
    >>> print(found.verdict)  # doctest: +NORMALIZE_WHITESPACE
    binary16: multiply the loss by 2^19. Without it 23.3% of the nonzero gradients become 0 and 76.6% become subnormal,
    with fewer digits. The relative errors of the others are at most 1 (mean 0.22). With it 0.10% become subnormal, with
    fewer digits. 2^19 can be doubled 6 times before the largest gradient overflows.
    >>> print(inspect(range(512), "bfloat16").verdict)  # doctest: +NORMALIZE_WHITESPACE
    bfloat16: 25.0% of the 512 values (128) are rounded, by up to 1. Relative errors are at most 0.0039 (mean 0.00068).
    512 distinct values become 385. If they are ids, indices or positions, keep them as integers.
    At 511 the numbers of bfloat16 are 2 apart.
    >>> weights = rng.standard_normal((64, 256)) * np.exp(rng.standard_normal((64, 1)))
    >>> print(inspect(weights, "e4m3fn", per_channel=0, blocks="nvfp4").tensors[0].blocks[0].vanished)
    1053
    """
    if kind is not None and kind not in KINDS:
        raise ValueError(f"kind={quoted(kind)} is unknown; use 'gradients' or 'values'")
    formats, codes, kinds = as_formats(fmt), by_size(read_as), as_blocks(blocks)
    if per_channel is not None:
        as_integer("per_channel", per_channel, "it is an axis")
    if not formats:
        raise ValueError("fmt is empty; give at least one format, such as 'binary16'")
    tensors, skipped = [], []
    with opened(arrays, max_bytes) as given:
        chosen, reason = (kind, "") if kind else _guess(_called(arrays, given), [*given])
        for done, (name, x) in enumerate(given.items(), start=1):
            numbers = as_numbers(x, codes, integers=chosen == "values")
            if isinstance(numbers, str):
                skipped.append(f"{printable(name)} is skipped: {numbers}")
            else:
                one = examine(printable(name), numbers, dtype_of(x), formats)
                tensors.append(_with_parts(one, numbers, per_channel, kinds, formats))
            if on_progress:
                on_progress(done, len(given))
    if not tensors:
        why = "; ".join(skipped) or "it is empty"
        raise ValueError(f"{title(arrays)} has no array of numbers to inspect: {why}")
    if per_channel is not None and not any(one.channels for one in tensors):
        most = max(len(one.shape) for one in tensors)
        raise ValueError(
            f"per_channel={per_channel}: no tensor with numbers has this axis; the tensors have up to {most} axes"
        )
    return Inspection(chosen, reason, formats, tuple(tensors), tuple(skipped))


def _with_parts(
    one: Inspected, numbers: Numbers, axis: int | None, kinds: Mapping[str, Block], formats: Sequence[Format]
) -> Inspected:
    channels = None if axis is None else by_channel(numbers, axis, formats)
    return replace(one, channels=channels, blocks=tuple(in_blocks(numbers, *kind) for kind in kinds.items()))


_GRADIENT = re.compile(r"(?<![a-z])grad(s|ients?)?(?![a-z])", re.IGNORECASE)


def _called(arrays: object, given: Mapping[str, Any]) -> str:
    """What the tensors are called; nothing for a file of `train`, whose name has the formats of a policy."""
    ours = isinstance(given, dict) and all(isinstance(x, FloatArray) for x in given.values())
    return "" if ours else title(arrays)


def _guess(called: str, names: Sequence[str]) -> tuple[Kind, str]:
    """The kind that names suggest, and the reason."""
    if _GRADIENT.search(Path(called).name):
        return "gradients", 'the name of the file has the word "grad"'
    having = sum(bool(_GRADIENT.search(name)) for name in names)
    if having and having == len(names):
        return "gradients", 'every name has the word "grad"'
    return "values", f'the word "grad" is in {f"only {having} of {len(names)} names" if having else "no name"}'
