"""The page as a user drives it: clicks, drags, keys, typing; what each view then shows."""

from dataclasses import replace

import pytest

import fp16sim as fs
from fp16sim import exact
from fp16sim.formats import NAMED_FORMATS

from .conftest import FOLLOW

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
        ("1", "Shift+ArrowUp", "0x3C0A"),
        ("1", "Shift+ArrowDown", "0x3BF6"),
        ("65504", "Shift+ArrowUp", "0x7C00"),
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
    return found.locator("dd").inner_text().removesuffix("Copy").strip()


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
    page.get_by_label("infinity and NaN").first.select_option("nan")
    page.get_by_label("Number", exact=True).fill("448")
    assert fact(page, "next up") == "none"
    assert page.evaluate(HASH) == "#number?x=448&format=e4m3fn"


FIELDS_SHOWN = """() => [...document.querySelectorAll(".panel .field")].filter((e) => e.checkVisibility())
  .map((e) => e.className.split(" ")[1] + e.querySelectorAll(".bit").length)"""


@pytest.mark.parametrize(
    ("fmt", "fields", "layout"),
    [
        ("e8m0fnu", ["exponent8"], "no sign, 8 exponent (bias 127), no significand; smallest 2⁻¹²⁷"),
        ("binary8p3ue", ["exponent6", "significand2"], "no sign, 6 exponent (bias 32), 2 significand"),
        ("binary8p1", ["sign1", "exponent7"], "1 sign, 7 exponent (bias 64), no significand"),
        ("binary6p6sf", ["sign1", "significand5"], "1 sign, no exponent (bias 0), 5 significand"),
        ("e4m3fnuz", ["sign1", "exponent4", "significand3"], "(bias 8), 3 significand; smallest 2⁻¹⁰, largest 240"),
    ],
)
def test_a_field_that_a_format_does_not_have_is_not_drawn(open_page, fmt, fields, layout):
    page = open_page(f"number?x=0.1&format={fmt}")
    assert page.evaluate(FIELDS_SHOWN) == fields
    assert layout in page.locator(".layout:visible").inner_text()
    code = fs.exact.encode("0.1", fmt)
    assert int("".join(digits(page)), 2) == code
    assert fact(page, "bits").replace("0b", "") == fs.get_format(fmt).bits_text(code)
    back = page.evaluate("([x, f]) => String(fp16sim.readNumber(x, fp16sim.format(f)).code)", [fact(page, "bits"), fmt])
    assert int(back) == code
    page.locator(".panel:visible .bit").last.click()
    assert fact(page, "code").startswith(fs.get_format(fmt).hex_code(code ^ 1))


@pytest.mark.parametrize(
    ("x", "fmt", "stored", "flags", "formula"),
    [
        ("-3", "binary8p3ue", "nan", "invalid", "all bits are ones: NaN, the only one"),
        ("-3", "binary8p3ue,saturate=true", "0", "overflow, inexact", "all bits are zeros: 0"),
        ("inf", "binary8p3ue", "inf", "none", "the code after that of the largest number: ∞"),
        ("0", "e8m0fnu", "nan", "invalid", "all bits are ones: NaN, the only one"),
        ("6", "e8m0fnu", "8", "inexact", "2^(130 − 127) = 2³"),
        ("-0", "e4m3fnuz", "0", "none", "exponent field 0, significand 0: (−1)⁰ × 0"),
        ("nan", "e4m3fnuz", "nan", "none", "the code that elsewhere is −0: NaN, the only one"),
        ("3", "binary16,bias=-2", "3", "none", "(−1)⁰ × 2³ × 0.0110000000₂"),
    ],
)
def test_what_a_format_lacks_becomes_what_python_stores_and_its_formula_says_so(
    open_page, x, fmt, stored, flags, formula
):
    page = open_page(f"number?x={x}&format={fmt}")
    result = fs.exact.round_operand(fs.exact.as_exact(x), fs.get_format(fmt), fs.Rounding.TIES_TO_EVEN)
    assert fact(page, "stored") == stored == ("0" if result.value == 0 else str(result.value))
    assert set(flags.split(", ")) == (result.flags or {"none"})
    assert fact(page, "flags") == flags
    assert formula in page.locator(".equation:visible").inner_text()


def test_formats_of_p3109_and_of_scales_are_made_from_the_fields_or_by_their_name(open_page):
    page = open_page("number?x=0.3")
    page.get_by_label("Format", exact=True).select_option("custom")
    own = page.get_by_role("group", name="Format: of your own")
    own.get_by_label("or by its name", exact=True).fill("binary8p4uf")
    assert page.evaluate(HASH) == "#number?x=0.3&format=binary8p4uf"
    assert [own.get_by_label(name, exact=True).input_value() for name in ("exponent bits", "bias", "sign")] == [
        "5",
        "16",
        "false",
    ]
    own.get_by_label("infinity and NaN", exact=True).select_option("one_nan_and_infinities")
    assert page.evaluate(HASH) == "#number?x=0.3&format=binary8p4ue"
    own.get_by_label("bias", exact=True).fill("7")
    assert fs.get_format(page.evaluate("fp16sim.store.get().format")) == replace(fs.formats.p3109(8, 4, "ue"), bias=7)
    own.get_by_label("zero", exact=True).select_option("false")
    own.get_by_label("exponent bits", exact=True).fill("8")
    own.get_by_label("infinity and NaN", exact=True).select_option("one_nan")
    assert page.evaluate(HASH) == "#number?x=0.3&format=e8m0fnu"
    own.get_by_label("infinity and NaN", exact=True).select_option("ieee")
    assert "a format needs 2 exponent bits and 1 stored significand bit" in own.inner_text()
    assert page.evaluate(HASH) == "#number?x=0.3&format=e8m0fnu"
    own.get_by_label("or by its name", exact=True).fill("binary99")
    assert "write it like binary8p3" in own.inner_text()
    own.get_by_label("or by its name", exact=True).fill("binary16")
    assert "✕" not in own.inner_text()


def test_labels_of_neighbours_that_are_near_each_other_do_not_overlap(open_page):
    page = open_page("number?x=2")
    for state in ("number?x=0.1&format=e8m0fnu", "number?x=0.0625&format=binary8p3ue", "number?x=1"):
        page.evaluate(FOLLOW, state)
        overlaps = page.evaluate("""() => {
          const texts = [...document.querySelectorAll(".near-picture .label")].filter((e) => e.checkVisibility());
          const boxes = texts.map((e) => e.getBoundingClientRect());
          return boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) =>
            a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)).length;
        }""")
        assert overlaps == 0, state


def test_a_format_without_nan_says_so(open_page):
    page = open_page("number?x=nan&format=e2m1fn")
    assert "has no code for NaN" in page.locator(".refusal").first.inner_text()
    page.get_by_label("Number", exact=True).fill("100")
    assert fact(page, "stored") == "6"


def test_what_is_no_number_shows_no_bits_and_its_error_on_one_line(open_page):
    page = open_page("number?x=1..2&beside=bfloat16")
    assert page.locator(".bit:visible").count() == 0
    assert page.locator(".facts:visible").count() == 0
    note = page.locator(".note.wrong:visible")
    assert note.inner_text().startswith("“1..2” is not a number")
    assert note.bounding_box()["height"] < 30
    page.evaluate(FOLLOW, "arithmetic?op=fma&a=1&b=x&c=2")
    assert page.locator(".note.wrong:visible").bounding_box()["height"] < 30
    assert page.locator(".steps > li:visible").count() == 0


def test_bits_have_positions_and_stand_in_groups_of_four(open_page):
    page = open_page("number?x=1&format=binary64&beside=binary16")
    places = page.locator(".panel:visible .bits").nth(0).locator("small").all_inner_texts()
    assert places == [str(i) for i in range(63, -1, -1)]
    groups = page.locator(".panel:visible .bits").nth(1).locator(".nibble")
    assert [len(text.split()) // 2 for text in groups.all_inner_texts()] == [1, 3, 2, 2, 4, 4]
    rows = page.evaluate(ROWS)
    assert max(rows) == 16
    assert all(count % 4 == 0 for count in rows)


ROWS = """() => {
  const rows = new Map();
  for (const bit of document.querySelectorAll(".panel .bits .significand .bit")) {
    if (bit.closest(".panel").querySelectorAll(".bit").length < 64) continue;
    const top = Math.round(bit.getBoundingClientRect().top);
    rows.set(top, (rows.get(top) ?? 0) + 1);
  }
  return [...rows.values()];
}"""


# --- the code as fields, copies, the neighbours ---------------------------------------------------------------------


def test_the_code_can_be_typed_in_hexadecimal_and_as_an_integer(open_page):
    page = open_page("number?x=0.1")
    code, integer = page.get_by_label("code", exact=True).first, page.get_by_label("as an integer").first
    assert (code.input_value(), integer.input_value()) == ("0x2E66", "11878")
    code.fill("3c01")
    assert page.get_by_label("Number", exact=True).input_value() == "1.0009765625"
    assert integer.input_value() == "15361"
    integer.fill("32768")
    assert page.get_by_label("Number", exact=True).input_value() == "-0"
    code.fill("0x12345")
    assert code.get_attribute("aria-invalid") == "true"
    assert "from 0x0000 to 0xFFFF" in page.locator(".codes .note").first.inner_text()
    assert number(page) == "0x8000"
    code.blur()
    assert code.input_value() == "0x8000"
    assert code.get_attribute("aria-invalid") is None
    code.fill("0x7C01")
    assert fact(page, "class") == "signaling NaN"


def test_code_decimal_hexadecimal_and_bits_can_be_copied(open_page):
    page = open_page("number?x=-0.1", permissions=["clipboard-read", "clipboard-write"])
    texts = {
        "the code": "0xAE66",
        "the exact decimal": fs.to_text(-0.1, "binary16", "exact"),
        "the hexadecimal number": fs.to_text(-0.1, "binary16", "hex"),
        "the bits": "1_01011_1001100110",
        "the fraction": "-819/8192",
    }
    for what, text in texts.items():
        button = page.get_by_role("button", name=f"Copy {what}", exact=True)
        button.click()
        page.wait_for_function("navigator.clipboard.readText().then((text) => text !== '')")
        assert button.inner_text() == "Copied"
        assert page.evaluate("navigator.clipboard.readText()") == text
        assert fs.parse(text) == fs.parse("-819/8192") if what not in ("the code", "the bits") else text


def test_the_neighbours_stand_beside_the_bits_and_can_be_chosen(open_page):
    page = open_page("number?x=1")
    picture = page.locator(".near-picture").first
    assert "0x3BFF" in picture.text_content()
    assert "0x3C01" in picture.text_content()
    bits_box, box = page.locator(".stored").first.bounding_box(), page.locator(".near").first.bounding_box()
    assert box["x"] >= bits_box["x"] + bits_box["width"]
    picture.locator(".pick", has_text="0x3C01").click()
    assert number(page) == "0x3C01"
    page.get_by_label("Number", exact=True).fill("65504")
    assert "∞" in picture.text_content()
    page.get_by_label("Number", exact=True).fill("nan")
    assert picture.is_hidden()


# --- formats that flush and saturate --------------------------------------------------------------------------------


def test_a_format_that_flushes_and_saturates_is_made_from_a_named_one(open_page):
    page = open_page("number?x=1e-6")
    page.get_by_label("Format", exact=True).select_option("custom")
    page.get_by_label("subnormals").first.select_option("flush_to_zero")
    assert fact(page, "stored") == "0"
    assert fact(page, "flags") == "underflow, inexact"
    page.get_by_label("beyond the range").first.select_option("true")
    page.get_by_label("Number", exact=True).fill("1e9")
    assert fact(page, "stored") == "65504"
    name = page.evaluate("fp16sim.store.get().format")
    assert fs.get_format(name) == replace(fs.BINARY16, saturate=True, subnormals="flush_to_zero")
    assert page.evaluate(HASH) == f"#number?x=1e9&format={name}"


def test_a_code_that_the_format_would_flush_can_still_be_looked_at(open_page):
    page = open_page("number?x=0&format=binary16,subnormals=flush_to_zero")
    for code in ("0x0001", "0x0002"):
        page.get_by_label("Number", exact=True).press("ArrowUp")
        assert number(page) == code
        assert fact(page, "class") == "positive subnormal number"
    page.get_by_label("Number", exact=True).fill("2^-24")
    assert number(page) == "0x0000"


# --- all formats ----------------------------------------------------------------------------------------------------

TABLE = """() => [...document.querySelectorAll(".stacks tbody tr")].filter((row) => row.checkVisibility())
  .map((row) => [...row.children].map((cell) => cell.textContent))"""


@pytest.mark.parametrize("x", ["0.1", "1/3", "70000", "2^-30", "1.5", "-1e-45", "448", "inf", "65520", "0", "-449"])
def test_all_formats_at_once_are_those_of_compare_the_most_accurate_first(open_page, x):
    page = open_page(f"formats?x={x}")
    rows = {row[0]: row for row in page.evaluate(TABLE)}
    anatomies = fs.explain.compare(x, NAMED_FORMATS).rows
    assert set(rows) == {a.fmt.name for a in anatomies}
    for a in anatomies:
        _, _, ulps, _, flags, code = rows[a.fmt.name]
        assert code == a.number.hex
        assert flags == (", ".join(a.rounding.flags) or "none")
        assert (ulps == "exact") == (a.error == 0)
        assert (ulps == "–") == (a.error is None)
    errors = {a.fmt.name: a.error for a in anatomies}
    *others, last = rows
    assert last == "e8m0fnu"  # for scales, not for numbers
    shown = [abs(errors[name]) for name in others if errors[name] is not None]
    assert shown == sorted(shown)
    assert not any(errors[name] is not None for name in others[len(shown) :]) or x == "inf"


def test_a_format_of_ones_own_is_among_all_formats_and_each_name_opens_its_bits(open_page):
    page = open_page("formats?x=0.1&format=e5m4")
    assert len(page.evaluate(TABLE)) == 1 + len(NAMED_FORMATS)
    page.get_by_role("link", name="e5m4", exact=True).click()
    assert page.evaluate(HASH) == "#number?format=e5m4"
    assert len(page.locator(".panel:visible .bit").all()) == 10
    page.evaluate(FOLLOW, "formats?x=nan")
    *_, without_nan, scale = page.evaluate(TABLE)
    assert "no code for NaN" in without_nan[1]
    assert scale[:2] == ["e8m0fnu", "NaN"]
    page.evaluate(FOLLOW, "formats?x=-1.5")
    assert page.evaluate(TABLE)[-1] == ["e8m0fnu", "NaN", "–", "–", "invalid", "0xFF"]
    assert "1 has no such number, and stores NaN" in page.locator("main").inner_text()
    page.evaluate(FOLLOW, "formats?x=0x3F7F&format=bfloat16")
    assert page.locator("tr:has-text('bfloat16') td").nth(1).inner_text() == "exact"


def test_a_probability_is_written_in_one_way(open_page):
    page = open_page("arithmetic?op=add&a=0.1&b=0.2&mode=stochastic")
    text = page.locator("[aria-label=Steps]").inner_text()
    assert "0.5 ulp is cut off, which is the probability" in text
    assert "with probability 0.72" in text
    assert "probability 1/" not in text
