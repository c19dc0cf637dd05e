"""fp16sim train: the main job."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, fields
from functools import cache
from pathlib import Path
from typing import Any

from .. import files, learn, report
from ..formats import get_format, get_rounding
from ..learn import RECIPES, Config, Dataset, GPTConfig, History, Policy, Precision, get_config
from ..learn.advise.costs import BYTES, OPERATIONS
from ..learn.data.text import PREFIX
from ..learn.factors import FACTORS
from ..learn.model.attention import MASKS
from ..learn.model.constants import CONSTANTS
from ..learn.model.initialisers import INITIALISERS
from ..learn.model.transformer import CHOICES
from ..learn.model.updates import UPDATES
from ..learn.precision import PolicyLike
from ..learn.run.config import MODELS, OPTIMIZERS, SCHEDULES
from ..learn.run.engine import check_run
from ..learn.run.recipes import is_expected_to_die, make_config, with_unscale, without_recipe
from ..learn.run.settings import compare_settings
from ..learn.run.train import load_data
from ..learn.run.unused import refuse_unused
from ..report.notes import compared, counted, reached_text, shared_settings
from ..wording import count, decimal, joined, percent, quoted
from .output import (
    OnProgress,
    command_line,
    print_error,
    print_json,
    print_lines,
    print_sentence,
    print_table,
    print_text,
    progress,
)
from .parsing import CommandParser, OptionGroup, add_options, help_of, integer, layer_sizes, loss_scale, number, seed
from .run_files import FIRST, RunFiles, own_files

FORMATS = "binary32,binary16,bfloat16"
DATA = {
    "digits": "8 x 8 digits",
    "mnist": "MNIST",
    "fashion-mnist": "Fashion-MNIST",
    "alice": "Alice's Adventures in Wonderland",
}
"""The data sets to train on, with their titles."""

NUMBER = {"type": number, "metavar": "X"}
COUNT = {"type": integer, "metavar": "N"}
STEPS = {"type": integer, "metavar": "STEPS"}
NAME = {"metavar": "NAME"}
SWITCH = {"action": argparse.BooleanOptionalAction}

GROUPS: dict[str, tuple[tuple[str, dict[str, Any], str], ...]] = {
    "data and model": (
        ("--data", {"choices": list(DATA), "metavar": "NAME"}, f"{joined(DATA, 'or')}; see fp16sim data"),
        ("--text", {"type": Path, "metavar": "FILE"}, "a text of yours for the gpt, in UTF-8, instead of --data"),
        ("--model", NAME, joined(MODELS, "or")),
        ("--layers", {"type": layer_sizes, "metavar": "N,M"}, "units of each hidden layer of the mlp"),
        ("--init", NAME, f"how the weights begin: {joined(INITIALISERS, 'or')}"),
        ("--shift", {"type": integer, "metavar": "PIXELS"}, "move training images by up to so many pixels"),
        ("--rotate", {"type": number, "metavar": "DEGREES"}, "turn training images by up to so many degrees"),
        ("--normalisation", NAME, "pixels: unit [0, 1], symmetric [-1, 1], or standard (mean 0)"),
        ("--validation", {"type": number, "metavar": "PART"}, "part of the training images for validation, as 0.1"),
    ),
    "language model (--model gpt)": (
        ("--context", COUNT, "characters that it sees at most"),
        ("--width", COUNT, "numbers of each position"),
        ("--heads", COUNT, "heads of each attention"),
        ("--blocks", COUNT, "blocks of attention and a small network"),
        ("--hidden", COUNT, "hidden units of each small network; 0: 4 times the width"),
        ("--positions", NAME, joined(CHOICES["positions"], "or")),
        ("--norm", NAME, joined(CHOICES["norm"], "or")),
        ("--activation", NAME, joined(CHOICES["activation"], "or")),
        ("--attention", NAME, f"form of the softmax: {joined(CHOICES['attention'], 'or')} (flash attention)"),
        ("--tile", COUNT, "keys that --attention online takes at a time"),
        ("--mask", NAME, f"score of a later character, as --mask=-1e9: {joined(MASKS, 'or')}"),
        ("--tie", SWITCH, "use the embedding's rows as the weights of the output"),
        ("--dropout", NUMBER, "probability with which numbers are set to 0 in training"),
    ),
    "training": (
        ("--epochs", COUNT, "passes over the training images"),
        ("--batch", COUNT, "images per step"),
        ("--optimizer", NAME, joined(OPTIMIZERS, "or")),
        ("--lr", NUMBER, "learning rate"),
        ("--momentum", NUMBER, "momentum of sgd"),
        ("--beta1", NUMBER, "decay of adam's first moment"),
        ("--beta2", NUMBER, "decay of the second moment of adam and rmsprop"),
        ("--epsilon", NUMBER, "added to the divisor by adam and rmsprop"),
        ("--bias-correction", SWITCH, "correct the bias of adam's moments"),
        ("--weight-decay", NUMBER, "weight decay of adamw"),
        ("--clip-norm", NUMBER, "scale gradients of a larger norm down to this norm; 0: never"),
        ("--clip-value", NUMBER, "set gradients beyond it, of either sign, to it; 0: never"),
        ("--accumulate", COUNT, "take each batch in so many micro-batches, and add up their gradients"),
        ("--accumulate-in", NAME, "format of these sums, such as bfloat16"),
        ("--ema", NUMBER, "decay of a moving average of the weights, evaluated beside them; 0: none"),
        ("--ema-in", NAME, "format of that average, such as binary32"),
        ("--schedule", NAME, f"how the learning rate falls: {joined(SCHEDULES, 'or')}"),
        ("--decay-steps", STEPS, "steps until a schedule has reached --final-lr; 0: the whole run"),
        ("--final-lr", NUMBER, "learning rate at the end of a schedule"),
        ("--warmup", STEPS, "steps in which the learning rate grows to --lr"),
        ("--decay-every", STEPS, "steps after which the learning rate is multiplied by --decay-factor; 0: never"),
        ("--decay-factor", NUMBER, "see --decay-every"),
        ("--l1", NUMBER, "factor of the sum of |weights| in the loss"),
        ("--l2", NUMBER, "factor of the sum of weights^2 in the loss"),
        ("--rng", {"type": seed, "metavar": "SEED"}, "seed of the weights, the order of images, stochastic rounding"),
    ),
    "loss scale and updates": (
        ("--loss-scale", {"type": loss_scale, "metavar": "S"}, "multiply the loss by a number; or dynamic, or none"),
        ("--growth-interval", STEPS, "finite steps before a dynamic loss scale doubles"),
        ("--unscale", SWITCH, "divide the gradients by the loss scale before the optimizer uses them"),
        ("--update", NAME, f"how steps are added to weights: {joined(UPDATES, 'or')}"),
        ("--constants", NAME, f"precision of the optimizer's constants: {joined(CONSTANTS, 'or')}"),
        ("--scalars", NAME, f"precision of numbers in the model, as 1/sqrt(d): {joined(CONSTANTS, 'or')}"),
    ),
}
"""Options that replace those of a recipe, by what they are about; an option that is not given keeps its value."""

GPT_OPTIONS = [field.name for field in fields(GPTConfig) if field.name != "vocabulary"]
"""Those that are fields of GPTConfig."""

OPTIONS = [
    name
    for group in GROUPS.values()
    for name in (flag.lstrip("-").replace("-", "_") for flag, _, _ in group)
    if name not in ("text", *GPT_OPTIONS)
]

EXIT_CODES = """exit codes:
  0    no run died, but for the lessons %s
  2    an input, an option or a file cannot be used; one line says why
  3    a run died that was not expected to; all files are written
  130  interrupted by Ctrl-C (143: SIGTERM); the command that goes on is printed
  141  the reader of the output has ended"""


def configure(parser: CommandParser) -> None:
    """What the command does, and its options."""
    parser.usage = "fp16sim train [--format F,G | --policy TEXT | --recipe A,B] [OPTION ...]"
    parser.description = (
        "Train a network with every product, partial sum, gradient and optimizer step\n"
        "rounded. By default it is an MLP on the bundled 8 x 8 digits (1,797 images; UCI,\n"
        "Alpaydin and Kaynak, CC BY 4.0), in three formats side by side. The results are\n"
        "a table, a picture, a report that opens in a browser, a log in JSON, and the\n"
        "trained models."
    )
    lessons = joined(name for name, recipe in RECIPES.items() if recipe.fatal)
    parser.epilog = (
        "examples:\n  fp16sim train\n"
        "  fp16sim train --format binary16 --epsilon 1e-8 --loss-scale 1   (it dies)\n"
        "  fp16sim train --data mnist --model cnn --recipe pure-binary16-scaled\n"
        "  fp16sim train --recipes mixed-binary16,bfloat16-plain,bfloat16-kahan\n"
        "  fp16sim train --model gpt --text novel.txt --recipe mixed-binary16\n"
        "  fp16sim train --data mnist --model cnn --resume   (after an interruption)\n\n" + EXIT_CODES % lessons
    )
    _add_formats(parser.add_group("formats"))
    for title, group in GROUPS.items():
        option = parser.add_group(title).add_argument
        for name, settings, text in group:
            flags = (name, "--seed") if name == "--rng" else (name,)
            option(
                *flags,
                default=None,
                help=f"{text}{_said_default(name.lstrip('-').replace('-', '_'))}",
                **settings,
            )
    _add_files(parser.add_group("files and output"))


def _add_formats(group: OptionGroup) -> None:
    formats_help = f"{help_of('formats')} (default: {FORMATS})"
    add_options(group, "formats", help=formats_help)
    add_options(group, "mode", default=None, help=f"{help_of('mode')} (default: ties_to_even)")
    policy_help = (
        'a format for each kind of number, and by names of layers: "compute=binary16 master=binary32 norm*=binary32"; '
        "with one --recipe, instead of its; names alone are added to its"
    )
    group.add_argument("--policy", metavar="TEXT", help=policy_help)
    factors_help = (
        f"scale and round the factors of products: {joined(FACTORS, 'or')}, with parts that differ, as "
        '"nvfp4 hadamard=0"; beside a recipe that has factors, parts alone change its'
    )
    group.add_argument("--factors", metavar="TEXT", help=factors_help)
    recipe_help = f"bundles of options: {joined(RECIPES, 'or')}; each option below replaces what they say"
    group.add_argument("--recipe", "--recipes", dest="recipes", metavar="A,B", help=recipe_help)
    accumulator_help = f"{help_of('accumulator')} (default: {_default('accumulator')})"
    add_options(group, "accumulator", help=accumulator_help)


def _add_files(group: OptionGroup) -> None:
    option = group.add_argument
    out_help = (
        "the picture; the other files are named after it; a finished run of this name is replaced (default: "
        f"{FIRST}, or the next free number)"
    )
    add_options(group, "out", help=out_help)
    option("--resume", action="store_true", help="continue an interrupted run; the result is the same to the last bit")
    option("--from", dest="start_from", type=Path, metavar="MODEL", help="start with the weights of this model")
    look_help = "measure all tensors on every such step; 0: never (default: 50, or less in a short epoch)"
    option("--look-every", type=integer, default=None, metavar="STEPS", help=look_help)
    option("--costs", action="store_true", help="count the bytes and operations of each run, and do not train")
    add_options(group, "max_bytes", help="refuse a run or a file that needs more bytes of memory")
    add_options(group, "json")


# --- defaults in the help -------------------------------------------------------------------------------------------


def _said_default(name: str) -> str:
    return "" if name == "text" else f" (default: {_default(name)})"


CASES: dict[str, dict[str, Any]] = {
    "sgd": {"optimizer": "sgd"},
    "MNIST": {"data": "mnist"},
    "cnn": {"data": "mnist", "model": "cnn"},
    "gpt": {"model": "gpt"},
}
"""Where formats have other defaults than usual."""


def _default(name: str) -> str:
    """The default of an option, and the others that it has: "0.01; sgd 0.1; MNIST 0.001; recipes 0.001".

    They are read from the configurations that would run.
    """
    own, cases, of_recipes = _configurations()
    usual = _value(own, name)
    parts, before = [usual], usual
    for (case, given), config in zip(CASES.items(), cases, strict=True):
        value = _value(config, name)
        if name not in given and value not in (usual, before):
            parts.append(f"{case} {value}")
            before = value
    recipes = list(dict.fromkeys(_value(config, name) for config in of_recipes))
    return "; ".join(parts if recipes == [usual] else [*parts, f"recipes {joined(recipes, 'or')}"])


@cache
def _configurations() -> tuple[Config, tuple[Config, ...], tuple[Config, ...]]:
    """Those of a format: as usual, and in CASES; those of the recipes."""
    fmt = FORMATS.split(",")[0]
    cases = tuple(without_recipe(fmt, given) for given in CASES.values())
    return without_recipe(fmt, {}), cases, tuple(map(get_config, RECIPES))


def _value(config: Config, name: str) -> str:
    value = getattr(config.gpt if name in GPT_OPTIONS else config, name, config.policy.accumulator)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value) or EMPTY.get(name, "none")


EMPTY = {"init": "each layer its own", "accumulate_in": "that of gradients", "ema_in": "that of weights"}
"""What an option that is not given says."""


def run(options: argparse.Namespace) -> int:
    """Train, write all files, print the table; 3 if a run died that was not expected to."""
    refuse_contradictions(options)
    chosen = configs(options)
    if options.costs:
        _print_costs(chosen, options.json)
        return 0
    with own_files(options.out, _labels(chosen), options.resume, options.max_bytes) as own:
        try:
            histories = _trained(chosen, own, options)
            _write(histories, own)
        except KeyboardInterrupt as stop:
            raise type(stop)(_how_to_go_on(own, options)) from None
    if options.json:
        print_json([history.to_dict() for history in histories])
    else:
        _print_table(histories)
        print_sentence(f"picture: {own.picture}   report: {own.page}   log: {own.log}")
    died = [h.config.label for h in histories if h.death and not is_expected_to_die(h.config)]
    if died:
        print_error(f"fp16sim train: {joined(died)} died, and {'were' if len(died) > 1 else 'was'} not expected to")
    return 3 if died else 0


def _trained(chosen: Sequence[Config], own: RunFiles, options: argparse.Namespace) -> list[History]:
    data = load_data(chosen[0])
    for config in chosen:
        check_run(config, data, options.max_bytes)
    _say_what_never_happens(chosen, data, options)
    names = ("look_every", "resume", "start_from", "max_bytes")
    settings = {name: getattr(options, name) for name in names}
    histories, new = [], False
    with progress(options.json) as bar:
        for config, file in zip(chosen, own.models, strict=True):
            steps = _Steps(bar(config.label))
            histories.append(learn.train(config, data, steps, checkpoint_path=file, **settings))
            steps.end(histories[-1])
            new |= steps.taken
    if options.resume and not new:
        print_error("fp16sim train: nothing was left to train; the picture, the report and the log are written again")
    return histories


class _Steps:
    """The progress of one run; one that was finished before has a full bar, too."""

    def __init__(self, update: OnProgress | None) -> None:
        self.update, self.taken = update, False

    def __call__(self, done: int, total: int) -> None:
        self.taken = True
        if self.update:
            self.update(done, total)

    def end(self, history: History) -> None:
        """Show a run that was not trained now as it is."""
        if self.update and not self.taken:
            self.update(history.steps, history.steps)


def _say_what_never_happens(chosen: Sequence[Config], data: Dataset, options: argparse.Namespace) -> None:
    """Say which numbers of steps are longer than all runs."""
    kept = len(data.train_labels) * (1 - chosen[0].validation)
    steps = max(math.ceil(kept / config.batch) * config.epochs for config in chosen)
    for name in ("decay_every", "growth_interval"):
        given = getattr(options, name)
        if given is not None and given > steps:
            print_error(f"fp16sim train: {name}={given} has no effect: the longest run has {count(steps, 'step')}")
    if (options.warmup or 0) > steps:
        print_error(
            f"fp16sim train: warmup={options.warmup} ends after all runs: the longest has {count(steps, 'step')}, and "
            "the learning rate never reaches --lr"
        )


def _how_to_go_on(own: RunFiles, options: argparse.Namespace) -> str:
    """What to say after an interruption: the command line that goes on."""
    words = list(options.words)
    if options.out is None:
        words += ["-o", str(own.picture)]
    saved = any(file.exists() for file in own.models)
    if saved and not options.resume:
        words.append("--resume")
    return f"{'go on with' if saved else 'nothing was saved yet; start again with'}: {command_line(words)}"


# --- which runs -----------------------------------------------------------------------------------------------------

CONTRADICTIONS = (
    ("format", "recipes", "a recipe sets its own formats; leave one out, or give one recipe and --policy"),
    ("format", "policy", "a policy sets all formats; leave one out"),
    ("mode", "recipes", "a recipe sets its own modes; give one recipe and a policy such as --policy bf16:toward_zero"),
    ("mode", "policy", "write the mode into the policy, such as --policy compute=bf16:toward_zero"),
    ("text", "data", "both name the data; leave one out"),
    ("start_from", "init", "the weights are those of --from; leave one out"),
    *(
        ("costs", name, "--costs trains nothing; leave one out")
        for name in ("resume", "out", "start_from", "look_every")
    ),
)
"""Pairs of options of which one would have no effect, and why."""

FLAGS = {"recipes": "--recipe", "start_from": "--from", "out": "-o"}


def refuse_contradictions(options: argparse.Namespace) -> None:
    """ValueError if two options were given of which one would have no effect."""
    for first, second, why in CONTRADICTIONS:
        values = getattr(options, first), getattr(options, second)
        if all(value is not None and value is not False for value in values):
            one, other = (FLAGS.get(name, f"--{name.replace('_', '-')}") for name in (first, second))
            raise ValueError(f"{one} beside {other}: {why}")
    summed = "sequential" if options.policy is None else Policy.of(options.policy, Policy()).accumulator
    if options.accumulator and summed not in ("sequential", options.accumulator.lower()):
        raise ValueError("--accumulator beside --policy accumulator=...: give it once")


def configs(options: argparse.Namespace) -> list[Config]:
    """The runs that the options ask for."""
    given = {
        name: value for name in ("accumulator", "factors", *OPTIONS) if (value := getattr(options, name)) is not None
    }
    given |= _of_language_model(options)
    if options.recipes is not None:
        names = [name.strip() for name in options.recipes.split(",")]
        if options.policy is not None and len(names) > 1:
            raise ValueError("--policy replaces the formats of one recipe; give one --recipe")
        chosen = [make_config(name, **with_unscale(given), policy=options.policy) for name in names]
    else:
        chosen = [without_recipe(policy, given) for policy in _policies(options)]
    for note in refuse_unused(chosen, given):
        print_error(f"fp16sim train: {note}")
    return chosen


def _of_language_model(options: argparse.Namespace) -> dict[str, Any]:
    """The options of the language model, as options of Config; ValueError for those without effect."""
    given = {name: value for name in GPT_OPTIONS if (value := getattr(options, name)) is not None}
    named = [*(["text"] if options.text is not None else []), *given]
    if named and options.model != "gpt":
        raise ValueError(f"--{named[0]} is an option of the language model; add --model gpt, or leave it out")
    if "tile" in given and given.get("attention") != "online":
        raise ValueError("--tile beside another attention than online: that takes all keys at once; leave one out")
    text = {} if options.text is None else {"data": f"{PREFIX}{options.text}"}
    return {**text, **({"gpt": given} if given else {})}


def _policies(options: argparse.Namespace) -> list[PolicyLike]:
    if options.policy is not None:
        return [options.policy]
    names = options.format or FORMATS.split(",")
    return [Policy(Precision(get_format(name), get_rounding(options.mode or "ties_to_even"))) for name in names]


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


OF_TEXT = (COLUMNS[0], ("bits per\ncharacter", "right"), *COLUMNS[2:])
"""The columns for language models."""


def _row(history: History) -> Sequence[str]:
    row, died = history.totals(), history.death
    return (
        history.config.label,
        "died" if died else reached_text(history),
        decimal(row["loss"]),
        percent(row["lost_gradients"]),
        percent(row["absorbed_updates"]),
        str(row["overflows"]),
        str(row["skipped"]),
    )


def _print_table(histories: Sequence[History]) -> None:
    config = histories[0].config
    title = f"{DATA.get(config.data, config.data.removeprefix(PREFIX))}, every operation rounded"
    print_table(title, OF_TEXT if histories[0].writes else COLUMNS, map(_row, histories))
    print_text("")
    print_lines(counted(histories))
    print_lines(compared(histories))
    print_settings([history.config for history in histories])
    for history in histories:
        if sample := history.epochs[-1].sample:
            print_text(f"What {history.config.label} writes:\n{sample}\n")
    for history in histories:
        for name, value in history.more_facts().items():
            print_sentence(f"{history.config.label}: {name}: {value}")
        if history.death:
            print_sentence(f"{history.config.label} {history.death}")
        for advice in learn.diagnose(history):
            print_sentence(f"{history.config.label}: {advice}")


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
