"""Documents as HTML for notebooks: self-contained, escaped, readable on dark and on light pages."""

from __future__ import annotations

from html import escape

from .document import Document, Line, Row, Section, Table

# Colours are translucent backgrounds under text of the page's own colour, so that contrast is the page's; each field
# also has its own border, and the text of the rules says everything again.
_CSS = """
.fp16sim-why{font-size:14px;line-height:1.5;max-width:62em;color:inherit;overflow-x:auto}
.fp16sim-why h4{font-size:1.15em;font-weight:600;margin:.2em 0 .6em}
.fp16sim-why section{display:grid;grid-template-columns:7.5em 1fr;margin:0;padding:.45em 0;border-top:1px solid #8885}
.fp16sim-why h5{font-size:1em;font-weight:600;margin:0;opacity:.8}
.fp16sim-why dl{display:grid;grid-template-columns:6em 1fr;gap:.1em 1em;margin:0}
.fp16sim-why dl.plain{display:block}.fp16sim-why .plain dt{display:none}
.fp16sim-why dt{opacity:.75;font-weight:400}.fp16sim-why dd{margin:0;max-width:46em}
.fp16sim-why pre{font:inherit;font-family:ui-monospace,Menlo,Consolas,monospace;margin:0;padding:0;line-height:1.6;
background:none;color:inherit;border:0;white-space:pre;overflow:visible}
.fp16sim-why tbody tr:nth-child(n){background:none}
.fp16sim-why table{border-collapse:collapse;table-layout:auto;margin:.2em 0;font-size:1em;color:inherit;background:none}
.fp16sim-why td,.fp16sim-why th{border:0;padding:.05em 1em .05em 0;text-align:left;background:none;color:inherit;
font-family:ui-monospace,Menlo,Consolas,monospace;vertical-align:top;white-space:pre-wrap}
.fp16sim-why .labelled td:first-child{font:inherit;opacity:.75;min-width:6em}
.fp16sim-why th{font-weight:400;opacity:.75}
.fp16sim-why .sign{background:#d55e0040;border-bottom:3px double #d55e00}
.fp16sim-why .exponent{background:#009e7340;border-bottom:3px solid #009e73}
.fp16sim-why .trailing{background:#0072b240;border-bottom:3px dotted #3a94d0}
.fp16sim-why .kept{background:#0072b22e}
.fp16sim-why .guard{border:1px solid;font-weight:700}.fp16sim-why .round{border:1px dashed}
.fp16sim-why .sticky{border:1px dotted}
.fp16sim-why .chosen,.fp16sim-why .strong{font-weight:700}.fp16sim-why .muted{opacity:.75}
.fp16sim-why .warn{font-weight:700;text-decoration:underline wavy #d55e00}
"""


def html_of(document: Document) -> str:
    """The document as one HTML element with its style."""
    body = "".join(map(_section, document.sections))
    # The class twice: notebooks have rules of their own for tables and headings, and the more specific rule wins.
    style = _CSS.replace("\n", "").replace(".fp16sim-why ", ".fp16sim-why.fp16sim-why ")
    return f'<div class="fp16sim-why"><style>{style}</style><h4>{escape(document.title)}</h4>{body}</div>'


def _section(section: Section) -> str:
    labelled = any(isinstance(block, Row) and block.label for block in section.blocks)
    blocks = "".join(_block(block, "" if labelled else ' class="plain"') for block in section.blocks)
    kind = "labelled" if labelled else "free"
    return f'<section><h5>{escape(section.title)}</h5><div class="{kind}">{blocks}</div></section>'


def _block(block: Row | Table, attribute: str) -> str:
    if isinstance(block, Table):
        return _table(block)
    lines = "\n".join(map(_line, block.lines))
    shown = f"<pre>{lines}</pre>" if block.fixed else lines
    return f"<dl{attribute}><dt>{escape(block.label)}</dt><dd>{shown}</dd></dl>"


def _line(spans: Line) -> str:
    return "".join(
        f'<span class="{span.style}">{escape(span.text)}</span>' if span.style else escape(span.text) for span in spans
    )


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in table.headings)
    rows = "".join(f"<tr>{''.join(f'<td>{_line(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    return f"<table>{f'<tr>{head}</tr>' if any(table.headings) else ''}{rows}</table>"
