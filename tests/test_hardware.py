"""The table of machines, the fit of a hidden one, and the script that asks a GPU."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.accumulators import TensorCore
from fp16sim.accumulators.machines import DATAPATHS, MACHINES
from fp16sim.cli import main
from fp16sim.hardware import Model, fit, model_of, script, table
from fp16sim.hardware.family import PARAMETERS, answers, numeric
from fp16sim.hardware.probes import LONGEST, MOST, probes

from .support import first

F16, BF16, TF32, E4M3, E5M2 = (fs.get_format(name) for name in ("binary16", "bfloat16", "tf32", "e4m3fn", "e5m2"))
B32, B16 = fs.BINARY32, fs.BINARY16
NEAREST, UP, DOWN = "ties_to_even", "toward_positive", "toward_negative"


def row(machine, factors, output="binary32", model=None):
    paths = [p for p in DATAPATHS if (p.machine, p.factors, p.output.name) == (machine, factors, output)]
    return next(p for p in paths if not p.scales and model in (None, p.model))


def own(factors, output, group, bits, **more):
    return Model(factors, output, group, bits, mode=fs.Rounding(more.pop("mode", "toward_zero")), **more)


HIDDEN = {
    "volta": row("volta", "binary16"),
    "volta to binary16": row("volta", "binary16", "binary16"),
    "turing by fasi": row("turing", "binary16", model="fasi"),
    "turing by mma_sim": row("turing", "binary16", model="mma_sim"),
    "ampere bfloat16": row("ampere", "bfloat16"),
    "ampere tf32, zeros count": row("ampere", "tf32", model="mma_sim"),
    "ada e4m3fn": row("ada", "e4m3fn"),
    "ada e5m2 to binary16": row("ada", "e5m2", "binary16"),
    "hopper": row("hopper", "binary16"),
    "hopper bfloat16, least exponent": row("hopper", "bfloat16", model="khattak_mikaitis"),
    "hopper to binary16, least exponent": row("hopper", "binary16", "binary16", "khattak_mikaitis"),
    "hopper e4m3fn": row("hopper", "e4m3fn"),
    "hopper e4m3fn to binary16": row("hopper", "e4m3fn", "binary16"),
    "blackwell e4m3fn": row("blackwell", "e4m3fn"),
    "blackwell e5m2 by mma_sim": row("blackwell", "e5m2", model="mma_sim"),
    "blackwell e2m1fn": row("blackwell", "e2m1fn"),
    "cdna1": row("cdna1", "binary16", model="mma_sim"),
    "cdna1 bfloat16, exact": row("cdna1", "bfloat16", model="khattak_mikaitis"),
    "cdna2 bfloat16": row("cdna2", "bfloat16"),
    "cdna3": row("cdna3", "binary16"),
    "cdna3 e4m3fnuz": row("cdna3", "e4m3fnuz"),
    "groups of 6, to nearest": own(F16, B32, 6, 21, cut="nearest", mode=NEAREST),
    "groups of 3, rounded down": own(F16, B32, 3, 17, cut="down", mode=DOWN),
    "64 at once": own(BF16, B32, 64, 30),
    "an exact sum of 16, truncated": own(F16, B32, 16, None),
    "one by one in groups of 4": own(F16, B32, 4, 23, normalised=True),
    "the sum so far joins later": own(F16, B32, 8, 25, joins="after"),
    "18 bits of a sum": own(E5M2, B32, 12, 20, precision=18),
    "every other product, rounded up": own(TF32, B32, 8, 24, pattern="even_odd", mode=UP),
    "pairs, subnormals are zero": own(E4M3, B32, 16, 27, pattern="pairs", flushes=True),
}
"""30 machines: rows of the table, and some that it does not have."""


def random_products(model, n, rng):
    """Factors and sums of the formats, of many sizes."""
    for length in rng.integers(1, 130, n):
        span = min(8, model.factors.emax // 2)
        a, b = (rng.standard_normal(length) * 2.0 ** rng.integers(-span, span, length) for _ in range(2))
        c = fs.round_to(rng.standard_normal() * 2.0 ** rng.integers(-8, 8), model.output)
        yield *(np.asarray(fs.round_to(x, model.factors, saturate=True)).tolist() for x in (a, b)), float(c)


@pytest.mark.parametrize("name", first(1, list(HIDDEN)))
def test_a_hidden_machine_is_recovered(name):
    hidden = HIDDEN[name]
    model = hidden if isinstance(hidden, Model) else model_of(hidden)
    calls = Counter()

    def ask(a, b, c):
        calls["all"] += 1
        return model.dot(a, b, c)

    found = fit(ask, model.factors, model.output)
    assert calls["all"] - 2 <= found.probes <= MOST  # two are asked again
    assert calls["all"] <= MOST
    assert found.model is not None, found
    assert hidden in found.rows if hidden is not model else not found.rows
    for a, b, c in random_products(model, 60, np.random.default_rng(len(name))):
        assert found.model.dot(a, b, c) == model.dot(a, b, c)
    said = str(found)
    assert f"products added at once  {found.model.group}," in said
    assert max(map(len, said.splitlines())) <= 100
    assert json.loads(json.dumps(found.to_dict()))["model"]["group"] == found.model.group


@pytest.mark.exhaustive
def test_the_parameters_of_the_hidden_machines_are_named_where_a_result_depends_on_them():
    found = fit(HIDDEN["18 bits of a sum"].dot, "e5m2")
    assert (found.model, found.undetermined) == (HIDDEN["18 bits of a sum"], {})


def test_a_machine_beyond_the_family_is_not_explained():
    def exact_in_binary64(a, b, c):
        return float(np.dot(a, b) + c)

    found = fit(exact_in_binary64, output="binary32")
    assert found.model is None
    assert found.unexplained is not None
    assert "No model of the family explains this machine" in str(found)
    assert found.to_dict()["model"] is None


@pytest.mark.exhaustive
def test_a_machine_that_changes_its_mind_is_not_explained():
    count = iter(range(1000))

    def uncertain(a, b, c):
        return TensorCore("volta").dot(a, b, c) * (1 + 2.0**-20 * (next(count) > 43))

    assert fit(uncertain).model is None


def test_an_answer_that_is_no_number_is_refused():
    with pytest.raises(TypeError, match=r"probe\(a, b, c\) returned \[1\.0\]; return one number"):
        fit(lambda a, b, c: [1.0])
    with pytest.raises(TypeError, match="probe=3 is not a function"):
        fit(3)
    with pytest.raises(ValueError, match="factors=binary32 does not fit in tf32"):
        fit(lambda a, b, c: 0.0, "binary32")
    with pytest.raises(ValueError, match="output=bfloat16: matrix units give binary32 or binary16"):
        fit(lambda a, b, c: 0.0, output="bfloat16")


@pytest.mark.parametrize("pair", first(1, [(f, o) for f in (F16, E4M3, BF16, TF32, E5M2) for o in (B32, B16)]), ids=str)
def test_thousands_of_models_at_once_give_what_each_gives(pair):
    rng = np.random.default_rng(1)
    some = numeric(*pair)
    some = some.only(rng.integers(0, len(some), 40)).in_every_schedule()
    some = some.only(rng.integers(0, len(some), 300))
    for probe in probes(*pair)[::3]:
        if probe.kind in ("single", "sparse"):
            given = answers(some, probe)
            for k in rng.integers(0, 300, 6):
                assert given[k] == some.model(k).dot(*probe.factors(), probe.c), (some.model(k), probe)
    assert len(PARAMETERS) == 7


@pytest.mark.parametrize("output", [B32, B16], ids=str)
@pytest.mark.parametrize("name", ["binary16", "bfloat16", "tf32", "e4m3fn", "e5m2", "e2m1fn", "e2m3fn", "e4m3fnuz"])
def test_there_are_200_probes_of_numbers_that_the_formats_have(name, output):
    asked = probes(fs.get_format(name), output)
    assert len(asked) == MOST
    assert len(set(asked)) > MOST - 20
    for probe in asked:
        a, b = probe.factors()
        assert len(a) <= LONGEST
        assert (fs.round_to(a, name) == a).all()
        assert (fs.round_to(b, name) == b).all()
        assert fs.round_to(probe.c, output) == probe.c


# --- the script for a GPU -------------------------------------------------------------------------------------------


def answered(tmp_path, core, factors, output="binary32"):
    """The file that the script writes where `core` is the machine."""
    names = {"__name__": "script"}
    exec(compile(script(factors, output), "script", "exec"), names)
    names["choose"] = lambda: (core.dot, "a test")
    names["main"](str(tmp_path / "answers.json"))
    return tmp_path / "answers.json"


@pytest.mark.exhaustive
def test_the_answers_of_the_script_give_the_model(tmp_path, capsys):
    path = answered(tmp_path, TensorCore("volta"), "binary16")
    assert "200 answers of a test are in" in capsys.readouterr().out
    assert main(["hardware", "--fit", str(path)]) == 0
    said = capsys.readouterr().out
    assert "products added at once  4, neighbours" in said
    assert "volta binary16 to binary32 (measured)" in said
    path.write_text(path.read_text().replace('"0x1.0000000000000p+0"', '"0x1.8000000000000p+0"'))
    assert main(["hardware", "--fit", str(path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["model"] is None


def test_a_file_of_another_kind_is_refused(tmp_path, capsys):
    path = tmp_path / "other.json"
    path.write_text("{}")
    assert main(["hardware", "--fit", str(path)]) == 2
    assert "is not a file of 'fp16sim machine answers 1'" in capsys.readouterr().err
    with pytest.raises(ValueError, match="factors=e2m1fn is not a type of PyTorch"):
        script("e2m1fn")
    with pytest.raises(ValueError, match="output=bfloat16"):
        script("binary16", "bfloat16")


def test_the_command_writes_the_script(tmp_path, capsys):
    path = tmp_path / "probe.py"
    assert main(["hardware", "--script", "--format", "e4m3fn", "-o", str(path)]) == 0
    assert path.read_text() == script("e4m3fn")
    assert main(["hardware", "--sums", "binary16"]) == 2
    assert "--sums has no effect" in capsys.readouterr().err


# --- the table ------------------------------------------------------------------------------------------------------


def test_the_table_has_every_row_in_80_columns_with_its_source():
    whole = table()
    assert len(whole.rows) == len(DATAPATHS)
    assert max(map(len, str(whole).splitlines())) <= 80
    assert {row.machine for row in whole.rows} == set(MACHINES)
    assert all(row.evidence and row.source in whole.sources and row.step in whole.steps for row in whole.rows)
    for row in whole.rows:
        assert f"{row.source} ({row.evidence})" in " ".join(str(whole).split())
    for row in whole.rows:
        assert f"{row.source}: {row.evidence}" in whole.markdown()


def test_the_table_of_one_machine_explains_only_its_words(capsys):
    one = table("cdna2")
    assert set(one.steps) == {"pairwise"}
    assert set(one.sources) == {"mma_sim"}
    assert main(["hardware", "cdna2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == one.to_dict()
    with pytest.raises(ValueError, match="machine='hoper' is unknown; did you mean 'hopper'"):
        table("hoper")


def test_the_page_has_the_table_as_it_is_now():
    page = Path(__file__).parents[1] / "tutorials" / "reference" / "hardware.md"
    if page.parent.is_dir():
        assert table().markdown() in page.read_text(encoding="utf-8")


# --- the picture ------------------------------------------------------------------------------------------------------


def test_the_picture_of_the_window_has_a_bar_for_what_is_kept_and_one_for_what_is_cut_off():
    data = fs.demos.window([1, 1 + 2.0**-10, 2.0**-12], [1, 2.0**-14, 2.0**-12], "binary16", accumulator="volta")
    assert data.lesson == "volta keeps 23 bits below the largest term: 2 terms cut"
    ax = fs.plots.window(data)
    bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    bars = [tuple(sorted(ends)) for ends in bars]
    assert bars == [(-0.5, 0.5), (-23.5, -13.5), (-24.5, -23.5), (-24.5, -23.5)]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["p0", "p1", "p2"]
    with pytest.raises(ValueError, match="step=1: this product has 1 step of a matrix unit"):
        fs.demos.window([1.0], [1.0], step=1)
