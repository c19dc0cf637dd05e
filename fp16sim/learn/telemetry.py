"""What rounding took away: gradients lost to underflow, updates lost to absorption, and why a run died."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..flags import record_flags
from ..floatarray import FloatArray
from ..formats import BINARY64, Rounding
from ..rounding import round_to
from ..text import to_text
from .autograd import Tensor, backward_step
from .layers import Params
from .optimizers import Optimizer, State


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    count: int = 0
    total: int = 0

    def __add__(self, other: Share) -> Share:
        return Share(self.count + other.count, self.total + other.total)

    def __float__(self) -> float:
        return self.count / self.total if self.total else 0.0


@dataclass
class GradientLoss:
    """An observer of the backward pass that counts gradients lost to underflow.

    Each step is taken again in binary64 from the same rounded operands: an element is lost where it is 0 and that of
    binary64 is not. So what is counted is what this step lost, not what came in as 0 already.
    """

    share: Share = field(default_factory=Share)

    def __call__(self, tensor: Tensor, k: int, g: FloatArray, part: FloatArray) -> None:
        wide = backward_step(tensor, k, g, _widen).values
        lost = (part.values == 0) & (wide != 0)
        self.share += Share(int(np.count_nonzero(lost)), int(np.count_nonzero(wide)))


def _widen(x: FloatArray) -> FloatArray:
    return FloatArray(x.values.astype(np.float64), BINARY64, Rounding.TIES_TO_EVEN)


def apply_steps(params: Params, steps: Params) -> tuple[Params, Share]:
    """The next parameters, and how many of the nonzero steps changed nothing because they were absorbed."""
    new = {name: x + steps[name] for name, x in params.items()}
    absorbed = Share()
    for name, step in steps.items():
        moving = step.values != 0
        same = moving & (new[name].values == params[name].values)
        absorbed += Share(int(np.count_nonzero(same)), int(np.count_nonzero(moving)))
    return new, absorbed


@dataclass(frozen=True)
class Death:
    """Where a run ended: the first step after which something was not finite."""

    step: int
    tensor: str
    reason: str

    def __str__(self) -> str:
        return f"died at step {self.step}: {self.tensor} is not finite: {self.reason}"


def all_finite(arrays: Params) -> bool:
    """Whether every element of every array is finite."""
    return all(bool(np.isfinite(x.values).all()) for x in arrays.values())


def post_mortem(
    step: int,
    loss: Tensor,
    backward: Callable[[Callable[[Tensor, int, FloatArray, FloatArray], None]], Params],
    optimizer: Optimizer,
    state: State,
    params: Params,
    constants: dict[str, float],
) -> Death:
    """Find the first operation that turned finite numbers into something else, by taking the fatal step again."""
    return (
        _in_forward(step, loss)
        or _in_backward(step, backward)
        or _in_update(step, backward, optimizer, state, constants)
        or _in_sum(step, params)
    )


def _finite(x: FloatArray) -> bool:
    return bool(np.isfinite(x.values).all())


def _in_forward(step: int, loss: Tensor) -> Death | None:
    seen: set[int] = set()
    stack, culprit = [loss], None
    while stack:  # descend to where the arguments are finite and the result is not
        tensor = stack.pop()
        if id(tensor) in seen or _finite(tensor.value):
            continue
        seen.add(id(tensor))
        culprit = tensor
        stack.extend(tensor.arguments)
    if culprit is None:
        return None
    name = culprit.name or f"the output of {culprit.operation}"
    return Death(step, name, f"{culprit.operation or 'it'} of the forward pass {_verdict(culprit.value)}")


def _in_backward(step: int, backward: Callable[..., Params]) -> Death | None:
    found: list[Death] = []

    def observe(tensor: Tensor, k: int, g: FloatArray, part: FloatArray) -> None:
        if not found and not _finite(part) and _finite(g):
            target = tensor.arguments[k].name or f"argument {k + 1} of {tensor.operation}"
            found.append(Death(step, f"the gradient of {target}", f"the vjp of {tensor.operation} {_verdict(part)}"))

    grads = backward(observe)
    if not found and not all_finite(grads):
        name = next(name for name, g in grads.items() if not _finite(g))
        return Death(step, f"the gradient of {name}", _verdict(grads[name]))
    return found[0] if found else None


def _in_update(
    step: int, backward: Callable[..., Params], optimizer: Optimizer, state: State, constants: dict[str, float]
) -> Death | None:
    with np.errstate(all="ignore"), record_flags(only=("invalid", "divide_by_zero", "overflow")) as raised:
        grads = backward(None)
        steps, _ = optimizer.update(grads, state)
    for name, x in steps.items():
        if not _finite(x):
            first = next(flag for flag in raised.names())
            flag = getattr(raised, first)
            why = f"{flag.operation} in the optimizer's step raised {first} ({flag.count} times in all)"
            return Death(step, f"the step of {name}", "; ".join([why, *_vanished(constants, x)]))
    return None


def _in_sum(step: int, params: Params) -> Death:
    name = next((name for name, x in params.items() if not _finite(x)), "a parameter")
    return Death(step, name, "its last step led beyond the largest finite number")


def _verdict(x: FloatArray) -> str:
    values = x.values
    nan, infinite = int(np.isnan(values).sum()), int(np.isinf(values).sum())
    return f"gave {infinite} infinities and {nan} NaN in {values.size} elements ({x.fmt.name} ends at {_largest(x)})"


def _largest(x: FloatArray) -> str:
    return to_text(float(x.fmt.max_finite), x.fmt)


def _vanished(constants: dict[str, float], like: FloatArray) -> list[str]:
    """What the format made of the optimizer's constants, where that is a different kind of number."""
    remarks = []
    for name, value in constants.items():
        held = float(round_to(value, like.fmt))
        if (held == 0) != (value == 0) or (held == 1) != (value == 1):
            remarks.append(f"{name}={value:g} is {held:g} in {like.fmt.name}")
    return remarks
