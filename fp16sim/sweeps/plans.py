"""Sweeps as TOML files: the function, the options of all cells, the axes, listed cells, and what to show."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..wording import did_you_mean, joined, quoted

TRAIN = "train"
"""The function of a file that names none: training."""


@dataclass(frozen=True)
class Plan:
    """A sweep as a TOML file describes it; see `run` for what each part means.

    Attributes
    ----------
    function : str
        "module:function", or "train".
    axes : dict of str to list
    cells : tuple of dict
    base : dict
    over : str or None
    show : tuple of str
    """

    function: str = TRAIN
    axes: dict[str, list[Any]] | None = None
    cells: tuple[dict[str, Any], ...] = ()
    base: dict[str, Any] | None = None
    over: str | None = None
    show: tuple[str, ...] = ()


KINDS: dict[str, tuple[type, str]] = {
    "function": (str, 'a text, such as "module:function"'),
    "axes": (dict, "a table [axes] of lists"),
    "cells": (list, "a list of tables [[cells]]"),
    "base": (dict, "a table [base] of options"),
    "over": (str, "the name of an axis"),
    "show": (list, "a list of names of results"),
}
"""What each part of a file has to be."""


def read_plan(path: str | Path) -> Plan:
    """The sweep that a TOML file describes.

    Raises
    ------
    ValueError
        If the file is no TOML, or has a part that is unknown or of another kind.
    OSError
        If it cannot be read.
    """
    path = Path(path)
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{str(path)!r} is not a TOML file: {' '.join(str(error).split())}") from None
    known = [field.name for field in fields(Plan)]
    for name, value in given.items():
        if name not in known:
            similar = did_you_mean(name, known).rstrip() or f"use {joined(known, 'or')} (options go under [base])"
            raise ValueError(f"{str(path)!r}: {name} is unknown; {similar}")
        kind, expected = KINDS[name]
        if not isinstance(value, kind):
            raise ValueError(f"{str(path)!r}: {name}={quoted(value)} is not {expected}")
    if any(not isinstance(name, str) for name in given.get("show", ())):
        raise ValueError(f"{str(path)!r}: show={quoted(given['show'])} is not a list of names of results")
    if "axes" in given:
        given["axes"] = dict(_flat(given["axes"]))
    parts: Any = {name: tuple(part) if isinstance(part, list) else part for name, part in given.items()}
    return Plan(**parts)


def _flat(axes: dict[str, Any], owner: str = "") -> Iterator[tuple[str, Any]]:
    """Axes by their whole names: TOML reads `gpt.width = [16, 32]` as a table in a table.

    >>> dict(_flat({"lr": [0.1], "gpt": {"width": [16, 32]}}))
    {'lr': [0.1], 'gpt.width': [16, 32]}
    """
    for name, values in axes.items():
        if isinstance(values, dict):
            yield from _flat(values, f"{owner}{name}.")
        else:
            yield owner + name, values
