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
from fp16sim.learn import Inspection, inspect, save_model
from fp16sim.learn.advise.inspected import InFormat, examine
from fp16sim.learn.advise.verdict import best_scale
from fp16sim.learn.observe.exponents import survey
from fp16sim.learn.run.checkpoint import load_arrays, load_model

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


def only(x, fmt="binary16", kind=None):
    """What one format makes of one array."""
    (tensor,) = inspect(x, fmt, kind).tensors
    return tensor[fmt]


def verdict(x, fmt, kind):
    return inspect(x, fmt, kind).verdict


# --- what is found --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", [*TOYS, *BYTES, *FTZ, fs.BINARY16, fs.BFLOAT16], ids=lambda fmt: fmt.name)
def test_errors_are_those_of_the_numbers_that_are_not_lost(fmt):
    x = deciding(fmt, np.float64)
    found = only(x, fmt)
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
        errors = only(x).errors
        assert errors.mean == pytest.approx(expected.mean(), rel=1e-12)
        assert errors.largest == expected.max()
        assert errors.kept == 1000


@pytest.mark.parametrize("given", ["mapping", "str", "path"])
def test_a_mapping_and_the_file_of_it_give_the_same(npz, given):
    found = inspect({"mapping": GRADS, "str": str(npz), "path": npz}[given])
    assert [one.name for one in found.tensors] == list(GRADS)
    for one, x in zip(found.tensors, GRADS.values(), strict=True):
        assert [one[fmt].survey for fmt in ("fp16", "bf16")] == [survey(x, "binary16"), survey(x, "bfloat16")]
        assert (one.shape, one.dtype) == (x.shape, str(x.dtype))
    together = survey(np.concatenate([x.ravel().astype(np.float64) for x in GRADS.values()]), "binary16")
    assert found.together["binary16"].survey == together
    assert found.together.survey.total == 288 + 500 + 5
    assert (found.together.smallest, found.together.largest) == (min(GRADS["conv1.weight"].min(), -0.0), 70000)


def test_a_npy_file_is_mapped_and_not_loaded(tmp_path, monkeypatch):
    x = RNG.standard_normal((20, 30)).astype(np.float32)
    np.save(tmp_path / "w.npy", np.asfortranarray(x))
    seen = []
    load = np.load
    monkeypatch.setattr(np, "load", lambda *a, **k: seen.append(k) or load(*a, **k))
    (one,) = inspect(tmp_path / "w.npy", "bfloat16").tensors
    assert seen == [{"mmap_mode": "r", "allow_pickle": False}]
    assert (one.name, one.survey) == ("w", survey(x, "bfloat16"))


def test_every_number_is_seen_in_every_chunk(monkeypatch):
    monkeypatch.setattr("fp16sim.learn.observe.binades.CHUNK", 7)
    (one,) = inspect(np.arange(-50, 462), "bfloat16").tensors
    assert (one.smallest, one.largest, one.distinct, one["bfloat16"].distinct) == (-50, 461, 512, 307 + 102)


def test_distinct_values_are_counted_up_to_a_limit(monkeypatch):
    monkeypatch.setattr("fp16sim.learn.advise.inspected.MOST", 100)
    for n, distinct in ((100, 100), (101, None)):
        (one,) = inspect(np.tile(np.arange(n), 3)).tensors
        assert (one.distinct, one.integers) == (distinct, distinct is not None)
        assert one["binary16"].distinct == distinct


def test_nan_infinities_and_the_sign_of_zero_are_no_distinct_values():
    (one,) = inspect([0.0, -0.0, np.nan, np.inf, -np.inf, 2.0]).tensors
    assert (one.distinct, one["binary16"].distinct, one.integers) == (2, 2, True)


def test_what_is_lost_counts_as_an_error_of_1():
    found = only([1e-30, 1e30, 1 + 2**-11 + 2**-12])
    assert found.mean_error == (1 + 1 + 2**-12 / (1 + 2**-11 + 2**-12)) / 3
    assert found.changed == 3


def test_the_results_are_data(npz):
    found = inspect(npz, ["e4m3fn", "binary16"])
    assert isinstance(found, Inspection)
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    conv = plain["tensors"][0]
    assert conv["formats"][0]["underflowed"] == found.tensors[0]["e4m3fn"].fate.underflowed
    assert sum(conv["exponents"].values()) == 288
    assert conv["formats"][1]["loss_scale_exponent"] == best_scale(found.tensors[0]["binary16"])
    assert [one["format"] for one in conv["formats"]] == plain["formats"] == ["e4m3fn", "binary16"]
    with pytest.raises(AttributeError):
        found.formats = ()
    with pytest.raises(KeyError, match="fmt=bfloat16 was not inspected"):
        found.together["bfloat16"]


def test_no_format_is_a_mistake():
    with pytest.raises(ValueError, match="fmt is empty; give at least one format"):
        inspect([1.0], [])


def test_formats_of_the_same_name_stand_side_by_side():
    flushing = fs.Format("binary16", 16, 11, subnormals="flush_to_zero")
    (one,) = inspect([1e-6, 1.0], ["binary16", flushing, "fp16"]).tensors
    assert [found.fate.underflowed for found in one.formats] == [0, 1]


# --- what can be given ----------------------------------------------------------------------------------------------


def test_arrays_of_the_lab_and_of_ml_dtypes_can_be_inspected_in_memory():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    values = [2.0**-30, 1.5, -3e38]
    for x in (np.array(values, ml_dtypes.bfloat16), fs.array(values, "bfloat16")):
        assert only(x).fate == (1, 0, 1, 1)
        assert inspect(x).tensors[0].dtype == "bfloat16"
    for dtype in (ml_dtypes.float8_e5m2, ml_dtypes.float8_e4m3fn):
        assert only(np.array([0.5, 1.25], dtype), "e2m1fn").changed == 1


class TensorLikeTorch:
    """What `inspect` needs of torch.Tensor, with torch's own refusals."""

    def __init__(self, values, dtype="torch.float32", requires_grad=False, device="cpu"):
        self.values, self.dtype, self.requires_grad, self.device = np.asarray(values), dtype, requires_grad, device

    def detach(self):
        return TensorLikeTorch(self.values, self.dtype, False, self.device)

    def cpu(self):
        return TensorLikeTorch(self.values, self.dtype, self.requires_grad)

    def float(self):
        return TensorLikeTorch(self.values.astype(np.float32), "torch.float32", self.requires_grad, self.device)

    def numpy(self):
        if self.requires_grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        if self.device != "cpu":
            raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu()")
        if self.dtype == "torch.bfloat16":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self.values

    def __array__(self, dtype=None, copy=None):
        return self.numpy()


def test_parameters_and_bfloat16_tensors_of_torch_are_inspected():
    x = [2.0**-30, 1.5, -(2.0**127)]
    parameters = {
        "on cuda": TensorLikeTorch(x, requires_grad=True, device="cuda:0"),
        "bf16": TensorLikeTorch(x, "torch.bfloat16", requires_grad=True),
        "wide": TensorLikeTorch(np.array([1 + 2.0**-40, 0, 3]), "torch.float64"),
    }
    found = inspect(parameters)
    assert [one["binary16"].fate for one in found.tensors] == [(1, 0, 1, 1)] * 2 + [(0, 0, 2, 0)]
    assert found.tensors[2]["binary16"].errors.largest > 0
    assert found.tensors[1].dtype == "torch.bfloat16"
    assert only(parameters["bf16"]).fate == (1, 0, 1, 1)


def test_integers_are_values_but_not_gradients():
    arrays = {"step": np.arange(3), "big": np.array([2**53 + 1]), "w": np.ones(2)}
    assert [one.name for one in inspect(arrays, kind="values").tensors] == ["step", "w"]
    found = inspect(arrays, kind="gradients")
    assert [one.name for one in found.tensors] == ["w"]
    assert found.skipped[0] == "step is skipped: dtype=int64 is not a float of up to 64 bits"
    assert inspect(arrays, kind="values").skipped == (
        "big is skipped: it has integers of 2^53 or more, which float64 does not tell apart",
    )


def test_one_array_that_cannot_be_read_is_named_and_the_others_are_read(tmp_path):
    arrays = {
        "object": np.array([Trap()], object),
        "w": np.ones(2),
        "z": np.ones(1, complex),
        "fields": np.zeros(2, [("a", "f4")]),
        "flags": np.ones(3, bool),
    }
    np.savez(tmp_path / "mixed.npz", **arrays)
    found = inspect(tmp_path / "mixed.npz")
    assert [one.name for one in found.tensors] == ["w"]
    assert [reason.split()[0] for reason in found.skipped] == ["object", "z", "fields", "flags"]
    assert "Python objects or structures, which are never opened" in found.skipped[0]
    assert "unsafe" not in str(found)
    assert "z is skipped: dtype=complex128" in str(found)


@pytest.fixture
def unnamed(tmp_path):
    """Files whose dtypes NumPy does not know, as ml_dtypes writes them; and the numbers in them."""
    x = np.array([1.0, -0.3359375, 2.0**-10, 1.75])
    half, eighth = fs.round_to(x, "bfloat16"), fs.round_to(x, "e5m2")
    np.save(tmp_path / "half.npy", fs.encode(half, "bfloat16").astype("<u2").view("V2"))
    np.save(tmp_path / "eighth.npy", fs.encode(eighth, "e5m2").astype("u1").view("V1"))
    as_float = (tmp_path / "eighth.npy").read_bytes().replace(b"'|V1'", b"'<f1'")
    (tmp_path / "eighth.npy").write_bytes(as_float)
    with zipfile.ZipFile(tmp_path / "all.npz", "w") as file:
        for name in ("half", "eighth"):
            file.write(tmp_path / f"{name}.npy", f"{name}.npy")
        np.save(tmp_path / "w.npy", x)
        file.write(tmp_path / "w.npy", "w.npy")
    return tmp_path, x, {"half": half, "eighth": eighth}


def test_ml_dtypes_writes_the_headers_that_the_tests_imitate(unnamed, tmp_path):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    folder, _, numbers = unnamed
    for name, dtype in (("half", ml_dtypes.bfloat16), ("eighth", ml_dtypes.float8_e5m2)):
        np.save(tmp_path / "theirs.npy", numbers[name].astype(dtype))
        ours, theirs = (folder / f"{name}.npy").read_bytes(), (tmp_path / "theirs.npy").read_bytes()
        assert ours[:60].replace(b"'|V2'", b"'<V2'") == theirs[:60].replace(b"'|V2'", b"'<V2'")
        assert ours[-4:] == theirs[-4:]


@pytest.mark.parametrize("name", ["half", "eighth"])
def test_codes_are_read_if_it_is_said_what_they_are(unnamed, name, capsys):
    folder, _, numbers = unnamed
    fmt = {"half": "bfloat16", "eighth": "e5m2"}[name]
    file = str(folder / f"{name}.npy")
    (one,) = inspect(file, read_as=fmt).tensors
    assert one.survey == survey(numbers[name], "binary16")
    assert one[fmt if name == "half" else "binary16"].changed == 0
    assert main(["inspect", file, "--as", fmt]) == 0
    assert "all 4 values stay what they are" in capsys.readouterr().out
    assert main(["inspect", file]) == 2
    assert f"say so with read_as='{fmt}' (--as {fmt})" in capsys.readouterr().err


def test_an_archive_with_dtypes_that_numpy_does_not_know_is_read_all_the_same(unnamed):
    folder, x, numbers = unnamed
    found = inspect(folder / "all.npz")
    assert [one.name for one in found.tensors] == ["w"]
    assert [reason.split()[0] for reason in found.skipped] == ["half", "eighth"]
    found = inspect(folder / "all.npz", read_as=["e5m2", "bf16"])
    assert [one.survey for one in found.tensors] == [survey(n, "binary16") for n in (*numbers.values(), x)]
    assert not found.skipped


def test_all_codes_are_read_with_nan_and_infinity():
    every = inspect({"x": np.arange(1 << 16, dtype="<u2").view("V2")}, "bfloat16", read_as="bfloat16").together
    assert (every.survey.nans, every.survey.infinities, every.survey.zeros) == (254, 2, 2)
    assert every["bfloat16"].changed == 0
    four_bits = {"x": np.array([0, 7, 16], "u1").view("V1")}
    with pytest.raises(ValueError, match="x is skipped: it has the code 16, and e2m1fn has codes up to 15"):
        inspect(four_bits, read_as="e2m1fn")


@pytest.mark.parametrize(
    ("read_as", "says"),
    [
        (["e5m2", "e4m3fn"], "read_as=e5m2,e4m3fn are two formats"),
        ("binary32", "read_as=binary32 has more than 16 bits"),
    ],
)
def test_what_codes_cannot_be_is_refused(read_as, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        inspect([1.0], read_as=read_as)


def test_a_model_and_a_checkpoint_of_train_are_read(tmp_path, capsys):
    out = tmp_path / "run.png"
    options = ["--recipe", "mixed-binary16", "--epochs", "1", "--out", str(out)]
    assert main(["train", *options]) == 0
    capsys.readouterr()
    (file,) = tmp_path.glob("*.npz")
    found = inspect(file)
    assert found.kind == "values"
    assert {one.name.split("/")[0] for one in found.tensors} == {"params", "weights", "m", "v"}
    stored = load_arrays(file)
    for one in found.tensors:
        assert one.survey == survey(stored[one.name].values, "binary16")
        assert one.dtype == stored[one.name].fmt.name
        assert one["binary16"].changed == 0 or not one.name.startswith("params")
    assert main(["inspect", str(file)]) == 0
    assert "params/layer1.weight" in capsys.readouterr().out

    model = load_model(file)
    save_model(tmp_path / "model.npz", model)
    names = [one.name for one in inspect(tmp_path / "model.npz").tensors]
    assert names == [f"params/{name}" for name in model.params]


# --- gradients or values --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("grads.npz", "gradients"),
        ("fc1_grad.npz", "gradients"),
        ("Gradient-5.npz", "gradients"),
        ("graduation.npz", "values"),
        ("postgrad.npz", "values"),
        ("weights.npz", "values"),
    ],
)
def test_the_name_of_a_file_says_whether_it_has_gradients(tmp_path, name, kind):
    np.savez(tmp_path / name, w=np.ones(2))
    assert inspect(tmp_path / name).kind == kind
    assert inspect(tmp_path / name).summary.startswith(f"1 tensor, 2 {kind} from 1 to 1")
    assert "; taken as" in inspect(tmp_path / name).summary
    for other in ("gradients", "values"):
        assert (inspect(tmp_path / name, kind=other).kind, inspect(tmp_path / name, kind=other).reason) == (other, "")


def test_a_file_of_a_run_has_values_though_its_name_has_the_format_of_gradients(tmp_path):
    data = fs.learn.Samples.of((np.ones((4, 2)), [0, 1, 0, 1]))
    path = tmp_path / "run-binary16-gradient-binary32.npz"
    fs.learn.train("mixed-binary16", data, model=[fs.learn.Linear(2, 2)], batch=4, epochs=1, checkpoint_path=path)
    assert inspect(path).kind == "values"


def test_a_folder_says_nothing_about_the_kind(tmp_path):
    (tmp_path / "grads").mkdir()
    np.savez(tmp_path / "grads" / "w.npz", w=np.ones(2))
    assert inspect(tmp_path / "grads" / "w.npz").kind == "values"


def test_tensors_are_gradients_only_if_all_names_say_so():
    assert inspect({"w.grad": [1.0], "b.grad": [2.0]}).kind == "gradients"
    mixed = inspect({"w.grad": [1.0], "b": [2.0]})
    assert mixed.kind == "values"
    assert 'because the word "grad" is in only 1 of 2 names' in mixed.summary
    with pytest.raises(ValueError, match="kind='weights' is unknown; use 'gradients' or 'values'"):
        inspect([1.0], kind="weights")


# --- advice on gradients --------------------------------------------------------------------------------------------


def test_the_loss_scale_keeps_digits_and_not_only_numbers():
    x = np.random.default_rng(0).standard_normal(10000) * 1e-6
    said = verdict(x, "binary16", "gradients")
    assert said.startswith("binary16: multiply the loss by 2^16. Without it 2.02% of the nonzero gradients become 0")
    error = {k: only(x * 2.0**k).mean_error for k in (5, 7, 16, 24)}
    assert [f"{error[k]:.1e}" for k in (5, 7, 16)] == ["3.0e-03", "9.3e-04", "1.8e-04"]
    assert error[24] < error[16] < 1.01 * error[24]
    found = only(x * 2.0**16)
    assert found.fate.lost == 0
    assert f"With it {found.fate.subnormal / 100:.2f}% become subnormal" in said
    doublings = int(re.search(r"2\^16 can be doubled (\d+) times", said)[1])
    assert [only(x * 2.0 ** (16 + doublings + k)).fate.overflowed > 0 for k in (0, 1)] == [False, True]


def test_a_loss_scale_that_is_followed_is_not_advised_again():
    x = np.random.default_rng(5).standard_normal(3000) * 1e-7
    for fmt in ("binary16", "e5m2", "e4m3fn"):
        shift = best_scale(only(x, fmt))
        assert shift
        assert f"{fmt}: no loss scale is needed" in verdict(x * 2.0**shift, fmt, "gradients")


@pytest.mark.parametrize(
    ("x", "says"),
    [
        ([0.0, -0.0], "binary16: there is no finite nonzero number, so nothing can be lost."),
        ([], "there is no finite nonzero number"),
        ([1.0, 65504.0], "no loss scale is needed: all 2 nonzero gradients stay normal. None of them changes."),
        ([1.0, 1e6, 3e5], "multiply the loss by 2^-4. Without it 66.7% of the nonzero gradients overflow. The others"),
        ([1.0, 1e6, 3e5], "With it all 3 nonzero gradients stay normal. 2^-4 cannot be doubled, because the largest"),
        ([1e-30, 1.0, 1e30], "no loss scale helps: 33.3% of the nonzero gradients become 0 and 33.3% overflow."),
        ([1e-30, 1.0, 1e30], "The others do not change. The gradients span 200 binades, and binary16 has 40."),
        ([2.0**-25, 2.0**-10], "multiply the loss by 2^11. Without it 50.0%"),
        ([2.0**-26, 1.5 * 2.0**13], "multiply the loss by 2^2. Without it 50.0%"),
        ([2.0**-25, 1.9 * 2.0**12], "2^3 cannot be doubled"),
        ([2.0**-25, 1.9999 * 2.0**3], "2^11 cannot be doubled"),
        (
            [*np.linspace(1, 2, 400), 2.0**-15 / 3],
            "no loss scale is needed: 0.25% of the nonzero gradients become subnorm",
        ),
        (
            [2.0**-26, 2.0**-27],
            "Without it 100% of the nonzero gradients become 0. With it all 2 nonzero gradients stay",
        ),
        ([2.0**-25, 1.9 * 2.0**3], "2^11 can be doubled 1 time before the largest gradient overflows"),
        (
            [1e-6] * 999 + [1e10],
            "no loss scale helps: 0.10% of the nonzero gradients overflow and 99.9% become subnormal",
        ),
        (
            [1.0] * 999 + [2.0**-15],
            "no loss scale is needed: 0.10% of the nonzero gradients become subnormal, with fewer",
        ),
        (
            [2.0**-20] * 9,
            "no loss scale is needed: 100% of the nonzero gradients become subnormal, with fewer digits. None",
        ),
    ],
)
def test_every_case_of_gradients_has_its_advice(x, says):
    assert says in verdict(x, "binary16", "gradients")


def test_one_gradient_that_overflows_among_millions_is_not_accepted():
    found = InFormat(survey(np.append(np.full(10**6, 1.5), 1e5), "binary16"))
    assert best_scale(found) == -1


def test_what_was_not_finite_is_said_before_everything_else():
    x = [np.nan, np.inf, -np.inf, 1.0]
    said = "Before any rounding there are 1 NaN and 2 infinities"
    assert f"{said}; no loss scale repairs that." in str(inspect(x, kind="gradients"))
    assert f"{said}.\n" in str(inspect(x, kind="values"))


@settings(max_examples=40)
@given(st.lists(st.floats(allow_nan=False), max_size=30), st.sampled_from(["binary16", "bfloat16", "e4m3fn", "e2m1fn"]))
def test_a_loss_scale_lets_nothing_overflow_and_loses_no_more_than_none(numbers, fmt):
    found = examine("x", np.array(numbers, float), "", [fs.get_format(fmt)])[fmt]
    best = best_scale(found)
    if best:
        now, then = found.survey.fate(), found.survey.fate(best)
        assert then.overflowed == 0
        assert then.lost <= now.lost
    assert verdict(numbers, fmt, "gradients")


# --- advice on values -----------------------------------------------------------------------------------------------


def test_of_ids_it_is_said_how_many_collide():
    found = inspect(np.arange(512), ["binary16", "bfloat16"])
    assert [one.distinct for one in found.tensors[0].formats] == [512, 385]
    assert "binary16: all 512 values stay what they are." in found.verdict
    assert "25.0% of the 512 values (128) are rounded, by up to 1." in found.verdict
    assert "512 distinct values become 385. If they are ids, indices or positions, keep them as" in found.verdict


def test_of_timesteps_it_is_said_by_how_much_they_move():
    x = [999.3986, 988.4937, 987.1741, 998.3897]
    assert fs.round_to(x, "bfloat16").tolist() == [1000, 988, 988, 1000]
    said = verdict(x, "bfloat16", None)
    assert "100% of the 4 values (4) are rounded, by up to 1.6103. Relative errors are at most 0.0016" in said
    assert "4 distinct values become 2. At 999.4 the numbers of bfloat16 are 4 apart." in said
    assert "keep them as integers" not in said


def test_values_whose_squares_overflow_are_counted():
    found = fs.learn.inspect([255.9, -256.0, 300.0, 70000.0, 0.5])
    assert "2 values of 256 or more overflow when squared: a norm" in found.verdict.splitlines()[0]
    assert "when squared" not in found.verdict.splitlines()[1]  # bfloat16 ends far beyond
    with np.errstate(over="ignore"):
        assert [np.isinf(fs.multiply(x, x)) for x in (255.9, -256.0)] == [False, True]
    assert "when squared" not in fs.learn.inspect(range(512), "binary16").verdict  # indices are not squared


def test_a_sigma_that_is_rounded_before_it_is_multiplied_gives_another_timestep():
    sigmas = np.array([0.97826087, 0.68181819])
    timesteps = fs.array(sigmas, "bfloat16") * fs.array(1000.0, "bfloat16")
    assert timesteps.values.tolist() == [976, 684]
    assert fs.round_to(sigmas * 1000, "bfloat16").tolist() == [980, 680]
    assert "by up to 1.8182." in verdict(sigmas * 1000, "bfloat16", None)


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (
            [1e-30, 1.0, 1e30],
            "33.3% of the 3 values (1) overflow: the largest number is 65,504. 33.3% of the 3 values (1)",
        ),
        ([1e-30, 1.0, 1e30], "(1) become 0."),
        ([1.0, 0.0, 65504.0], "all 3 values stay what they are."),
        (
            [0.1, 1e30],
            "50.0% of the 2 values (1) are rounded, by up to 2.4414e-05. The relative errors of the others are",
        ),
        ([1e-30, 1e-31], "binary16: 100% of the 2 values (2) become 0. 2 distinct values become 1."),
        ([0.0], "there is no finite nonzero number, so nothing can be lost."),
    ],
)
def test_every_case_of_values_has_its_sentences(x, says):
    assert says in verdict(x, "binary16", "values")


def test_of_values_no_loss_scale_is_talked_about():
    x = np.append(RNG.standard_normal(100) * 1e-7, [np.nan, 1e9])
    assert "loss" not in str(inspect({"w": x, "b": x}, kind="values"))
    assert "loss" in str(inspect({"w": x, "b": x}, kind="gradients"))


def test_of_several_tensors_those_of_integers_are_named_if_they_collide():
    found = inspect({"w": RNG.standard_normal(1000), "ids": np.arange(512), "flags": np.arange(2)}, "bfloat16")
    assert found.verdict.count("distinct") == 1
    assert "ids: 512 distinct values become 385." in found.verdict
    assert "by up to" not in found.verdict


# --- the text and the command ---------------------------------------------------------------------------------------


def test_the_verdict_comes_first_and_histograms_only_if_they_are_asked_for(npz, capsys):
    assert main(["inspect", str(npz), "--format", "fp16"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("binary16: no loss scale helps: 23.6% of the nonzero gradients become 0, 0.20% overflow")
    for text in (*GRADS, "all together", "become", "normal", "flow", "error", "scale"):
        assert text in printed, text
    assert "#" not in printed
    assert max(map(len, printed.splitlines())) <= 108
    assert main(["inspect", str(npz), "--format", "fp16", "--histogram"]) == 0
    longer = capsys.readouterr().out
    assert longer.startswith(printed)
    assert "all together, exponents in binary16" in longer
    assert "####" in longer


@pytest.mark.parametrize("options", [[], ["--kind", "values", "--format", "e5m2,bf16"]])
def test_print_in_python_says_what_the_command_says(npz, capsys, options):
    given = {"kind": "values", "fmt": ["e5m2", "bf16"]} if options else {}
    assert main(["inspect", str(npz), *options]) == 0
    assert capsys.readouterr().out == f"{inspect(npz, **given)}\n"


def test_of_many_tensors_those_that_lose_most_are_listed_unless_each_is_asked_for(tmp_path, capsys):
    np.savez(tmp_path / "many.npz", **{f"w{i:02}": np.array([1 + i * 2.0**-16, 1.0]) for i in range(20)})
    command = ["inspect", str(tmp_path / "many.npz"), "--format", "binary16", "--histogram"]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "The 12 of 20 tensors that lose most:" in printed
    assert re.findall(r"^w\d\d", printed, re.MULTILINE) == [f"w{i:02}" for i in range(19, 7, -1)]
    assert printed.count("exponents in binary16") == 1
    assert main([*command, "--each"]) == 0
    printed = capsys.readouterr().out
    assert "lose most" not in printed
    assert printed.count("exponents in binary16") == 20


def test_json_is_json_and_nothing_else(npz, capsys):
    assert main(["inspect", str(npz), "--json", "--format", "bf16"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads(json.dumps(inspect(npz, "bfloat16").to_dict()))


def test_a_name_cannot_control_the_terminal():
    printed = str(inspect({"w\x1b[31m": [1.0], "s\x1b[2J": ["text"]}))
    assert "\x1b" not in printed
    assert "w\\x1b[31m" in printed


class Trap:
    """What a pickle would run."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('a pickle was run')",))


def bad_files(folder):
    np.save(folder / "object.npy", np.array([Trap()], object), allow_pickle=True)
    np.savez(folder / "object.npz", w=np.array([Trap()], object), allow_pickle=True)
    np.save(folder / "text.npy", np.array(["a"]))
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
        ("text.npy", "has no array of numbers to inspect: text is skipped: dtype=<U1 is not a float"),
        ("empty.npz", "has no array of numbers to inspect: it is empty"),
        ("cut.npy", "cannot be read"),
        ("header.npy", "cannot be read"),
        ("nothing.npy", "cannot be read"),
        ("nothing.npz", "cannot be read"),
        ("page.npz", "cannot be read"),
        ("damaged.npz", "cannot be read"),
        ("other.npz", "has no array of numbers"),
        ("weights.pt", "it is not a zip archive, as PyTorch writes it since version 1.6"),
        (
            "weights.h5",
            "is not a .safetensors, .pt, .pth, .bin, .ckpt, .npz or .npy file; save the tensors with numpy.savez",
        ),
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


# --- narrow terminals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["gradients", "values"])
@pytest.mark.parametrize("width", [80, 100])
def test_sentences_and_table_fit_the_terminal_and_no_cell_is_lost(kind, width):
    rng = np.random.default_rng(0)
    tensors = {f"encoder.layers.{k}.attention.weight": rng.normal(size=99) * 10.0**-k for k in range(7)}
    found = inspect(tensors, ("binary16", "bfloat16"), kind)
    text = found.text(width=width)
    assert max(map(len, text.splitlines())) <= width
    words = text.replace(", ", " ").split()
    assert set(words) >= set(found.text(width=1000).replace(", ", " ").split()) - {"tensor"}
