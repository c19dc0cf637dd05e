"""The graph: which tensors a value was computed from. It knows no calculus; `vjps` does.

A Tensor remembers the operation and the arguments that made it. `gradients` walks back from a result, from consumers to
arguments, adds up the cotangents that meet at a tensor (each addition is rounded), and takes the vjps from the table.
A walk changes nothing, so a graph can be walked many times. The one thing that is written after a tensor was made is
the name of its layer (`name_layer`); only reports read it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ...accumulators import Accumulator, Pairwise
from ...arrays import FloatArray
from ...conversion import Generator
from ..precision import DEFAULT_PRODUCTS, Precision, Products
from .vjps import OPERATIONS, constant, unbroadcast, zeros_like

Observer: TypeAlias = "Callable[[Tensor, int, FloatArray, FloatArray], None]"
"""Called with a tensor, the number of an argument, the cotangent that came in and the one that goes on."""


@dataclass(frozen=True, eq=False)
class Tensor:
    """A rounded array in a graph.

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
    """Whether a gradient may be asked for; False for data."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What the operation was told besides its arguments, such as the accumulator of a matrix product."""
    layer: str = ""
    """Which layer computed it; written by `name_layer` once the layer is done."""

    __array_ufunc__ = None  # so that array * tensor is __rmul__, and no array of tensors

    def _apply(self, operation: str, *others: Any, swapped: bool = False, **settings: Any) -> Tensor:
        given = (as_tensor(x, self.value) for x in others)
        arguments = (*given, self) if swapped else (self, *given)
        y = OPERATIONS[operation].forward(*(x.value for x in arguments), **settings)
        return Tensor(y, operation, arguments, wanted=any(x.wanted for x in arguments), settings=settings)

    def __add__(self, other: Any) -> Tensor:
        return self._apply("add", other)

    def __radd__(self, other: Any) -> Tensor:
        return self._apply("add", other, swapped=True)

    def __sub__(self, other: Any) -> Tensor:
        return self._apply("subtract", other)

    def __rsub__(self, other: Any) -> Tensor:
        return self._apply("subtract", other, swapped=True)

    def __mul__(self, other: Any) -> Tensor:
        return self._apply("multiply", other)

    def __rmul__(self, other: Any) -> Tensor:
        return self._apply("multiply", other, swapped=True)

    def __truediv__(self, other: Any) -> Tensor:
        return self._apply("divide", other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return self._apply("divide", other, swapped=True)

    def __matmul__(self, other: Any) -> Tensor:
        return self._apply("matmul", other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return self._apply("matmul", other, swapped=True)

    def add(self, other: Any, accumulator: Accumulator | None = None) -> Tensor:
        """The sum; an accumulator adds up the gradient of what is broadcast."""
        return self._apply("add", other, accumulator=accumulator)

    def multiply(self, other: Any, accumulator: Accumulator | None = None) -> Tensor:
        """The product; an accumulator adds up the gradient of what is broadcast."""
        return self._apply("multiply", other, accumulator=accumulator)

    def matmul(self, other: Any, how: Products | Accumulator | None = None) -> Tensor:
        """The matrix product by an accumulator, in the backward pass too; with factors of their own formats if told."""
        how = how if isinstance(how, Products) else Products(how) if how else DEFAULT_PRODUCTS
        left, right = self.narrow(how.operand), as_tensor(other, self.value).narrow(how.operand)
        y = left._apply("matmul", right, accumulator=how.accumulator)
        return y if how.cotangent is None else y._apply("narrow_back", to=how.cotangent)

    def narrow(self, to: Precision | None) -> Tensor:
        """The numbers of a narrower format, in this tensor's own; its gradient passes as it is."""
        return self if to is None else self._apply("narrow", to=to)

    def cast(self, to: Precision, rng: Generator = None) -> Tensor:
        """This tensor in another format or mode; its gradient comes back in this one."""
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
        """max(x, 0); +0 for both zeros."""
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

    def reshape(self, *shape: int) -> Tensor:
        """The same numbers in another shape."""
        return self._apply("reshape", shape=shape)

    def __getitem__(self, index: Any) -> Tensor:
        return self._apply("select", index=index)

    def pick(self, columns: Any) -> Tensor:
        """Of each row the element in its column."""
        return self._apply("pick", columns=columns)

    def patches(
        self, kernel: tuple[int, int], stride: int = 1, padding: int = 0, accumulator: Accumulator | None = None
    ) -> Tensor:
        """The windows of images as rows; see `windows`. An accumulator adds up the gradients that meet at a pixel."""
        return self._apply("patches", kernel=kernel, stride=stride, padding=padding, accumulator=accumulator)

    def max_pool(self, size: int) -> Tensor:
        """The largest number of each window of size x size."""
        return self._apply("max_pool", size=size)


def as_tensor(x: Any, like: FloatArray) -> Tensor:
    """`x` as a tensor; numbers and arrays become data in the format of `like`."""
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
    """The gradients of `loss`, every step of the backward pass rounded to its format.

    Parameters
    ----------
    loss : Tensor
        Of any shape; its cotangent is `scale` everywhere.
    wrt : mapping of str to Tensor
    scale : float
        The loss scale: what the walk starts from, so every gradient is that many times as large.
    observer : callable, optional
        Sees every cotangent; for telemetry.

    Returns
    -------
    dict of str to FloatArray
        Zeros for a tensor that the loss does not depend on.
    """
    one = constant(scale, loss.value)
    cotangents: dict[int, FloatArray] = {id(loss): OPERATIONS["sum"].vjps[0](one, None, loss.value)}
    for tensor in consumers_first(loss, lambda x: x.wanted):
        g = cotangents[id(tensor)]
        for k, argument in enumerate(tensor.arguments):
            if not argument.wanted:
                continue
            part = backward_step(tensor, k, g)
            if observer:
                observer(tensor, k, g, part)
            met = cotangents.get(id(argument))
            cotangents[id(argument)] = part if met is None else met + part
    return {name: cotangents[id(x)] if id(x) in cotangents else zeros_like(x.value) for name, x in wrt.items()}


ROUNDING_SETTINGS = ("accumulator", "to")
"""Settings that are about rounding: dropped where a step is taken in wider operands."""


def backward_step(
    tensor: Tensor, k: int, g: FloatArray, convert: Callable[[FloatArray], FloatArray] | None = None
) -> FloatArray:
    """The cotangent of argument k of a tensor with cotangent g; all operands through `convert` first, if given."""
    operands = (g, tensor.value, *(x.value for x in tensor.arguments))
    g, y, *values = map(convert, operands) if convert else operands
    settings = tensor.settings
    if convert:  # sums in the order that is quickest, since no format asks for another
        kept = {name: x for name, x in settings.items() if name not in ROUNDING_SETTINGS}
        settings = {**kept, "accumulator": Pairwise(g.fmt)} if "accumulator" in settings else kept
    part = OPERATIONS[tensor.operation].vjps[k](g, y, *values, **settings)
    return unbroadcast(part, values[k].shape, settings.get("accumulator"))


def name_layer(y: Tensor, layer: str, given: Tensor) -> Tensor:
    """Write the layer's name on the tensors that it computed from what it was given, y the last of them; returns y."""
    for tensor in consumers_first(y, lambda x: x is not given and bool(x.operation) and not x.layer):
        object.__setattr__(tensor, "layer", layer)
    return y
