"""fp16sim show, explain and compare as a user meets them: numbers as people write them, and typos that are shown."""

import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.cli import documents, main
from fp16sim.cli.errors import ExpressionError
from fp16sim.cli.expressions import Literal, Negation, Operation, parse_expression


def run(capsys, *arguments):
    """What a command prints."""
    assert main(arguments) == 0
    return capsys.readouterr().out


def test_show_takes_a_number_in_every_spelling(capsys):
    for text in ("0.1", "1/10", "1e-1", "0x2E66", "0b0010111001100110", "0_01011_1001100110", "0010111001100110"):
        printed = run(capsys, "show", text)
        assert "0_01011_1001100110  0x2E66" in printed
        assert "s eeeee tttttttttt" in printed
        assert "0.0999755859375" in printed


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1p-24", 2.0**-24),
        ("2^-24", 2.0**-24),
        ("3*2^-24", 3 * 2.0**-24),
        ("0x1.8p3", 12.0),
        ("-1/3", -0.333251953125),
        ("-.5", -0.5),
        ("-inf", float("-inf")),
        ("inf", float("inf")),
        ("-0", -0.0),
        ("-1e-5", -1.0013580322265625e-05),
        ("0x8001", -(2.0**-24)),
        ("1_000", 1000.0),
    ],
)
def test_show_and_compare_and_explain_agree_on_what_was_typed(capsys, text, value):
    shown = json.loads(run(capsys, "show", text, "--json"))
    compared = json.loads(run(capsys, "compare", text, "--json"))
    assert repr(float(fs.parse(shown["number"]["value"]))) == repr(value)
    assert compared["rows"][0]["number"]["code"] == shown["number"]["code"]
    if "*" not in text and "/" not in text:
        explained = json.loads(run(capsys, "explain", text, "--json"))
        assert explained["result"]["code"] == shown["number"]["code"]


def test_the_format_says_what_a_code_means(capsys):
    assert "0_01011100_1100110  0x2E66" in run(capsys, "show", "0x2E66", "--format", "bf16")
    assert json.loads(run(capsys, "compare", "0x3F80", "--format", "bf16,fp16", "--json"))["exact"] == "1"


@pytest.mark.parametrize(
    ("expression", "options", "value"),
    [
        ("0.1 + 0.2", ["--mode", "toward_positive"], "0.30029296875"),
        ("0.1+0.2", [], "0.2998046875"),
        ("fma(3, 683, 2^-24)", [], "2050"),
        ("sqrt(2)", ["--format", "bf16"], "1.4140625"),
        ("1/3", [], "0.333251953125"),
        ("1 ÷ 3", [], "0.333251953125"),
        ("2 × 3", [], "6"),
        ("3*2**-24", [], "0.000000178813934326171875"),
        ("1 - -2", [], "3"),
        ("1 − 2", [], "-1"),
        ("−0,5 + 2⁻¹", [], "0"),
        ("10⁻³ × 1\u202f000", [], "1"),
        ("−∞ × 2", [], "-inf"),
        ("-1 + 2", [], "1"),
        ("0x3C00 + 0x3C00", [], "2"),
        ("-0x3C00 + 1", [], "0"),
        ("-0x8000 + 0", [], "0"),
        ("0_01111_0000000000 - 1p0", [], "0"),
        ("inf - inf", [], "nan"),
        ("Fma(1, 2, 3)", [], "5"),
        ("add(1, 2)", [], "3"),
        ("300 * 300", ["--format", "e4m3fn", "--saturate"], "448"),
        ("1e-3 * 1e-3", ["--subnormals", "flush_to_zero"], "0"),
        ("dot([1, 1, 1], [2048, 1, 1])", [], "2048"),
        ("dot([1, 1, 1], [2048, 1, 1])", ["--accumulator", "kahan"], "2050"),
        ("dot([1, 1, 1], [2048, 1, 1])", ["--accumulator", "sequential:binary32"], "2050"),
        ("dot([1, 1, 1], [2048, 1, 1])", ["--accumulator", "exact"], "2050"),
        ("65520", [], "inf"),
        ("1 + 1p-9", ["--mode", "stochastic", "--format", "bf16", "--rng", "1"], "1"),
    ],
)
def test_explain_computes_what_is_typed(capsys, expression, options, value):
    data = json.loads(run(capsys, "explain", expression, *options, "--json"))
    assert data["result"]["value"] == value
    printed = run(capsys, "explain", expression, *options)
    assert max(map(len, printed.splitlines())) <= 80
    assert "\x1b" not in printed


def test_each_operation_of_an_expression_is_explained_innermost_first(capsys):
    steps = json.loads(run(capsys, "explain", "0.1 * (2 + 3) - sqrt(4)", "--json"))
    assert [step["operation"] for step in steps] == ["add", "multiply", "sqrt", "subtract"]
    assert steps[1]["operands"][1]["text"] == "(2 + 3)"
    assert steps[3]["operands"][0]["number"]["code"] == steps[1]["result"]["code"]
    assert run(capsys, "explain", "1 + 2 * 3").count("exact ") == 2
    negated = json.loads(run(capsys, "explain", "-(1 + 2)", "--json"))
    assert negated[-1]["result"]["value"] == "-3"


def test_precedence_is_that_of_arithmetic():
    tree = parse_expression("1 - 2 - 3 * -4")
    assert (tree.name, tree.operands[0].name, tree.operands[1].name) == ("subtract", "subtract", "multiply")
    assert tree.operands[1].operands[1] == Literal("-4", 12)
    assert parse_expression("--0x3C00") == Negation(Negation(Literal("0x3C00", 2), 1), 0)
    assert isinstance(parse_expression("(((1)))"), Literal)
    assert parse_expression("2 ^ - 24") == Literal("2^-24", 0)
    assert isinstance(parse_expression("1/2^3").operands[1], Literal)
    assert isinstance(parse_expression("1e-3-2"), Operation)


# --- mistakes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("0.1 +", 5, "a number is missing at the end"),
        ("0.1 +* 2", 5, "a number is missing before '*'"),
        ("3 4", 2, "an operator is missing before '4'"),
        ("(1 + 2", 6, "')' is missing here, to close the '(' at 1"),
        ("1 + 2)", 5, "an operator is missing before ')'"),
        ("fmaa(1, 2, 3)", 0, "did you mean 'fma'?"),
        ("foo(1)", 0, "fp16sim explain --help lists them"),
        ("sqrt 2", 5, "'(' is missing here, after sqrt"),
        ("fma(1, 2)", 8, "fma takes 3 arguments, but 2 are given"),
        ("dot(1, 2)", 4, "dot takes two lists"),
        ("dot([1, 2], [3, 4)", 17, "']' is missing here"),
        ("[1, 2] + 3", 0, "a list is allowed only in a sum"),
        ("1 @ 2", 2, "'@' is not understood here"),
        ("3^2", 0, "only powers of 2 and 10"),
        ("1,234 + 1", 0, "write 1.234 or 1234"),
        ("2^x", 1, "an integer is missing"),
        ("2^0.5", 1, "an integer is missing"),
        ("1 + 0x12345", 4, "0x12345p0"),
        ("1 + 0_0101_01", 4, "1, 5 and 10 bits"),
        ("1 + 1e99999", 4, "beyond 2^20000"),
        ("", 0, "nothing to explain"),
        ("(" * 100 + "1", 60, "nested brackets"),
        ("sqrt(" * 100 + "1", 300, "nested brackets"),
        ("1+" * 3000, 4000, "too long"),
        ("+".join(["1"] * 1999), 401, "more than 200 operations"),
        ("*".join(["1"] * 1999), 401, "more than 200 operations"),
        ("sqrt(1)+" * 499 + "1", 799, "more than 200 operations"),
    ],
)
def test_a_typo_gets_a_caret_under_the_place_and_the_way_out(capsys, text, position, says):
    assert main(["explain", "--", text]) == 2
    captured = capsys.readouterr()
    message, shown, carets = captured.err.splitlines()
    assert message.startswith("fp16sim explain: ")
    assert says in message
    assert not captured.out
    assert max(len(shown), len(carets)) <= 80
    if len(text) < 60:
        assert shown == "  " + text
        assert carets.index("^") == 2 + position
    with pytest.raises(ExpressionError) as caught:
        fs_explain(text)
    assert caught.value.position == position


def fs_explain(text):
    from fp16sim.cli.expression_explainer import Explainer

    return Explainer(text, fs.BINARY16, "ties_to_even", None).run()


@pytest.mark.parametrize("command", ["show", "compare"])
@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("0.1x", 3, "this is not a number"),
        ("0.0.1", 3, "this is not a number"),
        ("", 0, "this is not a number"),
        ("0.1 + 0.2", 4, 'use fp16sim explain "0.1 + 0.2"'),
        ("0x12345", 0, "write 0x12345p0 if you mean the number 74565"),
    ],
)
def test_a_number_that_is_none_is_shown_with_a_caret(capsys, command, text, place, says):
    assert main([command, text]) == 2
    message, shown, carets = capsys.readouterr().err.splitlines()
    assert says in message
    assert (shown, carets.index("^")) == ("  " + text, 2 + place)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["show", "1", "--format", "fp17"], "fmt='fp17' is not a known format"),
        (["show", "nan", "--format", "e2m1fn"], "nan_code"),
        (["explain", "1", "--mode", "up"], "mode='up' is unknown"),
        (
            ["explain", "1", "--accumulator", "tree"],
            "accumulator='tree' is unknown; use one of 'sequential', 'pairwise'",
        ),
        (["explain", "dot([1], [1])", "--accumulator", "kahan:e5m2"], "narrower"),
        (["compare", "1", "--format", "fp17"], "fmt='fp17' is not a known format"),
        (["explain"], "required: EXPRESSION"),
    ],
)
def test_other_mistakes_end_in_one_reason_and_exit_code_2(capsys, arguments, says):
    try:
        code = main(arguments)
    except SystemExit as exit:
        code = exit.code
    captured = capsys.readouterr()
    assert code == 2
    assert says in captured.err
    assert "Traceback" not in captured.err
    assert not captured.out


# --- the terminal ---------------------------------------------------------------------------------------------------


def terminal(monkeypatch, **options):
    """What is printed to a terminal."""
    from rich.console import Console

    screen = Console(file=io.StringIO(), force_terminal=True, width=80, soft_wrap=True, **options)
    monkeypatch.setattr(documents, "console", lambda: screen)
    monkeypatch.setattr(documents, "has_style", lambda: True)
    documents.print_document(fs.explain.anatomy("0.1").document)
    return screen.file.getvalue()


def test_fields_are_coloured_on_a_terminal_and_plain_without_colour(monkeypatch):
    coloured = terminal(monkeypatch, color_system="standard")
    assert "\x1b[1;4;31m0\x1b[0m_\x1b[1;32m01011\x1b[0m_\x1b[36m1001100110\x1b[0m" in coloured
    monkeypatch.setenv("NO_COLOR", "1")
    plain = terminal(monkeypatch)
    assert "\x1b[1;4m0\x1b[0m" in plain
    assert not any(f"\x1b[{code}m" in plain for code in ("31", "32", "36", "1;32"))


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_pipe_of_any_encoding_gets_plain_text(encoding):
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "fp16sim", "explain", "2 × 3"]
    done = subprocess.run(command, capture_output=True, env=environment, check=True)
    printed = done.stdout.decode(encoding)
    assert "\x1b" not in printed
    assert ("2 x 3" if encoding == "ascii" else "2 × 3") in printed


# --- blocks ---------------------------------------------------------------------------------------------------------


def test_a_block_is_explained_from_typed_numbers_and_from_files(capsys, tmp_path):
    why = fs.explain.block(["7", "0.5", "-3", "0.1"], "mxfp4", scale_rule="rceil")
    for text in ("7, 0.5, -3, 0.1", "[7 0.5 -3 0.1]", "7;0.5;-3;1e-1"):
        found = json.loads(run(capsys, "explain", text, "--block", "mxfp4", "--scale-rule", "rceil", "--json"))
        assert found["scale_code"] == why.scale_code
        assert [x["code"] for x in found["elements"]] == [x.code for x in why.elements]
    assert str(why) == run(capsys, "explain", "7,0.5,-3,0.1", "--block", "mxfp4", "--scale-rule", "rceil").rstrip()
    x = np.random.default_rng(0).normal(size=(3, 40)).astype(np.float32)
    x[2, 3] = np.inf
    np.save(tmp_path / "x.npy", x)
    (tmp_path / "x.txt").write_text("\ufeff" + "\n".join(map(str, x[1].tolist())), encoding="utf-8")
    largest = float(np.abs(x[np.isfinite(x)]).max())
    why = fs.explain.block(x[1, 32:], "nvfp4", tensor_amax=largest)
    found = json.loads(run(capsys, "explain", str(tmp_path / "x.npy"), "--block", "nvfp4", "--which", "5", "--json"))
    assert found == json.loads(json.dumps(why.to_dict()))
    found = json.loads(run(capsys, "explain", str(tmp_path / "x.txt"), "--block", "nvfp4", "--which", "2", "--json"))
    assert found["scale_code"] == fs.explain.block(x[1, 32:], "nvfp4", tensor_amax=np.abs(x[1]).max()).scale_code
    (tmp_path / "y.txt").write_text("1 " * 16 + "2 -1e400 1e399 nan -inf 7/2 1e400")
    found = json.loads(run(capsys, "explain", str(tmp_path / "y.txt"), "--block", "nvfp4", "--json"))
    assert found == json.loads(json.dumps(fs.explain.block(["1"] * 16, "nvfp4", tensor_amax="1e400").to_dict()))


def test_an_explanation_is_written_as_a_page(capsys, tmp_path):
    page = tmp_path / "why.html"
    assert run(capsys, "explain", "7, 0.5", "--block", "mxfp4", "-o", str(page)) == ""
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert "block of 2 elements in mxfp4" in text
    assert fs.explain.block(["7", "0.5"], "mxfp4")._repr_html_() in text
    assert json.loads(run(capsys, "explain", "(0.1 + 0.2) / 3", "-o", str(page), "--json"))
    assert page.read_text(encoding="utf-8").count('class="fp16sim-why"') == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("1 2", "--block", "mxfp5"), "did you mean 'mxfp"),
        (("1 2", "--block", "mxfp8", "--scale-rule", "flor"), "did you mean 'floor'"),
        (("1 2", "--block", "mxfp8", "--which", "1"), "--which has no effect"),
        (("1 2", "--block", "mxfp8", "--format", "bf16"), "--format has no effect"),
        (("1 + 2", "--scale-rule", "floor"), "--scale-rule has no effect"),
        (("1 x", "--block", "mxfp8"), "'x' is not a number"),
        (("", "--block", "mxfp8"), "0 elements"),
        (("missing.npy", "--block", "mxfp8"), "'missing.npy' is not a file"),
        (("bad.npy", "--block", "mxfp8"), "bad"),
        (("words.npy", "--block", "mxfp8"), "no array of numbers"),
        (("x.npy", "--block", "mxfp8", "--which", "2"), "use 0 to 1"),
        (("1 + 2", "-o", "x.png"), "end its name in .html"),
        (("1 2", "--block", ""), "block='' is unknown"),
        (("empty.txt", "--block", "mxfp8"), "empty.txt holds no numbers"),
    ],
)
def test_a_mistake_in_explaining_a_block_is_one_line(capsys, monkeypatch, tmp_path, arguments, told):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.ones((2, 32)))
    np.save("words.npy", np.array(["a"]))
    (tmp_path / "bad.npy").write_bytes(b"x" * 100)
    (tmp_path / "empty.txt").write_text(" \n")
    assert main(("explain", *arguments)) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
