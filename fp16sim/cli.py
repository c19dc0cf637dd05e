"""The command line: parse, call, print."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from . import __version__
from .exact import parse
from .formats import NAMED_FORMATS, Rounding, get_format

TRAIN_FORMATS = "binary32,binary16,bfloat16"


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Defaults are shown, and the examples keep their lines."""


class _Parser(argparse.ArgumentParser):
    """argparse that knows a negative number (-1e-5, -inf, -0x1p-3, -1/3) from an option, and complains in one line."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", _HelpFormatter)
        super().__init__(*args, **kwargs)
        self._negative_number_matcher = re.compile(r"^-\.?\d|^-(inf|nan)", re.IGNORECASE)

    def error(self, message: str) -> Any:
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(2)


def _number(text: str) -> float:
    """An option's number, written in any way that `parse` knows."""
    try:
        return float(parse(text))
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no list of sizes; write hidden layers like 32 or 64,32"
        ) from None


def _formats(text: str) -> tuple[str, ...]:
    try:
        return tuple(get_format(part.strip()).name for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = _Parser(prog="fp16sim", description="Low-precision arithmetic, emulated exactly.")
    parser.add_argument("--version", action="version", version=f"fp16sim {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    _add_train(commands)
    _add_bench(commands)
    return parser


def _add_train(commands: Any) -> None:
    train = commands.add_parser(
        "train",
        help="train a network on real digits, every operation rounded",
        description="Train an MLP on the bundled 8 x 8 digits (1,797 images; UCI, Alpaydin and Kaynak, CC BY 4.0).\n"
        "Every product, partial sum, gradient and optimizer step is rounded to the format.",
        epilog="examples:\n  fp16sim train\n"
        "  fp16sim train --format binary16 --epsilon 1e-8 --loss-scale 1   (it dies)\n"
        "  fp16sim train --format bf16,e5m2 --mode stochastic --epochs 5",
    )
    known = ", ".join(fmt.name for fmt in NAMED_FORMATS)
    modes = [mode.value for mode in Rounding]
    add = train.add_argument
    add("--format", type=_formats, default=TRAIN_FORMATS, metavar="A,B", help=f"some of {known}")
    add("--mode", default="ties_to_even", choices=modes, metavar="MODE", help=f"one of {', '.join(modes)}")
    add("--layers", type=_sizes, default="32", metavar="N,M", help="hidden layers")
    add("--epochs", type=int, default=20, help="passes over the training images")
    add("--batch", type=int, default=64, help="images a step")
    add("--accumulator", default="sequential", help="sequential (all rounded), binary32, or blas (binary32 by BLAS)")
    add("--optimizer", choices=("adam", "sgd"), default="adam", help="adam or sgd")
    lr_help = "learning rate (default: 0.01 for adam, 0.1 for sgd)"
    add("--lr", type=_number, default=argparse.SUPPRESS, help=lr_help)
    add("--momentum", type=_number, default=0.9, help="of sgd")
    add("--beta2", type=_number, default=0.99, help="of adam")
    add("--epsilon", type=_number, default=1e-4, help="of adam")
    add("--loss-scale", type=_number, default=1024.0, metavar="S", help="multiplies the loss; never divided out")
    add("--rng", type=int, default=0, metavar="SEED", help="seed of the weights and of the order of images")
    add("--out", type=Path, default=Path("fp16sim-train.png"), help="the picture: .png, .svg or .pdf")
    add("--json", action="store_true", help="print the runs as JSON instead of a table")
    train.set_defaults(run=_train)


def _add_bench(commands: Any) -> None:
    bench = commands.add_parser(
        "bench",
        help="measure the speed of this installation against others",
        description="Measure each row of the table against its rival, in pairs; below 1 we are faster.",
        epilog="examples:\n  fp16sim bench\n  fp16sim bench --quick --only matmul\n  fp16sim bench -o bench.png --json",
    )
    add = bench.add_argument
    add("--quick", action="store_true", help="smaller arrays and fewer pairs: rougher")
    add("--only", default="", metavar="TEXT", help="rows that contain this text")
    add("-o", "--out", type=Path, default=argparse.SUPPRESS, help="picture of cost against size: .png, .svg or .pdf")
    add("--json", action="store_true", help="print JSON instead of a table")
    bench.set_defaults(run=_bench)


def _train(options: argparse.Namespace) -> None:
    from .learn import Config, load_digits, train

    lr = getattr(options, "lr", {"adam": 1e-2, "sgd": 0.1}[options.optimizer])
    named = (
        "mode",
        "layers",
        "epochs",
        "batch",
        "optimizer",
        "momentum",
        "beta2",
        "epsilon",
        "loss_scale",
        "rng",
        "accumulator",
    )
    shared = {name: getattr(options, name) for name in named}
    configs = [Config(fmt=fmt, lr=lr, **shared) for fmt in options.format]
    _check_writable(options.out)
    data = load_digits()
    with _progress(options.json) as progress:
        histories = [train(config, data, progress(config.label)) for config in configs]
    from .plots import training_figure
    from .plots.style import save

    save(training_figure(histories), options.out)
    if options.json:
        print(json.dumps([h.to_dict() for h in histories], indent=2))
        return
    _print_table(histories)
    print(f"picture: {options.out}")


def _check_writable(path: Path) -> None:
    """Say now, and not after the work, that the result cannot be written."""
    if not path.parent.is_dir():
        raise ValueError(f"out={str(path)!r}: the folder {str(path.parent)!r} does not exist; make it first")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ValueError(f"out={str(path)!r} cannot be written to; choose another file")
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise ValueError(f"out={str(path)!r}: pictures are written as .png, .svg or .pdf; choose such a name")


def _progress(quiet: bool) -> Any:
    """A context that makes a callback for each run: a bar on a terminal, nothing in a pipe."""
    if quiet or not sys.stderr.isatty():
        return nullcontext(lambda label: None)
    return _Bars()


class _Bars:
    """Progress bars on stderr, one a run."""

    def __enter__(self) -> Callable[[str], Callable[[int, int], None]]:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description:>10}"), BarColumn(), TextColumn("{task.completed}/{task.total} steps"))
        self.progress = Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True))
        self.progress.start()
        return self._bar

    def _bar(self, label: str) -> Callable[[int, int], None]:
        task = self.progress.add_task(label, total=None)
        return lambda done, total: self.progress.update(task, completed=done, total=total)

    def __exit__(self, *exception: object) -> None:
        self.progress.stop()


def _print_table(histories: Sequence[Any]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title="8 x 8 digits, every operation rounded", title_justify="left", box=box.SIMPLE_HEAD)
    for column in (
        "format",
        "test\naccuracy",
        "loss",
        "gradients lost\nto underflow",
        "updates lost\nto absorption",
        "overflows",
    ):
        table.add_column(column, justify="left" if column == "format" else "right")
    for history in histories:
        row = history.totals()
        table.add_row(
            history.config.label,
            f"{row['test_accuracy']:.1%}" if not history.death else "died",
            f"{row['loss']:.4f}" if not history.death else "-",
            f"{row['lost_gradients']:.2%}",
            f"{row['absorbed_updates']:.2%}",
            str(row["overflows"]),
        )
    console = Console(soft_wrap=True)
    console.print(table)
    for history in histories:
        if history.death:
            console.print(f"{history.config.label} {history.death}", highlight=False, markup=False)


def _bench(options: argparse.Namespace) -> None:
    from . import bench

    out = getattr(options, "out", None)
    if out is not None:
        _check_writable(out)
    with _progress(options.json) as progress:
        measured = bench.run(quick=options.quick, only=options.only, progress=progress("rows"))
    curves = bench.curve(quick=options.quick) if out is not None else {}
    if out is not None:
        from .plots import cost_figure
        from .plots.style import save

        save(cost_figure(curves), out)
    if options.json:
        rows = [row.to_dict() for row in measured]
        print(json.dumps({"machine": bench.machine(), "rows": rows, "curves": curves}, indent=2))
        return
    _print_bench(measured, bench.machine())
    if out is not None:
        print(f"picture: {out}")


def _print_bench(measured: Sequence[Any], machine: dict[str, Any]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title="our time / the rival's: median of pairs, and quartiles", title_justify="left", box=box.SIMPLE_HEAD
    )
    for column in ("work", "rival", "goal", "ratio", "spread", ""):
        table.add_column(column, justify="right" if column in ("goal", "ratio", "spread") else "left")
    for row in measured:
        if row.ratio is None:
            table.add_row(row.work, row.rival, f"{row.goal:.3g}", "-", "", row.note)
        else:
            spread = f"{row.low:.3g} .. {row.high:.3g}"
            table.add_row(
                row.work, row.rival, f"{row.goal:.3g}", f"{row.ratio:.3g}", spread, "met" if row.met else "not met"
            )
    console = Console(soft_wrap=True)
    console.print(table)
    versions = {name: version or "not installed" for name, version in machine["versions"].items()}
    console.print(
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}; "
        + ", ".join(f"{name} {version}" for name, version in versions.items()),
        highlight=False,
    )
    missing = [name for name, version in machine["versions"].items() if version is None]
    if missing:
        console.print(f"rivals that are not installed: pip install {' '.join(missing)}", highlight=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0, 2 for bad input (one line on stderr), 130 when interrupted."""
    options = build_parser().parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, TypeError, RuntimeError, OSError) as error:
        print(f"fp16sim {options.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"fp16sim {options.command}: interrupted; nothing was overwritten", file=sys.stderr)
        return 130
    return 0
