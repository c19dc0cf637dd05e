"""The tables of the page "Recipes compared": `python tutorials/site/recipes_compared.py TABLE` trains, and writes them.

TABLE-TASK.jsonl has the finished runs of a task, one a line, and is only appended to: an interrupted comparison goes on
from it, and `--write` writes the page from what is finished. `--task NAME` computes one task alone, `--workers N` uses as
many processes. Each task trains all recipes with the same
data, model, learning rate and seeds, and measures a loss on test samples: it tells small differences that an accuracy
over some hundred images does not. Each recipe is compared with `pure-binary32` seed by seed, which takes away what all
recipes owe to the seed.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the order of BLAS's sums depends on the number of threads
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # this checkout, before an installed fp16sim

import numpy as np

import fp16sim as fs
from fp16sim.learn import RECIPES, History, Linear, Samples, Tanh
from fp16sim.learn.run.engine import Engine
from fp16sim.learn.run.train import load_data
from fp16sim.sweeps.results import Results, Row
from fp16sim.sweeps.student import Spread
from fp16sim.sweeps.table import Record
from fp16sim.wording import count

PAGE = ROOT / "tutorials" / "reference" / "recipes_compared.md"
MARKS = ("<!-- {}: written by recipes_compared.py -->", "<!-- end of {} -->")
REFERENCE = "pure-binary32"
COMPARED = [name for name, recipe in RECIPES.items() if not recipe.fatal]
ABLATIONS = (
    ("nvfp4", ""),
    ("nvfp4", "stochastic_gradients=no"),
    ("nvfp4", "hadamard=0"),
    ("nvfp4", "square_weights=no"),
    ("nvfp4", "wide_last=0"),
    ("nvfp4", "stochastic_gradients=no hadamard=0 square_weights=no wide_last=0"),
    ("nvfp4", "scale_rule=four_over_six"),
    ("fp8-current", ""),
    ("fp8-current", "backward=e4m3fn"),
    ("fp8-current", "power_2_scale=yes"),
    ("fp8-delayed", ""),
    ("fp8-delayed", "amax_compute_algo=most_recent"),
)
"""Recipes and the parts of their factors that are changed."""


class Task(NamedTuple):
    """What is trained, and what is measured."""

    about: str
    measure: str
    options: dict[str, Any]
    parts: bool = False
    """Whether parts of factors are compared too."""


TASKS = {
    "digits": Task(
        "the main job: an MLP on the digits, at a learning rate at which it learns them",
        "test loss",
        {"data": "digits", "lr": 1e-2, "epochs": 5},
    ),
    "slow": Task(
        "the same at a hundredth of the learning rate, for twice as long: small steps",
        "test loss",
        {"data": "digits", "lr": 1e-4, "epochs": 10},
    ),
    "deep": Task(
        "eight hidden layers without norms or residual sums, at a tenth of the learning rate",
        "test loss",
        {"data": "digits", "lr": 1e-3, "epochs": 6, "layers": (32,) * 8},
    ),
    "curve": Task(
        "sin(2x) from 512 points, by two hidden layers of tanh: an error that can become small",
        "RMS error on 128 other points",
        {"data": "curve", "lr": 2e-3, "epochs": 30, "loss": "mean_squared_error"},
        parts=True,
    ),
    "text": Task(
        "the language model with a width of 32, one pass over the bundled text",
        "bits per character of the test text",
        {
            "data": "alice",
            "model": "gpt",
            "gpt": {"width": 32, "heads": 4, "blocks": 1, "context": 32},
            "lr": 1e-2,
            "epochs": 1,
            "batch": 16,
        },
    ),
}


# --- one run --------------------------------------------------------------------------------------------------------


def measured(task: str, recipe: str, factors: str, rng: int) -> dict[str, Any]:
    """The measure of a task after a run, and how the run died if it did."""
    options: dict[str, Any] = {**TASKS[task].options, "rng": rng, "look_every": 0}
    if factors:
        options["factors"] = factors
    if task == "curve":
        options |= {"data": curve(rng), "model": [Linear(1, 32), Tanh(), Linear(32, 32), Tanh(), Linear(32, 1)]}
    history = fs.learn.train(recipe, **options)
    if history.death:
        return {"died": str(history.death)}
    return {"value": _value(task, history), "updates without effect": history.totals()["absorbed_updates"]}


def curve(rng: int) -> Samples:
    """Points of a sine curve."""
    x = np.random.default_rng(rng).uniform(-2, 2, (640, 1))
    return Samples("curve", x[:512], np.sin(2 * x[:512]), x[512:], np.sin(2 * x[512:]))


def _value(task: str, history: History) -> float:
    end = history.epochs[-1]
    if task == "text":
        return float(end.bits_per_character or math.nan)
    if end.test_loss is not None:
        return math.sqrt(end.test_loss)
    data = load_data(history.config)
    with np.errstate(all="ignore"):
        logits = Engine(history.config, data).predict(history.params, data.test_images).astype(np.float64)
    return cross_entropy(logits, data.test_labels)


def cross_entropy(logits: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> float:
    """The mean cross-entropy in nats, in binary64: in a recipe's own format the measure would be rounded too.

    >>> round(cross_entropy(np.zeros((3, 10)), np.arange(3)), 4)
    2.3026
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    right = shifted[np.arange(len(labels)), labels]
    return float((np.log(np.exp(shifted).sum(axis=1)) - right).mean())


# --- the tables -----------------------------------------------------------------------------------------------------


def compared(task: str, runs: Sequence[Row], names: Sequence[tuple[str, str]]) -> Iterator[str]:
    """A table of recipes, each with the mean of its measure and of the ratios to the reference."""
    base = {row.place["rng"]: row.number("value") for row in _of(runs, REFERENCE, "")}
    about, seeds = TASKS[task].about, count(len(base), "seed")
    yield f"{about[0].upper()}{about[1:]}."
    yield f"Means over {seeds}."
    yield ""
    yield f"| recipe | {TASKS[task].measure} | ratio to `{REFERENCE}` (95 % interval) | told apart |"
    yield "|---|---|---|---|"
    for recipe, factors in names:
        own, label = _of(runs, recipe, factors), f"`{recipe}`{f', `{factors}`' if factors else ''}"
        if not own:
            yield f"| {label} | not measured | | |"
            continue
        if died := [row for row in own if row.died]:
            yield f"| {label} | died ({len(died)} of {len(own)} seeds) | | |"
            continue
        values = {row.place["rng"]: row.number("value") for row in own}
        mean = sum(values.values()) / len(values)  # type: ignore[arg-type]
        if recipe == REFERENCE:
            yield f"| {label} | {mean:.4f} | | |"
            continue
        spread = _ratios(values, base)
        yield f"| {label} | {mean:.4f} | {_interval(spread)} | {_told(spread)} |"


def _of(runs: Sequence[Row], recipe: str, factors: str) -> list[Row]:
    return [row for row in runs if (row.place["recipe"], row.place["factors"]) == (recipe, factors)]


def _ratios(own: Mapping[int, float | None], base: Mapping[int, float | None]) -> Spread | None:
    """The logarithms of the ratios to the reference, seed by seed: losses of different seeds differ by factors."""
    pairs = [(x, base[seed]) for seed, x in own.items() if base.get(seed)]
    return Spread.of([math.log(x / y) for x, y in pairs if x and y])


def _interval(spread: Spread | None) -> str:
    if spread is None or spread.low is None or spread.high is None:
        return "not measured"
    return f"{math.exp(spread.mean):.3f} ({math.exp(spread.low):.3f} .. {math.exp(spread.high):.3f})"


def _told(spread: Spread | None) -> str:
    """Whether the interval of the logarithm is on one side of 0."""
    if spread is None or spread.low is None or spread.high is None:
        return ""
    return "worse" if spread.low > 0 else "better" if spread.high < 0 else "no"


def summary(tasks: dict[str, Sequence[Row]]) -> Iterator[str]:
    """One row for each recipe: in which tasks it is told apart, and by how much."""
    yield f"| recipe | {' | '.join(tasks)} |"
    yield f"|---|{'---|' * len(tasks)}"
    for recipe in COMPARED:
        cells = [_cell(runs, recipe) for runs in tasks.values()]
        yield f"| `{recipe}` | {' | '.join(cells)} |"


def _cell(runs: Sequence[Row], recipe: str) -> str:
    own, base = ({row.place["rng"]: row.number("value") for row in _of(runs, name, "")} for name in (recipe, REFERENCE))
    if not own or None in own.values():
        return "died" if own else "not measured"
    if recipe == REFERENCE:
        return f"{sum(own.values()) / len(own):.4f}"  # type: ignore[arg-type]
    spread = _ratios(own, base)
    if spread is None or spread.half is None:
        return "not measured"
    told = _told(spread)
    return f"{math.exp(spread.mean):.3f} times, {told}" if told != "no" else "not told apart"


# --- the page -------------------------------------------------------------------------------------------------------


def computed(table: Path, task: str, seeds: int, recipes: Sequence[str], workers: int) -> Sequence[Row]:
    """All runs of a task: those in the table, and the rest now, one seed of all recipes after the other."""
    pairs = [(name, "") for name in recipes]
    pairs += [pair for pair in ABLATIONS if pair[1]] if TASKS[task].parts else []
    cells = [
        {"task": task, "recipe": recipe, "factors": factors, "rng": rng}
        for rng in range(seeds)
        for recipe, factors in pairs
    ]
    found: Results = fs.sweeps.run(measured, cells=cells, table=table, workers=workers, on_progress=_say)
    if failed := [row for row in found if row.record is None or not row.result]:
        sys.exit(f"{len(failed)} runs failed, first: {failed[0]}")
    return found.rows


def finished(table: Path) -> Sequence[Row]:
    """The runs of a task that are in the table."""
    _, *lines = table.read_text(encoding="utf-8").splitlines() if table.exists() else [""]
    records = map(Record.from_line, lines)
    return sorted((Row(record.config, record) for record in records), key=lambda row: row.place["rng"])


def _say(progress: Any) -> None:
    print(f"\r{progress.done}/{progress.total} ", end="", file=sys.stderr, flush=True)


def rewritten(page: str, name: str, lines: Sequence[str]) -> str:
    """The page with other lines between the marks of a name."""
    start, end = (re.escape(mark.format(name)) for mark in MARKS)
    block = "\n".join([MARKS[0].format(name), "", *lines, "", MARKS[1].format(name)])
    made, found = re.subn(f"{start}.*?{end}", lambda match: block, page, flags=re.DOTALL)
    if not found:
        raise SystemExit(f"the page has no place for {name}: {MARKS[0].format(name)}")
    return made


def main() -> None:
    """Train what is missing, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, help="the file of finished runs, without its ending")
    parser.add_argument("--task", choices=TASKS, action="append", help="this task alone; all unless given")
    parser.add_argument("--recipes", default=",".join(COMPARED), help="recipes, separated by commas")
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds, from 0 on")
    parser.add_argument("--write", action="store_true", help="train nothing, and write what is finished")
    parser.add_argument("--workers", type=int, default=0)
    options = parser.parse_args()
    page, tasks = PAGE.read_text(encoding="utf-8"), {}
    for task in options.task or TASKS:
        table, recipes = options.table.with_name(f"{options.table.name}-{task}.jsonl"), options.recipes.split(",")
        tasks[task] = (
            finished(table) if options.write else computed(table, task, options.seeds, recipes, options.workers)
        )
        page = rewritten(page, task, [*compared(task, tasks[task], [(name, "") for name in COMPARED])])
        if TASKS[task].parts:
            page = rewritten(page, f"parts of factors: {task}", [*compared(task, tasks[task], ABLATIONS)])
    if len(tasks) == len(TASKS):
        page = rewritten(page, "all tasks", [*summary(tasks)])
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
