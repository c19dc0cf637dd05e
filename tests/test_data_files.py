"""Data in files: found where they may lie, and verified to the last bit."""

import gzip
import os
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fp16sim.learn import load
from fp16sim.learn.data import fetch, sources
from fp16sim.learn.data.loaders import load_idx
from fp16sim.learn.data.sources import FASHION_MNIST, MNIST, cache_folder, roots

from .tiny_mnist import ARRAYS, FLIPPED, IMAGES, LABELS, PACKED, PLAIN, TINY, put

pytestmark = pytest.mark.usefixtures("tiny_mnist")


@pytest.mark.parametrize("files", [PLAIN, PACKED], ids=["plain", "gz"])
@pytest.mark.parametrize("place", ["data", "data/mnist", "data/MNIST/raw", "named", "named/mnist", "cache/mnist"])
def test_files_are_found_wherever_they_may_lie(tmp_path, monkeypatch, place, files):
    monkeypatch.setenv("FP16SIM_DATA", str(tmp_path / "named"))
    put(cache_folder() / "mnist" if place.startswith("cache") else tmp_path / place, files)
    data = load("mnist")
    assert data.image_shape == (28, 28)
    expected = (ARRAYS[IMAGES].reshape(20, -1) / np.float64(255)).astype(np.float32)
    assert data.train_images.dtype == np.float32
    assert (data.train_images == expected).all()
    assert (data.test_labels == ARRAYS[LABELS]).all()


def test_the_named_folder_comes_before_the_others_and_files_may_be_scattered(tmp_path, monkeypatch):
    monkeypatch.setenv("FP16SIM_DATA", str(tmp_path / "named"))
    put(tmp_path / "data", {LABELS: PLAIN[LABELS], IMAGES: b"not this one"})
    put(tmp_path / "named", {k: v for k, v in PACKED.items() if not k.startswith(LABELS)})
    assert len(load("mnist").test_labels) == 5


def test_a_folder_that_is_given_is_the_only_one_searched(tmp_path):
    put(tmp_path / "data", PLAIN)
    put(tmp_path / "other", PACKED)
    assert len(load("mnist", tmp_path / "other").test_labels) == 5
    with pytest.raises(ValueError, match=r"not found; searched .*empty"):
        load("mnist", tmp_path / "empty")


def test_the_error_names_what_is_missing_what_is_wrong_and_the_way_out(tmp_path):
    put(tmp_path / "data", {LABELS: PLAIN[LABELS], IMAGES + ".gz": PACKED[IMAGES + ".gz"][:-20]})
    with pytest.raises(ValueError, match="data=mnist") as caught:
        load("mnist")
    said = str(caught.value)
    assert "train-labels-idx1-ubyte, t10k-images-idx3-ubyte not found" in said
    assert f"{Path('data') / IMAGES}.gz is not used: it was cut off" in said
    assert LABELS not in said
    assert "'fp16sim data mnist'" in said
    assert str(cache_folder() / "mnist") in said
    assert "FP16SIM_DATA" in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        (IMAGES, FLIPPED, "its sha256 is .* and must be"),
        (IMAGES, PLAIN[IMAGES][:-1], "it has 15695 bytes and must have 15696"),
        (IMAGES + ".gz", gzip.compress(FLIPPED), "its sha256"),
        (IMAGES + ".gz", PACKED[IMAGES + ".gz"][:1000], "cut off"),
        (IMAGES + ".gz", b"\x1f\x8bnonsense", "not a valid gzip file"),
        (IMAGES + ".gz", PACKED[IMAGES + ".gz"][:-8] + bytes(8), "not a valid gzip file"),
        (IMAGES + ".gz", gzip.compress(bytes(10**7)), "it has at least 15697 bytes"),
        (IMAGES, b"", "it has 0 bytes"),
    ],
    ids=["flipped", "short", "flipped gz", "short gz", "no gz", "checksum of gz", "gz of another size", "empty"],
)
def test_a_file_that_differs_in_one_bit_is_not_used(tmp_path, name, content, says):
    put(tmp_path / "data", {**PLAIN, IMAGES: b""} if name != IMAGES else PLAIN)
    (tmp_path / "data" / IMAGES).unlink()
    put(tmp_path / "data", {name: content})
    with pytest.raises(ValueError, match=says):
        load("mnist")
    put(cache_folder() / "mnist", PACKED)  # and a good one elsewhere is
    assert len(load("mnist").train_labels) == 20


def test_a_small_file_that_unpacks_to_much_is_not_unpacked():
    bomb = gzip.compress(bytes(10**8))
    tracemalloc.start()
    with pytest.raises(ValueError, match="at least"):
        sources.verified(bomb, TINY.files[0])
    assert tracemalloc.get_traced_memory()[1] < 5 * 10**6
    tracemalloc.stop()


@pytest.mark.skipif(os.name != "posix", reason="sparse files of POSIX")
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_file_of_many_gigabytes_is_not_read(suffix, tmp_path):
    put(tmp_path / "data", {name: content for name, content in PLAIN.items() if name != IMAGES})
    with (tmp_path / "data" / f"{IMAGES}{suffix}").open("wb") as file:
        file.truncate(20 * 10**9)  # sparse: it takes no place on the disk
    tracemalloc.start()
    with pytest.raises(ValueError, match="it has 20000000000 bytes and must have 15696"):
        load("mnist")
    with pytest.raises(ValueError, match="it has 20000000000 bytes"):
        fetch.fetch(TINY, folder=tmp_path / "data", to=tmp_path / "to")
    assert tracemalloc.get_traced_memory()[1] < 5 * 10**6
    tracemalloc.stop()


def test_the_files_of_the_other_data_set_in_a_shared_folder_are_no_fault(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "_KNOWN", {file.sha256: "mnist" for file in TINY.files})
    same_size = tuple(file._replace(sha256="0" * 64) for file in TINY.files)
    other = replace(FASHION_MNIST, files=same_size)
    put(tmp_path / "data", PLAIN)
    with pytest.raises(ValueError, match="ubyte not found") as caught:
        load_idx(other)
    assert "is not used" not in str(caught.value)
    put(tmp_path / "data" / "fashion-mnist", {IMAGES: PLAIN[IMAGES]})
    with pytest.raises(ValueError, match="is not used: it belongs to mnist"):
        load_idx(other)


def test_each_system_has_its_own_cache_folder(tmp_path, monkeypatch):
    home = tmp_path / "home"
    monkeypatch.setattr(Path, "home", lambda: home)
    assert cache_folder({}, "linux") == home / ".cache/fp16sim"
    assert cache_folder({"XDG_CACHE_HOME": "/var/me"}, "linux") == Path("/var/me/fp16sim")
    assert cache_folder({"XDG_CACHE_HOME": "relative"}, "linux") == home / ".cache/fp16sim"
    assert cache_folder({}, "darwin") == home / "Library/Caches/fp16sim"
    assert cache_folder({}, "win32") == home / "AppData/Local/fp16sim/Cache"
    assert cache_folder({"LOCALAPPDATA": "L"}, "win32") == Path("L/fp16sim/Cache")
    assert roots({"FP16SIM_DATA": "x"})[:2] == (Path("x"), Path("data"))


REAL = os.environ.get("FP16SIM_DATA")


@pytest.mark.skipif(REAL is None, reason="FP16SIM_DATA names no folder with MNIST")
@pytest.mark.parametrize("source", [MNIST, FASHION_MNIST], ids=lambda source: source.name)
def test_the_real_files_are_what_the_table_says(source):
    try:
        data = load_idx(source, (Path(REAL),))
    except ValueError as error:
        pytest.skip(str(error))
    assert (data.train_images.shape, data.test_images.shape) == ((60000, 784), (10000, 784))
    assert (data.train_images.min(), data.train_images.max(), data.classes) == (0, 1, 10)
    assert np.bincount(data.test_labels).sum() == 10000
