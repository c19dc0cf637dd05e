"""Why a run died: the first operation of its last step whose operands were finite and whose result was not.

The forward pass is read from the graph of the step. The backward pass and the optimizer are computed once more, the one
to see every cotangent, the other to see which exception was raised first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from ...arrays import FloatArray
from ...flags import record_flags
from ...rounding import round_to
from ..model.autograd import Observer
from ..model.layers import Params
from ..model.tensor import Tensor
from ..state import Cause, Death, Phase, RoundedOption, StepResult

BackwardPass: TypeAlias = "Callable[[Observer | None], Params]"


def post_mortem(
    step: StepResult,
    backward: BackwardPass,
    optimize: Callable[[Params], Params],
    constants: Mapping[str, float],
    summed: Params,
) -> Death:
    """The first cause of a step after which a parameter is not finite.

    Parameters
    ----------
    step : StepResult
    backward : callable
        The backward pass of the step, which shows every cotangent to an observer and answers the gradients.
    optimize : callable
        From the gradients as the optimizer receives them to its steps.
    constants : mapping of str to float
        The options of Config that are rounded to the optimizer's format.
    summed : Params
        The gradients of micro-batches, added up; empty if there is one batch.
    """
    number = step.after.step
    return (
        in_forward(number, step.loss)
        or in_scaling(number, step.loss, step.before.loss_scale.scale)
        or in_backward(number, backward)
        or in_accumulation(number, summed)
        or in_unscaling(number, step.grads)
        or in_optimizer(number, step.grads, optimize, constants)
        or in_update(number, step.after.params)
    )


# --- one phase after the other --------------------------------------------------------------------------------------


def in_forward(step: int, loss: Tensor) -> Death | None:
    """The first operation of the graph, of the loss too, that went wrong."""
    tensor = first_not_finite(loss)
    if tensor is None:
        return None
    phase = Phase.LOSS if tensor.operation and not tensor.layer else Phase.FORWARD
    operands = _operands(tensor.value, *(x.value for x in tensor.arguments))
    cause = _cause(tensor.value, **operands, tensor=tensor.name, layer=tensor.layer, operation=tensor.operation)
    return Death(step, phase, cause)


def first_not_finite(loss: Tensor) -> Tensor | None:
    """The first tensor that is not finite although its arguments are; None if the loss is finite.

    Scores that a mask has set to -infinity count as finite; a constant is the first only if nothing that was computed
    is: that of online attention is the largest score.
    """
    if _finite(loss.value):
        return None
    tensor = loss
    while wrong := [x for x in tensor.arguments if not (_finite(x.value) or _is_masked(x))]:
        tensor = next((x for x in reversed(wrong) if x.operation or x.name), wrong[-1])
    return tensor


def _is_masked(tensor: Tensor) -> bool:
    """Whether what is not finite is -infinity, and comes from a constant of the model: a mask."""
    if np.isnan(tensor.value.values).any() or np.isposinf(tensor.value.values).any():
        return False
    while wrong := [x for x in tensor.arguments if not _finite(x.value)]:
        tensor = wrong[-1]
    return not (tensor.operation or tensor.name)


def in_scaling(step: int, loss: Tensor, scale: float) -> Death | None:
    """A loss scale beyond the largest number of the loss's format."""
    start = loss.value.constant(scale)
    if _finite(start):
        return None
    option = RoundedOption("loss_scale", scale, float(start), loss.value.fmt.name)
    return Death(step, Phase.SCALING, _cause(start, tensor="loss", rounded_options=(option,)))


def in_backward(step: int, backward: BackwardPass) -> Death | None:
    """The first vjp, or the first sum of cotangents, that went wrong."""
    found: list[Cause] = []

    def observe(tensor: Tensor, k: int, g: FloatArray, part: FloatArray) -> None:
        if found or _finite(part):
            return
        where: dict[str, Any] = {"layer": tensor.layer, "operation": tensor.operation}
        if _finite(g):
            where |= {"tensor": tensor.arguments[k].name, "argument": k + 1}
            found.append(_cause(part, **where, **_operands(part, g)))
        else:
            found.append(_cause(g, **where))

    grads = backward(observe)
    if not found and (name := _first(grads)):
        found.append(_cause(grads[name], tensor=name, layer=_layer(name)))
    return Death(step, Phase.BACKWARD, found[0]) if found else None


def in_accumulation(step: int, summed: Params) -> Death | None:
    """A sum of the gradients of micro-batches, which themselves were finite."""
    name = _first(summed)
    return Death(step, Phase.ACCUMULATION, _named(name, summed[name], operation="add")) if name else None


def in_unscaling(step: int, grads: Params) -> Death | None:
    """A gradient that the optimizer received, while that of the backward pass was finite."""
    name = _first(grads)
    return Death(step, Phase.UNSCALING, _named(name, grads[name])) if name else None


def in_optimizer(
    step: int, grads: Params, optimize: Callable[[Params], Params], constants: Mapping[str, float]
) -> Death | None:
    """A step that is not finite, with the exception that came first and the constants that vanished."""
    if not grads:  # the step was skipped
        return None
    with np.errstate(all="ignore"), record_flags(only=("invalid", "divide_by_zero", "overflow")) as raised:
        steps = optimize(grads)
    if not (name := _first(steps)):
        return None
    flag = next(iter(raised.names()), "")
    at = _first_element(steps[name])
    cause = _named(
        name,
        steps[name],
        operation=getattr(raised, flag).operation if flag else "",
        operands=(_number(grads[name], at),),
        flag=flag,
        raised=getattr(raised, flag).count if flag else 0,
        rounded_options=vanished(constants, steps[name]),
    )
    return Death(step, Phase.OPTIMIZER, cause)


def in_update(step: int, params: Params) -> Death:
    """What remains: the sum of a weight and its step."""
    name = _first(params)
    return Death(step, Phase.UPDATE, _named(name, params[name], operation="add"))


def vanished(constants: Mapping[str, float], like: FloatArray) -> tuple[RoundedOption, ...]:
    """The constants that are 0 or 1 in a format although they are not, or the other way round."""
    rounded = {name: float(round_to(value, like.fmt)) for name, value in constants.items()}
    return tuple(
        RoundedOption(name, value, rounded[name], like.fmt.name)
        for name, value in constants.items()
        if (rounded[name] == 0) != (value == 0) or (rounded[name] == 1) != (value == 1)
    )


# --- arrays that are not finite -------------------------------------------------------------------------------------


def _finite(x: FloatArray) -> bool:
    return bool(np.isfinite(x.values).all())


def _first(arrays: Params) -> str:
    """The name of the first array that is not finite; "" if all are."""
    return next((name for name, x in arrays.items() if not _finite(x)), "")


def _first_element(x: FloatArray) -> int:
    return int(np.flatnonzero(~np.isfinite(x.values).reshape(-1))[0])


def _number(x: FloatArray, at: int) -> float:
    return float(x.values.reshape(-1)[at])


def _layer(name: str) -> str:
    return name.partition(".")[0]


def _named(name: str, x: FloatArray, **known: Any) -> Cause:
    return _cause(x, tensor=name, layer=_layer(name), **known)


def _cause(x: FloatArray, **known: Any) -> Cause:
    """What an array that is not finite shows by itself, with what else is known."""
    return Cause(
        **known,
        fmt=x.fmt.name,
        largest=float(x.fmt.max_finite),
        infinities=int(np.isinf(x.values).sum()),
        nans=int(np.isnan(x.values).sum()),
        elements=x.values.size,
        element=_first_element(x),
    )


def _operands(y: FloatArray, *given: FloatArray) -> dict[str, tuple[float, ...]]:
    """The operands of the first element of y that is not finite, if they have its shape; else their magnitudes."""
    if all(x.shape == y.shape for x in given):
        return {"operands": tuple(_number(x, _first_element(y)) for x in given)}
    return {"largest_operands": tuple(float(np.abs(x.values).max()) for x in given if x.size)}
