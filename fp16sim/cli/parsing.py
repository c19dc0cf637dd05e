"""What the commands share in reading their arguments: a parser that knows numbers, and the types of options."""

from __future__ import annotations

import argparse
import re
import sys
from typing import Any

from ..exact import parse
from ..formats import get_format


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Defaults are shown, and the examples keep their lines."""


class Parser(argparse.ArgumentParser):
    """argparse that knows a negative number (-1e-5, -inf, -1/3, -sqrt(2)) from an option, and complains in one line."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", HelpFormatter)
        super().__init__(*args, **kwargs)
        self._negative_number_matcher = re.compile(r"^-\.?\d|^-(inf|nan)|^-\(|^-[a-z]{2,}\(", re.IGNORECASE)

    def error(self, message: str) -> Any:
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(2)


def number(text: str) -> float:
    """An option's number, written in any way that `parse` knows."""
    try:
        return float(parse(text))
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def loss_scale(text: str) -> float | str:
    """An option's loss scale: a number, "none" or "dynamic"."""
    return text if text in ("none", "dynamic") else number(text)


def sizes(text: str) -> tuple[int, ...]:
    """An option's list of layer sizes."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no list of sizes; write hidden layers like 32 or 64,32"
        ) from None


def formats(text: str) -> tuple[str, ...]:
    """An option's list of formats, as their names."""
    try:
        return tuple(get_format(part.strip()).name for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
