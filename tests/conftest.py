"""Fixtures of all tests, and the count of compared cases at the end of a run."""

import os

import numpy as np
import pytest
from hypothesis import settings

from .support import CASES

# The same examples in every run, and no deadline: the exact layer is slow, and so may the machine be.
settings.register_profile("fp16sim", deadline=None, max_examples=150, derandomize=True)
settings.load_profile("fp16sim")

# The programs that tests start share compiled modules, also where the environment tells Python to keep none. Otherwise
# each of them would compile all that it loads.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture
def quiet():
    """No warnings of overflow, division by zero and invalid: for tests that are about values."""
    with np.errstate(all="ignore"):
        yield


@pytest.fixture
def tiny_mnist(tmp_path, monkeypatch):
    """A small MNIST instead of the real one, no folders but those of the test, no proxy and no pauses."""
    from fp16sim.learn.data import fetch, sources

    from .tiny_mnist import TINY

    monkeypatch.chdir(tmp_path)
    for name in ("LOCALAPPDATA", "XDG_CACHE_HOME", "HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in ["FP16SIM_DATA", *(name for name in os.environ if name.lower().endswith("_proxy"))]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(sources.SOURCES, "mnist", TINY)
    monkeypatch.setattr(fetch, "PAUSE", 0.01)


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):  # a worker of pytest-xdist tells the main process
        session.config.workeroutput["compared_cases"] = dict(CASES)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    CASES.update(getattr(node, "workeroutput", {}).get("compared_cases", {}))


def pytest_terminal_summary(terminalreporter):
    if CASES:
        groups = ", ".join(f"{group} {n:,}" for group, n in sorted(CASES.items()))
        terminalreporter.write_line(f"fp16sim: {CASES.total():,} (input, mode, format) cases compared: {groups}")
