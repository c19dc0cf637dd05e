"""The views that draw, and the steps of an operation: driven by pointer and keys, checked by what they say."""

import pytest

import fp16sim as fs
from fp16sim import exact

from ..support import MODES
from .conftest import FOLLOW

READING = ".reading:visible"


# --- number line ----------------------------------------------------------------------------------------------------


def test_the_line_zooms_from_the_whole_range_to_single_values(open_page):
    page = open_page("line?x=0.1")
    assert "63,487 values of binary16" in page.locator(READING).first.inner_text()
    assert int(page.locator(".columns-of-values").get_attribute("data-columns")) > 100
    page.get_by_role("button", name="single values").click()
    assert "9 values of binary16" in page.locator(READING).first.inner_text()
    assert page.locator(".tick").count() == 9
    assert page.locator(".basin").count() == 1
    page.get_by_role("button", name="Zoom out").click()
    assert "17 values" in page.locator(READING).first.inner_text()
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Zoom in").click()
    assert "5 values" in page.locator(READING).first.inner_text()
    page.get_by_role("button", name="whole range").click()
    assert "63,487 values" in page.locator(READING).first.inner_text()


def test_binary64_is_seen_number_by_number(open_page):
    page = open_page("line?x=0.1&format=binary64")
    page.get_by_role("button", name="single values").click()
    assert page.locator(".tick").count() == 9


def test_the_line_obeys_keys_drags_and_clicks(open_page):
    page = open_page("line?x=1&zoom=-8&at=1")
    line = page.get_by_role("group", name="Number line")
    line.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("fp16sim.store.get().x") == "1.0009765625"
    page.keyboard.press("-")
    assert page.evaluate("fp16sim.store.get().zoom") == "-7"
    box = line.bounding_box()
    page.mouse.move(box["x"] + 500, box["y"] + 130)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 130, steps=8)
    page.mouse.up()
    centre = fs.parse(page.evaluate("fp16sim.store.get().at"))
    assert centre == pytest.approx(1 + 2**-7 * 400 / box["width"], abs=2**-12)
    assert page.evaluate("fp16sim.store.get().x") == "1.0009765625"
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 130)
    stored = page.evaluate("fp16sim.store.get().x")
    assert exact.round_to(stored) == exact.parse(stored) == exact.round_to(centre)


def test_the_ulp_follows_the_cursor(open_page):
    page = open_page("line?x=1")
    page.get_by_label("Exponent of the number").fill("11")
    assert "binary16: ulp 2¹ = 2" in page.locator(READING).last.inner_text()
    chart = page.locator(".ulp-picture").bounding_box()
    page.mouse.click(chart["x"] + chart["width"] - 20, chart["y"] + 100)
    assert "binary16: ulp 2⁵ = 32" in page.locator(READING).last.inner_text()


# --- arithmetic -----------------------------------------------------------------------------------------------------


def test_every_mode_of_an_operation_is_shown_with_its_code_and_flags(open_page):
    page = open_page("arithmetic?op=add&a=1&b=2^-12")
    rows = page.locator("li:has(h3:text-is('In every mode')) tbody tr")
    for row, mode in zip(rows.all(), MODES, strict=True):
        text = row.inner_text()
        draw = 2**31
        result = exact.operate("add", (1, exact.parse("2^-12")), fs.BINARY16, mode, draw)
        assert f"0x{exact.encode(result.value):04X}" in text
        assert all(flag in text for flag in result.flags)


def test_steps_are_shown_one_at_a_time(open_page):
    page = open_page("arithmetic?op=add&a=0.1&b=0.2&step=1")
    steps = page.locator(".steps > li")
    assert steps.count() == 9
    assert page.locator(".steps > li:visible").count() == 1
    for shown in range(2, 10):
        page.get_by_role("button", name="Next step").click()
        assert page.locator(".steps > li:visible").count() == shown
        assert page.locator("[aria-current=step] h3").inner_text() == steps.nth(shown - 1).locator("h3").inner_text()
    assert page.get_by_role("button", name="Next step").is_disabled()
    page.get_by_role("button", name="◀ Back").click()
    assert page.locator(".steps > li:visible").count() == 8
    page.get_by_role("button", name="Show all").click()
    assert page.locator(".steps > li:visible").count() == 9


CASES = (
    ("op=add&a=2048&b=1", ("guard", "a tie", "0 (even)", "1/2 ulp", "inexact")),
    (
        "op=fma&a=3&b=683&c=2^-24",
        ("The product is exact first", "moves right by 14 bits", "2049, and then in binary16 2048", "another result"),
    ),
    ("op=subtract&a=1.001&b=1", ("cancellation", "Nothing is cut off", "With all roundings together")),
    ("op=multiply&a=448&b=2&format=e4m3fn", ("no infinity, so the result is NaN", "overflow")),
    (
        "op=round&a=448.1&format=e4m3fn&mode=to_odd",
        ("stays at the largest number. Its last bit is 0, so only the flags show that something was lost", "overflow"),
    ),
    ("op=add&a=0x7C01&b=1", ("An operand is a signaling NaN", "no number is the right result")),
    ("op=multiply&a=60000&b=2&mode=toward_zero", ("stays at the largest number", "65504")),
    ("op=multiply&a=2^-14&b=0.7", ("subnormal", "underflow")),
    ("op=divide&a=1&b=0", ("divide_by_zero", "∞")),
    ("op=divide&a=0&b=0", ("0 ÷ 0", "invalid")),
    ("op=divide&a=0&b=0&format=e2m1fn", ("has no code for it", "ValueError")),
    ("op=subtract&a=1&b=1&mode=toward_negative", ("cancel exactly", "−0")),
    ("op=sqrt&a=2", ("irrational", "sticky")),
    ("op=round&a=65519&mode=toward_zero", ("65504", "0.46875 ulp", "ignores it")),
    (
        "op=add&a=1&b=2^-12&mode=stochastic&draw=0x3FFFFFFF",
        ("which is the probability", "1,073,741,824", "away from zero"),
    ),
    (
        "op=add&a=1&b=2^-12&mode=stochastic_8_half&draw=0x3F000000",
        ("Rounded to 8 bits that is 0.25", "63/2⁸, are less than that", "1,073,741,824", "away from zero"),
    ),
    ("op=add&a=nan&b=1", ("An operand is NaN, so the result is NaN",)),
    ("op=add&a=1&b=x", ("Type numbers above",)),
)


def test_each_case_has_its_own_words(open_page):
    page = open_page()
    for state, words in CASES:
        page.evaluate(FOLLOW, f"arithmetic?{state}")
        text = page.locator("[aria-label=Steps]").inner_text()
        for word in words:
            assert word in text, (state, word)


# --- heatmap --------------------------------------------------------------------------------------------------------


def test_all_pairs_are_computed_and_summed_up(open_page):
    page = open_page("heatmap?small=e2m1fn&op=multiply")
    page.wait_for_selector("canvas.heat[data-done]")
    operations = [
        exact.compute("multiply", (exact.decode(a, "e2m1fn"), exact.decode(b, "e2m1fn")), "e2m1fn")
        for a in range(16)
        for b in range(16)
    ]
    over = sum("overflow" in r.flags for r in operations)
    same = sum(not r.flags for r in operations)
    summary = page.locator(READING).inner_text()
    assert summary.startswith("256 pairs")
    assert f"{same} exact" in summary
    assert f"{over} overflow" in summary


def test_a_cell_links_to_its_steps_by_click_and_by_key(open_page):
    page = open_page("heatmap?small=e4m3fn&op=add")
    page.wait_for_selector("canvas.heat[data-done]")
    assert "65,536 pairs" in page.locator(READING).inner_text()
    heat = page.locator("canvas.heat")
    heat.focus()
    before = page.locator(".readout b").inner_text()
    page.keyboard.press("ArrowUp")
    assert page.locator(".readout b").inner_text() != before
    page.keyboard.press("Enter")
    assert page.evaluate("fp16sim.store.get().view") == "arithmetic"
    assert page.locator(".headline").is_visible()
    page.go_back()
    box = heat.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 1.5 * box["width"] / 256, box["y"] + box["height"] - 1)
    state = page.evaluate("fp16sim.store.get()")
    assert (state["a"], state["format"], state["op"]) == ("0xFE", "e4m3fn", "add")
    assert state["b"] in ("0x7F", "0xFF")
