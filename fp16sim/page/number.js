/* The first view: a number, and what one or two formats make of it. */

import { asks, formatPicker, modePicker, numberField } from "./controls.js";
import { h } from "./dom.js";
import { formatPanel } from "./panel.js";

const EXAMPLES = [
  ["0.1 is no sum of powers of two.", { x: "0.1", format: "binary16", beside: "" }],
  ["The largest number below 1: all bits below the exponent are ones.", { x: "0x3F7F", format: "bfloat16", beside: "" }],
  ["One number, two formats: one has range, the other digits.", { x: "3.14159265", format: "binary16", beside: "bfloat16" }],
  ["The smallest subnormal of binary16, and its place in bfloat16.", { x: "2^-24", format: "binary16", beside: "bfloat16" }],
  ["A third of a million in eight bits.", { x: "1/3", format: "e4m3fn", beside: "e5m2" }],
  ["65520 lies halfway from the largest number to where the next would be.", { x: "65520", format: "binary16", beside: "bfloat16" }],
  ["A NaN with a payload.", { x: "0x7E2A", format: "binary16", beside: "" }],
];

/** The view of one number in one or two formats. */
export function numberView(ctx) {
  const asked = [
    numberField(ctx, "x", "Number"),
    formatPicker(ctx, "format", "Format"),
    formatPicker(ctx, "beside", "Beside it", { none: "nothing" }),
    modePicker(ctx),
  ];
  const [first, second] = [formatPanel(ctx, "format"), formatPanel(ctx, "beside")];
  const panels = h("div", { class: "panels" }, first.element, second.element);
  const element = h("div", {},
    asks(ctx, asked, EXAMPLES), panels);
  const update = (state) => {
    asked.forEach((x) => x.update(state));
    first.update(state);
    const two = state.beside !== "";
    second.element.hidden = !two;
    panels.classList.toggle("two", two);
    if (two) second.update(state);
  };
  return { element, update, warm: update };
}
