"""A Sphinx extension: the search shows extracts also where the site is read from a disk.

Sphinx's search finds the pages itself, but fetches each of them to show an extract, and a browser lets no page from a disk
fetch another. So their texts are written to a script, which the page of the search loads.
"""

from __future__ import annotations

import html
import json
from pathlib import Path

from docutils import nodes


def setup(app):
    """Two scripts for the page of the search, and for no other."""
    app.connect("html-page-context", _add_scripts)
    app.connect("build-finished", _write_texts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _add_scripts(app, pagename, templatename, context, doctree):
    if pagename == "search":
        app.add_js_file("page_texts.js")
        app.add_js_file(None, body=FETCH)


FETCH = """
if (location.protocol === "file:")
  window.fetch = (address) => Promise.resolve({
    text: () => Promise.resolve(`<div role="main">${PAGE_TEXTS[address.replace(/^[.][/]|[.]html$/g, "")] ?? ""}</div>`),
  });
"""


def _write_texts(app, exception):
    if exception is None and app.builder.format == "html":
        texts = {name: text_of(app.env.get_doctree(name)) for name in sorted(app.env.found_docs)}
        script = f"const PAGE_TEXTS = {json.dumps(texts, ensure_ascii=False)};\n"
        (Path(app.outdir) / "_static" / "page_texts.js").write_text(script, encoding="utf-8")


def text_of(page: nodes.document) -> str:
    """A page as sections with their ids, which results lead to, and nothing but text in them."""
    for remark in list(page.findall(nodes.Invisible)):
        remark.parent.remove(remark)
    return _text(page)


def _text(node: nodes.Node) -> str:
    if not isinstance(node, (nodes.document, nodes.section)):
        return html.escape(node.astext(), quote=False)
    inside = " ".join(map(_text, node.children))
    return f'<section id="{node["ids"][0]}">{inside}</section>' if isinstance(node, nodes.section) else inside
