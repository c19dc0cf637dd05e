"""The engine of a run: its fixed parts, and one training step, from a Progress to the next.

A step passes these files: `engine` puts the batch through the model and its `losses`, `autograd` walks back and takes
the vjps from `vjps`, the loss scale (`scaling`) unscales the gradients, `optimizers` makes steps of them, and `updates`
adds the steps to the weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...accumulators import Accumulator
from ...archives import MAX_BYTES
from ...conversion import Array
from ...flags import record_flags
from ...wording import quoted
from ..data import Augmentation, Dataset, Text, batches, split_validation
from ..data.text import Passages
from ..factors import Factors
from ..model.autograd import Observer, gradients, operations_behind
from ..model.averages import moved_average
from ..model.dropout import dropout_on
from ..model.in_force import ByName, put_in_force
from ..model.layers import Params
from ..model.losses import l1_penalty, l2_penalty
from ..model.models import CNN, MLP, Network
from ..model.optimizers import State
from ..model.tensor import Tensor
from ..model.transformer import GPT, GPTConfig
from ..model.updates import UPDATES
from ..observe.postmortem import BackwardPass, post_mortem
from ..observe.telemetry import count_absorbed
from ..precision import DEFAULT_PRODUCTS, PRECISIONS, Precision, Products
from ..rules import refuse_unmatched
from ..scaled_products import FactorsOfStep
from ..scaling import PATIENCE, LossScale, all_finite
from ..shares import Share
from ..state import Progress, StepResult
from .config import Config
from .micro_batches import Gathered, gathered

CHUNK = 500
"""Predictions are made for this many images at a time, so that their activations fit in memory."""


def make_model(config: Config, data: Dataset) -> Network:
    """The model of a run, for the images of its data."""
    return model_for(config, data.image_shape, data.classes)


def model_for(config: Config, image_shape: tuple[int, ...], classes: int) -> Network:
    """The model of a run, for images of a shape."""
    if isinstance(config.model, Network):
        return config.model
    if config.model == "gpt":
        return GPT(classes, config.gpt)
    if config.model == "cnn":
        if len(image_shape) != 2:
            raise ValueError(f"model='cnn' needs images, and {config.data} has shape {image_shape}; use 'mlp'")
        rows, columns = image_shape
        return CNN((rows, columns), classes)
    return MLP((math.prod(image_shape), *config.layers, classes))


BYTES_OF_A_NUMBER, BYTES_OF_AN_IMAGE = 60, 2_600_000
"""Memory that a run needs, as measured: for each parameter, and for each result of a hidden unit, one an image of a
batch; and for each image of a batch in the CNN."""


def check_run(config: Config, data: Dataset, max_bytes: int = MAX_BYTES) -> None:
    """Refuse what cannot be trained, before anything is drawn.

    That is a batch with more images than there are, a run that needs too much memory, and a format without NaN.
    """
    check_kind(config, data)
    images = len(data.train_labels)
    inputs = "samples" if isinstance(config.model, Network) else "images"
    if config.batch > images:
        raise ValueError(
            f"batch={quoted(config.batch)} is more than the {images:,} training {inputs}; use {images} or less"
        )
    check_memory(config, data.image_shape, data.classes, max_bytes)
    check_format(config)
    if (config.shift or config.rotate) and len(data.image_shape) != 2:
        options = " and ".join(
            f"{name}={getattr(config, name)}" for name in ("shift", "rotate") if getattr(config, name)
        )
        raise ValueError(f"{options} is for images, and the inputs of {data.name} are none; leave it out")


def check_kind(config: Config, data: Dataset) -> None:
    """Refuse text for a model of images, and the other way round; and windows of another length than the model's."""
    if isinstance(config.model, Network):
        return
    if config.model != "gpt":
        if isinstance(data, Passages):
            raise ValueError(
                f"data={quoted(data.name)} is text, and model={quoted(config.model)} is for images; use model='gpt' "
                "(--model gpt), or a model of your own"
            )
    elif not isinstance(data, Text):
        raise ValueError(
            f"model='gpt' needs a text, and data={quoted(data.name)} is none; use 'alice', 'text:FILE' (--text FILE), "
            "or fs.learn.text_data(...)"
        )
    elif data.context != config.gpt.context:
        raise ValueError(
            f"the windows of {quoted(data.name)} have {data.context} characters, and the model has "
            f"context={config.gpt.context}; give text_data(text, context={config.gpt.context}), or "
            f"gpt={{'context': {data.context}}}"
        )


def check_format(config: Config) -> None:
    """Refuse formats without sign; and to compute in one without NaN: no number then says that a run goes wrong."""
    for name, precision in _precisions(config).items():
        if not precision.fmt.signed:
            raise ValueError(
                f"{name}={precision.fmt} has no negative numbers, which training needs; use a signed format"
            )
    fmt = config.policy.compute.fmt
    if not fmt.has_nan and fmt.nan_code is None:
        raise ValueError(
            f"compute={fmt} has no NaN, which training needs; round the factors of products to it instead, as in "
            f"policy='compute=bfloat16 operand={fmt}' (--policy), or evaluate a trained model in it"
        )


def _precisions(config: Config) -> dict[str, Precision]:
    """The formats of all that a run stores or computes, by the names of options, parts of its policy, and rules."""
    given: dict[str, Any] = {name: getattr(config.policy, name) for name in PRECISIONS}
    given |= {f"rules[{rule.key!r}]": rule.value for rule in config.policy.rules}
    given |= {name: Precision.of(fmt) for name in ("accumulate_in", "ema_in") if (fmt := getattr(config, name))}
    return {name: value for name, value in given.items() if isinstance(value, Precision)}


def check_memory(config: Config, image_shape: tuple[int, ...], classes: int, max_bytes: int = MAX_BYTES) -> None:
    """Refuse a run that needs too much memory, before anything is drawn."""
    parameters = sum(map(math.prod, model_for(config, image_shape, classes).shapes().values()))
    if isinstance(config.model, Network):
        return  # `own.check_model` measures it
    needed = BYTES_OF_A_NUMBER * parameters + config.batch * _bytes_of_a_sample(config, classes)
    if needed > max_bytes:
        sizes = {"mlp": f"layers={quoted(config.layers)} with ", "gpt": f"a language model of {config.gpt} with "}
        raise ValueError(
            f"{sizes.get(str(config.model), '')}batch={quoted(config.batch)} needs about {_gib(needed)} GiB of memory, "
            f"more than the limit of {_gib(max_bytes)} GiB; use less, or give a larger limit (max_bytes, --max-bytes)"
        )


def _bytes_of_a_sample(config: Config, classes: int) -> int:
    if config.model == "cnn":
        return BYTES_OF_AN_IMAGE
    return (
        BYTES_OF_A_NUMBER * sum(config.layers)
        if config.model == "mlp"
        else BYTES_OF_A_RESULT * results(config.gpt, classes)
    )


def _gib(size: int) -> str:
    return f"{size >> 30:,}" if size >> 34 else f"{size / 2**30:.3g}"


BYTES_OF_A_RESULT = 8
"""Memory that the language model's step needs for each number that its forward pass computes, as measured."""


def results(gpt: GPTConfig, vocabulary: int) -> int:
    """How many numbers a language model computes for a window, forward: about, and rather too many.

    In a block, for each character: the norms, the queries, keys and values in several shapes, the sums; the hidden
    units; and for each head a few numbers for each character of the context.
    """
    hidden = (gpt.hidden or 4 * gpt.width) * (5 if gpt.activation == "swiglu" else 2)
    block = 24 * gpt.width + hidden + 6 * gpt.heads * gpt.context
    return gpt.context * (gpt.blocks * block + 6 * gpt.width + 3 * vocabulary)


def keep_freed_memory() -> None:
    """Let the next step reuse the memory that a step frees, instead of new memory from the system.

    The system hands out memory page by page, and clears each page: 3,000 of them took a fifth of the CNN's step. glibc
    gives freed memory back to it above a limit that follows the largest array that was ever freed, up to 32 MiB (see
    "dynamic mmap threshold" in mallopt(3)). So an array of nearly that size is made and freed here; nothing is written
    to it, so it takes no memory. Other systems are not affected.
    """
    np.empty((32 << 20) - (1 << 16), np.uint8)


class Engine:
    """The fixed parts of a run: configuration, data, model, optimizer, and the random numbers of rounding."""

    def __init__(self, config: Config, data: Dataset) -> None:
        keep_freed_memory()
        data = split_validation(data, config.validation, rng=config.rng) if config.validation else data
        self.config, self.data, self.policy = config, data, config.policy
        self.model = make_model(config, data)
        # Rounding has a stream of random numbers of its own, so that the drawn weights do not depend on it.
        self.rng = np.random.default_rng(config.rng).spawn(1)[0]
        self.update = UPDATES[config.update]
        self.products = Products.of(self.policy, self.rng)
        self.by_name = ByName(self.policy, self.products, self.rng) if self.policy.rules else None
        self._has_unchecked_rules = self.by_name is not None
        self._wide: tuple[str, ...] = ()
        self.batches = -(-len(data.train_labels) // config.batch)
        self.optimizer = config.make_optimizer(self.rng, self.batches * config.epochs)
        self.augmentation = Augmentation(config.shift, config.rotate)
        self.background = float(data.train_images.min()) if self.augmentation else 0.0
        self.inputs = "inputs" if isinstance(config.model, Network) else "images"

    def order(self, epoch: int) -> list[Array]:
        """The batches of an epoch, counted from 1: a shuffle that depends on the seed and the epoch alone."""
        return list(batches(len(self.data.train_labels), self.config.batch, rng=self.config.rng, epoch=epoch))

    # --- a step -----------------------------------------------------------------------------------------------------

    def start(self, given: Params | None = None) -> Progress:
        """The progress before the first step: with weights that are drawn, or with given ones for fine-tuning."""
        drawn = self.model.draw(self.config.rng, self.config.init)
        if given is not None:
            _check_shapes({name: x.shape for name, x in given.items()}, {name: x.shape for name, x in drawn.items()})
        weights = self._as_weights({name: (given or drawn)[name] for name in drawn})
        state = self.optimizer.init(self._cast(self.policy.state, weights))
        carry = self.update.init(weights)
        params = self._as_params(weights)
        average = self._as_averages(weights) if self.config.ema else {}
        return Progress(0, params, weights, state, self.config.make_loss_scale(), carry, average)

    def step(
        self, progress: Progress, chosen: Array, observer: Observer | None = None, *, epoch: int = 1
    ) -> StepResult:
        """Take one step with the chosen images, in the epoch with this number."""
        scale, factors = progress.loss_scale, self.factors_of_step(progress, observer is not None)
        with record_flags(only=("overflow",)) as raised:
            seen = self._gathered(progress, chosen, observer, epoch, factors)
            grads = self.received(seen.scaled, scale)
            taken = scale.accepts(grads)
            after, steps = self._moved(progress, grads) if taken else (progress, {})
            after, absorbed_average = self._averaged(after) if taken else (after, Share())
            after = replace(after, amaxes=factors.next_amaxes()) if factors else after
        hopeless = 0 if taken else progress.hopeless + (not scale.may_recover(seen.loss.value, seen.scaled))
        result = StepResult(
            before=progress,
            after=replace(after, step=progress.step + 1, loss_scale=scale.adjust(taken), hopeless=hopeless),
            loss=seen.loss,
            mean_loss=seen.mean_loss,
            grads=grads if taken else {},
            steps=steps,
            images=len(chosen),
            absorbed=count_absorbed(progress.weights, after.weights, steps),
            overflows=raised.overflow.count,
            skipped=not taken,
            factors=tuple(factors.seen) if factors else (),
            absorbed_gradients=seen.absorbed,
            absorbed_average=absorbed_average,
        )
        alive = all_finite(after.params) and hopeless < PATIENCE
        return result if alive else self._dead(result, seen, grads)

    def _dead(self, result: StepResult, seen: Gathered, grads: Params) -> StepResult:
        """The same result, with the cause of death."""

        def optimize(grads: Params) -> Params:
            return self.optimizer_steps(result.before, grads)[0]

        summed = seen.scaled if seen.parts > 1 else {}
        constants = self.config.optimizer_constants()
        death = post_mortem(replace(result, grads=grads), seen.backward, optimize, constants, summed)
        death = replace(death, skipped=result.after.hopeless)
        return replace(result, after=replace(result.after, death=death))

    def factors_of_step(self, progress: Progress | None = None, examined: bool = False) -> FactorsOfStep | None:
        """The factors of the next step, or of predictions; None if no product rounds its factors."""
        if self.config.factors is None:
            return None
        before = None if progress is None else progress.amaxes
        return FactorsOfStep(self.config.factors, before, rng=self.rng, examined=examined)

    def _gathered(
        self,
        progress: Progress,
        chosen: Array,
        observer: Observer | None,
        epoch: int,
        factors: FactorsOfStep | None,
    ) -> Gathered:
        """The loss and the gradients of a batch, in as many parts as the run says."""
        if self.config.accumulate == 1:
            loss, backward = self.graph(progress, chosen, factors, epoch=epoch)
            scaled = self._cast(self.policy.gradient, backward(observer))
            return Gathered(loss, backward, float(loss.value), scaled)
        return gathered(
            chosen,
            self.config.accumulate,
            self.config.accumulation,
            lambda own, divisor: self.graph(progress, own, factors, epoch=epoch, divisor=divisor),
            lambda backward: backward(observer),
            self.rng,
        )

    def graph(
        self,
        progress: Progress,
        chosen: Array,
        factors: FactorsOfStep | None = None,
        *,
        epoch: int = 1,
        divisor: float = 1.0,
    ) -> tuple[Tensor, BackwardPass]:
        """The loss of the chosen images, and the backward pass as a function that can be called again.

        The backward pass is that of the loss divided by `divisor`.
        """
        tensors = {name: Tensor(x, name=name) for name, x in progress.params.items()}
        with dropout_on(self.config.rng, progress.step, int(chosen[0])):
            output = self.logits(tensors, self._images(chosen, epoch), factors or self.factors_of_step(progress))
        self._check_rules(output)
        loss = self._penalised(self.loss(output, self.data.train_labels[chosen]), tensors)
        scale, part = progress.loss_scale.scale, loss if divisor == 1 else loss / divisor
        return loss, lambda observer: gradients(part, tensors, scale=scale, observer=observer)

    def _images(self, chosen: Array, epoch: int) -> Array:
        """The chosen training images, as they are in an epoch."""
        images, data = self.data.train_images, self.data
        if not self.augmentation:
            return images[chosen]
        how = {"rng": self.config.rng, "epoch": epoch, "background": self.background}
        return self.augmentation.apply(images, data.image_shape, chosen, **how)  # type: ignore[arg-type]

    def _check_rules(self, output: Tensor) -> None:
        """Refuse rules for names that the model has not; once, because each batch has the same."""
        if self._has_unchecked_rules:
            refuse_unmatched(self.policy.rules, operations_behind(output), self.model.shapes())
            self._has_unchecked_rules = False

    def logits(self, tensors: Mapping[str, Tensor], images: Array, factors: FactorsOfStep | None = None) -> Tensor:
        """The model's output, in the output's precision."""
        compute, rng = self.policy.compute, self.rng
        indices = self.model.takes_indices and images.dtype.kind in "iu"
        x: Any = images if indices else Tensor(compute.array(images, rng), name=self.inputs, wanted=False)
        cast = {name: w.cast(self.policy.compute_of(name), rng) for name, w in tensors.items()}
        factors = factors or self.factors_of_step()
        if factors and factors.factors.wide_last:
            self._wide = factors.wide = self._wide or self._last_products(cast, x, factors.factors)
        return self._output(cast, x, factors).cast(self.policy.output, rng)

    def _output(self, weights: Mapping[str, Tensor], x: Any, factors: FactorsOfStep | None) -> Tensor:
        """The model's output, with all that the policy and the factors say."""
        factors = factors and factors.begin(weights)
        how = {"by_name": self.by_name, "scalars": self.config.scalars, "rng": self.rng, "factors": factors}
        with put_in_force(products=DEFAULT_PRODUCTS, **how):
            return self.model(weights, x, self.products)

    def _last_products(self, weights: Mapping[str, Tensor], x: Any, factors: Factors) -> tuple[str, ...]:
        """The last products of the model, by name, in the order of a forward pass of one sample."""
        before, count = self.rng.bit_generator.state, factors.wide_last
        trial = FactorsOfStep(replace(factors, wide_last=0))
        with dropout_on(0):  # with masks of its own, so that those of the step stay what they are
            self._output(weights, x[:1], trial)
        self.rng.bit_generator.state = before
        if len(trial.order) <= count:
            raise ValueError(
                f"wide_last={count} of the factors leaves no product of the model to round, which has "
                f"{len(trial.order)}; use less"
            )
        return tuple(trial.order)[-count:]

    def loss(self, output: Tensor, targets: Array) -> Tensor:
        """The loss of outputs, in its own precision and without penalties."""
        precision = self.policy.loss
        with put_in_force(scalars=self.config.scalars):
            return self.config.loss(output.cast(precision, self.rng), targets, self._sums(precision))

    def _sums(self, precision: Precision) -> Accumulator | None:
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
        """The gradients as the optimizer receives them: in their own precision, and unscaled if the run says so."""
        grads = self._cast(self.policy.gradient, grads)
        return loss_scale.unscale(grads) if self.config.unscale else grads

    def optimizer_steps(self, progress: Progress, grads: Params) -> tuple[Params, State]:
        """The optimizer's steps, in the precision of its state, and its next state."""
        given = self._cast(self.policy.state, grads)
        return self.optimizer.update(given, progress.state, self._cast(self.policy.state, progress.weights))

    def _moved(self, progress: Progress, grads: Params) -> tuple[Progress, Params]:
        """The progress with the weights moved, and the steps as they were added."""
        steps, state = self.optimizer_steps(progress, grads)
        steps = self._as_weights(steps)
        weights, carry = self.update.add(progress.weights, steps, progress.carry, self.rng)
        params = self._as_params(weights)
        return replace(progress, params=params, weights=weights, state=state, carry=carry), steps

    def _averaged(self, progress: Progress) -> tuple[Progress, Share]:
        """The progress with the moving average of the weights moved, and the share of it that was absorbed."""
        if not self.config.ema:
            return progress, Share()
        weights = self._as_averages(progress.weights)
        average, absorbed = moved_average(progress.average, weights, self.config.ema, self.config.constants)
        return replace(progress, average=average), absorbed

    def _as_averages(self, arrays: Params) -> Params:
        return {name: self.config.average_of(name).array(x, self.rng) for name, x in arrays.items()}

    def average_params(self, progress: Progress) -> Params:
        """The average of the weights, as the model computes with it; empty if there is none."""
        return self._as_params(progress.average)

    def _as_weights(self, arrays: Mapping[str, Any]) -> Params:
        return {name: self.policy.weights_of(name).array(x, self.rng) for name, x in arrays.items()}

    def _as_params(self, arrays: Params) -> Params:
        return {name: self.policy.param_of(name).array(x, self.rng) for name, x in arrays.items()}

    def _cast(self, precision: Precision, arrays: Params) -> Params:
        return {name: precision.array(x, self.rng) for name, x in arrays.items()}

    # --- how good it is ---------------------------------------------------------------------------------------------

    def predict(self, params: Params, images: Array) -> Array:
        """The logits of images, as an array of plain numbers."""
        tensors = {name: Tensor(x, wanted=False) for name, x in params.items()}
        return np.concatenate([self.logits(tensors, chunk).value.values for chunk in self._chunks(images)])

    def mean_loss(self, params: Params, images: Array, targets: Array) -> float:
        """The mean loss of samples, added up in binary64 over chunks of them."""
        tensors, total = {name: Tensor(x, wanted=False) for name, x in params.items()}, 0.0
        for chunk, own in zip(self._chunks(images), self._chunks(targets), strict=True):
            total += float(self.loss(self.logits(tensors, chunk), own).value) * len(own)
        return total / len(images)

    def _chunks(self, rows: Array) -> list[Array]:
        size = self.config.batch if isinstance(self.data, Text) else CHUNK
        return [rows[k : k + size] for k in range(0, len(rows), size)]


def _check_shapes(given: dict[str, tuple[int, ...]], wanted: dict[str, tuple[int, ...]]) -> None:
    for name in sorted(given.keys() | wanted.keys()):
        if given.get(name) != wanted.get(name):
            theirs, ours = (shapes.get(name, "no such parameter") for shapes in (given, wanted))
            raise ValueError(
                f"start_from has {name} of shape {theirs}, and this model needs {ours}; give weights of the same model"
                if name in given
                else f"start_from has no {name}, which this model needs in shape {ours}; give weights of the same model"
            )
