"""The page from its parts, without a JavaScript build step: the modules are joined in the order of their imports.

Each module becomes a function that returns its exports, so that its other names stay its own:

    import { sum } from "./exact.js";         const { sum } = $exact;
    export function add(x) { ... }            function add(x) { ... }    return { add };
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

from ..accumulators.machines import DATAPATHS, SOURCES, STEPS
from ..blocks import BLOCKS, SCALE_RULES, Block, FixedPoint
from ..blocks.block import FOR
from ..formats import ALIASES, NAMED_FORMATS, Format
from ..overflow import CONVENTIONS, Overflow
from ..version import __version__

STYLES = ("tokens.css", "layout.css", "views.css", "blocks.css", "window.css", "print.css")
_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) (\w+))", re.MULTILINE)


def source(name: str) -> str:
    """The text of one source file of the page."""
    return (files(__package__) / name).read_text(encoding="utf-8")


def link(start: str, read: Callable[[str], str] = source) -> str:
    """One script from the module `start` and all modules that it imports, each once and after its own imports.

    Raises
    ------
    ValueError
        If modules import each other in a circle, or have an import or export of another form than those above.
    """
    return "\n".join(_linked(start, read, [], {}))


def _linked(name: str, read: Callable[[str], str], path: list[str], done: dict[str, bool]) -> Iterator[str]:
    if name in path:
        raise ValueError(f"modules import each other: {' -> '.join([*path, name])}; move what they share into a third")
    if name in done:
        return
    text = read(f"{name}.js")
    for _, other in _IMPORT.findall(text):
        yield from _linked(other, read, [*path, name], done)
    done[name] = True
    yield _wrapped(name, text)


def _wrapped(name: str, text: str) -> str:
    exports = _EXPORT.findall(text)
    body = _EXPORT.sub("", _IMPORT.sub(lambda found: f"const {{{found[1]}}} = ${found[2]};\n", text))
    left = re.search(r"^(?:import|export)\b.*", body, re.MULTILINE)
    if left or "</script" in body.lower():
        raise ValueError(f"{name}.js cannot be linked: {left[0] if left else 'it contains a closing script tag'}")
    return f"const ${name} = (() => {{\n{body}\nreturn {{ {', '.join(exports)} }};\n}})();\n"


def format_row(fmt: Format) -> dict[str, Any]:
    """What the page cannot derive of a format."""
    return {
        "name": fmt.name,
        "aliases": ALIASES.get(fmt.name, "").split(),
        "width": fmt.width,
        "precision": fmt.precision,
        "specials": fmt.specials.value,
        "subnormals": fmt.subnormals.value,
        "saturate": fmt.saturate,
        "nanCode": fmt.nan_code,
        "bias": fmt.bias,
        "signed": fmt.signed,
        "zero": fmt.zero,
    }


def overflow_row(convention: Overflow) -> dict[str, Any]:
    """What a convention says of each format."""
    return {
        "name": convention.name,
        "saturates": convention.saturates,
        "overflows": convention.overflows,
        "nan": convention.nan,
    }


def block_row(block: Block) -> dict[str, Any]:
    """The parts of a block: formats by name, and two's complement by its widths."""
    element: Any = block.element.name
    if isinstance(block.element, FixedPoint):
        element = {"name": element, "width": block.element.width, "fractionBits": block.element.fraction_bits}
    return {
        "name": block.name,
        "element": element,
        "scale": block.scale.name,
        "size": block.size,
        "tensor": block.tensor_scale and block.tensor_scale.name,
        "rule": block.default_rule,
        "rules": block.rules,
    }


def unit_rows() -> dict[str, Any]:
    """What matrix units do with factors that have no block scales; names of columns once, since there are many rows."""
    rows = [
        {
            "machine": path.machine,
            "factors": path.factors,
            "output": path.output.name,
            "model": path.model,
            "step": path.step,
            "group": path.group,
            "bits": path.bits or None,
            "precision": path.rounds_to.precision,
            "mode": path.mode.value,
            "zero": path.zero,
            "least": path.least,
            "flushes": path.flushes,
            "evidence": path.evidence,
        }
        for path in DATAPATHS
        if not path.scales
    ]
    sources = {name: words for name, words in SOURCES.items() if name != "hypothetical"}
    return {"columns": list(rows[0]), "rows": [list(row.values()) for row in rows], "steps": STEPS, "sources": sources}


def assemble(state: str = "") -> str:
    """The whole page as one HTML text that opens at `state`: the part of a copied link after "#"."""
    facts = {
        "version": __version__,
        "state": state,
        "formats": [format_row(fmt) for fmt in NAMED_FORMATS],
        "blocks": [block_row(block) for block in BLOCKS.values()],
        "rules": SCALE_RULES,
        "rulesFor": FOR,
        "units": unit_rows(),
        "overflows": [overflow_row(convention) for convention in CONVENTIONS.values()],
    }
    parts = {
        "style": "\n".join(map(source, STYLES)),
        "script": link("main"),
        # The state is the user's text. It comes last, so that no mark in it is replaced; without "<" it cannot end its
        # element.
        "facts": json.dumps(facts).replace("<", "\\u003c"),
    }
    page = source("explorer.html")
    for name, text in parts.items():
        head, mark, tail = page.partition(f"/* {name} */")
        if not mark:
            raise ValueError(f"explorer.html has no mark for {name}; add /* {name} */ where it belongs")
        page = head + text + tail
    return page
