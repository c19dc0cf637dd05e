"""The graph: which tensors a value was computed from. It knows no calculus; `vjps` does.

A Tensor remembers the operation and the arguments that made it. `gradients` walks back from a result, from consumers to
arguments, adds up the cotangents that meet at a tensor (each addition is rounded), and takes the vjps from the table.
A walk changes nothing, so a graph can be walked many times. The one thing that is written after a tensor was made is
the name of its layer (`name_layer`), on which no number depends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ...accumulators import Accumulator, Pairwise
from ...arrays import FloatArray
from ...conversion import Array, Generator
from ..precision import DEFAULT_PRODUCTS, Precision, Products
from . import numpy_protocols
from .vjps import OPERATIONS, Index, constant, unbroadcast, zeros_like

Operand: TypeAlias = "Tensor | FloatArray | npt.ArrayLike"
"""What a tensor is combined with: a tensor, or data, which has no gradient."""

Observer: TypeAlias = "Callable[[Tensor, int, FloatArray, FloatArray], None]"
"""Called with a tensor, the number of an argument, the tensor's cotangent, and what it adds to the argument's."""


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
        The layer that computed it; `name_layer` writes it once the layer is done.

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
    >>> gradients(loss, {"w": w})["w"]
    FloatArray([2, 4], binary16)
    """

    value: FloatArray
    operation: str = ""
    arguments: tuple[Tensor, ...] = ()
    name: str = ""
    wanted: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    layer: str = ""

    computes_with_float_arrays = True  # so that x * tensor calls __rmul__ here, for a FloatArray x

    # --- NumPy and Python ask ---------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Tensor:
        function = numpy_protocols.find_ufunc(ufunc, method, keywords)
        return function(*(as_tensor(x, self.value) for x in inputs))

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        run, given = numpy_protocols.find_function(function, args, keywords)
        return run(**{k: as_tensor(x, self.value) if k in numpy_protocols.OPERANDS else x for k, x in given.items()})

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

    # --- operations -------------------------------------------------------------------------------------------------

    def _apply(self, operation: str, *others: Operand, swapped: bool = False, **settings: Any) -> Tensor:
        given = (as_tensor(x, self.value) for x in others)
        arguments = (*given, self) if swapped else (self, *given)
        y = OPERATIONS[operation].forward(*(x.value for x in arguments), **settings)
        return Tensor(y, operation, arguments, wanted=any(x.wanted for x in arguments), settings=settings)

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
        return self._apply("matmul", other)

    def __rmatmul__(self, other: Operand) -> Tensor:
        return self._apply("matmul", other, swapped=True)

    def add(self, other: Operand, accumulator: Accumulator | None = None) -> Tensor:
        """The sum. The accumulator adds up the gradient of an argument that is broadcast."""
        return self._apply("add", other, accumulator=accumulator)

    def multiply(self, other: Operand, accumulator: Accumulator | None = None) -> Tensor:
        """The product. The accumulator adds up the gradient of an argument that is broadcast."""
        return self._apply("multiply", other, accumulator=accumulator)

    def matmul(self, other: Operand, how: Products | Accumulator | None = None) -> Tensor:
        """The matrix product, with the accumulator and the formats of factors that `how` gives; see `Products`.

        The backward pass uses them too.
        """
        how = how if isinstance(how, Products) else Products(how) if how else DEFAULT_PRODUCTS
        left, right = self.narrow(how.operand), as_tensor(other, self.value).narrow(how.operand)
        y = left._apply("matmul", right, accumulator=how.accumulator)
        return y if how.cotangent is None else y._apply("narrow_back", to=how.cotangent)

    def narrow(self, to: Precision | None) -> Tensor:
        """Rounded to a narrower format, but still in this tensor's format; the gradient passes unchanged."""
        return self if to is None else self._apply("narrow", to=to)

    def cast(self, to: Precision, rng: Generator = None) -> Tensor:
        """This tensor in another format or mode; its gradient is rounded back to this one."""
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

    def sum(self, accumulator: Accumulator | None = None) -> Tensor:
        """The sum of all elements."""
        return self._apply("sum", accumulator=accumulator)

    def sum_rows(self, accumulator: Accumulator | None = None) -> Tensor:
        """The sums along the last axis."""
        return self._apply("sum_rows", accumulator=accumulator)

    def log_softmax(self, accumulator: Accumulator | None = None) -> Tensor:
        """The logarithm of the softmax along the last axis, stable in any format."""
        return self._apply("log_softmax", accumulator=accumulator)

    def softmax(self, accumulator: Accumulator | None = None) -> Tensor:
        """The softmax along the last axis, stable in any format."""
        return self._apply("softmax", accumulator=accumulator)

    def where(self, condition: Array, other: Operand) -> Tensor:
        """These elements where the condition, an array of booleans, is true; those of `other` elsewhere."""
        chosen = np.asarray(condition)
        if chosen.dtype != bool:
            raise TypeError(f"condition is an array of {chosen.dtype}, not of booleans; compare, as in t.value > 0")
        return self._apply("where", other, condition=chosen)

    def reshape(self, *shape: int) -> Tensor:
        """The same numbers in another shape."""
        return self._apply("reshape", shape=shape)

    def __getitem__(self, index: Index) -> Tensor:
        return self._apply("select", index=index)

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


def as_tensor(x: Operand, like: FloatArray) -> Tensor:
    """`x` as a tensor; numbers and arrays become data in the format and mode of `like`."""
    return x if isinstance(x, Tensor) else Tensor(constant(x, like), wanted=False)


def consumers_first(root: Tensor, follow: Callable[[Tensor], bool] = lambda tensor: True) -> list[Tensor]:
    """The tensors that `root` was computed from, and `root` itself, each before its arguments.

    Tensors for which `follow` is false are left out, and what lies behind them. The walk is a loop, because a graph can
    be deeper than Python's stack.
    """
    order: list[Tensor] = []
    seen: set[int] = set()
    stack = [(root, False)]
    while stack:
        tensor, expanded = stack.pop()
        if expanded:
            order.append(tensor)
        elif id(tensor) not in seen and follow(tensor):
            seen.add(id(tensor))
            stack.append((tensor, True))
            stack.extend((x, False) for x in tensor.arguments)
    return order[::-1]


def gradients(
    loss: Tensor, wrt: Mapping[str, Tensor], *, scale: float = 1.0, observer: Observer | None = None
) -> dict[str, FloatArray]:
    """The gradients of `loss`; every operation of the backward pass is rounded to its format.

    Parameters
    ----------
    loss : Tensor
        Of any shape; the backward pass starts with the cotangent `scale` in every element.
    wrt : mapping of str to Tensor
        The tensors whose gradients are computed, by name.
    scale : float
        The loss scale: but for rounding, all gradients are multiplied by it.
    observer : callable, optional
        Is called with every cotangent, for telemetry.

    Returns
    -------
    dict of str to FloatArray
        By the names of `wrt`; zeros for a tensor that the loss does not depend on.
    """
    one, asked = constant(scale, loss.value), {id(x) for x in wrt.values()}
    cotangents: dict[int, FloatArray] = {id(loss): OPERATIONS["sum"].vjps[0](one, None, loss.value)}
    for tensor in consumers_first(loss, lambda x: x.wanted):
        # A cotangent is complete when its turn comes, and only needed once: its memory can serve the next ones.
        g = cotangents[id(tensor)] if id(tensor) in asked else cotangents.pop(id(tensor))
        for k, argument in enumerate(tensor.arguments):
            if not argument.wanted:
                continue
            part = backward_step(tensor, k, g)
            if observer:
                observer(tensor, k, g, part)
            others = cotangents.get(id(argument))
            cotangents[id(argument)] = part if others is None else others + part
    return {name: cotangents[id(x)] if id(x) in cotangents else zeros_like(x.value) for name, x in wrt.items()}


ROUNDING_SETTINGS = ("accumulator", "to")
"""Settings that concern rounding: left out when a step is repeated with wider operands."""


def backward_step(
    tensor: Tensor, k: int, g: FloatArray, convert: Callable[[FloatArray], FloatArray] | None = None
) -> FloatArray:
    """What the cotangent g of a tensor adds to the cotangent of its argument k.

    With `convert` it is computed from converted operands, as telemetry does in binary64.
    """
    operands = (g, tensor.value, *(x.value for x in tensor.arguments))
    g, y, *values = map(convert, operands) if convert else operands
    settings = tensor.settings
    if convert:  # pairwise sums are the fastest, and here no format asks for another order
        kept = {name: x for name, x in settings.items() if name not in ROUNDING_SETTINGS}
        settings = {**kept, "accumulator": Pairwise(g.fmt)} if "accumulator" in settings else kept
    part = OPERATIONS[tensor.operation].vjps[k](g, y, *values, **settings)
    return unbroadcast(part, values[k].shape, settings.get("accumulator"))


def name_layer(y: Tensor, layer: str, given: Tensor) -> Tensor:
    """Write the layer's name on the tensors that it computed from what it was given, y the last of them; returns y."""
    for tensor in consumers_first(y, lambda x: x is not given and bool(x.operation) and not x.layer):
        object.__setattr__(tensor, "layer", layer)
    return y
