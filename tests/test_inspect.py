"""Tensors from elsewhere: what is counted is what rounding does, and advice that is followed helps."""

import json
import re
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fp16sim as fs
from fp16sim.cli import main
from fp16sim.learn import Inspection, inspect
from fp16sim.learn.advise.scale_advice import recommend
from fp16sim.learn.observe.exponents import survey
from fp16sim.wording import percent

from .support import BYTES, TOYS
from .test_exponents import FTZ, deciding, fate_by_rounding

RNG = np.random.default_rng(0)
GRADS = {
    "conv1.weight": (RNG.standard_normal((32, 9)) * np.exp(3 * RNG.standard_normal((32, 9))) * 1e-7).astype(np.float32),
    "fc.weight": np.maximum(0, RNG.standard_normal((50, 10))).astype(np.float16),
    "fc.bias": np.array([np.nan, -np.inf, 70000.0, -0.0, 1e-300]),
}


@pytest.fixture
def npz(tmp_path):
    np.savez(tmp_path / "grads.npz", **GRADS)
    return tmp_path / "grads.npz"


# --- what is found --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", [*TOYS, *BYTES, *FTZ, fs.BINARY16, fs.BFLOAT16], ids=lambda fmt: fmt.name)
def test_errors_are_those_of_the_numbers_that_are_not_lost(fmt):
    x = deciding(fmt, np.float64)
    found = inspect({"x": x}, fmt).tensors[0]
    fate = fate_by_rounding(x, fmt)
    assert found.fate == fate
    assert found.errors.kept == fate.subnormal + fate.normal
    x = x[np.isfinite(x) & (x != 0)]
    x = x[np.abs(x) <= fmt.max_finite]
    y = fs.round_to(x, fmt)
    kept = y != 0
    relative = np.abs(y[kept] - x[kept]) / np.abs(x[kept])
    assert found.errors.largest == relative.max()
    assert found.errors.exact == np.count_nonzero(relative == 0)


def test_the_mean_error_is_the_mean_however_the_array_is_cut(monkeypatch):
    x = RNG.standard_normal(1000).astype(np.float32)
    expected = np.abs(fs.round_to(x, "binary16").astype(float) - x) / np.abs(x).astype(float)
    for size in (1 << 16, 7):
        monkeypatch.setattr("fp16sim.learn.observe.binades.CHUNK", size)
        errors = inspect(x).tensors[0].errors
        assert errors.mean == pytest.approx(expected.mean(), rel=1e-12)
        assert errors.largest == expected.max()
        assert errors.kept == 1000


@pytest.mark.parametrize("given", ["mapping", "str", "path"])
def test_a_mapping_and_the_file_of_it_give_the_same(npz, given):
    found = inspect({"mapping": GRADS, "str": str(npz), "path": npz}[given])
    assert [one.name for one in found.tensors] == list(GRADS)
    for one, x in zip(found.tensors, GRADS.values(), strict=True):
        assert one.survey == survey(x, "binary16")
        assert (one.shape, one.dtype) == (x.shape, str(x.dtype))
    together = survey(np.concatenate([x.ravel().astype(np.float64) for x in GRADS.values()]), "binary16")
    assert found.together.survey == together
    assert found.together.survey.total == 288 + 500 + 5


def test_a_npy_file_is_mapped_and_not_loaded(tmp_path, monkeypatch):
    x = RNG.standard_normal((20, 30)).astype(np.float32)
    np.save(tmp_path / "w.npy", np.asfortranarray(x))
    seen = []
    load = np.load
    monkeypatch.setattr(np, "load", lambda *a, **k: seen.append(k) or load(*a, **k))
    (one,) = inspect(tmp_path / "w.npy", "bfloat16").tensors
    assert seen == [{"mmap_mode": "r", "allow_pickle": False}]
    assert (one.name, one.survey) == ("w", survey(x, "bfloat16"))


def test_arrays_of_the_lab_and_of_ml_dtypes_can_be_inspected_in_memory():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    values = [2.0**-30, 1.5, -3e38]
    for x in (np.array(values, ml_dtypes.bfloat16), fs.array(values, "bfloat16")):
        assert inspect(x, "binary16").tensors[0].fate == (1, 0, 1, 1)


def test_what_is_no_array_of_floats_is_skipped_with_the_reason(tmp_path):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    arrays = {"w": np.ones(2), "step": np.arange(3), "half": np.ones(2, ml_dtypes.bfloat16), "z": np.ones(1, complex)}
    np.savez(tmp_path / "mixed.npz", **arrays)
    found = inspect(tmp_path / "mixed.npz")
    assert [one.name for one in found.tensors] == ["w"]
    assert [reason.split()[0] for reason in found.skipped] == ["step", "half", "z"]
    assert "save x.astype(numpy.float32), which keeps every bfloat16 number" in found.skipped[1]
    assert "half is skipped" in str(found)


def test_the_results_are_data(npz):
    found = inspect(npz, "e4m3fn")
    assert isinstance(found, Inspection)
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    conv = plain["tensors"][0]
    assert conv["underflowed"] == found.tensors[0].fate.underflowed
    assert sum(conv["exponents"].values()) == 288
    assert conv["lost_at_best_scale"] == found.tensors[0].survey.fate(conv["best_scale_exponent"]).lost
    with pytest.raises(AttributeError):
        found.fmt = None


# --- advice ---------------------------------------------------------------------------------------------------------


def test_advice_that_is_followed_saves_what_it_says():
    x = np.random.default_rng(5).standard_normal(10000) * 1e-7
    said, lost = inspect(x).recommendation, inspect(x).tensors[0].fate.lost
    best, almost = (int(k) for k in re.findall(r"2\^(\d+) (?:loses|is almost)", said))
    assert f"A loss scale of 2^{best} loses least: none of the 10,000 nonzero numbers; without it" in said
    assert f"without it {percent(lost / 10000)} ({lost:,} become 0)" in said
    assert inspect(x * 2.0**best).recommendation.startswith("binary16 loses none of the 10,000 nonzero numbers")
    assert inspect(x * 2.0 ** (best - 1)).tensors[0].fate.lost > 0
    left = inspect(x * 2.0**almost).tensors[0].fate.lost
    assert 0 < left <= 10 < inspect(x * 2.0 ** (almost - 1)).tensors[0].fate.lost
    assert f"2^{almost} is almost as good ({percent(left / 10000)})" in said
    room = int(said.split("can be doubled ")[1].split()[0])
    overflowed = [inspect(x * 2.0 ** (best + room + k)).tensors[0].fate.overflowed for k in (0, 1)]
    assert overflowed[0] == 0 < overflowed[1]


@pytest.mark.parametrize(
    ("x", "says"),
    [
        ([0.0, -0.0], "There is no finite nonzero number, so nothing can be lost."),
        ([], "There is no finite nonzero number"),
        ([1.0, 65504.0], "binary16 loses none of the 2 nonzero numbers"),
        ([1.0, 1e6, 3e5], "A loss scale of 2^-4 loses least: none of the 3"),
        (
            [np.nan, np.inf, -np.inf, 1.0],
            "Before any rounding there are 1 NaN and 2 infinities; no loss scale repairs that.",
        ),
        (
            [1e-30, 1.0, 1e30],
            "binary16 loses 66.7% of the 3 nonzero numbers (1 become 0 and 1 overflow), and no loss scale",
        ),
        ([1e-30, 1.0, 1e30], "The numbers span 200 binades, and binary16 has 40."),
        ([2.0**-25, 2.0**-10], "A loss scale of 2^1 loses least"),
        (
            [2.0**-26, 1.5 * 2.0**13],
            "A loss scale of 2^2 loses least: none of the 2 nonzero numbers; without it 50.0%",
        ),
        ([2.0**-26, 1.9 * 2.0**12], "2^2 can be doubled 1 time before the largest"),
    ],
)
def test_every_case_has_its_advice(x, says):
    assert says in recommend(survey(x, "binary16"))


@settings(max_examples=40)
@given(st.lists(st.floats(allow_nan=False), max_size=30), st.sampled_from(["binary16", "bfloat16", "e4m3fn", "e2m1fn"]))
def test_no_scale_loses_fewer_than_the_one_that_is_recommended(numbers, fmt):
    seen = survey(numbers, fmt)
    best = seen.best_shift()
    losses = [seen.fate(k).lost for k in range(-1200, 1300, 17)] + [seen.fate(best + d).lost for d in (-2, -1, 1, 2)]
    assert seen.fate(best).lost <= min(losses)
    assert recommend(seen)


# --- the command ----------------------------------------------------------------------------------------------------


def test_the_command_shows_tensors_histograms_and_advice(npz, capsys):
    assert main(["inspect", str(npz), "--format", "fp16"]) == 0
    printed = capsys.readouterr().out
    for text in (
        *GRADS,
        "all together",
        "become",
        "normal",
        "2^-26",
        "becomes 0",
        "####",
        "relative error",
        "overflow",
    ):
        assert text in printed, text
    assert "A loss scale of 2^" in printed
    assert max(map(len, printed.splitlines()[:12])) <= 101


def test_many_tensors_have_one_histogram_unless_each_is_asked_for(tmp_path, capsys):
    np.savez(tmp_path / "many.npz", **{f"w{i}": np.ones(2) for i in range(6)})
    assert main(["inspect", str(tmp_path / "many.npz")]) == 0
    assert capsys.readouterr().out.count("exponents in binary16") == 1
    assert main(["inspect", str(tmp_path / "many.npz"), "--each"]) == 0
    assert capsys.readouterr().out.count("exponents in binary16") == 7


def test_json_is_json_and_nothing_else(npz, capsys):
    assert main(["inspect", str(npz), "--json", "--format", "bf16"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads(json.dumps(inspect(npz, "bfloat16").to_dict()))


class Trap:
    """What a pickle would run."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('a pickle was run')",))


def bad_files(folder):
    np.save(folder / "object.npy", np.array([Trap()], object), allow_pickle=True)
    np.savez(folder / "object.npz", w=np.array([Trap()], object), allow_pickle=True)
    np.save(folder / "int.npy", np.arange(3))
    np.savez(folder / "empty.npz")
    np.save(folder / "whole.npy", np.ones(1000))
    whole = (folder / "whole.npy").read_bytes()
    (folder / "cut.npy").write_bytes(whole[:500])
    (folder / "header.npy").write_bytes(whole[:20])
    (folder / "nothing.npy").write_bytes(b"")
    (folder / "nothing.npz").write_bytes(b"")
    (folder / "page.npz").write_bytes(b"<html></html>")
    (folder / "weights.pt").write_bytes(b"PK")
    np.savez_compressed(folder / "sound.npz", w=np.ones(1000))
    damaged = bytearray((folder / "sound.npz").read_bytes())
    damaged[60] ^= 255
    (folder / "damaged.npz").write_bytes(damaged)
    with zipfile.ZipFile(folder / "other.npz", "w") as file:
        file.writestr("readme.txt", "no array")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("object.npy", "object is skipped: dtype=|O stands for Python objects or structures, which are never opened"),
        ("object.npz", "w is skipped: dtype=|O stands for Python objects or structures, which are never opened"),
        ("int.npy", "has no array of floats to inspect: int is skipped: dtype=int64"),
        ("empty.npz", "has no array of floats to inspect: it is empty"),
        ("cut.npy", "cannot be read"),
        ("header.npy", "cannot be read"),
        ("nothing.npy", "cannot be read"),
        ("nothing.npz", "cannot be read"),
        ("page.npz", "cannot be read"),
        ("damaged.npz", "cannot be read"),
        ("other.npz", "has no array of floats"),
        ("weights.pt", "is not a .npy or .npz file; save the tensors with numpy.savez"),
        ("missing.npz", "does not exist"),
    ],
)
def test_a_file_that_cannot_be_inspected_is_one_line(tmp_path, capsys, name, says):
    bad_files(tmp_path)
    assert main(["inspect", str(tmp_path / name)]) == 2
    captured = capsys.readouterr()
    assert says in captured.err
    assert captured.err.count("\n") == 1
    assert not captured.out


def test_an_unknown_format_is_one_line(npz, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["inspect", str(npz), "--format", "fp17"])
    assert "fmt='fp17' is not a known format" in capsys.readouterr().err
