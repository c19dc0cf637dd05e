"""Files that are complete or not there, whatever happens to the writer; and names that no two runs share."""

import ast
import errno
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fp16sim import files
from fp16sim.cli import main
from fp16sim.cli.output import check_writable
from fp16sim.files import (
    CLAIM,
    PART,
    atomic_path,
    claim,
    claim_file,
    numbered,
    numbers_in_use,
    why_not_writable,
    write_text,
)
from fp16sim.learn.run.checkpoint import save_run, unfinished
from fp16sim.teach import lessons

posix = pytest.mark.skipif(os.name != "posix", reason="signals and links of POSIX")
FILES = Path(files.__file__)
"""files.py needs the standard library alone: a child that loads it by itself starts quickly."""


def child(code, *arguments, **how):
    """A process that has files.py as `files`."""
    load = (
        "import importlib.util, os, sys; from pathlib import Path\n"
        f"spec = importlib.util.spec_from_file_location('files', {str(FILES)!r})\n"
        "files = importlib.util.module_from_spec(spec); spec.loader.exec_module(files)\n"
    )
    return subprocess.Popen([sys.executable, "-c", load + code, *map(str, arguments)], **how)


HOLD = """
with files.{what}(Path(sys.argv[1])) as place:
    if place is not True: place.write_text("half")
    print("there", flush=True); sys.stdin.read()
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# --- what a killed writer leaves ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("what", "begin"), [("atomic_path", PART), ("claim", CLAIM)])
def test_what_a_killed_process_left_is_removed_by_the_next_writer_and_what_a_running_one_needs_stays(
    what, begin, tmp_path
):
    path = tmp_path / "a.txt"
    process = child(HOLD.format(what=what), path, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline().strip() == b"there"
    (hidden,) = names(tmp_path)
    assert hidden.startswith(begin)
    write_text(tmp_path / "b.txt", "b")
    assert names(tmp_path) == sorted([hidden, "b.txt"])
    process.kill()
    process.communicate()
    assert names(tmp_path) == sorted([hidden, "b.txt"])
    write_text(path, "a")
    assert names(tmp_path) == ["a.txt", "b.txt"]


def test_a_writer_in_another_thread_keeps_its_file(tmp_path):
    with atomic_path(tmp_path / "a.txt") as place:
        place.write_text("a")
        thread = threading.Thread(target=write_text, args=(tmp_path / "b.txt", "b"))
        thread.start()
        thread.join()
        assert place.read_text() == "a"
    assert names(tmp_path) == ["a.txt", "b.txt"]


def test_hidden_files_of_others_stay(tmp_path):
    for name in (".a.txt.x7d_2k1a.txt", ".fp16sim", ".gitignore", "fp16sim-part-x"):
        (tmp_path / name).write_text("not ours")
    (tmp_path / f"{PART}folder").mkdir()
    before = names(tmp_path)
    write_text(tmp_path / "a.txt", "a")
    assert names(tmp_path) == sorted([*before, "a.txt"])


DIE_AT_EVENT = """
import signal
events = 0
def die(event, arguments):
    global events
    if event in ("open", "os.rename", "os.remove", "os.chmod", "tempfile.mkstemp", "fcntl.flock"):
        events += 1
        if events == int(sys.argv[2]): os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(die)
files.write_text(sys.argv[1], "new")
print(events)
"""


@posix
def test_a_writer_that_is_killed_at_any_file_event_leaves_the_old_file_or_the_new_one(tmp_path):
    path = tmp_path / "a.txt"
    for event in range(1, 50):
        path.write_text("old")
        process = child(DIE_AT_EVENT, path, event, stdout=subprocess.PIPE)
        printed, _ = process.communicate(timeout=30)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL
        assert path.read_text() in ("old", "new")
        write_text(path, "next")
        assert names(tmp_path) == ["a.txt"]
        assert path.read_text() == "next"
    assert event > 5
    assert int(printed) == event - 1


def test_copied_lessons_do_not_touch_a_file_that_ends_in_part(tmp_path):
    (tmp_path / "sums.py.part").write_text("mine")
    lessons.copy(tmp_path)
    assert (tmp_path / "sums.py.part").read_text() == "mine"
    assert "Sums" in (tmp_path / "sums.py").read_text(encoding="utf-8")
    assert not [name for name in names(tmp_path) if name.startswith(".")]


def writes(node):
    """Whether a call writes a file."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    owner, name = ast.unparse(node.func.value), node.func.attr
    if name == "open":
        return any(isinstance(x, ast.Constant) and str(x.value).startswith(("w", "a", "x")) for x in node.args)
    # A method of the grader's process has the name of a Path's; it writes to a pipe.
    pipe = owner.startswith("self")
    return (name in ("write_text", "write_bytes") and owner != "files" and not pipe) or f"{owner}.{name}" in (
        "os.replace",
        "os.rename",
        "np.save",
    )


WRITERS = ("learn/run/checkpoint.py", "cli/quiz.py", "learn/recorder.py")


def test_all_files_are_written_by_the_one_module():
    for path in FILES.parent.rglob("*.py"):
        if path != FILES:
            found = [node.lineno for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if writes(node)]
            # A checkpoint and a sheet of questions are written to the path that `atomic_path` gives. The recorder is
            # copied to machines without fp16sim; it appends to its log.
            known = path.relative_to(FILES.parent).as_posix() in WRITERS
            assert len(found) == known, f"{path}: lines {found} write"


# --- links, folders, long names ---------------------------------------------------------------------------------------


@posix
def test_a_link_is_followed_and_stays_a_link(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "a.txt", tmp_path / "link.txt"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to("elsewhere/a.txt")
    write_text(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o640
    target.unlink()
    write_text(link, "again")  # a link to nothing is a name for a new file
    assert target.read_text() == "again"
    assert names(tmp_path) == ["elsewhere", "link.txt"]


def test_the_longest_name_that_the_system_allows_can_be_written(tmp_path):
    path = tmp_path / ("x" * 251 + ".txt")
    assert not why_not_writable(path)
    write_text(path, "a")
    with claim(path) as ours:
        assert ours
    assert names(tmp_path) == [path.name]


def loop(path):
    path.symlink_to(path.name)


def to_nowhere(path):
    path.symlink_to("nowhere/a.txt")


@posix
@pytest.mark.parametrize(
    ("name", "make", "says"),
    [
        ("a.txt", Path.mkdir, "it is a folder; choose another name"),
        ("a.txt", os.mkfifo, "it is not a regular file"),
        ("a.txt", loop, "symbolic links; choose another file"),
        ("a.txt", to_nowhere, "nowhere' does not exist; create it first"),
        ("no/a.txt", None, "no' does not exist; create it first"),
        ("file/a.txt", None, "Not a directory; choose another file"),
        ("x" * 252 + ".txt", None, "name too long; choose another file"),
    ],
)
def test_what_is_in_the_way_of_a_file_is_said_before_the_work(name, make, says, tmp_path):
    (tmp_path / "file").touch()
    if make:
        make(tmp_path / name)
    assert says in why_not_writable(tmp_path / name)
    with pytest.raises(ValueError, match=r"out='.*': .*") as caught:
        check_writable(tmp_path / name, (".txt",))
    assert says in str(caught.value)


@pytest.mark.parametrize("protected", ["folder", "folder/a.txt"])
def test_a_file_is_refused_if_it_or_its_folder_is_protected(protected, tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.txt").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path / protected)
    assert why_not_writable(tmp_path / "folder" / "a.txt") == "it cannot be written to; choose another file"


@pytest.mark.parametrize("suffix", [".html", ".json", "-bfloat16.npz"])
def test_a_folder_in_the_way_of_any_file_of_a_run_is_noticed_before_the_training(suffix, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("fp16sim.learn.train", lambda *a, **k: pytest.fail("it trained"))
    (tmp_path / f"run{suffix}").mkdir()
    assert main(["train", "--format", "fp16,bf16", "--out", str(tmp_path / "run.png")]) == 2
    assert f"run.png' also writes '{tmp_path}/run{suffix}': it is a folder" in capsys.readouterr().err
    assert names(tmp_path) == [f"run{suffix}"]


def test_a_name_that_is_too_long_for_the_models_is_noticed_before_the_training(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("fp16sim.learn.train", lambda *a, **k: pytest.fail("it trained"))
    assert main(["train", "--format", "bf16", "--out", str(tmp_path / ("x" * 244 + ".png"))]) == 2
    assert "bfloat16.npz': File name too long; choose another file" in capsys.readouterr().err


# --- a full disk ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["numpy.savez", "matplotlib.figure.Figure.savefig", "os.fsync"])
def test_a_full_disk_names_the_file_and_leaves_the_old_ones(place, tmp_path, capsys, monkeypatch):
    arguments = ["train", "--format", "bf16", "--epochs", "1", "--layers", "4", "--out", str(tmp_path / "run.png")]
    assert main(arguments) == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    capsys.readouterr()

    def full(*given, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(place, full)
    assert main([*arguments, "--rng", "1"]) == 2
    name = "run.png" if "savefig" in place else "run-bfloat16.npz"
    assert capsys.readouterr().err == f"fp16sim train: No space left on device: {tmp_path / name}\n"
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert after.keys() == before.keys()
    assert after[name] == before[name]


@posix
def test_a_file_that_grows_beyond_the_allowed_size_is_named(tmp_path):
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: files.write_text(sys.argv[1], 'x' * 10000)\n"
        "except OSError as error: print(error.filename, error.errno)"
    )
    (tmp_path / "a.txt").write_text("old")
    printed, _ = child(code, tmp_path / "a.txt", stdout=subprocess.PIPE, text=True).communicate(timeout=30)
    assert printed.split() == [str(tmp_path / "a.txt"), str(errno.EFBIG)]
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_folder_that_vanished_is_named_and_an_error_about_another_file_stays(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        write_text(tmp_path / "no" / "a.txt", "a")
    assert caught.value.filename == str(tmp_path / "no" / "a.txt")
    with pytest.raises(FileNotFoundError) as caught, atomic_path(tmp_path / "a.txt"):
        (tmp_path / "font.ttf").read_bytes()
    assert caught.value.filename == str(tmp_path / "font.ttf")


# --- names for runs -------------------------------------------------------------------------------------------------


def test_numbers_are_read_from_the_names_of_all_files_of_a_run(tmp_path):
    out = tmp_path / "run.png"
    assert numbers_in_use(out) == []
    for name in (
        "run.html",
        "run-binary16.npz",
        "run-3.png",
        "run-7-e4m3_ieee.npz",
        "runs-9.png",
        "run-2x.npz",
        ".run-8",
    ):
        (tmp_path / name).touch()
    assert numbers_in_use(out) == [1, 3, 7]
    assert [numbered(out, n).name for n in (1, 2)] == ["run.png", "run-2.png"]


def test_a_name_can_be_claimed_once_with_any_ending(tmp_path):
    with claim(tmp_path / "a.png") as ours:
        assert ours
        with claim(tmp_path / "a.svg") as other, claim(tmp_path / "b.png") as another:
            assert not other
            assert another
        with claim(tmp_path / "a.png") as again:
            assert not again
    with claim(tmp_path / "a.png") as ours:
        assert ours
    assert names(tmp_path) == []


SHORT = ["train", "--layers", "4", "--format", "bf16", "--epochs", "1", "--look-every", "0"]


def seeds(folder, pattern="fp16sim-train*.json"):
    return {path.stem: json.loads(path.read_text())[0]["config"]["rng"] for path in folder.glob(pattern)}


def test_runs_without_a_name_take_the_next_free_number_and_say_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for rng in range(3):
        assert main([*SHORT, "--rng", str(rng)]) == 0
    assert seeds(tmp_path) == {"fp16sim-train": 0, "fp16sim-train-2": 1, "fp16sim-train-3": 2}
    printed = capsys.readouterr()
    assert "fp16sim train: fp16sim-train.* is there already, so this run writes fp16sim-train-3.*\n" in printed.err
    assert "picture: fp16sim-train-3.png   report: fp16sim-train-3.html" in printed.out
    assert printed.err.count("\n") == 2
    assert main([*SHORT, "--rng", "7", "--out", "fp16sim-train.png"]) == 0  # a name that is given is written as given
    assert seeds(tmp_path)["fp16sim-train"] == 7
    assert len(names(tmp_path)) == 12


def test_two_runs_at_the_same_time_in_one_folder_both_keep_their_results(tmp_path):
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(FILES.parents[1]), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-m", "fp16sim", *SHORT, "--epochs", "8", "--rng"]
    runs = [
        subprocess.Popen([*command, str(rng)], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
        for rng in range(2)
    ]
    assert [run.wait(120) for run in runs] == [0, 0]
    assert sorted(seeds(tmp_path).values()) == [0, 1]
    assert sorted(seeds(tmp_path)) == ["fp16sim-train", "fp16sim-train-2"]
    assert not [name for name in names(tmp_path) if name.startswith(".")]


def test_a_name_that_another_run_is_writing_is_refused(tmp_path, capsys):
    with claim(tmp_path / "run.png"):
        assert main([*SHORT, "--out", str(tmp_path / "run.svg")]) == 2
    said = capsys.readouterr().err
    assert "another run is writing the files of this name; wait for its end, or choose another --out" in said
    assert claim_file(tmp_path / "run.png").name in said
    assert names(tmp_path) == []


def test_an_interrupted_run_without_a_name_is_not_lost_and_resume_finds_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(SHORT) == 0

    def save_and_stop(self, run):
        save_run(self.path, run)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("fp16sim.learn.run.checkpoint.Checkpointer.save_if_due", save_and_stop)
        assert main([*SHORT, "--rng", "1"]) == 130
    assert unfinished("fp16sim-train-2-bfloat16.npz") == "step 1"
    capsys.readouterr()
    assert main([*SHORT, "--rng", "2"]) == 2
    assert "fp16sim-train-2-bfloat16.npz' has a run that was interrupted after step 1; go on" in capsys.readouterr().err
    with claim(Path("fp16sim-train-2.png")):  # as if it were still running
        assert main([*SHORT, "--rng", "3"]) == 0
    capsys.readouterr()
    assert main([*SHORT, "--rng", "1", "--resume"]) == 0
    assert capsys.readouterr().err == "fp16sim train: this run goes on with fp16sim-train-2.*\n"
    assert seeds(tmp_path) == {"fp16sim-train": 0, "fp16sim-train-2": 1, "fp16sim-train-3": 3}
    assert not unfinished("fp16sim-train-2-bfloat16.npz")
