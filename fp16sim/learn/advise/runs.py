"""What `diagnose` is given as a path: a log of a recorder, a checkpoint of a run here, or a folder with one of them."""

from __future__ import annotations

from pathlib import Path

from ...archives import MAX_BYTES
from ..observe.telemetry import Telemetry
from ..records import from_plain
from ..run.checkpoint import RunText, load_model, opened
from ..run.train import History
from ..state import Epoch
from .logs import Log, read_log

LOGS, RUNS = (".jsonl",), (".npz",)


def files_in(path: str | Path) -> list[Path]:
    """The file itself, or the logs and checkpoints in a folder.

    Raises
    ------
    ValueError
        If there is none.
    """
    path = Path(path)
    if not path.is_dir():
        if not path.is_file():
            raise ValueError(f"{path} does not exist; give a log of a Recorder (.jsonl) or a checkpoint (.npz)")
        return [path]
    found = sorted(one for one in path.iterdir() if one.suffix.lower() in (*LOGS, *RUNS) and one.is_file())
    if not found:
        raise ValueError(f"{path} has no log (.jsonl) and no checkpoint (.npz) in it; give one of these files")
    return found


def load_history(path: str | Path, *, max_bytes: int = MAX_BYTES) -> History:
    """The history of the run in a checkpoint, also of one that was interrupted.

    Raises
    ------
    ValueError
        If the file is no checkpoint of fp16sim: a model that was saved alone does not tell how it was trained.
    """
    with opened(path, max_bytes) as (about, _):
        if "step" not in about:
            raise ValueError("it is a model alone, which does not tell how it was trained")
        text = from_plain(RunText, about, "about")
        telemetry = Telemetry.from_dict(text.telemetry)
    model, epochs = load_model(path, max_bytes=max_bytes), text.epochs
    if text.batch and text.tally.images:
        loss = text.tally.loss / text.tally.images
        lost, absorbed = text.tally.lost, text.tally.absorbed
        counts = (text.tally.overflows, text.tally.skipped)
        more = {name: getattr(text.tally, name) for name in ("absorbed_gradients", "absorbed_average")}
        epochs = (*epochs, Epoch(len(epochs) + 1, text.batch, loss, None, lost, absorbed, *counts, **more))
    if not epochs:
        raise ValueError(f"path={str(path)!r} has a run without a step; nothing is known of it")
    return History(model.config, epochs, model.params, text.death, telemetry, text.step, text.look_every, text.answers)


def read_run(path: str | Path, *, max_bytes: int = MAX_BYTES) -> Log | History:
    """A log or a checkpoint, by the end of its name.

    Raises
    ------
    ValueError
        If it is neither, or a folder has more than one.
    """
    found = files_in(path)
    if len(found) > 1:
        names = ", ".join(one.name for one in found[:6])
        raise ValueError(f"{path} has {len(found)} runs ({names}); give one of these files")
    (one,) = found
    return load_history(one, max_bytes=max_bytes) if one.suffix.lower() in RUNS else read_log(one)
