"""fp16sim diagnose: what a run lost to rounding, here or on another machine, from its checkpoint or its log."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..learn import History, diagnose
from ..learn.advise.logs import Log
from ..learn.advise.runs import files_in, read_run
from .output import check_writable, print_error, print_json, print_sentence, print_text
from .parsing import Parser, add_options, refuse_unused


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = (
        "Say why a run died, and what it lost to rounding: in which step, in which\n"
        "tensor, and what would help. It reads the log of a run elsewhere, which\n"
        "recorder.py writes there, and checkpoints of fp16sim train. With --script,\n"
        "write recorder.py: one file without dependencies, for PyTorch and for arrays."
    )
    parser.epilog = (
        "examples:\n  fp16sim diagnose --script -o recorder.py\n"
        "  fp16sim diagnose run.jsonl\n"
        "  fp16sim diagnose fp16sim-train-mixed-binary16.npz"
    )
    run_help = "a log of a Recorder (.jsonl), a checkpoint (.npz), or a folder of them"
    parser.add_argument("run", nargs="?", type=Path, metavar="RUN", help=run_help)
    parser.add_argument("--script", action="store_true", help="write recorder.py, to be copied to another machine")
    parser.add_argument("-o", "--output", dest="out", type=Path, metavar="FILE", help="where it is written")
    add_options(parser, "max_bytes", "json")


def run(options: argparse.Namespace) -> None:
    """Diagnose, or write the recorder."""
    if options.script:
        refuse_unused(options, "recorder.py is written", "json")
        if options.run is not None:
            raise ValueError(f"{options.run} is not read, because recorder.py is written; leave out one of the two")
        _write(options.out)
        return
    refuse_unused(options, "it is for --script", "out")
    if options.run is None:
        raise ValueError("give a log (.jsonl) or a checkpoint (.npz), or --script to write recorder.py")
    runs = _read(options.run, options.max_bytes)
    if options.json:
        found = [_plain(path, one) for path, one in runs]
        print_json(found[0] if len(found) == 1 and not options.run.is_dir() else found)
        return
    for k, (path, one) in enumerate(runs):
        if k:
            print_text("")
        _print(path, one)


def _read(path: Path, max_bytes: int) -> list[tuple[Path, Log | History]]:
    """The run, or all those in a folder: a file there that is none is named and left out."""
    files, runs = files_in(path), []
    for file in files:
        try:
            runs.append((file, read_run(file, max_bytes=max_bytes)))
        except ValueError as error:
            if not path.is_dir() or (len(files) == 1):
                raise
            print_error(f"fp16sim diagnose: {file.name} is left out: {error}")
    if not runs:
        raise ValueError(f"{path} has no run in it; give a log of a Recorder (.jsonl) or a checkpoint (.npz)")
    return runs


def _print(path: Path, one: Log | History) -> None:
    print_sentence(f"{path}: {_title(one)}")
    advice = [str(found) for found in diagnose(one)]
    if isinstance(one, History) and one.death:
        advice.insert(0, str(one.death))
    for said in advice or ["No number was lost in the steps that were examined."]:
        print_sentence(f"- {said}")


def _title(one: Log | History) -> str:
    return one.summary if isinstance(one, Log) else str(one).splitlines()[0]


def _plain(path: Path, one: Log | History) -> dict[str, Any]:
    """Plain data for JSON."""
    advice = [{"topic": a.topic, "text": str(a), "evidence": dict(a.evidence)} for a in diagnose(one)]
    return {"file": str(path), "advice": advice, **one.to_dict()}


def _write(out: Path | None) -> None:
    from ..learn import recorder

    program = Path(recorder.__file__).read_text(encoding="utf-8")
    if out is None:
        print_text(program)
        return
    from ..files import write_text

    check_writable(out, (".py",))
    write_text(out, program)
    print_text(f"wrote {out}; in the training script: from {out.stem} import Recorder")
