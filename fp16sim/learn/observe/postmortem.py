"""Why a run died: the first operation that made of finite numbers something else, found by taking the step again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import FloatArray
from ...flags import record_flags
from ...rounding import round_to
from ...text import to_text
from ..model.autograd import Tensor
from ..model.layers import Params
from .telemetry import Death, all_finite

if TYPE_CHECKING:
    from ..run.engine import Engine, Progress


def post_mortem(engine: Engine, progress: Progress, chosen: Any, params: Params) -> Death:
    """The first cause of a step after which a parameter is not finite: step, layer, operation and operands."""
    step = progress.step + 1
    loss, backward = engine.graph(progress, chosen)
    return (
        _in_forward(step, loss)
        or _in_backward(step, loss, backward)
        or _in_update(step, engine, progress, engine.received(backward(None), progress.loss_scale))
        or _in_sum(step, params)
    )


def _finite(x: FloatArray) -> bool:
    return bool(np.isfinite(x.values).all())


def _in_forward(step: int, loss: Tensor) -> Death | None:
    culprit = _culprit(loss)
    if culprit is None:
        return None
    name = culprit.name or f"the output of {_place(culprit)}"
    operands = _operands(culprit.value, *(x.value for x in culprit.arguments))
    reason = f"{culprit.operation or 'it'} of the forward pass {_verdict(culprit.value)}{operands}"
    return Death(step, name, reason, culprit.layer, culprit.operation)


def _culprit(loss: Tensor) -> Tensor | None:
    """The first operation whose arguments are finite and whose result is not; None if the loss is finite."""
    if _finite(loss.value):
        return None
    tensor = loss
    while wrong := [x for x in tensor.arguments if not _finite(x.value)]:
        tensor = wrong[-1]
    return tensor


def _place(tensor: Tensor) -> str:
    return f"{tensor.operation} in {tensor.layer}" if tensor.layer else tensor.operation


def _in_backward(step: int, loss: Tensor, backward: Any) -> Death | None:
    found: list[Death] = []

    def observe(tensor: Tensor, k: int, g: FloatArray, part: FloatArray) -> None:
        if not found and not _finite(part):
            target = tensor.arguments[k].name or f"argument {k + 1} of {_place(tensor)}"
            met = "the loss scale, with which the walk starts," if tensor is loss else "the sum where cotangents meet"
            what = f"the vjp of {tensor.operation}" if _finite(g) else met
            reason = f"{what} {_verdict(part if _finite(g) else g)}{_operands(part, g) if _finite(g) else ''}"
            found.append(Death(step, f"the gradient of {target}", reason, tensor.layer, tensor.operation))

    grads = backward(observe)
    if not found and not all_finite(grads):
        name = next(name for name, g in grads.items() if not _finite(g))
        return Death(step, f"the gradient of {name}", _verdict(grads[name]))
    return found[0] if found else None


def _in_update(step: int, engine: Engine, progress: Progress, grads: Params) -> Death | None:
    if not all_finite(grads):
        name = next(name for name, g in grads.items() if not _finite(g))
        return Death(step, f"the gradient of {name}", f"unscaling it {_verdict(grads[name])}", _layer(name), "unscale")
    with np.errstate(all="ignore"), record_flags(only=("invalid", "divide_by_zero", "overflow")) as raised:
        steps, _ = engine.updated(progress, grads)
    constants = engine.config.optimizer_constants()
    for name, x in steps.items():
        if not _finite(x):
            first = next(iter(raised.names()), "")
            flag = getattr(raised, first) if first else None
            why = f"{flag.operation} in the optimizer's step raised {first} ({flag.count} times in all)" if flag else ""
            at = int(np.flatnonzero(~np.isfinite(x.values).reshape(-1))[0])
            operand = f"the first at element {at}, whose gradient is {_number(grads[name], at)}"
            reason = "; ".join(filter(None, [why, *vanished(constants, x), operand]))
            return Death(step, f"the step of {name}", reason, _layer(name), flag.operation if flag else "")
    return None


def _in_sum(step: int, params: Params) -> Death:
    name = next((name for name, x in params.items() if not _finite(x)), "a parameter")
    return Death(step, name, "its last step led beyond the largest finite number", _layer(name), "add")


def _layer(name: str) -> str:
    return name.partition(".")[0]


def _verdict(x: FloatArray) -> str:
    values = x.values
    nan, infinite = int(np.isnan(values).sum()), int(np.isinf(values).sum())
    end = f"{x.fmt.name} ends at {float(x.fmt.max_finite):.6g}"
    return f"gave {infinite} infinities and {nan} NaN in {values.size} elements ({end})"


def _number(x: FloatArray, at: int) -> str:
    return to_text(float(x.values.reshape(-1)[at]), x.fmt)


def _operands(y: FloatArray, *given: FloatArray) -> str:
    """The operands where y is first not finite, if they have its shape; else how large they are."""
    at = int(np.flatnonzero(~np.isfinite(y.values).reshape(-1))[0])
    if given and all(x.shape == y.shape for x in given):
        return f", first from {' and '.join(_number(x, at) for x in given)}"
    largest = [float(np.abs(x.values).max()) for x in given if x.size]
    return f", from operands up to {' and '.join(f'{x:.5g}' for x in largest)}" if largest else ""


def vanished(constants: dict[str, float], like: FloatArray) -> list[str]:
    """What the format made of the optimizer's constants, where that is a different kind of number."""
    remarks = []
    for name, value in constants.items():
        kept = float(round_to(value, like.fmt))
        if (kept == 0) != (value == 0) or (kept == 1) != (value == 1):
            remarks.append(f"{name}={value:g} is {kept:g} in {like.fmt.name}")
    return remarks
