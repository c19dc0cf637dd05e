"""What the microscope recorded of one run: where numbers are in their formats, and what rounding lost."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..learn import History
from ..wording import count, percent, power_of_two, with_superscripts
from .figures import level_key, strip_table, window_figure, zone_key
from .markup import Markup, join, tag
from .series import GRADIENTS, Window, arrivals, current_scale, stairs, strips, suggested_shift, windows
from .svg import Axis, Line, chart, swatch

KIND_NAMES = {
    "activation gradient": "Gradients of activations",
    "product cotangent": "Gradients as factors of products",
    "weight gradient": "Gradients of weights",
    "step": "Steps of the optimizer",
    "weight": "Weights",
    "activation": "Activations",
    "activation factor": "Activations as scaled factors of products",
    "weight factor": "Weights as scaled factors of products",
    "gradient factor": "Gradients as scaled factors of products",
}
"""The kinds of numbers that are examined, the most important first."""


def microscope(history: History, k: int, look: int, unfolded: bool = True) -> Markup:
    """The section of one run."""
    config = history.config
    facts = f"{count(history.steps, 'step')}, {config.policy}"
    head = tag("summary", tag("h3", swatch(look), config.label), tag("span", facts, class_="muted"))
    return tag("details", head, _body(history), open=unfolded, class_="run", id=f"run{k + 1}")


def _body(history: History) -> Markup:
    if not history.telemetry.rows:
        return tag("p", "No step of this run was examined (look_every=0, or --look-every 0).", class_="muted")
    steps = sorted({row.step for row in history.telemetry.rows})
    last = f", from step {steps[0]:,} to step {steps[-1]:,}" if len(steps) > 1 else f": step {steps[0]:,}"
    where = f"{count(len(steps), 'examined step')}{last}."
    return join(
        tag("p", where, class_="muted"), _windows(history), _losses(history), _updates(history), loss_scale(history)
    )


# --- exponents ------------------------------------------------------------------------------------------------------


def _windows(history: History) -> Markup:
    suggested = suggested_shift(history)
    found = [one for kind in KIND_NAMES for one in windows(history, kind, suggested)]
    shifted = any(one.shift for one in found)
    explained = (
        "A histogram of the exponents in each tensor, before rounding: one bar for each power of two. The highest bar "
        "fills its row, and even a single number gets a bar that can be seen. The zones show what the format makes of "
        "the numbers."
    )
    parts = [_one_window(one, history) for one in found]
    return tag(
        "section", tag("h4", "Exponents against the window of the format"), tag("p", explained, class_="muted"),
        zone_key(shifted), parts,
    )  # fmt: skip


def _one_window(shown: Window, history: History) -> Markup:
    title = f"{KIND_NAMES[shown.kind]} in {shown.fmt.name}"
    figure = tag("figure", tag("figcaption", window_lesson(shown, current_scale(history))), window_figure(shown))
    opened = shown.kind in GRADIENTS[:2] or _in_trouble(shown)
    return tag("details", tag("summary", title), figure, open=opened, class_="kind")


def _in_trouble(shown: Window) -> bool:
    """Whether to show the figure at once: at least 1 % lost, or anything not finite."""
    return any(row.lost() >= 0.01 or row.seen.nans or row.seen.infinities for row in shown.rows)


def window_lesson(shown: Window, now: float) -> str:
    """What a figure shows, in sentences computed from it."""
    finite = sum(row.seen.finite for row in shown.rows)
    lost = [sum(row.seen.fate(k).lost for row in shown.rows) / max(finite, 1) for k in (0, shown.shift)]
    said = f"{percent(lost[0])} of the finite nonzero numbers are lost." if lost[0] else "No nonzero number is lost."
    odd = sum(row.seen.nans + row.seen.infinities for row in shown.rows)
    if odd:
        said += f" {count(odd, 'number was', 'numbers were')} NaN or infinite already."
    if shown.kind not in GRADIENTS:
        return said
    said += f" The loss scale at the end was {power_of_two(now)}; "
    if shown.shift:
        change = f"×2^{shown.shift}, dashed" if now != 1 else "dashed"
        said += f"{power_of_two(now * 2.0**shown.shift)} ({change}) would lose {percent(lost[1])} here."
    else:
        said += "no other scale that the loss's format can represent loses fewer gradients."
    return with_superscripts(said)


# --- over steps -----------------------------------------------------------------------------------------------------

ALWAYS = ("become 0", "become subnormal", "were 0 before")


def _losses(history: History) -> Markup | None:
    telemetry = history.telemetry
    shown = []
    for kind in GRADIENTS:
        everything = [strips(telemetry, kind, name) for name in (*ALWAYS[:2], "overflow or NaN", ALWAYS[2])]
        kept = [row for row in everything if row and (row[0].measure in ALWAYS or any(s.largest for s in row))]
        if kept:
            opened = kind == GRADIENTS[0]
            shown.append(
                tag("details", tag("summary", KIND_NAMES[kind]), strip_table(kept), open=opened, class_="kind")
            )
    explained = (
        "Shares of each tensor's numbers on the examined steps, from the first to the last. Above each strip are the "
        "share on the last of these steps and the largest share."
    )
    return tag(
        "section", tag("h4", "Lost in the backward pass"), tag("p", explained, class_="muted"), level_key(), shown
    ) if shown else None  # fmt: skip


def _updates(history: History) -> Markup | None:
    absorbed = strips(history.telemetry, "step", "without effect")
    if not absorbed:
        return None
    explained = (
        "Without effect: nonzero updates too small to change their weight (absorbed). Effective learning rate: "
        "how far the weights moved along their step, relative to its length, times the learning rate (lr). The dashed "
        "line is the whole step."
    )
    steps = absorbed[0].steps
    rate = history.config.rate(steps[-1] - 1)
    return tag(
        "section", tag("h4", "Updates of the weights"), tag("p", explained, class_="muted"),
        strip_table([absorbed], arrivals(history.telemetry), rate),
    )  # fmt: skip


def loss_scale(history: History) -> Markup:
    """The loss scale over the steps, with the skipped steps marked; only a sentence if it never changed."""
    points, skipped = stairs(history), history.telemetry.skipped
    title = tag("h4", "Loss scale")
    values = [value for _, value in points]
    if len(set(values)) < 2 and not skipped:
        return tag(
            "section", title, tag("p", f"{_written(current_scale(history))} in every step; no step was skipped.")
        )
    exponents = [(float(step), math.log2(value)) for step, value in points]
    said = (
        f"The loss scale went from {_written(values[0])} to {_written(values[-1])} in {count(history.steps, 'step')}, "
        f"between {_written(min(values))} and {_written(max(values))}; {_skips(skipped)}."
    )
    low, high = min(y for _, y in exponents), max(y for _, y in exponents)
    apart = max(1, round((high - low + 1) / 5))
    at = [float(e) for e in range(int(low) - (high == low), int(high) + 2) if e % apart == 0]
    y = Axis(low - 1, high + 1, at, lambda e: with_superscripts(f"2^{int(e)}"))
    line = Line(0, history.config.label, exponents, stepped=True, marks=skipped)
    x = Axis.counting(history.steps)
    drawn = chart("", x, y, [line], said, "step", "✕ on the axis: a step that was skipped")
    return tag("section", title, tag("p", said), drawn)


def _written(scale: float) -> str:
    return with_superscripts(power_of_two(scale))


def _skips(skipped: Sequence[int]) -> str:
    if not skipped:
        return "no step was skipped"
    first = ", ".join(f"{step:,}" for step in skipped[:5])
    more = f" and {len(skipped) - 5:,} more" if len(skipped) > 5 else ""
    return f"{count(len(skipped), 'step')} skipped: {first}{more}"
