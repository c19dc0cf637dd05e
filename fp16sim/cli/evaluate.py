"""fp16sim evaluate: a trained model in other formats."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..formats import NAMED_FORMATS, Rounding
from .output import print_table
from .parsing import formats

ALL = "binary32,binary16,bfloat16,e5m2,e4m3fn,e3m2fn,e2m3fn,e2m1fn"


def add(commands: Any) -> None:
    """The command and its options."""
    evaluate = commands.add_parser(
        "evaluate",
        help="the accuracy of a trained model in any format",
        description="Round the weights of a trained model, and all that it computes, to each format, and test it.",
        epilog="examples:\n  fp16sim evaluate fp16sim-train-binary16.npz\n"
        "  fp16sim evaluate fp16sim-train-binary32.npz --format e4m3fn,e5m2 --report\n"
        "  fp16sim evaluate fp16sim-train-binary32.npz --weights-only",
    )
    option = evaluate.add_argument
    option("model", type=Path, help="a model or checkpoint that fp16sim train wrote")
    known = ", ".join(fmt.name for fmt in NAMED_FORMATS)
    option("--format", type=formats, default=ALL, metavar="A,B", help=f"some of {known}")
    modes = [mode.value for mode in Rounding]
    option("--mode", default="ties_to_even", choices=modes, metavar="MODE", help=f"one of {', '.join(modes)}")
    option("--accumulator", default="blas", help="how products are summed; sequential: all rounded to the format")
    option("--weights-only", action="store_true", help="round the weights and compute in binary32")
    option("--report", action="store_true", help="precision, recall and F1 of each class, and the confusion matrix")
    option("--json", action="store_true", help="print JSON instead of a table")
    evaluate.set_defaults(run=_evaluate)


COLUMNS = (
    ("format", "left"),
    ("test\naccuracy", "right"),
    ("same answer as\nwhen trained", "right"),
    ("weights\nthat became 0", "right"),
    ("bytes of\nweights", "right"),
)


def _evaluate(options: argparse.Namespace) -> None:
    from ..learn import class_report, evaluate, load_model
    from ..learn.run.train import load_data

    model = load_model(options.model)
    data = load_data(model.config)
    how = {"accumulator": options.accumulator, "weights_only": options.weights_only}
    found = evaluate(model, data, options.format, options.mode, **how)
    if options.json:
        print(json.dumps([{**asdict(e), "predictions": e.predictions.tolist()} for e in found], indent=2))
        return
    title = f"{options.model.name} ({model.config.label}) on the test images of {data.name}"
    rows = [(e.fmt, f"{e.accuracy:.2%}", f"{e.agreement:.2%}", f"{e.lost_weights:.2%}", f"{e.bytes:,}") for e in found]
    print_table(title, COLUMNS, rows)
    if options.report:
        for e in found:
            print(f"{e.fmt}\n{class_report(data.test_labels, e.predictions)}\n")
