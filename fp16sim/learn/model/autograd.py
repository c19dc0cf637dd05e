"""The graph: which tensors a value was computed from. It knows no calculus; `vjps` does.

A Tensor remembers the operation and the arguments that made it. `gradients` walks back from a result, from consumers to
arguments, adds up the cotangents that meet at a tensor (each addition is rounded), and takes the vjps from the table.
A walk changes nothing, so a graph can be walked many times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from ...accumulators import Pairwise
from ...arrays import FloatArray
from .operation import spread
from .tensor import Tensor
from .vjps import OPERATIONS, constant, unbroadcast, zeros_like

Observer: TypeAlias = "Callable[[Tensor, int, FloatArray, FloatArray], None]"
"""Called with a tensor, the number of an argument, the tensor's cotangent, and what it adds to the argument's."""


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
    cotangents: dict[int, FloatArray] = {id(loss): spread(one, loss.value)}
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


ROUNDING_SETTINGS = ("accumulator", "to", "factors")
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
    part = OPERATIONS[tensor.operation].vjp(k)(g, y, *values, **settings)
    return unbroadcast(part, values[k].shape, settings.get("accumulator"))


def operations_behind(y: Tensor) -> list[tuple[str, str]]:
    """The layer and the name of each operation behind a tensor, each pair once, in order; casts are left out.

    A product of a tensor with itself is "square", as in the rules of a policy.
    """
    found = [
        (x.layer, "square" if x.operation == "multiply" and x.arguments[0] is x.arguments[1] else x.operation)
        for x in reversed(consumers_first(y))
        if x.operation not in ("", "cast") and x.layer
    ]
    return list(dict.fromkeys(found))
