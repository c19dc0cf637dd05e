"""The table of recipes: accuracy, time, memory, skipped steps and what rounding lost, over several seeds.

    python -m fp16sim.learn.table --data mnist --model cnn --seeds 0,1,2

Each run is a process of its own, so that its peak memory can be measured. Finished runs stay in a folder and are not
repeated, so an interrupted table continues where it stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..files import write_text
from ..wording import percent
from .run.recipes import RECIPES


@dataclass(frozen=True)
class Run:
    """The result of one run of a recipe; memory is the peak of its process in MiB, 0 if the system does not tell."""

    recipe: str
    seed: int
    accuracy: float
    seconds: float
    memory: float
    skipped: int
    lost_gradients: float | None
    absorbed: float | None
    died: str | None


def run(recipe: str, seed: int, folder: Path, options: Sequence[str]) -> Run:
    """Train once, or read the result of an earlier call from the folder."""
    file = folder / f"{recipe}-{seed}.run.json"
    if file.exists():
        return Run(**json.loads(file.read_text(encoding="utf-8")))
    out = folder / f"{recipe}-{seed}.png"
    command = [sys.executable, "-m", "fp16sim", "train", "--recipe", recipe, "--rng", str(seed), "--out", str(out)]
    start = time.perf_counter()
    with subprocess.Popen([*command, "--json", *options], stdout=subprocess.PIPE) as process:
        printed = process.stdout.read() if process.stdout else b""
        memory = _peak_memory(process)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with exit code {process.returncode}")
    result = json.loads(printed)[0]["result"]
    found = Run(
        recipe,
        seed,
        result["test_accuracy"],
        time.perf_counter() - start,
        memory,
        result["skipped"],
        result["lost_gradients"],
        result["absorbed_updates"],
        result["died"],
    )
    write_text(file, json.dumps(asdict(found)))
    return found


def _peak_memory(process: subprocess.Popen[bytes]) -> float:
    """The peak memory of a process in MiB, once it has ended."""
    if not hasattr(os, "wait4"):
        process.wait()
        return 0.0
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return float(usage.ru_maxrss) / (1024 if sys.platform != "darwin" else 1024**2)


def markdown(runs: Sequence[Run]) -> Iterator[str]:
    """The lines of the table in Markdown: means over the seeds, and the accuracy of each."""
    yield (
        "| recipe | accuracy | of each seed | seconds | MiB | skipped | gradients that became 0 "
        "| updates without effect |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for recipe in dict.fromkeys(one.recipe for one in runs):
        own = [one for one in runs if one.recipe == recipe]
        if died := next((one.died for one in own if one.died), None):
            yield f"| {recipe} | died | {died.partition(': ')[0]} | | | | | |"
            continue
        mean = {name: statistics.mean(getattr(one, name) for one in own) for name in _AVERAGED}
        lost, absorbed = (_mean([getattr(one, name) for one in own]) for name in ("lost_gradients", "absorbed"))
        each = " ".join(f"{one.accuracy:.4f}" for one in own)
        yield (
            f"| {recipe} | {mean['accuracy']:.4f} | {each} | {mean['seconds']:.0f} | {mean['memory']:.0f} "
            f"| {mean['skipped']:.1f} | {percent(lost)} | {percent(absorbed)} |"
        )


_AVERAGED = ("accuracy", "seconds", "memory", "skipped")


def _mean(measured: Sequence[float | None]) -> float | None:
    """The mean; None if one was not measured."""
    known = [x for x in measured if x is not None]
    return statistics.mean(known) if len(known) == len(measured) else None


def main() -> None:
    """Train all runs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", default=",".join(RECIPES), help="recipes, separated by commas")
    parser.add_argument("--seeds", default="0,1,2", help="seeds, separated by commas: one run of each recipe for each")
    parser.add_argument("--folder", type=Path, default=Path("fp16sim-table"), help="where finished runs are stored")
    known, options = parser.parse_known_args()
    known.folder.mkdir(parents=True, exist_ok=True)
    pairs = [(recipe, int(seed)) for seed in known.seeds.split(",") for recipe in known.recipes.split(",")]
    runs = [run(recipe, seed, known.folder, options) for recipe, seed in pairs]
    print("\n".join(markdown(runs)))


if __name__ == "__main__":
    main()
