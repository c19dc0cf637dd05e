"""The records that the files of a run pass to each other: where it stands, what a step gave, how it died.

All are frozen: a step takes a Progress and gives the next one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ..wording import count, joined
from .chance import Answers
from .model.layers import Params
from .model.optimizers import State
from .model.tensor import Tensor
from .scaled_products import Amaxes, SeenFactor
from .scaling import LossScale
from .shares import Share

# --- how a run died -------------------------------------------------------------------------------------------------


class Phase(StrEnum):
    """The parts of a training step, in the order in which they are computed."""

    FORWARD = "forward"
    """The layers, up to the logits."""
    LOSS = "loss"
    """From the logits to the loss."""
    SCALING = "scaling"
    """The loss scale becomes a number of the loss's format; the backward pass starts from it."""
    BACKWARD = "backward"
    ACCUMULATION = "accumulation"
    """The gradients of micro-batches are added up."""
    UNSCALING = "unscaling"
    """The gradients are converted to their own format and divided by the loss scale."""
    OPTIMIZER = "optimizer"
    """From the gradients to the steps."""
    UPDATE = "update"
    """The steps are added to the weights."""


@dataclass(frozen=True)
class RoundedOption:
    """An option of Config that became another kind of number in a format: 0, 1 or infinity.

    >>> print(RoundedOption("epsilon", 1e-8, 0.0, "binary16"))
    epsilon=1e-08 is 0 in binary16
    """

    name: str
    """Its name, such as "epsilon", or a quotient of two options, "lr / loss_scale"."""
    value: float
    rounded: float
    fmt: str

    def __str__(self) -> str:
        return f"{self.name}={self.value:g} is {self.rounded:g} in {self.fmt}"


@dataclass(frozen=True)
class Cause:
    """Why an array is not finite, as data; `Death.reason` says it in a sentence.

    Attributes
    ----------
    tensor : str
        Its name, such as "layer1.weight"; "" for a result in the graph, which has none.
    layer, operation, argument
        Which operation of the graph computed it, in which layer; in the backward pass the operation and the number of
        the argument whose vjp it is, or 0 for the sum of several. In the optimizer: the operation that raised `flag`.
    fmt, largest
        The name of its format, and the largest finite number of that format.
    infinities, nans, elements : int
        How many of its elements are infinite and NaN, and how many it has.
    element : int
        The first element that is not finite, counted in C order.
    operands, largest_operands : tuple of float
        What that element was computed from; the largest magnitude of each operand if the operands have other shapes.
    flag, raised
        The exception that the optimizer raised first, and how often.
    rounded_options : tuple of RoundedOption
        The options that the format turned into another kind of number.
    """

    tensor: str = ""
    layer: str = ""
    operation: str = ""
    argument: int = 0
    fmt: str = ""
    largest: float = 0.0
    infinities: int = 0
    nans: int = 0
    elements: int = 0
    element: int = 0
    operands: tuple[float, ...] = ()
    largest_operands: tuple[float, ...] = ()
    flag: str = ""
    raised: int = 0
    rounded_options: tuple[RoundedOption, ...] = ()

    @property
    def options(self) -> tuple[str, ...]:
        """The options of Config at fault, such as ("epsilon",) or ("lr", "loss_scale")."""
        return tuple(name for option in self.rounded_options for name in option.name.split(" / "))


ARRAYS = {
    Phase.FORWARD: "{}",
    Phase.LOSS: "{}",
    Phase.SCALING: "the gradient of the {}",
    Phase.BACKWARD: "the gradient of {}",
    Phase.ACCUMULATION: "the gradient of {}",
    Phase.UNSCALING: "the gradient of {}",
    Phase.OPTIMIZER: "the step of {}",
    Phase.UPDATE: "{}",
}
"""Which array of a tensor is not finite, by phase."""

SOURCES = {
    Phase.FORWARD: "{operation} in the forward pass gave",
    Phase.LOSS: "{operation} in the loss gave",
    Phase.ACCUMULATION: "adding up the micro-batches in {fmt} gave",
    Phase.UNSCALING: "conversion to {fmt} and unscaling gave",
    Phase.OPTIMIZER: "the optimizer gave",
    Phase.UPDATE: "adding the step gave",
}
"""What computed it, by phase."""


@dataclass(frozen=True)
class Death:
    """Where a run ended, and why.

    Attributes
    ----------
    step : int
        The first step after which a parameter was not finite, or the last of the skipped steps that ended the run.
    phase, cause
        What was first not finite in that step.
    skipped : int
        How many skipped steps ended the run, none of which a loss scale could have saved (see `scaling.PATIENCE`); 0 if
        a parameter is not finite.
    """

    step: int
    phase: Phase
    cause: Cause
    skipped: int = 0

    @property
    def layer(self) -> str:
        """The layer in which it happened; "" outside all layers."""
        return self.cause.layer

    @property
    def operation(self) -> str:
        """The operation; see `Cause`."""
        return self.cause.operation

    @property
    def tensor(self) -> str:
        """The first array that was not finite, in words."""
        cause = self.cause
        place = f"{cause.operation} in {cause.layer}" if cause.layer else cause.operation
        output = f"the output of {place}" if place else "a constant of the model"
        return ARRAYS[self.phase].format(
            cause.tensor or (f"argument {cause.argument} of {place}" if cause.argument else output)
        )

    @property
    def reason(self) -> str:
        """The cause in a sentence."""
        skipped = f"{count(self.skipped, 'step')} {'was' if self.skipped == 1 else 'were'} skipped"
        skips = f"; {skipped} that no loss scale could have saved" if self.skipped else ""
        return self._cause_in_words + skips

    @property
    def _cause_in_words(self) -> str:
        cause, options = self.cause, map(str, self.cause.rounded_options)
        if self.phase is Phase.SCALING:
            return f"{joined(options)}, which ends at {cause.largest:.6g}"
        if self.phase is not Phase.OPTIMIZER:
            return f"{self._source} {_counts(cause)}{_operands(cause)}"
        first = f"first at element {cause.element}, whose gradient is {cause.operands[0]:.5g}"
        raised = f"{cause.operation} in the optimizer's step raised {cause.flag} ({cause.raised} times in all)"
        return "; ".join([raised if cause.flag else f"{self._source} {_counts(cause)}", *options, first])

    @property
    def _source(self) -> str:
        cause = self.cause
        if self.phase is Phase.BACKWARD:
            return f"the vjp of {cause.operation} gave" if cause.argument else "the sum of its cotangents gave"
        given = self.phase is Phase.FORWARD and not cause.operation
        return "it contains" if given else SOURCES[self.phase].format(operation=cause.operation, fmt=cause.fmt)

    def __str__(self) -> str:
        return f"died at step {self.step}: {self.tensor} is not finite: {self.reason}"


def _counts(cause: Cause) -> str:
    kinds = (cause.infinities, "infinity", "infinities"), (cause.nans, "NaN", "NaN")
    found = joined(count(*kind) for kind in kinds if kind[0])
    return f"{found} in {count(cause.elements, 'element')} ({cause.fmt} ends at {cause.largest:.6g})"


def _operands(cause: Cause) -> str:
    if cause.operands:
        return f", first from {joined(f'{x:.5g}' for x in cause.operands)}"
    largest = [f"{x:.5g}" for x in cause.largest_operands]
    return f", from operands up to {joined(largest)}" if largest else ""


# --- where a run stands ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """All that the next step depends on, except the random numbers of stochastic rounding.

    Attributes
    ----------
    step : int
        The steps done.
    params, weights : Params
        What the model computes with; what steps are added to: the master weights, or the parameters themselves.
    state : State
        What the optimizer remembers.
    loss_scale : LossScale
    carry : Params
        What Kahan's update has still to add.
    average : Params
        The moving average of the weights, if there is one.
    hopeless : int
        The steps skipped since the weights last changed that no loss scale could have saved.
    death : Death or None
        Why there is no next step.
    amaxes : Amaxes
        What delayed scaling remembers of the factors of products.
    """

    step: int
    params: Params
    weights: Params
    state: State
    loss_scale: LossScale
    carry: Params = field(default_factory=dict)
    average: Params = field(default_factory=dict)
    hopeless: int = 0
    death: Death | None = None
    amaxes: Amaxes = field(default_factory=dict)


@dataclass(frozen=True)
class StepResult:
    """What one step computed.

    Attributes
    ----------
    before, after : Progress
    loss : Tensor
        With the graph of the forward pass; of micro-batches, that of the last one, or of the first one that failed.
    mean_loss : float
        The mean over all images of the batch.
    grads, steps : Params
        The gradients that the optimizer received, and its steps; both are empty if the step was skipped.
    images : int
        How many the batch has.
    absorbed : Share
        Of the nonzero elements of the steps, those that left their weight unchanged.
    overflows : int
        Results beyond the largest finite number.
    skipped : bool
        Whether the step was left out because a gradient was not finite.
    factors : tuple of SeenFactor
        The factors of products as they were rounded, if the step is examined.
    absorbed_gradients : Share
        Of the nonzero gradients of micro-batches after the first, those that left the sum so far unchanged.
    absorbed_average : Share
        Of the updates that the average of the weights needed, those that left it unchanged.
    """

    before: Progress
    after: Progress
    loss: Tensor
    mean_loss: float
    grads: Params
    steps: Params
    images: int
    absorbed: Share
    overflows: int
    skipped: bool
    factors: tuple[SeenFactor, ...] = ()
    absorbed_gradients: Share = field(default_factory=Share)
    absorbed_average: Share = field(default_factory=Share)


@dataclass(frozen=True)
class Tally:
    """The sums of an epoch so far."""

    loss: float = 0.0
    images: int = 0
    lost: Share = field(default_factory=Share)
    absorbed: Share = field(default_factory=Share)
    overflows: int = 0
    skipped: int = 0
    absorbed_gradients: Share = field(default_factory=Share)
    absorbed_average: Share = field(default_factory=Share)

    def add(self, step: StepResult, lost: Share) -> Tally:
        """The sums with one more step, and with the gradients that it lost, as far as they were counted."""
        return Tally(
            self.loss + step.mean_loss * step.images,
            self.images + step.images,
            self.lost + lost,
            self.absorbed + step.absorbed,
            self.overflows + step.overflows,
            self.skipped + step.skipped,
            self.absorbed_gradients + step.absorbed_gradients,
            self.absorbed_average + step.absorbed_average,
        )


@dataclass(frozen=True)
class Epoch:
    """What happened in one pass over the data.

    Attributes
    ----------
    number : int
        Counted from 1.
    steps : int
        How many steps it had, with the skipped ones; fewer than the others if the run died. All counts are over these.
    loss : float or None
        Mean training loss, unscaled; NaN or infinite if that of a step was. None if the run died.
    test_accuracy : float or None
        At its end. A network that died gets almost nothing right. None for targets that are not class numbers.
    lost_gradients : Share
        Of the nonzero gradients that pass through the graph, those that became 0, on the steps that were examined.
        Without a value if none was.
    absorbed_updates : Share
        Of the nonzero elements of the steps, those that left their parameter unchanged.
    overflows : int
        Results of operations beyond the largest finite number.
    skipped : int
        Steps left out because a gradient was not finite.
    validation_accuracy : float or None
        On the images kept for validation, if there are any.
    test_loss : float or None
        The mean loss of the test samples at its end, where there is no accuracy.
    absorbed_gradients, absorbed_average : Share
        See `StepResult`.
    average_accuracy, average_loss, average_bits : float or None
        The test accuracy, the test loss and the bits per character, with the moving average of the weights instead of
        the weights.
    bits_per_character : float or None
        Of a language model at its end: -log2 of the probability of each next character of the text to test on, on
        average; computed in binary64 from the logits.
    sample : str
        What the language model writes at its end.
    """

    number: int
    steps: int
    loss: float | None
    test_accuracy: float | None
    lost_gradients: Share
    absorbed_updates: Share
    overflows: int
    skipped: int = 0
    validation_accuracy: float | None = None
    test_loss: float | None = None
    absorbed_gradients: Share = field(default_factory=Share)
    absorbed_average: Share = field(default_factory=Share)
    average_accuracy: float | None = None
    average_loss: float | None = None
    average_bits: float | None = None
    bits_per_character: float | None = None
    sample: str = ""


@dataclass(frozen=True)
class LoopState:
    """Where the training loop stands.

    Attributes
    ----------
    progress : Progress
    epochs : tuple of Epoch
        The epochs that are done.
    batch : int
        The number of batches done in the current epoch.
    tally : Tally
        The sums of the current epoch.
    answers : Answers or None
        Which test images are answered wrongly at the end of the last epoch that is done.
    """

    progress: Progress
    epochs: tuple[Epoch, ...] = ()
    batch: int = 0
    tally: Tally = field(default_factory=Tally)
    answers: Answers | None = None
