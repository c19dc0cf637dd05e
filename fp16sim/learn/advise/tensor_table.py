"""The table of inspected tensors: a row for each tensor in each format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import fill
from typing import TypeAlias

from ...wording import aligned, number, percent, share
from .inspected import InFormat, Inspected, together
from .verdict import Kind, best_scale

FEW = 12
"""Of more tensors, only those that lose most are listed."""


def _number(x: float | None) -> str:
    return "-" if x is None else number(x)


def _error(found: InFormat, error: float) -> str:
    return f"{error:.2g}" if found.survey.finite else "-"


def _of_all(n: int, one: Inspected | InFormat) -> str:
    return percent(share(n, one.survey.total))


def _of_nonzero(n: int, found: InFormat) -> str:
    return percent(share(n, found.survey.finite))


def _exponents(one: Inspected) -> str:
    return f"2^{one.survey.lowest}..2^{one.survey.highest}" if one.survey.finite else "-"


def _scale(found: InFormat) -> str:
    best = best_scale(found)
    return f"2^{best}" if best else "-"


Facts: TypeAlias = dict[str, Callable[[Inspected], str]]
Results: TypeAlias = dict[str, Callable[[InFormat], str]]

FACTS: dict[Kind, Facts] = {
    "gradients": {
        "gradients": lambda one: f"{one.survey.total:,}",
        "zero": lambda one: _of_all(one.survey.zeros, one),
        "exponents": _exponents,
    },
    "values": {
        "values": lambda one: f"{one.survey.total:,}",
        "from": lambda one: _number(one.smallest),
        "to": lambda one: _number(one.largest),
        "distinct": lambda one: _number(one.distinct),
    },
}
"""The columns with facts about a tensor, which stand in its first row only."""

NOT_FINITE: Facts = {"NaN,\ninf": lambda one: _of_all(one.survey.nans + one.survey.infinities, one)}
"""One more such column, if there are any."""

RESULTS: dict[Kind, Results] = {
    "gradients": {
        "format": lambda found: found.fmt.name,
        "become\n0": lambda found: _of_nonzero(found.fate.underflowed, found),
        "sub-\nnormal": lambda found: _of_nonzero(found.fate.subnormal, found),
        "over-\nflow": lambda found: _of_nonzero(found.fate.overflowed, found),
        "mean\nerror": lambda found: _error(found, found.mean_error),
        "loss\nscale": _scale,
    },
    "values": {
        "format": lambda found: found.fmt.name,
        "become\n0": lambda found: _of_all(found.fate.underflowed, found),
        "over-\nflow": lambda found: _of_all(found.fate.overflowed, found),
        "change": lambda found: _of_all(found.changed, found),
        "mean\nerror": lambda found: _error(found, found.mean_error),
        "distinct": lambda found: _number(found.distinct),
    },
}
"""The columns that say what a format makes of a tensor."""


def table(kind: Kind, tensors: Sequence[Inspected], each: bool = False, width: int = 100) -> str:
    """The table as text. If there are many tensors, only those that lose most are listed, unless `each` is true.

    If it is wider than `width` characters, the name of each tensor and its facts stand in lines above its row.
    """
    whole = together(tensors)
    facts = FACTS[kind] | (NOT_FINITE if whole.survey.nans + whole.survey.infinities else {})
    shown = tensors if each or len(tensors) <= FEW else sorted(tensors, key=_mean_error, reverse=True)[:FEW]
    heads = ("tensor", *facts, *RESULTS[kind])
    rows = _two_lines(heads)
    for one in [*shown, whole] if len(tensors) > 1 else shown:
        head = (one.name, *(show(one) for show in facts.values()))
        for found in one.formats:
            rows.append((*head, *(show(found) for show in RESULTS[kind].values())))
            head = ("",) * len(head)
    return _title(shown, tensors) + _fitted(rows, list(facts), width)


def _two_lines(heads: Sequence[str]) -> list[tuple[str, ...]]:
    """The two rows of a table's head."""
    return [tuple(head.partition("\n")[i] for head in heads) for i in (0, 2)]


def _title(shown: Sequence[Inspected], tensors: Sequence[Inspected]) -> str:
    return f"The {len(shown)} of {len(tensors)} tensors that lose most:\n" if len(shown) < len(tensors) else ""


def _fitted(rows: Sequence[Sequence[str]], facts: Sequence[str], width: int) -> str:
    """The table; if it is too wide, with the name of each tensor and its facts above its rows."""
    text = aligned(rows)
    return text if max(map(len, text.splitlines())) <= width else _facts_above(rows, facts)


def _facts_above(rows: Sequence[Sequence[str]], facts: Sequence[str]) -> str:
    """The table of the results alone; the name of a tensor and its facts stand in two lines above its first row."""
    first = len(facts) + 1
    lines = [f"    {line}" for line in aligned([row[first:] for row in rows]).splitlines()]
    for i, row in enumerate(rows[2:], 2):
        if row[0]:
            said = ", ".join(
                f"{fact.replace(chr(10), ' ')} {cell}" for fact, cell in zip(facts, row[1:first], strict=True)
            )
            lines[i] = f"{row[0]}\n  {said}\n{lines[i]}"
    return "\n".join(lines)


def block_table(tensors: Sequence[Inspected], each: bool = False, width: int = 100) -> str:
    """What blocks make of each tensor, as text; "" if that was not asked for. Of many tensors, those that lose most."""
    whole = together(tensors)
    if not whole.blocks:
        return ""
    shown = tensors if each or len(tensors) <= FEW else sorted(tensors, key=_block_error, reverse=True)[:FEW]
    rows = _two_lines(("tensor", "blocks of", "blocks", "become 0", "saturate", "error"))
    for one in [*shown, whole] if len(tensors) > 1 else shown:
        name = one.name
        for found in one.blocks:
            shares = [percent(share(n, found.finite)) for n in (found.vanished, found.saturated)]
            error = "-" if found.error is None else percent(found.error)
            rows.append((name, found.block, f"{found.blocks:,}", *shares, error))
            name = ""
    del rows[1]
    text = aligned(rows, left=2)
    if max(map(len, text.splitlines())) > width:
        text = _names_above(rows)
    said = "In blocks along the last axis. The error is the length of the difference / the length of the tensor."
    return f"{fill(said, width)}\n{_title(shown, tensors)}{text}"


def _names_above(rows: Sequence[Sequence[str]]) -> str:
    """The table without its first column; each name stands in a line above its rows."""
    lines = [f"  {line}" for line in aligned([row[1:] for row in rows]).splitlines()]
    named = [f"{row[0]}\n{line}" if row[0] else line for row, line in zip(rows[1:], lines[1:], strict=True)]
    return "\n".join([lines[0], *named])


def _block_error(one: Inspected) -> float:
    return max(found.error or 0.0 for found in one.blocks)


def channel_table(tensors: Sequence[Inspected], each: bool = False, width: int = 100) -> str:
    """The channel of each tensor that loses most, as text; "" if that was not asked for."""
    having = [one for one in tensors if one.channels]
    if not having:
        return ""
    shown = having if each or len(having) <= FEW else sorted(having, key=_channel_error, reverse=True)[:FEW]
    facts = ("channels", "largest\nfrom", "\nto")
    rows = _two_lines(("tensor", *facts, "format", "worst\nchannel", "become\n0", "over-\nflow", "mean\nerror"))
    for one in shown:
        assert one.channels is not None
        amax = one.channels.amax
        head: tuple[str, ...] = (one.name, f"{len(amax):,}", _number(min(amax)), _number(max(amax)))
        for found in one.channels.formats:
            k = found.worst
            total = one.channels.finite[k]
            lost = [percent(share(n, total)) for n in (found.underflowed[k], found.overflowed[k])]
            rows.append((*head, found.fmt.name, str(k), *lost, f"{found.mean_error[k]:.2g}" if total else "-"))
            head = ("",) * len(head)
    axis = shown[0].channels.axis if shown[0].channels else 0
    said = (
        f"By channel, the indices of axis {axis}: the largest magnitudes, and the channel with the largest mean error."
    )
    return f"{fill(said, width)}\n{_title(shown, having)}{_fitted(rows, ('channels', 'largest from', 'to'), width)}"


def _channel_error(one: Inspected) -> float:
    return max(max(found.mean_error) for found in one.channels.formats) if one.channels else 0.0


def _mean_error(one: Inspected) -> float:
    return max(found.mean_error for found in one.formats)
