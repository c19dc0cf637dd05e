"""Files that try to pass without being right, or to hang the grader: each fails soon, with a reason in one plain line.

The files are bounded by the grader itself: one second for a call, 1 GiB of memory, no forks.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fp16sim.cli import main

TABLE = 'TASKS = {"f": [((1.0,), 2.0), ((2.0,), 4.0)]}\n'
WRONG = "def f(x): return 3 * x\n"

FIND_CONNECTION = """
import sys
def connection():
    frame = sys._getframe()
    while frame:
        for value in frame.f_locals.values():
            if type(value).__name__ == "_Connection":
                return value
        frame = frame.f_back
"""

WRITE_EVERYWHERE = """
import os
def everywhere(data):
    for number in range(20):
        try:
            os.write(number, data)
        except OSError:
            pass
"""

QUICK = {
    "it exits": ("import os\ndef f(x): os._exit(0)", "f(1.0) ended the process with exit code 0. The cases after it"),
    "it exits in its second case": (
        "import os\ndef f(x): return 2 * x if x == 1 else os._exit(0)",
        "f(2.0) ended the process with exit code 0",
    ),
    "it exits when it is loaded": ("import os\nos._exit(0)", "exit code 0 while it was loaded"),
    "it exits at the end": (f"import atexit, os\natexit.register(os._exit, 0)\n{WRONG}", "yours  3.0"),
    "it patches the grader": (
        "import fp16sim as fs\n"
        "from fp16sim.cli import grade\n"
        "from fp16sim.teach.grading import examining, report, results\n"
        "results.same = examining.same = lambda *values: True\n"
        "report.Report.passed = property(lambda self: True)\n"
        "grade.run = lambda options: 0\n"
        f"fs.exact.round_to = lambda x, *choices: x\n{WRONG}",
        "0 of 2 cases are right",
    ),
    "its result exits when it is read": (
        "import os\nclass Result:\n    def __index__(self): os._exit(0)\ndef f(x): return Result()",
        "f(1.0) ended the process with exit code 0",
    ),
    "its table exits when it is read": (
        "import os\nclass Table(dict):\n    def items(self): os._exit(0)\nTASKS = Table(f=[((1.0,), 2.0)])\n" + WRONG,
        "exit code 0 while it was loaded",
    ),
    "its result fails when it is read": (
        "class Result:\n    fmt = 1\n    @property\n    def values(self): raise KeyError('no')\n"
        "def f(x): return Result()",
        "raised KeyError, line 5: 'no'",
    ),
    "one operation never ends": ("def f(x): return 10**10**9", "f(1.0) did not return within 1 seconds"),
    "it forks": (
        "import os, time\ndef f(x):\n    if os.fork() == 0: time.sleep(1000)\n    return 2 * x",
        "raised PermissionError, line 4: a file that is graded may not fork",
    ),
    "it forks behind Python's back": (
        # Once, before many right answers: those of the copy arrive among them, however busy the machine is.
        'import ctypes, time\nTASKS = {"f": [((float(k),), 2.0 * k) for k in range(100)]}\n'
        "def f(x):\n    if x == 0: ctypes.CDLL(None).fork()\n    time.sleep(0.005)\n    return 2 * x",
        "sent the grader something that is not an answer",
    ),
    "it sends no answers": (
        f"{WRITE_EVERYWHERE}def f(x):\n    everywhere(b'garbage\\n')\n    return 2 * x",
        "f(1.0) sent the grader something that is not an answer",
    ),
    "it claims to be done": (
        f"{FIND_CONNECTION}def f(x):\n    connection().write('done', 0)\n    return 2 * x",
        "f(1.0) sent the grader something that is not an answer",
    ),
    "it takes more memory than is good": ("def f(x): return bytearray(2**31)", "raised MemoryError, line 2"),
}

SLOW = {
    "sys.exit when it is loaded": ("import sys\nsys.exit(0)", "raised SystemExit, line 3: 0"),
    "its float exits": (
        "import os\nclass Float(float):\n    def __float__(self): os._exit(0)\ndef f(x): return Float(3 * x)",
        "yours  3.0",
    ),
    "its exception exits": (
        "import os\nclass Error(Exception):\n    def __str__(self): os._exit(0)\ndef f(x): raise Error",
        "f(1.0) ended the process with exit code 0",
    ),
    "its table fails": (
        "class Table(dict):\n    def items(self): raise KeyError(3)\nTASKS = Table(f=[((1.0,), 2.0)])\n" + WRONG,
        "raised KeyError, line 3: 3",
    ),
    "its name fails": (
        "class F:\n    def __call__(self, x): return 3 * x\n    @property\n"
        "    def __name__(self): raise KeyError('no')\nf = F()",
        "yours  3.0",
    ),
    "the name of its type fails": (
        "class Meta(type):\n    @property\n    def __name__(cls): raise KeyError('no')\n"
        "class Result(metaclass=Meta): pass\ndef f(x): return Result()",
        "raised KeyError",
    ),
    "it cannot be printed": (
        "class Result:\n    def __repr__(self):\n        while True: pass\ndef f(x): return Result()",
        "f(1.0) did not return within 1 seconds",
    ),
    "it catches everything": (
        "import time\ndef f(x):\n    while True:\n        try: time.sleep(1)\n        except BaseException: pass",
        "f(1.0) did not return within 1 seconds",
    ),
    "it closes everything": (
        "import os, time\ndef f(x):\n    os.closerange(0, 100)\n    time.sleep(100)",
        "f(1.0) closed its connection to the grader",
    ),
    "it floods the connection": (
        f"{WRITE_EVERYWHERE}def f(x):\n    while True: everywhere(b'1' * 65536)",
        "f(1.0) sent the grader more than 67,108,864 bytes at once",
    ),
    "it floods the connection with answers": (
        f"{WRITE_EVERYWHERE}def f(x):\n    while True: everywhere(b'1.0\\n' * 65536)",
        "sent the grader something that is not an answer",
    ),
    "it sends answers for others": (
        f"{FIND_CONNECTION}def f(x):\n    for _ in range(9): connection().answer(2.0)\n    return 2 * x",
        "sent the grader something that is not an answer",
    ),
    "it prints without end": (
        "def f(x):\n    while True: print('x' * 10**6)",
        "f(1.0) did not return within 1 seconds",
    ),
    "a thread sends garbage": (
        f"{WRITE_EVERYWHERE}import threading, time\ndef garbage():\n    while True: everywhere(b'[')\n"
        "threading.Thread(target=garbage, daemon=True).start()\ntime.sleep(0.1)\n" + WRONG,
        "sent the grader something that is not an answer",
    ),
    "it crashes": ("import ctypes\ndef f(x): ctypes.string_at(0)", "f(1.0) ended the process"),
    "it kills itself": ("import os\ndef f(x): os.kill(os.getpid(), 9)", "f(1.0) ended the process"),
    "it kills its group": ("import os\ndef f(x): os.killpg(0, 9)", "ended the process by the signal SIGKILL"),
    "it aborts": ("import os\ndef f(x): os.abort()", "f(1.0) ended the process"),
    "it recurses without a limit": (
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(x): return f(x)",
        "f(1.0) ",
    ),
    "it patches Python": (
        f"import json, time\njson.dumps = lambda *a, **k: '[1]'\ntime.monotonic = lambda: 0\n{WRONG}",
        "sent the grader something that is not an answer while it was loaded",
    ),
    "its text is huge": ("def f(x): return 'x' * 10**8", "returned a text of 100,000,000 characters"),
    "its list is huge": ("def f(x): return [1.0] * 10**7", "returned a list that is too deep or too long"),
    "its list contains itself": (
        "def f(x):\n    a = []\n    a.append(a)\n    return a",
        "returned a list that is too deep or too long",
    ),
    "it generates without end": ("def f(x):\n    while True: yield x", "a generator; return a real number"),
    "it reads": ("def f(x): return float(input())", "raised EOFError"),
    "it writes to the terminal": (
        "def f(x): raise ValueError('\\x1b[2J\\npassed')",
        "raised ValueError, line 2: \\x1b[2J passed",
    ),
}

POSIX_ONLY = ("it forks", "it kills its group", "it forks behind Python's back", "it takes more memory than is good")
CASES = [pytest.param(*case, id=name) for name, case in QUICK.items()]
CASES += [pytest.param(*case, id=name, marks=pytest.mark.exhaustive) for name, case in SLOW.items()]


@pytest.mark.parametrize(("source", "says"), CASES)
def test_a_file_that_attacks_the_grader_fails_and_the_report_says_how(source, says, tmp_path, capfd, request):
    if sys.platform == "win32" and request.node.callspec.id in POSIX_ONLY:
        pytest.skip("Windows has no such call")
    path = tmp_path / "attack.py"
    path.write_text(TABLE + source, encoding="utf-8")
    start = time.monotonic()
    code = main(["grade", str(path), "--time-limit", "1", "--budget", "2"])
    assert time.monotonic() - start < 15
    printed = capfd.readouterr()
    assert code in (1, 2)
    assert says in printed.out + printed.err
    assert (printed.err.count("\n"), bool(printed.out)) == ((0, True) if code == 1 else (1, False))
    assert "passed:" not in printed.out
    assert "\x1b" not in printed.out


@pytest.mark.parametrize(
    ("asks", "says"),
    [
        ("write('round', 0, [10**12])", "did not return within 1 seconds"),
        ("write('round', 0, [-1])", "sent the grader something that is not an answer"),
        ("write('round', 10**6, [1])", "sent the grader something that is not an answer"),
        ("write('round', 0, [1] * 99); connection().write_bytes(bytes(8))", "something that is not an answer"),
        ("write_bytes(b'!' + b'[' * 10**5 + b'\\n')", "something that is not an answer"),
        ("write_bytes(b'[' * 10**5 + b'\\n')", "something that is not an answer"),
        ("write_bytes(b'1' * 5000 + b'\\n')", "something that is not an answer"),
    ],
)
def test_a_test_that_asks_for_impossible_roundings_fails(asks, says, tmp_path, capsys):
    path = tmp_path / "attack.py"
    function = f"def f(rounder):\n    connection().{asks}\n    time.sleep(9)\n"
    path.write_text(f"TASKS = {{'f': 'tests'}}\n{FIND_CONNECTION}import time\n{function}", encoding="utf-8")
    assert main(["grade", str(path), "--time-limit", "1", "--budget", "2"]) == 1
    assert says in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("command", ["", pytest.param(":f --task rounding", marks=pytest.mark.exhaustive)])
def test_the_exit_code_of_the_program_is_that_of_the_verdict(command, tmp_path):
    """The whole program, as in issue reports: no exit of the file becomes the program's own."""
    path = tmp_path / "attack.py"
    path.write_text(f'TASKS = {{"f": "rounding"}}\nimport atexit, os\natexit.register(os._exit, 0)\n{WRONG}')
    arguments = [sys.executable, "-m", "fp16sim", "grade", *f"{path}{command}".split(), "--json"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert [report["passed"] for report in json.loads(done.stdout)] == [False]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")
@pytest.mark.parametrize("then", ["return 2 * x", "os._exit(0)", "\n        while True: pass"])
def test_processes_that_a_file_starts_end_with_it(then, tmp_path):
    path, noted = tmp_path / "attack.py", tmp_path / "pid"
    lines = (
        "import os, subprocess, sys",
        "def f(x):",
        "    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1000)'])",
        f"    open({str(noted)!r}, 'w').write(str(child.pid))",
        f"    {then.strip()}",
    )
    path.write_text(TABLE + "\n".join(lines), encoding="utf-8")
    main(["grade", str(path), "--time-limit", "1", "--budget", "2"])
    stat = Path(f"/proc/{noted.read_text(encoding='utf-8')}/stat")
    end = time.monotonic() + 5
    while stat.exists() and stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < end, "the process is still there"
        time.sleep(0.05)


def test_a_function_that_ends_the_process_leaves_the_others_to_be_graded(tmp_path, capsys):
    path = tmp_path / "some.py"
    tasks = {"a": [((1.0,), 2.0)], "b": [((1.0,), 2.0)], "c": [((1.0,), 2.0)]}
    path.write_text(f"import os\nTASKS = {tasks}\ndef a(x): return 2 * x\ndef b(x): os._exit(0)\nc = a\n")
    assert main(["grade", str(path), "--json"]) == 1
    assert [report["score"] for report in json.loads(capsys.readouterr().out)] == [100, 0, 100]


def test_a_file_with_the_name_of_a_library_imports_the_library(tmp_path, capsys):
    path = tmp_path / "atexit.py"
    path.write_text(f"{TABLE}import atexit\natexit.register(print)\ndef f(x): return 2 * x\n", encoding="utf-8")
    assert main(["grade", str(path)]) == 0
    assert "passed: all 2 cases are right. Score 100 of 100." in capsys.readouterr().out


def test_no_process_is_started_per_function_but_one_per_file(tmp_path, capsys):
    path, noted = tmp_path / "counts.py", tmp_path / "starts"
    lines = [f"open({str(noted)!r}, 'a').write('started ')", "def f(x): return 2 * x", "g = h = f"]
    tasks = {name: [((1.0,), 2.0)] for name in "fgh"}
    path.write_text(f"TASKS = {tasks}\n" + "\n".join(lines), encoding="utf-8")
    assert main(["grade", str(path)]) == 0
    assert noted.read_text(encoding="utf-8").split() == ["started"]
    assert os.path.exists(path)
