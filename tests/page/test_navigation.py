"""Links, the back button, the tour, examples, the frame in a notebook: the page goes where it is sent."""

import re

import fp16sim as fs
from fp16sim import exact

from .conftest import FOLLOW

STATE = "fp16sim.store.get()"
SHOW = "(changes) => fp16sim.store.set(changes)"
VIEWS = ("number", "formats", "line", "arithmetic", "heatmap", "block", "window")


def test_a_link_restores_all_that_was_seen(open_page):
    page = open_page("arithmetic?op=fma&a=3&b=683&c=2^-24&step=4")
    page.get_by_label("Rounding").last.select_option("stochastic")
    state, link = page.evaluate(STATE), page.evaluate("location.hash")
    assert link == "#arithmetic?mode=stochastic&op=fma&a=3&b=683&c=2^-24&step=4"
    again = open_page(link.removeprefix("#"))
    assert again.evaluate(STATE) == state
    assert again.get_by_label("a", exact=True).input_value() == "3"
    assert again.locator(".steps > li:visible").count() == 4


def test_every_part_of_the_state_survives_the_address(open_page):
    page = open_page()
    odd = {
        "x": "1/3 + ä&=#%",
        "a": "0_01011_1001100110",
        "b": "%zz",
        "format": "1-6-9-nan",
        "beside": "e5m2",
        "draw": "17",
        "values": "1/3,-0,x&y",
        "block": "mxint8",
        "rule": "even",
        "tensor": "1 + 2",
        "pick": "2",
        "machine": "ada",
        "factors": "e5m2",
        "output": "binary16",
        "model": "mma_sim",
        "left": "1,x&y",
        "right": "1/3,2",
        "start": "2 + 1",
        "sum": "s2",
        "term": "p17",
    }
    page.evaluate(SHOW, odd)
    link = page.evaluate("location.hash")
    assert open_page(link.removeprefix("#")).evaluate(STATE) == page.evaluate(STATE)


def test_a_link_from_elsewhere_and_the_back_button_are_followed(open_page):
    page = open_page("number?x=2")
    page.evaluate(FOLLOW, "line?x=3")
    assert page.evaluate(STATE)["x"] == "3"
    page.get_by_role("button", name="Arithmetic").click()
    assert page.locator(".headline").is_visible()
    page.go_back()
    assert page.evaluate(STATE)["view"] == "line"
    page.go_back()
    assert page.evaluate(STATE) | {"view": "number", "x": "2"} == page.evaluate(STATE)
    assert page.get_by_label("Number", exact=True).first.input_value() == "2"


BROKEN = (
    "nowhere?x=1",
    "number?format=float17&mode=up&small=binary64",
    "number?__proto__=1&x=%E0%A4%A",
    "?",
    "line?zoom=1e9&at=x",
    "arithmetic?op=constructor&step=-3",
    "line?zoom=NaN",
    "heatmap?tour=99",
    "arithmetic?step=1e99&draw=-1&mode=stochastic",
)


def test_a_broken_link_still_opens_the_page(open_page):
    page = open_page(BROKEN[0])
    for broken in BROKEN[1:]:
        page.evaluate(FOLLOW, broken)
        assert page.locator("main .card:visible").count() >= 1
    page.evaluate(FOLLOW, "number?format=bf16")
    assert page.evaluate(STATE)["format"] == "bfloat16"


def test_what_is_unknown_in_an_address_is_told_and_forgotten_with_the_next_edit(open_page):
    page = open_page("garbage?format=99-99-99&foo=<b>1&mode=up&zoom=x&tour=99")
    told = page.locator(".notice").inner_text()
    for part in ("garbage is no view", "format=99-99-99 is unknown, and binary16 is shown", "foo=<b>1 is unknown"):
        assert part in told
    assert "mode=up is unknown, and ties_to_even is shown" in told
    assert page.locator(".notice b").count() == 0
    page.get_by_label("Number", exact=True).fill("2")
    assert page.locator(".notice").is_hidden()
    page.evaluate(FOLLOW, "number?format=e4m3&mode=stochastic_33")
    told = page.locator(".notice").inner_text()
    assert "format=e4m3 is more than one format: write e4m3fn (up to 448) or e4m3_ieee (up to 240)" in told
    assert "mode=stochastic_33 is unknown" in told
    named = "number?format=e4m3fn,overflow=pytorch&mode=stochastic_8_half"
    for good in (named, "number?format=1-5-10", "line?zoom=-8&at=0.1", "arithmetic?step=2", ""):
        page.evaluate(FOLLOW, good)
        assert page.locator(".notice").is_hidden(), good


# --- undo -----------------------------------------------------------------------------------------------------------

X = "fp16sim.store.get().x"
ENTRY = "history.state.at"


def shows(page, x):
    page.wait_for_function(f"(x) => {X} === x", arg=x)
    return page.get_by_label("Number", exact=True).first.input_value() == x


def test_typing_a_number_is_one_edit_and_back_undoes_each_edit_without_leaving(open_page):
    page = open_page("number?x=7")
    before = page.evaluate(ENTRY)
    field = page.get_by_label("Number", exact=True)
    field.press("End")
    field.type("23456")
    assert page.evaluate(ENTRY) == before + 1
    page.locator(".bit").last.click()
    page.get_by_role("button", name="Line").click()
    assert page.evaluate(ENTRY) == before + 3
    page.go_back()
    assert page.evaluate(STATE)["view"] == "number"
    page.go_back()
    assert shows(page, "723456")
    page.go_back()
    assert shows(page, "7")
    assert page.evaluate("location.hash") == "#number?x=7"
    page.go_forward()
    assert shows(page, "723456")
    page.wait_for_function("location.hash === '#number?x=723456'")


def test_keys_and_buttons_undo_and_redo(open_page):
    page = open_page("number?x=1")
    undo, redo = page.get_by_role("button", name="Undo"), page.get_by_role("button", name="Redo")
    assert undo.is_disabled()
    assert redo.is_disabled()
    page.locator(".bit").last.click()
    page.get_by_label("Format", exact=True).select_option("bfloat16")
    page.keyboard.press("Control+z")
    page.wait_for_function("fp16sim.store.get().format === 'binary16'")
    page.keyboard.press("Control+z")
    assert shows(page, "1")
    assert undo.is_disabled()
    page.keyboard.press("Control+Shift+z")
    assert shows(page, "1.0009765625")
    page.keyboard.press("Control+y")
    page.wait_for_function("fp16sim.store.get().format === 'bfloat16'")
    assert redo.is_disabled()
    undo.click()
    page.wait_for_function("fp16sim.store.get().format === 'binary16'")
    redo.click()
    page.wait_for_function("fp16sim.store.get().format === 'bfloat16'")
    undo.click()
    page.wait_for_function("fp16sim.store.get().format === 'binary16'")
    page.locator(".bit").first.click()
    assert redo.is_disabled()


def test_a_drag_and_a_held_key_are_one_edit_each(open_page):
    page = open_page("number?x=0")
    before = page.evaluate(ENTRY)
    first, last = (page.locator(".bit").nth(i).bounding_box() for i in (8, 13))
    page.mouse.move(first["x"] + 5, first["y"] + 20)
    page.mouse.down()
    page.mouse.move(last["x"] + 5, last["y"] + 20, steps=20)
    page.mouse.up()
    assert page.evaluate(ENTRY) == before + 1
    field = page.get_by_label("Number", exact=True)
    field.focus()
    for _ in range(5):  # down, and down again without up: a key that is held
        page.keyboard.down("ArrowUp")
    page.keyboard.up("ArrowUp")
    assert page.evaluate(ENTRY) == before + 2
    page.keyboard.press("ArrowUp")
    assert page.evaluate(ENTRY) == before + 3


def test_undo_goes_on_after_a_reload(open_page):
    page = open_page("number?x=1")
    page.get_by_label("Number", exact=True).fill("2")
    page.reload()
    page.get_by_role("button", name="Undo").click()
    assert shows(page, "1")


def test_a_question_mark_lists_the_keys_and_escape_closes_them(open_page):
    page = open_page("number?x=1")
    page.get_by_label("Number", exact=True).focus()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    assert "Ctrl Z" in dialog.inner_text()
    page.keyboard.press("Escape")
    assert dialog.is_hidden()
    assert page.get_by_label("Number", exact=True).input_value() == "1"
    page.get_by_role("button", name="Keys").click()
    dialog.get_by_role("button", name="Close").click()
    assert dialog.is_hidden()


def test_every_view_has_a_legend(open_page):
    page = open_page()
    for view in VIEWS:
        page.evaluate(SHOW, {"view": view})
        assert page.locator(".legend-line:visible, .legend:visible").count() == 1


# --- the tour and the examples --------------------------------------------------------------------------------------


def test_the_tour_has_eleven_stations_and_each_can_be_linked(open_page):
    page = open_page()
    page.get_by_role("button", name="Tour", exact=True).click()
    titles = set()
    for station in range(1, 12):
        assert page.locator(".tour .where").inner_text() == f"Station {station} of 11"
        titles.add(page.locator(".tour h2").inner_text())
        state = page.evaluate(STATE)
        assert state["tour"] == str(station)
        assert page.evaluate("(i) => fp16sim.stations[i - 1].state", station).items() <= state.items()
        page.locator(".tour .primary").click()
    assert len(titles) == 11
    assert page.locator(".tour").is_hidden()
    page.go_back()
    assert page.locator(".tour h2").inner_text() == "What does one large number do to its block?"


def test_what_the_tour_says_is_true(open_page):
    page = open_page()
    stations = {s["title"]: s["text"] for s in page.evaluate("fp16sim.stations")}
    assert exact.round_to("0.1") < exact.parse("0.1")
    assert "a little smaller" in stations["Why is 0.1 not 0.1?"]
    assert (exact.encode(65504), fs.BINARY16.max_finite) == (0b0_11110_1111111111, 65504)
    assert fs.ulp(2048.0) == 2
    assert exact.add(2048, 1) == 2048
    assert (exact.round_to(65520), exact.round_to("65519.99")) == (exact.INF, 65504)
    assert exact.fma(3, 683, "2^-24") == 2050
    assert exact.round_to(exact.round_to(exact.parse("2049") + exact.parse("2^-24"), "binary32")) == 2048
    assert exact.round_to(70000) == exact.INF
    state = page.evaluate("fp16sim.stations[10].state")
    block = fs.explain.block(state["values"].split(","), state["block"])
    assert (block.amax, block.count("vanished")) == (6, 7)
    assert "seven of the others become 0" in stations["What does one large number do to its block?"]
    third = exact.parse("1/3")
    assert abs(exact.round_to(third) - third) < abs(exact.round_to(third, "bf16") - third)


EXAMPLES = """() => {
  const view = fp16sim.store.get().view, said = new Set();
  const [example] = [...document.querySelectorAll("button.example")].filter((b) => b.checkVisibility());
  for (let i = 0; i < 12; i++) {
    example.click();
    if (fp16sim.store.get().view !== view) throw new Error("an example left its view");
    if (document.querySelector(".note.wrong")?.checkVisibility()) throw new Error("an example is no number");
    said.add(example.nextSibling.textContent);
  }
  return [...said];
}"""


def test_every_view_has_examples_that_can_be_shown_one_after_another(open_page):
    page = open_page()
    for view in VIEWS[:-2]:  # those of blocks and of matrix units have a button for each
        page.evaluate(SHOW, {"view": view})
        assert len(page.evaluate(EXAMPLES)) >= 4
    page.locator("button.example:visible").click()
    assert page.locator(".told:visible").inner_text()


# --- in a notebook --------------------------------------------------------------------------------------------------


def test_the_page_works_in_the_frame_of_a_notebook(open_page, tmp_path):
    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<!doctype html><title>n</title>{fs.page.show('number?x=1')._repr_html_()}", encoding="utf-8")
    page = open_page(url=notebook.as_uri())
    frame = page.frame_locator("iframe")
    frame.locator(".bit").last.click()
    assert frame.locator(".panel:visible code").first.inner_text() == "0x3C01"
    frame.get_by_role("button", name="Undo").click()
    assert frame.locator(".panel:visible code").first.inner_text() == "0x3C00"
    frame.get_by_role("button", name="Redo").click()
    assert frame.locator(".panel:visible code").first.inner_text() == "0x3C01"
    frame.get_by_role("button", name="Tour", exact=True).click()
    assert re.match("Station 1 of 11", frame.locator(".tour .where").inner_text())
    frame.get_by_role("button", name="Pairs").click()
    frame.get_by_role("link", name="Show its steps").click()
    assert frame.locator(".headline").is_visible()
    assert page.url == notebook.as_uri()
