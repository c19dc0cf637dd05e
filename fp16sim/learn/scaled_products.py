"""Matrix products of scaled, narrow factors: what a step does with `Factors`, one operation after the other.

    x' = round(x scale)          or blocks with scales, along the axis that is summed over
    y  = (sum of x' w') / (scale of x  scale of w)

The sum is taken by the accumulator in force, in its format; it is multiplied by the product of the inverse scales,
rounded to binary32, in binary32; and the result is rounded to the format of the activations. `FactorsOfStep` is the
part of a step that is written to: amax for the next scales, and what the factors lost, for the microscope.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..accumulators import Accumulator, Sequential, TensorCore
from ..accumulators.narrow_factors import NarrowFactors
from ..arithmetic import divide, fma, multiply
from ..arrays import FloatArray
from ..blocks import BlockArray, hadamard, quantize, random_signs
from ..conversion import Array, Generator
from ..formats import BINARY32, Format, Rounding
from ..reductions import matmul
from ..rounding import round_to
from .factors import PER_TENSOR, Factors

Amaxes: TypeAlias = dict[str, FloatArray]
"""What delayed scaling remembers, by the name of a weight and the role of a factor: the scale, and then the history."""

ROLES = ("activation", "weight", "gradient")
"""What a factor is."""

VIEWS = ("cast", "reshape", "transpose", "broadcast", "narrow")
"""Operations that give a weight in another shape or format."""

LARGEST = float(BINARY32.max_finite)
SIGNS_SEED = 0


class SeenFactor(NamedTuple):
    """The numbers of a factor as they are rounded: multiplied by their scales."""

    role: str
    name: str
    shares: Array
    fmt: Format


class Scaled(NamedTuple):
    """A factor as it is multiplied, and the number that its products are multiplied by afterwards."""

    values: Array | BlockArray
    back: float = 1.0


# --- scales ---------------------------------------------------------------------------------------------------------


def largest_magnitude(x: Array) -> float:
    """amax: NaN if there is one."""
    return float(np.abs(x).max(initial=0.0))


def scale_for(amax: float, factors: Factors, fmt: Format, before: float = 1.0) -> float:
    """(max_finite / amax) / 2^margin, each step rounded to binary32; `before` for an amax of 0, infinity or NaN.

    >>> from fp16sim.formats import E4M3FN
    >>> scale_for(3.0, Factors(), E4M3FN), scale_for(3.0, Factors(power_2_scale=True), E4M3FN)
    (149.3333282470703, 128.0)
    """
    if not 0 < amax < np.inf:
        return before
    exact = divide(float(fmt.max_finite), amax, BINARY32)
    scale = min(float(divide(exact, 2.0**factors.margin, BINARY32)), LARGEST)
    return 2.0 ** (math.frexp(scale)[1] - 1) if factors.power_2_scale else scale


def rounded(x: Array, scale: float, fmt: Format, mode: Rounding, rng: Generator) -> Array:
    """x scale in binary32, rounded to a format; numbers beyond the largest become the largest, infinities too."""
    largest = x.dtype.type(fmt.max_finite)
    shares = np.clip(multiply(x, x.dtype.type(scale), BINARY32), -largest, largest)
    return np.asarray(round_to(shares, fmt, mode, rng=rng, saturate=True), x.dtype)  # saturating formats are faster


# --- what a step writes ---------------------------------------------------------------------------------------------


@dataclass
class FactorsOfStep:
    """The factors of the products of one step, or of predictions.

    Attributes
    ----------
    factors : Factors
    before : Amaxes or None
        What delayed scaling remembers. None for predictions: scales are then those of the numbers at hand.
    wide : collection of str
        The weights whose products are not rounded.
    rng
        For stochastic rounding.
    examined : bool
        Whether the factors are recorded in `seen`, for what rounding takes from them.
    order : dict
        The products, by name, in the order of the forward pass.
    amax : dict
        The largest magnitude of each factor of this step.
    seen : list of SeenFactor
        What rounding took from them, if they are examined.
    """

    factors: Factors
    before: Amaxes | None = None
    wide: Iterable[str] = ()
    rng: Generator = None
    examined: bool = False
    order: dict[str, None] = field(default_factory=dict)
    amax: dict[str, float] = field(default_factory=dict)
    seen: list[SeenFactor] = field(default_factory=list)
    _looked: set[tuple[Any, ...]] = field(default_factory=set)
    _names: dict[int, str] = field(default_factory=dict)
    _unnamed: int = 0
    _products: int = 0

    def begin(self, weights: Mapping[str, Any]) -> FactorsOfStep:
        """Before a forward pass: the tensors of the weights by name, as the model is given them."""
        self._names, self._unnamed = {id(x): name for name, x in weights.items()}, 0
        return self

    def product(self, left: Any, right: Any) -> ScaledProduct | None:
        """The product of two Tensors; None if its factors are not rounded."""
        names = [self._weight(x) for x in (left, right)]
        name = names[1] or names[0]
        if not name:
            if self.factors.products == "linear":
                return None
            self._unnamed += 1
            name = f"product {self._unnamed}"
        self.order[name] = None
        roles = tuple("weight" if own else "activation" for own in names)
        self._products += 1
        return None if name in self.wide else ScaledProduct(name, roles[0], roles[1], self, self._products)

    def _weight(self, tensor: Any) -> str:
        """The name of the weight that a tensor is, if only in another shape or format; else ""."""
        while id(tensor) not in self._names and tensor.operation in VIEWS:
            tensor = tensor.arguments[0]
        return self._names.get(id(tensor), "")

    def next_amaxes(self) -> Amaxes:
        """What delayed scaling remembers after the step: the amax of each factor first, and the scale that follows."""
        after = dict(self.before or {})
        if self.factors.scaling == "delayed":
            for key, amax in self.amax.items():
                after[key] = self._updated(key, amax)
        return after

    def _updated(self, key: str, amax: float) -> FloatArray:
        length, fmt = self.factors.amax_history_len, self.factors.fmt_of(key.rpartition(" ")[2])
        before = self._remembered(key)
        old = before.values if before is not None else np.concatenate([[1.0], np.zeros(length)]).astype(np.float32)
        history = np.concatenate([[amax], old[1:-1]]).astype(np.float32)
        chosen = history.max() if self.factors.amax_compute_algo == "max" else history[0]
        scale = scale_for(float(chosen), self.factors, fmt, float(old[0]))
        return FloatArray(np.concatenate([[scale], history]).astype(np.float32), BINARY32, Rounding.TIES_TO_EVEN)

    def _remembered(self, key: str) -> FloatArray | None:
        return (self.before or {}).get(key)

    def scale(self, key: str, x: Array, fmt: Format) -> float:
        """The scale of a tensor; its amax is written down."""
        amax = largest_magnitude(x)
        if self.factors.scaling == "current" or self.before is None:
            return scale_for(amax, self.factors, fmt)
        self.amax[key] = float(np.maximum(self.amax.get(key, 0.0), amax))
        before = self._remembered(key)
        return 1.0 if before is None else float(before.values[0])

    def look(self, key: tuple[Any, ...], role: str, name: str, shares: Array, fmt: Format) -> None:
        """Write down what is rounded, once for each factor of a product."""
        if key not in self._looked:
            self._looked.add(key)
            self.seen.append(SeenFactor(role, name, shares, fmt))


# --- one product ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class ScaledProduct:
    """A product of the forward pass, and the two of the backward pass that belong to it, by number."""

    name: str
    left: str
    right: str
    step: FactorsOfStep = field(repr=False)
    number: int = 0

    def forward(self, a: FloatArray, b: FloatArray, accumulator: Accumulator | None = None) -> FloatArray:
        """a b."""
        return self._multiplied(a.values, self.left, b.values, self.right, a, accumulator)

    def left_gradient(self, g: FloatArray, b: FloatArray, accumulator: Accumulator | None = None) -> FloatArray:
        """g b^T."""
        return self._multiplied(g.values, "gradient", _turned(b), self.right, g, accumulator, self.left == "weight")

    def right_gradient(self, g: FloatArray, a: FloatArray, accumulator: Accumulator | None = None) -> FloatArray:
        """a^T g."""
        return self._multiplied(_turned(a), self.left, g.values, "gradient", g, accumulator, self.right == "weight")

    def _multiplied(
        self,
        left: Array,
        left_role: str,
        right: Array,
        right_role: str,
        like: FloatArray,
        accumulator: Accumulator | None,
        of_weight: bool = False,
    ) -> FloatArray:
        """left right, in the format of `like`; `of_weight` says that it is the gradient of a weight."""
        size = self.step.factors.hadamard if of_weight else 0
        if size:
            left, right = transformed(left, -1, size), transformed(right, -2, size)
        a = self._scaled(left, left_role, -1, bool(size))
        b = self._scaled(right, right_role, -2, bool(size))
        y = scaled_back(self.step.factors, a, b, like, accumulator)
        return FloatArray(np.asarray(y, like.values.dtype), like.fmt, like.mode, like.rng)

    def _scaled(self, x: Array, role: str, axis: int, turned: bool) -> Scaled:
        """A factor, rounded."""
        factors, step, fmt = self.step.factors, self.step, self.step.factors.fmt_of(role)
        stochastic = role == "gradient" and factors.stochastic_gradients
        mode, rng = (Rounding.STOCHASTIC, step.rng) if stochastic else (Rounding.TIES_TO_EVEN, None)
        if factors.scaling in PER_TENSOR:
            scale = step.scale(f"{self.name} {role}", x, fmt)
            if step.examined:
                shares = multiply(x, x.dtype.type(scale), BINARY32)
                step.look((self.number, role, turned), role, self.name, shares, fmt)
            return Scaled(rounded(x, scale, fmt, mode, rng), float(divide(1.0, scale, BINARY32)))
        block = quantize(x, factors.block_of(role), axis, scale_rule=factors.rule, mode=mode, rng=rng, pad="zeros")
        if step.examined:
            step.look((self.number, role, axis, turned), role, self.name, shares_of(x, block), fmt)
        return Scaled(block, 1.0 if block.tensor_scale is None else block.tensor_scale)


def _turned(x: FloatArray) -> Array:
    return np.swapaxes(x.values, -1, -2)


def transformed(x: Array, axis: int, size: int) -> Array:
    """The random Hadamard transform along an axis, which zeros make a multiple of its size; additions in binary32."""
    missing = [(0, 0)] * x.ndim
    missing[axis] = (0, -x.shape[axis] % size)
    signs = random_signs(size, rng=SIGNS_SEED)
    return np.asarray(hadamard(np.pad(x, missing), signs, BINARY32, axis=axis), x.dtype)


def shares_of(x: Array, block: BlockArray) -> Array:
    """The numbers that were rounded to elements: x by its scales, and 0 where they are 0."""
    spread = _spread(block.scales, block.block_shape, x.shape) * (block.tensor_scale or 1.0)
    return np.divide(x, spread, out=np.zeros(x.shape, np.float64), where=spread != 0)


def _spread(scales: Array, sides: Iterable[int], shape: tuple[int, ...]) -> Array:
    for axis, side in enumerate(sides):
        scales = np.repeat(scales, side, axis)
    return scales[tuple(map(slice, shape))]


# --- sums -----------------------------------------------------------------------------------------------------------


def scaled_back(
    factors: Factors, a: Scaled, b: Scaled, like: FloatArray, accumulator: Accumulator | None = None
) -> Array:
    """The product of two factors, scaled back and rounded to the format of `like`."""
    sums = _for_elements(accumulator, factors) or Sequential(like.fmt, like.mode, like.rng)
    wide = BINARY32 if sums.fmt.fits_in(BINARY32) else sums.fmt
    if factors.scaling == "block":
        y = _by_blocks(a.values, b.values, sums, wide)
    else:
        y = _promoted(a.values, b.values, sums, wide, factors.promote_every)
        back = a.back * b.back
        y = y if back == 1 else multiply(y, back, wide)
    return np.asarray(round_to(y, like.fmt, like.mode, rng=like.rng))


def _for_elements(accumulator: Accumulator | None, factors: Factors) -> Accumulator | None:
    """A matrix unit that is told the formats of the elements; blocks tell theirs themselves."""
    if factors.scaling in ("mx", "nvfp4") or not isinstance(accumulator, TensorCore):
        return accumulator
    return NarrowFactors(accumulator, tuple(dict.fromkeys((factors.forward, factors.backward))))


def _summed(a: Array | BlockArray, b: Array | BlockArray, sums: Accumulator) -> Array:
    """The sums of the products by the accumulator; of blocks without the scale of the tensor."""
    left, right = (_without_tensor_scale(x) for x in (a, b))
    return np.asarray(matmul(left, right, sums.fmt, sums.mode, accumulator=sums, rng=sums.rng))


def _without_tensor_scale(x: Array | BlockArray) -> Array | BlockArray:
    if not isinstance(x, BlockArray):
        return x
    return BlockArray(x.block, x.scale_rule, x.block_shape, x.shape, x.elements, x.scales)


def _promoted(a: Any, b: Any, sums: Accumulator, wide: Format, every: int) -> Array:
    """The sum of all products; or sums of so many, each from 0, and their sum in the wide format."""
    if not every or a.shape[-1] <= every:
        return _summed(a, b, sums)
    total: Any = 0.0
    for k in range(0, a.shape[-1], every):
        part = _summed(a[..., k : k + every], b[..., k : k + every, :], sums)
        total = part if k == 0 else fma(part, 1.0, total, wide)
    return np.asarray(total)


def _by_blocks(a: Any, b: Any, sums: Accumulator, wide: Format) -> Array:
    """Sums of the elements of each block, each multiplied by both scales and added in the wide format, by one fma."""
    size, total = a.block_shape[-1], None
    rows = np.repeat(a.scales, a.block_shape[-2], -2)[..., : a.shape[-2], :]
    columns = np.repeat(b.scales, b.block_shape[-1], -1)[..., : b.shape[-1]]
    left, right = (x.elements[tuple(map(slice, x.shape))] for x in (a, b))
    for k in range(rows.shape[-1]):
        part = _summed(left[..., k * size : (k + 1) * size], right[..., k * size : (k + 1) * size, :], sums)
        scales = round_to(rows[..., k, None] * columns[..., None, k, :], wide)
        total = multiply(part, scales, wide) if total is None else fma(part, scales, total, wide)
    return np.asarray(total)


def check_unit(factors: Factors, accumulator: Accumulator | None) -> None:
    """Refuse a matrix unit of which nobody has published what it does with such factors, by a product of zeros."""
    if isinstance(accumulator, TensorCore):
        zeros = FloatArray(np.zeros((1, 1), np.float32), BINARY32, Rounding.TIES_TO_EVEN)
        step = FactorsOfStep(factors)
        ScaledProduct("", "activation", "weight", step).forward(zeros, zeros, accumulator)
        ScaledProduct("", "activation", "weight", step).left_gradient(zeros, zeros, accumulator)
