"""Blocks in the page: the scales, codes, values and fates of `fs.explain.block`; and the view, as a user drives it."""

import random
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.blocks import BLOCKS, SCALE_RULES, get_block
from fp16sim.formats import Rounding

from ..support import count_cases, first
from .conftest import FOLLOW

EXPLAINED = """([name, rule, mode, draw, blocks]) => {
  const s = fp16sim, block = s.blocks.get(name), binary64 = s.format("binary64");
  const number = (x) => x && (x.kind === "finite" && x.n === 0n && x.negative ? "-0" : s.fractionText(x));
  return blocks.map(([texts, tensor]) => {
    const values = texts.map((text) => s.readNumber(text, binary64).value);
    const largest = tensor === null ? null : s.readNumber(tensor, binary64).value;
    const e = s.explainBlock(values, block, rule, mode, BigInt(draw), largest);
    return {
      amax: [number(e.amax), e.amaxIndex, number(e.tensorAmax), number(e.tensorScale), number(e.wantedScale), e.limit],
      scale: [number(e.scale), Number(e.scaleCode)],
      elements: e.elements.map((x) => [number(x.share), number(x.number), Number(x.code), number(x.value), x.fate]),
      rules: e.rules.map((r) => [r.rule, r.chosen, number(r.scale), Number(r.scaleCode), number(r.tensorScale),
        r.saturated, r.vanished, number(r.squaredError)]),
    };
  });
}"""


def text_of(value):
    return None if value is None else "-0" if isinstance(value, float) and value == 0 else str(value)


def explained(texts, block, rule, mode, tensor=None):
    """What EXPLAINED says, read off Python's record."""
    why = fs.explain.block(texts, block, scale_rule=rule, mode=mode, tensor_amax=tensor)
    numbers = (why.amax, why.amax_index, why.tensor_amax, why.tensor_scale, why.wanted_scale)
    return {
        "amax": [x if isinstance(x, int) else text_of(x) for x in numbers] + [why.limit],
        "scale": [text_of(why.scale), why.scale_code],
        "elements": [[text_of(x.share), text_of(x.number), x.code, text_of(x.value), x.fate] for x in why.elements],
        "rules": [
            [
                *(r.rule, r.chosen, text_of(r.scale), r.scale_code, text_of(r.tensor_scale), r.saturated, r.vanished),
                text_of(r.squared_error),
            ]
            for r in why.rules
        ],
    }


ODD = [
    "0",
    "-0",
    "nan",
    "inf",
    "-inf",
    "1/3",
    "0.1",
    "2^-149",
    "-2^-1074",
    "1e300",
    "3.4e38",
    "2^127",
    "-448",
    "6",
    "7",
]


def drawn_block(chosen, block):
    """Texts of a block's numbers: near each other, far apart, at the boundaries of the rules; sometimes anything."""
    spread, middle = chosen.choice([0, 2, 8, 40]), chosen.choice([0, 0, 0, -20, -126, 60, 127, -300])
    largest = Fraction(block.element.max_finite)

    def number():
        kind = chosen.random()
        if kind < 0.04:
            return chosen.choice(ODD)
        exponent = middle + chosen.randint(-spread, spread)
        if kind < 0.2:  # a power of two, the largest element, or what is beside them
            near = chosen.choice([Fraction(1), largest, Fraction(7, 4), Fraction(15, 8)])
            size = near * (1 + chosen.choice([0, 0, 1, -1]) * Fraction(1, 2**20)) * Fraction(2) ** exponent
        else:
            size = Fraction(chosen.randrange(2 ** chosen.choice([3, 11, 24]))) * Fraction(2) ** (exponent - 8)
        return str(size * chosen.choice([1, -1]))

    count = chosen.choice([1, 2, 5, block.size, block.size])
    return [number() for _ in range(count)]


def compare_blocks(core, name, rule, mode, count):
    """So many random blocks, in the page and in Python."""
    chosen = random.Random(f"{name} {rule} {mode} {count}")
    given = [[drawn_block(chosen, get_block(name)), None] for _ in range(count)]
    if get_block(name).tensor_scale:
        given[::3] = [[texts, "1e300"] for texts, _ in given[::3]]
    got = core.evaluate(EXPLAINED, [name, rule, mode, "0", given])
    for (texts, tensor), page in zip(given, got, strict=True):
        for part, value in explained(texts, name, rule, mode, tensor).items():
            assert page[part] == value, f"{part} of {texts} in {name}, {rule}, {mode}, tensor_amax={tensor}"
    count_cases(sum(len(texts) for texts, _ in given), "page: blocks")


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_has_the_scale_codes_and_fates_that_python_gives_it(core, name):
    for rule in get_block(name).rules:
        compare_blocks(core, name, rule, "ties_to_even", 2)


ROUNDINGS = [mode.value for mode in Rounding if not mode.random]


@pytest.mark.exhaustive
@pytest.mark.parametrize("mode", ROUNDINGS)
@pytest.mark.parametrize("name", BLOCKS)
def test_three_hundred_blocks_of_each_kind_and_mode_agree_with_python(core, name, mode):
    for rule in get_block(name).rules:
        compare_blocks(core, name, rule, mode, 300 // len(get_block(name).rules))


def drawn_codes(core, name, rule, mode, draw, rows):
    given = [[list(map(repr, row)), None] for row in rows]
    got = core.evaluate(EXPLAINED, [name, rule, mode, str(draw), given])
    return [([x[2] for x in page["elements"]], page["scale"][1]) for page in got]


@pytest.mark.parametrize("mode", first(2, ["ties_to_even", "stochastic_8_half", "stochastic", "stochastic_3"]))
def test_codes_are_those_of_quantize_and_of_the_definition_with_the_same_draws(core, mode):
    chosen = np.random.default_rng(5)
    for name, block in BLOCKS.items():
        rows = (chosen.standard_normal((4, block.size)) * 2.0 ** chosen.integers(-9, 9, (4, 1))).tolist()
        found = drawn_codes(core, name, block.default_rule, mode, 0x5DEECE66, rows)
        for row, (codes, scale_code) in zip(rows, found, strict=True):
            values = [Fraction(x) for x in row]
            tensor = fs.blocks.tensor_scale(max(map(abs, values)), block)
            defined = fs.blocks.quantize_block(
                values,
                block,
                mode=Rounding(mode),
                tensor=tensor,
                draws=[(0x5DEECE66 + k * 0x9E3779B9) % 2**32 for k in range(block.size)],
            )
            assert (list(defined.codes), defined.scale_code) == (codes, scale_code), (name, row)
            if mode == "ties_to_even":
                quantized = fs.blocks.quantize(np.array([row]), name)
                assert quantized.codes[0].tolist() == codes
                assert quantized.scale_codes[0].tolist() == [scale_code]


def test_the_page_names_every_block_and_rule_of_python(core):
    assert core.evaluate("fp16sim.blocks.named.map((block) => block.name)") == list(BLOCKS)
    assert core.evaluate("fp16sim.rules") == list(SCALE_RULES)
    assert core.evaluate("fp16sim.blocks.named.map((b) => b.rule)") == [b.default_rule for b in BLOCKS.values()]


# --- the view -------------------------------------------------------------------------------------------------------

STATE = "fp16sim.store.get()"
SEVEN = "block?values=7,0.5,-3,0.1&block=mxfp4"


def cells(page, table, row):
    return [text.strip() for text in page.locator(f".{table} tbody tr").nth(row).locator("th, td").all_inner_texts()]


def test_the_view_shows_scale_codes_values_and_what_was_lost(open_page):
    page = open_page(SEVEN)
    why = fs.explain.block(["7", "0.5", "-3", "0.1"], "mxfp4")
    chain = page.locator(".chain").first.inner_text()
    for part in ("amax", "number 0, in the binade of 2²", "rule floor", "scale in e8m0fnu", "0x7F", "01111111"):
        assert part in chain
    assert "1 saturated, 1 became 0" in page.locator(".reading:visible").inner_text()
    for row, x in enumerate(why.elements):
        shown = cells(page, "block-table", row)
        assert shown[3].replace("\n", "").replace(" ", "") == f"{x.code:04b}"
        assert fs.exact.parse(shown[5]) == x.value
        assert {"saturated": "▲", "vanished": "▼", "exact": "="}[x.fate] in shown[7]
    for row, rule in enumerate(why.rules):
        assert cells(page, "rules", row)[2:5] == [f"0x{rule.scale_code:02X}", str(rule.saturated), str(rule.vanished)]


def test_the_line_of_python_gives_what_the_page_shows(open_page):
    page = open_page()
    for state in (
        SEVEN,
        "block?values=1/3,-0,2^-9&block=mxint8&mode=toward_zero",
        "block?values=0.3,1.9&block=nvfp4&rule=four_over_six&tensor=30",
    ):
        page.evaluate(FOLLOW, state)
        line = page.locator(".python").inner_text()
        why = eval(line, {"fs": fs})
        shown = [cells(page, "block-table", row)[3] for row in range(len(why.elements))]
        assert ["".join(text.split()) for text in shown] == [f"{x.code:0{why.element_width}b}" for x in why.elements]
        assert f"0x{why.scale_code:02X}" in page.locator(".chain").first.inner_text()


def test_a_number_is_dragged_and_the_others_lose_their_digits(open_page):
    page = open_page("block")
    before, lost = page.evaluate("history.state.at"), page.locator(".block-table .lost").count()
    handle = page.locator(".column").nth(6).locator(".handle").bounding_box()
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 60, steps=6)
    assert page.locator(".block-table .lost").count() > lost
    page.mouse.move(x, y + 250, steps=6)
    assert page.evaluate(STATE)["values"].split(",")[6] == "0"
    assert page.locator(".block-table .lost").count() < lost
    page.mouse.up()
    page.mouse.move(x, y, steps=3)
    assert page.evaluate(STATE)["values"].split(",")[6] == "0"
    assert page.evaluate("history.state.at") == before + 1
    page.get_by_role("button", name="Undo").click()
    page.wait_for_function("fp16sim.store.get().values.split(',')[6] === '6'")


def test_arrows_choose_and_change_a_number(open_page):
    page = open_page(SEVEN)
    page.get_by_role("slider", name="Number 0").focus()
    for key, values, number in (
        ("Shift+ArrowUp", "14,0.5,-3,0.1", "0"),
        ("PageDown", "0.875,0.5,-3,0.1", "0"),
        ("ArrowRight", "0.875,0.5,-3,0.1", "1"),
        ("ArrowUp", "0.875,0.545,-3,0.1", "1"),
        ("-", "0.875,-0.545,-3,0.1", "1"),
        ("0", "0.875,0,-3,0.1", "1"),
        ("ArrowUp", "0.875,0.25,-3,0.1", "1"),
        ("End", "0.875,0.25,-3,0.1", "3"),
    ):
        page.keyboard.press(key)
        assert (page.evaluate(STATE)["values"], page.evaluate(STATE)["pick"]) == (values, number), key
    assert page.evaluate("document.activeElement.ariaValueText") == "0.1, stored as 0, became 0"


def test_what_is_pasted_is_read_as_python_prints_it(open_page):
    page = open_page("block?block=nvfp4")
    field = page.get_by_label("Numbers of one block")
    for pasted, values in (
        ("tensor([[ 0.5000, -1.2500],\n        [ 3.0000,  nan]], dtype=torch.float16)", "0.5000,-1.2500,3.0000,nan"),
        ("array([1., 2.5e-3, -0.], dtype=float32)", "1.,2.5e-3,-0."),
        ("0,5; 0,25;1", "0.5,0.25,1"),
        ("1/3 2^-9\n0x1.8p3", "1/3,2^-9,0x1.8p3"),
    ):
        field.fill(pasted)
        assert page.evaluate(STATE)["values"] == values
        assert page.locator(".block-table tbody tr").count() == values.count(",") + 1
        assert field.input_value() == pasted
    field.fill("1, two, 3")
    assert "“two” is not a number" in page.locator(".note.wrong:visible").inner_text()
    assert page.get_by_text("Nothing to show").is_visible()
    field.fill(" ".join(map(str, range(1, 21))))
    assert (
        "A block of nvfp4 has 16 numbers: the first 16 of 20 are shown, and all 20 count"
        in page.locator(".asks").inner_text()
    )
    assert 'tensor_amax="20"' in page.locator(".python").inner_text()
    field.fill(" ".join(f"{x}.125" for x in range(1000)))
    assert page.evaluate(STATE)["values"].endswith(",262.125")  # no number is cut
    assert len(page.evaluate(STATE)["values"]) <= 2000


@pytest.mark.exhaustive
def test_a_rule_is_chosen_in_the_table_and_one_that_does_not_suit_says_so(open_page):
    page = open_page("block?block=nvfp4&rule=four_over_six")
    assert page.get_by_label("Scale rule").input_value() == "four_over_six"
    page.get_by_label("Block", exact=True).select_option("mxfp8_e5m2")
    assert "four_over_six is for e2m1fn elements" in page.locator(".asks").inner_text()
    assert page.get_by_label("Scale rule").input_value() == "floor"
    page.get_by_role("button", name="rceil").click()
    assert page.evaluate("location.hash") == "#block?block=mxfp8_e5m2&rule=rceil"
    page.get_by_label("Rounding").last.select_option("stochastic")
    assert "P(" in page.locator(".block-table").inner_text()
    page.evaluate(FOLLOW, "block?block=mxfp5&rule=round")
    told = page.locator(".notice").inner_text()
    assert "block=mxfp5 is unknown, and mxfp4 is shown" in told
    assert "rule=round is unknown" in told


@pytest.mark.exhaustive
def test_each_example_opens_a_block_of_its_own(open_page):
    page = open_page("block")
    seen = set()
    for example in page.get_by_role("group", name="Examples").get_by_role("button").all():
        example.click()
        seen.add(page.locator(".reading:visible").inner_text())
        assert page.locator(".told:visible").inner_text()
        assert page.locator(".note.wrong:visible").count() == 0
    assert len(seen) == 8


@pytest.mark.exhaustive
def test_a_change_of_a_block_is_spoken(open_page):
    page = open_page(SEVEN)
    page.get_by_role("button", name="rceil").click()
    page.locator("#spoken", has_text="mxfp4, rceil: scale 2").wait_for(state="attached")


def test_equal_numbers_have_random_bits_of_their_own(open_page):
    page = open_page("block?values=1,0.3,0.3,0.3,0.3,0.3,0.3,0.3&mode=stochastic")
    values = {cells(page, "block-table", row)[5] for row in range(1, 8)}
    assert len(values) == 2
    assert "Each number has random bits of its own" in page.locator(".block-view").inner_text()
    page.evaluate(FOLLOW, "block?values=1,0.3")
    assert "Each number has random bits" not in page.locator(".block-view").inner_text()
