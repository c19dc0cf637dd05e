"""Files of safetensors, PyTorch and NumPy: read as data in pieces, whatever their types; hostile ones are refused."""

import json
import os
import re
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.cli import main
from fp16sim.learn import inspect
from fp16sim.learn.advise import numbers
from fp16sim.learn.observe.exponents import survey

from .support import first

RNG = np.random.default_rng(22)
X = RNG.standard_normal((6, 40)).astype(np.float32)

# --- a writer of .pt files, opcode by opcode ------------------------------------------------------------------------


def name(module, attribute):
    return f"c{module}\n{attribute}\n".encode()


def text(said):
    return b"X" + struct.pack("<I", len(said.encode())) + said.encode()


def integer(n):
    return b"\x8a\x08" + struct.pack("<q", n)


def tuple_of(*items):
    return b"(" + b"".join(items) + b"t"


ORDERED = name("collections", "OrderedDict") + b")R"


def storage(kind, key, elements):
    described = tuple_of(text("storage"), name("torch", kind), text(key), text("cpu"), integer(elements))
    return described + b"Q"


def tensor(stored, shape, strides, offset=0):
    view = (integer(offset), tuple_of(*map(integer, shape)), tuple_of(*map(integer, strides)))
    return name("torch._utils", "_rebuild_tensor_v2") + tuple_of(stored, *view, b"\x89", ORDERED) + b"R"


def tensor_of_dtype(stored, dtype, shape, strides):
    view = (integer(0), tuple_of(*map(integer, shape)), tuple_of(*map(integer, strides)))
    rebuilt = tuple_of(stored, *view, b"\x89", ORDERED, name("torch", dtype))
    return name("torch._utils", "_rebuild_tensor_v3") + rebuilt + b"R"


def dict_of(items):
    return ORDERED + b"(" + b"".join(text(key) + value for key, value in items.items()) + b"u"


def save(path, told, files=(), pickle_name="archive/data.pkl", compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr(pickle_name, b"\x80\x02" + told + b".")
        for key, content in dict(files).items():
            file.writestr(f"archive/{key}", content)
    return path


def state_dict(path, x=X, kind="FloatStorage", **more):
    """A state dict with one tensor, "w"."""
    whole = tensor(storage(kind, "0", x.size), x.shape, [step // x.itemsize for step in x.strides])
    return save(path, dict_of({"w": whole, **more}), {"data/0": x.tobytes()})


# --- PyTorch --------------------------------------------------------------------------------------------------------


def test_a_state_dict_is_read_without_pytorch(tmp_path):
    half = fs.encode(fs.round_to(X, "bfloat16"), "bfloat16").astype("<u2")
    eighth = fs.encode(fs.round_to(X, "e4m3fn"), "e4m3fn").astype("u1")
    told = {
        "w": tensor(storage("FloatStorage", "0", X.size), X.shape, (40, 1)),
        "turned": tensor(storage("FloatStorage", "0", X.size), (40, 5), (1, 40), offset=40),
        "half": tensor(storage("BFloat16Storage", "1", X.size), X.shape, (40, 1)),
        "eighth": tensor_of_dtype(
            tuple_of(
                text("storage"),
                name("torch.storage", "UntypedStorage"),
                text("2"),
                text("cpu"),
                integer(X.size),
            )
            + b"Q",
            "float8_e4m3fn",
            X.shape,
            (40, 1),
        ),
        "steps": tensor(storage("LongStorage", "3", 3), (3,), (1,)),
        "more": dict_of({"epoch": integer(3), "w": tensor(storage("FloatStorage", "0", X.size), (), ())}),
    }
    files = {"data/0": X.tobytes(), "data/1": half.tobytes(), "data/2": eighth.tobytes()}
    files["data/3"] = np.arange(3).astype("<i8").tobytes()
    found = inspect(save(tmp_path / "model.pt", dict_of(told), files))
    expected = {
        "w": X,
        "turned": X[1:].T,
        "half": fs.round_to(X, "bfloat16"),
        "eighth": fs.round_to(X, "e4m3fn"),
        "steps": np.arange(3),
        "more.w": X[0, 0],
    }
    assert [one.name for one in found.tensors] == list(expected)
    for one, x in zip(found.tensors, expected.values(), strict=True):
        assert (one.shape, one.survey) == (np.shape(x), survey(x, "binary16")), one.name
    assert [one.dtype for one in found.tensors] == ["float32", "float32", "bfloat16", "e4m3fn", "int64", "float32"]


def test_what_pytorch_itself_writes_is_read(tmp_path):
    torch = pytest.importorskip("torch")
    x = torch.from_numpy(X)
    given = {"w": torch.nn.Parameter(x), "half": x.bfloat16(), "turned": x.t(), "deep": {"list": [x.double(), None]}}
    torch.save(given, tmp_path / "model.pt")
    found = inspect(tmp_path / "model.pt")
    assert [one.name for one in found.tensors] == ["w", "half", "turned", "deep.list.0"]
    assert all(one.survey.total == X.size for one in found.tensors)


def test_big_endian_numbers_are_read(tmp_path):
    told = dict_of({"w": tensor(storage("FloatStorage", "0", X.size), X.shape, (40, 1))})
    path = save(tmp_path / "a.bin", told, {"data/0": X.astype(">f4").tobytes(), "byteorder": b"big"})
    assert inspect(path).tensors[0].survey == survey(X, "binary16")


def test_numbers_that_are_views_of_few_are_skipped_by_name(tmp_path):
    expanded = tensor(storage("FloatStorage", "0", X.size), (1 << 40,), (0,))
    (skipped,) = inspect(state_dict(tmp_path / "a.pt", expanded=expanded)).skipped
    assert "expanded is skipped: its 1,099,511,627,776 numbers are views of 240 stored ones" in skipped


def refused(path, capsys):
    """The line that the command prints."""
    assert main(["inspect", str(path)]) == 2
    captured = capsys.readouterr()
    assert not captured.out
    assert captured.err.count("\n") == 1
    return captured.err


NESTED = b"(]q\x00" + b"".join(b"](h%ch%ceq%c" % (k, k, k + 1) for k in range(60)) + b"t"

ATTACKS = {
    "a command": (name("os", "system") + tuple_of(text("touch pickled")) + b"R", "names 'os.system'"),
    "a command by its new name": (text("os") + text("system") + b"\x93" + tuple_of(text("x")) + b"R", "'os.system'"),
    "an attribute": (name("collections", "OrderedDict.fromkeys") + b")R", "names 'collections.OrderedDict.fromkeys'"),
    "an object": (name("torch.nn", "Linear") + b")\x81", "names 'torch.nn.Linear'"),
    "a class by INST": (b"(ios\nsystem\n", "operation b'i'"),
    "something that is called and is no function": (text("x") + b")R", "damaged"),
    "a dtype that is called": (name("torch", "FloatStorage") + b")R", "damaged"),
    "attributes of nothing": (b"}b", "damaged"),
    "an empty stack": (b"u", "damaged"),
    "an unknown memo": (b"h\x07", "damaged"),
    "a key of tuples": (b"}" + b")" + b"\x85" * 3 + integer(1) + b"s", "damaged"),
    "lists in lists in lists": (NESTED, "too deep, or have more than"),
    "a list that holds itself": (b"]q\x00h\x00a", "too deep, or have more than"),
    "a negative size": (tensor(storage("FloatStorage", "0", 240), (-1,), (1,)), "damaged"),
    "a step beyond the end": (tensor(storage("FloatStorage", "0", 240), (240,), (2,)), "reaches beyond data/0"),
    "an offset beyond the end": (tensor(storage("FloatStorage", "0", 240), (1,), (1,), 240), "reaches beyond data/0"),
    "more numbers than are stored": (tensor(storage("FloatStorage", "0", 1 << 60), (2,), (1,)), "says more"),
    "another folder": (tensor(storage("FloatStorage", "../0", 2), (2,), (1,)), "lacks a file"),
    "a conjugate view": (
        name("torch._utils", "_rebuild_tensor_v2")
        + tuple_of(
            storage("FloatStorage", "0", 240),
            integer(0),
            tuple_of(integer(1)),
            tuple_of(integer(1)),
            b"\x89",
            ORDERED,
            b"}(" + text("conj") + b"\x88u",
        )
        + b"R",
        "damaged",
    ),
    "no tensor": (b"}", "it has no tensor"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_pickle_that_is_more_than_tensors_is_refused_in_one_line(attack, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("fp16sim.learn.advise.torch_files.MOST_ITEMS", 1 << 12)
    told, says = ATTACKS[attack]
    path = save(tmp_path / "model.pt", told, {"data/0": X.tobytes()})
    assert says in refused(path, capsys)
    assert sorted(os.listdir()) == ["model.pt"]


def test_a_refusal_says_how_to_convert(tmp_path, capsys):
    path = save(tmp_path / "a.pt", name("argparse", "Namespace") + b")\x81")
    assert "torch.load(path, weights_only=True)" in refused(path, capsys)


def test_archives_that_are_not_as_pytorch_writes_them_are_refused(tmp_path, capsys):
    told = dict_of({"w": tensor(storage("FloatStorage", "0", X.size), X.shape, (40, 1))})
    files = {"data/0": X.tobytes()}
    cases = {
        "compressed or encrypted": save(tmp_path / "a.pt", told, files, compression=zipfile.ZIP_DEFLATED),
        "it has no data.pkl": save(tmp_path / "b.pt", told, files, pickle_name="archive/other.pkl"),
        "lacks a file": save(tmp_path / "c.pt", told),
        "says more": save(tmp_path / "d.pt", told, {"data/0": X.tobytes()[:-4]}),
    }
    for says, path in cases.items():
        assert says in refused(path, capsys)
    (tmp_path / "cut.pt").write_bytes(state_dict(tmp_path / "whole.pt").read_bytes()[:-30])
    assert "cannot be read" in refused(tmp_path / "cut.pt", capsys)
    many = {str(k): tensor(storage("FloatStorage", "0", 1 << 14), (1 << 14,), (1,)) for k in range(100)}
    path = save(tmp_path / "e.pt", dict_of(many), {"data/0": bytes(1 << 16)})
    assert "times as large as the file" in refused(path, capsys)


# --- safetensors ----------------------------------------------------------------------------------------------------


def write_safetensors(path, tensors, **changes):
    header, place, body = {}, 0, b""
    for key, (dtype, shape, content) in tensors.items():
        header[key] = {"dtype": dtype, "shape": list(shape), "data_offsets": [place, place + len(content)]}
        place, body = place + len(content), body + content
    told = json.dumps(header | changes).encode()
    path.write_bytes(struct.pack("<Q", len(told)) + told + body)
    return path


def test_a_safetensors_file_is_read_in_all_its_types(tmp_path):
    pytest.importorskip("safetensors")
    fp4 = fs.encode(fs.round_to(X, "e2m1fn"), "e2m1fn").astype("u1")
    packed = (fp4[:, ::2] | fp4[:, 1::2] << 4).astype("u1")
    stored = {
        "z": ("F32", X.shape, X.tobytes()),
        "a": ("BF16", X.shape, fs.encode(fs.round_to(X, "bfloat16"), "bfloat16").astype("<u2").tobytes()),
        "f8": ("F8_E5M2", X.shape, fs.encode(fs.round_to(X, "e5m2"), "e5m2").astype("u1").tobytes()),
        "f4": ("F4", X.shape, packed.tobytes()),
        "i": ("I16", (3,), np.array([1, -2, 3], "<i2").tobytes()),
        "none": ("F64", (0, 3), b""),
        "mask": ("BOOL", (2,), b"\0\1"),
        "f6": ("F6_E2M3", (4,), b"\0\0\0"),
    }
    found = inspect(write_safetensors(tmp_path / "model.safetensors", stored), per_channel=-1)
    rounded = {"a": "bfloat16", "f8": "e5m2", "f4": "e2m1fn"}
    for one in found.tensors[:4]:
        x = fs.round_to(X, rounded[one.name]) if one.name in rounded else X
        assert (one.shape, one.survey) == (X.shape, survey(x, "binary16")), one.name
        assert one.channels.amax == tuple(np.abs(x).max(axis=0).tolist())
    assert [one.name for one in found.tensors] == ["z", "a", "f8", "f4", "i", "none"]
    assert [reason.split()[0] for reason in found.skipped] == ["mask", "f6"]


def test_a_damaged_safetensors_file_is_one_line(tmp_path, capsys):
    pytest.importorskip("safetensors")
    path = write_safetensors(tmp_path / "a.safetensors", {"w": ("F32", X.shape, X.tobytes())})
    whole = path.read_bytes()
    for content in (whole[:-1], whole[:20], b"", struct.pack("<Q", 1 << 60) + whole[8:], whole + b"more"):
        path.write_bytes(content)
        assert "it is not a whole .safetensors file" in refused(path, capsys)


def test_without_the_library_a_line_says_how_to_get_it(tmp_path, capsys, monkeypatch):
    path = write_safetensors(tmp_path / "a.safetensors", {"w": ("F32", X.shape, X.tobytes())})
    monkeypatch.setitem(sys.modules, "safetensors", None)
    assert "the package safetensors is missing; install it: pip install safetensors" in refused(path, capsys)


# --- pieces ---------------------------------------------------------------------------------------------------------


def test_the_pieces_do_not_matter(tmp_path, monkeypatch):
    x = (RNG.standard_normal((9, 70)) * np.exp(4 * RNG.standard_normal((9, 1)))).astype(np.float32)
    x[3, 5], x[4, 6] = np.nan, np.inf
    asked = {"fmt": ["binary16", "e4m3fn"], "per_channel": 1, "blocks": ["mxfp4", "nvfp4"]}
    np.save(tmp_path / "w.npy", np.asfortranarray(x))
    whole = inspect(x, **asked).to_dict()["together"]
    monkeypatch.setattr(numbers, "PIECE", 64)
    monkeypatch.setattr(numbers, "SLAB", 200)
    pieces = inspect(tmp_path / "w.npy", **asked).to_dict()["together"]
    for one, other in zip(pieces["channels"]["formats"], whole["channels"]["formats"], strict=True):
        assert one.pop("mean_error") == pytest.approx(other.pop("mean_error"))
    for one, other in zip(pieces.pop("blocks"), whole.pop("blocks"), strict=True):
        assert one == pytest.approx(other)
    for one, other in zip(pieces.pop("formats"), whole.pop("formats"), strict=True):
        assert one.pop("mean_error") == pytest.approx(other.pop("mean_error"))
        assert one.pop("relative_error") == pytest.approx(other.pop("relative_error"))
        assert one == other
    assert {**pieces, "name": ""} == {**whole, "name": ""}


def test_a_large_array_of_an_archive_is_mapped(tmp_path, monkeypatch):
    np.savez(tmp_path / "a.npz", w=X, v=np.asfortranarray(X.T))
    monkeypatch.setattr("fp16sim.archives.LARGE", 16)
    found = inspect(tmp_path / "a.npz", max_bytes=10)  # nothing has to be in memory
    assert [one.survey for one in found.tensors] == [survey(X, "binary16")] * 2
    np.savez_compressed(tmp_path / "b.npz", w=X)
    with pytest.raises(ValueError, match="more than max_bytes=10"):
        inspect(tmp_path / "b.npz", max_bytes=10)


MEASURE = """
import resource, sys
from fp16sim.learn import inspect
status = lambda: int(next(line for line in open("/proc/self/status") if line.startswith("RssAnon")).split()[1])
before, seen = status(), []
import fp16sim.learn.advise.numbers as numbers
flat = numbers.Numbers.flat
numbers.Numbers.flat = lambda *a: (seen.append(status()), flat(*a))[1]
found = inspect(sys.argv[1], ["binary16"])
print(found.tensors[0].survey.total, max(seen) - before)
"""


@pytest.mark.exhaustive
@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_a_file_of_a_gigabyte_needs_little_memory(tmp_path):
    path = tmp_path / "large.npy"
    np.lib.format.open_memmap(path, "w+", np.float32, (1 << 28,)).flush()  # it has no blocks on the disk
    done = subprocess.run([sys.executable, "-c", MEASURE, path], capture_output=True, text=True, check=True)
    total, kib = map(int, done.stdout.split())
    assert total == 1 << 28
    assert kib < 200_000


# --- channels and blocks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_each_channel_is_what_it_would_be_alone(axis):
    x = RNG.standard_normal((4, 5, 6)) * np.exp(8 * RNG.standard_normal((4, 5, 6)))
    x[1, 2, 3] = np.inf
    (one,) = inspect(x, ["binary16", "e4m3fn"], per_channel=axis).tensors
    assert one.channels.axis == axis % 3
    for k, alone in enumerate(np.moveaxis(x, axis, 0)):
        (expected,) = inspect(alone, ["binary16", "e4m3fn"]).tensors
        assert one.channels.finite[k] == expected.survey.finite
        assert one.channels.amax[k] == np.abs(alone[np.isfinite(alone)]).max()
        for found, wanted in zip(one.channels.formats, expected.formats, strict=True):
            assert (found.underflowed[k], found.overflowed[k]) == (wanted.fate.underflowed, wanted.fate.overflowed)
            assert found.mean_error[k] == pytest.approx(wanted.mean_error)


@pytest.mark.parametrize("kind", ["mxfp8", "mxfp4", "nvfp4", "mxint8"])
def test_blocks_are_those_of_quantize(kind):
    x = RNG.standard_normal((7, 96)) * np.exp(3 * RNG.standard_normal((7, 96)))
    quantized = fs.blocks.quantize(x, kind)
    seen, values = fs.blocks.statistics(x, quantized), np.asarray(quantized.values, float)
    (found,) = inspect(x, blocks=kind).tensors[0].blocks
    assert found.vanished == np.count_nonzero((values == 0) & (x != 0))
    assert found.saturated == round(float(seen.saturated.mean() * x.size))
    assert found.error == pytest.approx(np.linalg.norm(values - x) / np.linalg.norm(x))
    assert (found.blocks, found.finite, found.spoiled) == (seen.amax.size, x.size, 0)


@pytest.mark.parametrize(
    "x",
    [np.array(5.0), np.zeros((0, 3)), np.zeros(40), [np.nan, np.inf], [5e-324], [1e308, -1e308], np.ones((1,) * 9)],
    ids=["a scalar", "nothing", "zeros", "no numbers", "the smallest", "the largest", "nine axes"],
)
def test_unusual_tensors_are_described(x):
    found = inspect(x, ["binary16", "e4m3fn"], blocks=["mxfp8", "mxfp4", "nvfp4", "mxint8"])
    assert str(found).count("\nmxint8: ") == 1
    assert json.dumps(found.to_dict(), allow_nan=False)
    if np.size(x) and np.ndim(x):
        assert str(inspect(x, ["binary16"], per_channel=0)).count("By channel") == 1


def test_a_short_last_block_and_a_block_with_nan_are_counted():
    x = np.ones((2, 40), np.float32)
    x[0, 3] = np.nan
    (found,) = inspect(x, blocks="mxfp8").tensors[0].blocks
    assert (found.blocks, found.spoiled, found.finite, found.error) == (4, 1, 48, 0)


def test_channels_and_blocks_are_shown_and_are_data(tmp_path, capsys):
    np.savez(tmp_path / "w.npz", w=X, b=X[0])
    asked = [str(tmp_path / "w.npz"), "--per-channel", "1", "--blocks", "mxfp4,nvfp4"]
    assert main(["inspect", *asked]) == 0
    shown = capsys.readouterr().out
    assert "By channel, the indices of axis 1" in shown
    assert "In blocks along the last axis" in shown
    assert re.search(r"^mxfp4: [0-9.]+% of the nonzero numbers become 0", shown, re.MULTILINE)
    assert max(map(len, shown.splitlines())) <= 100
    assert main(["inspect", *asked, "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert [one["block"] for one in plain["together"]["blocks"]] == ["mxfp4", "nvfp4"]
    assert len(plain["tensors"][0]["channels"]["amax"]) == 40
    assert "channels" not in plain["tensors"][1]


def test_what_channels_and_blocks_cannot_be_is_refused(tmp_path, capsys):
    with pytest.raises(
        ValueError, match="per_channel=7: no tensor with numbers has this axis; the tensors have up to 2 axes"
    ):
        inspect(X, per_channel=7)
    with pytest.raises(TypeError, match=r"per_channel=1\.5"):
        inspect(X, per_channel=1.5)
    with pytest.raises(TypeError, match="blocks=None is not a block or a list of them"):
        inspect(X, blocks=None)
    with pytest.raises(ValueError, match="has the size"):
        inspect(X, blocks=fs.blocks.Block("e4m3fn", "binary32", (1, None)))
    np.save(tmp_path / "w.npy", X)
    with pytest.raises(SystemExit, match="2"):
        main(["inspect", str(tmp_path / "w.npy"), "--blocks", "mxfp5"])
    assert "block='mxfp5' is unknown" in capsys.readouterr().err


def test_the_parts_know_every_number_of_a_bfloat16_file(tmp_path):
    codes = np.arange(1 << 16, dtype="<u2").reshape(64, 1024)
    np.save(tmp_path / "all.npy", codes.view("V2"))
    (one,) = inspect(tmp_path / "all.npy", "bfloat16", read_as="bfloat16", per_channel=0).tensors
    assert sum(one.channels.finite) == one.survey.finite


@pytest.mark.parametrize("width", [80, 100])
def test_the_tables_of_parts_fit_the_terminal(width):
    tensors = {f"encoder.layers.{k}.attention.in_proj.weight": X * 10.0**-k for k in range(14)}
    found = inspect(tensors, ("binary16", "bfloat16"), per_channel=1, blocks=["mxfp8", "nvfp4"])
    shown = found.text(width=width)
    assert max(map(len, shown.splitlines())) <= width
    assert shown.count("The 12 of 14 tensors that lose most:") == 3
    assert all(name in found.text(each=True, width=width) for name in tensors)


def changed(content, rng):
    """A file with some bytes changed, left out or added."""
    damaged = bytearray(content)
    for _ in range(rng.integers(1, 6)):
        place, width = int(rng.integers(len(damaged))), int(rng.integers(0, 20))
        damaged[place : place + width] = rng.bytes(int(rng.integers(0, 20)))
    return bytes(damaged)


@pytest.mark.parametrize("seed", first(1, range(40)))
def test_files_that_are_changed_anywhere_are_read_or_refused_in_one_line(seed, tmp_path):
    rng, told = np.random.default_rng(seed), tensor(storage("FloatStorage", "0", X.size), X.shape, (40, 1))
    whole = {"a.pt": state_dict(tmp_path / "a.pt").read_bytes()}
    tensors = {"w": ("BF16", (2, 3), bytes(12)), "v": ("F4", (4,), bytes(2))}
    whole["a.safetensors"] = write_safetensors(tmp_path / "a.safetensors", tensors).read_bytes()
    refusals = []
    for k in range(60):
        name = ("a.pt", "a.safetensors")[k % 2]
        (tmp_path / name).write_bytes(changed(whole[name], rng))
        if k % 4 == 0:  # a whole archive, with a pickle that is changed
            save(tmp_path / name, changed(dict_of({"w": told}), rng), {"data/0": X.tobytes()})
        try:
            inspect(tmp_path / name)
        except ValueError as error:
            refusals.append(str(error))
    assert len(refusals) > 20
    assert [said for said in refusals if "\n" in said] == []
