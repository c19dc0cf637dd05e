"""explain.block: the same block as `quantize`, with the fate of each element and what other rules give."""

import json
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.blocks import BLOCKS

from .support import bit_patterns


@pytest.mark.parametrize("name", BLOCKS)
def test_the_explained_block_is_the_one_that_quantize_gives(name):
    rng = np.random.default_rng(0)
    for rule in BLOCKS[name].rules:
        for scale, mode in ((1.0, "ties_to_even"), (2.0**-140, "stochastic"), (2.0**100, "toward_zero")):
            x = (rng.normal(size=16) * scale).astype(np.float32)
            block = fs.blocks.Block(BLOCKS[name].element, BLOCKS[name].scale, 16, BLOCKS[name].tensor_scale)
            found = fs.blocks.quantize(x, block, scale_rule=rule, mode=mode, rng=3)
            why = fs.explain.block(x, block, scale_rule=rule, mode=mode, rng=3)
            assert [e.code for e in why.elements] == found.codes.tolist()
            assert why.scale_code == found.scale_codes[0]
            assert (bit_patterns([float(e.value) for e in why.elements]) == bit_patterns(found.values)).all()
            statistics = fs.blocks.statistics(x, found)
            assert why.count("saturated") == round(16 * statistics.saturated[0])
            assert why.count("vanished") == round(16 * statistics.vanished[0])
            chosen = next(result for result in why.rules if result.chosen)
            assert (chosen.rule, chosen.scale_code) == (rule, why.scale_code)
            assert chosen.squared_error == sum((Fraction(e.value) - Fraction(e.given)) ** 2 for e in why.elements)


def test_text_names_the_rule_the_limit_and_what_is_no_number():
    assert "has no scale as large as that" in str(fs.explain.block([1e300, 1], "mxfp8"))
    assert "has no scale as small as that" in str(fs.explain.block([2.0**-140, 0], "mxfp8"))
    assert "its scale is NaN" in str(fs.explain.block([1, "nan"], "mxfp4"))
    assert "scale with code 0" in str(fs.explain.block([0, -0.0], "mxfp4"))
    text = str(fs.explain.block([7, 1], "nvfp4", tensor_amax=100, scale_rule="four_over_six"))
    assert "about 17.92" in " ".join(text.split())
    for x, rule, amax, told in (
        ([9], "transformer_engine", 12, "336.00003"),
        ([9], "torchao", 12, "336"),
        ([0], "torchao", 1, "torchao has no scale below 2⁻⁶"),
        ([0], "torchao", None, "divides 0 by 0 in binary32"),
        ([1e300], "transformer_engine", None, "has an infinity in binary32"),
    ):
        text = str(fs.explain.block(x, "nvfp4", tensor_amax=amax, scale_rule=rule))
        assert told in " ".join(text.split())
        assert "x × factor" in text
    text = str(fs.explain.block([449], "mxfp8", scale_rule="transformer_engine"))
    assert "multiplies amax by 1 / 448" in " ".join(text.split())
    long = fs.explain.block(np.arange(100.0), fs.blocks.Block("e4m3fn", "binary32", None))
    assert "36 more elements" in str(long)
    for why in (long, fs.explain.block([1 / 3] * 32, "mxint8"), fs.explain.block(["1/3"] * 16, "nvfp4")):
        assert max(map(len, str(why).splitlines())) <= 80
        assert "<table" in why._repr_html_()
        assert json.loads(json.dumps(why.to_dict()))["scale_code"] == why.scale_code


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: fs.explain.block([], "mxfp8"), ValueError, "1 to 32"),
        (lambda: fs.explain.block([1] * 17, "nvfp4"), ValueError, "one block at a time"),
        (lambda: fs.explain.block(np.ones((2, 2)), "mxfp8"), TypeError, "one row"),
        (lambda: fs.explain.block(3.0, "mxfp8"), TypeError, "one row"),
        (lambda: fs.explain.block([1], "mxfp8", tensor_amax=3), ValueError, "leave it out"),
        (lambda: fs.explain.block([4], "nvfp4", tensor_amax=3), ValueError, "4 or more"),
    ],
)
def test_bad_input_is_told_with_the_way_out(call, kind, text):
    with pytest.raises(kind, match=text):
        call()
