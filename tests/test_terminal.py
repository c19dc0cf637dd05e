"""What reaches the terminal: names are text that the terminal does not obey, and every error is one line."""

import ast
import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.cli import main, module_of
from fp16sim.cli.output import print_error, print_table, print_text, progress
from fp16sim.wording import printable

EVIL = "[/b][red]\x1b[31m\x9b2J\r\x07\u202e\udcff:smile:"
SHOWN = r"[/b][red]\x1b[31m\x9b2J\r\x07\u202e\udcff:smile:"


PATH = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join([str(Path(fs.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]),
}


def obeyed(text):
    """The characters that a terminal would not print but obey."""
    return {c for c in text if not c.isprintable()} - {"\n"}


@pytest.mark.parametrize("code", [*range(32), 127, *range(128, 160), 0x200B, 0x2028, 0x202E, 0xD800, 0xFEFF])
def test_no_control_character_is_printable(code):
    assert printable(chr(code)) == chr(code).encode("unicode_escape").decode()
    assert printable("\t\nß×½ a", keep="\n\t") == "\t\nß×½ a"


def test_tables_lines_and_errors_show_names_as_text(capsys):
    print_table(EVIL, [(f"{EVIL}\nheading", "left"), (EVIL, "right")], [(EVIL, f"{EVIL}\n")])
    print_text(f"{EVIL}\ntwo lines")
    print_error(f"{EVIL}\none line")
    printed = capsys.readouterr()
    assert not obeyed(printed.out)
    assert not obeyed(printed.err)
    assert printed.out.count(SHOWN) == 6
    assert rf"{SHOWN}\n" in printed.out
    assert printed.err == rf"{SHOWN}\none line" + "\n"


def test_a_progress_bar_shows_its_label_as_text(monkeypatch):
    pytest.importorskip("rich")
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    for name, value in (("TERM", "xterm"), ("COLUMNS", "200"), ("NO_COLOR", "1")):
        monkeypatch.setenv(name, value)
    with progress(quiet=False) as bar:
        bar("[/b][red]\x1b]0;title\x07:smile:")(1, 2)
    assert r"[/b][red]\x1b]0;title\x07:smile:" in terminal.getvalue()
    assert "\x07" not in terminal.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_the_names_in_a_file_of_tensors_are_shown_in_every_encoding(encoding, tmp_path):
    name = EVIL.replace("\udcff", "é")
    np.savez(tmp_path / "x.npz", **{name: np.ones(3), f"{name}2": np.arange(3)})
    command = [sys.executable, "-m", "fp16sim", "inspect", str(tmp_path / "x.npz"), "--each"]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": encoding})
    printed = done.stdout.decode(encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert not obeyed(printed)
    assert r"[/b][red]\x1b[31m\x9b2J\r\x07\u202e" in printed


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--model", EVIL],
        ["train", "--data", EVIL],
        ["train", "--epochs", f"{EVIL}\n"],
        ["train", "--format", EVIL],
        ["train", "--policy", EVIL],
        ["train", "--recipe", f"{EVIL}\n"],
        ["train", "--from", f"{EVIL}\n"],
        ["train", "--out", f"{EVIL}\n"],
        ["train", f"{EVIL}\n"],
        [f"{EVIL}\n"],
        ["inspect", f"{EVIL}\n.npz"],
        ["evaluate", f"{EVIL}\n"],
        ["show", EVIL],
        ["explain", f"{EVIL}\n"],
        ["plot", f"{EVIL}\n"],
        ["grade", f"{EVIL}\n"],
        ["quiz", "--kind", f"{EVIL}\n"],
        ["data", f"{EVIL}\n"],
    ],
    ids=lambda arguments: " ".join(map(ascii, arguments))[:40],
)
def test_an_error_about_any_argument_is_one_line_of_text(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        code = main(arguments)
    except SystemExit as stop:
        code = stop.code
    printed = capsys.readouterr()
    assert code == 2
    assert not printed.out
    # An expression is shown with a caret under the place.
    assert printed.err.count("\n") == (3 if arguments[0] in ("show", "explain") else 1)
    assert not obeyed(printed.err)


def test_a_file_with_such_a_name_can_be_evaluated(tmp_path, capsys):
    pytest.importorskip("rich")
    name = "[red]\x1b[31mé.npz"
    arguments = ["train", "--format", "bf16", "--epochs", "1", "--layers", "4", "--out", str(tmp_path / "run.png")]
    assert main(arguments) == 0
    (tmp_path / "run-bfloat16.npz").rename(tmp_path / name)
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / name), "--format", "bf16"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(r"[red]\x1b[31mé.npz (bfloat16)")
    assert not obeyed(printed)


@pytest.mark.parametrize("settings", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}])
def test_a_name_that_stdout_cannot_encode_does_not_make_a_finished_run_fail(settings, tmp_path):
    environment = {**os.environ, "PYTHONUTF8": "0", **settings}
    command = [sys.executable, "-m", "fp16sim", "plot", "ulp", "--out", str(tmp_path / "ünï.png")]
    done = subprocess.run(command, capture_output=True, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"picture: ")
    assert [path.name for path in tmp_path.iterdir()] == ["ünï.png"]


def test_only_the_output_functions_print():
    for path in Path(module_of("train").__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            assert name != "print" or path.name == "output.py", f"{path.name}:{node.lineno} prints"


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (MemoryError(), 2, "fp16sim show: there is not enough memory; use less data\n"),
        (MemoryError("Unable to allocate 8.00 TiB"), 2, "not enough memory (Unable to allocate 8.00 TiB)"),
        (RecursionError("maximum recursion depth exceeded"), 2, "the input is nested too deeply"),
        (KeyError("config"), 2, "KeyError: 'config' (a fault of fp16sim; please report it)"),
        (AttributeError("no x"), 2, "AttributeError: no x (a fault of fp16sim"),
        (OverflowError("too large"), 2, "OverflowError: too large"),
        (ModuleNotFoundError("No module named 'rich.text'", name="rich.text"), 2, "the package rich is missing; inst"),
        (OSError(errno.ENOSPC, "No space left on device", "run.png"), 2, ": No space left on device: run.png\n"),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "No space left on device: standard output\n"),
        (ValueError("two\nlines"), 2, r"fp16sim show: two\nlines" + "\n"),
        (ValueError(), 2, "fp16sim show: ValueError\n"),
        (KeyboardInterrupt(), 130, "fp16sim show: interrupted; no file was left half-written\n"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 141, ""),
    ],
    ids=repr,
)
@pytest.mark.parametrize("when", ["configure", "run"])
def test_main_says_every_error_in_one_line(error, code, says, when, capsys, monkeypatch):
    def fail(*arguments):
        raise error

    monkeypatch.setattr(module_of("show"), when, fail)
    assert main(["show", "1"]) == code
    printed = capsys.readouterr()
    assert says in printed.err
    assert printed.err.count("\n") == bool(says)
    assert not printed.out


def in_a_process(code, **how):
    return subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, timeout=60, **how)


def test_development_mode_shows_where_a_fault_of_fp16sim_is(monkeypatch):
    code = (
        "import sys; from fp16sim.cli import main, module_of\n"
        "def run(options): raise {}\n"
        "module_of('show').run = run; sys.exit(main(['show', '1']))"
    )
    environment = {**os.environ, "PYTHONDEVMODE": "1"}
    done = in_a_process(code.format("KeyError('x')"), env=environment)
    assert "Traceback" in done.stderr
    assert done.returncode == 1
    done = in_a_process(code.format("ValueError('x')"), env=environment)
    assert (done.returncode, done.stderr) == (2, "fp16sim show: x\n")


@pytest.mark.parametrize(("package", "command"), [("rich", ["certify"]), ("matplotlib", ["plot", "ulp"])])
def test_a_missing_package_is_named_with_the_way_out(package, command):
    code = f"import sys; sys.modules[{package!r}] = None; from fp16sim.cli import main; sys.exit(main({command}))"
    done = in_a_process(code)
    assert done.returncode == 2
    assert done.stderr == f"fp16sim {command[0]}: the package {package} is missing; install it: pip install {package}\n"


def test_an_interruption_while_the_module_of_a_command_loads_is_one_line():
    code = (
        "import sys, builtins; from fp16sim import cli; load = builtins.__import__\n"
        "def interrupted(name, *rest):\n"
        "    if name == 'matplotlib.axes': raise KeyboardInterrupt\n"
        "    return load(name, *rest)\n"
        "builtins.__import__ = interrupted; sys.exit(cli.main(['plot', 'ulp']))"
    )
    done = in_a_process(code)
    assert (done.returncode, done.stderr) == (130, "fp16sim plot: interrupted; no file was left half-written\n")


INTERRUPT = (
    "import signal, sys\n"
    "class Now:\n"
    "    def find_spec(self, name, path=None, target=None):\n"
    "        if name == {module!r}: signal.raise_signal(signal.SIGINT)\n"
    "sys.meta_path.insert(0, Now())\n"
)


@pytest.mark.parametrize("module", ["numpy", "fp16sim.rounding", "fp16sim.cli", "rich.console"])
def test_an_interruption_while_the_program_loads_is_one_line(module, tmp_path):
    (tmp_path / "fp16sim").write_text(
        INTERRUPT.format(module=module) + "from fp16sim.cli import main\nsys.exit(main(['data']))"
    )
    done = subprocess.run([sys.executable, str(tmp_path / "fp16sim")], capture_output=True, text=True, env=PATH)
    assert done.returncode == 130
    assert done.stderr.startswith("fp16sim")
    assert "interrupted" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_program_that_imports_fp16sim_gets_its_keyboard_interrupts():
    code = f"{INTERRUPT.format(module='numpy')}try: import fp16sim\nexcept KeyboardInterrupt: print('caught')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=PATH)
    assert (done.stdout, done.stderr) == ("caught\n", "")


posix = pytest.mark.skipif(os.name != "posix", reason="pipes and /dev/full of POSIX")


@posix
@pytest.mark.parametrize("command", ["show 1", "show 1 --json", "data", "train --help", "certify"])
def test_a_reader_that_stops_early_gives_no_message(command):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "fp16sim", *command.split()], stdout=writer, stderr=subprocess.PIPE, timeout=60
    )
    os.close(writer)
    assert done.stderr == b""
    assert done.returncode == (0 if "--help" in command else 141)  # argparse takes no notice


@posix
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("command", ["show 1", "show 1 --json", "data"])
def test_a_full_disk_under_stdout_is_one_line(command):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "fp16sim", *command.split()], stdout=full, stderr=subprocess.PIPE, timeout=60
        )
    assert done.returncode == 2
    assert done.stderr.decode() == f"fp16sim {command.split()[0]}: No space left on device: standard output\n"


@posix
@pytest.mark.parametrize(
    ("command", "closed"),
    [
        ("show 1", ">&-"),
        ("train --costs", ">&-"),
        ("data --json", "2>&-"),
        ("train --epochs 1 --layers 2", "2>&-"),
        ("certify", ">&- 2>&-"),
    ],
)
def test_an_output_that_was_closed_before_the_start_is_no_error(command, closed, tmp_path):
    line = f'"$0" -m fp16sim {command} {closed}'
    done = subprocess.run(["sh", "-c", line, sys.executable], capture_output=True, cwd=tmp_path, env=PATH, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert bool(done.stdout) == (closed == "2>&-")
