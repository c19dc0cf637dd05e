"""fp16sim train: the main job."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .. import files, learn, report
from ..learn import RECIPES, Config, History, get_config
from ..learn.advise.costs import BYTES, OPERATIONS
from ..learn.model.initialisers import INITIALISERS
from ..learn.model.optimizers import CONSTANTS
from ..learn.model.updates import UPDATES
from ..learn.run.config import MODELS, OPTIMIZERS
from ..learn.run.settings import compare_settings
from ..learn.run.train import load_data
from ..report.notes import accuracy_text, compared, counted, shared_settings
from ..wording import decimal, joined, percent, quoted
from .output import print_json, print_lines, print_table, print_text, progress
from .parsing import Parser, add_options, integer, layer_sizes, loss_scale, number
from .run_files import FIRST, RunFiles, own_files

FORMATS = "binary32,binary16,bfloat16"
DATA = {"digits": "8 x 8 digits", "mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}
"""The data sets to train on, with their titles."""

NUMBER = {"type": number, "metavar": "X"}
COUNT = {"type": integer, "metavar": "N"}
STEPS = {"type": integer, "metavar": "STEPS"}
NAME = {"metavar": "NAME"}
SWITCH = {"action": argparse.BooleanOptionalAction}

OPTIONS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("--layers", {"type": layer_sizes, "metavar": "N,M"}, "units of each hidden layer of the mlp"),
    ("--epochs", COUNT, "passes over the training images"),
    ("--batch", COUNT, "images per step"),
    ("--optimizer", NAME, joined(OPTIMIZERS, "or")),
    ("--lr", NUMBER, "learning rate"),
    ("--momentum", NUMBER, "momentum of sgd"),
    ("--beta1", NUMBER, "decay of adam's first moment"),
    ("--beta2", NUMBER, "decay of the second moment of adam and rmsprop"),
    ("--epsilon", NUMBER, "added to the divisor by adam and rmsprop"),
    ("--weight-decay", NUMBER, "weight decay of adamw"),
    ("--clip-norm", NUMBER, "scale gradients of a larger norm down to this norm"),
    ("--decay-every", STEPS, "steps after which the learning rate is multiplied by --decay-factor"),
    ("--decay-factor", NUMBER, "see --decay-every"),
    ("--loss-scale", {"type": loss_scale, "metavar": "S"}, "multiply the loss by a number; or dynamic, or none"),
    ("--growth-interval", STEPS, "finite steps before a dynamic loss scale doubles"),
    ("--unscale", SWITCH, "divide the gradients by the loss scale before the optimizer uses them"),
    ("--bias-correction", SWITCH, "correct the bias of adam's moments"),
    ("--update", NAME, f"how steps are added to weights: {joined(UPDATES, 'or')}"),
    ("--constants", NAME, f"precision of the optimizer's constants: {joined(CONSTANTS, 'or')}"),
    ("--l1", NUMBER, "factor of the sum of |weights| in the loss"),
    ("--l2", NUMBER, "factor of the sum of weights^2 in the loss"),
    ("--init", NAME, f"how the weights begin: {joined(INITIALISERS, 'or')}"),
    ("--normalisation", NAME, "pixels: unit [0, 1], symmetric [-1, 1], or standard (mean 0)"),
    ("--validation", {"type": number, "metavar": "PART"}, "part of the training images for validation, such as 0.1"),
)
"""Options that override those of a recipe; an option that is not given keeps its value."""


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = (
        "Train a network with every product, partial sum, gradient and optimizer step\n"
        "rounded. By default it is an MLP on the bundled 8 x 8 digits (1,797 images; UCI,\n"
        "Alpaydin and Kaynak, CC BY 4.0), in three formats side by side. The results are\n"
        "a table, a picture, a report that opens in a browser, a log in JSON, and the\n"
        "trained models."
    )
    parser.epilog = (
        "examples:\n  fp16sim train\n"
        "  fp16sim train --format binary16 --epsilon 1e-8 --loss-scale 1   (it dies)\n"
        "  fp16sim train --data mnist --model cnn --recipe pure-binary16-scaled\n"
        "  fp16sim train --recipes mixed-binary16,bfloat16,bfloat16-kahan --epochs 5\n"
        "  fp16sim train --data mnist --model cnn --resume   (after an interruption)"
    )
    option = parser.add_argument
    add_options(parser, "formats", default=FORMATS)
    add_options(parser, "mode")
    recipe_help = f"bundles of options, instead of --format: {joined(RECIPES, 'or')}"
    option("--recipe", "--recipes", dest="recipes", metavar="A,B", help=recipe_help)
    option("--policy", metavar="TEXT", help='a format for each kind of number: "compute=binary16 master=binary32"')
    data_help = "one of %(choices)s; see fp16sim data (default: %(default)s)"
    option("--data", default="digits", choices=list(DATA), metavar="NAME", help=data_help)
    option("--model", default="mlp", metavar="NAME", help=f"{joined(MODELS, 'or')} (default: %(default)s)")
    for name, settings, text in OPTIONS:
        option(name, default=None, help=text, **settings)
    add_options(parser, "accumulator")
    add_options(parser, "rng", help="seed of the weights, the order of the images, and stochastic rounding")
    option("--from", dest="start_from", type=Path, metavar="MODEL", help="start with the weights of this model")
    look_help = "measure all tensors on every such step; 0: never (default: 50, or less in a short epoch)"
    option("--look-every", type=integer, default=None, metavar="STEPS", help=look_help)
    option("--resume", action="store_true", help="continue an interrupted run; the result is the same to the last bit")
    out_help = f"the picture; the other files are named after it (default: {FIRST}, or the next free number)"
    add_options(parser, "out", help=out_help)
    option("--costs", action="store_true", help="count the bytes and operations of each run, and do not train")
    add_options(parser, "max_bytes", "json")


def run(options: argparse.Namespace) -> None:
    """Train, write all files, print the table."""
    chosen = configs(options)
    if options.costs:
        _print_costs(chosen, options.json)
        return
    with own_files(options.out, _labels(chosen), options.resume, options.max_bytes) as own:
        histories = _trained(chosen, own, options)
        _write(histories, own)
    if options.json:
        print_json([history.to_dict() for history in histories])
        return
    _print_table(histories)
    print_text(f"picture: {own.picture}   report: {own.page}   log: {own.log}")


def _trained(chosen: Sequence[Config], own: RunFiles, options: argparse.Namespace) -> list[History]:
    data = load_data(chosen[0])
    names = ("look_every", "resume", "start_from", "max_bytes")
    settings = {name: getattr(options, name) for name in names}
    with progress(options.json) as bar:
        return [
            learn.train(config, data, bar(config.label), checkpoint_path=file, **settings)
            for config, file in zip(chosen, own.models, strict=True)
        ]


# --- which runs -----------------------------------------------------------------------------------------------------


def configs(options: argparse.Namespace) -> list[Config]:
    """The runs that the options ask for."""
    names = ["data", "model", "accumulator", "rng", *(name.lstrip("-").replace("-", "_") for name, _, _ in OPTIONS)]
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if given.get("loss_scale") == "dynamic":
        given["unscale"] = True
    if options.recipes is not None:
        return [get_config(name.strip(), **given) for name in options.recipes.split(",")]
    if given.get("optimizer") == "sgd":
        given.setdefault("lr", 0.1)
    suits = {} if options.data == "digits" else {"epochs": 1, "layers": (128,), "lr": 1e-3}
    suits |= {"accumulator": "blas", "init": "xavier"} if options.model == "cnn" else {}
    return [get_config(Config(policy), **{**suits, **given}) for policy in _policies(options)]


def _policies(options: argparse.Namespace) -> list[str]:
    if options.policy is not None:
        return [options.policy]
    return [fmt if options.mode == "ties_to_even" else f"{fmt}:{options.mode}" for fmt in options.format]


def _labels(chosen: Sequence[Config]) -> list[str]:
    """The names of the runs, each once."""
    labels = [config.label for config in chosen]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice:
        raise ValueError(f"{quoted(twice)} is given twice; give each format or recipe once")
    return labels


# --- results --------------------------------------------------------------------------------------------------------


def _write(histories: Sequence[History], own: RunFiles) -> None:
    """The picture, the log and the report."""
    from ..plots import training_figure  # matplotlib is slow to load
    from ..plots.style import save

    save(training_figure(histories), own.picture)
    files.write_text(own.log, json.dumps([history.to_dict() for history in histories], indent=1))
    files.write_text(own.page, report.html(histories))


COLUMNS = (
    ("run", "left"),
    ("test accuracy\n(95 % interval)", "right"),
    ("loss", "right"),
    ("gradients\nthat\nbecame 0", "right"),
    ("updates\nwithout\neffect", "right"),
    ("over-\nflows", "right"),
    ("skipped\nsteps", "right"),
)


def _row(history: History) -> Sequence[str]:
    row, died = history.totals(), history.death
    return (
        history.config.label,
        "died" if died else accuracy_text(history.answers),
        decimal(row["loss"]),
        percent(row["lost_gradients"]),
        percent(row["absorbed_updates"]),
        str(row["overflows"]),
        str(row["skipped"]),
    )


def _print_table(histories: Sequence[History]) -> None:
    print_table(f"{DATA[histories[0].config.data]}, every operation rounded", COLUMNS, map(_row, histories))
    print_text("")
    print_lines(counted(histories))
    print_lines(compared(histories))
    print_settings([history.config for history in histories])
    for history in histories:
        if history.death:
            print_text(f"{history.config.label} {history.death}")
        for advice in learn.diagnose(history):
            print_text(f"{history.config.label}: {advice}")


def print_settings(configs: Sequence[Config]) -> None:
    """The settings that all runs share, and a table of the others."""
    print_lines(shared_settings(configs))
    if differing := compare_settings(configs).differing:
        print_text("")
        columns = [("run", "left"), *((name, "left") for name in differing)]
        rows = zip((config.label for config in configs), *differing.values(), strict=True)
        print_table("Settings that differ", columns, rows)
    print_text("")


# --- costs ----------------------------------------------------------------------------------------------------------


def _print_costs(configs: Sequence[Config], as_json: bool) -> None:
    counted = [learn.costs(config) for config in configs]
    if as_json:
        print_json([asdict(each) | {"bytes_in_memory": each.bytes_in_memory} for each in counted])
        return
    columns = [("bytes, and operations", "left"), *((each.recipe, "right") for each in counted)]
    names = BYTES | OPERATIONS
    rows = [(title, *(f"{getattr(each, name):,}" for each in counted)) for name, title in names.items()]
    print_table(f"{counted[0].parameters:,} parameters, batch of {configs[0].batch}", columns, rows)
    print_text("These are counts, not times: the time of a step depends on the hardware.")
    print_settings(configs)
