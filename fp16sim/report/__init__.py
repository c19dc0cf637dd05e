"""The report of training runs: one HTML file with its figures inside, which opens anywhere without a network.

Read in this order: `markup` (HTML as values), `series` (what the figures show, as data), `svg` and `figures` (how they
are drawn), `notes` (how numbers were measured), `outcomes`, `microscope` and `tables` (the parts of the page),
`commands` (the command lines in its advice) and `css` (its style sheet).
"""

from __future__ import annotations

from collections.abc import Sequence

from ..learn import History
from ..wording import count, joined
from .commands import command
from .css import STYLE
from .markup import Markup, join, tag
from .microscope import microscope
from .outcomes import curves, diagnosis, notes, result_table, samples, task, verdict
from .svg import definitions, looks
from .tables import configuration, cost_table, setting_table

__all__ = ["command", "html"]

UNFOLDED = 1
"""With more runs than this, the details of each run are folded away at first. What is open is printed."""


def html(histories: Sequence[History]) -> str:
    """The report of runs, side by side, as the text of an HTML file. The same runs always give the same text.

    Parameters
    ----------
    histories : sequence of History
        Finished runs, and those that died.

    Returns
    -------
    str
        A complete document: it loads nothing over a network, no scripts, no fonts and no other files.

    Raises
    ------
    ValueError
        If there are no runs.

    Examples
    --------
    >>> from fp16sim.learn import train
    >>> text = html([train("pure-binary16", epochs=1)])
    >>> "died at step 1" in text
    True
    """
    if not histories:
        raise ValueError("histories is empty; give at least one run")
    labels = joined(dict.fromkeys(h.config.label for h in histories))
    head = tag("head", _metadata(f"{labels}: fp16sim training report"))
    body = tag("body", definitions(), tag("main", _title(histories), _sections(histories), _footer()))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _metadata(title: str) -> Markup:
    fixed = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    scheme = '<meta name="color-scheme" content="light dark">'
    return join(Markup(fixed + scheme), tag("title", title), tag("style", Markup(STYLE)))


def _title(histories: Sequence[History]) -> Markup:
    tasks = joined(dict.fromkeys(map(task, histories)))
    steps = count(sum(h.steps for h in histories), "step")
    what = f"{tasks}. {steps} in all, with every operation rounded as the policy of its run says."
    return tag(
        "header",
        tag("p", "fp16sim training report", class_="kicker"),
        tag("h1", _unbroken(verdict(histories))),
        tag("p", what, class_="muted"),
    )


def _unbroken(sentence: str) -> Markup:
    """A sentence in which a name with hyphens, such as pure-binary16, is not broken at the end of a line."""
    words = [tag("span", word) if "-" in word else join(word) for word in sentence.split(" ")]
    return Markup(" ".join(words))


def _sections(histories: Sequence[History]) -> Markup:
    unfolded = len(histories) <= UNFOLDED
    shown = zip(histories, looks([h.config.label for h in histories]), strict=True)
    seen = [microscope(h, k, look, unfolded) for k, (h, look) in enumerate(shown)]
    parts = (
        (
            "results",
            "Results",
            join(result_table(histories), notes(histories), samples(histories), setting_table(histories)),
        ),
        ("diagnosis", "Diagnosis", diagnosis(histories)),
        ("curves", "Epoch by epoch", curves(histories)),
        ("microscope", "Under the microscope", join(seen)),
        ("costs", "What a step costs", join(tag("p", COSTS_SAY, class_="muted"), cost_table(histories))),
        ("configuration", "Configuration", configuration(histories)),
    )
    links = tag("nav", tag("ul", [tag("li", tag("a", t, href=f"#{key}")) for key, t, _ in parts]), aria_label="parts")
    return join(links, [tag("section", tag("h2", title), part, id=key, class_="part") for key, title, part in parts])


COSTS_SAY = (
    "Counted exactly, from shapes and widths, for a step with one batch. Bytes moved: if each operation reads its "
    "operands from memory and writes its result to memory. Percentages compare with the same run in binary32. These "
    "counts do not say how fast a machine is: the runs emulate their formats on a CPU."
)


def _footer() -> Markup:
    text = "Updates without effect and overflows are counted on every step; all else on the examined steps."
    return tag("footer", tag("p", text), tag("p", "Made by fp16sim. This file is complete: it loads nothing else."))
