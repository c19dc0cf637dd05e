"""Files of NumPy from anyone: headers are checked before a number is read, and nothing in them is executed."""

import struct
import time
import tracemalloc
import zipfile

import numpy as np
import pytest

from fp16sim.archives import Header, check_memory, npy_header, open_archive
from fp16sim.cli import main


def npy(text, body=b"", version=1):
    """A .npy file with this header."""
    header = text.encode("latin1")
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + body


def header(descr="'<f8'", shape="(2,)"):
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n"


def bomb(path, name="w.npy", count=1 << 26):
    """A small file whose array has `count` zeros."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open(name, "w", force_zip64=True) as member:
        member.write(npy(header("'|u1'", f"({count},)")))
        for _ in range(count >> 20):
            member.write(bytes(1 << 20))


ARRAYS = {
    "fortran": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "big_endian": np.arange(3, dtype=">i4"),
    "scalar": np.float32(3),
    "empty": np.zeros((0, 5)),
    "text": np.array(["abc", "d"]),
    "time": np.array(["2020-01-01"], "M8[s]"),
    "a/b.c": np.array([True, False]),
}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_every_plain_array_that_numpy_writes_comes_back(save, tmp_path):
    save(tmp_path / "a.npz", **ARRAYS)
    with open_archive(tmp_path / "a.npz") as archive:
        assert list(archive.headers) == list(ARRAYS)
        for name, x in ARRAYS.items():
            found = archive.headers[name]
            assert (found.dtype, found.shape, found.nbytes) == (x.dtype, x.shape, x.nbytes)
            np.testing.assert_array_equal(archive.read(name), x, strict=True)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_a_npy_file_of_every_version_has_its_header_read(version, tmp_path):
    with (tmp_path / "x.npy").open("wb") as file:
        np.lib.format.write_array(file, np.ones((2, 3), np.float16), version)
    assert npy_header(tmp_path / "x.npy") == Header("x", "<f2", (2, 3), False)


def test_objects_and_structures_are_known_by_their_headers_and_never_read(tmp_path):
    arrays = {"object": np.array([{}], object), "structure": np.zeros(2, [("x", "<f4"), ("y", [("z", "<i2", (2,))])])}
    np.savez(tmp_path / "a.npz", **arrays)
    with open_archive(tmp_path / "a.npz") as archive:
        for name in arrays:
            assert archive.headers[name].dtype is None
            with pytest.raises(ValueError, match="which is not read"):
                archive.read(name)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not an array"),
        (b"PK\x03\x04", "is not an array"),
        (npy(header()).replace(b"\x01\x00", b"\x09\x00", 1), "is not an array"),
        (npy("(" * 5000), "header that is cut off or not in NumPy's format"),
        (npy("("), "header that is cut off"),
        (npy(""), "header that is cut off"),
        (npy(header())[:30], "header that is cut off"),
        (npy("__import__('os').abort()"), "not in NumPy's format"),
        (npy(header(shape="(1 2,)"), bytes(96)), "not in NumPy's format"),
        (npy(header(shape="(-2,)"), bytes(16)), "not in NumPy's format"),
        (npy(header(shape="(2**40,)")), "not in NumPy's format"),
        (npy(header() + " " * 20_000, bytes(16)), "a header of 20,058 characters; at most 10,000 are read"),
        (npy(" " * 10, version=2)[:8] + b"\xff\xff\xff\xff", "a header of 4,294,967,295 characters"),
        (npy(header(shape="(1000000000000,)")), "needs 8,000,000,000,080"),
        (npy(header(shape="(10000000000, 10000000000)")), "it was cut off or changed"),
        (npy(header(shape="(0, 1000000000000000000000)")), r"dimensions of 2\^63 or more"),
        (npy(header(), bytes(15)), "but its header"),
        (npy(header(), bytes(17)), "but its header"),
    ],
)
def test_a_header_that_is_not_numpys_or_does_not_fit_its_file_is_refused(content, says, tmp_path):
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(ValueError, match=says) as caught:
        npy_header(tmp_path / "x.npy")
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as file:
        file.writestr("x.npy", content)
    with pytest.raises(ValueError, match=says), open_archive(tmp_path / "x.npz"):
        pass
    assert "\n" not in str(caught.value)


def test_a_small_file_that_unpacks_to_much_is_refused_before_it_is_unpacked(tmp_path, capsys):
    bomb(tmp_path / "bomb.npz")
    assert (tmp_path / "bomb.npz").stat().st_size < 70_000
    tracemalloc.start()
    start = time.perf_counter()
    with open_archive(tmp_path / "bomb.npz") as archive:
        needed = archive.headers["w"].nbytes
    assert needed == 1 << 26
    assert time.perf_counter() - start < 1
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    with pytest.raises(ValueError, match=r"67,108,864 bytes of memory, more than max_bytes=1,000,000; .*--max-bytes"):
        check_memory(needed, 1_000_000)


def lying(path, **changes):
    """An archive of which the directory says something else than the truth."""
    np.savez_compressed(path, w=np.ones(1000))
    with zipfile.ZipFile(path, "a") as file:
        for name, value in changes.items():
            setattr(file.infolist()[0], name, value)
        file._didModify = True


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"file_size": 8 * 10**12}, "cannot have 8,000,000,000,000 bytes"),
        ({"compress_size": 10**10}, "cannot have 8,128 bytes"),
        ({"compress_type": zipfile.ZIP_LZMA}, "is compressed by method 14; NumPy uses 0 and 8"),
        ({"compress_type": zipfile.ZIP_BZIP2}, "is compressed by method 12"),
        ({"file_size": 9000}, "but its header"),
        ({"flag_bits": 1}, "encrypted"),
        ({"header_offset": 5}, "Bad magic number"),
    ],
)
def test_an_archive_whose_directory_lies_is_refused(changes, says, tmp_path):
    lying(tmp_path / "a.npz", **changes)
    with pytest.raises(ValueError, match=says), open_archive(tmp_path / "a.npz"):
        pass


def test_an_array_that_is_there_twice_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
        file.writestr("w.npy", npy(header(), bytes(16)))
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("w.npy", npy(header(), bytes(16)))
    with pytest.raises(ValueError, match="two members with the name w"), open_archive(tmp_path / "a.npz"):
        pass


def test_inspect_refuses_an_archive_beyond_its_limit_in_one_line(tmp_path, capsys):
    np.savez_compressed(tmp_path / "a.npz", w=np.zeros(1_000_000))
    assert main(["inspect", str(tmp_path / "a.npz"), "--max-bytes", "1e6"]) == 2
    assert "it would take 8,000,000 bytes of memory, more than max_bytes=1,000,000" in capsys.readouterr().err
    assert main(["inspect", str(tmp_path / "a.npz"), "--max-bytes", "8e6"]) == 0
