"""One step of the training lab under the trace: every operation of its graph beside the same in binary64.

The lab's tensors remember how they were computed, so nothing has to be rewritten: each operation of the forward and of
the backward pass, and the optimizer, are repeated in binary64, once on the emulated operands and once on the shadows.
binary64 has 29 bits more than binary32 and 42 more than binary16; for a step of training that is wide enough.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

import numpy as np

from ..accumulators import Pairwise
from ..arrays import FloatArray, array
from ..conversion import Array
from ..formats import BINARY64, as_integer
from ..learn import Config
from ..learn.model.autograd import ROUNDING_SETTINGS, backward_step, consumers_first, gradients
from ..learn.model.tensor import Tensor
from ..learn.model.vjps import OPERATIONS
from ..learn.run.engine import Engine
from ..learn.run.recipes import make_config
from ..learn.run.train import load_data
from ..wording import aligned, count
from .sentences import percentage

Arrays: TypeAlias = dict[str, FloatArray]
Pairs: TypeAlias = list[tuple[Any, Any]]
"""Operands and their shadows."""


@dataclass(frozen=True)
class LayerOperation:
    """What an operation of a layer lost in one pass, by norms: errors as a part of the norm of the true result.

    Attributes
    ----------
    layer, operation : str
    backward : bool
        Whether it belongs to the backward pass: then it is the gradient of that operation.
    fmt : str
        The format of its result.
    made, inherited, error : float
        What it committed itself, what it had from its operands, and both.
    gained : float
        The bits that its result has lost beyond those that its operands had lost.
    zeros, infinite : int
        Elements that became 0 or not finite although the true ones are not; `elements` is how many there are.
    """

    layer: str
    operation: str
    backward: bool
    fmt: str
    made: float
    inherited: float
    error: float
    gained: float
    zeros: int
    infinite: int
    elements: int


@dataclass(frozen=True)
class TrainingStep:
    """A traced step: its operations in order, and the errors of the gradients of all parameters."""

    step: int
    loss: float
    shadow_loss: float
    operations: tuple[LayerOperation, ...]
    gradients: dict[str, float]

    @property
    def worst(self) -> tuple[LayerOperation, ...]:
        """The operations that lost most, the first to look at first."""
        return tuple(sorted(self.operations, key=lambda one: (one.gained, one.error), reverse=True))

    def __str__(self) -> str:
        rows = [_row(one) for one in self.worst[:12]]
        told = [f"{name} {percentage(error)}" for name, error in self.gradients.items()]
        return "\n".join(
            [
                f"step {self.step}: loss {self.loss:.6g}, should be {self.shadow_loss:.6g}; "
                f"{count(len(self.operations), 'operation')}, those that lost most first",
                aligned([HEADINGS, *rows], left=2),
                f"errors of the gradients: {', '.join(told)}",
            ]
        )


HEADINGS = ("layer", "operation", "gained bits", "made here", "inherited", "error", "became 0", "not finite")


def _row(one: LayerOperation) -> tuple[str, ...]:
    name = f"gradient of {one.operation}" if one.backward else one.operation
    lost = (one.zeros, one.infinite)
    return (one.layer or "-", name, f"{one.gained:.1f}", *map(percentage, (one.made, one.inherited, one.error)),
            *(f"{n:,} of {one.elements:,}" if n else "0" for n in lost))  # fmt: skip


def training_step(config: str | Config, step: int = 1, **options: Any) -> TrainingStep:
    """Trace one step of a training run, forward, backward and the optimizer, beside binary64.

    Parameters
    ----------
    config : str or Config
        A recipe or a configuration, as for `fp16sim.learn.train`; `options` replace those of a recipe.
    step : int
        Which step: those before it are taken first, as the run takes them.

    Returns
    -------
    TrainingStep
        Its operations with what each made and inherited, and the errors of all gradients. Printed, those first that
        lost most.

    Examples
    --------
    >>> found = training_step("pure-binary16", layers=(8,), batch=16)
    >>> found.operations[0].layer, found.operations[0].operation, sorted(found.gradients)[:2]
    ('layer1', 'matmul', ['layer1.bias', 'layer1.weight'])
    """
    step = as_integer("step", step, "steps are counted from 1")
    if step < 1:
        raise ValueError(f"step={step} is not a step; the first one is 1")
    with np.errstate(all="ignore"):  # the steps before it may warn, too
        return _traced(make_config(config, **options), step)


def _traced(config: Config, step: int) -> TrainingStep:
    engine = Engine(config, load_data(config))
    progress, chosen = _before(engine, step)
    loss, _ = engine.graph(progress, chosen)
    shadows = _Shadows()
    forward = [shadows.forward(x) for x in reversed(consumers_first(loss)) if x.operation]
    scale = progress.loss_scale.scale
    backward = list(shadows.backward(loss, scale))
    grads, true = shadows.gradients(loss, scale)
    return TrainingStep(
        step,
        float(loss.value),
        float(shadows.of[id(loss)].value),
        (*forward, *backward, *_optimizer(engine, progress, grads, true)),
        {name: _distance(grads[name].values, true[name].values) for name in grads},
    )


def _optimizer(engine: Engine, progress: Any, grads: Arrays, true: Arrays) -> Iterable[LayerOperation]:
    """The steps of the optimizer, and the updated weights, by parameter; skipped steps have none.

    In binary64 they are computed from the same state and weights: what earlier steps lost is not counted.
    """
    received = engine.received(grads, progress.loss_scale)
    if not progress.loss_scale.accepts(received):
        return
    unscaled = progress.loss_scale.unscale(true) if engine.config.unscale else true
    steps = engine.optimizer_steps(progress, received)[0]
    state, weights = _wide_state(progress.state), _wide_all(progress.weights)
    exact, shadow = (engine.optimizer.update(g, state, weights)[0] for g in (_wide_all(received), unscaled))
    added = {name: _as(y, progress.weights[name]) for name, y in steps.items()}
    moved, _ = engine.update.add(progress.weights, added, progress.carry, engine.rng)
    for name, y in steps.items():
        layer = name.rpartition(".")[0]
        label = f"optimizer, {name.rpartition('.')[2]}"
        pairs = [(received[name], unscaled[name])]
        yield _compared(layer, label, y, exact[name], shadow[name], pairs, backward=False)
        target, own = weights[name] + shadow[name], weights[name] + _wide(y)
        label = f"update, {name.rpartition('.')[2]}"
        yield _compared(layer, label, moved[name], own, target, [(y, shadow[name])], backward=False)


def _before(engine: Engine, step: int) -> tuple[Any, Array]:
    """The progress before a step, and the images of that step."""
    progress, taken = engine.start(), 0
    for epoch in range(1, step + 2):
        for chosen in engine.order(epoch):
            taken += 1
            if taken == step:
                return progress, chosen
            progress = engine.step(progress, chosen, epoch=epoch).after
    raise AssertionError  # an epoch has at least one batch


def _wide(x: FloatArray) -> FloatArray:
    return array(x.values, BINARY64)


def _wide_all(arrays: Mapping[str, FloatArray]) -> Arrays:
    return {name: _wide(x) for name, x in arrays.items()}


def _wide_state(state: Any) -> Any:
    """What an optimizer remembers, in binary64."""
    parts = {field.name: getattr(state, field.name) for field in fields(state)}
    return replace(state, **{name: _widened(x) for name, x in parts.items()})


def _widened(x: Any) -> Any:
    return _wide_all(x) if isinstance(x, dict) else _wide(x) if isinstance(x, FloatArray) else x


def _as(x: FloatArray, like: FloatArray) -> FloatArray:
    """A step in the precision of what it is added to."""
    return array(x.values, like.fmt, like.mode, rng=like.rng)


def _settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of an operation without those that concern rounding; sums are added by halves, which is fastest."""
    kept = {name: x for name, x in settings.items() if name not in ROUNDING_SETTINGS}
    return {**kept, "accumulator": Pairwise(BINARY64)} if "accumulator" in settings else kept


def _same(x: FloatArray, **settings: Any) -> FloatArray:
    return x


class _Shadows:
    """The graph of a loss in binary64, beside the emulated one."""

    def __init__(self) -> None:
        self.of: dict[int, Tensor] = {}
        self.leaves: dict[str, tuple[Tensor, Tensor]] = {}

    def _of(self, x: Tensor) -> Tensor:
        if id(x) not in self.of:
            self.of[id(x)] = replace(x, value=_wide(x.value), home=None)
            if x.name and x.wanted:
                self.leaves[x.name] = x, self.of[id(x)]
        return self.of[id(x)]

    def forward(self, x: Tensor) -> LayerOperation:
        """An operation of the forward pass; its shadow is kept."""
        arguments, settings = [self._of(one) for one in x.arguments], _settings(x.settings)
        run = OPERATIONS[x.operation].forward if x.operation != "cast" else _same
        exact = run(*(_wide(one.value) for one in x.arguments), **settings)
        shadow = run(*(one.value for one in arguments), **settings)
        self.of[id(x)] = replace(x, value=_wide(shadow), arguments=tuple(arguments), settings=settings, home=None)
        pairs = [(one.value, own.value) for one, own in zip(x.arguments, arguments, strict=True)]
        return _measured(x, x.value, exact, shadow, pairs, backward=False)

    def backward(self, loss: Tensor, scale: float) -> Iterable[LayerOperation]:
        """The operations of the backward pass, in its order."""
        ours: list[tuple[Tensor, int, FloatArray, FloatArray]] = []
        theirs: list[tuple[FloatArray, FloatArray]] = []
        gradients(loss, {}, scale=scale, observer=lambda x, k, g, part: ours.append((x, k, g, part)))
        gradients(self.of[id(loss)], {}, scale=scale, observer=lambda x, k, g, part: theirs.append((g, part)))
        for (x, k, g, part), (true_g, true_part) in zip(ours, theirs, strict=True):
            operands = [(one.value, self.of[id(one)].value) for one in (x, *x.arguments)]
            exact = backward_step(x, k, g, _wide)
            yield _measured(x, part, exact, true_part, [(g, true_g), *operands], backward=True)

    def gradients(self, loss: Tensor, scale: float) -> tuple[Arrays, Arrays]:
        """The gradients of the parameters, and in binary64."""
        emulated = gradients(loss, {name: one for name, (one, _) in self.leaves.items()}, scale=scale)
        true = gradients(self.of[id(loss)], {name: own for name, (_, own) in self.leaves.items()}, scale=scale)
        return emulated, true


def _measured(
    x: Tensor, y: FloatArray, exact: FloatArray, shadow: FloatArray, operands: Pairs, *, backward: bool
) -> LayerOperation:
    return _compared(x.layer, x.operation, y, exact, shadow, operands, backward=backward)


def _compared(
    layer: str, operation: str, y: FloatArray, exact: FloatArray, shadow: FloatArray, operands: Pairs, *, backward: bool
) -> LayerOperation:
    error = _distance(y.values, shadow.values)
    made, inherited = _distance(y.values, exact.values), _distance(exact.values, shadow.values)
    brought = max((_bits(_distance(a.values, b.values), y) for a, b in operands), default=0.0)
    finite = np.isfinite(shadow.values)
    return LayerOperation(
        layer, operation, backward, y.fmt.name, made, inherited, error, max(0.0, _bits(error, y) - brought),
        int(np.count_nonzero((y.values == 0) & (shadow.values != 0))),
        int(np.count_nonzero(~np.isfinite(y.values) & finite)), y.size,
    )  # fmt: skip


def _distance(values: Array, truth: Array) -> float:
    """The norm of the difference, by that of the true values."""
    a, b = np.asarray(values, np.float64), np.asarray(truth, np.float64)
    size, off = float(np.linalg.norm(b)), float(np.linalg.norm(a - b))
    if not math.isfinite(off):
        return math.inf
    return off / size if size else 0.0 if not off else math.inf


def _bits(error: float, y: FloatArray) -> float:
    """The bits that a result has lost: at most all, and four times as many if it is not finite."""
    p = y.fmt.precision
    if not math.isfinite(error):
        return 4.0 * p
    return min(float(p), max(0.0, math.log2(error) + p)) if error else 0.0
