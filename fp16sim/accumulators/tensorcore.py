"""Matrix units of GPUs: NVIDIA's tensor cores and AMD's matrix cores, as measurements and simulators show them.

What each machine does is a row of `machines`; how its step is computed is in `alignment`. Vendors publish no such
description. The models do not cover the payload of NaN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from ..blocks import Block, BlockArray
from ..conversion import Array, Generator
from ..flags import PER_ELEMENT
from ..formats import BINARY16, BINARY32, BINARY64, TF32, Format, FormatLike, Rounding, get_format
from ..rounding import round_array, round_to
from ..wording import did_you_mean, joined, quoted
from .alignment import STEP, Factors, exponent_format, flushed, stored_exponents, with_infinities
from .base import Accumulator, Start, Steps, terms_of, tile_place, tiles
from .machines import MACHINES, SOURCES, Datapath, hypothetical_row, rows_for

RESULTS_AT_A_TIME = 2048
"""Results of one tile, so that a group of products and their exponents stay in a cache of 1 MiB."""


@dataclass(frozen=True)
class TensorCore(Accumulator):
    """Dot products as a GPU's matrix unit computes them; exact to the bit within the model, which no vendor confirms.

    A machine adds its products in groups. On NVIDIA's, the exact products of a group and the sum so far are aligned to
    the largest of their exponents (that of a product is the sum of its factors' exponents), truncated toward zero some
    bits below it, and added without an error; the sum is truncated to binary32, or rounded to nearest even for
    binary16. AMD's add in other ways. `path` says which, for these factors and sums, and with what evidence.

    Not monotone: a larger term can give a smaller sum, because the others are aligned to it and lose more. A zero sum
    is +0; only significands are truncated, so that a sum of 2^128 or more is infinite. Recorded flags are those of the
    last step of each group.

    Parameters
    ----------
    generation : str
        "volta", "turing", "ampere", "ada", "hopper", "blackwell", "cdna1", "cdna2" or "cdna3".
    output : {"binary32", "binary16"}
        The format of the sums.
    factors : Format, str or dtype
        The format of the factors: binary16, bfloat16, tf32, e4m3fn ... In `fs.matmul` and the others the call's own
        format takes its place.
    model : str, optional
        Where sources disagree: "measured", "fasi", "mma_sim" or "khattak_mikaitis"; None: the one with most evidence.
    scales : Format, str or dtype, optional
        The format of block scales, for factors that have them: "e8m0fnu" or "e4m3fn". `fs.matmul` of two BlockArrays
        fills it in.
    hypothetical : bool
        Whether a combination that nobody has published may be computed, as the machine treats binary16.

    Raises
    ------
    ValueError
        For an unknown machine, output or model, and for a combination that nobody has published.

    Examples
    --------
    >>> volta = TensorCore("volta")
    >>> ones = [2.0**-12] * 4
    >>> volta.dot(ones, ones, 1.0), volta.dot(ones, ones, 0.5)  # 4 * 2^-24 is lost beside 1 and kept beside 1/2
    (np.float64(1.0), np.float64(0.5000002384185791))
    >>> TensorCore("hopper", factors="e4m3fn").path.bits, TensorCore("hopper").path.bits
    (13, 25)
    """

    generation: str
    factors: Format
    model: str | None
    scales: Format | None
    hypothetical: bool

    def __init__(
        self,
        generation: str = "volta",
        output: FormatLike = BINARY32,
        factors: FormatLike = BINARY16,
        *,
        model: str | None = None,
        scales: FormatLike | None = None,
        hypothetical: bool = False,
    ) -> None:
        fmt, factors = get_format(output), get_format(factors)
        scale = None if scales is None else get_format(scales)
        _check_names(generation, fmt, factors, model)
        self._set(generation=generation, factors=factors, model=model, scales=scale, hypothetical=hypothetical)
        self._set(fmt=fmt, mode=Rounding.TIES_TO_EVEN, rng=None)  # `path` needs the format, the mode comes from it
        self._set(mode=self.path.mode)

    @cached_property
    def path(self) -> Datapath:
        """What the machine does with these factors: the row of the table."""
        rows = rows_for(self.generation, self.fmt, self.model)
        found = [row for row in rows if _is(row.factors, self.factors) and _is(row.scales, self.scales)]
        if found:
            return found[0]
        if self.hypothetical and self.scales is None:
            return hypothetical_row(self.generation, self.factors, self.fmt)
        raise ValueError(_unpublished(self, rows))

    def with_factors(self, factors: Format, scales: Format | None = None) -> TensorCore:
        """The same machine for other factors."""
        how = {"model": self.model, "hypothetical": self.hypothetical}
        return TensorCore(self.generation, self.fmt, factors, scales=scales, **how)  # type: ignore[arg-type]

    def accepts(self, fmt: Format) -> bool:
        """Whether factors may be values of `fmt`: somebody has published what the machine does with them."""
        rows = rows_for(self.generation, self.fmt, self.model)
        return fmt.fits_in(TF32) and (self.hypothetical or any(_is(row.factors, fmt) for row in rows if not row.scales))

    def for_format(self, fmt: Format, mode: Rounding, rng: Generator) -> TensorCore:
        """This machine for factors of `fmt`."""
        return self.with_factors(fmt)

    @property
    def operand_format(self) -> Format:
        """The format of factors."""
        return self.factors

    def operand(self, source: Array, steps: Steps) -> Array:
        """A factor, rounded to nearest: truncation is for sums."""
        return np.asarray(round_to(source, self.factors), steps.carrier)

    def reduce(self, terms: Array, steps: Steps) -> Array:
        """A sum is a dot product with ones."""
        return self.reduce_products(terms, np.ones_like(terms), None, steps)

    def reduce_products(self, left: Array, right: Array, start: Start, steps: Steps) -> Array:
        """One group after the other."""
        return self._add_products(self._prepared(left), self._prepared(right), start, steps)

    def partial_sums(self, terms: Array, steps: Steps) -> Array:
        """The sum of all full groups so far, and some terms of the next one."""
        if not steps.may_share:
            return super().partial_sums(terms, steps)
        n, shape, size, steps = len(terms), terms.shape[1:], self.path.group, steps.unplaced()
        groups = np.zeros((-(-n // size), size, *shape))
        groups.reshape(-1, *shape)[:n] = terms
        before, sums = np.zeros((len(groups), *shape)), np.empty(groups.shape, steps.carrier)
        for k in range(1, len(groups)):
            before[k] = self._add_products(*self._with_ones(groups[k - 1]), before[k - 1], steps)
        for k in range(size):
            some = np.moveaxis(groups[:, : k + 1], 1, 0)
            sums[:, k] = self._add_products(*self._with_ones(some), before, steps)
        return sums.reshape(-1, *shape)[:n]

    def product_of_blocks(self, a: BlockArray, b: BlockArray) -> Array:
        """The matrix product of two matrices in blocks, without their tensor scales, in the output's format.

        Raises
        ------
        ValueError
            If the blocks do not lie along the axis that is summed over.
        """
        core = self.with_factors(_element(a.block), a.block.scale)
        _check_axes(a, b, core.path.scale_size)
        left, right = (core._prepared_blocks(x) for x in (a, b))
        steps = core.steps("matmul", np.float64)
        first = left.each(lambda x: np.moveaxis(x, -1, 0)[..., None])
        second = right.each(lambda x: np.moveaxis(x, -2, 0)[..., None, :])
        return steps.done(core._add_products(first, second, None, steps))

    def has_blocks_of(self, a: Any, b: Any) -> bool:
        """Whether two operands are BlockArrays of one kind, which the machine multiplies as blocks."""
        if not isinstance(a, BlockArray) or not isinstance(b, BlockArray):
            return False
        rows = rows_for(self.generation, self.fmt, self.model)
        kinds = {(x.block.element, x.block.scale) for x in (a, b)}
        return len(kinds) == 1 and any(
            row.scales and _is(row.factors, a.block.element) and _is(row.scales, a.block.scale) for row in rows
        )

    def _prepared(self, x: Array) -> Factors:
        """Factors with their exponents, found once for all the groups that they are in."""
        values = np.array(x, np.float64)
        fmt = exponent_format(self.path, self._format_of(values))
        if self.path.flushes:
            values[np.abs(values) < float(fmt.min_normal)] = 0
        return Factors(values, stored_exponents(values, fmt, self.path.zero))

    def _format_of(self, values: Array) -> Format:
        """The format of a factor."""
        return self.factors

    def _with_ones(self, terms: Array) -> tuple[Factors, Factors]:
        return self._prepared(terms), self._prepared(np.ones_like(terms))

    def _prepared_blocks(self, x: BlockArray) -> Factors:
        """Scaled values, with the exponents of the scales, and of the elements too unless 16 are added exactly."""
        scales = np.asarray(x.scales, np.float64)
        for axis, side in enumerate(x.block_shape):
            scales = np.repeat(scales, side, axis)
        cut = tuple(map(slice, x.shape))
        elements, scales = np.asarray(x.elements, np.float64)[cut], scales[cut]
        exponents = stored_exponents(np.array(scales), x.block.scale, self.path.zero)
        if self.path.step != "blocks":
            exponents = exponents + stored_exponents(elements.copy(), self.factors, self.path.zero)
        values = elements * scales
        return Factors(values, np.where(np.isfinite(values), exponents, 0))

    def _add_products(self, a: Factors, b: Factors, start: Start, steps: Steps) -> Array:
        """Start plus all products, tile by tile of the results, group after group."""
        shape = np.broadcast_shapes(a.values.shape, b.values.shape)
        total = np.zeros(shape[1:]) if start is None else np.array(start, np.float64)
        if not total.ndim:
            a, b = (x.each(lambda y: y[..., None]) for x in (a, b))
            return np.asarray(self._add_products(a, b, total[None], steps)[0])
        for tile in tiles(shape, shape[0] * RESULTS_AT_A_TIME):
            part = steps.placed(tile_place(tile, shape[1:]))
            left, right = (x.each(partial(terms_of, tile)) for x in (a, b))
            total[tile] = self._add_groups(left, right, total[tile], part)
        return np.asarray(total, steps.carrier)

    def _add_groups(self, a: Factors, b: Factors, total: Array, steps: Steps) -> Array:
        path = self.path
        with np.errstate(all="ignore"):
            total = flushed(path, total)
            for k in range(0, len(a.values), path.group):
                left, right = (x.part(slice(k, k + path.group)) for x in (a, b))
                before, exact = total, STEP[path.step](path, left, right, total)
                total = flushed(path, _rounded(exact, path, steps))
                if steps.tally is not None and steps.tally.wants("absorbed"):
                    steps.tally.note("absorbed", _without_effect(left.values * right.values, before, total).reshape(-1))
            return total + 0.0  # a zero sum is +0


def _without_effect(products: Array, before: Array, after: Array) -> Array:
    """Where a sum is what it was, although the exact sum of the products added to it is not zero."""
    same = np.asarray((before == after) & np.isfinite(after) & products.any(axis=0))
    for at in map(tuple, np.argwhere(same)):
        same[at] = math.fsum(products[(slice(None), *at)].tolist()) != 0  # fsum is rounded once, so 0 is exact
    return same


def _rounded(exact: Array, path: Datapath, steps: Steps) -> Array:
    """The sum of a group, as the machine stores it."""
    if path.mode is Rounding.TOWARD_ZERO:
        found = _truncated(exact, path.rounds_to, steps)
        if found is not None:
            return found
    out = np.empty(exact.shape, np.float64)
    rounded = round_array(exact, path.rounds_to, path.mode, out=out, operation=steps.label, tally=steps.tally)
    return with_infinities(exact, rounded, path.output)


def _truncated(exact: Array, fmt: Format, steps: Steps) -> Array | None:
    """Truncated by dropping bits; None for numbers that are not normal, and where exceptions have to be told."""
    if steps.tally is None or not steps.tally.listeners.names.isdisjoint(PER_ELEMENT):
        return None
    y = (exact.view(np.int64) & -(1 << (BINARY64.precision - fmt.precision))).view(np.float64)
    size = np.abs(y)
    normal = (size < 2.0 ** (fmt.emax + 1)) & ((size >= float(fmt.min_normal)) | (exact == 0))
    return y if normal.all() else None


# --- what is refused ------------------------------------------------------------------------------------------------


def _is(name: str, fmt: Any) -> bool:
    """Whether a name of the table stands for the format; an empty one for None."""
    return not name if fmt is None else bool(name) and isinstance(fmt, Format) and _alike(get_format(name), fmt)


def _alike(a: Format, b: Format) -> bool:
    """Whether two formats have the same values, whatever they are called and however they overflow."""
    return a == b or (a.width == b.width and a.fits_in(b) and b.fits_in(a))


def _element(block: Block) -> Format:
    if not isinstance(block.element, Format):
        raise TypeError(f"block={block}: matrix units multiply floating-point elements; use mxfp8, mxfp4 or nvfp4")
    return block.element


def _check_axes(a: BlockArray, b: BlockArray, size: int) -> None:
    """Refuse blocks that do not lie along the axis that is summed over."""
    for name, x, axis in (("a", a, -1), ("b", b, -2)):
        if x.ndim < 2 or x.block_shape[axis] % size:
            raise ValueError(
                f"{name}.block_shape={x.block_shape}: a matrix unit multiplies matrices in blocks of {size} along the "
                f"axis that is summed over; quantize {name} with axis={axis}"
            )
    if a.shape[-1] != b.shape[-2]:
        raise ValueError(f"a.shape={a.shape} and b.shape={b.shape}: the columns of a are not as many as the rows of b")


def _check_names(generation: str, output: Format, factors: Format, model: str | None) -> None:
    if generation not in tuple(MACHINES):
        known = f"{did_you_mean(generation, MACHINES)}use one of {', '.join(map(repr, MACHINES))}"
        raise ValueError(f"generation={quoted(generation)} is unknown; {known}")
    if output not in (BINARY16, BINARY32):
        raise ValueError(f"output={output.name}: tensor cores give binary32 or binary16 here; use one of them")
    if not factors.fits_in(TF32):
        raise ValueError(
            f"factors={factors.name} (width={factors.width}, precision={factors.precision}) does not fit in tf32, "
            "the widest that tensor cores multiply here; use binary16, bfloat16, tf32 or an 8-bit format"
        )
    if model is not None and model not in tuple(SOURCES)[:-1]:
        raise ValueError(
            f"model={quoted(model)} is unknown; {did_you_mean(model, SOURCES)}"
            f"use one of {', '.join(map(repr, tuple(SOURCES)[:-1]))}, or None"
        )


def _unpublished(core: TensorCore, rows: list[Datapath]) -> str:
    what = f"generation={core.generation!r} with factors={core.factors.name} and output={core.fmt.name}"
    if core.scales is not None:
        what += f", scales={core.scales.name}"
    if core.model is not None:
        what += f", model={core.model!r}"
    known = list(dict.fromkeys(row.factors for row in rows if bool(row.scales) == (core.scales is not None)))
    use = f"use factors {joined(known, 'or')}, " if known else "use another output or machine, "
    return f"{what}: nobody has published what it computes; {use}or hypothetical=True for what it does with binary16"
