"""The table of recipes: accuracy, time, memory, skipped and lost updates, over several seeds.

    python -m fp16sim.learn.table --data mnist --model cnn --seeds 0,1,2

Each run is a process of its own, so that its peak memory is its own; a run that is in the folder already is not made
again, so that an interrupted table goes on where it stopped.
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
from typing import Any

from ..files import write_text
from .run.recipes import RECIPES


@dataclass(frozen=True)
class Run:
    """What one run of a recipe came to; memory is the peak of the process in MiB, or 0 where it is not known."""

    recipe: str
    seed: int
    accuracy: float
    seconds: float
    memory: float
    skipped: int
    lost_gradients: float
    absorbed: float
    died: str | None


def run(recipe: str, seed: int, folder: Path, options: Sequence[str]) -> Run:
    """Train once, or read what an earlier call left in the folder."""
    kept = folder / f"{recipe}-{seed}.run.json"
    if kept.exists():
        return Run(**json.loads(kept.read_text(encoding="utf-8")))
    out = folder / f"{recipe}-{seed}.png"
    command = [sys.executable, "-m", "fp16sim", "train", "--recipe", recipe, "--rng", str(seed), "--out", str(out)]
    start = time.perf_counter()
    with subprocess.Popen([*command, "--json", *options], stdout=subprocess.PIPE) as process:
        printed, _ = process.communicate() if not hasattr(os, "wait4") else (_read(process), None)
        memory = _peak(process)
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
    write_text(kept, json.dumps(asdict(found)))
    return found


def _read(process: Any) -> bytes:
    printed: bytes = process.stdout.read()
    return printed


def _peak(process: Any) -> float:
    """The peak memory of a process that has closed its output, in MiB; it is waited for."""
    if not hasattr(os, "wait4"):
        process.wait()
        return 0.0
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return float(usage.ru_maxrss) / (1024 if sys.platform != "darwin" else 1024**2)


def rows(runs: Sequence[Run]) -> Iterator[str]:
    """The table in Markdown: means over the seeds, and the accuracy of each."""
    yield "| recipe | accuracy | of each seed | seconds | MiB | skipped | gradients lost | updates absorbed |"
    yield "|---|---|---|---|---|---|---|---|"
    for recipe in dict.fromkeys(one.recipe for one in runs):
        own = [one for one in runs if one.recipe == recipe]
        if died := next((one.died for one in own if one.died), None):
            yield f"| {recipe} | died | {died.partition(': ')[0]} | | | | | |"
            continue
        mean = {name: statistics.mean(getattr(one, name) for one in own) for name in _AVERAGED}
        each = " ".join(f"{one.accuracy:.4f}" for one in own)
        yield (
            f"| {recipe} | {mean['accuracy']:.4f} | {each} | {mean['seconds']:.0f} | {mean['memory']:.0f} "
            f"| {mean['skipped']:.1f} | {mean['lost_gradients']:.2%} | {mean['absorbed']:.1%} |"
        )


_AVERAGED = ("accuracy", "seconds", "memory", "skipped", "lost_gradients", "absorbed")


def main() -> None:
    """Run the table, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", default=",".join(RECIPES), help="some of the recipes")
    parser.add_argument("--seeds", default="0,1,2", help="as many runs of each")
    parser.add_argument("--folder", type=Path, default=Path("fp16sim-table"), help="where the runs are kept")
    known, options = parser.parse_known_args()
    known.folder.mkdir(parents=True, exist_ok=True)
    pairs = [(recipe, int(seed)) for seed in known.seeds.split(",") for recipe in known.recipes.split(",")]
    runs = [run(recipe, seed, known.folder, options) for recipe, seed in pairs]
    print("\n".join(rows(runs)))


if __name__ == "__main__":
    main()
