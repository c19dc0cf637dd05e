"""The last part of the report: what a step costs, and the configuration in full."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

from ..learn import Config, History, costs
from ..learn.advise.costs import BYTES, OPERATIONS, Costs
from ..learn.run.settings import compare_settings
from ..wording import percent
from .markup import Markup, join, tag
from .notes import shared_settings


def size(bytes_: int) -> str:
    """Bytes in the unit that suits them.

    >>> size(512), size(373288), size(5 * 2**20)
    ('512 B', '365 KiB', '5.00 MiB')
    """
    value, unit = float(bytes_), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1000:
            break
        value, unit = value / 1024, larger
    return f"{value:.0f} {unit}" if unit == "B" else f"{_three(value)} {unit}"


def amount(n: float) -> str:
    """A count, a large one in millions or more.

    >>> amount(999), amount(1234567), amount(2.5e9)
    ('999', '1.23 million', '2.50 billion')
    """
    for factor, name in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if n >= factor:
            return f"{_three(n / factor)} {name}"
    return f"{n:,.0f}"


def _three(x: float) -> str:
    """A number of at least 1 with about three digits."""
    return f"{x:.{max(0, 2 - math.floor(math.log10(max(x, 1))))}f}"


def cost_table(histories: Sequence[History]) -> Markup:
    """The exact bytes and operations of each run, beside those of the same run in binary32."""
    known = [h for h in histories if _is_known(h)]
    if not known:
        return tag("p", "Not counted: costs are known for digits, mnist and fashion-mnist.", class_="muted")
    pairs = [(costs(_in_binary32(h.config)), costs(h.config)) for h in known]
    alike = len({base for base, _ in pairs}) == 1
    heads = ["", *(["all in binary32"] if alike else []), *(h.config.label for h in known)]
    rows = [_cost_row(name, title, size, pairs, alike) for name, title in BYTES.items()]
    rows += [_cost_row(name, title, amount, pairs, alike) for name, title in OPERATIONS.items()]
    return _scrolled(_table(heads, rows, "costs"), "costs")


def _is_known(history: History) -> bool:
    """Whether the costs are those of this run: own data under another name can have another shape, so another model."""
    return costs(history.config).parameters == sum(x.size for x in history.params.values())


def _in_binary32(config: Config) -> Config:
    return replace(config, recipe="", policy="binary32", loss_scale="none", update="plain")


def _cost_row(
    name: str, title: str, write: Callable[[Any], str], pairs: Sequence[tuple[Costs, Costs]], alike: bool
) -> list[Any]:
    """What each run needs, in its own unit and relative to the same run in binary32."""
    cells = []
    for in_binary32, own in pairs:
        base, value = getattr(in_binary32, name), getattr(own, name)
        part = tag("div", percent(value / base), class_="muted") if base and value != base else None
        cells.append(join(tag("div", write(value)), part))
    return [title, *([write(getattr(pairs[0][0], name))] if alike else []), *cells]


# --- settings -------------------------------------------------------------------------------------------------------


def setting_table(histories: Sequence[History]) -> Markup:
    """The settings that matter: those that all runs share in a sentence, the others in a table."""
    configs = [h.config for h in histories]
    differing = compare_settings(configs).differing
    rows = list(zip((config.label for config in configs), *differing.values(), strict=True))
    table = _scrolled(_table(["run", *differing], rows, "options"), "settings that differ") if differing else None
    return join(tag("p", shared_settings(configs), class_="muted"), table)


# --- configuration --------------------------------------------------------------------------------------------------


def configuration(histories: Sequence[History]) -> Markup:
    """Every option of every run; the options in which the runs differ are marked and come first."""
    options = [flat(h.config) for h in histories]
    names = list(options[0])
    differing = [name for name in names if len({str(o[name]) for o in options}) > 1]
    order = [*differing, *(name for name in names if name not in differing)]
    heads = ["option", *(h.config.label for h in histories)]
    rows = [[_named(name, name in differing), *(str(o[name]) for o in options)] for name in order]
    return _scrolled(_table(heads, rows, "options"), "configuration")


def flat(config: Config) -> dict[str, Any]:
    """All options, with those of the policy, as texts and numbers."""
    plain = config.to_dict()
    policy = {f"policy: {name}": "-" if v is None else v for name, v in config.policy.to_dict().items()}
    plain["model"] = str(config.model)
    rest = {f.name: plain[f.name] for f in fields(config) if f.name not in ("policy", "recipe", "gpt")}
    if config.model == "gpt":
        rest |= {f"gpt: {name}": value for name, value in plain["gpt"].items()}
    return {"recipe": config.recipe or "-", **policy, **{name: _shown(value) for name, value in rest.items()}}


def _shown(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "-"
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else value if value != "" else "-"


def _named(name: str, differs: bool) -> Markup:
    return join(name, tag("span", " ≠", title="the runs differ") if differs else None)


# --- tables ---------------------------------------------------------------------------------------------------------


def _table(heads: Sequence[str], rows: Sequence[Sequence[Any]], kind: str) -> Markup:
    head = tag("tr", [tag("th", text, scope="col") for text in heads])
    body = [tag("tr", tag("th", row[0], scope="row"), [tag("td", cell) for cell in row[1:]]) for row in rows]
    return tag("table", tag("thead", head), tag("tbody", body), class_=kind)


def _scrolled(table: Markup, name: str) -> Markup:
    """A table that scrolls in a narrow page, by keyboard too."""
    return tag("div", table, class_="scrolled", tabindex="0", role="region", aria_label=name)
