"""The table of recipes: accuracy, time, memory, skipped steps and what rounding lost, over several seeds.

    python -m fp16sim.learn.table --data mnist --model cnn --seeds 0,1,2

Each run is a process of its own, so that its peak memory can be measured. Finished runs stay in a folder and are not
repeated, so an interrupted table continues where it stopped.

A difference between two recipes exceeds the spread over seeds if each run of one is better than each run of the other.
For equal recipes with n and m seeds, every order of the n + m runs is equally probable, so that this happens by chance
with the probability 2 n! m! / (n + m)!: 10 % for three seeds each, 0.8 % for five.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import permutations
from pathlib import Path
from typing import Any

from ..files import write_text
from ..wording import count, decimal, joined, percent
from .chance import Ranking
from .records import from_plain
from .run.config import Config
from .run.recipes import RECIPES
from .run.settings import compare_settings


@dataclass(frozen=True)
class Run:
    """The result of one run of a recipe; memory is the peak of its process in MiB, None if the system does not tell.

    `options` are those of the command line that made it, and `config` is what `Config.from_dict` reads.
    """

    recipe: str
    seed: int
    accuracy: float
    seconds: float
    memory: float | None
    skipped: int
    lost_gradients: float | None
    absorbed: float | None
    died: str | None
    options: list[str]
    config: dict[str, Any]


def run(recipe: str, seed: int, folder: Path, options: Sequence[str]) -> Run:
    """Train once, or read the result of an earlier call with the same options from the folder."""
    file = folder / f"{recipe}-{seed}.run.json"
    if file.exists():
        return _read(file, options)
    out = folder / f"{recipe}-{seed}.png"
    command = [sys.executable, "-m", "fp16sim", "train", "--recipe", recipe, "--rng", str(seed), "--out", str(out)]
    start = time.perf_counter()
    with subprocess.Popen([*command, "--json", *options], stdout=subprocess.PIPE) as process:
        printed = process.stdout.read() if process.stdout else b""
        memory = _peak_memory(process)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with exit code {process.returncode}")
    log = json.loads(printed)[0]
    result = log["result"]
    found = Run(
        recipe=recipe,
        seed=seed,
        accuracy=result["test_accuracy"],
        seconds=time.perf_counter() - start,
        memory=memory,
        skipped=result["skipped"],
        lost_gradients=result["lost_gradients"],
        absorbed=result["absorbed_updates"],
        died=result["died"],
        options=list(options),
        config=log["config"],
    )
    write_text(file, json.dumps(asdict(found)))
    return found


def _read(file: Path, options: Sequence[str]) -> Run:
    try:
        stored = from_plain(Run, json.loads(file.read_text(encoding="utf-8")), "run")
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is damaged or was written by another version ({error}); delete it") from None
    if stored.options != list(options):
        was = " ".join(stored.options) or "none"
        raise ValueError(f"{file} was made with other options ({was}); delete it, or give another --folder")
    return stored


def _peak_memory(process: subprocess.Popen[bytes]) -> float | None:
    """The peak memory of a process in MiB, once it has ended."""
    if not hasattr(os, "wait4"):
        process.wait()
        return None
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return float(usage.ru_maxrss) / (1024 if sys.platform != "darwin" else 1024**2)


# --- the table ------------------------------------------------------------------------------------------------------


HEADINGS = (
    *("accuracy", "min .. max", "sd", "seconds", "MiB", "skipped"),
    *("gradients that became 0", "updates without effect"),
)
"""Means over the seeds; min, max and the standard deviation are those of the accuracy."""


def markdown(runs: Sequence[Run]) -> Iterator[str]:
    """The lines of the table in Markdown, the differences that exceed the spread over seeds, and the settings."""
    yield f"| recipe | {' | '.join(HEADINGS)} |"
    yield f"|---|{'---|' * len(HEADINGS)}"
    for recipe, own in _by_recipe(runs).items():
        yield f"| {' | '.join([recipe, *_cells(own)])} |"
    yield ""
    yield from _differences(runs)
    yield ""
    yield from _settings(runs)


def _by_recipe(runs: Sequence[Run]) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = {}
    for one in runs:
        found.setdefault(one.recipe, []).append(one)
    return found


def _cells(own: Sequence[Run]) -> list[str]:
    """What stands behind the name of a recipe: means, and of the accuracy also the spread over the seeds."""
    died = [one.died for one in own if one.died]
    if died:
        return [f"{died[0].partition(': ')[0]} ({len(died)} of {count(len(own), 'seed')})", *[""] * (len(HEADINGS) - 1)]
    mean = {name: _mean([getattr(one, name) for one in own]) for name in AVERAGED}
    reached = [one.accuracy for one in own]
    return [
        decimal(mean["accuracy"]),
        f"{min(reached):.4f} .. {max(reached):.4f}",
        decimal(statistics.stdev(reached) if len(reached) > 1 else None),
        decimal(mean["seconds"], 0),
        decimal(mean["memory"], 0),
        decimal(mean["skipped"], 1),
        percent(mean["lost_gradients"]),
        percent(mean["absorbed"]),
    ]


AVERAGED = ("accuracy", "seconds", "memory", "skipped", "lost_gradients", "absorbed")


def _mean(measured: Sequence[float | None]) -> float | None:
    """The mean; None if one was not measured."""
    known = [x for x in measured if x is not None]
    return statistics.mean(known) if len(known) == len(measured) else None


# --- differences ----------------------------------------------------------------------------------------------------


def beyond_spread(accuracies: Mapping[str, Sequence[float]]) -> Ranking:
    """Which recipes are better than others in every run: each of their seeds than each of the other's.

    >>> beyond_spread({"a": [0.97, 0.98], "b": [0.95, 0.96], "c": [0.96, 0.99]}).beyond
    (('a', 'b'),)
    """
    pairs = permutations(accuracies, 2)
    return Ranking(tuple(accuracies), tuple((a, b) for a, b in pairs if min(accuracies[a]) > max(accuracies[b])))


def chance_of_separation(n: int, m: int) -> float:
    """How probable it is that all n runs of one recipe are better than all m of an equal one, or the other way round.

    >>> chance_of_separation(3, 3), round(chance_of_separation(5, 5), 4)
    (0.1, 0.0079)
    """
    return 2 / math.comb(n + m, n)


def _differences(runs: Sequence[Run]) -> Iterator[str]:
    alive = {name: own for name, own in _by_recipe(runs).items() if not any(one.died for one in own)}
    fewest = min(map(len, alive.values()), default=0)
    if len(alive) < 2:
        return
    if fewest < 2:
        yield "One seed shows no spread, so no difference can be told from it; give several, as in --seeds 0,1,2."
        return
    found = beyond_spread({name: [one.accuracy for one in own] for name, own in alive.items()})
    pairs, chance = math.comb(len(alive), 2), chance_of_separation(fewest, fewest)
    yield found.said("within the spread over seeds")
    yield (
        f"A difference is beyond the spread if each of {fewest} seeds is better than each of {fewest} others. Of two "
        f"equal recipes that happens by chance in {percent(chance)} of cases: {pairs * chance:.1f} of the "
        f"{count(pairs, 'pair')} here."
    )


def _settings(runs: Sequence[Run]) -> Iterator[str]:
    """The settings of the recipes, apart from their seeds."""
    configs = {one.recipe: replace(Config.from_dict(one.config), rng=0) for one in runs}
    found = compare_settings(list(configs.values()))
    yield f"Seeds {joined(map(str, sorted({one.seed for one in runs})))}; settings of all: {found}."
    if found.differing:
        yield ""
        yield f"| recipe | {' | '.join(found.differing)} |"
        yield f"|---|{'---|' * len(found.differing)}"
        for recipe, *texts in zip(configs, *found.differing.values(), strict=True):
            yield f"| {recipe} | {' | '.join(texts)} |"


def main() -> None:
    """Train all runs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", default=",".join(RECIPES), help="recipes, separated by commas")
    parser.add_argument("--seeds", default="0,1,2", help="seeds, separated by commas: one run of each recipe for each")
    parser.add_argument("--folder", type=Path, default=Path("fp16sim-table"), help="where finished runs are stored")
    known, options = parser.parse_known_args()
    known.folder.mkdir(parents=True, exist_ok=True)
    pairs = [(recipe, int(seed)) for seed in known.seeds.split(",") for recipe in known.recipes.split(",")]
    try:
        runs = [run(recipe, seed, known.folder, options) for recipe, seed in pairs]
    except (ValueError, RuntimeError) as error:
        sys.exit(f"fp16sim.learn.table: {error}")
    print("\n".join(markdown(runs)))


if __name__ == "__main__":
    main()
