"""The engine of a run: its fixed parts, and the step from one Progress to the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...arrays import FloatArray, array
from ...flags import record_flags
from ...formats import Rounding
from ..data import Dataset, batches, split_validation
from ..model.autograd import Observer, Tensor, gradients
from ..model.layers import Params
from ..model.losses import cross_entropy, l1_penalty, l2_penalty
from ..model.models import CNN, MLP, Chain
from ..model.optimizers import State
from ..observe.postmortem import post_mortem
from ..observe.telemetry import Death, Share, all_finite, count_absorbed
from ..precision import Precision, Products
from ..scaling import LossScale
from .config import Config

EVALUATE_AT_A_TIME = 500
"""Images whose activations are held at once when nothing is learned."""


@dataclass(frozen=True)
class Tally:
    """What an epoch has added up so far."""

    loss: float = 0.0
    images: int = 0
    lost: Share = field(default_factory=Share)
    absorbed: Share = field(default_factory=Share)
    overflows: int = 0
    skipped: int = 0


@dataclass(frozen=True)
class Progress:
    """Where a run stands: all that the next step depends on, but for the random numbers of stochastic rounding."""

    step: int
    params: Params
    weights: Params
    """What steps are added to: the master weights, or the parameters themselves."""
    state: State
    loss_scale: LossScale
    carry: Params = field(default_factory=dict)
    """What Kahan's update has still to add."""
    tally: Tally = field(default_factory=Tally)
    death: Death | None = None


@dataclass(frozen=True)
class Seen:
    """What a step computed, for those who look at it."""

    progress: Progress
    loss: Tensor
    grads: Params
    """The gradients as the optimizer got them; empty for a skipped step."""
    steps: Params
    after: Progress


def make_model(config: Config, data: Dataset) -> Chain:
    """The model of a run, for the images of its data."""
    if config.model == "cnn":
        if len(data.image_shape) != 2:
            raise ValueError(f"model='cnn' needs images, and {data.name} has shape {data.image_shape}; use 'mlp'")
        rows, columns = data.image_shape
        return CNN((rows, columns), data.classes)
    return MLP((data.train_images.shape[1], *config.layers, data.classes))


class Engine:
    """The fixed parts of a run."""

    def __init__(self, config: Config, data: Dataset) -> None:
        data = split_validation(data, config.validation, rng=config.rng) if config.validation else data
        self.config, self.data, self.policy = config, data, config.policy
        self.model = make_model(config, data)
        # Two independent streams: one for weights, as without stochastic rounding, one for rounding.
        self.rng = np.random.default_rng(config.rng).spawn(1)[0]
        self.optimizer = config.make_optimizer(self.rng)
        self.products = Products.of(self.policy, self.rng)
        self.batches = -(-len(data.train_labels) // config.batch)

    def order(self, epoch: int) -> list[Any]:
        """The batches of an epoch, counted from 1: a shuffle that depends on the seed and the epoch alone."""
        return list(batches(len(self.data.train_labels), self.config.batch, rng=self.config.rng, epoch=epoch))

    # --- a step -----------------------------------------------------------------------------------------------------

    def start(self, given: Params | None = None) -> Progress:
        """Before the first step; from weights that were trained before, if given."""
        drawn = self.model.draw(self.config.rng, self.config.init)
        if given is not None:
            _check_shapes({name: x.shape for name, x in given.items()}, {name: x.shape for name, x in drawn.items()})
        weights = {name: self.policy.weights.array((given or drawn)[name], self.rng) for name in drawn}
        state = self.optimizer.init(self._in(self.policy.state, weights))
        carry = self._zeros(weights) if self.config.update == "kahan" else {}
        return Progress(0, self._params(weights), weights, state, self.config.make_loss_scale(), carry)

    def step(self, progress: Progress, chosen: Any, observer: Observer | None = None) -> Seen:
        """One batch: what it computed, and the next progress."""
        with record_flags(only=("overflow",)) as raised:
            loss, backward = self.graph(progress, chosen)
            grads = self.received(backward(observer), progress.loss_scale)
            finite = not progress.loss_scale.skips or all_finite(grads)
            after, steps = self._moved(progress, grads) if finite else (progress, {})
        tally = progress.tally
        tally = replace(
            tally,
            loss=tally.loss + float(loss.value) * len(chosen),
            images=tally.images + len(chosen),
            absorbed=tally.absorbed + count_absorbed(progress.weights, after.weights, steps),
            overflows=tally.overflows + raised.overflow.count,
            skipped=tally.skipped + (not finite),
        )
        scale = progress.loss_scale.adjust(finite)
        after = replace(after, step=progress.step + 1, loss_scale=scale, tally=tally)
        if not all_finite(after.params):
            after = replace(after, death=post_mortem(self, progress, chosen, after.params))
        return Seen(progress, loss, grads if finite else {}, steps, after)

    def graph(self, progress: Progress, chosen: Any) -> tuple[Tensor, Callable[[Observer | None], Params]]:
        """The loss of a batch, and the backward pass as a function that can be run again."""
        tensors = {name: Tensor(x, name=name) for name, x in progress.params.items()}
        labels = self.data.train_labels[chosen]
        logits = self.logits(tensors, self.data.train_images[chosen]).cast(self.policy.loss, self.rng)
        loss = self._penalised(cross_entropy(logits, labels, accumulator=self._sums(self.policy.loss)), tensors)
        scale = progress.loss_scale.scale
        return loss, lambda observer: gradients(loss, tensors, scale=scale, observer=observer)

    def logits(self, tensors: Mapping[str, Tensor], images: Any) -> Tensor:
        """The model's output, in the output's precision."""
        compute, rng = self.policy.compute, self.rng
        x = Tensor(compute.array(images, rng), name="images", wanted=False)
        cast = {name: w.cast(compute, rng) for name, w in tensors.items()}
        return self.model(cast, x, self.products).cast(self.policy.output, rng)

    def _sums(self, precision: Precision) -> Any:
        """The accumulator, for sums of numbers of another precision, if it is wide enough for them."""
        accumulator = self.products.accumulator
        return accumulator if accumulator is not None and accumulator.accepts(precision.fmt) else None

    def _penalised(self, loss: Tensor, tensors: Mapping[str, Tensor]) -> Tensor:
        weights = [w.cast(self.policy.loss, self.rng) for name, w in tensors.items() if w.value.ndim > 1]
        sums = self._sums(self.policy.loss)
        for factor, penalty in ((self.config.l1, l1_penalty), (self.config.l2, l2_penalty)):
            loss = loss + penalty(weights, sums) * factor if factor else loss
        return loss

    def received(self, grads: Params, loss_scale: LossScale) -> Params:
        """Gradients as the optimizer gets them: in their own precision, unscaled if asked for.

        The quotient is rounded once: a scale that the gradients' format does not hold, or the inverse of one, is none.
        """
        grads = self._in(self.policy.gradient, grads)
        if self.config.unscale and loss_scale.scale != 1:
            grads = {name: unscaled(g, loss_scale.scale) for name, g in grads.items()}
        return grads

    def updated(self, progress: Progress, grads: Params) -> tuple[Params, State]:
        """The optimizer's steps, in the precision of its state, and its next state."""
        given = self._in(self.policy.state, grads)
        return self.optimizer.update(given, progress.state, self._in(self.policy.state, progress.weights))

    def _moved(self, progress: Progress, grads: Params) -> tuple[Progress, Params]:
        """The progress with the weights moved, and the steps as they were added."""
        steps, state = self.updated(progress, grads)
        steps = self._in(self.policy.weights, steps)
        weights, carry = UPDATES[self.config.update](progress.weights, steps, progress.carry, self.rng)
        return replace(progress, params=self._params(weights), weights=weights, state=state, carry=carry), steps

    def _params(self, weights: Params) -> Params:
        return self._in(self.policy.param, weights)

    def _in(self, precision: Precision, arrays: Params) -> Params:
        return {name: precision.array(x, self.rng) for name, x in arrays.items()}

    @staticmethod
    def _zeros(arrays: Params) -> Params:
        return {name: FloatArray(np.zeros_like(x.values), x.fmt, x.mode, x.rng) for name, x in arrays.items()}

    # --- how good it is ---------------------------------------------------------------------------------------------

    def predict(self, params: Params, images: Any) -> Any:
        """The logits of images, as plain numbers."""
        tensors = {name: Tensor(x, wanted=False) for name, x in params.items()}
        starts = range(0, len(images), EVALUATE_AT_A_TIME)
        return np.concatenate([self.logits(tensors, images[k : k + EVALUATE_AT_A_TIME]).value.values for k in starts])


def unscaled(g: FloatArray, scale: float) -> FloatArray:
    """g / scale, computed in binary64, which is exact for powers of two, and rounded to the format of g."""
    return array(g.values.astype(np.float64) / scale, g.fmt, g.mode, rng=g.rng)


def _check_shapes(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    for name in sorted(given.keys() | wanted.keys()):
        if given.get(name) != wanted.get(name):
            raise ValueError(
                f"start_from has {name} of shape {given.get(name)}, and this model needs {wanted.get(name)}; "
                "give weights of the same model"
            )


# --- how a step is added to a weight ----------------------------------------------------------------------------------


def _plain(weights: Params, steps: Params, carry: Params, rng: Any) -> tuple[Params, Params]:
    return {name: w + steps[name] for name, w in weights.items()}, carry


def _kahan(weights: Params, steps: Params, carry: Params, rng: Any) -> tuple[Params, Params]:
    """What rounding took from a sum is added to the next step (Kahan 1965; Zamirai et al. 2020)."""
    wanted = {name: step + carry[name] for name, step in steps.items()}
    moved = {name: w + wanted[name] for name, w in weights.items()}
    return moved, {name: wanted[name] - (moved[name] - w) for name, w in weights.items()}


def _stochastic(weights: Params, steps: Params, carry: Params, rng: Any) -> tuple[Params, Params]:
    """A step too small to be seen moves the weight by an ulp now and then, so that the mean is right."""

    def added(w: FloatArray, step: FloatArray) -> FloatArray:
        a, b = (FloatArray(x.values, x.fmt, Rounding.STOCHASTIC, rng) for x in (w, step))
        return FloatArray((a + b).values, w.fmt, w.mode, w.rng)

    return {name: added(w, steps[name]) for name, w in weights.items()}, carry


UPDATES = {"plain": _plain, "kahan": _kahan, "stochastic": _stochastic}
