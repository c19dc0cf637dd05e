"""fp16sim evaluate: a trained model in other formats."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..conversion import Array
from ..learn import Dataset, Evaluation, Model, class_report, evaluate, generate, load_model
from ..learn.chance import LEVEL
from ..learn.data.text import PREFIX
from ..learn.run.evaluate import NO_ANSWER, policy_in
from ..learn.run.generate import TEMPERATURE
from ..learn.run.recipes import is_expected_to_die
from ..learn.run.settings import compare_settings, settings_of
from ..learn.run.train import load_data
from ..learn.scaling import all_finite
from ..report.notes import accuracy_text
from ..wording import count, decimal, percent, quoted
from .output import print_error, print_json, print_lines, print_table, print_text, progress
from .parsing import Parser, add_options, integer, number

FORMATS = "binary32,binary16,bfloat16,e5m2,e4m3fn,e3m2fn,e2m3fn,e2m1fn"


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = (
        "Test a trained model in each format: its weights, and all that it computes, are\nrounded to the format."
    )
    parser.epilog = (
        "examples:\n  fp16sim evaluate fp16sim-train-binary16.npz\n"
        "  fp16sim evaluate fp16sim-train-binary32.npz --format e4m3fn,e5m2 --report\n"
        "  fp16sim evaluate fp16sim-train-binary32.npz --weights-only\n\n"
        "The exit code is 3 for the model of a run that died and was not expected to."
    )
    option = parser.add_argument
    option("model", type=Path, metavar="MODEL", help="a model or checkpoint that fp16sim train wrote")
    add_options(parser, "formats", default=FORMATS)
    add_options(parser, "mode")
    add_options(parser, "accumulator", default="blas")
    option("--average", action="store_true", help="the moving average of the weights (train --ema) instead of them")
    option("--weights-only", action="store_true", help="round the weights only, and compute in binary32")
    option("--report", action="store_true", help="precision, recall and F1 of each class, and the confusion matrix")
    text_help = "of a language model: the text to test on, whose last tenth is taken (default: that of its training)"
    option("--text", type=Path, metavar="FILE", help=text_help)
    option("--write", type=integer, metavar="N", help="of a language model: N characters that it writes in each format")
    option("--prompt", metavar="TEXT", help="what it goes on from (default: a new line)")
    temperature_help = f"for --write: below 1, probable characters come more often (default: {TEMPERATURE})"
    option("--temperature", type=number, metavar="X", help=temperature_help)
    add_options(parser, "max_bytes", "json")


OF_TEXT = (
    ("format", "left"),
    ("bits per\ncharacter", "right"),
    ("more than\nwhen trained", "right"),
    ("same next character\nas when trained", "right"),
    ("weights\nthat became 0", "right"),
    ("bytes of\nweights", "right"),
)
"""The columns for a language model."""

COLUMNS = (
    ("format", "left"),
    ("test accuracy\n(95 % interval)", "right"),
    ("beside the\ntrained model", "right"),
    ("same answer as\nwhen trained", "right"),
    ("weights\nthat became 0", "right"),
    ("bytes of\nweights", "right"),
)


def run(options: argparse.Namespace) -> int:
    """Evaluate in each format, and print; 3 if the model is that of a run that died and was not expected to."""
    _refuse(options)
    model = load_model(options.model, average=options.average, max_bytes=options.max_bytes)
    _refuse_of_model(options, model)
    name = model.config.data if options.text is None else f"{PREFIX}{options.text}"
    data = load_data(replace(model.config, data=name))
    settings = {"accumulator": options.accumulator, "weights_only": options.weights_only}
    with progress(options.json, "formats") as bar:
        found = evaluate(model, data, options.format, options.mode, **settings, on_format=bar("evaluate"))
    _print(options, model, data, found, settings)
    dead = not all_finite(model.params)
    if dead:
        print_error(f"fp16sim evaluate: {str(options.model)!r} has weights that are not finite: its run died")
    return 3 if dead and not is_expected_to_die(model.config) else 0


def _refuse_of_model(options: argparse.Namespace, model: Model) -> None:
    """ValueError for an option that is for another kind of model, or has no effect."""
    given = [name for name in ("text", "write", "prompt", "temperature") if getattr(options, name) is not None]
    if given and model.config.model != "gpt":
        raise ValueError(f"--{given[0]}: model={quoted(str(model.config.model))} writes no text; leave it out")
    if given and options.write is None and given != ["text"]:
        raise ValueError(f"--{given[-1]} is for --write; add --write 200, or leave it out")
    if options.report and model.config.model == "gpt":
        raise ValueError("--report has one row for each class, and a language model has none; leave it out")
    if options.write is not None and options.json:
        raise ValueError("--write beside --json: the JSON has numbers alone; leave one out")


def _refuse(options: argparse.Namespace) -> None:
    if options.report and options.json:
        raise ValueError("--report beside --json: the JSON has the answer to every image instead; leave one out")
    twice = next((fmt for fmt in options.format if list(options.format).count(fmt) > 1), None)
    if twice:
        raise ValueError(f"{quoted(twice)} is given twice; give each format once")


def _print(
    options: argparse.Namespace, model: Model, data: Dataset, found: Sequence[Evaluation], settings: dict[str, Any]
) -> None:
    """The table and what it is about, or JSON."""
    if options.json:
        chosen = {**settings, "mode": options.mode, "training": settings_of(model.config)}
        print_json([{**e.to_dict(), **chosen} for e in found])
        return
    writes = model.config.model == "gpt"
    tests = "end" if writes else "test images"
    what = f"{model.config.label}, averaged weights" if options.average else model.config.label
    title = f"{options.model.name} ({what}) on the {tests} of {data.name.removeprefix(PREFIX)}"
    rows = (_row_of_text(e) if writes else _row(e, LEVEL / len(found)) for e in found)
    print_table(title, OF_TEXT if writes else COLUMNS, rows)
    print_text("")
    rounded = "weights" if options.weights_only else "weights and results"
    print_lines(f"Here {rounded} are rounded ({options.mode}), and the accumulator is {options.accumulator}.")
    if writes:
        print_lines(
            f"Bits per character are -log2 of the probability of each of {data.test_labels.size:,} next characters, on "
            "average, computed in binary64 from the logits."
        )
    else:
        print_lines(
            f"Accuracies are those of {len(data.test_labels):,} test images, with Wilson's 95 % interval; each format "
            "is compared with the trained model by McNemar's exact test."
        )
    print_lines(f"Training: {compare_settings([model.config])}.")
    print_text("")
    if options.write is not None:
        for fmt in options.format:
            policy = policy_in(fmt, options.mode, options.accumulator, options.weights_only)
            temperature = TEMPERATURE if options.temperature is None else options.temperature
            text = generate(model, options.prompt or "", options.write, temperature=temperature, policy=policy)
            print_text(f"What it writes in {policy.param.fmt.name}:\n{text}\n")
    if options.report:
        for e in found:
            print_text(f"{e.fmt}\n{_report(data.test_labels, e.predictions)}\n")


def _report(labels: Array, predictions: Array) -> str:
    """The scores of each class, over the images that have an answer."""
    answered = predictions != NO_ANSWER
    missing = count(int((~answered).sum()), "image")
    said = [] if answered.all() else [f"{missing} of {len(labels):,} with a logit that is NaN are left out"]
    scores = [str(class_report(labels[answered], predictions[answered]))] if answered.any() else []
    return "\n".join([*said, *scores])


def _row(found: Evaluation, level: float) -> Sequence[str]:
    shares = (percent(share, digits=4) for share in (found.agreement, found.lost_weights))
    return found.fmt, accuracy_text(found.answers), _beside(found, level), *shares, f"{found.bytes:,}"


def _row_of_text(found: Evaluation) -> Sequence[str]:
    bits, trained = found.bits, found.trained_bits
    more = "-" if bits is None or trained is None or math.isnan(bits - trained) else f"{bits - trained:+.4f}"
    shares = (percent(share, digits=4) for share in (found.agreement, found.lost_weights))
    return found.fmt, decimal(bits), more, *shares, f"{found.bytes:,}"


def _beside(found: Evaluation, level: float) -> str:
    """Whether the accuracy differs from that of the model as it was trained by more than chance."""
    if found.chance >= level:
        return "within chance"
    return "better" if found.accuracy > found.trained.accuracy else "worse"
