"""What a log of a `recorder` shows: why the run died, what became 0, what had no effect; each with its evidence."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

from ...formats import BFLOAT16, BINARY32, Format
from ...rounding import round_to
from ...wording import count, joined, number, percent, power_of_two, share
from ..observe.exponents import Survey
from ..state import Phase
from .advice import Advice
from .logs import Event, Log, amax_by_step, format_of
from .logs import number as told

WORTH_MENTIONING, MANY, HEADROOM = 0.01, 0.2, 2
"""The least share of lost gradients, and of updates without effect, that is mentioned; binades left below overflow."""

PHASES = {
    "activation": Phase.FORWARD,
    "loss": Phase.LOSS,
    "activation gradient": Phase.BACKWARD,
    "weight gradient": Phase.BACKWARD,
    "weight": Phase.UPDATE,
}
"""In which part of a step a tensor of each kind is computed."""


def advice_on(log: Log) -> tuple[Advice, ...]:
    """All that a log shows, the cause of death first."""
    return tuple(advice for find in FINDERS if (advice := find(log)) is not None)


# --- how it died ----------------------------------------------------------------------------------------------------


def death_step(log: Log) -> int | None:
    """The first of the steps at the end of the log that have a loss or weights that are not finite; None if none has.

    Each such step has a line, so a step between two lines was finite.
    """
    first: int | None = None
    before = 0
    for line in log.steps:
        if first is not None and line.step != before + 1:
            first = None
        lost = not math.isfinite(told(line.loss) or 0.0) or line.step in log.events
        wrong = not line.finite_weights or (lost and not line.skipped)
        first = (line.step if first is None else first) if wrong else None
        before = line.step
    return first


def _death(log: Log) -> Advice | None:
    step = death_step(log)
    if step is None:
        return None
    event = log.events.get(step)
    if event is None:
        return Advice("death", f"died at step {step}: the loss or a weight is not finite.", {}, {"step": step})
    return Advice("death", f"died at step {step}: {_story(log, event, step)}", {}, {"step": step})


def _story(log: Log, event: Event, step: int) -> str:
    """What was first not finite, how it had grown, and what would have helped."""
    what = WHAT[event.kind](event) if event.kind in WHAT else _own(event)
    return " ".join(filter(None, [what, _growth(log, event, step), _cure(log, event, step)]))


def _value(event: Event) -> str:
    """Infinity or NaN, and the end of the format."""
    what = {"inf": "infinity", "-inf": "infinity", "nan": "NaN"}.get(str(event.value), str(event.value))
    if not event.dtype:
        return what
    fmt = format_of(event.dtype)
    return f"{what} in {fmt}, which ends at {number(float(fmt.max_finite))}"


def _operands(event: Event) -> str:
    parts = []
    if event.operands:
        parts.append(f"inputs up to {joined(_short(x) for x in event.operands)}")
    if event.weights:
        parts.append(joined(f"{name} up to {_short(x)}" for name, x in event.weights.items()))
    return f", from {joined(parts)}" if parts else ""


def _short(x: float | str) -> str:
    return x if isinstance(x, str) else number(x)


def _forward(event: Event) -> str:
    if not all(math.isfinite(told(x) or 0.0) for x in event.operands):
        after = (
            f" after module {event.before[0]}, whose output was up to {_short(event.before[1])},"
            if event.before
            else ""
        )
        return f"the input of module {event.name} is not finite: an operation{after} gave {_value(event)}."
    by = f"{event.operation} in the forward pass" if event.operation else "the forward pass"
    return f"the output of module {event.name} is not finite: {by} gave {_value(event)}{_operands(event)}."


def _loss(event: Event) -> str:
    return "the loss is not finite, although the outputs of all modules are: it overflowed in the loss function."


def _backward(event: Event) -> str:
    of_weight = event.kind == "weight gradient"
    what = f"the gradient of {event.name}" if of_weight else f"the gradient of the output of module {event.name}"
    before = ""
    if event.before:
        before = (
            f"; the gradient before it, of the output of module {event.before[0]}, was up to {_short(event.before[1])}"
        )
    if of_weight:
        before = "; the gradients of all outputs were finite, so it overflowed in the sum over the batch"
    return f"{what} is not finite: the backward pass gave {_value(event)}{before}."


def _update(event: Event) -> str:
    return f"{event.name} is not finite after the optimizer's step, although all gradients are: {_value(event)}."


def _own(event: Event) -> str:
    return f"{event.name} ({event.kind}) is not finite: {_value(event)}."


WHAT: dict[str, Callable[[Event], str]] = {
    "activation": _forward,
    "loss": _loss,
    "activation gradient": _backward,
    "weight gradient": _backward,
    "weight": _update,
}


def _growth(log: Log, event: Event, step: int) -> str:
    """How the largest magnitude grew in the steps before."""
    recent = [(at, told(x) or 0.0) for at, x in event.recent if math.isfinite(told(x) or 0.0)][-4:]
    if len(recent) < 2 or recent[-1][1] < 4 * recent[0][1]:
        return ""
    return f"Before, its largest magnitude was {joined(f'{number(x)} (step {at})' for at, x in recent)}."


def _weight_growth(log: Log, event: Event) -> float:
    """By which factor the largest of its weights has grown since it was first examined."""
    factors = [1.0]
    for name, x in event.weights.items():
        first = [amax for _, amax in amax_by_step(log.counted.get(("weight", name), [])) if amax]
        now = told(x) or 0.0
        factors += [now / first[0]] if first and math.isfinite(now) else []
    return max(factors)


def _cure(log: Log, event: Event, step: int) -> str:
    """What would have helped."""
    phase, scale = PHASES.get(event.kind), _scale_at(log, step)
    narrow = bool(event.dtype) and format_of(event.dtype).emax < BFLOAT16.emax
    if phase is Phase.BACKWARD and scale > 1:
        scaled = f"The loss was scaled by {power_of_two(scale)}"
        return f"{scaled}: use a smaller scale, or a dynamic one (torch.amp.GradScaler), which skips such steps."
    if phase is Phase.UPDATE:
        gone = _epsilon(log)
        return gone or "Use a lower learning rate, or keep the weights in float32."
    if phase in (Phase.FORWARD, Phase.BACKWARD) and _weight_growth(log, event) > 4:
        factor = f"{_weight_growth(log, event):,.0f}"
        return f"Its weights have grown by a factor of {factor}: the run diverges. Use a lower learning rate."
    if str(event.value) == "nan" and phase is Phase.FORWARD:
        return "NaN from finite numbers comes from 0/0, infinity - infinity or 0 times infinity inside the module."
    return "Compute this in bfloat16 or float32, or scale the input down." if narrow else ""


def _scale_at(log: Log, step: int) -> float:
    return next((scale for at, scale in reversed(log.telemetry.scales) if at <= step), 1.0)


# --- the optimizer --------------------------------------------------------------------------------------------------


def _formats_of_weights(log: Log) -> list[Format]:
    dtypes = dict.fromkeys(dtype for header in log.headers for dtype, _ in header.parameters.values())
    return [format_of(dtype) for dtype in dtypes]


def _epsilon(log: Log) -> str:
    """Whether the optimizer's epsilon is 0 in the format of the weights, in which PyTorch computes its step."""
    for header in log.headers:
        eps = header.optimizer.get("eps")
        for fmt in _formats_of_weights(log):
            if isinstance(eps, float) and eps > 0 and not float(round_to(eps, fmt)):
                return (
                    f"eps={eps:g} of {header.optimizer.get('name')} is 0 in {fmt}: where the second moment is 0 too, a "
                    "step is a division by 0. Use a larger eps, such as 1e-4, or keep the weights in float32."
                )
    return ""


def _vanished_epsilon(log: Log) -> Advice | None:
    said, step = _epsilon(log), death_step(log)
    named = step is not None and (event := log.events.get(step)) is not None and event.kind == "weight"
    return Advice("epsilon", said) if said and not named else None


def _absorbed(log: Log) -> Advice | None:
    """Updates too small to change their weight."""
    moving, unchanged = (sum(getattr(row, name) for row in log.updates) for name in ("moving", "unchanged"))
    if not moving or unchanged / moving < MANY:
        return None
    rate = log.headers[-1].optimizer.get("lr")
    if rate == 0.0:
        return Advice("learning rate", "No weight moves: the learning rate is 0.")
    worst = max(log.updates, key=lambda row: (row.unchanged / row.moving if row.moving else 0.0, row.moving))
    text = (
        f"{percent(unchanged / moving)} of the weights with a gradient did not change in the steps that were examined: "
        f"their updates are too small for {format_of(worst.dtype)} (absorption). In step {worst.step} that is "
        f"{percent(worst.unchanged / worst.moving)} of {worst.name}. Keep a copy of the weights in float32, or add the "
        "updates by Kahan's method, or round them stochastically."
    )
    return Advice("absorbed updates", text, {}, {"absorbed": unchanged / moving})


# --- gradients ------------------------------------------------------------------------------------------------------


def _underflow(log: Log) -> Advice | None:
    """Gradients that became 0, as the numbers left show: many of them are subnormal."""
    narrow = {key: seen for key, seen in log.gradients().items() if seen.fmt.emin > BINARY32.emin}
    hit = {key: seen for key, seen in narrow.items() if seen.finite and _subnormal(seen) >= WORTH_MENTIONING}
    if not hit or max(_zero(seen) for seen in hit.values()) < WORTH_MENTIONING:
        return None
    gone = [key for key, seen in narrow.items() if seen.total and seen.zeros == seen.total]
    (kind, name), worst = max(hit.items(), key=lambda item: (_zero(item[1]), _subnormal(item[1])))
    fmt = worst.fmt
    first = _first_step(log, (kind, name))
    text = (
        f"Gradients become 0 in {fmt}, from step {first} on: {percent(_zero(worst))} of {_what(kind, name)} are 0, and "
        f"{percent(_subnormal(worst))} of the others are subnormal, with few digits. The smallest number is "
        f"{number(float(fmt.min_subnormal))}."
    )
    if gone:
        gone.sort(key=lambda key: key[0] != "weight gradient")
        more = [f"{len(gone) - 3} others"] if len(gone) > 3 else []
        text += f" Those of {joined([*(name for _, name in gone[:3]), *more])} are all 0: nothing is learned there."
    text += _shrinking(log, narrow) + _scale_for(log, list(narrow.values()))
    return Advice("loss scale", text, {}, {"zeros": _zero(worst), "subnormal": _subnormal(worst)})


def _what(kind: str, name: str) -> str:
    names = {
        "activation gradient": f"the gradients of the output of module {name}",
        "weight gradient": f"the gradients of {name}",
    }
    return names.get(kind, f"{name} ({kind})")


def _zero(seen: Survey) -> float:
    return (seen.zeros / seen.total) if seen.total else 0.0


def _subnormal(seen: Survey) -> float:
    return share(seen.fate().subnormal, seen.finite) or 0.0


def _first_step(log: Log, key: tuple[str, str]) -> int:
    """The first examined step in which the tensor had zeros."""
    return next((row.step for row in log.counted[key] if row.zeros), log.counted[key][0].step)


def _shrinking(log: Log, narrow: dict[tuple[str, str], Survey]) -> str:
    """How the gradients shrink on the way back through the modules."""
    first = [(name, log.counted[kind, name][0]) for kind, name in narrow if kind == "activation gradient"]
    sizes = [(name, told(row.amax) or 0.0) for name, row in first]
    sizes = [(name, x) for name, x in sizes if math.isfinite(x) and x > 0]
    if len(sizes) < 3 or sizes[-1][1] * 64 > sizes[0][1]:
        return ""
    (top, large), (bottom, small) = sizes[0], sizes[-1]
    return (
        f" On the way back they shrink from {number(large)} ({top}) to {number(small)} ({bottom}), by 2^"
        f"{round(math.log2(small / large))}."
    )


def _scale_for(log: Log, seen: list[Survey]) -> str:
    """The loss scale that leaves some binades below overflow.

    It makes the numbers that are left normal. Those that are gone were smaller: it is larger by as many binades again.
    """
    top = max((one.highest for one in seen if one.binades), default=0)
    fmt, scale = seen[0].fmt, _scale_at(log, log.last)
    left = sum((one for one in seen if one.fmt == fmt), Survey(fmt))
    room = min(fmt.emax - HEADROOM - top, left.best_shift(range(64)) + fmt.trailing_bits)
    if room < 1:
        return " A larger loss scale would overflow: use bfloat16 for the gradients."
    better = power_of_two(scale * 2.0**room)
    return (
        f" Multiply the loss by {better} (the largest gradient is below 2^{top + 1}), or use a dynamic scale "
        "(torch.amp.GradScaler)."
    )


def _skipped(log: Log) -> Advice | None:
    """Skipped steps, and whether the run ended with them."""
    steps, last = log.telemetry.skipped, log.last
    tail = 0
    while steps and tail < len(steps) and steps[-1 - tail] == last - tail:
        tail += 1
    if tail >= 20:
        text = f"The last {tail} steps were all skipped: at no loss scale were the gradients finite."
        if event := log.events.get(steps[-tail]):
            text += f" In step {steps[-tail]} {_story(log, event, steps[-tail])}"
        return Advice("skipped steps", text, {}, {"skipped": len(steps)})
    if not steps or last < 20 or len(steps) / last < 0.05:
        return None
    text = f"{percent(len(steps) / last)} of the steps were skipped, because a gradient was not finite"
    text += ": the scale grows too often, or the gradients become larger and larger."
    return Advice("skipped steps", text, {}, {"skipped": len(steps)})


# --- activations ----------------------------------------------------------------------------------------------------


def _zero_output(log: Log) -> Advice | None:
    """The first module whose output was 0 everywhere, while that of the module before it was not."""
    outputs = [(name, seen) for (kind, name), seen in log.telemetry.surveys.items() if kind == "activation"]
    for (before, given), (name, seen) in pairwise(outputs):
        if seen.total and seen.zeros == seen.total and given.finite:
            largest = max(amax for _, amax in amax_by_step(log.counted["activation", before]))
            steps = count(len(log.counted["activation", name]), "step")
            text = (
                f"The output of module {name} is 0 everywhere, in all {steps} that were examined, and that of module "
                f"{before} before it is up to {number(largest)}: inside {name} numbers became 0, or overflowed and "
                "divided something (x / infinity is 0)."
            )
            narrow = seen.fmt.emax < BFLOAT16.emax
            text += f" Compute module {name} in float32, such as squares and their mean." if narrow else ""
            return Advice("zero output", text, {}, {"largest": largest})
    return None


FINDERS: tuple[Callable[[Log], Advice | None], ...] = (
    _death,
    _zero_output,
    _underflow,
    _absorbed,
    _vanished_epsilon,
    _skipped,
)
