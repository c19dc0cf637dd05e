"""What the commands share when they read their arguments: the parser, the types of values, and the common options."""

from __future__ import annotations

import argparse
import math
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from ..exact import parse
from ..formats import NAMED_FORMATS, NO_FIELD, Rounding, get_format, get_rounding
from ..modes import SHORT_MODES
from ..wording import did_you_mean, joined, quoted
from .output import print_error


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help in which names such as pure-binary32 are not broken."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(text, width, break_on_hyphens=False)


class Parser(argparse.ArgumentParser):
    """argparse that reports a mistake in one line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(formatter_class=_Help, **kwargs)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = list(map(str, action.choices))
            raise argparse.ArgumentError(
                action, f"{quoted(value)} is unknown; {did_you_mean(value, known)}use {joined(known, 'or')}"
            )

    def error(self, message: str) -> Any:
        print_error(f"{self.prog}: {message} (see {self.prog} --help)")
        raise SystemExit(2)


class Options(Protocol):
    """What options can be added to."""

    def add_argument(self, *args: Any, **kwargs: Any) -> argparse.Action:
        """As of argparse."""


@dataclass(frozen=True)
class OptionGroup:
    """A group of options of a `CommandParser`."""

    add_argument: Callable[..., argparse.Action]


class CommandParser(Parser):
    """The parser of one command, configured when it is used. It knows a negative number from an option.

    argparse takes -1e-5, -inf, -1/3 and -sqrt(2) for options. It does not where they are written --lr=-1e-5, or after
    a "--". So the arguments are rewritten that way.
    """

    def __init__(self, configure: Callable[[CommandParser], None], **kwargs: Any) -> None:
        self.value_options: list[str] = []
        super().__init__(**kwargs)
        self.configure: Callable[[CommandParser], None] | None = configure

    def add_argument(self, *args: Any, **kwargs: Any) -> argparse.Action:
        return self._known(super().add_argument(*args, **kwargs))

    def add_group(self, title: str) -> OptionGroup:
        """A group of options with a title in the help."""
        group = self.add_argument_group(title)
        return OptionGroup(lambda *args, **kwargs: self._known(group.add_argument(*args, **kwargs)))

    def _known(self, action: argparse.Action) -> argparse.Action:
        self.value_options += action.option_strings if action.nargs != 0 else []
        return action

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self.configure:
            self.configure(self)
            self.configure = None
        marked = self._with_numbers_marked(list(args))
        known, unknown = super().parse_known_args(marked, namespace)
        known.given = self._given(marked)
        if unknown:
            named = [arg for arg in unknown if arg != "--"]
            similar = did_you_mean(named[0].partition("=")[0], self._option_string_actions) if named else ""
            self.error(f"unknown arguments: {' '.join(named)}{f'; {similar.strip()}' if similar else ''}")
        return known, []

    def _with_numbers_marked(self, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        marked: list[str] = []
        positional: list[str] = []
        for arg in args[:end]:
            if not NEGATIVE_NUMBER.match(arg):
                marked.append(arg)
            elif marked and self._takes_value(marked[-1]):
                marked[-1] += f"={arg}"
            else:
                positional.append(arg)
        rest = [*positional, *args[end + 1 :]]
        return [*marked, "--", *rest] if rest else marked

    def _given(self, args: list[str]) -> dict[str, str]:
        """The options that were given, by the name of their value."""
        named = [arg.partition("=")[0] for arg in args[: args.index("--") if "--" in args else None]]
        found: dict[str, str] = {}
        for name in named:
            for option, action in self._option_string_actions.items():
                if name == option or (name.startswith("--") and len(name) > 2 and option.startswith(name)):
                    found[action.dest] = option
        return found

    def _takes_value(self, option: str) -> bool:
        """Whether this is an option, perhaps abbreviated, that a value follows."""
        return option.startswith("-") and any(known.startswith(option) for known in self.value_options)


NEGATIVE_NUMBER = re.compile(r"-[.,]?\d|-(inf|∞|nan)|-\(|-[a-z]{2,}\(", re.IGNORECASE)


def refuse_unused(options: argparse.Namespace, why: str, *names: str, but: tuple[str, ...] = ()) -> None:
    """ValueError if one of these options was given, or any but some: here it would have no effect, and why not."""
    given: dict[str, str] = getattr(options, "given", {})
    unused = [option for name, option in given.items() if name in names or (but and name not in but)]
    if unused:
        verb, them = ("has", "it") if len(unused) == 1 else ("have", "them")
        raise ValueError(f"{joined(unused)} {verb} no effect: {why}; leave {them} out")


def refuse_unused_seed(options: argparse.Namespace) -> None:
    """ValueError if a seed was given and no number is random."""
    if not get_rounding(options.mode).random:
        refuse_unused(options, f"in {options.mode} nothing is random (--mode stochastic is)", "rng")


# --- types ----------------------------------------------------------------------------------------------------------


def number(text: str) -> float:
    """An option's number, written in any way that `parse` knows."""
    try:
        return float(parse(text))
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def numbers(text: str) -> tuple[float, ...]:
    """An option's list of numbers."""
    return tuple(map(number, text.split(",")))


def integer(text: str) -> int:
    """An option's integer."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not an integer") from None


def seed(text: str) -> int:
    """An option's seed of random numbers."""
    value = integer(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is negative; use 0 or more")
    return value


def size(text: str) -> int:
    """An option's number of bytes: 4000000000, 4e9 or 2^32."""
    value = number(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a number of bytes; write 4e9 or 2^32")
    return int(value)


def loss_scale(text: str) -> float | str:
    """An option's loss scale: a number, "none" or "dynamic"."""
    if text in ("none", "dynamic"):
        return text
    if similar := did_you_mean(text, ("none", "dynamic")):
        raise argparse.ArgumentTypeError(f"{quoted(text)} is unknown; {similar}or write a number")
    return number(text)


def layer_sizes(text: str) -> tuple[int, ...]:
    """An option's list of layer sizes."""
    try:
        return tuple(map(integer, text.split(",")))
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a list of layer sizes; write 32 or 64,32") from None


def format_name(text: str) -> str:
    """An option's format, as its full name."""
    try:
        return get_format(text.strip()).name
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def mode_name(text: str) -> str:
    """An option's rounding mode, as its full name."""
    try:
        return get_rounding(text).value
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def format_names(text: str) -> tuple[str, ...]:
    """An option's list of formats."""
    return tuple(map(format_name, re.split(f",{NO_FIELD}", text)))


# --- options that several commands have -----------------------------------------------------------------------------

FORMATS = joined((fmt.name for fmt in NAMED_FORMATS), "or")
OWN_FORMATS = "or an alias such as bf16, e5m4 (exponent and stored bits), width=8,precision=4"
NUMBERS = """numbers: 0.1  1/3  1e-8  2^-24  1p-24  0x1.8p3  inf  nan
codes:   0x2E66  0b0010111001100110  0_01011_1001100110"""
"""How numbers can be written, for the end of a help text."""
MODES = f"{joined((mode.value for mode in Rounding), 'or')}, or short: {joined(SHORT_MODES, 'or')}"


Option: TypeAlias = tuple[tuple[str, ...], dict[str, Any]]
"""What `add_argument` is given."""


def _option(*flags: str, **settings: Any) -> Option:
    return flags, settings


def _accumulator() -> Option:
    from ..accumulators.parse import NAMES

    known = joined(NAMES, "or")
    text = f"how products are summed: {known}; in a wider format kahan:binary32"
    return _option("--accumulator", metavar="NAME", help=text)


def _out() -> Option:
    from pathlib import Path

    text = "write the picture: .png, .svg or .pdf"
    return _option("-o", "--output", "--out", dest="out", type=Path, metavar="FILE", help=text)


def _max_bytes() -> Option:
    from ..archives import MAX_BYTES

    text = "refuse a file that needs more bytes of memory"
    return _option("--max-bytes", type=size, default=MAX_BYTES, metavar="N", help=text)


OPTIONS: dict[str, Callable[[], Option]] = {
    "format": lambda: _option(
        "--format", default="binary16", type=format_name, metavar="F", help=f"{FORMATS}; {OWN_FORMATS}"
    ),
    "formats": lambda: _option(
        "--format", type=format_names, metavar="F,G", help=f"one or more of {FORMATS}; {OWN_FORMATS}"
    ),
    "mode": lambda: _option("--mode", default="ties_to_even", type=mode_name, metavar="MODE", help=MODES),
    "accumulator": _accumulator,
    "rng": lambda: _option("--rng", "--seed", type=seed, metavar="SEED", help="seed of stochastic rounding"),
    "out": _out,
    "max_bytes": _max_bytes,
    "list": lambda: _option("--list", action="store_true"),
    "json": lambda: _option("--json", action="store_true", help="print JSON instead of text"),
}
"""Common options. Each is made when a command asks for it, which loads what it is about."""


def help_of(name: str) -> str:
    """The help text of a common option."""
    return str(OPTIONS[name]()[1]["help"])


def add_options(parser: Options, *names: str, **changes: Any) -> None:
    """Add common options, with these settings changed. Their help ends in the default where there is one."""
    for name in names:
        flags, settings = OPTIONS[name]()
        settings = settings | changes
        if settings.get("default") is not None:
            settings["help"] += " (default: %(default)s)"
        parser.add_argument(*flags, **settings)
