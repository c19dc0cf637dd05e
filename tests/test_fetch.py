"""Fetching: whole files or none, from servers of every kind of reliability, and from folders."""

import gzip
import json
import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fp16sim.cli import main
from fp16sim.learn import load
from fp16sim.learn.data import fetch as fetching
from fp16sim.learn.data.fetch import fetch
from fp16sim.learn.data.sources import cache_folder

from .tiny_mnist import FLIPPED, IMAGES, LABELS, PACKED, PLAIN, TINY, everything, put

pytestmark = pytest.mark.usefixtures("tiny_mnist")


@contextmanager
def server(answer):
    """A server on the loopback address; answer(handler, name, how often it was asked for before) replies."""
    asked = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.rpartition("/")[2]
            asked[name] = asked.get(name, 0) + 1
            answer(self, name, asked[name] - 1)

        def log_message(self, *arguments):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_address[1]}/some/folder", asked
    finally:
        running.shutdown()
        thread.join()
        running.server_close()


def reply(handler, content, status=200, length=None):
    handler.send_response(status)
    if length is not False:
        handler.send_header("Content-Length", str(len(content) if length is None else length))
    handler.end_headers()
    handler.wfile.write(content)


def good(handler, name, before):
    reply(handler, PACKED[name])


def plain_only(handler, name, before):
    reply(handler, *((PLAIN[name],) if name in PLAIN else (b"nothing here", 404)))


def without_length(handler, name, before):
    reply(handler, PACKED[name], length=False)


def second_time(fault):
    return lambda handler, name, before: (good if before else fault)(handler, name, before)


def cut_off(handler, name, before):
    reply(handler, PACKED[name][:300], length=len(PACKED[name]))


def broken(handler, name, before):
    reply(handler, b"", 503)


@pytest.mark.parametrize(
    "answer",
    [good, plain_only, without_length, second_time(cut_off), second_time(broken)],
    ids=["gz", "plain only", "no length", "cut off once", "unavailable once"],
)
def test_files_are_fetched_from_a_server_and_then_load(tmp_path, answer):
    with server(answer) as (url, _):
        files = fetch(TINY, url=url)
    assert [new for _, new in files] == [True] * 4
    assert everything(cache_folder()).keys() == {str(Path("mnist") / path.name) for path, _ in files}
    assert len(load("mnist").train_labels) == 20


def never(handler, name, before):
    raise AssertionError("nothing should be asked for")


def test_files_that_are_there_are_left_alone_and_only_the_others_fetched(tmp_path):
    put(tmp_path / "to" / "mnist", {**PACKED, LABELS + ".gz": b"corrupt"})
    stamp = (tmp_path / "to" / "mnist" / f"{IMAGES}.gz").stat().st_mtime_ns
    with server(good) as (url, asked):
        files = fetch(TINY, url=url + "/", to=tmp_path / "to")
        assert [new for _, new in files] == [False, False, False, True]
        assert asked == {LABELS + ".gz": 1}
    assert everything(tmp_path / "to" / "mnist") == PACKED
    assert (tmp_path / "to" / "mnist" / f"{IMAGES}.gz").stat().st_mtime_ns == stamp
    with server(never) as (url, asked):
        assert not any(new for _, new in fetch(TINY, url=url, to=tmp_path / "to"))


FAULTS = {
    "cut off": (cut_off, "the connection broke off .*, 3 times"),
    "unavailable": (broken, "the server answered 503 Service Unavailable, 3 times"),
    "forbidden": (lambda h, name, n: reply(h, b"", 403), "the server answered 403 Forbidden"),
    "not there": (lambda h, name, n: reply(h, b"", 404), r"does not exist \(404\), with or without .gz"),
    "corrupt": (lambda h, name, n: reply(h, gzip.compress(FLIPPED)), "its sha256 is"),
    "shorter": (lambda h, name, n: reply(h, PACKED[name][:300]), "it was cut off: the gzip file ends after 300 bytes"),
    "a page": (lambda h, name, n: reply(h, b"<html>please log in</html>"), "it has 26 bytes"),
    "too long": (lambda h, name, n: reply(h, bytes(10**6)), "it is longer than 81232 bytes"),
    "endless": (lambda h, name, n: reply(h, bytes(10**6), length=False), "it is longer than 81232 bytes"),
    "no http": (lambda h, name, n: h.wfile.write(b"hello\r\n\r\n"), "broke off"),
    "silent": (lambda h, name, n: threading.Event().wait(0.5), r"timed out.*, 3 times"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_goes_wrong_is_one_line_and_nothing_is_overwritten(tmp_path, monkeypatch, capfd, fault):
    answer, says = FAULTS[fault]
    monkeypatch.setattr(fetching, "TIMEOUT", 0.1)
    before = {"mnist/" + IMAGES: b"the user's own", "mnist/notes.txt": b"mine"}
    put(tmp_path / "to" / "mnist", {name[6:]: content for name, content in before.items()})
    with server(answer) as (url, asked):
        assert main(["data", "mnist", "--url", url, "--to", str(tmp_path / "to")]) == 2
    printed = capfd.readouterr()
    lines = [line for line in printed.err.splitlines() if line.startswith("fp16sim data: ")]
    assert len(lines) == 1
    assert not printed.out
    assert re.search(says, lines[0]), lines[0]
    assert "nothing was overwritten" in lines[0]
    assert IMAGES in lines[0]
    assert {k.replace(os.sep, "/"): v for k, v in everything(tmp_path / "to").items()} == before
    assert all(count <= 3 for count in asked.values())


def test_a_failure_makes_no_folder(tmp_path):
    with server(FAULTS["corrupt"][0]) as (url, _), pytest.raises(ValueError, match="sha256"):
        fetch(TINY, url=url, to=tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_an_interruption_while_writing_leaves_no_part_of_a_file(tmp_path, monkeypatch):
    put(tmp_path / "to" / "mnist", {IMAGES + ".gz": b"the old one"})

    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    put(tmp_path / "from", PACKED)
    assert main(["data", "mnist", "--from", str(tmp_path / "from"), "--to", str(tmp_path / "to")]) == 130
    assert everything(tmp_path / "to" / "mnist") == {IMAGES + ".gz": b"the old one"}


def test_no_connection_is_one_line(tmp_path, capsys):
    with server(good) as (url, _):
        pass
    assert main(["data", "mnist", "--url", url, "--to", str(tmp_path / "to")]) == 2
    assert "no connection" in capsys.readouterr().err


@pytest.mark.parametrize("files", [PLAIN, PACKED], ids=["plain", "gz"])
def test_files_are_copied_from_a_folder(tmp_path, files, capsys):
    put(tmp_path / "from", files)
    assert main(["data", "mnist", "--from", str(tmp_path / "from"), "--to", str(tmp_path / "to"), "--json"]) == 0
    assert [one["new"] for one in json.loads(capsys.readouterr().out)] == [True] * 4
    assert everything(tmp_path / "to" / "mnist") == files


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--from", "nowhere"], "folder='nowhere' is not a folder"),
        (["--from", "."], "has no train-images-idx3-ubyte or train-images-idx3-ubyte.gz"),
        (["--from", "bad"], "is not used: it has 3 bytes"),
        (["--from", ".", "--url", "http://x"], "give only one of them"),
        (["--url", "ftp://x"], "must start with http:// or https://"),
    ],
)
def test_a_mistake_in_fetching_is_one_line(tmp_path, arguments, says, capsys):
    put(tmp_path / "bad", {IMAGES: b"bad"})
    assert main(["data", "mnist", *arguments]) == 2
    captured = capsys.readouterr()
    assert says in captured.err
    assert captured.err.count("\n") == 1
    assert not captured.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["digits"], "name='digits' needs no files; fetch mnist or fashion-mnist"),
        (["cifar"], "name='cifar' is unknown"),
        (["--from", "x"], "--from needs the name of a data set"),
        (["--to", "x"], "--to needs the name"),
    ],
)
def test_only_what_has_files_can_be_fetched(arguments, says, capsys):
    assert main(["data", *arguments]) == 2
    assert says in capsys.readouterr().err


def test_the_list_says_where_each_is_and_on_what_terms(tmp_path, capsys):
    put(tmp_path / "data" / "mnist", {**PLAIN, LABELS: b"corrupt"})
    assert main(["data"]) == 0
    printed = capsys.readouterr().out
    for text in ("digits", "bundled", "CC BY-SA 3.0", "MIT", "Yann LeCun", "3 of 4 files", "is not used"):
        assert text in printed, text
    put(tmp_path / "data" / "mnist", PLAIN)
    assert main(["data", "--json"]) == 0
    listed = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert listed["mnist"]["complete"]
    assert not listed["fashion-mnist"]["complete"]
    assert listed["mnist"]["files"][LABELS] == str(Path("data") / "mnist" / LABELS)


def test_importing_the_lab_opens_no_connection_and_loads_no_client():
    code = "import sys, fp16sim.learn; print('urllib.request' in sys.modules, 'http.client' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
