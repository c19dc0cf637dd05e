/* The third view: one operation in one mode, explained step by step. */

import { asks, choice, formatPicker, modePicker, numberField } from "./controls.js";
import { button, change, fill, h } from "./dom.js";
import { explain } from "./explain.js";
import { OPERATIONS } from "./operations.js";
import { readNumber } from "./parse.js";
import { stepsOf, written } from "./steps.js";
import { shortText } from "./text.js";

const EXAMPLES = [
  ["0.1 + 0.2: three roundings, two of them before the sum.", { op: "add", a: "0.1", b: "0.2", format: "binary16", mode: "ties_to_even" }],
  ["2048 + 1: half an ulp, and the tie goes back to even.", { op: "add", a: "2048", b: "1", format: "binary16", mode: "ties_to_even" }],
  ["An fma that float32 gets wrong.", { op: "fma", a: "3", b: "683", c: "2^-24", format: "binary16", mode: "ties_to_even" }],
  ["65519 toward zero: in range, but only just.", { op: "round", a: "65519", format: "binary16", mode: "toward_zero" }],
  ["Underflow: a product that becomes subnormal.", { op: "multiply", a: "1e-4", b: "0.003", format: "binary16", mode: "ties_to_even" }],
  ["Cancellation: the subtraction is exact, its operands were not.", { op: "subtract", a: "1.001", b: "1", format: "binary16", mode: "ties_to_even" }],
  ["Overflow in a format without infinity.", { op: "multiply", a: "448", b: "2", format: "e4m3fn", mode: "ties_to_even" }],
  ["1 ÷ 3, with a remainder that never ends.", { op: "divide", a: "1", b: "3", format: "bfloat16", mode: "toward_positive" }],
  ["A root is never a tie.", { op: "sqrt", a: "2", format: "binary16", mode: "ties_to_even" }],
  ["A draw of 32 bits decides.", { op: "add", a: "1", b: "2^-12", format: "binary16", mode: "stochastic", draw: "0x10000000" }],
  ["0 ÷ 0", { op: "divide", a: "0", b: "0", format: "binary16", mode: "ties_to_even" }],
];

/** The view of one operation. */
export function arithmeticView(ctx) {
  const fields = { a: numberField(ctx, "a", "a"), b: numberField(ctx, "b", "b"), c: numberField(ctx, "c", "c") };
  const asked = [
    choice(ctx, "op", "Operation", Object.entries(OPERATIONS).map(([op, { label }]) => [op, label])),
    ...Object.values(fields), formatPicker(ctx, "format", "Format"), modePicker(ctx),
  ];
  const headline = h("p", { class: "headline", role: "status" });
  const list = h("ol", { class: "steps", role: "list" });
  const where = h("span", { class: "where", role: "status" });
  const go = (delta) => {
    const count = list.children.length;
    const now = ctx.store.get().step === "all" ? (delta > 0 ? 0 : count + 1) : Number(ctx.store.get().step);
    ctx.store.set({ step: String(Math.min(Math.max(now + delta, 1), count)) });
  };
  const back = button("◀ Back", () => go(-1));
  const on = button("Next step ▶", () => go(1), { class: "primary" });
  const all = button("Show all", () => ctx.store.set({ step: ctx.store.get().step === "all" ? "1" : "all" }), { class: "quiet" });
  const row = h("div", { class: "row", role: "group", "aria-label": "Step through" }, back, on, all, where);
  const element = h("div", {},
    asks(ctx, asked, EXAMPLES),
    h("section", { class: "card", "aria-label": "Steps" }, headline, row, list));

  const update = (state) => {
    const { arity } = OPERATIONS[state.op];
    fields.b.element.hidden = arity < 2;
    fields.c.element.hidden = arity < 3;
    asked.forEach((x) => x.update(state));
    const fmt = ctx.format(state.format);
    const texts = [state.a, state.b, state.c].slice(0, arity);
    const inputs = texts.map((text) => ({ text, ...readNumber(text, fmt) }));
    const wrong = inputs.some((x) => x.error);
    const record = wrong ? null : explain(state.op, inputs, fmt, state.mode, ctx.drawNow(state), ctx.wider);
    const steps = wrong ? [] : stepsOf(record, ctx);
    fill(headline, wrong ? h("span", { class: "soft" }, "Type numbers above.") : headlineOf(record, texts));
    row.hidden = wrong;
    show(steps, state.step);
  };

  const show = (steps, step) => {
    const current = step === "all" ? null : Math.min(Math.max(Math.round(Number(step)) || 1, 1), Math.max(steps.length, 1));
    fill(list, steps.map((x, i) => h("li", { class: i + 1 === current ? "current" : "", "aria-current": i + 1 === current ? "step" : null, hidden: current !== null && i >= current },
      h("h3", {}, x.title), x.body)));
    where.textContent = current ? `step ${current} of ${steps.length}: ${steps[current - 1]?.title ?? ""}` : `${steps.length} steps`;
    fill(all, current ? "Show all" : "One at a time");
    change(back, { disabled: current === 1 || !steps.length });
    change(on, { disabled: current === steps.length || !steps.length });
  };
  return { element, update, warm: update };
}

function headlineOf(record, texts) {
  const names = texts.map((t) => t.trim());
  if (record.refused) return `${written(record.operation, names)}: ${record.refused}`;
  const inexact = record.flags.includes("inexact") ? "→" : "=";
  return [h("span", {}, `${written(record.operation, names)} ${inexact} `), h("strong", {}, shortText(record.result.value, 26)),
    h("span", { class: "soft" }, ` in ${record.fmt.name}`)];
}
