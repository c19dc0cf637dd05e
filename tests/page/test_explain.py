"""The page explains as `fp16sim.explain` does: the same steps, by the same names, from the same operands."""

import random

import pytest

import fp16sim as fs
from fp16sim import cases, exact

from ..support import DETERMINISTIC, count_cases, first

STEPS = """([name, mode, cases]) => {
  const s = fp16sim, fmt = s.format(name), wider = ["binary32", "binary64"].map(s.format);
  const text = (code) => (code === null || code === undefined ? null : String(code));
  const side = (n) => [text(n.code), n.distance && s.fractionText(n.distance), n.chosen];
  return cases.map(([operation, texts]) => {
    const inputs = texts.map((t) => ({ text: t, ...s.readNumber(t, fmt) }));
    const e = s.explain(operation, inputs, fmt, mode, 0n, wider), r = e.rounding, x = e.exact;
    const digits = !["special", "flushed_input"].includes(r.rule);
    return {
      operands: e.operands.map((o) => [text(o.code), o.rounding?.rule ?? null]),
      exact: [x.rule, s.fractionText(x.value), x.shift, x.shifted ?? null],
      normalised: digits ? [x.exponent, x.normalisation] : null,
      rounding: digits ? [r.case, r.rule, r.exponent, r.quantumExponent, text(r.kept), r.guard, r.round, r.sticky,
        text(r.rounded), r.carry, r.flushed, r.overflowRule] : [r.case, r.overflowRule],
      neighbours: digits ? [side(r.below), side(r.above)] : null,
      result: text(e.result.code), flags: e.flags,
      modes: e.modes.filter((m) => !m.mode.startsWith("stochastic")).map((m) => [m.mode, text(m.code), m.flags]),
      lottery: e.lotteries.at(-1).outcomes.map((t) => [text(t.code), s.fractionText(t.probability)]).sort(),
      detours: digits ? e.detours.map((d) => [d.via, text(d.code), d.differs]) : null,
    };
  });
}"""


def plain(value):
    return str(value) if not (isinstance(value, float) and value == 0) else "-0"


def steps(operation, texts, fmt, mode):
    """What STEPS says, read off Python's records."""
    e = getattr(fs.explain, operation)(*texts, fmt, mode)
    r, x = e.rounding, e.exact
    digits = r.rule not in ("special", "flushed_input")

    cut = [r.rule, r.exponent, r.quantum_exponent, str(r.kept), r.guard, r.round, r.sticky]
    cut += [str(r.rounded), r.carry, r.flushed, r.overflow_rule]

    # To a zero there is nothing to align: the page says that instead.
    shift = [x.shift, x.shifted] if all(t.integer for t in x.terms) else [None, None]

    def side(n):
        return [None if n.code is None else str(n.code), None if n.distance is None else str(n.distance), n.chosen]

    return {
        "operands": [[str(o.number.code), o.rounding and o.rounding.rule] for o in e.operands],
        "exact": [
            x.rule,
            plain(x.value),
            *shift,
        ],
        "normalised": [x.exponent, x.normalisation] if digits else None,
        "rounding": [r.case, *cut] if digits else [r.case, r.overflow_rule],
        "neighbours": [side(r.below), side(r.above)] if digits else None,
        "result": str(e.result.code),
        "flags": list(e.flags),
        "modes": [[str(m.mode), str(m.outcomes[0].code), list(m.flags)] for m in e.modes if not m.mode.random],
        "lottery": sorted([str(o.code), str(o.probability)] for o in e.modes[-1].outcomes),
        "detours": [[d.via, str(d.code), d.differs] for d in e.detours] if digits else None,
    }


def drawn(fmt, count):
    """Operations on interesting values, and on numbers that the format does not hold."""
    numbers = cases.values(fmt) if fmt.has_negative_zero else fs.all_values(fmt)
    chosen, held = random.Random(fmt.name), [exact.as_exact(x) for x in numbers if x == x]
    odd = ["0.1", "0.2", "1/3", "1e-9", "3.14159", "65519", "-65520", "1e39", "2^-25", "2049"]
    for i in range(count):
        operation, arity = (("add", 2), ("subtract", 2), ("multiply", 2), ("divide", 2), ("fma", 3))[i % 5]
        texts = [chosen.choice(odd) if chosen.random() < 0.2 else plain(chosen.choice(held)) for _ in range(arity)]
        yield operation, texts


FLUSHING = [f"e5m2,subnormals={way}" for way in ("flush_to_zero", "flush_to_nearest", "flush_inputs")]


UNLIKE = ["e4m3fnuz", "e8m0fnu", "binary8p3ue", "binary8p1", "e5m2fnuz,saturate=true", "binary6p4uf,saturate=true"]


@pytest.mark.parametrize(
    "fmt", ["binary16", "bfloat16", "e4m3fn", "e2m1fn", "e4m3_ieee,saturate=true", *FLUSHING, *UNLIKE]
)
def test_the_page_explains_as_python_does(core, fmt):
    fmt = fs.get_format(fmt)
    for mode in DETERMINISTIC:
        given = list(drawn(fmt, 30))
        if not fmt.has_nan:
            given = [g for g in given if g[0] != "divide"]
        for (operation, texts), page in zip(given, core.evaluate(STEPS, [fmt.name, mode.value, given]), strict=True):
            expected = steps(operation, texts, fmt, mode)
            for name, value in expected.items():
                assert page[name] == value, f"{operation} {texts} in {fmt} {mode}: {name}"
        count_cases(len(given), "page")


LOTTERIES = """([name, mode, cases]) => cases.map(([operation, texts]) => {
  const s = fp16sim, fmt = s.format(name), inputs = texts.map((t) => ({ text: t, ...s.readNumber(t, fmt) }));
  const { lotteries } = s.explain(operation, inputs, fmt, mode);
  return lotteries.map(({ outcomes }) => outcomes.map((t) => [String(t.code), s.fractionText(t.probability)]).sort());
})"""


@pytest.mark.parametrize("mode", first(1, ["stochastic_3_half", "stochastic_1", "stochastic_8_half"]))
def test_both_neighbours_have_the_probabilities_that_few_random_bits_give_them(core, mode):
    given = list(drawn(fs.BINARY16, 40))
    for (operation, texts), page in zip(given, core.evaluate(LOTTERIES, ["binary16", mode, given]), strict=True):
        why = getattr(fs.explain, operation)(*texts, "binary16", mode, rng=0)
        expected = [sorted([str(o.code), str(o.probability)] for o in m.outcomes) for m in why.modes if m.mode.random]
        assert page == expected, f"{operation} {texts} in {mode}"
    count_cases(len(given), "page")


ALIKE = ("rounding", "neighbours", "result", "flags", "modes", "lottery", "detours")


@pytest.mark.parametrize(
    "fmt",
    ["binary16", "e4m3fn", "e5m4,saturate=true,subnormals=flush_inputs", *FLUSHING, *UNLIKE, "e8m0fnu,saturate=true"],
)
def test_the_page_explains_a_rounding_as_python_does(core, fmt):
    texts = [
        "0.1",
        "65519",
        "65520",
        "-65536",
        "2^-25",
        "1e-9",
        "1/3",
        "-448.5",
        "464",
        "1e39",
        "0",
        "-0",
        "inf",
        "nan",
    ]
    for mode in DETERMINISTIC:
        given = [("round", [text]) for text in texts]
        for text, page in zip(texts, core.evaluate(STEPS, [fmt, mode.value, given]), strict=True):
            expected = steps("rounding", [text], fmt, mode)
            assert {k: page[k] for k in ALIKE} == {k: expected[k] for k in ALIKE}, f"{text} in {fmt} {mode}"
        count_cases(len(given), "page")


WORDS = """([name, mode, operation]) => {
  const s = fp16sim, fmt = s.format(name), wrong = [];
  const typed = Array.from({ length: 1 << fmt.width }, (_, code) => "0x" + code.toString(16)).concat(["0.3", "1e9"]);
  const read = typed.map((text) => ({ text, ...s.readNumber(text, fmt) }));
  const pairs = operation === "round" ? read.map((x) => [x]) : read.flatMap((a) => read.map((b) => [a, b]));
  const text = (step) => {
    const p = document.createElement("p");
    p.append(...step.body.flat(9).filter(Boolean));
    return p.textContent;
  };
  const said = (steps, title) => steps.filter((step) => step.title === title).map(text).join(" ");
  for (const inputs of pairs) {
    const e = s.explain(operation, inputs, fmt, mode);
    if (e.refused) continue;
    const steps = s.stepsOf(e), words = said(steps, "Decide") + said(steps, "A special case");
    const agree = [
      words.includes("overflow") === e.rounding.flags.includes("overflow"),
      said(steps, "Operands").includes("overflow") === e.operands.some((x) => x.flags.includes("overflow")),
      !words.includes("Nothing is cut off") || e.rounding.flags.length === 0,
      said(steps, "Neighbours").includes("no neighbour") === (e.exact.rule === "digits" && !e.rounding.flags.length),
      !words.includes("no flag") || e.exact.flags.length === 0,
    ];
    if (agree.includes(false)) wrong.push([inputs.map((x) => x.text).join(" "), e.flags.join(), agree, words]);
  }
  return [pairs.length, wrong.slice(0, 5)];
}"""


OTHERS = [
    "binary5p2se",
    "binary5p3uf",
    "binary5p1ue,saturate=true",
    "width=5,precision=1,specials=one_nan,signed=false,zero=false",
]


@pytest.mark.parametrize("operation", ["add", "multiply", "divide", "round"])
@pytest.mark.parametrize(
    "fmt", ["e2m2", "e2m2,specials=nan", "e2m1fn", "e2m2,subnormals=flush_inputs,saturate=true", *OTHERS]
)
def test_the_words_of_the_page_agree_with_the_flags_of_all_pairs(core, fmt, operation):
    for mode in DETERMINISTIC:
        compared, wrong = core.evaluate(WORDS, [fmt, mode.value, operation])
        assert not wrong, f"{operation} in {fmt} {mode}: {wrong}"
        count_cases(compared, "page: words")
