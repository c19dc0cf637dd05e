"""Files from an enemy, and what the commands do with them; `python hostile_files.py` runs the attacks with bounds.

    python hostile_files.py FOLDER SEED COUNT

It prints a line of JSON for each command that did not end as it should, and then one with the totals. A command should
end with exit code 0 or 2 within a second or so; with 2, it prints one line. Memory, processor time, file sizes and the
number of processes are limited by the system, so that an attack that succeeds harms nobody.
"""

import contextlib
import gzip
import io
import json
import random
import re
import resource
import signal
import struct
import sys
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np

GIB = 1 << 30
SECONDS, PATIENCE = 5, 60

RUN_DIED = re.compile(r"its run died\n\Z|died, and was not expected to\n\Z")
"""A file of a run that died is answered with exit code 3."""
"""Of the processor, that a command may take; of the clock, after which it is stopped."""


# --- parts of files -------------------------------------------------------------------------------------------------


def npy(header, body=b"", version=1):
    """A .npy file with any header."""
    text = header if isinstance(header, bytes) else header.encode("latin1")
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text + body


def describe(descr, shape, fortran=False):
    """A header as NumPy writes it."""
    return f"{{'descr': {descr!r}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n"


def zeros(count):
    """`count` zeros as a deflate stream, made in no time: a block of a MiB, repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    last = packer.compress(bytes(count % (1 << 20))) + packer.flush()
    return block * (count >> 20) + last


def bomb(path, members, name, descr, shape, size):
    """An archive with `members`, and an array of zeros of any size. Its checksum is wrong: nobody should reach it."""
    header = npy(describe(descr, shape))
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(header) + packer.flush(zlib.Z_FULL_FLUSH) + zeros(size)
    with zipfile.ZipFile(path, "w") as file:
        for member, content in members.items():
            file.writestr(member, content)
    content = path.read_bytes()
    end = content.rindex(b"PK\5\6")
    at = struct.unpack("<I", content[end + 16 : end + 20])[0]
    encoded = f"{name}.npy".encode()
    length = len(header) + size
    common = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0, 0, len(packed), length, len(encoded), 0)
    local = b"PK\3\4" + common + encoded + packed
    central = b"PK\1\2" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, at) + encoded
    entries = len(members) + 1
    size_of_directory = end - at + len(central)
    tail = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, entries, entries, size_of_directory, at + len(local), 0)
    path.write_bytes(content[:at] + local + content[at:end] + central + tail)


# --- attacks --------------------------------------------------------------------------------------------------------

WRONG = (
    None, True, -1, 0, 10**6, 10**40, 1e308, -0.0, float("nan"), float("inf"), "", "x", "binary16", "[/b]\x1b[31m\n",
    "x" * 100_000, [], [1], [[]], {}, {"a": 1}, [10**9, 10**9], ["x"] * 1000, {"format": "binary16", "mode": "to_odd"},
    {"format": {"name": "w", "width": 70, "precision": 60}, "mode": "to_odd"}, {"scale": 0},
)  # fmt: skip
HEADERS = (
    "((((", "(" * 9000, "[" * 9000, "{" * 60_000, "", "\n", "{}", "None", "1", "__import__('os')", "{'descr': '<f8'}",
    describe("<f8", (10**12,)), describe("<f8", (10**19, 10**19)), describe("|O", (1,)), describe("<f8", (-1,)),
    describe("<f16", (2,)), describe("<U999999999", (10**9,)), describe("<M8[ns]", (2,)), describe("<f8", (0, 10**30)),
    describe([("x", "<f8"), ("y", [("z", "|O")])], (3,)), describe("<f8", ()), describe("<f8", (1,) * 100),
    describe("f8,f8", (1,)), describe("<f8", (2,)).replace("(2,)", "(2"),
    describe("<f8", (2,)).replace("2", "9" * 5000),
    describe("<f8", (2,)).replace("False", "1"), "{'descr': '" + "<" * 9000, "\x00" * 100, "\x1b[31m[/b]",
)  # fmt: skip
ARRAYS = (
    np.zeros(1, np.uint16), np.zeros((1, 1), np.uint16), np.zeros(0, np.uint16), np.uint16(3), np.zeros(10, np.uint8),
    np.zeros(10, np.uint32), np.zeros(10), np.zeros(10, ">u2"), np.full(10, 65535, np.uint16), np.array(["x"]),
    np.zeros((3, 0), np.float32), np.full(9, np.nan, np.float32), np.zeros(4, [("a", "<f4")]), np.zeros(3, bool),
    np.zeros((1,) * 20, np.float16), np.zeros(3, complex), np.array(["2020"], "M8[s]"), np.zeros(3, "V7"),
)  # fmt: skip


class Attacks:
    """Makes files from valid ones, each with one thing wrong, at random but from a seed."""

    def __init__(self, folder, seed):
        self.folder, self.random = Path(folder), random.Random(seed)
        self.seeds = [self.folder / "model.npz", self.folder / "run.npz"]
        self.tensors = self.folder / "tensors.npz"
        np.savez(self.tensors, w=np.linspace(-1, 1, 10), grad=np.ones((3, 3), np.float32))
        np.save(self.folder / "tensors.npy", np.linspace(-1, 1, 10))

    def make(self, place):
        """Write one hostile file, and say what is wrong with it."""
        kinds = (self.json, self.json, self.array, self.bytes, self.header, self.member, self.bomb, self.directory)
        kind = self.random.choice(kinds)
        return f"{kind.__name__}: {kind(place)}"

    def _parts(self, path):
        with np.load(path) as stored:
            arrays = {name: stored[name] for name in stored.files}
        return json.loads(bytes(arrays.pop("about"))), arrays

    def _write(self, place, about, arrays):
        text = about if isinstance(about, bytes) else json.dumps(about).encode()
        np.savez(place, about=np.frombuffer(text, np.uint8), **arrays)

    def json(self, place):
        """A field of the text is missing, unknown, or something else."""
        about, arrays = self._parts(self.random.choice(self.seeds))
        if self.random.random() < 0.05:
            text = self.random.choice([b"", b"[" * 100_000, b"{" * 100_000, b"\xff\xfe", b"9" * 9999, b'{"a":' * 5000])
            self._write(place, text, arrays)
            return text[:20]
        at, path = about, []
        while True:
            keys = list(at) if isinstance(at, dict) else list(range(len(at)))
            key = self.random.choice(keys)
            path.append(key)
            if not (isinstance(at[key], (dict, list)) and at[key] and self.random.random() < 0.8):
                break
            at = at[key]
        if self.random.random() < 0.2:
            del at[key]
            what = "missing"
        elif self.random.random() < 0.1 and isinstance(at, dict):
            at["unknown"] = at[key]
            what = "unknown"
        else:
            at[key] = self.random.choice(WRONG)
            what = ascii(at[key])[:60]
        self._write(place, about, arrays)
        return f"{path} {what}"

    def array(self, place):
        """An array is missing, there twice, or something else."""
        about, arrays = self._parts(self.random.choice(self.seeds))
        name = self.random.choice(list(arrays))
        new = self.random.choice(ARRAYS)
        if self.random.random() < 0.2:
            del arrays[name]
            what = "missing"
        elif self.random.random() < 0.2:
            arrays[f"{name}{self.random.choice(['2', '/x', '[/b]', chr(27) + '[31m', '../x'])}"] = new
            what = "more"
        else:
            arrays[name] = new
            what = f"{new.dtype} {new.shape}"
        self._write(place, about, arrays)
        return f"{name} {what}"

    def bytes(self, place):
        """Some bytes are others, or the file is shorter or longer."""
        content = bytearray(self.random.choice([*self.seeds, self.tensors]).read_bytes())
        for _ in range(self.random.choice([1, 1, 3, 50])):
            content[self.random.randrange(len(content))] = self.random.randrange(256)
        if self.random.random() < 0.3:
            del content[self.random.randrange(len(content)) :]
        place.write_bytes(content)
        return len(content)

    def header(self, place):
        """An array has a header that is none."""
        header, body = self.random.choice(HEADERS), bytes(self.random.choice([0, 16, 100]))
        content = npy(header[:60_000], body, self.random.choice([1, 2, 3]))
        with zipfile.ZipFile(place, "w", self.random.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as file:
            for name, text in self._members().items():
                file.writestr(name, text)
            file.writestr(self.random.choice(["w.npy", "params/layer1.weight.npy"]), content)
        return header[:60]

    def _members(self):
        """The text of a model, and an array."""
        with zipfile.ZipFile(self.seeds[0]) as file:
            return {name: file.read(name) for name in file.namelist() if "layer1.weight" not in name}

    def member(self, place):
        """A member of the archive is compressed in another way, is no array, or has a strange name."""
        name = self.random.choice(["w.npy", "../../w.npy", "/etc/w.npy", ".npy", "about.npy", "w", "\x1b[31m.npy"])
        method = self.random.choice([zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED])
        with zipfile.ZipFile(place, "w", method) as file:
            file.writestr(name, self.random.choice([bytes(10), npy(describe("<f8", (2,)), bytes(16)), bytes(10**6)]))
        return f"{name!a} by method {method}"

    def bomb(self, place):
        """A small file with a gigabyte of zeros and more."""
        descr, size = self.random.choice([("|u1", 1), ("<u2", 2), ("<f4", 4)])
        count = min((1 << 30), (4 * GIB - (1 << 20)) // size)
        name = self.random.choice(["params/layer1.weight", "about", "w", "m/x"])
        members = self._members()
        members.pop(f"{name}.npy", None)
        if self.random.random() < 0.3 and "about.npy" in members:  # a configuration that wants such an array
            about, _ = self._parts(self.seeds[0])
            about["config"]["layers"] = [count // 64]
            buffer = io.BytesIO()
            np.save(buffer, np.frombuffer(json.dumps(about).encode(), np.uint8))
            members["about.npy"] = buffer.getvalue()
        bomb(place, members, name, descr, (count,), count * size)
        return f"{name} {descr} {count} in {place.stat().st_size} bytes"

    def directory(self, place):
        """The directory of the archive lies about sizes, methods and places."""
        content = bytearray(self.random.choice([*self.seeds, self.tensors]).read_bytes())
        start = content.index(b"PK\1\2")
        entries = [k for k in range(start, len(content) - 46) if content[k : k + 4] == b"PK\1\2"]
        at = self.random.choice(entries) + self.random.choice([8, 10, 16, 20, 24, 28, 30, 42])
        content[at : at + 4] = self.random.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\1\0\0\0", b"\xff\xff\xff\x7f"])
        place.write_bytes(content)
        return at

    def npy(self, place):
        """A .npy file that is none."""
        content = npy(self.random.choice(HEADERS)[:60_000], bytes(self.random.choice([0, 16, 80])))
        if self.random.random() < 0.3:
            content = (self.folder / "tensors.npy").read_bytes()[: self.random.randrange(200)]
        place.write_bytes(content)
        return content[:80]

    def idx(self, folder):
        """A folder with an IDX file that is none, is endless, or unpacks to much."""
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        name = self.random.choice(["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
        kind = self.random.choice(["sparse", "bomb", "header", "cut", "random"])
        path = folder / (name + (".gz" if kind in ("bomb", "cut") else self.random.choice(["", ".gz"])))
        if kind == "sparse":
            with path.open("wb") as file:
                file.write(struct.pack(">BBBBIII", 0, 0, 8, 3, 2**31, 28, 28))
                file.truncate(GIB // 2)  # the largest size that the limits here allow
        elif kind == "bomb":
            path.write_bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\3" + zeros(self.random.choice([GIB, 8 * GIB])) + bytes(8))
        elif kind == "header":
            numbers = [self.random.choice([0, 1, 28, 2**32 - 1]) for _ in range(self.random.choice([1, 3, 255]))]
            path.write_bytes(struct.pack(f">BBBB{len(numbers)}I", 0, 0, 8, len(numbers), *numbers) + bytes(1000))
        elif kind == "cut":
            path.write_bytes(gzip.compress(bytes(10_000))[: self.random.randrange(1, 40)])
        else:
            path.write_bytes(self.random.randbytes(self.random.choice([0, 3, 10_008])))
        return f"{path.name} {kind}"


# --- commands -------------------------------------------------------------------------------------------------------


class TooLong(BaseException):
    """A command did not end in time."""


def run(main, arguments):
    """(exit code, what was printed on stderr, seconds of the processor) of a command."""

    def stop(number, frame):
        raise TooLong

    signal.signal(signal.SIGALRM, stop)
    said, start = io.StringIO(), time.process_time()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        try:
            code = main(arguments)
        except SystemExit as exit:
            code = exit.code
        except BaseException as error:
            code = f"{type(error).__name__}: {error}"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    return code, said.getvalue(), time.process_time() - start


def fault(code, said, seconds):
    """What is wrong with the end of a command; "" if nothing is."""
    if code not in (0, 2) and not (code == 3 and RUN_DIED.search(said)):
        return f"ended with {code}"
    if code == 2 and (said.count("\n") != 1 or len(said) > 3000):
        return "did not say why in one line"
    if not said.replace("\n", "").isprintable():
        return "printed control characters"
    for word in ("Traceback", "a fault of fp16sim", "not enough memory"):
        if word in said:
            return f"said {word}"
    return f"took {seconds:.1f} s" if seconds > SECONDS else ""


def limit():
    """The bounds of this process."""
    limits = {"RLIMIT_AS": 3 * GIB, "RLIMIT_CPU": 900, "RLIMIT_FSIZE": GIB, "RLIMIT_CORE": 0}
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, name), (value, value))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NPROC, (500, 500))


def main(folder, seed, count):
    """Attack `count` times."""
    from fp16sim.cli import main as command
    from fp16sim.cli import train
    from fp16sim.learn import load_model, save_model

    limit()
    folder = Path(folder)
    train._write = lambda histories, own: None  # the picture is not what is attacked
    short = ["--layers", "2", "--batch", "1000", "--epochs", "1", "--look-every", "2", "--format", "binary16"]
    assert command(["train", *short, "--out", str(folder / "run.png")]) == 0
    (folder / "run-binary16.npz").rename(folder / "run.npz")
    save_model(folder / "model.npz", load_model(folder / "run.npz"))
    attacks, codes, slowest = Attacks(folder, int(seed)), {}, 0.0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(int(count)):
        place, array, data = folder / "x-binary16.npz", folder / "x.npy", folder / "mnist"
        out = ["--out", str(folder / "x.png"), *short]
        about = attacks.make(place)
        commands = {
            "evaluate": ["evaluate", str(place), "--format", "bf16"],
            "inspect": ["inspect", str(place)],
            "train --from": ["train", "--from", str(place), "--out", str(folder / "y.png"), *short],
            "train": ["train", *out],
            "train --resume": ["train", "--resume", *out],
        }
        chosen = attacks.random.sample(sorted(commands), 2)
        tried = [(about, commands[name]) for name in chosen]
        if attacks.random.random() < 0.3:
            tried.append((attacks.npy(array), ["inspect", str(array)]))
        if attacks.random.random() < 0.2:
            tried.append((attacks.idx(data), ["data", "mnist", "--from", str(data), "--to", str(folder / "to")]))
        for about, arguments in tried:
            code, said, seconds = run(command, arguments)
            codes[str(code)] = codes.get(str(code), 0) + 1
            slowest = max(slowest, seconds)
            if wrong := fault(code, said, seconds):
                print(json.dumps({"fault": wrong, "file": ascii(about), "command": arguments[0], "said": said[-500:]}))
        (folder / "y-binary16.npz").unlink(missing_ok=True)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"codes": codes, "slowest": slowest, "peak_kib": after, "growth_kib": after - before}))


if __name__ == "__main__":
    main(*sys.argv[1:])
