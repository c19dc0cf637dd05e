"""The code that a function needs, read from the source of its file: itself, its helpers, and its imports.

A solution is shown so, and two attempts are told apart so: neither comments nor other functions of the file count.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Iterable
from types import CodeType
from typing import Any

Node = ast.stmt


def _names(node: Node) -> set[str]:
    """What a statement at the top of a file defines."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    stored = [inner for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)]
    loops = [inner for inner in ast.walk(node) if isinstance(inner, ast.comprehension)]
    inside = {name for loop in loops for name in ast.walk(loop.target)}  # known inside the comprehension only
    return {name.id for name in stored if name not in inside}


def needed(tree: ast.Module, name: str) -> list[Node]:
    """The statements that a function needs, in the order of the file; none if there is no such function."""
    wanted, found, unread = set[Node](), set[str](), [name]
    defined = [(node, _names(node)) for node in tree.body]
    while unread:
        one = unread.pop()
        found.add(one)
        for node, names in defined:
            if one in names and node not in wanted:
                wanted.add(node)
                used = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
                unread += sorted(used - found)
    return [node for node in tree.body if node in wanted]


def functions(text: str) -> list[str]:
    """The names of the functions at the top of a file, in order.

    Raises
    ------
    SyntaxError
        If it is not Python.
    """
    return [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]


def docstring(text: str, name: str) -> str:
    """The docstring of a function, without indentation; empty if it has none."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return ast.get_docstring(node) or ""
    return ""


def code_of(text: str, name: str) -> str:
    """The code that a function needs, with comments and without docstrings.

    >>> print(code_of("import math\\nimport sys\\ndef f(x):\\n    'Why.'\\n    return math.pi  # pi", "f"))
    import math
    <BLANKLINE>
    <BLANKLINE>
    def f(x):
        return math.pi  # pi
    """
    tree, lines = ast.parse(text), text.splitlines()
    parts: list[str] = []
    before = False
    for node in needed(tree, name):
        is_import = isinstance(node, (ast.Import, ast.ImportFrom))
        if parts:
            parts += [""] * (0 if is_import and before else 2)
        before = is_import
        shown = _lines(node)
        parts += [line for number, line in enumerate(lines, 1) if number in shown]
    return "\n".join(parts)


def _lines(node: Node) -> set[int]:
    """The numbers of the lines of a statement, without those of a docstring."""
    first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
    lines = set(range(first, (node.end_lineno or first) + 1))
    if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None and len(node.body) > 1:
        text = node.body[0]
        lines -= set(range(text.lineno, (text.end_lineno or text.lineno) + 1))
    return lines


# --- which attempts are the same ------------------------------------------------------------------------------------


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def fingerprint(text: str, name: str) -> str:
    """What tells two versions of a function in a file apart: neither comments nor docstrings nor layout count."""
    dumped = []
    for node in needed(ast.parse(text), name):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
        dumped.append(ast.dump(node))
    return _digest("\n".join(dumped))


def fingerprint_here(function: Callable[..., Any]) -> str:
    """The same for a function of this process: by its compiled code, and that of the functions it calls by name."""
    return _digest("\n".join(_compiled(function, set())))


def _compiled(function: Any, seen: set[str]) -> Iterable[str]:
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType) or code.co_name in seen:
        return
    seen.add(code.co_name)
    yield from _described(code)
    for name in code.co_names:
        yield from _compiled(getattr(function, "__globals__", {}).get(name), seen)


def _described(code: CodeType) -> Iterable[str]:
    yield code.co_code.hex()
    yield " ".join(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _described(constant)
        elif not (isinstance(constant, str) and constant == code.co_consts[0]):  # the first text is the docstring
            yield repr(constant)


def has_dots(function: Any) -> bool:
    """Whether the code of a function contains `...`: the place to fill in."""
    code = getattr(function, "__code__", None)
    return isinstance(code, CodeType) and _has_dots(code)


def _has_dots(code: CodeType) -> bool:
    constants = [inner for x in code.co_consts for inner in (x if isinstance(x, tuple) else (x,))]
    return any(x is ... or (isinstance(x, CodeType) and _has_dots(x)) for x in constants)


def is_to_fill_in(text: str, name: str) -> bool:
    """Whether a function in a file still has the dots of a stub."""
    return any(
        isinstance(inner, ast.Constant) and inner.value is ...
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and node.name == name
        for inner in ast.walk(node)
    )
