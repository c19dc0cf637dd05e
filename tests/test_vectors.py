"""Conformance vectors: what is in them is right by the exact layer, and a computed fault is named."""

import json
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import exact, faults
from fp16sim.cli import main

from .support import first

pytestmark = pytest.mark.usefixtures("quiet")

SETTINGS = [("e4m3fn", "ties_to_even"), ("e2m1fn", "toward_zero"), ("e5m2", "toward_negative"), ("binary16", "to_odd")]


def section(vectors, name):
    return next(one for one in vectors["sections"] if one["name"] == name)


@pytest.mark.parametrize("setting", first(1, SETTINGS), ids="-".join)
def test_the_answers_are_those_of_the_exact_layer(setting):
    vectors, fmt = fs.vectors.make(*setting), fs.get_format(setting[0])
    assert json.loads(json.dumps(vectors)) == vectors
    rounding = section(vectors, "rounding")
    for text, code in list(zip(*rounding["operands"], rounding["expected"], strict=True))[:2000]:
        x = float.fromhex(text)
        right = exact.round_to(Fraction(x) if np.isfinite(x) and x else x, *setting)
        assert np.array_equal(fs.decode(code, fmt), float(right), equal_nan=True), text
    for name in ("add", "divide", "fma"):
        one = section(vectors, name)
        rows = list(zip(*one["operands"], one["expected"], strict=True))
        for *operands, code in rows[:: 1 + len(rows) // 150]:
            values = [float(fs.decode(x, fmt)) for x in operands]
            right = exact.compute(name, values, *setting).value
            given = float(fs.decode(code, fmt))
            assert str(given) == str(float(right)), (name, values)


def test_all_codes_midpoints_and_neighbours_of_an_8_bit_format_are_there():
    vectors = fs.vectors.make("e4m3fn")
    assert section(vectors, "decode")["operands"] == [list(range(256))]
    x = set(section(vectors, "rounding")["operands"][0])
    values = fs.all_values("e4m3fn")
    positive = np.unique(np.abs(values[np.isfinite(values)]))
    for v in [*positive, *(positive[:-1] + positive[1:]) / 2, 464.0, 512.0]:
        for near in (v, np.nextafter(v, 0), np.nextafter(v, np.inf)):
            assert float(near).hex() in x
            assert float(-near).hex() in x
    assert {"inf", "-inf", "nan"} & x == {"inf", "-inf", "nan"} or not fs.E4M3FN.has_nan


def computed_by(vectors, name, task=None):
    """What somebody with a fault computes for each section that has the fault."""
    fmt, mode = vectors["format"], vectors["mode"]
    for one in vectors["sections"]:
        task = one["name"]
        known = [fault for fault in faults.suspects(task) if fault.name == name]
        if known and task in faults.SETTINGS:
            rows = [[float.fromhex(x) for x in row] for row in one["operands"][0]]
            size = faults.SETTINGS[task][0].size
            one["computed"] = [list(map(list, a)) for a in known[0].answer(task, (rows, [size] * len(rows)), fmt)]
        elif known and task == "rounding":
            x = np.array([float.fromhex(x) for x in one["operands"][0]])
            one["computed"] = fs.encode(known[0].answer(task, (x,), fmt, mode), fmt).tolist()
        elif known and task != "decode":
            columns = [fs.decode(x, fmt) for x in one["operands"]]
            one["computed"] = fs.encode(known[0].answer(task, columns, fmt, mode), fmt).tolist()
    return vectors


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["ties_away", "truncates"])
def test_a_wrong_rounding_is_named_in_every_section(name):
    found = fs.vectors.check(computed_by(fs.vectors.make("e4m3fn"), name))
    wrong = [one for one in found.sections if one.wrong]
    assert {"rounding", "add", "divide", "fma"} <= {one.name for one in wrong}
    words = faults.find(name).misconception
    assert all(one.causes[0].words == words for one in wrong if one.name == "rounding")
    assert sum(cause.rows for one in wrong for cause in one.causes) == found.wrong
    assert words in str(found)


@pytest.mark.exhaustive
def test_a_wrong_block_is_named():
    vectors = fs.vectors.make("e4m3fn")
    name = "rceil"
    one = next(s for s in fs.vectors.check(computed_by(vectors, name)).sections if s.name == "mxfp8")
    assert (one.compared, [cause.fault for cause in one.causes]) == (len(section(vectors, "mxfp8")["expected"]), [name])
    answers = section(vectors, "mxfp8")
    answers["computed"] = [[list(s), list(c)] for s, c in answers["expected"]]
    answers["computed"][3][1][7] ^= 1
    one = next(s for s in fs.vectors.check(vectors).sections if s.name == "mxfp8")
    assert one.wrong == 1
    assert "block 3: element 7" in one.causes[0].example


def test_right_answers_have_no_cause_and_sections_that_are_not_computed_are_said_to_be_so():
    vectors = fs.vectors.make("e2m1fn", "toward_positive")
    for one in vectors["sections"][:3]:
        one["computed"] = one["expected"]
    found = fs.vectors.check(vectors)
    assert found.wrong == 0
    assert str(found).count("not computed") == len(vectors["sections"]) - 3


def test_what_does_not_follow_the_schema_is_refused():
    vectors = fs.vectors.make("e2m1fn")
    with pytest.raises(ValueError, match="does not follow the schema 'fp16sim vectors 1'"):
        fs.vectors.check({"schema": "another"})
    with pytest.raises(ValueError, match="has nothing to judge: give a section a list named computed"):
        fs.vectors.check(vectors)
    with pytest.raises(ValueError, match=r"section 'decode' has 16 rows and 1 computed answers"):
        fs.vectors.check(vectors | {"sections": [vectors["sections"][0] | {"computed": ["0x1p0"]}]})
    one = section(vectors, "add")
    with pytest.raises(ValueError, match="section 'add': a computed answer is not one"):
        fs.vectors.check(vectors | {"sections": [one | {"computed": [99] * len(one["expected"])}]})
    with pytest.raises(ValueError, match="mode=stochastic: its answers are random"):
        fs.vectors.make("e2m1fn", "stochastic")


def test_the_command_writes_and_judges(tmp_path, capsys):
    path = tmp_path / "v.json"
    assert main(["vectors", "--format", "e2m1fn", "-o", str(path)]) == 0
    assert "sections" in capsys.readouterr().out
    vectors = json.loads(path.read_text())
    assert vectors == fs.vectors.make("e2m1fn")
    for one in vectors["sections"]:
        one["computed"] = one["expected"]
    path.write_text(json.dumps(vectors))
    assert main(["vectors", "--check", str(path)]) == 0
    vectors["sections"][0]["computed"][1] = "0x1p5"
    path.write_text(json.dumps(vectors))
    assert main(["vectors", "--check", str(path), "--json"]) == 1
    out = capsys.readouterr().out
    assert json.loads(out[out.index("{") :])["sections"][0]["wrong"] == 1
    path.write_text("no json")
    assert main(["vectors", "--check", str(path)]) == 2
    assert "is not JSON" in capsys.readouterr().err
