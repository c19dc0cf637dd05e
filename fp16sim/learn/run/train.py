"""The training loop: batches, epochs, checkpoints, and the history of a finished run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from html import escape
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np
import numpy.typing as npt

from ...archives import MAX_BYTES
from ...arrays import FloatArray
from ...conversion import Array
from ...wording import count, decimal, percent, quoted
from ..chance import Answers, Ranking
from ..data import Dataset, Samples, Text, load, normalise
from ..data.text import PREFIX, is_text, load_text
from ..model.layers import Params
from ..model.models import Network
from ..observe.metrics import bits_per_character, is_right
from ..observe.telemetry import Microscope, Telemetry, usual_interval
from ..records import refuse_unknown
from ..shares import Share
from ..state import Death, Epoch, LoopState, Progress, Tally
from .checkpoint import Checkpointer, Snapshot, load_model
from .config import Config
from .engine import Engine, check_run
from .generate import write
from .recipes import OPTIONS, bound, get_config, with_vocabulary
from .settings import compare_settings, settings_of, without_effect
from .trial import check_model

SHARES = ("lost_gradients", "absorbed_updates", "absorbed_gradients", "absorbed_average")
"""The fields of an Epoch that are shares."""

_CELL = "<td style='text-align:left;vertical-align:top;padding:.15em 1.2em .15em 0'>{}</td>"
_NAME = _CELL.replace("text-align", "white-space:nowrap;opacity:.75;text-align")


@dataclass(frozen=True, repr=False)
class History:
    """A finished run: its configuration, its epochs, its parameters and, if it died, how.

    The microscope examined the first of its `steps` and every `look_every`-th after it; none if that is 0. `answers`
    says which test images it got wrong at its end. `average` is the moving average of the weights, if there is one, as
    the model computes with it.
    """

    config: Config
    epochs: tuple[Epoch, ...]
    params: Params
    death: Death | None = None
    telemetry: Telemetry = field(default_factory=Telemetry)
    steps: int = 0
    look_every: int = 0
    answers: Answers | None = None
    average: Params = field(default_factory=dict)

    def __str__(self) -> str:
        """The run in a few lines: what was reached, what was lost, the settings, and how it died."""
        facts = self._facts()
        reached, loss, *counts = facts.items()
        lines = [self._title(), f"{' '.join(reached)}, {' '.join(loss)}"]
        lines += ["; ".join(f"{name}: {value}" for name, value in counts[k : k + 2]) for k in (0, 2)]
        lines += [f"{name}: {value}" for name, value in self.more_facts().items()]
        lines += [f"settings: {facts['settings']}", *self._ineffective()]
        return "\n".join([*lines, str(self.death)] if self.death else lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """A card for notebooks: the title over a table of the facts."""
        facts = self._facts() | self.more_facts()
        if ineffective := self._ineffective():
            facts["without effect"] = "; ".join(ineffective)
        if self.death:
            facts["died"] = str(self.death).removeprefix("died ")
        rows = "".join(f"<tr>{_NAME.format(escape(k))}{_CELL.format(escape(v))}</tr>" for k, v in facts.items())
        return f"<div><strong>{escape(self._title())}</strong><table style='margin:.4em 0'>{rows}</table></div>"

    def _ineffective(self) -> list[str]:
        """The settings that were given and change nothing, each with the reason."""
        return [f"{name} has no effect: {why}" for name, why in without_effect(self.config).items()]

    def _title(self) -> str:
        length = f"{count(len(self.epochs), 'epoch')}, {count(self.steps, 'step')}"
        return f"{self.config.label}: {length} on {self.config.data.removeprefix(PREFIX)}"

    def _facts(self) -> dict[str, str]:
        """What a table shows of the run; the accuracy of a run that died is not shown, as in the report."""
        end = self.epochs[-1]
        interval = f" ({' to '.join(percent(x) for x in self.answers.interval)})" if self.answers else ""
        reached = {"test accuracy": "-" if self.death else f"{percent(end.test_accuracy)}{interval}"}
        if self.writes:
            reached = {"bits per character": "-" if self.death else decimal(end.bits_per_character)}
        return {
            **reached,
            "loss": decimal(end.loss) + ("" if end.test_loss is None else f" (test {decimal(end.test_loss)})"),
            "gradients that became 0": percent(self._sum("lost_gradients").value),
            "updates without effect": percent(self._sum("absorbed_updates").value),
            "overflows": f"{sum(e.overflows for e in self.epochs):,}",
            "skipped steps": f"{sum(e.skipped for e in self.epochs):,}",
            "settings": str(compare_settings([self.config])),
        }

    @property
    def writes(self) -> bool:
        """Whether it is a language model, whose measure is not accuracy but bits per character."""
        return self.config.model == "gpt" or any(epoch.bits_per_character is not None for epoch in self.epochs)

    def more_facts(self) -> dict[str, str]:
        """What only runs with gradient accumulation, or with a moving average, have."""
        facts, end = {}, self.epochs[-1]
        if self.config.accumulate > 1:
            facts["added gradients without effect"] = percent(self._sum("absorbed_gradients").value)
        if self.config.ema:
            found = {
                "test accuracy": None if end.average_accuracy is None else percent(end.average_accuracy),
                "bits per character": None if end.average_bits is None else f"{end.average_bits:.3f}",
                "test loss": decimal(end.average_loss),
            }
            what, value = next(((name, text) for name, text in found.items() if text is not None), ("test loss", "-"))
            still = percent(self._sum("absorbed_average").value)
            facts["average of the weights"] = f"{what} {'-' if self.death else value}; updates without effect: {still}"
        return facts

    def _sum(self, name: str) -> Share:
        return sum((getattr(epoch, name) for epoch in self.epochs), Share())

    def totals(self) -> dict[str, Any]:
        """The row of a table, as plain numbers: accuracy and loss at the end, and what the whole run lost.

        What was not measured is None, such as "lost_gradients" of a run without examined steps.
        """
        return {
            "recipe": self.config.label,
            "policy": str(self.config.policy),
            "test_accuracy": self.epochs[-1].test_accuracy,
            "interval": self.answers and tuple(self.answers.interval),
            "bits_per_character": self.epochs[-1].bits_per_character,
            "loss": self.epochs[-1].loss,
            "lost_gradients": self._sum("lost_gradients").value,
            "absorbed_updates": self._sum("absorbed_updates").value,
            "absorbed_gradients": self._sum("absorbed_gradients").value,
            "absorbed_average": self._sum("absorbed_average").value,
            "average_accuracy": self.epochs[-1].average_accuracy,
            "average_loss": self.epochs[-1].average_loss,
            "average_bits": self.epochs[-1].average_bits,
            "overflows": sum(e.overflows for e in self.epochs),
            "skipped": sum(e.skipped for e in self.epochs),
            "steps": self.steps,
            "died": None if self.death is None else str(self.death),
        }

    def to_dict(self) -> dict[str, Any]:
        """Everything but the parameters, as plain data for JSON. None is what was not measured; see `json_safe`."""
        epochs = [{**asdict(e), **{name: getattr(e, name).value for name in SHARES}} for e in self.epochs]
        return json_safe(
            {
                "config": self.config.to_dict(),
                "settings": settings_of(self.config),
                "epochs": epochs,
                "result": self.totals(),
                "death": None if self.death is None else asdict(self.death),
                "answers": self.answers and asdict(self.answers),
                "look_every": self.look_every,
                "telemetry": self.telemetry.to_dict(),
            }
        )


def ranking(histories: Sequence[History]) -> Ranking | None:
    """Which runs are better than others by more than chance, among those that did not die.

    None if they are fewer than two, or were not tested on the same images.
    """
    labels = [h.config.label for h in histories]
    names = [name if labels.count(name) == 1 else f"{name} (run {k})" for k, name in enumerate(labels, 1)]
    tested = {name: h.answers for name, h in zip(names, histories, strict=True) if h.answers and not h.death}
    images = {(h.config.data, h.answers.images) for h in histories if h.answers and not h.death}
    return Ranking.of(tested) if len(tested) > 1 and len(images) == 1 else None


def json_safe(x: Any) -> Any:
    """Plain data without what JSON lacks: NaN and infinities become texts that `float` reads, and tuples become lists.

    >>> json_safe({"loss": np.nan, "operands": (1.0, -np.inf), "validation_accuracy": None})
    {'loss': 'NaN', 'operands': [1.0, '-Infinity'], 'validation_accuracy': None}
    """
    if isinstance(x, dict):
        return {key: json_safe(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        return [json_safe(value) for value in x]
    return json.dumps(x) if isinstance(x, float) and not np.isfinite(x) else x


def train(
    config: Config | str,
    data: Dataset | str | tuple[npt.ArrayLike, ...] | None = None,
    on_step: Callable[[int, int], None] | None = None,
    *,
    look_every: int | None = None,
    checkpoint_path: str | Path | None = None,
    checkpoint_seconds: float = 20.0,
    resume: bool = False,
    start_from: str | Path | Params | None = None,
    max_bytes: int = MAX_BYTES,
    **options: Any,
) -> History:
    """Train a network with every product, sum, gradient and optimizer step rounded as the policy says.

    Parameters
    ----------
    config : Config or str
        A configuration, or the name of a recipe, such as "mixed-binary16".
    data : Dataset, Samples, str or tuple of arrays, optional
        The data or their name; by default those that the configuration names. For a model of your own also arrays,
        (inputs, targets) or (inputs, targets, test inputs, test targets); see `Samples`. For the model "gpt" a text:
        "alice", "text:FILE", or what `text_data` makes of a str.
    on_step : callable, optional
        Called after each step with the number of steps done and the number in all.
    look_every : int, optional
        The microscope examines the first step, and every `look_every`-th after it; 0 for none. By default it is every
        50th, or more often, so that each epoch has at least three examined steps if it has three steps.
    checkpoint_path : path, optional
        The file for checkpoints, written every `checkpoint_seconds`, at the ends of epochs (the first, and then at most
        one a second), and at the end or an interruption. That never damages it. It can be read as a model, too.
    resume : bool
        Go on from the checkpoint if there is one. The result has the same bits as that of an uninterrupted run.
    start_from : path or Params, optional
        Weights to start from, for fine-tuning: those of a saved model, of the same shapes, in any format.
    max_bytes : int
        A run that needs more memory is refused, and so is a file, whether it is to be resumed or to start from.
    **options
        Fields of Config that replace the recipe's. Among them `model` and `loss`, which may be your own: a list of
        layers or a `FunctionModel`, and a function of the output and the targets.

    Returns
    -------
    History
        It ends early, with `death` set, at the first step after which a parameter is not finite, or when it only skips
        steps that no loss scale could have saved (see `scaling.PATIENCE`).

    Raises
    ------
    ValueError
        For impossible options, options without effect, data that do not fit the model, a run that needs too much
        memory, or a checkpoint of another configuration.

    Examples
    --------
    >>> history = train("bfloat16-kahan", data="digits", lr=1e-2, epochs=1)
    >>> history.epochs[0].test_accuracy > 0.8
    True
    """
    refuse_unknown("train", options, (*OPTIONS, "on_step", *(train.__kwdefaults__ or ())))
    if start_from is not None and options.get("init") is not None:
        raise ValueError(
            f"init={quoted(options['init'])} would have no effect: the weights are those of start_from; leave it out"
        )
    given = data if isinstance(data, (Dataset, str, NoneType)) else Samples.of(data)
    config = get_config(config, **options, data=given)
    data = given if isinstance(given, Dataset) else load_data(config)
    if config.model == "gpt" and isinstance(data, Text):
        config = with_vocabulary(config, data)
    if isinstance(config.model, Network):
        config = replace(config, model=bound(config.model, data))
    check_run(config, data, max_bytes)
    loop = Loop(config, data, look_every)
    check_model(loop.engine, max_bytes)
    checkpoints = Checkpointer(checkpoint_path, checkpoint_seconds, max_bytes)
    if not resume:
        checkpoints.refuse_unfinished()
    with np.errstate(all="ignore"):
        state = loop.start(_weights(start_from, config, max_bytes))
        if resume:
            state = loop.restore(checkpoints.resume(loop.snapshot(state), loop.engine.rng))
        kept = begun = loop.snapshot(state)
        try:
            while not loop.finished(state):
                state = loop.advance(state)
                kept = loop.snapshot(state)
                if on_step:
                    on_step(state.progress.step, loop.engine.batches * config.epochs)
                checkpoints.save_if_due(kept)
        finally:  # finished, or interrupted within a step, whose random numbers will be drawn again
            if kept is not begun:
                checkpoints.save(kept)
    return loop.history(state)


def load_data(config: Config) -> Dataset:
    """The data that a configuration names, normalised as it says; a text in windows of the model's context."""
    if is_text(config.data):
        return load_text(config.data, config.gpt.context)
    return normalise(load(config.data), config.normalisation)


def _weights(given: str | Path | Params | None, config: Config, max_bytes: int) -> Params | None:
    if isinstance(given, (str, Path)):
        model = load_model(given, max_bytes=max_bytes)
        known, wanted = model.config.gpt.vocabulary, config.gpt.vocabulary
        if known != wanted and known and wanted:  # rows of the embedding would be those of other characters
            raise ValueError(
                f"start_from={quoted(str(given))} knows the characters {quoted(known)}, and {config.data} has "
                f"{quoted(wanted)}; give a text of the same characters"
            )
        return model.params
    if given is not None and not (isinstance(given, dict) and all(isinstance(x, FloatArray) for x in given.values())):
        raise TypeError(
            f"start_from={quoted(given)} is neither a file nor a dict of FloatArrays by name; give a path, or the "
            "`params` of a model, or make arrays by fs.array(x, fmt)"
        )
    return given


class Loop:
    """A run: the steps of an Engine, the microscope that examines some of them, and the sums of each epoch."""

    def __init__(self, config: Config, data: Dataset, look_every: int | None = None) -> None:
        self.config, self.engine = config, Engine(config, data)
        self.microscope = Microscope(usual_interval(self.engine.batches) if look_every is None else look_every)
        self._order: tuple[int, list[Array]] = (0, [])

    def start(self, weights: Params | None = None) -> LoopState:
        """The state before the first step, with weights that are drawn or given."""
        return LoopState(self.engine.start(weights))

    def finished(self, state: LoopState) -> bool:
        """Whether there is nothing more to do."""
        return state.progress.death is not None or len(state.epochs) >= self.config.epochs

    def advance(self, state: LoopState) -> LoopState:
        """Take one step. At the end of an epoch, or when the run dies, the epoch is summed up."""
        epoch = len(state.epochs) + 1
        if self._order[0] != epoch:
            self._order = epoch, self.engine.order(epoch)
        backward = self.microscope.observer(state.progress.step)
        step = self.engine.step(state.progress, self._order[1][state.batch], backward, epoch=epoch)
        self.microscope.look(step, backward)
        tally, batch = state.tally.add(step, backward.lost if backward else Share()), state.batch + 1
        if batch < self.engine.batches and step.after.death is None:
            return LoopState(step.after, state.epochs, batch, tally)
        answers = self._answers(step.after.params, self.engine.data.test_images, self.engine.data.test_labels)
        done = self._summary(epoch, batch, step.after, tally, answers)
        return LoopState(step.after, (*state.epochs, done), answers=answers)

    def _summary(self, number: int, steps: int, progress: Progress, tally: Tally, answers: Answers | None) -> Epoch:
        data, test_loss, bits, sample = self.engine.data, None, None, ""
        validated = self._answers(progress.params, data.validation_images, data.validation_labels)
        if isinstance(data, Text) and not progress.death:
            bits = bits_per_character(self.engine.predict(progress.params, data.test_images), data.test_labels)
            sample = write(self.engine, progress.params) if self.config.model == "gpt" else ""
        if answers is None and bits is None and len(data.test_labels):
            test_loss = self.engine.mean_loss(progress.params, data.test_images, data.test_labels)
        average = self.engine.average_params(progress)
        averaged = self._answers(average, data.test_images, data.test_labels) if average else None
        average_loss = average_bits = None
        if average and bits is not None:
            average_bits = bits_per_character(self.engine.predict(average, data.test_images), data.test_labels)
        elif average and averaged is None and len(data.test_labels):
            average_loss = self.engine.mean_loss(average, data.test_images, data.test_labels)
        return Epoch(
            number=number,
            steps=steps,
            loss=None if progress.death else tally.loss / tally.images,
            test_accuracy=None if answers is None else answers.accuracy,
            lost_gradients=tally.lost,
            absorbed_updates=tally.absorbed,
            overflows=tally.overflows,
            skipped=tally.skipped,
            validation_accuracy=None if validated is None else validated.accuracy,
            test_loss=test_loss,
            absorbed_gradients=tally.absorbed_gradients,
            absorbed_average=tally.absorbed_average,
            average_accuracy=None if averaged is None else averaged.accuracy,
            average_loss=average_loss,
            average_bits=average_bits,
            bits_per_character=bits,
            sample=sample,
        )

    def _answers(self, params: Params, images: Array, labels: Array) -> Answers | None:
        """Which images are answered wrongly; None if there are none, or the model gives no logits of classes."""
        classes = self.engine.data.classes
        if not len(labels) or not classes:
            return None
        logits = self.engine.predict(params, images)
        return Answers.of(is_right(logits, labels)) if logits.ndim == 2 and logits.shape[1] >= classes else None

    def snapshot(self, state: LoopState) -> Snapshot:
        """All that a checkpoint stores of the run."""
        data, microscope, rng = self.engine.data, self.microscope, self.engine.rng.bit_generator.state
        return Snapshot(
            self.config,
            data.identity,
            data.image_shape,
            data.classes,
            microscope.every,
            state,
            microscope.telemetry.copy(),
            rng,
        )

    def restore(self, stored: Snapshot) -> LoopState:
        """Go on from a snapshot."""
        if stored.state.batch >= self.engine.batches:
            raise ValueError(f"batch={stored.state.batch} of the run to resume: its epochs have {self.engine.batches}")
        self.microscope.telemetry, self.engine.rng.bit_generator.state = stored.telemetry, stored.rng
        return stored.state

    def history(self, state: LoopState) -> History:
        """What is reported of the run."""
        progress, microscope = state.progress, self.microscope
        seen, every = microscope.telemetry, microscope.every
        answers, average = state.answers, self.engine.average_params(progress)
        return History(
            self.config, state.epochs, progress.params, progress.death, seen, progress.step, every, answers, average
        )
