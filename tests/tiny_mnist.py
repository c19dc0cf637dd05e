"""A small MNIST for tests: four IDX files of the right names, and the table that verifies them."""

import gzip
import hashlib
import struct
from dataclasses import replace

import numpy as np

from fp16sim.learn.data.sources import MNIST, SourceFile


def idx(array, kind=8):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


RNG = np.random.default_rng(0)
ARRAYS = {
    "train-images-idx3-ubyte": RNG.integers(0, 256, (20, 28, 28)),
    "train-labels-idx1-ubyte": np.arange(20) % 10,
    "t10k-images-idx3-ubyte": RNG.integers(0, 256, (5, 28, 28)),
    "t10k-labels-idx1-ubyte": np.arange(5),
}
PLAIN = {name: idx(array) for name, array in ARRAYS.items()}
PACKED = {name + ".gz": gzip.compress(content) for name, content in PLAIN.items()}
TINY = replace(
    MNIST,
    files=tuple(
        SourceFile(name, len(content), hashlib.sha256(content).hexdigest(), ARRAYS[name].ndim)
        for name, content in PLAIN.items()
    ),
)
LABELS = "t10k-labels-idx1-ubyte"
IMAGES = "train-images-idx3-ubyte"


def put(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def everything(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _flipped():
    content = bytearray(PLAIN[IMAGES])
    content[5000] ^= 1
    return bytes(content)


FLIPPED = _flipped()
"""The training images with one wrong bit."""
