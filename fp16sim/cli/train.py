"""fp16sim train: the main job."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..formats import NAMED_FORMATS, Rounding
from .output import check_writable, print_table, print_text, progress
from .parsing import formats, loss_scale, number, sizes

TRAIN_FORMATS = "binary32,binary16,bfloat16"
ACCUMULATORS = "sequential (all rounded), binary32, pairwise, kahan, exact, or blas (binary32 by BLAS)"

BOOLEAN = argparse.BooleanOptionalAction

OPTIONS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("--layers", {"type": sizes, "metavar": "N,M"}, "hidden layers of the mlp"),
    ("--epochs", {"type": int}, "passes over the training images"),
    ("--batch", {"type": int}, "images a step"),
    ("--accumulator", {}, ACCUMULATORS),
    ("--optimizer", {"metavar": "NAME"}, "adam, adamw, rmsprop or sgd"),
    ("--lr", {"type": number}, "learning rate"),
    ("--momentum", {"type": number}, "of sgd"),
    ("--beta1", {"type": number}, "of adam"),
    ("--beta2", {"type": number}, "of adam; the decay of rmsprop"),
    ("--epsilon", {"type": number}, "of adam and rmsprop"),
    ("--weight-decay", {"type": number}, "of adamw"),
    ("--clip-norm", {"type": number}, "gradients are scaled down to this norm"),
    ("--decay-every", {"type": int, "metavar": "STEPS"}, "multiply the learning rate by --decay-factor so often"),
    ("--decay-factor", {"type": number}, "see --decay-every"),
    ("--loss-scale", {"type": loss_scale, "metavar": "S"}, "multiplies the loss: a number, dynamic, or none"),
    ("--growth-interval", {"type": int, "metavar": "STEPS"}, "of the dynamic loss scale"),
    ("--unscale", {"action": BOOLEAN}, "divide gradients by the loss scale before the optimizer has them"),
    ("--bias-correction", {"action": BOOLEAN}, "of adam"),
    ("--update", {"metavar": "HOW"}, "how steps are added to weights: plain, kahan or stochastic"),
    ("--constants", {"metavar": "HOW"}, "the optimizer's constants: rounded to its format, or binary64"),
    ("--l1", {"type": number}, "factor of the sum of |weights| in the loss"),
    ("--l2", {"type": number}, "factor of the sum of weights^2 in the loss"),
    ("--init", {"metavar": "NAME"}, "he, xavier or small"),
    ("--normalisation", {"metavar": "NAME"}, "pixels: unit [0, 1], symmetric [-1, 1], or standard"),
    ("--validation", {"type": number, "metavar": "SHARE"}, "share of the training images to validate on"),
    ("--rng", {"type": int, "metavar": "SEED"}, "seed of weights, order and stochastic rounding"),
)
"""Options that override a recipe's; what is not given keeps its value."""


def add(commands: Any) -> None:
    """The command and its options."""
    train = commands.add_parser(
        "train",
        help="train a network, every operation rounded",
        description="Train a network with every product, partial sum, gradient and optimizer step rounded.\n"
        "By default an MLP on the bundled 8 x 8 digits (1,797 images; UCI, Alpaydin and Kaynak, CC BY 4.0), in three\n"
        "formats side by side. It ends in a table, a picture, a report that opens in a browser, a log in JSON, and\n"
        "the trained models.",
        epilog="examples:\n  fp16sim train\n"
        "  fp16sim train --format binary16 --epsilon 1e-8 --loss-scale 1   (it dies)\n"
        "  fp16sim train --data mnist --model cnn --recipe pure-binary16-scaled\n"
        "  fp16sim train --recipes mixed-binary16,bfloat16,bfloat16-kahan --epochs 5\n"
        "  fp16sim train --data mnist --model cnn --recipe bfloat16 --resume   (after an interruption)",
    )
    known = ", ".join(fmt.name for fmt in NAMED_FORMATS)
    modes = [mode.value for mode in Rounding]
    option = train.add_argument
    option("--format", type=formats, default=TRAIN_FORMATS, metavar="A,B", help=f"everything in it: some of {known}")
    option("--mode", default="ties_to_even", choices=modes, metavar="MODE", help=f"one of {', '.join(modes)}")
    option("--recipe", "--recipes", dest="recipes", default=argparse.SUPPRESS, metavar="A,B", help=_recipes_help())
    option("--policy", default=argparse.SUPPRESS, metavar="TEXT", help='like "compute=binary16 master=binary32"')
    option("--data", default="digits", metavar="NAME", help="digits, mnist or fashion-mnist (see fp16sim data)")
    option("--model", default="mlp", metavar="NAME", help="mlp or cnn")
    for name, settings, text in OPTIONS:
        option(name, default=argparse.SUPPRESS, help=text, **settings)
    option("--from", dest="start_from", type=Path, default=argparse.SUPPRESS, metavar="MODEL", help="fine-tune a model")
    option("--look-every", type=int, default=50, metavar="STEPS", help="between looks of the microscope; 0: never")
    option("--resume", action="store_true", help="go on where an interrupted run stopped; the result is the same")
    option("--out", type=Path, default=Path("fp16sim-train.png"), help="the picture; other files are named after it")
    option("--costs", action="store_true", help="count bytes and operations of each run, and do not train")
    option("--json", action="store_true", help="print the runs as JSON instead of a table")
    train.set_defaults(run=_train)


def _recipes_help() -> str:
    return (
        "bundles of options in place of --format: binary32, pure-binary16, pure-binary16-scaled, mixed-binary16, "
        "pure-bfloat16, bfloat16, bfloat16-kahan, bfloat16-stochastic, fp8-mixed"
    )


def _configs(options: argparse.Namespace) -> list[Any]:
    """The runs that were asked for."""
    from ..learn import Config, get_config

    names = ["data", "model", *(name.lstrip("-").replace("-", "_") for name, _, _ in OPTIONS)]
    given = {name: getattr(options, name) for name in names if hasattr(options, name)}
    if given.get("loss_scale") == "dynamic":
        given["unscale"] = True
    if hasattr(options, "recipes"):
        return [get_config(name.strip(), **given) for name in options.recipes.split(",")]
    if given.get("optimizer") == "sgd":
        given.setdefault("lr", 0.1)
    suits = {} if options.data == "digits" else {"epochs": 1, "layers": (128,), "lr": 1e-3}
    suits |= {"accumulator": "blas", "init": "xavier"} if options.model == "cnn" else {}
    if hasattr(options, "policy"):
        return [get_config(Config(options.policy), **{**suits, **given})]
    precisions = [fmt if options.mode == "ties_to_even" else f"{fmt}:{options.mode}" for fmt in options.format]
    return [get_config(Config(precision), **{**suits, **given}) for precision in precisions]


def _beside(out: Path, label: str = "", suffix: str = ".npz") -> Path:
    """A file named after the picture."""
    safe = re.sub(r"[^\w.-]+", "-", label)
    return out.with_name(f"{out.stem}-{safe}{suffix}" if label else f"{out.stem}{suffix}")


def _train(options: argparse.Namespace) -> None:
    from ..learn import train
    from ..learn.run.checkpoint import Keeper
    from ..learn.run.train import load_data

    configs = _configs(options)
    if options.costs:
        _print_costs(configs, options.json)
        return
    check_writable(options.out)
    files = [_beside(options.out, config.label) for config in configs]
    if len(set(files)) < len(files):
        raise ValueError(f"recipes={options.recipes!r} names a recipe twice; give each once")
    if not options.resume:
        for file in files:  # before anything is trained, and not when it is this file's turn
            Keeper(file).refuse_unfinished()
    data = load_data(configs[0])
    how = {"look_every": options.look_every, "resume": options.resume}
    start_from = getattr(options, "start_from", None)
    with progress(options.json) as bar:
        histories = [
            train(config, data, bar(config.label), checkpoint_path=file, start_from=start_from, **how)
            for config, file in zip(configs, files, strict=True)
        ]
    _write(histories, options.out)
    if options.json:
        print(json.dumps([h.to_dict() for h in histories], indent=2))
        return
    _print_table(histories)
    report, log = _beside(options.out, suffix=".html"), _beside(options.out, suffix=".json")
    print(f"picture: {options.out}   report: {report}   log: {log}")


def _write(histories: Sequence[Any], out: Path) -> None:
    """The picture, the report and the log."""
    from .. import files, report
    from ..plots import training_figure
    from ..plots.style import save

    save(training_figure(histories), out)
    files.write_text(_beside(out, suffix=".json"), json.dumps([h.to_dict() for h in histories], indent=1))
    files.write_text(_beside(out, suffix=".html"), report.html(histories))


COLUMNS = (
    ("run", "left"),
    ("test\naccuracy", "right"),
    ("loss", "right"),
    ("gradients\nlost to\nunderflow", "right"),
    ("updates\nlost to\nabsorption", "right"),
    ("over-\nflows", "right"),
    ("skipped\nsteps", "right"),
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
        str(row["skipped"]),
    )


COSTS = (
    ("weights", "weights"),
    ("master or carried", "master"),
    ("gradients", "gradients"),
    ("optimizer's state", "state"),
    ("activations", "activations"),
    ("in memory in a step", "bytes_in_memory"),
    ("model file", "model_file"),
    ("checkpoint", "checkpoint"),
    ("moved in a step", "bytes_moved"),
    ("multiply-adds (number)", "multiply_adds"),
    ("other operations (number)", "elementwise"),
)


def _print_costs(configs: Sequence[Any], as_json: bool) -> None:
    from dataclasses import asdict

    from ..learn import costs

    counted = [costs(config) for config in configs]
    if as_json:
        print(json.dumps([asdict(each) | {"bytes_in_memory": each.bytes_in_memory} for each in counted], indent=2))
        return
    columns = [("bytes", "left"), *((each.recipe, "right") for each in counted)]
    rows = [(text, *(f"{getattr(each, name):,}" for each in counted)) for text, name in COSTS]
    print_table(f"{counted[0].parameters:,} parameters, batch of {configs[0].batch}", columns, rows)
    print_text("Counted, not timed: how fast hardware is depends on its units and caches, which a CPU cannot say.")


TITLES = {"digits": "8 x 8 digits", "mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}


def _print_table(histories: Sequence[Any]) -> None:
    from ..learn import diagnose

    config = histories[0].config
    print_table(f"{TITLES[config.data]}, every operation rounded", COLUMNS, map(_row, histories))
    for history in histories:
        if history.death:
            print_text(f"{history.config.label} {history.death}")
        for advice in diagnose(history):
            print_text(f"{history.config.label}: {advice}")
