"""The page as a user drives it: clicks, drags, keys, typing; what each view then shows."""

import pytest

import fp16sim as fs
from fp16sim import exact

HASH = "location.hash"


def number(page):
    """The first panel's code, as shown."""
    return page.locator(".panel:visible code").first.inner_text()


def bits(page, panel=0):
    return page.locator(".panel:visible .bits").nth(panel).locator(".bit")


def digits(page, panel=0):
    return "".join(bits(page, panel).all_inner_texts())


# --- bits -----------------------------------------------------------------------------------------------------------


def test_a_click_flips_a_bit_and_the_number_follows(open_page):
    page = open_page("number?x=1")
    bits(page).nth(15).click()
    assert digits(page) == "0011110000000001"
    assert page.get_by_label("Number", exact=True).input_value() == "1.0009765625"
    bits(page).nth(0).click()
    assert number(page) == "0xBC01"
    bits(page).nth(15).click()
    assert number(page) == "0xBC00"


def test_a_drag_paints_the_bits_it_crosses_and_no_others(open_page):
    page = open_page("number?x=0")
    first, last = (bits(page).nth(i).bounding_box() for i in (6, 10))
    page.mouse.move(first["x"] + 5, first["y"] + 20)
    page.mouse.down()
    page.mouse.move(last["x"] + 5, last["y"] + 20, steps=25)
    page.mouse.up()
    assert digits(page) == "0000001111100000"
    page.mouse.move(last["x"] + 150, last["y"] + 20, steps=5)
    assert digits(page) == "0000001111100000"
    page.mouse.move(last["x"] + 5, last["y"] + 20)
    page.mouse.down()
    page.mouse.move(first["x"] + 5, first["y"] + 20, steps=25)
    page.mouse.up()
    assert digits(page) == "0000000000000000"


def test_a_finger_flips_a_bit(open_page):
    page = open_page("number?x=1", has_touch=True, viewport={"width": 360, "height": 740}, is_mobile=True)
    bits(page).nth(14).tap()
    assert number(page) == "0x3C02"


def test_keys_step_one_ulp_move_between_bits_and_set_them(open_page):
    page = open_page("number?x=1")
    bits(page).nth(0).focus()
    page.keyboard.press("ArrowUp")
    assert number(page) == "0x3C01"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert number(page) == "0x3BFF"
    page.keyboard.press("PageUp")
    assert number(page) == "0x3C0F"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("1")
    assert digits(page)[:2] == "01"
    page.keyboard.press("End")
    page.keyboard.press("Space")
    assert page.evaluate("document.activeElement.dataset.bit") == "15"
    assert digits(page)[-1] == "0"
    page.keyboard.press("Enter")
    assert digits(page)[-1] == "1"


@pytest.mark.parametrize(
    ("start", "key", "code"),
    [
        ("0", "ArrowDown", "0x8001"),
        ("-0", "ArrowUp", "0x0001"),
        ("65504", "ArrowUp", "0x7C00"),
        ("inf", "ArrowUp", "0x7C00"),
        ("-2^-24", "ArrowUp", "0x0000"),
        ("nan", "ArrowUp", "0x7E00"),
    ],
)
def test_a_step_passes_zero_and_stops_at_the_ends(open_page, start, key, code):
    page = open_page(f"number?x={start}")
    page.get_by_label("Number", exact=True).press(key)
    assert number(page) == code


def test_only_one_bit_is_in_the_order_of_tab(open_page):
    page = open_page("number?x=1")
    assert page.locator(".panel:visible .bit[tabindex='0']").count() == 1


# --- numbers and formats --------------------------------------------------------------------------------------------


def fact(page, name, panel=0):
    rows = page.locator(".panel:visible").nth(panel).locator(".facts > div")
    found = rows.filter(has=page.locator("dt", has_text=name)).first
    return found.locator("dd").inner_text()


def test_typing_shows_what_is_stored_and_how_far_off_it_is(open_page):
    page = open_page()
    field = page.get_by_label("Number", exact=True)
    field.fill("")
    field.type("1/3")
    assert fact(page, "stored") == fs.to_text("1/3", "binary16", "exact")
    assert fact(page, "fraction") == "1365/4096"
    assert fact(page, "error").endswith("−1/3 ulp")
    assert fact(page, "next up") == "0.33349609375"
    assert fact(page, "ulp") == "2⁻¹² = 0.000244140625"
    assert "2^(13 − 15) × 1.0101010101₂" in page.locator(".equation").first.inner_text()


def test_each_class_has_its_own_formula(open_page):
    page = open_page()
    words = {
        "2^-24": "2⁻¹⁴ × 0.0000000001₂",
        "0": "× 0",
        "-inf": "−∞",
        "nan": "NaN",
        "1": "2^(15 − 15) × 1.0000000000₂",
    }
    for text, formula in words.items():
        page.get_by_label("Number", exact=True).fill(text)
        assert page.locator(".equation").first.inner_text().count(formula) == 1


def test_a_mistake_is_told_beside_the_field_and_mended_by_typing_on(open_page):
    page = open_page()
    field = page.get_by_label("Number", exact=True)
    field.fill("1..2")
    assert field.get_attribute("aria-invalid") == "true"
    assert "“1..2” is not a number" in page.locator(".note:visible").first.inner_text()
    field.fill("1.2")
    assert field.get_attribute("aria-invalid") is None
    assert fact(page, "stored") == "1.2001953125"


def test_the_mode_decides_what_is_stored(open_page):
    page = open_page("number?x=65519")
    assert fact(page, "stored") == "65504"
    page.get_by_label("Rounding").select_option("toward_positive")
    assert fact(page, "stored") == "inf"
    assert fact(page, "flags") == "overflow, inexact"


def test_stochastic_rounding_takes_the_draw_as_python_does(open_page):
    page = open_page("number?x=0.1&mode=stochastic")
    for draw in ("0x00000000", "0x9999999A", "0xFFFFFFFF"):
        page.get_by_label("32 random bits").fill(draw)
        expected = exact.round_result(exact.parse("0.1"), fs.BINARY16, fs.Rounding.STOCHASTIC, int(draw, 16))
        assert int(number(page), 16) == exact.encode(expected.value)


def test_two_formats_stand_side_by_side_and_both_have_bits(open_page):
    page = open_page("number?x=70000&beside=bfloat16")
    assert fact(page, "stored") == "inf"
    assert fact(page, "stored", 1) == "70144"
    bits(page, 1).nth(15).click()
    assert fact(page, "stored", 1) == "69632"
    assert page.get_by_label("Number", exact=True).input_value() == "69632"


def test_widths_of_ones_own_make_a_format(open_page):
    page = open_page("number?x=1/3")
    page.get_by_label("Format", exact=True).select_option("custom")
    page.get_by_label("exponent bits").first.fill("4")
    page.get_by_label("significand bits").first.fill("3")
    assert bits(page).count() == 8
    assert int(number(page), 16) == fs.encode("1/3", fs.E4M3)
    page.get_by_label("topmost codes").first.select_option("nan")
    page.get_by_label("Number", exact=True).fill("448")
    assert fact(page, "next up") == "none"
    assert page.evaluate(HASH) == "#number?x=448&format=1-4-3-nan"


def test_a_format_without_nan_says_so(open_page):
    page = open_page("number?x=nan&format=e2m1fn")
    assert "has no code for NaN" in page.locator(".hero").first.inner_text()
    page.get_by_label("Number", exact=True).fill("100")
    assert fact(page, "stored") == "6"
