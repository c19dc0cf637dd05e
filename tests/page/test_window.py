"""A matrix unit in the page: results, kept and cut bits of `explain.dot`, for every row of the table; and the view."""

import math
import random
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.accumulators import TensorCore
from fp16sim.accumulators.machines import DATAPATHS, MACHINES
from fp16sim.formats import get_format
from fp16sim.hardware import model_of

from ..support import count_cases, first
from .conftest import FOLLOW

ROWS = [path for path in DATAPATHS if not path.scales]
DRAWN = ("aligned", "exact", "in_halves")

COMPUTED = """([row, cases]) => {
  const s = fp16sim, { path } = s.units.find(row);
  const text = (x) => s.fractionText(x).replace(/^-0$/, "0");
  return cases.map(([a, b, c]) => {
    const decoded = (codes) => codes.map((code) => s.decode(BigInt(code), path.factors));
    const [left, right, start] = [decoded(a), decoded(b), s.decode(BigInt(c), path.output)];
    const { sums, value } = s.runUnit(path, left, right, start);
    const isNumber = [...left, ...right, start].every((x) => x.kind === "finite");
    const wider = isNumber ? s.widerWindow(path, left, right, start, value) : null;
    return {
      code: Number(s.encodeHeld(value, path.output)),
      sums: sums.filter((sum) => sum.terms).map((sum) => [sum.name, sum.highest, sum.bits,
        sum.terms.map((term) => [term.name, term.exponent, text(term.kept), text(term.lost)]),
        text(sum.total), text(sum.result)]),
      orders: isNumber ? s.otherOrders(path, left, right, start).map((one) => [one.order, text(one.value)]) : [],
      wider: wider && [text(wider.value), wider.more],
    };
  });
}"""


def text_of(value):
    return str(value) if isinstance(value, Fraction) else str(float(value))


def drawn_codes(chosen, fmt, count):
    """Codes near each other or anywhere, of either sign, with zeros, the ends of the format and NaN among them."""
    middle, spread = chosen.randrange(1 << fmt.width), chosen.choice([3, 5, fmt.width - 1, fmt.width])
    sign, last = 1 << (fmt.width - 1), (1 << fmt.width) - 1
    odd = [0, 1, 2, sign, last, last - sign]

    def code():
        if chosen.random() < 0.05:
            return chosen.choice(odd)
        return middle ^ chosen.randrange(1 << min(spread, fmt.width)) ^ (chosen.getrandbits(1) * sign)

    return [code() for _ in range(count)]


def drawn_case(chosen, path):
    """Factors and c as codes: fewer than a group of products, one more, several groups."""
    count = chosen.choice([1, 2, 3, path.group, path.group + 1, 2 * path.group + 3])
    factors = get_format(path.factors)
    start = drawn_codes(chosen, path.output, 1)[0] if chosen.random() < 0.6 else 0
    return drawn_codes(chosen, factors, count), drawn_codes(chosen, factors, count), start


def power(*exponents):
    return [2.0**e for e in exponents]


HARD = [  # a, b, c
    (power(-12, -15), power(-12, -16), 1.0),  # a tie, and the last bit that CDNA 3 keeps of products beside c
    (power(64), power(64), 0.0),  # 2^128
    (power(64, 64), [*power(64), -(2.0**64)], 0.0),
    (power(63, 63), power(64, 64), 2.0**127),
    (power(-63), power(-64), 0.0),  # a result below the normal numbers of binary32
    (power(-130, 0), power(10, -118), 0.0),  # a factor below those of bfloat16
    (power(-70, -75), power(-70, -74), 2.0**-145),  # below the least exponent of some models
    (power(0, -6), [1.0, -1.0], -(2.0**-30)),  # what rounding down takes from c
    (power(0), power(0), -(2.0**-40)),
    ([2.0**-9 * 3, 2.0**-9], [0.75, 448.0], 0.0),  # subnormal in eight bits, normal in binary16
    ([1.0, -1.0, 2.0**-9], [1.0, 1.0, 0.0], -0.0),
]


def hard_cases(path):
    """Those of HARD that have room in the formats: rounded, and saturated."""
    factors = get_format(path.factors)
    for a, b, c in HARD:
        left, right = (fs.encode(fs.round_to(np.array(x), factors, saturate=True), factors).tolist() for x in (a, b))
        yield left, right, int(fs.encode(fs.round_to(c, path.output, saturate=True), path.output))


def compare_row(core, path, count, every=1):
    """The hard dot products of a row of the table and so many others, in the page and in Python; the terms of some."""
    chosen = random.Random(f"{path} {count}")
    fmt = get_format(path.factors)
    cases = [*hard_cases(path), *(drawn_case(chosen, path) for _ in range(count))]
    row = {"machine": path.machine, "factors": fmt.name, "output": path.output.name, "model": path.model}
    unit = TensorCore(path.machine, path.output, fmt, model=path.model)
    assert unit.path == path
    for k, ((left, right, start), got) in enumerate(zip(cases, core.evaluate(COMPUTED, [row, cases]), strict=True)):
        a, b, c = fs.decode(np.array(left), fmt), fs.decode(np.array(right), fmt), float(fs.decode(start, path.output))
        where = f"{row}: a={left}, b={right}, c={start}"
        with np.errstate(all="ignore"):
            value = float(unit.dot(a, b, c))
        found = float(fs.decode(got["code"], path.output))
        assert (found == value and got["code"] == fs.encode(value, path.output)) or math.isnan(found + value), where
        if k % every == every - 1 and np.isfinite([*a, *b, c]).all():
            compare_sums(path, unit, (a.tolist(), b.tolist(), c), got, where)
    count_cases(len(cases), "page: matrix units")


def compare_sums(path, unit, given, got, where):
    """Every term of every sum, other orders, and wider windows."""
    a, b, c = given
    model = model_of(path)
    if path.step in DRAWN and not math.isnan(unit.dot(a, b, c)):
        why = fs.explain.dot(a, b, unit.factors, accumulator=unit, c=c).alignment
        sums = [
            [
                *(group.name, group.highest, group.bits),
                [[term.name, term.exponent, str(term.kept), str(term.lost)] for term in group.terms],
                *(str(group.total), text_of(group.result)),
            ]
            for group in why.groups
        ]
        assert got["sums"] == sums, where
        assert got["orders"] == [[one.order, text_of(one.value)] for one in why.orders], where
    else:
        assert got["sums"] == []
        np.testing.assert_equal(float_of(got["orders"][0][1]), model.dot(a[::-1], b[::-1], c))
    if path.step == "aligned":
        endless, more = got["wider"]
        result = model.dot(a, b, c)
        assert float_of(endless) == replace(model, bits=None).dot(a, b, c), where
        assert (more == 0) == (result == float_of(endless)), where
        if more:
            wide, narrow = (replace(model, bits=path.bits + n).dot(a, b, c) for n in (more, more - 1))
            assert wide == float_of(endless) != narrow, where


def float_of(text):
    return float(text) if "n" in text else float(Fraction(text))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("machine", MACHINES)
def test_results_and_cut_bits_are_those_of_python(core, machine):
    for path in ROWS:
        if path.machine == machine:
            compare_row(core, path, 1, every=12)


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("machine", MACHINES)
def test_a_hundred_dot_products_of_each_row_agree_with_python(core, machine):
    for path in ROWS:
        if path.machine == machine:
            compare_row(core, path, 100)


def test_the_page_offers_every_row_of_the_table_and_no_other(core):
    offered = core.evaluate("""() => {
      const { units } = fp16sim, rows = [];
      for (const machine of units.machines)
        for (const factors of units.all("factors"))
          for (const output of units.all("output"))
            for (const model of units.all("model")) {
              const row = { machine, factors, output, model }, { path, fitting } = units.find(row);
              if (["machine", "factors", "output", "model"].every((key) => fitting[key] === row[key]))
                rows.push([machine, factors, output, model, path.evidence]);
            }
      return rows;
    }""")
    table = {
        (row.machine, row.factors, row.output, row.source): row.evidence
        for row in fs.hardware.table().rows
        if not row.scales
    }
    assert {tuple(row[:4]): row[4] for row in offered} == table


# --- the view -------------------------------------------------------------------------------------------------------

STATE = "fp16sim.store.get()"
VOLTA = "window?machine=volta&factors=binary16&left=1,2^-12,3*2^-14,-1,0.5&right=1,2^-12,2^-12,1,1&start=2^-20"


def rows_of(page, table):
    rows = page.locator(f".{table} tbody tr").all()
    return [[text.strip() for text in row.locator("th, td").all_inner_texts()] for row in rows]


def test_the_view_shows_every_term_what_is_cut_off_and_the_result(open_page):
    page = open_page(VOLTA)
    unit = TensorCore("volta")
    why = fs.explain.dot(
        [1, 2.0**-12, 3 * 2.0**-14, -1, 0.5], [1, 2.0**-12, 2.0**-12, 1, 1], accumulator=unit, c="2^-20"
    )
    group = why.alignment.groups[0]
    rows = rows_of(page, "terms")
    for term, shown in zip(group.terms, rows, strict=True):
        assert shown[0] == term.name
        assert [fs.exact.parse(text) for text in (shown[2], shown[4], shown[5])] == [term.value, term.kept, term.lost]
        assert int(shown[3].replace("−", "-")) == term.exponent
    cut = page.locator(".term .cut-cell")
    ones = sum(f"{abs(int(term.lost * 2**40)):b}".count("1") for term in group.terms)
    assert page.locator(".term .cut-cell.one").count() == ones
    assert cut.count() >= ones > 0
    assert page.get_by_role("slider").count() == len(group.terms)
    summary = page.locator(".reading:visible").inner_text()
    assert f"0x{fs.encode(float(why.total), 'binary32'):08X}" in summary
    assert "2 terms lose bits" in summary
    page.get_by_role("button", name="s2").click()
    assert [row[0] for row in rows_of(page, "terms")] == ["s1", "p4"]
    assert page.evaluate(STATE)["sum"] == "s2"


@pytest.mark.exhaustive
def test_another_order_and_a_wider_window_are_told_with_their_results(open_page):
    page = open_page("window?machine=volta&factors=binary16&left=1,2^-12,-1,0.5,-0.5&right=1,2^-12,1,1,1")
    said = page.locator(".window-view .card").nth(2).inner_text()
    assert "from the largest to the smallest, the result would be 2⁻²⁴" in said
    assert "A window of 24 bits, like one without an end, would give 2⁻²⁴" in said
    page.evaluate(FOLLOW, "window?machine=volta&factors=binary16&left=1,2&right=3,4")
    said = page.locator(".window-view .card").nth(2).inner_text()
    assert "three other orders give the same result. A wider window would change nothing." in said


@pytest.mark.parametrize(
    "state", first(1, [VOLTA, "window?machine=cdna3&factors=binary16&left=0.1,3&right=7,0.25&start=0.5"])
)
def test_the_line_of_python_gives_what_the_page_shows(open_page, state):
    page = open_page(state)
    why = eval(page.locator(".window-view .python").inner_text(), {"fs": fs})
    code = fs.encode(float(getattr(why, "total", why)), "binary32")
    assert f"0x{code:08X}" in page.locator(".reading:visible").inner_text()


def test_a_step_that_is_not_drawn_says_so_and_still_has_its_result(open_page):
    page = open_page("window?machine=cdna1&factors=bfloat16&left=1,2,3&right=1,1,0.5")
    assert (
        "This page does not draw the steps of cdna1: products are added in pairs" in page.locator("main").inner_text()
    )
    assert page.locator(".window-picture").is_hidden()
    assert (
        "cdna1, bfloat16 to binary32: 4.5 (0x40900000). This is the exact sum."
        in page.locator(".reading:visible").inner_text()
    )


def test_arrows_choose_a_term_and_move_it_by_one_place(open_page):
    page = open_page("window?left=1,0.5,2^-9&right=1,1,1")
    page.get_by_role("slider", name="p2").focus()
    for key, left, term in (
        ("ArrowUp", "1,0.5,2^-9", "p1"),
        ("ArrowLeft", "1,1,2^-9", "p1"),
        ("PageDown", "1,0.00390625,2^-9", "p1"),
        ("-", "1,-0.00390625,2^-9", "p1"),
        ("0", "1,0,2^-9", "p1"),
        ("ArrowLeft", "1,0.001953125,2^-9", "p1"),
        ("End", "1,0.001953125,2^-9", "p2"),
        ("ArrowRight", "1,0.001953125,2^-9", "p2"),  # no smaller number: b moves instead
        ("Home", "1,0.001953125,2^-9", "s0"),
    ):
        page.keyboard.press(key)
        assert (page.evaluate(STATE)["left"], page.evaluate(STATE)["term"]) == (left, term), key
    assert page.evaluate(STATE)["right"] == "1,1,0.5"
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(STATE)["start"] == "2^-149"


@pytest.mark.exhaustive
def test_a_term_is_dragged_out_of_the_window(open_page):
    page = open_page("window?left=1,0.5&right=1,1")
    before = page.evaluate("history.state.at")
    box = page.get_by_role("slider", name="p1").bounding_box()
    cell = page.locator(".kept-cell").first.bounding_box()["width"] + 1  # with its edge
    x, y = box["x"] + 200, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 7 * cell, y, steps=9)
    page.mouse.up()
    assert page.evaluate(STATE)["left"] == "1,0.00390625"
    assert page.evaluate("history.state.at") == before + 1
    page.get_by_role("button", name="Undo").click()
    page.wait_for_function("fp16sim.store.get().left === '1,0.5'")


def test_only_what_the_table_has_can_be_chosen_and_an_address_says_what_it_lacks(open_page):
    page = open_page("window")
    page.get_by_label("Machine").select_option("volta")
    assert page.evaluate(STATE) | {"factors": "binary16", "output": "binary32"} == page.evaluate(STATE)
    enabled = page.locator("select[data-key=factors] option:not([disabled])").all_inner_texts()
    assert enabled == ["binary16"]
    page.get_by_label("According to").select_option("mma_sim")
    assert "Evidence: simulator (Xie" in page.locator(".evidence").inner_text()
    assert page.evaluate("location.hash") == "#window?machine=volta&factors=binary16&model=mma_sim"
    page.evaluate(FOLLOW, "window?machine=volta&factors=e5m2&model=fasi")
    told = page.locator(".notice").inner_text()
    assert "factors=e5m2 is not in the table for volta, and binary16 is shown" in told
    assert "model=fasi is not in the table for volta, and the first source is shown" in told


def test_what_cannot_be_read_is_told_beside_its_field(open_page):
    page = open_page("window?left=1,2,3&right=1,2")
    assert "a has 3 numbers and b has 2" in page.locator(".note.wrong:visible").inner_text()
    assert page.get_by_text("Nothing to show: type the factors").is_visible()
    page.get_by_label("b: second factors").fill("")
    assert "hopper, e4m3fn to binary32: 6 (0x40C00000)" in page.locator(".reading:visible").inner_text()
    page.get_by_label("a: first factors").fill("[1, 0.1]")
    assert "1 number of a is rounded to e4m3fn first" in page.locator(".asks").inner_text()
    page.get_by_label("c: the sum").fill("one")
    assert "“one” is not a number" in page.locator(".note.wrong:visible").inner_text()


@pytest.mark.exhaustive
def test_each_example_shows_what_it_says(open_page):
    page = open_page("window")
    seen = {}
    for example in page.get_by_role("group", name="Examples").get_by_role("button").all():
        example.click()
        assert page.locator(".note.wrong:visible").count() == 0
        seen[example.inner_text()] = (
            page.locator(".told:visible").inner_text(),
            page.locator(".reading:visible").inner_text(),
        )
    assert len({words for _, words in seen.values()}) == len(seen) == 9
    assert ": 65536 (" in seen["One large term"][1]
    assert "The window cuts nothing off" in seen["Equal terms"][1]
    assert ": 4096 (" in seen["A large c"][1]
    assert "32 terms lose bits" in seen["A large c"][1]
    assert ": 0 (" in seen["Cancellation"][1]
    for group, kept in ((4, 16), (8, 12), (16, 4)):
        told, words = seen[f"Groups of {group}"]
        assert f"{kept} of 18 are kept" in told
        shown = words.split(": ")[1].split(" (")[0]
        assert fs.exact.parse(shown) == kept * Fraction(1, 2**26)
    assert page.get_by_role("group", name="The sums").get_by_role("button").count() == 3


@pytest.mark.exhaustive
def test_a_change_of_a_dot_product_is_spoken(open_page):
    page = open_page(VOLTA)
    page.get_by_label("c: the sum").fill("1")
    page.locator("#spoken", has_text="volta, binary16 to binary32: 1.5").wait_for(state="attached")
