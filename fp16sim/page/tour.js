/* The guided tour: eleven questions, each a state of the page and a few sentences. */

import { OUTLIER, exampleState } from "./blockvalues.js";
import { button, change, fill, h } from "./dom.js";

const NUMBER = { view: "number", beside: "", mode: "ties_to_even" };
const SUM = { view: "arithmetic", mode: "ties_to_even", step: "all" };

export const STATIONS = [
  {
    title: "Why is 0.1 not 0.1?",
    text: "A format holds integers times powers of two. One tenth is no such number, so the nearest one is stored, and it is a little smaller. Look at “error”; then toggle the last bit and see what the neighbour would have been.",
    state: { ...NUMBER, x: "0.1", format: "binary16" },
  },
  {
    title: "What do the bits say?",
    text: "Three fields: a sign, an exponent that picks the binade, and a significand that picks the place in it. A leading 1 is not stored. Paint over the bits, and watch the formula. With all bits of the exponent but the last and all of the significand set you have the largest number.",
    state: { ...NUMBER, x: "65504", format: "binary16" },
  },
  {
    title: "What lies between 0 and the smallest normal number?",
    text: "Subnormal numbers: the exponent field is 0, the leading bit is 0, and the spacing no longer shrinks. Without them x − y could be 0 for numbers that differ. Step down one ulp at a time until you reach zero.",
    state: { ...NUMBER, x: "2^-24", format: "binary16" },
  },
  {
    title: "Where do the numbers lie?",
    text: "Dense near zero, thin far out: from one power of two to the next there are always equally many, and the ulp doubles. Press “its binade” and “single values”, and move the cursor on the staircase below.",
    state: { view: "line", x: "1", format: "binary16", beside: "", zoom: "all", at: "", mode: "ties_to_even" },
  },
  {
    title: "Why does 2048 + 1 = 2048?",
    text: "From 2048 on the ulp of binary16 is 2, so 2049 lies halfway between two numbers. A tie goes to the neighbour whose last bit is 0, and that is 2048. This is where a running count in binary16 stops.",
    state: { ...SUM, op: "add", a: "2048", b: "1", format: "binary16" },
  },
  {
    title: "Where does 65520 go?",
    text: "The largest number of binary16 is 65504, and the next one would be 65536. Their midpoint 65520 is a tie; the even neighbour is the one that does not exist, so it becomes infinity. The table at the end shows what other modes do; then try 65519.",
    state: { ...SUM, op: "round", a: "65520", format: "binary16" },
  },
  {
    title: "Why is 0.1 + 0.2 what it is?",
    text: "Both operands are rounded before anything is added; the sum of what is stored is then rounded once more. Step through it: the errors of the operands are part of the answer.",
    state: { ...SUM, op: "add", a: "0.1", b: "0.2", format: "binary16", step: "1" },
  },
  {
    title: "Why is a fused multiply-add not the same in float32?",
    text: "3 × 683 + 2⁻²⁴ is just above a tie, so it rounds up to 2050. A float32 in between forgets the small term, makes it a tie, and ends at 2048: rounded twice. The last step shows it.",
    state: { ...SUM, op: "fma", a: "3", b: "683", c: "2^-24", format: "binary16" },
  },
  {
    title: "Range or digits?",
    text: "binary16 and bfloat16 both have 16 bits. One spends them on digits, the other on range: 70000 is infinity in the first, and a rough number in the second. Try 1/3 to see which one comes nearer.",
    state: { ...NUMBER, x: "70000", format: "binary16", beside: "bfloat16" },
  },
  {
    title: "How often is eight-bit arithmetic exact?",
    text: "Every dot is one of the 65,536 products of E4M3FN. The dark ones lose up to half an ulp, the striped ones leave the range. Click one to see its steps.",
    state: { view: "heatmap", small: "e4m3fn", op: "multiply", mode: "ties_to_even" },
  },
  {
    title: "What does one large number do to its block?",
    text: "Four bits hold sixteen numbers, so the numbers of a block share a scale, which follows the largest one. Here 6 takes it, and seven of the others become 0. Drag its diamond down, and they get their digits back; the last table shows what each rule for the scale would choose.",
    state: { ...exampleState(OUTLIER), view: "block" },
  },
];

/** The card that guides; hidden while no tour is on. */
export function tourCard(ctx) {
  const count = h("p", { class: "where" });
  const title = h("h2", { tabindex: -1 });
  const text = h("p", {});
  const go = (i) => ctx.store.set(stationState(i));
  const now = () => Number(ctx.store.get().tour);
  const back = button("◀ Back", () => go(now() - 1));
  const on = button("Next station ▶", () => (now() < STATIONS.length ? go(now() + 1) : leave()), { class: "primary" });
  const again = button("Start over", () => go(now()), { class: "quiet" });
  const leave = () => ctx.store.set({ tour: "" });
  const element = h("section", { class: "card tour", "aria-label": "Guided tour" }, count, title, text,
    h("div", { class: "row" }, back, on, again, button("Leave the tour", leave, { class: "quiet" })));
  let shown = null;
  const update = (state) => {
    const station = STATIONS[Number(state.tour) - 1];
    element.hidden = !station;
    const moved = shown !== state.tour;
    shown = state.tour;
    if (!station || !moved) return;
    fill(count, `Station ${state.tour} of ${STATIONS.length}`);
    fill(title, station.title);
    fill(text, station.text);
    change(back, { disabled: state.tour === "1" });
    fill(on, state.tour === String(STATIONS.length) ? "Finish" : "Next station ▶");
  };
  return { element, update, start: () => go(1) };
}

/** The whole state of a station, counted from 1. */
export const stationState = (i) => ({ ...STATIONS[i - 1].state, tour: String(i) });
