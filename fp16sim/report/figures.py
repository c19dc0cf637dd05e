"""The microscope's figures: histograms over the window of a format, and shares of numbers over the steps of a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import count

from ..learn.shares import Share
from ..wording import percent, with_superscripts
from .markup import Markup, join, number, tag
from .series import Arrival, Histogram, Strip, Window, columns, level, zones
from .svg import bars, stretched

COLUMNS = 48
"""At most this many columns in a strip: one or two pixels each on a phone."""

ZONE_NAMES = {"zero": "becomes 0", "subnormal": "subnormal", "normal": "normal", "overflow": "overflow"}


# --- the window of a format -----------------------------------------------------------------------------------------


def window_figure(window: Window) -> Markup:
    """One histogram for each tensor, on a common axis of exponents, over the zones of the format."""
    rows = [_histogram_row(window, row) for row in window.rows]
    return tag("div", _window_head(window), rows, class_="window")


def _visible(window: Window) -> list[tuple[str, float, float]]:
    """The zones on the axis, cut at its ends."""
    cut = [(z.name, max(z.low, window.low), min(z.high, window.high)) for z in zones(window.fmt)]
    return [(name, low, high) for name, low, high in cut if low < high]


def _place(window: Window, exponent: float) -> str:
    return f"{number(100 * (exponent - window.low) / (window.high - window.low))}%"


def _window_head(window: Window) -> Markup:
    """The names of the zones, and the powers of two at which they begin."""
    parts = []
    for name, low, high in _visible(window):
        wide = (high - low) / (window.high - window.low)
        text = ZONE_NAMES[name] if wide > 0.14 else {"zero": "0", "overflow": "∞"}.get(name, "")
        parts.append(tag("text", text, x=_place(window, (low + high) / 2), y="11", class_=f"middle zone-{name}"))
    step = next(s for s in (2**k for k in count(1)) if (window.high - window.low) / s <= 9)
    edges = [low for _, low, _ in _visible(window)[1:]]
    every = range(-(-window.low // step) * step, window.high, step)
    apart = (window.high - window.low) / 10
    at = sorted([*edges, *(e for e in every if all(abs(e - edge) >= apart for edge in edges))])
    marks = [tag("text", with_superscripts(f"2^{int(e)}"), x=_place(window, e), y="28", class_="middle") for e in at]
    svg = tag("svg", parts, marks, class_="ruler", height="32", aria_hidden="true")
    return tag("div", tag("div", class_="name"), svg, tag("div", class_="note"), class_="row head")


def _histogram_row(window: Window, row: Histogram) -> Markup:
    heights = row.heights()
    shades = [
        tag(
            "rect", x=_place(window, low), y="0", width=_share_of(window, low, high), height="100%", class_=f"in-{name}"
        )
        for name, low, high in _visible(window)
        if name != "normal"
    ]
    now = [_bars_in(heights, low, high, name) for name, low, high in _visible(window)]
    moved = [(e + row.shift, h) for e, h in heights.items()] if row.shift else []
    ghost = bars(moved, class_="ghost") if moved else None
    drawing = tag(
        "svg", shades, stretched(window.low, window.high, now, ghost), class_="histogram", role="img",
        aria_label=spoken_histogram(window, row),
    )  # fmt: skip
    return tag("div", tag("div", row.name, class_="name"), drawing, _histogram_note(row), class_="row")


def _share_of(window: Window, low: float, high: float) -> str:
    return f"{number(100 * (high - low) / (window.high - window.low))}%"


def _bars_in(heights: dict[int, float], low: float, high: float, zone: str) -> Markup | None:
    inside = [(e, h) for e, h in heights.items() if low <= e < high]
    return bars(inside, class_=f"bar-{zone}") if inside else None


def _histogram_note(row: Histogram) -> Markup:
    fate = row.seen.fate()
    total = row.seen.finite or 1
    shares = (("become 0", fate.underflowed), ("subnormal", fate.subnormal), ("overflow", fate.overflowed))
    said = [f"{percent(n / total)} {name}" for name, n in shares if n]
    odd = row.seen.nans + row.seen.infinities
    if odd:
        said.append(f"{percent(odd / row.seen.total)} were NaN or ∞")
    first = tag("div", " · ".join(said) or ("all normal" if row.seen.finite else "all zero"))
    return tag("div", first, tag("div", _better(row), class_="muted") if _better(row) else None, class_="note")


def _better(row: Histogram) -> str:
    """What another loss scale would change."""
    parts = []
    if row.shift and row.seen.finite:
        parts.append(f"×2^{row.shift}: {percent(row.lost(row.shift))} lost")
    if row.own not in (row.shift, 0) and row.lost(row.own) < row.lost(row.shift):
        parts.append(f"best here ×2^{row.own}: {percent(row.lost(row.own))}")
    return with_superscripts("; ".join(parts))


def spoken_histogram(window: Window, row: Histogram) -> str:
    """A histogram as a sentence."""
    if not row.seen.binades:
        return f"{row.name}: no finite nonzero numbers."
    fate, total = row.seen.fate(), row.seen.finite
    peak = max(row.seen.exponents.items(), key=lambda item: item[1])[0]
    said = (
        f"{row.name}: exponents from {row.seen.lowest} to {row.seen.highest}, most at {peak}; of the nonzero numbers "
        f"{percent(fate.underflowed / total)} become 0, {percent(fate.subnormal / total)} subnormal, "
        f"{percent(fate.overflowed / total)} overflow in {window.fmt.name}."
    )
    return f"{said} Times 2 to the {row.shift}: {percent(row.lost(row.shift))} are lost." if row.shift else said


# --- shares over steps ----------------------------------------------------------------------------------------------


def strip_table(given: Sequence[Sequence[Strip]], extra: Sequence[Arrival] = (), rate: float = 0.0) -> Markup:
    """A row for each tensor, a strip for each measure, and one more column for the arrivals of steps, if given."""
    heads = [row[0].measure for row in given] + (["effective learning rate"] if extra else [])
    steps = given[0][0].steps
    span = f"step {steps[0]:,} to {steps[-1]:,}" if len(steps) > 1 else f"step {steps[0]:,}"
    head = tag(
        "div", tag("div", span, class_="name muted"), [tag("div", h, class_="cell") for h in heads], class_="row head"
    )
    body = [
        tag(
            "div",
            tag("div", parts[0].name, class_="name"),
            map(strip, parts),
            _arrival_of(extra, k, rate),
            class_="row",
        )
        for k, parts in enumerate(zip(*given, strict=True))
    ]
    return tag("div", head, body, class_=f"strips n{len(heads)}")


def _arrival_of(extra: Sequence[Arrival], k: int, rate: float) -> Markup | None:
    return sparkline(extra[k], rate) if extra else None


def strip(given: Strip) -> Markup:
    """A measure over steps: a bar for one or several examined steps, whose height and shade are the level."""
    shares = columns(given.shares, COLUMNS)
    drawn = [_level_bars(shares, k) for k in range(1, 6)]
    said = spoken_strip(given)
    drawing = tag("svg", stretched(0, len(shares), drawn), class_="strip", role="img", aria_label=said)
    last, most = percent(given.shares[-1].value, 2), percent(given.largest, 2)
    text = last if most == last else f"{last}, at most {most}"
    text = "none" if given.largest == 0 else text
    figure = tag("div", text, class_="figure" if given.largest else "figure muted")
    return tag("div", figure, drawing, class_="cell")


def _level_bars(shares: Sequence[Share], k: int) -> Markup | None:
    chosen = [(x, k / 5) for x, share in enumerate(shares) if level(share) == k]
    return bars(chosen, class_=f"level{k}") if chosen else None


def spoken_strip(given: Strip) -> str:
    """A strip as a sentence."""
    if given.largest is None:
        return f"{given.name}, {given.measure}: no nonzero number on any step."
    first, last = given.shares[0].value, given.shares[-1].value
    return (
        f"{given.name}, {given.measure}: {percent(first)} at step {given.steps[0]}, {percent(last)} at "
        f"step {given.steps[-1]}, at most {percent(given.largest)}."
    )


TOP = 1.25
"""The top of a sparkline: rounding can also make a step longer than it was."""


def sparkline(given: Arrival, rate: float) -> Markup:
    """How much of each step arrived at the weights, with a line for the whole step."""
    known = [a for a in given.arrived if a is not None]
    if not known:
        return tag("div", tag("div", "-", class_="figure muted"), class_="cell")
    points = [(i, a) for i, a in enumerate(_thinned(known)) if math.isfinite(a)]
    if not points:
        return tag("div", tag("div", "not finite", class_="figure"), class_="cell")
    last = known[-1]
    path = "M" + "L".join(f"{number(i)} {number(100 * (1 - min(max(a, 0), TOP) / TOP))}" for i, a in points)
    full = f"{number(100 * (1 - 1 / TOP))}%"
    wide = max(points[-1][0], 1)
    least = percent(min(a for _, a in points))
    drawing = tag(
        "svg", tag("line", x1="0", x2="100%", y1=full, y2=full, class_="full"),
        stretched(0, wide, tag("path", d=f"{path}h{0 if points[-1][0] else 1}", class_="spark"), height=100),
        class_="strip", role="img",
        aria_label=f"{given.name}: of the last step {percent(last)} arrived, at least {least}.",
    )  # fmt: skip
    text = f"{rate * last:.3g}, {percent(last)} of lr" if math.isfinite(last) else "not finite"
    return tag("div", tag("div", text, class_="figure"), drawing, class_="cell")


def _thinned(values: Sequence[float]) -> Sequence[float]:
    """The smallest of neighbouring values, so that no low is lost."""
    each = -(-len(values) // COLUMNS)
    return [min(values[i : i + each]) for i in range(0, len(values), each)]


def level_key() -> Markup:
    """What the heights and shades of strips mean."""
    names = ("below 0.1%", "0.1% to 1%", "1% to 10%", "10% to 50%", "50% and more")
    keys = [
        tag("li", tag("svg", tag("rect", x="0", y=str(15 - 3 * k), width="12", height=str(3 * k), class_=f"level{k}"),
            width="12", height="15", aria_hidden="true"), name)
        for k, name in enumerate(names, 1)
    ]  # fmt: skip
    return tag("ul", keys, class_="key")


def zone_key(shifted: bool) -> Markup:
    """What the colours and lines of histograms mean; their positions say the same."""
    names = [("zero", "becomes 0"), ("subnormal", "becomes subnormal"), ("normal", "normal"), ("overflow", "overflows")]
    keys = [_zone_sample(f"bar-{name}", text) for name, text in names]
    ghost = [_zone_sample("ghost", "after a change of the loss scale, as written beside it")] if shifted else []
    return tag("ul", join(keys, ghost), class_="key")


def _zone_sample(kind: str, text: str) -> Markup:
    rect = tag("rect", x="1", y="2", width="12", height="11", class_=kind)
    return tag("li", tag("svg", rect, width="14", height="15", aria_hidden="true"), text)
