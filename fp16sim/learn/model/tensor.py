"""Tensors: rounded arrays that remember how they were computed. A method is an operation of `vjps`, or made of some.

Each is rounded as FloatArray rounds it: once, unless it says of what it is made.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, TypeAlias
from weakref import ref

import numpy as np
import numpy.typing as npt

from ...accumulators import Accumulator
from ...arrays import FloatArray
from ...conversion import Array, Generator
from ...wording import quoted
from ..precision import DEFAULT_PRODUCTS, Precision, PrecisionLike, Products
from ..scaled_products import VIEWS, ScaledProduct
from . import einsums, numpy_protocols
from .in_force import Context, Ruling, current_layer, in_force
from .moves import names_axes, row_numbers
from .operation import Axes
from .vjps import OPERATIONS, WITH_NUMBER, Index, constant

SUMMING = frozenset(
    ["add", "multiply", "matmul", "sum", "sum_rows", "mean", "log_softmax", "softmax", "take", "scatter_add", "patches"]
)
"""Operations that take an accumulator, some of them for their gradients alone."""


Operand: TypeAlias = "Tensor | FloatArray | npt.ArrayLike"
"""What a tensor is combined with: a tensor, or data, which has no gradient."""


class Home:
    """The precision that a tensor in an island has outside, and its copy there once it is made.

    `copy` is the tensor that entered, for what was only cast.
    """

    def __init__(self, precision: Precision, rng: Generator, copy: Tensor | None = None) -> None:
        self.precision, self.rng = precision, rng
        self._copy: ref[Tensor] | None = None if copy is None else ref(copy)

    def copy_of(self, x: Tensor) -> Tensor:
        """The tensor as it is outside: one copy for all that use it."""
        found = self._copy() if self._copy else None
        if found is None:
            found = x.cast(self.precision, self.rng)
            self._copy = ref(found)
        return found


@dataclass(frozen=True, eq=False)
class Tensor:
    """A rounded array, and how it was computed from others.

    Attributes
    ----------
    value : FloatArray
    operation : str
        The name of the operation in `vjps.OPERATIONS` that computed it; "" for parameters and data.
    arguments : tuple of Tensor
    name : str
        Of a parameter, or of data, for reports.
    wanted : bool
        Whether gradients pass through it; False for data.
    settings : mapping
        The keyword arguments of the operation, such as the accumulator of a matrix product.
    layer : str
        The layer that computed it; see `inside_layer`.
    home : Home or None
        Of a tensor that was computed in an island: the precision that it has outside.

    Notes
    -----
    NumPy's functions compute with tensors, and pass gradients on, where `numpy_protocols` lists them: np.exp, np.mean,
    np.dot, np.where, ... All others raise TypeError, and so does what would take numbers out of the graph: np.asarray,
    float, bool. Tensors are compared by identity; compare their values.

    Examples
    --------
    >>> import fp16sim as fs
    >>> w = Tensor(fs.array([1.0, 2.0], "binary16"), name="w")
    >>> loss = (w * w).sum()
    >>> fs.learn.gradients(loss, {"w": w})["w"]
    FloatArray([2, 4], binary16)
    """

    value: FloatArray
    operation: str = ""
    arguments: tuple[Tensor, ...] = field(default=(), repr=False)  # each may be that of many
    name: str = ""
    wanted: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    layer: str = ""
    home: Home | None = field(default=None, repr=False)

    computes_with_float_arrays = True  # so that x * tensor calls __rmul__ here, for a FloatArray x

    # --- NumPy and Python ask ---------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Tensor:
        function = numpy_protocols.find_ufunc(ufunc, method, keywords)
        return function(*(as_tensor(x, self.value) for x in inputs))

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        run, given = numpy_protocols.find_function(function, args, keywords)
        for name in given.arguments.keys() & numpy_protocols.OPERANDS:
            given.arguments[name] = as_tensor(given.arguments[name], self.value)
        for name in given.arguments.keys() & numpy_protocols.SEQUENCES:
            given.arguments[name] = tuple(as_tensor(x, self.value) for x in given.arguments[name])
        return run(*given.args, **given.kwargs)

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Tensor]:
        if not self.value.ndim:
            raise TypeError("a Tensor of no dimensions has no elements to iterate over; use t.value.item()")
        return (self[k] for k in range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        raise numpy_protocols.leaves_the_graph("np.asarray({})")

    def __bool__(self) -> bool:
        raise numpy_protocols.leaves_the_graph("bool({})")

    def __int__(self) -> int:
        raise numpy_protocols.leaves_the_graph("int({})")

    def __float__(self) -> float:
        raise numpy_protocols.leaves_the_graph("float({})")

    def __contains__(self, item: Any) -> bool:
        raise numpy_protocols.leaves_the_graph("x in {}")

    # --- what it is -------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of its value."""
        shape: tuple[int, ...] = self.value.shape
        return shape

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many elements it has."""
        return math.prod(self.shape)

    # --- operators -----------------------------------------------------------------------------------------------

    def _apply(self, operation: str, *others: Operand, swapped: bool = False, **settings: Any) -> Tensor:
        now = in_force()
        if now.changes_operands and operation != "cast":
            return _in_force(now, operation, self, others, swapped, settings)
        first = self if self.home is None or operation == "cast" else self.home.copy_of(self)
        given = [_outside(as_tensor(x, first.value)) for x in others]
        return _computed(operation, (*given, first) if swapped else (first, *given), settings, now.products)

    def __add__(self, other: Operand) -> Tensor:
        return self._apply("add", other)

    def __radd__(self, other: Operand) -> Tensor:
        return self._apply("add", other, swapped=True)

    def __sub__(self, other: Operand) -> Tensor:
        return self._apply("subtract", other)

    def __rsub__(self, other: Operand) -> Tensor:
        return self._apply("subtract", other, swapped=True)

    def __mul__(self, other: Operand) -> Tensor:
        return self._apply("multiply", other)

    def __rmul__(self, other: Operand) -> Tensor:
        return self._apply("multiply", other, swapped=True)

    def __truediv__(self, other: Operand) -> Tensor:
        return self._apply("divide", other)

    def __rtruediv__(self, other: Operand) -> Tensor:
        return self._apply("divide", other, swapped=True)

    def __matmul__(self, other: Operand) -> Tensor:
        return self.matmul(other)

    def __rmatmul__(self, other: Operand) -> Tensor:
        return as_tensor(other, self.value).matmul(self)

    def __pow__(self, exponent: Operand) -> Tensor:
        """This tensor to a power, rounded once; to the power 2 it is the product with itself.

        >>> import fp16sim as fs
        >>> x = Tensor(fs.array([2.0, 9.0], "binary16"))
        >>> (x**-0.5).value, (2**x).value
        (FloatArray([0.707, 0.3333], binary16), FloatArray([4, 512], binary16))
        """
        given: Any = exponent
        return self * self if isinstance(given, (int, float)) and given == 2 else self._apply("power", given)

    def __rpow__(self, base: Operand) -> Tensor:
        return self._apply("power", base, swapped=True)

    def add(self, other: Operand, accumulator: Accumulator | None = None) -> Tensor:
        """The sum. The accumulator adds up the gradient of an argument that is broadcast."""
        return self._apply("add", other, accumulator=accumulator)

    def multiply(self, other: Operand, accumulator: Accumulator | None = None) -> Tensor:
        """The product. The accumulator adds up the gradient of an argument that is broadcast."""
        return self._apply("multiply", other, accumulator=accumulator)

    def matmul(self, other: Operand, how: Products | Accumulator | None = None) -> Tensor:
        """The matrix product, with the accumulator and the formats of factors that `how` gives; see `Products`.

        The backward pass uses them too. Axes before the last two count matrices, as in NumPy; if one of the arguments
        is repeated along them, its gradient is the sum of the rounded gradients of each product.
        """
        how = how if isinstance(how, Products) else Products(how) if how else DEFAULT_PRODUCTS
        now, left, wide = in_force(), self, False
        if now.changes_operands:
            left, how, wide = _entering_product(now, self, other, how)
        elif how is DEFAULT_PRODUCTS:
            how = now.products
        right = as_tensor(other, left.value)
        if min(left.ndim, right.ndim) == 1:
            return _with_vectors(left, right, how)
        if now.factors and not wide and (scaled := now.factors.product(left, right)):
            return left._scaled_matmul(right, scaled, how.accumulator)
        left, right = left.narrow(how.operand), right.narrow(how.operand)
        y = left._apply("matmul", right, accumulator=how.accumulator)
        return y if how.cotangent is None else y._apply("narrow_back", to=how.cotangent)

    def _scaled_matmul(self, right: Tensor, scaled: ScaledProduct, accumulator: Accumulator | None) -> Tensor:
        """The product of scaled factors. Rows of stacks are rows of one matrix, if they meet the same weight."""
        if self.ndim > 2 and right.ndim == 2:
            rows = self.reshape(self.size // self.shape[-1], self.shape[-1])
            return rows._scaled_matmul(right, scaled, accumulator).reshape(*self.shape[:-1], right.shape[-1])
        return self._apply("matmul", right, accumulator=accumulator, factors=scaled)

    def narrow(self, to: Precision | None) -> Tensor:
        """Rounded to a narrower format, but still in this tensor's format; the gradient passes unchanged."""
        return self if to is None else self._apply("narrow", to=to)

    def cast(self, to: PrecisionLike, rng: Generator = None) -> Tensor:
        """This tensor in another format or mode; its gradient is rounded back to this one."""
        to = Precision.of(to)
        same = self.value.fmt == to.fmt and self.value.mode is to.mode
        return self if same else self._apply("cast", to=to, rng=rng)

    def __neg__(self) -> Tensor:
        return self._apply("negate")

    def exp(self) -> Tensor:
        """e to this power."""
        return self._apply("exp")

    def log(self) -> Tensor:
        """The natural logarithm."""
        return self._apply("log")

    def sqrt(self) -> Tensor:
        """The square root."""
        return self._apply("sqrt")

    def tanh(self) -> Tensor:
        """The hyperbolic tangent."""
        return self._apply("tanh")

    def sigmoid(self) -> Tensor:
        """1 / (1 + e^-x)."""
        return self._apply("sigmoid")

    def relu(self) -> Tensor:
        """max(x, 0); both zeros give +0."""
        return self._apply("relu")

    def __abs__(self) -> Tensor:
        return self._apply("absolute")

    def square(self) -> Tensor:
        """The product with itself."""
        return self * self

    def rsqrt(self) -> Tensor:
        """1 / sqrt(x)."""
        return self._apply("rsqrt")

    def sin(self) -> Tensor:
        """The sine of angles in radians."""
        return self._apply("sin")

    def cos(self) -> Tensor:
        """The cosine of angles in radians."""
        return self._apply("cos")

    def erf(self) -> Tensor:
        """The error function."""
        return self._apply("erf")

    def gelu(self, approximate: str = "none") -> Tensor:
        """x Phi(x) with the normal distribution's Phi, rounded once; or its approximation by tanh, step by step.

        Parameters
        ----------
        approximate : {"none", "tanh"}
            "tanh" is 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), of which every operation is rounded.

        Examples
        --------
        >>> import fp16sim as fs
        >>> x = Tensor(fs.array([1.0, -3.0], "bfloat16"))
        >>> x.gelu().value, x.gelu("tanh").value
        (FloatArray([0.84, -0.00406], bfloat16), FloatArray([0.844, -0.00586], bfloat16))
        """
        if approximate not in ("none", "tanh"):
            raise ValueError(f"approximate={quoted(approximate)} is unknown; use 'none' or 'tanh'")
        if approximate == "none":
            return self._apply("gelu")
        inner = (self + self * self * self * 0.044715) * math.sqrt(2 / math.pi)
        return self * 0.5 * (inner.tanh() + 1)

    def silu(self) -> Tensor:
        """x times its sigmoid: two roundings."""
        return self * self.sigmoid()

    def softplus(self) -> Tensor:
        """log(1 + e^x)."""
        return self._apply("softplus")

    def clip(self, min: float | None = None, max: float | None = None) -> Tensor:
        """The elements, none less than `min` and none more than `max`; outside, the gradient is 0.

        Both are rounded to the format.
        """
        low, high = (None if bound is None else float(self.value.constant(bound)) for bound in (min, max))
        return self._apply("clip", low=low, high=high)

    def maximum(self, other: Operand) -> Tensor:
        """The larger one of each two elements; where they are equal, the gradient goes to this tensor."""
        return self._apply("maximum", other)

    def minimum(self, other: Operand) -> Tensor:
        """The smaller one of each two elements; where they are equal, the gradient goes to this tensor."""
        return self._apply("minimum", other)

    # --- sums and means ---------------------------------------------------------------------------------------------

    def sum(self, accumulator: Accumulator | None = None, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
        """The sum of all elements, or over axes."""
        if isinstance(accumulator, (int, tuple, list)):
            raise TypeError(
                f"accumulator={quoted(accumulator)} is not an accumulator; for an axis, write axis={accumulator}"
            )
        if axis is None and not keepdims:
            return self._apply("sum", accumulator=accumulator)
        return self._apply("sum", axis=names_axes(axis), keepdims=keepdims, accumulator=accumulator)

    def sum_rows(self, accumulator: Accumulator | None = None) -> Tensor:
        """The sums along the last axis."""
        return self._apply("sum_rows", accumulator=accumulator)

    def mean(self, axis: Axes = None, keepdims: bool = False, *, accumulator: Accumulator | None = None) -> Tensor:
        """The sum divided by the number of elements, as `fp16sim.mean` rounds it."""
        return self._apply("mean", axis=names_axes(axis), keepdims=keepdims, accumulator=accumulator)

    def var(
        self, axis: Axes = None, ddof: float = 0, keepdims: bool = False, *, accumulator: Accumulator | None = None
    ) -> Tensor:
        """The variance in two passes, as `FloatArray.var`: mean, distances, squares, sum and quotient are rounded."""
        centred = self - self.mean(axis, True, accumulator=accumulator)
        total = (centred * centred).sum(accumulator, axis=axis, keepdims=keepdims)
        return total / max(self.size / max(total.size, 1) - ddof, 0)

    def std(
        self, axis: Axes = None, ddof: float = 0, keepdims: bool = False, *, accumulator: Accumulator | None = None
    ) -> Tensor:
        """The root of `var`, rounded."""
        return self.var(axis, ddof, keepdims, accumulator=accumulator).sqrt()

    def max(self, axis: Axes = None, keepdims: bool = False) -> Tensor:
        """The largest elements; NaN if one is NaN. The first of equal ones gets the gradient."""
        return self._apply("max", axis=names_axes(axis), keepdims=keepdims)

    def min(self, axis: Axes = None, keepdims: bool = False) -> Tensor:
        """The smallest elements; NaN if one is NaN. The first of equal ones gets the gradient."""
        return self._apply("min", axis=names_axes(axis), keepdims=keepdims)

    def log_softmax(self, accumulator: Accumulator | None = None) -> Tensor:
        """The logarithm of the softmax along the last axis, stable in any format."""
        return self._apply("log_softmax", accumulator=accumulator)

    def softmax(self, accumulator: Accumulator | None = None) -> Tensor:
        """The softmax along the last axis, stable in any format."""
        return self._apply("softmax", accumulator=accumulator)

    # --- choosing and moving ----------------------------------------------------------------------------------------

    def where(self, condition: npt.ArrayLike, other: Operand) -> Tensor:
        """These elements where the condition, an array of booleans, is true; those of `other` elsewhere."""
        return self._apply("where", other, condition=_booleans("condition", condition))

    def masked_fill(self, mask: npt.ArrayLike, value: Operand) -> Tensor:
        """`value` where the mask, an array of booleans, is true; these elements elsewhere.

        >>> import fp16sim as fs
        >>> scores = Tensor(fs.array([[1.0, 2.0], [3.0, 4.0]], "binary16"))
        >>> later = np.triu(np.ones((2, 2), bool), 1)
        >>> scores.masked_fill(later, -np.inf).softmax().value
        FloatArray([[     1,      0],
                    [0.2688,  0.731]], binary16)
        """
        return self.where(~_booleans("mask", mask), value)

    def reshape(self, *shape: int) -> Tensor:
        """The same numbers in another shape."""
        return self._apply("reshape", shape=shape)

    def transpose(self, *axes: int) -> Tensor:
        """The axes in another order; reversed if none is given."""
        order = range(self.ndim)[::-1] if not axes else np.lib.array_utils.normalize_axis_tuple(axes, self.ndim)
        if len(order) != self.ndim:
            raise ValueError(f"axes={axes} do not name each of the {self.ndim} axes of shape={self.shape} once")
        return self._apply("transpose", axes=tuple(order))

    T = property(transpose, doc="The axes in reverse order.")

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        """Two axes exchanged."""
        order = list(range(self.ndim))
        order[axis1], order[axis2] = order[axis2], order[axis1]
        return self.transpose(*order)

    def moveaxis(self, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
        """Axes at other places, and the others in their order, as `numpy.moveaxis`."""
        return self.transpose(*_moved_order(self.ndim, source, destination))

    def broadcast_to(self, *shape: int) -> Tensor:
        """These elements, repeated to a shape. The gradient is summed back."""
        return self._apply("broadcast", shape=shape)

    def concatenate(self, *others: Operand, axis: int = 0) -> Tensor:
        """This tensor and others, one after the other along an axis."""
        return self._apply("concatenate", *others, axis=np.lib.array_utils.normalize_axis_index(axis, self.ndim))

    def stack(self, *others: Operand, axis: int = 0) -> Tensor:
        """This tensor and others of its shape along a new axis."""
        given, shape = [self, *(as_tensor(x, self.value) for x in others)], self.shape
        if wrong := [x.shape for x in given if x.shape != shape]:
            raise ValueError(f"tensors have the shapes {shape} and {wrong[0]}; give tensors of one shape")
        axis = np.lib.array_utils.normalize_axis_index(axis, self.ndim + 1)
        first, *rest = (x.reshape(*shape[:axis], 1, *shape[axis:]) for x in given)
        return first.concatenate(*rest, axis=axis)

    def split(self, parts: int | Sequence[int], axis: int = 0) -> list[Tensor]:
        """Equal parts along an axis, or the parts between the given places, as `numpy.split`."""
        axis, size = np.lib.array_utils.normalize_axis_index(axis, self.ndim), self.shape[axis]
        if isinstance(parts, int):
            if parts < 1 or size % parts:
                raise ValueError(f"parts={parts} does not divide the {size} elements of axis {axis}; give the places")
            parts = range(size // parts, size, size // parts)
        ends = [0, *parts, size]
        before = (slice(None),) * axis
        return [self[(*before, slice(a, b))] for a, b in pairwise(ends)]

    def __getitem__(self, index: Index | npt.ArrayLike) -> Tensor:
        """Elements by integers, slices, ... and None; rows by an array of integers; elements by a mask."""
        if isinstance(index, (list, np.ndarray)):
            chosen = np.asarray(index)
            return self._apply("masked", mask=self._mask(chosen)) if chosen.dtype == bool else self.take(chosen)
        return self._apply("select", index=index)

    def _mask(self, mask: Array) -> Array:
        if mask.shape != self.shape[: mask.ndim] or not mask.ndim:
            raise ValueError(f"mask.shape={mask.shape} does not fit shape={self.shape}; give a mask for its first axes")
        return mask

    def take(self, indices: npt.ArrayLike, axis: int = 0, accumulator: Accumulator | None = None) -> Tensor:
        """The rows with these numbers, as an embedding takes them; with `axis` the pieces along another axis.

        The gradient of a row that is taken several times is the rounded sum of its gradients in their order, or that of
        the accumulator.

        >>> import fp16sim as fs
        >>> table = Tensor(fs.array([[0.1, 0.2], [1.0, 2.0]], "binary16"))
        >>> table.take([1, 0, 1]).value
        FloatArray([[  1,   2],
                    [0.1, 0.2],
                    [  1,   2]], binary16)
        """
        axis = np.lib.array_utils.normalize_axis_index(axis, self.ndim)
        chosen = row_numbers(indices, self.shape[axis])
        return self._apply("take", indices=chosen, axis=axis, accumulator=accumulator)

    def scatter_add(self, indices: npt.ArrayLike, rows: Operand, accumulator: Accumulator | None = None) -> Tensor:
        """These rows, with others added: the k-th of `rows` to the one with the number indices[k], one after the other.

        >>> import fp16sim as fs
        >>> x = Tensor(fs.array([1.0, 2048.0], "binary16"))
        >>> x.scatter_add([0, 1, 1], [2.0, 1.0, 1.0]).value
        FloatArray([3, 2048], binary16)
        """
        chosen = row_numbers(indices, self.shape[0])
        return self._apply("scatter_add", rows, indices=chosen, accumulator=accumulator)

    def pick(self, columns: Array) -> Tensor:
        """The element of row i in column columns[i], for each row."""
        return self._apply("pick", columns=columns)

    def patches(
        self, kernel: tuple[int, int], stride: int = 1, padding: int = 0, accumulator: Accumulator | None = None
    ) -> Tensor:
        """The windows of images as rows; see `windows`. The accumulator adds up the gradients that meet at a pixel."""
        return self._apply("patches", kernel=kernel, stride=stride, padding=padding, accumulator=accumulator)

    def max_pool(self, size: int) -> Tensor:
        """The largest number in each window of size x size."""
        return self._apply("max_pool", size=size)


# --- how an operation is computed -----------------------------------------------------------------------------------


def _computed(operation: str, given: tuple[Tensor, ...], settings: Mapping[str, Any], how: Products) -> Tensor:
    """An operation of the table, with the accumulator of `how` unless it has one."""
    sums = how.accumulator
    if sums is not None and operation in SUMMING and settings.get("accumulator") is None:
        settings = {**settings, "accumulator": sums} if sums.accepts(given[0].value.fmt) else settings
    y = OPERATIONS[operation].forward(*(x.value for x in given), **settings)
    wanted = any(x.wanted for x in given)
    return Tensor(y, operation, given, wanted=wanted, settings=settings, layer=current_layer())


def _in_force(
    now: Context, operation: str, x: Tensor, others: Sequence[Operand], swapped: bool, settings: Mapping[str, Any]
) -> Tensor:
    """An operation where an island, rules or scalars of binary64 may be in force."""
    tensors = [x, *(other for other in others if isinstance(other, Tensor))]
    layer = _layer(now, tensors)
    found = now.ruling(layer, "square" if operation == "multiply" and others[0] is x else operation)
    if "accumulator" in settings:
        settings = {**settings, "accumulator": _accumulator(now, found, layer, settings["accumulator"])}
    to = found.precision
    first = _outside(x) if to is None else _entered(now, x, to)
    number: Any = others[0] if operation in WITH_NUMBER else None
    if now.scalars == "binary64" and isinstance(number, (int, float)):
        number = {"name": operation, "number": float(number), "swapped": swapped}
        y = _computed("with_number", (first,), number, found.products)
    else:
        given = [as_tensor(other, first.value) for other in others]
        given = [_outside(other) if to is None else _entered(now, other, to) for other in given]
        y = _computed(operation, tuple((*given, first) if swapped else (first, *given)), settings, found.products)
    if to is not None and (home := _home(tensors, to)):
        y = replace(y, home=home)
    return _remembered(now, y, layer, tensors)


def _entering_product(now: Context, x: Tensor, other: Operand, how: Products) -> tuple[Tensor, Products, bool]:
    """The first factor of a matrix product as it enters an island, how products are rounded, and whether it is one."""
    tensors = [x, other] if isinstance(other, Tensor) else [x]
    layer = _layer(now, tensors)
    found = now.ruling(layer, "matmul")
    if now.is_usual(how, layer):
        how = found.products
    to = found.precision
    return (x if to is None else _entered(now, x, to)), how, to is not None


def _accumulator(now: Context, found: Ruling, layer: str, given: Accumulator | None) -> Accumulator | None:
    """The accumulator of an operation: that of the rules, unless the code has chosen one."""
    if given is not None and given is now.too_narrow:
        return None
    return found.products.accumulator if now.is_usual(given, layer, "accumulator") else given


def _entered(now: Context, x: Tensor, to: Precision) -> Tensor:
    """A tensor in the precision of an island, cast once; data without an operation in the graph."""
    if x.value.fmt == to.fmt and x.value.mode is to.mode:
        return x
    found = now.casts.get((id(x), to))
    if found is None:
        home = Home(x.home.precision, x.home.rng) if x.home else Home(_precision(x), x.value.rng, x)
        if x.operation or x.wanted:
            y = replace(x.cast(to, now.rng), home=home)
        else:
            y = replace(x, value=to.array(x.value, now.rng), home=home)
        found = now.casts[id(x), to] = (x, y)
    entered: Tensor = found[1]
    return entered


def _outside(x: Tensor) -> Tensor:
    """A tensor as it is outside islands."""
    return x if x.home is None else x.home.copy_of(x)


def _home(operands: Sequence[Tensor], to: Precision) -> Home | None:
    """Where the result of an island belongs: where its first operand does that came from outside."""
    for x in operands:
        if x.home is not None:
            return Home(x.home.precision, x.home.rng)
        if x.value.fmt != to.fmt or x.value.mode is not to.mode:
            return Home(_precision(x), x.value.rng)
    return None


def _precision(x: Tensor) -> Precision:
    return Precision(x.value.fmt, x.value.mode)


def _layer(now: Context, operands: Sequence[Tensor]) -> str:
    """The layer of an operation: the one in force, or that of its parameters, or else of its first operand."""
    layer = current_layer()
    if layer or not now.owners:
        return layer
    own = next((now.owners[id(x)][1] for x in operands if id(x) in now.owners), "")
    return own or next((now.made[id(x)][1] for x in operands if id(x) in now.made), "model")


def _remembered(now: Context, y: Tensor, layer: str, operands: Sequence[Tensor]) -> Tensor:
    """The result, after its layer was noted for the operations that use it."""
    if now.owners:
        view = y.operation in VIEWS and any(id(x) in now.owners for x in operands)
        (now.owners if view else now.made)[id(y)] = (y, layer)
    return y


def _with_vectors(a: Tensor, b: Tensor, how: Products) -> Tensor:
    """A matrix product in which a vector stands for a matrix of one row, or of one column."""
    left = a.reshape(1, a.size) if a.ndim == 1 else a
    right = b.reshape(b.size, 1) if b.ndim == 1 else b
    y = left.matmul(right, how)
    rows, columns = (y.shape[-2:-1] if a.ndim > 1 else ()), (y.shape[-1:] if b.ndim > 1 else ())
    return y.reshape(*y.shape[:-2], *rows, *columns)


def _booleans(name: str, mask: npt.ArrayLike) -> Array:
    chosen = np.asarray(mask)
    if chosen.dtype != bool:
        raise TypeError(f"{name} is an array of {chosen.dtype}, not of booleans; compare, as in t.value > 0")
    return chosen


def _moved_order(ndim: int, source: int | Sequence[int], destination: int | Sequence[int]) -> list[int]:
    axes, places = (np.lib.array_utils.normalize_axis_tuple(x, ndim) for x in (source, destination))
    if len(axes) != len(places):
        raise ValueError(f"source={source} and destination={destination} have different lengths; give a place each")
    order = [k for k in range(ndim) if k not in axes]
    for place, axis in sorted(zip(places, axes, strict=True)):
        order.insert(place, axis)
    return order


# --- several tensors ------------------------------------------------------------------------------------------------


def concatenate(tensors: Sequence[Operand], axis: int = 0) -> Tensor:
    """Tensors one after the other along an axis: exact. At least one must be a Tensor; the others may be data.

    >>> import fp16sim as fs
    >>> x = Tensor(fs.array([1.0, 2.0], "binary16"))
    >>> concatenate([x, x * x]).value
    FloatArray([1, 2, 1, 4], binary16)
    """
    first, *others = _tensors("tensors", tensors)
    return first.concatenate(*others, axis=axis)


def stack(tensors: Sequence[Operand], axis: int = 0) -> Tensor:
    """Tensors of one shape along a new axis: exact.

    >>> import fp16sim as fs
    >>> x = Tensor(fs.array([1.0, 2.0], "binary16"))
    >>> stack([x, -x], axis=1).value
    FloatArray([[ 1, -1],
                [ 2, -2]], binary16)
    """
    first, *others = _tensors("tensors", tensors)
    return first.stack(*others, axis=axis)


def einsum(text: str, *operands: Operand, how: Products | Accumulator | None = None) -> Tensor:
    """Einstein's sum, as `numpy.einsum`, made of transposes, reshapes, matrix products and sums.

    Two operands are multiplied as stacks of matrices; of more, the first two, and their result with the next. A letter
    that only one operand has, and the result has not, is summed first. Every product and every sum is rounded.

    Parameters
    ----------
    text : str
        Such as "bij,bjk->bik"; without "->", the letters that occur once, in order. "..." stands for all other axes.
    *operands : Tensor or data
        At least one must be a Tensor.
    how : Products or Accumulator, optional
        As for `Tensor.matmul`.

    Examples
    --------
    >>> import fp16sim as fs
    >>> x = Tensor(fs.array([[1.0, 2.0], [3.0, 4.0]], "binary16"))
    >>> einsum("ij,kj->ik", x, x).value
    FloatArray([[ 5, 11],
                [11, 25]], binary16)
    """
    y: Tensor = einsums.einsum(text, *_tensors("operands", operands), how=how)
    return y


def _tensors(name: str, given: Iterable[Operand]) -> list[Tensor]:
    """Tensors as they are, and data in the format of the first tensor."""
    given = list(given)
    first = next((x for x in given if isinstance(x, Tensor)), None)
    if first is None:
        raise TypeError(f"{name}={quoted(given)} has no Tensor; make one by Tensor(fs.array(x, fmt))")
    return [as_tensor(x, first.value) for x in given]


def as_tensor(x: Operand, like: FloatArray) -> Tensor:
    """`x` as a tensor; numbers and arrays become data in the format and mode of `like`, or of the island here."""
    if isinstance(x, Tensor):
        return x
    now = in_force()
    if now.precision is not None and not isinstance(x, FloatArray):
        like = now.precision.array(np.zeros((), like.values.dtype), now.rng)
    return Tensor(constant(x, like), wanted=False)
