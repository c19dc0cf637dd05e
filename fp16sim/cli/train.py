"""fp16sim train: the main job."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..formats import NAMED_FORMATS, Rounding
from .output import check_writable, print_table, print_text, progress
from .parsing import formats, number, sizes

TRAIN_FORMATS = "binary32,binary16,bfloat16"


def add(commands: Any) -> None:
    """The command and its options."""
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
    option = train.add_argument
    option("--format", type=formats, default=TRAIN_FORMATS, metavar="A,B", help=f"some of {known}")
    option("--mode", default="ties_to_even", choices=modes, metavar="MODE", help=f"one of {', '.join(modes)}")
    option("--layers", type=sizes, default="32", metavar="N,M", help="hidden layers")
    option("--epochs", type=int, default=20, help="passes over the training images")
    option("--batch", type=int, default=64, help="images a step")
    option("--accumulator", default="sequential", help="sequential (all rounded), binary32, or blas (binary32 by BLAS)")
    option("--optimizer", choices=("adam", "sgd"), default="adam", help="adam or sgd")
    lr_help = "learning rate (default: 0.01 for adam, 0.1 for sgd)"
    option("--lr", type=number, default=argparse.SUPPRESS, help=lr_help)
    option("--momentum", type=number, default=0.9, help="of sgd")
    option("--beta2", type=number, default=0.99, help="of adam")
    option("--epsilon", type=number, default=1e-4, help="of adam")
    option("--loss-scale", type=number, default=1024.0, metavar="S", help="multiplies the loss; never divided out")
    option("--rng", type=int, default=0, metavar="SEED", help="seed of the weights and of the order of images")
    option("--out", type=Path, default=Path("fp16sim-train.png"), help="the picture: .png, .svg or .pdf")
    option("--json", action="store_true", help="print the runs as JSON instead of a table")
    train.set_defaults(run=_train)


def _train(options: argparse.Namespace) -> None:
    from ..learn import Config, load_digits, train

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
    check_writable(options.out)
    data = load_digits()
    with progress(options.json) as bar:
        histories = [train(config, data, bar(config.label)) for config in configs]
    from ..plots import training_figure
    from ..plots.style import save

    save(training_figure(histories), options.out)
    if options.json:
        print(json.dumps([h.to_dict() for h in histories], indent=2))
        return
    _print_table(histories)
    print(f"picture: {options.out}")


COLUMNS = (
    ("format", "left"),
    ("test\naccuracy", "right"),
    ("loss", "right"),
    ("gradients lost\nto underflow", "right"),
    ("updates lost\nto absorption", "right"),
    ("overflows", "right"),
)


def _row(history: Any) -> Sequence[str]:
    row, died = history.totals(), history.death
    return (
        history.config.label,
        "died" if died else f"{row['test_accuracy']:.1%}",
        "-" if died else f"{row['loss']:.4f}",
        f"{row['lost_gradients']:.2%}",
        f"{row['absorbed_updates']:.2%}",
        str(row["overflows"]),
    )


def _print_table(histories: Sequence[Any]) -> None:
    print_table("8 x 8 digits, every operation rounded", COLUMNS, map(_row, histories))
    for history in histories:
        if history.death:
            print_text(f"{history.config.label} {history.death}")
