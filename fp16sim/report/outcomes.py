"""The first part of the report: how each run ended, what would help it, and its curves."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ..learn import Advice, History, diagnose
from ..learn.chance import Ranking
from ..learn.data.text import PREFIX
from ..learn.run.train import ranking
from ..learn.state import Epoch
from ..wording import count, decimal, joined, percent
from .commands import command
from .markup import Markup, join, tag
from .notes import compared, counted, reached_text
from .svg import Axis, Line, chart, classes_of, looks, swatch

TASKS = {
    "digits": "8 × 8 digits",
    "mnist": "MNIST",
    "fashion-mnist": "Fashion-MNIST",
    "alice": "Alice's Adventures in Wonderland",
}


def task(history: History) -> str:
    """The data and the model of a run."""
    config = history.config
    models = {
        "cnn": "the CNN",
        "mlp": f"an MLP with {joined(map(str, config.layers))} hidden units",
        "gpt": f"a transformer: {config.gpt}",
    }
    model = models.get(str(config.model), f"the model {config.model}")
    return f"{TASKS.get(config.data, config.data.removeprefix(PREFIX))}, {model}"


def verdict(histories: Sequence[History]) -> str:
    """The outcome of all runs in one or two sentences."""
    alive = [h for h in histories if not h.death]
    said = [_finished(alive, len(histories))] if alive else []
    ends: dict[str, list[str]] = {}
    for h in histories:
        if h.death:
            ends.setdefault(_at_step(h), []).append(h.config.label)
    said += [f"{joined(names)} died at {where}." for where, names in ends.items()]
    return " ".join(said)


def _finished(alive: Sequence[History], of: int) -> str:
    bits = [b for h in alive if (b := h.epochs[-1].bits_per_character) is not None]
    if len(bits) == len(alive) > 1:
        return f"{_how_many(alive, of)} finished, with {decimal(min(bits))} to {decimal(max(bits))} bits per character."
    reached = [a for h in alive if (a := h.epochs[-1].test_accuracy) is not None]
    if len(reached) < len(alive):
        return f"{joined(map(_losses, alive))}."
    low, high = percent(min(reached)), percent(max(reached))
    if len(alive) == 1:
        return f"{alive[0].config.label} classifies {high} of the test images correctly."
    first = f"{_how_many(alive, of)} finished"
    if low == high:
        return f"{first}, each with a test accuracy of {high}."
    return f"{first}, with test accuracies from {low} to {high}{_how_different(ranking(alive))}."


def _how_many(alive: Sequence[History], of: int) -> str:
    who = {2: "Both"}.get(of, f"All {of}") if len(alive) == of else f"{len(alive)} of {of}"
    return f"{who} runs"


def _losses(history: History) -> str:
    """How a run ended that has no accuracy."""
    end, label = history.epochs[-1], history.config.label
    tested = "" if end.test_loss is None else f" and a test loss of {decimal(end.test_loss)}"
    if end.bits_per_character is not None:
        tested = f" and {decimal(end.bits_per_character)} bits per character"
    return f"{label} ends with a training loss of {decimal(end.loss)}{tested}"


def _how_different(found: Ranking | None) -> str:
    """The end of the sentence: a run is called best only if it is better than each other run by more than chance."""
    if found is None:
        return ""
    if not found.beyond:
        return ": no difference is more than chance"
    return f": {found.best} is best" if found.best else ": some differences are more than chance"


def _at_step(history: History) -> str:
    return f"step {history.death.step:,}" if history.death else ""


# --- the table ------------------------------------------------------------------------------------------------------


COLUMNS: tuple[tuple[str, Callable[[History], str]], ...] = (
    ("loss", lambda h: decimal(h.totals()["loss"])),
    ("gradients that became 0 (underflow)", lambda h: percent(h.totals()["lost_gradients"])),
    ("updates without effect (absorption)", lambda h: percent(h.totals()["absorbed_updates"])),
    ("overflows", lambda h: f"{h.totals()['overflows']:,}"),
    ("skipped steps", lambda h: f"{h.totals()['skipped']:,}"),
    ("steps", lambda h: f"{h.steps:,}"),
)


def result_table(histories: Sequence[History]) -> Markup:
    """One row for each run, on a phone one card. The roles keep it a table for screen readers, whatever CSS does."""
    heads = [
        tag("th", name.replace(" % ", "\u00a0%\u00a0"), scope="col", role="columnheader")
        for name in ("run", *(name for name, _ in _columns(histories)), "outcome")
    ]
    cells = [_run_cell(h, k, look) for k, (h, look) in enumerate(zip(histories, _looks(histories), strict=True))]
    columns = _columns(histories)
    rows = [
        tag("tr", cell, _cells(h, columns), _outcome(h), role="row") for cell, h in zip(cells, histories, strict=True)
    ]
    return tag(
        "table", tag("thead", tag("tr", heads, role="row"), role="rowgroup"), tag("tbody", rows, role="rowgroup"),
        role="table", class_="results",
    )  # fmt: skip


def notes(histories: Sequence[History]) -> Markup:
    """How the numbers of the table were measured, and which differences are more than chance."""
    said = [text for text in (compared(histories), counted(histories)) if text]
    return join([tag("p", text, class_="muted") for text in said])


def samples(histories: Sequence[History]) -> Markup | None:
    """What each language model writes at the end of its run."""
    written = [(h.config.label, h.epochs[-1].sample) for h in histories if h.epochs[-1].sample]
    if not written:
        return None
    said = [join(tag("p", f"What {label} writes at its end:"), tag("pre", text)) for label, text in written]
    return tag("div", said, class_="samples")


def _run_cell(history: History, k: int, look: int) -> Markup:
    label, policy = history.config.label, str(history.config.policy)
    link = tag("a", label, href=f"#run{k + 1}")
    more = tag("div", policy, class_="policy") if policy not in (label, f"compute={label}") else None
    return tag("th", tag("div", swatch(look), link, class_="who"), more, scope="row", role="rowheader")


def _looks(histories: Sequence[History]) -> list[int]:
    return looks([h.config.label for h in histories])


def _columns(histories: Sequence[History]) -> list[tuple[str, Callable[[History], str]]]:
    name = "bits per character" if any(h.writes for h in histories) else "test accuracy (95 % interval)"
    return [(name, lambda h: "-" if h.death else reached_text(h)), *COLUMNS]


def _cells(history: History, columns: Sequence[tuple[str, Callable[[History], str]]]) -> list[Markup]:
    return [tag("td", write(history), role="cell", data_label=name) for name, write in columns]


def _outcome(history: History) -> Markup:
    text = f"✕ died at {_at_step(history)}" if history.death else "✓ finished"
    return tag("td", text, role="cell", data_label="outcome", class_="died" if history.death else "fine")


# --- diagnosis ------------------------------------------------------------------------------------------------------


def diagnosis(histories: Sequence[History]) -> Markup:
    """For each run the cause of its death, if it died, and advice."""
    return tag("div", [_case(h, k) for h, k in zip(histories, _looks(histories), strict=True)], class_="cases")


def _case(history: History, k: int) -> Markup:
    advice = diagnose(history)
    parts = [_advice(history, one) for one in advice]
    head = tag("h3", swatch(k), history.config.label)
    body = tag("ul", parts, class_="advice") if parts else tag("p", _nothing_found(history), class_="muted")
    return tag("section", head, death(history), body, class_="case")


def _nothing_found(history: History) -> str:
    """What "no problem" is based on."""
    seen = len({row.step for row in history.telemetry.rows})
    if not seen:
        return "No step was examined. Overflows, skipped steps and updates without effect show no problem."
    beyond = sum(epoch.overflows for epoch in history.epochs)
    overflows = f" On all steps together there {'was' if beyond == 1 else 'were'} {count(beyond, 'overflow')}."
    return f"No problem found on {count(seen, 'examined step')} of {history.steps:,}.{overflows if beyond else ''}"


def death(history: History) -> Markup | None:
    """The first cause of a death: which tensor, which operation, and why."""
    if history.death is None:
        return None
    found = history.death
    where = " in ".join(filter(None, [found.operation, found.layer])) or "-"
    facts = (("first tensor that is not finite", found.tensor), ("operation", where), ("cause", found.reason))
    pairs = [join(tag("dt", name), tag("dd", value)) for name, value in facts]
    return tag("div", tag("strong", f"✕ Died at {_at_step(history)}"), tag("dl", pairs), class_="death")


def _advice(history: History, advice: Advice) -> Markup:
    cure = None
    if advice.change:
        cure = tag("div", tag("span", "Try ", tag("code", advice.options)), _copyable(history, advice), class_="cure")
    return tag("li", tag("strong", advice.topic.capitalize(), class_="topic"), " ", advice.text, cure)


def _copyable(history: History, advice: Advice) -> Markup:
    text = command(history.config, **advice.change)
    return tag("details", tag("summary", "the whole command"), tag("pre", tag("code", text)))


# --- curves ---------------------------------------------------------------------------------------------------------


def _percent(x: float) -> str:
    """A number on an axis, with as many digits as it has."""
    return f"{100 * x:g}%"


CURVES: tuple[tuple[str, Callable[[Epoch], float | None], Callable[[float], str], float | None], ...] = (
    ("Test accuracy", lambda e: e.test_accuracy, _percent, 1.0),
    ("Bits per character", lambda e: e.bits_per_character, lambda x: f"{x:g}", None),
    ("Test loss", lambda e: e.test_loss, lambda x: f"{x:g}", None),
    ("Training loss", lambda e: e.loss, lambda x: f"{x:g}", None),
    ("Gradients that became 0", lambda e: e.lost_gradients.value, _percent, 1.0),
    ("Updates without effect", lambda e: e.absorbed_updates.value, _percent, 1.0),
    ("Added gradients without effect", lambda e: e.absorbed_gradients.value, _percent, 1.0),
    ("Test accuracy with averaged weights", lambda e: e.average_accuracy, _percent, 1.0),
    ("Test loss with averaged weights", lambda e: e.average_loss, lambda x: f"{x:g}", None),
    ("Bits per character with averaged weights", lambda e: e.average_bits, lambda x: f"{x:g}", None),
    ("Updates of averages without effect", lambda e: e.absorbed_average.value, _percent, 1.0),
)
VALIDATION = ("Validation accuracy", lambda e: e.validation_accuracy, _percent, 1.0)
"""A curve's title, its value in an epoch or None, how its axis writes numbers, and the largest possible value."""


def curves(histories: Sequence[History]) -> Markup:
    """Accuracy, loss and the numbers that rounding lost, epoch by epoch."""
    longest = max(len(h.epochs) for h in histories)
    if longest < 2:
        return tag("p", "There are no curves of a single epoch; the table above has its results.", class_="muted")
    held_back = any(e.validation_accuracy is not None for h in histories for e in h.epochs)
    chosen = (CURVES[0], VALIDATION, *CURVES[1:]) if held_back else CURVES
    drawn = [_epoch_chart(histories, longest, *what) for what in chosen]
    dead = [f"{h.config.label} died in epoch {h.epochs[-1].number}" for h in histories if h.death]
    note = tag("p", f"✕ on the axis: {joined(dead)}.", class_="muted") if dead else None
    return join(legend(histories), note, tag("div", [one for one in drawn if one], class_="charts"))


def _epoch_chart(
    histories: Sequence[History],
    longest: int,
    title: str,
    of: Callable[[Epoch], float | None],
    write: Callable[[float], str],
    most: float | None,
) -> Markup | None:
    points = [[(float(e.number), _or_gap(of(e))) for e in h.epochs[: -1 if h.death else None]] for h in histories]
    values = [y for line in points for _, y in line if math.isfinite(y)]
    if not values or (title == "Gradients that became 0" and not any(values)):
        return None
    y = Axis.spanning(values, write, most=most)
    parts = zip(_looks(histories), histories, points, strict=True)
    lines = [Line(k, h.config.label, own, marks=_end(h)) for k, h, own in parts]
    said = f"{title}, by epoch: {'; '.join(spoken_line(line, write) for line in lines)}."
    return chart(title, Axis.counting(longest), y, lines, said)


def _or_gap(y: float | None) -> float:
    """What was not measured becomes NaN, which is drawn as a gap."""
    return math.nan if y is None else y


def _end(history: History) -> list[float]:
    """The epoch in which a run died."""
    return [float(history.epochs[-1].number)] if history.death else []


def spoken_line(line: Line, write: Callable[[float], str]) -> str:
    """A curve as a phrase."""
    kept = [(x, y) for x, y in line.points if math.isfinite(y)]
    if not kept:
        return f"{line.label} has no value"
    said = f"{line.label} from {_short(kept[0][1], write)} to {_short(kept[-1][1], write)}"
    return f"{said}, then died" if line.marks else said


def _short(y: float, write: Callable[[float], str]) -> str:
    return write(float(f"{y:.3g}"))


def legend(histories: Sequence[History]) -> Markup:
    """The line of each run."""
    shown = zip(_looks(histories), histories, strict=True)
    names = [tag("li", swatch(k), h.config.label, class_=classes_of(k)) for k, h in shown]
    return tag("ul", names, class_="key runs", aria_label="runs")
