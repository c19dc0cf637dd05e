/* The view of a matrix unit: products and the sum so far against its window, what is cut off, what is stored, and what
   another order or a wider window would have given. */

import { numberText } from "./blockwords.js";
import { asState, numbersIn, replaced, scaled } from "./blockvalues.js";
import { asks, choice, numberField } from "./controls.js";
import { button, card, chainLink, change, copyButton, fill, freshId, h, tableOf } from "./dom.js";
import { exponentOf, finite, isFinite, isZero, product } from "./exact.js";
import { exactDot, isDrawn, otherOrders, runUnit, widerWindow } from "./matrixunits.js";
import { readNumber } from "./parse.js";
import { roundOperand, roundResult } from "./rounding.js";
import { DEFAULTS } from "./state.js";
import { powerText } from "./text.js";
import { windowPicture } from "./windowpicture.js";
import { EXAMPLES, count, errorWords, exampleState, otherwiseWords, pathWords, pythonLine, resultCode, resultText, roundingWords, same, unitWords } from "./windowwords.js";

const MOST = 64; // products
const NEAREST = "ties_to_even";

/* --- what is shown ----------------------------------------------------------------------------------------------- */

/** Numbers in a format: {texts, values, changed}, or {error}. */
function heldOf(texts, fmt) {
  const read = texts.map((one) => readNumber(one, fmt));
  const wrong = read.find((one) => one.error);
  if (wrong) return { error: wrong.error };
  const values = read.map((one) => (one.code === null ? roundOperand(one.value, fmt, NEAREST) : one));
  if (values.some((one) => one.code === null)) return { error: `${fmt.name} has no NaN.` };
  return { texts, values: values.map((one) => one.value), changed: values.filter((one, i) => !same(one.value, read[i].value)).length };
}

/** What a state says of a dot product on a matrix unit; `error` where its numbers cannot be read. */
export function windowOf(state, ctx) {
  const { path, choices } = ctx.units.find(state);
  const [a, b, c] = [heldOf(numbersIn(state.left), path.factors), heldOf(numbersIn(state.right), path.factors), heldOf([state.start], path.output)];
  const found = { path, choices, a, b, c, chosen: state.model };
  if (a.error || b.error || c.error) return { ...found, error: a.error ?? b.error ?? c.error };
  if (!a.texts.length) return { ...found, error: "Nothing is typed: give the first factors of some products." };
  const right = b.texts.length ? b : { texts: a.texts.map(() => "1"), values: a.values.map(() => finite(false, 1n)) };
  const many = right.texts.length;
  if (many !== a.texts.length) return { ...found, error: `a has ${count(a.texts.length, "number")} and b has ${many}: give equally many, or no b for a sum.` };
  const [left, other, from] = [a.values.slice(0, MOST), right.values.slice(0, MOST), c.values[0]];
  const { sums, value } = runUnit(path, left, other, from);
  const strange = ![...left, ...other, from].every(isFinite);
  const exact = exactDot(left, other, from);
  const others = strange ? { orders: [], wider: null } : { orders: otherOrders(path, left, other, from), wider: widerWindow(path, left, other, from, value) };
  const record = { a: left, b: other, c: from, texts: [a.texts.slice(0, MOST), right.texts.slice(0, MOST)], start: state.start.trim() };
  return { ...found, ...record, sums, value, strange, exact, ...others, fields: [a, b, c], more: a.texts.length - left.length };
}

/** The sum that is looked at: the one that was picked, or the first; null where none is drawn. */
function shownOf({ sums }, state) {
  const drawn = sums.filter((sum) => sum.terms);
  return drawn.find((sum) => sum.name === state.sum) ?? drawn[0] ?? null;
}

const chosenOf = (sum, state) => (sum.terms.find((term) => term.name === state.term) ?? sum.terms.find((term) => !isZero(term.lost)) ?? sum.terms.at(-1)).name;

/* --- the view ---------------------------------------------------------------------------------------------------- */

/** The view of a matrix unit. */
export function windowView(ctx) {
  const asked = [
    machineChoice(ctx, "machine", "Machine"), machineChoice(ctx, "factors", "Factors"), machineChoice(ctx, "output", "Sums"), machineChoice(ctx, "model", "According to"),
    startField(ctx), vectorField(ctx, "left", "a: first factors, parted by commas or blanks"), vectorField(ctx, "right", "b: second factors; none for a sum"),
  ];
  const told = h("p", { class: "told", role: "status" });
  const show = (example) => {
    ctx.store.set(exampleState(example, { left: DEFAULTS.left, right: DEFAULTS.right }));
    fill(told, example[1]);
  };
  const examples = h("div", { class: "row examples", role: "group", "aria-label": "Examples" }, EXAMPLES.map((one) => button(one[0], () => show(one), { class: "quiet" })));
  const [evidence, summary, otherwise] = [h("p", { class: "soft evidence" }), h("p", { class: "reading", role: "status" }), h("p", {})];
  const sums = h("div", { class: "row sums", role: "group", "aria-label": "The sums, one after the other" });
  const picture = windowPicture(ctx);
  const [chain, title] = [h("ol", { class: "chain", role: "list" }), h("h3", {})];
  const undrawn = h("p", {});
  const drawn = h("div", {}, sums, title, picture.element,
    h("p", { class: "hint" }, "Drag a term to the left or right, or use the arrow keys: its factor is doubled or halved, and the others may lose bits."), chain);
  const terms = tableOf("window-table terms", ["", "factors", "product", "exponent", "kept", "cut off"]);
  const ways = tableOf("stacks window-table", ["", "result", "code", "error"]);
  const termsCard = card("Every term of this sum", terms.element);
  const line = h("code", { class: "python" });
  const body = h("div", {},
    card("The terms against the window", evidence, summary, undrawn, drawn), card("Another order, a wider window", otherwise, ways.element), termsCard,
    card("The same in Python", h("div", { class: "joined" }, line, copyButton("Copy", "Copy the line of Python", () => line.textContent))));
  const nothing = h("p", { class: "card soft" }, "Nothing to show: type the factors of some products above.");
  const element = h("div", { class: "window-view" }, asks(ctx, asked, []), body, nothing);
  element.firstChild.append(examples, told);

  const update = (state) => {
    const found = windowOf(state, ctx);
    asked.forEach((x) => x.update(state, found));
    [body.hidden, nothing.hidden] = [Boolean(found.error), !found.error];
    if (found.error) return;
    const { path } = found;
    fill(evidence, pathWords(path, ctx.units.sources));
    fill(summary, unitWords(found));
    fill(otherwise, found.strange ? "" : otherwiseWords(found));
    fill(ways.body, waysOf(found).map((way) => wayRow(way, found)));
    fill(line, pythonLine(found));
    const sum = shownOf(found, state);
    [drawn.hidden, termsCard.hidden, undrawn.hidden] = [!sum, !sum, isDrawn(path)];
    fill(undrawn, `This page does not draw the steps of ${path.machine}: ${ctx.units.steps[path.step]}. The result above comes from these steps.`);
    if (!sum) return;
    const chosen = chosenOf(sum, state);
    fill(sums, found.sums.filter((one) => one.terms).map((one) => sumButton(one, sum, ctx)));
    sums.hidden = sums.children.length < 2;
    fill(title, titleOf(sum));
    picture.update(sum, path, chosen, actions(found, sum, ctx));
    fill(chain, sumSteps(sum, path).map(chainLink));
    fill(terms.body, sum.terms.map((term) => termRow(term, found, term.name === chosen)));
  };
  return { element, update, warm: update };
}

/* --- asking ------------------------------------------------------------------------------------------------------ */

/** A choice among what the table of machines has for the choices before it. */
function machineChoice(ctx, key, label) {
  const { units } = ctx;
  const all = { machine: units.machines, factors: units.all("factors"), output: units.all("output"), model: units.all("model") }[key];
  const pick = choice(ctx, key, label, all.map((name) => [name, name]), (name) => ({ [key]: key === "model" && name === choicesNow()[0] ? "" : name, sum: "", term: "" }));
  const choicesNow = () => units.find(ctx.store.get()).choices.model;
  const update = (state, { choices, path }) => {
    for (const option of pick.select.options) change(option, { disabled: !choices[key].includes(option.value), hidden: !choices[key].includes(option.value) });
    pick.select.value = key === "model" ? path.model : state[key];
  };
  return { element: pick.element, note: null, update };
}

/** c, with what became of it in the format of the sums. */
function startField(ctx) {
  const field = numberField(ctx, "start", "c: the sum so far", "output");
  field.element.classList.add("start");
  return field;
}

/** The factors, as they are typed or pasted; the address has them parted by commas. */
function vectorField(ctx, key, label) {
  const [id, noteId] = [freshId("values"), freshId("note")];
  const input = h("textarea", { id, rows: 2, spellcheck: "false", autocapitalize: "off", "aria-describedby": noteId, "data-key": key,
    oninput: () => ctx.type({ [key]: asState(input.value), term: "" }, key) });
  const note = h("p", { id: noteId, class: "note", role: "status" });
  const update = (state, found) => {
    if (asState(input.value) !== state[key]) input.value = state[key].split(",").join(", ");
    const own = key === "left" ? found.fields?.[0] ?? found.a : found.fields?.[1] ?? found.b;
    const wrong = own.error ?? (key === "right" && found.error && !found.a.error && !found.c.error ? found.error : "");
    const more = key === "left" && found.more ? ` The first ${MOST} of ${MOST + found.more} products are used.` : "";
    const changed = own.changed ? `${count(own.changed, "number")} of ${key === "left" ? "a" : "b"} ${own.changed === 1 ? "is" : "are"} rounded to ${found.path.factors.name} first.` : "";
    note.textContent = wrong || `${changed}${more}`.trim();
    change(input, { "aria-invalid": wrong ? "true" : null });
    note.classList.toggle("wrong", Boolean(wrong));
  };
  return { element: h("div", { class: "control half" }, h("label", { for: id }, label), input), note, update };
}

/* --- moving a term ----------------------------------------------------------------------------------------------- */

/** What the picture does with a term: a product changes by a factor of its own, s0 is c, and other sums are results. */
function actions(found, sum, ctx) {
  const { path, a, b, c } = found;
  const put = (name, makes, merge = null) => {
    const k = Number(name.slice(1));
    const [key, value, fmt] = name === "s0" ? ["start", c, path.output] : ["left", a[k], path.factors];
    if (name[0] === "s" && name !== "s0") return false;
    const sides = [[key, value], ...(key === "left" && found.fields[1].texts.length ? [["right", b[k]]] : [])];
    for (const [side, from] of sides) {
      const text = makes(from, fmt);
      if (text === null) continue;
      const now = ctx.store.get()[side];
      ctx.store.set({ [side]: side === "start" ? text : replaced(now, k, text), sum: sum.name, term: name }, { merge });
      return true;
    }
    return false;
  };
  return {
    pick: (name, merge) => ctx.store.set({ sum: sum.name, term: name }, { merge }),
    shift: (name, steps, merge) => put(name, (from, fmt) => shifted(from, steps, fmt), merge),
    flip: (name) => put(name, (from, fmt) => shifted({ ...from, negative: !from.negative }, 0, fmt)),
    clear: (name) => put(name, () => "0"),
  };
}

/** The text of a number times 2^steps; null where the format does not hold that. */
function shifted(x, steps, fmt) {
  if (!isFinite(x)) return null;
  const text = scaled(x, steps, fmt.quantumExponentMin);
  if (text === null) return null;
  const held = roundOperand(readNumber(text, fmt).value, fmt, NEAREST).value;
  const wanted = isZero(x) ? held : product(x, finite(false, 1n, 1n, steps));
  return isFinite(held) && !isZero(held) && same(held, wanted) ? text : null;
}

/* --- a sum ------------------------------------------------------------------------------------------------------- */

const isProduct = (term) => term.name[0] === "p";

function titleOf(sum) {
  const products = sum.terms.filter(isProduct);
  const [first, last] = [products[0]?.name, products.at(-1)?.name];
  const added = !products.length ? sum.terms[1].name : products.length === 1 ? first : `${products.length} products, ${first} to ${last},`;
  return `${sum.name}: ${added} and ${sum.terms[0].name === "s0" ? "s0 = c" : sum.terms[0].name}`;
}

function sumButton(one, shown, ctx) {
  const lost = one.terms.filter((term) => !isZero(term.lost)).length;
  return button(`${one.name}${lost ? ` (${lost} cut)` : ""}`, () => ctx.store.set({ sum: one.name, term: "" }), { class: "quiet", "aria-current": one === shown ? "true" : null });
}

/** From the largest exponent to the stored sum. */
function sumSteps(sum, path) {
  const largest = sum.terms.find((term) => term.exponent === sum.highest);
  const lost = sum.terms.map((term) => term.lost).filter((x) => !isZero(x));
  const window = sum.bits === null ? [] : [["last bit kept", powerText(sum.highest - sum.bits), lost.length ? `${count(lost.length, "term")} cut off below it` : "no term reaches below it"]];
  const [how, words] = roundingWords(sum, path);
  return [
    ["largest exponent", powerText(sum.highest), largest ? `that of ${largest.name}` : "there are only zeros, or the unit aligns to no less"], ...window,
    ["sum of what is kept", numberText(sum.total, 20), isZero(sum.total) ? "" : `its first bit is worth ${powerText(exponentOf(sum.total))}`],
    [how, numberText(sum.result, 20), words],
    ["its code", resultCode(sum.result, path.output), path.output.name],
  ];
}

function termRow(term, { a, b }, chosen) {
  const room = innerWidth > 700 ? 16 : 12;
  const k = Number(term.name.slice(1));
  const factors = isProduct(term) ? `${numberText(a[k], 12)} × ${numberText(b[k], 12)}` : term.name === "s0" ? "c" : "the sum so far";
  const cells = [[factors, "more"], [numberText(term.value, room)], [term.exponent === null ? "–" : String(term.exponent).replace("-", "−"), "more"], [numberText(term.kept, room)], [numberText(term.lost, room)]];
  return h("tr", { class: chosen ? "chosen" : "" }, h("th", { scope: "row" }, term.name), cells.map(([words, kind = ""]) => h("td", { class: `num ${kind}` }, words)));
}

/* --- other ways -------------------------------------------------------------------------------------------------- */

/** [name, result] as it is, in other orders, with a wider window, and rounded once. */
function waysOf({ path, value, exact, orders, wider, strange }) {
  const once = ["exact sum, rounded once", roundResult(exact, path.output, NEAREST).value];
  const window = wider?.more === 0 || !wider ? [] : [[wider.more === null ? "a window without an end" : `a window of ${path.bits + wider.more} bits`, wider.value]];
  return strange ? [["as given", value]] : [["as given", value], ...orders.map((one) => [one.order, one.value]), ...window, once];
}

function wayRow([name, value], { path, exact, value: given }) {
  const differs = !same(value, given);
  const cells = [["result", resultText(value)], ["code", resultCode(value, path.output)], ["error", errorWords(value, exact, path.output)]];
  return h("tr", {}, h("th", { scope: "row" }, name, differs ? h("b", {}, " ≠") : null), cells.map(([label, words]) => h("td", { class: "num", "data-label": label }, words)));
}
