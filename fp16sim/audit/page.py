"""The findings as a page of HTML in one file: the scoreboard, and each subject below it."""

from __future__ import annotations

from ..report.markup import Markup, join, tag
from ..wording import joined, percent, share
from .records import Audit, Cause, Findings, Order, Verdict
from .report import (
    HEADINGS,
    Line,
    causes_of,
    conventions,
    conventions_of,
    example_of,
    grouped,
    measured_line,
    scoreboard,
    skipped,
    title_of,
)
from .summation import described

STYLE = """
:root { color-scheme: light dark; --line: #d0d5dd; --soft: #667085; --bad: #b42318; --good: #067647; --code: #f2f4f7 }
@media (prefers-color-scheme: dark) {
  :root { --line: #3a414d; --soft: #98a2b3; --bad: #f97066; --good: #47cd89; --code: #1f242f }
}
body { font: 16px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 4rem }
h1 { margin: 0 } h2 { margin: 2.5rem 0 .5rem; border-top: 1px solid var(--line); padding-top: 1.5rem }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem } p { margin: .25rem 0 } .soft { color: var(--soft) }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
th, td { text-align: left; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
th { font-weight: 600; color: var(--soft); font-size: .85rem } .number { text-align: right; white-space: nowrap }
.bad { color: var(--bad); font-weight: 600 } .good { color: var(--good) }
pre, code { font: .85rem/1.45 ui-monospace, monospace; background: var(--code); border-radius: 4px }
code { padding: .1rem .3rem; overflow-wrap: anywhere } pre { padding: .75rem; overflow-x: auto; margin: .25rem 0 }
li { margin: .4rem 0 } ul { padding-left: 1.2rem; margin: .25rem 0 } details { margin: .25rem 0 }
summary { cursor: pointer }
@media (max-width: 40rem) {
  thead { display: none } tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line) }
  td { display: flex; gap: .75rem; border: 0; padding: .1rem 0; text-align: left; white-space: normal }
  td::before { content: attr(data-name); flex: 0 0 7.5rem; color: var(--soft); font: .85rem system-ui, sans-serif }
  td.number { text-align: left; white-space: normal }
}
"""


def to_html(audit: Audit) -> str:
    """One file that loads nothing."""
    where = joined(f"{name} {version}" for name, version in audit.machine.items())
    body = join(
        tag("h1", "What the numerics here do"),
        tag("p", f"Made by fp16sim audit with {where}. ", CLAIM, class_="soft"),
        _table(HEADINGS, scoreboard(audit)),
        _conventions(audit),
        [_subject(one) for one in audit.subjects if not one.skipped],
        [tag("p", f"{name} was skipped: {why}", class_="soft") for name, why in skipped(audit)],
    )
    head = join(
        tag("meta", charset="utf-8"),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("title", "fp16sim audit"),
        tag("style", Markup(STYLE)),
    )
    return f"<!doctype html>\n{tag('html', tag('head', head), tag('body', body), lang='en')}\n".replace("</meta>", "")


CLAIM = (
    "An answer is wrong if it is neither what IEEE 754 says nor what the library documents. The line of code below an "
    "example computes the right answer, after import fp16sim as fs."
)


def _table(headings: tuple[str, ...], rows: list[Line] | list[tuple[str, str]]) -> Markup:
    head = tag("thead", tag("tr", [tag("th", text, class_=_class(text)) for text in headings]))
    body = tag("tbody", [_row(headings, row) for row in rows])
    return tag("div", tag("table", head, body), class_="wide")


def _row(headings: tuple[str, ...], row: Line | tuple[str, str]) -> Markup:
    return tag("tr", [_cell(name, text) for name, text in zip(headings, row, strict=True)])


def _cell(name: str, text: str) -> Markup:
    """A cell that knows its heading: on a narrow screen they stand side by side."""
    kind = _class(name) or ""
    if name == "wrong":
        kind += " good" if text == "0" else " bad"
    shown = tag("a", text, href=f"#{text}") if name == "subject" else text
    return tag("td", shown, class_=kind or None, data_name=name)


def _class(name: str) -> str | None:
    return "number" if name in ("compared", "wrong", "by convention", "seconds") else None


def _conventions(audit: Audit) -> Markup | None:
    rows = conventions(audit)
    if not rows:
        return None
    return join(tag("h2", "Where conventions differ"), _table(("beyond the range", "what libraries give"), rows))


def _subject(one: Findings) -> Markup:
    share_right = percent(share(one.compared - one.wrong, one.compared), digits=5)
    summary = f"{one.compared:,} answers compared, {share_right} right; {one.seconds:.1f} seconds"
    return join(
        tag("h2", f"{one.name} {one.version}", id=one.name),
        tag("p", summary, f", {one.import_seconds:.1f} to import it", class_="soft"),
        [tag("p", f"Not compared: {failure}.", class_="bad") for failure in one.failures],
        [_wrong(verdicts) for _, verdicts in grouped(one)],
        [tag("p", f"By convention, and not counted as wrong: {text}.") for text in conventions_of(one)],
        tag("h3", "In what order sums are taken") if one.orders else None,
        [_order(order) for order in one.orders],
        [tag("p", f"{found.name} in {found.fmt}: {measured_line(found)}.") for found in one.measured],
        _all(one),
    )


def _wrong(verdicts: list[Verdict]) -> Markup:
    several = f" Several causes: {len(verdicts[0].causes)}." if len(verdicts[0].causes) > 1 else None
    causes = tag("ul", [_cause(cause) for cause in causes_of(verdicts)])
    return join(tag("h3", title_of(verdicts)), tag("p", several) if several else None, causes)


def _cause(cause: Cause) -> Markup:
    return tag(
        "li",
        tag("b", f"{cause.count:,}: {cause.words}"),
        Markup("<br>"),
        example_of(cause),
        Markup("<br>"),
        tag("code", cause.example.line),
    )


def _order(order: Order) -> Markup:
    text = f"{order.name} in {order.fmt}: {described(order)}."
    if "\n" not in order.tree:
        return tag("p", text)
    return tag("details", tag("summary", text), tag("pre", order.tree))


def _all(one: Findings) -> Markup:
    rows = [tag("tr", *(tag("td", text) for text in _verdict_row(verdict))) for verdict in one.verdicts]
    head = tag("thead", tag("tr", *(tag("th", text) for text in ("comparison", "compared", "wrong", "by convention"))))
    table = tag("div", tag("table", head, tag("tbody", rows)), class_="wide")
    return tag("details", tag("summary", f"All {len(one.verdicts)} comparisons"), table) if rows else Markup("")


def _verdict_row(verdict: Verdict) -> tuple[str, ...]:
    return verdict.name, f"{verdict.compared:,}", f"{verdict.wrong:,}", f"{verdict.by_convention:,}"
