"""The report of training runs: one HTML file with its figures inside, which opens anywhere without a network.

Read in this order: `markup` (text that is escaped), `series` (what the figures show, as data), `drawing` and `figures`
(how they are drawn), `results`, `microscope` and `tables` (the parts of the page), `style` (its looks).
"""

from __future__ import annotations

from collections.abc import Sequence

from ..learn import History
from .commands import command
from .css import STYLE
from .markup import Markup, join, tag
from .microscope import microscope
from .results import curves, diagnosis, result_table, task, total_steps, verdict
from .svg import definitions
from .tables import configuration, cost_table
from .words import listed

__all__ = ["command", "html"]

UNFOLDED = 3
"""With more runs than so many, each run's part is folded away at first."""


def html(histories: Sequence[History]) -> str:
    """The report of runs, side by side, as the text of an HTML file. Byte-stable: the same runs give the same text.

    Parameters
    ----------
    histories : sequence of History
        Finished runs, and those that died.

    Returns
    -------
    str
        A document that needs nothing else: no network, no scripts, no fonts, no other files.

    Raises
    ------
    ValueError
        If there are no runs.

    Examples
    --------
    >>> from fp16sim.learn import train
    >>> text = html([train("pure-binary16", epochs=1)])
    >>> "pure-binary16 died at step 1" in text
    True
    """
    if not histories:
        raise ValueError("histories is empty; give at least one run")
    labels = listed(list(dict.fromkeys(h.config.label for h in histories)))
    head = tag("head", _metadata(f"{labels}: fp16sim training report"))
    body = tag("body", definitions(), tag("main", _title(histories), _sections(histories), _footer()))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _metadata(title: str) -> Markup:
    fixed = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    scheme = '<meta name="color-scheme" content="light dark">'
    return join(Markup(fixed + scheme), tag("title", title), tag("style", Markup(STYLE)))


def _title(histories: Sequence[History]) -> Markup:
    tasks = listed(list(dict.fromkeys(map(task, histories))))
    what = f"{tasks}. {total_steps(histories)}, every operation rounded as its policy says."
    return tag(
        "header",
        tag("p", "fp16sim training report", class_="kicker"),
        tag("h1", verdict(histories)),
        tag("p", what, class_="muted"),
    )


def _sections(histories: Sequence[History]) -> Markup:
    unfolded = len(histories) <= UNFOLDED
    seen = [microscope(h, k, unfolded) for k, h in enumerate(histories)]
    parts = (
        ("results", "Results", result_table(histories)),
        ("diagnosis", "Diagnosis", diagnosis(histories)),
        ("curves", "Epoch by epoch", curves(histories)),
        ("microscope", "Under the microscope", join(seen)),
        ("costs", "What a step costs", join(tag("p", COSTS_SAY, class_="muted"), cost_table(histories))),
        ("configuration", "Configuration", configuration(histories)),
    )
    links = tag("nav", tag("ul", [tag("li", tag("a", t, href=f"#{key}")) for key, t, _ in parts]), aria_label="parts")
    return join(links, [tag("section", tag("h2", title), part, id=key, class_="part") for key, title, part in parts])


COSTS_SAY = (
    "Counted exactly, from shapes and widths: what is held, computed and moved in a step of one batch, if each "
    "operation reads its operands from memory and writes its result back. Percentages are of binary32. How fast a "
    "machine does that is not known here: these runs emulate their formats on a CPU."
)


def _footer() -> Markup:
    text = "Absorbed updates and overflows are counted on every step; the rest, on the steps that were looked at."
    return tag("footer", tag("p", text), tag("p", "Made by fp16sim. This file is complete: it loads nothing."))
