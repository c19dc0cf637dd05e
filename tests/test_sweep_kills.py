"""Sweeps that are killed, interrupted, or lose a worker of a Dask cluster: no finished cell is lost, no bit differs."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

import fp16sim as fs
from fp16sim.sweeps import cluster

CELLS = """
import os, time
import numpy as np
import fp16sim as fs

def error(fmt, rng, seconds=0.06, fatal=-1):
    time.sleep(seconds)
    if rng == fatal:
        os._exit(7)
    return {"error": float(fs.sum(np.random.default_rng(rng).random(100), fmt))}
"""
TOML = """
function = "slow_cells:error"
[axes]
fmt = ["binary16", "bfloat16", "e5m2"]
rng = [0, 1, 2, 3, 4, 5]
"""
AXES = {"fmt": ["binary16", "bfloat16", "e5m2"], "rng": list(range(6))}

posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "slow_cells.py").write_text(CELLS, encoding="utf-8")
    (tmp_path / "s.toml").write_text(TOML, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("slow_cells", None)


def records(table):
    return sorted(re.sub(r',"seconds":[\d.e-]+}', "}", line) for line in table.read_text().splitlines()[1:])


def whole(folder):
    """The records of a sweep that nothing disturbed, in this process."""
    fs.sweeps.run("slow_cells:error", AXES, table=folder / "whole.jsonl")
    return records(folder / "whole.jsonl")


def environment():
    return {**os.environ, "PYTHONPATH": str(Path(fs.__file__).parents[1])}


def started(folder, *options):
    """The command in a session of its own."""
    command = [sys.executable, "-m", "fp16sim", "sweep", "s.toml", "--table", "t.jsonl", *options]
    return subprocess.Popen(
        command, cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def lines_in(table):
    return table.read_bytes().count(b"\n") if table.exists() else 0


def processes_in(session):
    """The processes of a session, those of a pool included."""
    listed = subprocess.run(["ps", "-eo", "pid,sid"], capture_output=True, text=True, check=True).stdout.split()
    return [int(pid) for pid, sid in zip(listed[2::2], listed[3::2], strict=True) if int(sid) == session]


@posix
@pytest.mark.exhaustive
@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_sweep_that_is_killed_again_and_again_loses_no_finished_cell_and_leaves_no_process(folder, workers):
    table = folder / "t.jsonl"
    for cells in (1, 5, 11):
        running = started(folder, "--workers", workers)
        wait_for(lambda cells=cells: lines_in(table) > cells)
        os.kill(running.pid, signal.SIGKILL)
        running.communicate()
        wait_for(lambda running=running: not processes_in(running.pid))
        kept = set(records(table))
    running = started(folder, "--workers", workers)
    assert running.communicate()[1] == ""
    assert kept <= set(records(table))
    assert records(table) == whole(folder)


@posix
@pytest.mark.exhaustive
def test_ctrl_c_keeps_the_finished_cells_ends_every_process_and_says_how_to_go_on(folder):
    running = started(folder, "--workers", "2")
    wait_for(lambda: lines_in(folder / "t.jsonl") > 3)
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to all processes
    told = running.communicate()[1]
    assert running.returncode == 130
    assert re.fullmatch(
        r"fp16sim sweep: interrupted; finished cells are in 't\.jsonl'; go on with: \S+ -m fp16sim sweep s\.toml "
        r"--table t\.jsonl --workers 2\n",
        told,
    )
    wait_for(lambda: not processes_in(running.pid))
    assert 3 <= len(records(folder / "t.jsonl")) < 18
    started(folder, "--workers", "2").communicate()
    assert records(folder / "t.jsonl") == whole(folder)


# --- a cluster ------------------------------------------------------------------------------------------------------


def cluster_answers(address):
    """Wait until a scheduler listens."""

    def listens():
        with socket.socket() as asking:
            return asking.connect_ex(("127.0.0.1", int(address.rpartition(":")[2]))) == 0

    wait_for(listens)


@contextmanager
def dask_cluster(workers):
    """A scheduler and its workers on the loopback address, each a process of its own: the address, and the workers."""
    pytest.importorskip("distributed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    dask = [sys.executable, "-m", "dask"]
    few = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}  # of a cell; by default 3
    own = {"env": environment() | few, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = [*dask, "scheduler", "--host", "127.0.0.1", "--port", address.rpartition(":")[2], "--no-dashboard"]
    worker = [*dask, "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    running = [subprocess.Popen(command, **own) for command in [scheduler, *[worker] * workers]]
    try:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(cluster, "PATIENCE", 60.0)  # a busy machine starts processes slowly
            yield address, running
    finally:
        for process in running:
            process.kill()
            process.wait()


@posix
@pytest.mark.exhaustive
def test_a_worker_of_a_cluster_that_is_killed_in_the_middle_loses_no_cell_and_changes_no_bit(folder):
    with dask_cluster(workers=2) as (address, (_, first, _)):
        _train_on(address, folder)

        def kill(progress):
            if progress.done == 4:
                first.kill()

        settings = {"base": {"seconds": 0.2}, "scheduler": address, "table": folder / "t.jsonl", "on_progress": kill}
        found = fs.sweeps.run("slow_cells:error", AXES, **settings)
        assert first.poll() is not None
        assert len(found) == len(found.groups) * 6 == 18
        assert found.left == len(found.failures) == 0
    fs.sweeps.run("slow_cells:error", AXES, base={"seconds": 0.2}, table=folder / "whole.jsonl")
    assert records(folder / "t.jsonl") == records(folder / "whole.jsonl")


@posix
@pytest.mark.exhaustive
def test_a_cell_that_ends_every_worker_is_a_failure_and_a_lost_scheduler_is_said(folder):
    with dask_cluster(workers=4) as (address, (scheduler, *_)):
        axes = {"fmt": ["binary16"], "rng": [0, 1]}
        found = fs.sweeps.run("slow_cells:error", axes, base={"fatal": 1}, scheduler=address)
        assert "every worker that ran it was lost" in str(found.failures[0].record.failure)
        assert [row.place["rng"] for row in found.failures] == [1]

        def kill(progress):
            if progress.done == 2:
                scheduler.kill()

        with pytest.raises(ConnectionError, match="was lost; start it again, and repeat the command"):
            fs.sweeps.run("slow_cells:error", AXES, scheduler=address, table=folder / "t.jsonl", on_progress=kill)
        assert len(records(folder / "t.jsonl")) >= 2


def _train_on(address, folder):
    """Training on a cluster has the bits of this process."""
    axes, options = {"policy": ["binary16", "bfloat16:stochastic"], "rng": [0, 1]}, {"epochs": 1, "layers": (8,)}
    fs.learn.sweep(axes, **options, scheduler=address, table=folder / "there.jsonl")
    fs.learn.sweep(axes, **options, table=folder / "here.jsonl")
    assert records(folder / "there.jsonl") == records(folder / "here.jsonl")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("nonsense", "is not an address; write it as 'tcp://host:8786'"),
        ("tcp://127.0.0.1:{port}", "does not answer .*; start one with 'dask scheduler'"),
    ],
)
def test_a_scheduler_that_does_not_answer_is_said_within_seconds_and_nothing_is_written(
    folder, monkeypatch, address, said
):
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "PATIENCE", 0.3)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()  # it takes the connection, and never says a word
        given = address.format(port=deaf.getsockname()[1])
        start = time.monotonic()
        with pytest.raises(ValueError, match=said):
            fs.sweeps.run("slow_cells:error", AXES, scheduler=given, table=folder / "t.jsonl")
        assert time.monotonic() - start < 10
    assert not (folder / "t.jsonl").exists()


@pytest.mark.exhaustive
def test_a_scheduler_without_workers_is_said(folder, monkeypatch):
    with dask_cluster(workers=0) as (address, _):
        cluster_answers(address)
        monkeypatch.setattr(cluster, "PATIENCE", 2.0)
        with pytest.raises(ValueError, match="has no workers; start some with 'dask worker tcp://"):
            fs.sweeps.run("slow_cells:error", AXES, scheduler=address)
