/* The view of a block: its numbers, the scale that amax finds, what becomes of each, and what every other rule would give. */

import { bitsInline } from "./bits.js";
import { blockPicture, pickedOf } from "./blockpicture.js";
import { LIBRARY_RULES } from "./blocklibraries.js";
import { explainBlock } from "./blocks.js";
import { EXAMPLES, asState, exampleState, readBlock } from "./blockvalues.js";
import { FATES, fateWords, limitWords, numberText, pythonLine, roughText, ruleWords, scaleText, summaryWords } from "./blockwords.js";
import { asks, choice, modePicker } from "./controls.js";
import { button, card, chainLink, change, copyButton, fill, freshId, h, tableOf } from "./dom.js";
import { compareMagnitude, difference, exponentOf, isFinite, isZero, magnitude } from "./exact.js";
import { readNumber } from "./parse.js";
import { isRandom } from "./rounding.js";
import { codeText, powerText, shortText } from "./text.js";
import { chanceWords } from "./words.js";

const NOT_LARGEST = "The largest magnitude of the tensor is a number, and none in the block is larger; here that of the numbers above is used.";

/** What a state says of a block: {record, texts, note}; `error` where its numbers cannot be read. */
export function blockOf(state, ctx) {
  const block = ctx.blocks.get(state.block);
  const home = ctx.format("binary64"); // as Python reads codes
  const { error, texts, values, all, more } = readBlock(state.values, block, home);
  if (error) return { block, error };
  const rule = block.rules.includes(state.rule) ? state.rule : block.rule;
  const tensor = block.tensor ? tensorOf(state.tensor, values, all, home) : { amax: null, text: "" };
  const record = explainBlock(values, block, rule, state.mode, ctx.drawNow(state), tensor.amax);
  return { block, record, texts, more, tensor };
}

/** The largest magnitude of the tensor: as typed; else that of all numbers, also those behind the block. */
function tensorOf(text, values, all, home) {
  const sizeOf = (numbers) => numbers.filter(isFinite).map(magnitude).reduce((x, y) => (x && compareMagnitude(x, y) >= 0 ? x : y), null);
  const behind = all.findIndex((x) => sizeOf(all) && isFinite(x) && compareMagnitude(x, sizeOf(all)) === 0);
  const own = { amax: sizeOf(all), text: behind >= values.length ? shortText(sizeOf(all), 400).replace("−", "-") : "" };
  if (!text.trim()) return own;
  const { value } = readNumber(text, home);
  const wrong = !value || !isFinite(value) || value.negative || (sizeOf(values) && compareMagnitude(value, sizeOf(values)) < 0);
  return wrong ? { ...own, wrong } : { amax: value, text: text.trim() };
}

/** The view of one block. */
export function blockView(ctx) {
  const rules = Object.keys(ctx.facts.rules);
  const kinds = ctx.blocks.named.map((block) => [block.name, `${block.name}  (${block.size} × ${block.element.name}, ${block.scale.name})`]);
  const asked = [
    valuesField(ctx), choice(ctx, "block", "Block", kinds), ruleChoice(ctx, rules), tensorField(ctx), modePicker(ctx),
  ];
  const told = h("p", { class: "told", role: "status" });
  const show = (example) => {
    ctx.store.set(exampleState(example));
    fill(told, example[1]);
  };
  const examples = h("div", { class: "row examples", role: "group", "aria-label": "Examples" }, EXAMPLES.map((one) => button(one[0], () => show(one), { class: "quiet" })));
  const summary = h("p", { class: "reading", role: "status" });
  const [scale, element] = [h("ol", { class: "chain", role: "list" }), h("ol", { class: "chain", role: "list" })];
  const [elementTitle, elementWords] = [h("h3", {}), h("p", { class: "hint" })];
  const picture = blockPicture(ctx);
  const table = tableOf("block-table", ["", "number", "share", "code", "element", "value", "error", "what happened"]);
  const each = tableOf("stacks rules", ["rule", "scale", "code", "saturated", "became 0", "squared errors", "how it finds the scale"]);
  const random = h("p", { class: "hint" }, "Each number has random bits of its own: number k uses the 32 above plus k × 0x9E3779B9, modulo 2³². The probabilities do not depend on them.");
  const line = h("code", { class: "python" });
  const copy = copyButton("Copy", "Copy the line of Python", () => line.textContent);
  const body = h("div", {},
    card("From the largest number to the scale", scale, summary, picture.element,
      h("p", { class: "hint" }, "Drag a diamond up or down, or use the arrow keys: the scale follows the largest number, and the others lose or gain digits."),
      elementTitle, element, elementWords),
    card("Every number of the block", table.element, random), card("What each rule would choose", h("div", { class: "scroll" }, each.element)),
    card("The same in Python", h("div", { class: "joined" }, line, copy)));
  const nothing = h("p", { class: "card soft" }, "Nothing to show: type the numbers of a block above.");
  const element0 = h("div", { class: "block-view" }, asks(ctx, asked, []), body, nothing);
  element0.firstChild.append(examples, told);

  const update = (state) => {
    const found = blockOf(state, ctx);
    asked.forEach((x) => x.update(state, found));
    [body.hidden, nothing.hidden] = [Boolean(found.error), !found.error];
    if (found.error) return;
    const { record } = found;
    random.hidden = !isRandom(state.mode);
    fill(summary, summaryWords(record));
    fill(scale, scaleSteps(record).map(chainLink));
    picture.update(record, state);
    const k = pickedOf(record, state);
    fill(elementTitle, `Number ${k}: ${numberText(record.elements[k].given, 24)}`);
    fill(element, elementSteps(record.elements[k], record).map(chainLink));
    fill(elementWords, fateWords(record.elements[k], record.block));
    fill(table.body, record.elements.map((x, i) => elementRow(x, i, record, i === k)));
    fill(each.body, record.rules.map((x) => ruleRow(x, record, ctx)));
    fill(line, pythonLine(found.texts, record, found.tensor.text));
  };
  return { element: element0, update, warm: update };
}

/* --- asking ------------------------------------------------------------------------------------------------------ */

/** The numbers, as they are typed or pasted; the address has them parted by commas. */
function valuesField(ctx) {
  const [id, noteId] = [freshId("values"), freshId("note")];
  const input = h("textarea", { id, rows: 3, spellcheck: "false", autocapitalize: "off", "aria-describedby": noteId, "data-key": "values",
    oninput: () => ctx.type({ values: asState(input.value), pick: "" }, "values") });
  const note = h("p", { id: noteId, class: "note", role: "status" });
  const update = (state, { block, error, more }) => {
    if (asState(input.value) !== state.values) input.value = state.values.split(",").join(", ");
    change(input, { "aria-invalid": error ? "true" : null });
    note.textContent = error ?? (more ? `A block of ${block.name} has ${block.size} numbers: the first ${block.size} of ${block.size + more} are shown${block.tensor ? `, and all ${block.size + more} count for the tensor scale` : ""}.` : "");
    note.classList.toggle("wrong", Boolean(error));
  };
  return { element: h("div", { class: "control all" }, h("label", { for: id }, "Numbers of one block, parted by commas or blanks"), input), note, update };
}

/** The rules; one that does not suit the block cannot be chosen. */
function ruleChoice(ctx, rules) {
  const usual = () => ctx.blocks.get(ctx.store.get().block).rule;
  const pick = choice(ctx, "rule", "Scale rule", rules.map((rule) => [rule, rule]), (rule) => ({ rule: rule === usual() ? "" : rule }));
  const note = h("p", { class: "note", role: "status" });
  const update = (state) => {
    const block = ctx.blocks.get(state.block);
    for (const option of pick.select.options) change(option, { disabled: !block.rules.includes(option.value) });
    const fits = !state.rule || block.rules.includes(state.rule);
    pick.select.value = fits && state.rule ? state.rule : block.rule;
    note.textContent = fits ? "" : `${state.rule} is for ${ctx.facts.rulesFor[state.rule]}: here ${block.rule} is used.`;
  };
  return { element: pick.element, note, update };
}

/** The largest magnitude of the tensor, where the block has a tensor scale. */
function tensorField(ctx) {
  const id = freshId("tensor");
  const input = h("input", { id, type: "text", spellcheck: "false", autocomplete: "off", placeholder: "that of the numbers", "data-key": "tensor",
    oninput: () => ctx.type({ tensor: input.value }) });
  const element = h("div", { class: "control" }, h("label", { for: id }, "Largest of the tensor"), input);
  const note = h("p", { class: "note wrong", role: "status" });
  const update = (state, { block, tensor }) => {
    if (input.value !== state.tensor) input.value = state.tensor;
    element.hidden = !block.tensor;
    note.textContent = tensor?.wrong ? NOT_LARGEST : "";
    change(input, { "aria-invalid": tensor?.wrong ? "true" : null });
  };
  return { element, note, update };
}

/* --- chains ------------------------------------------------------------------------------------------------------ */

/** From amax to the code of the scale. */
function scaleSteps(record) {
  const { block, amax, amaxIndex, tensorAmax, tensorScale, wantedScale, scale, scaleCode } = record;
  const isSize = isFinite(amax) && !isZero(amax);
  const tensor = tensorAmax && isSize ? [[LIBRARY_RULES.includes(record.rule) ? "tensor scale" : "÷ tensor scale", scaleText(tensorScale), `${block.tensor.name}, from the tensor's largest, ${numberText(tensorAmax, 10)}`]] : [];
  return [
    ["amax", numberText(amax, 14), isSize ? `number ${amaxIndex}, in the binade of ${powerText(exponentOf(amax))}` : isFinite(amax) ? "all are zeros" : `number ${amaxIndex}`],
    ...tensor,
    [`rule ${record.rule}`, wantedScale ? scaleText(wantedScale) : isFinite(scale) ? "code 0" : "NaN", ruleWords(record)],
    [`scale in ${block.scale.name}`, scaleText(scale), limitWords(record)],
    ["its code", [codeText(scaleCode, block.scale), " ", bitsInline(scaleCode, block.scale)], ""],
  ];
}

/** From a number to its code and back. */
function elementSteps(x, { block, rule, scale, tensorScale, tensorAmax, unit }) {
  if (x.fate === "nan") return [["number", numberText(x.given, 14)], ["scale", "NaN"], ["its code", bitsInline(x.code, block.element)], ["value", "NaN"]];
  const by = tensorAmax ? `the scale ${scaleText(scale, 10)} × the tensor scale ${scaleText(tensorScale, 10)}` : `the scale ${scaleText(scale)}`;
  return [
    LIBRARY_RULES.includes(rule) ? ["× factor", numberText(x.share, 14), "in binary32, as the library computes it"] : ["÷ scale", numberText(x.share, 14), `${numberText(x.given, 14)} ÷ ${by}`],
    [`in ${block.element.name}`, numberText(x.number, 14), x.chances ? chanceWords(x.chances) : FATES[x.fate]],
    ["its code", [codeText(x.code, block.element), " ", bitsInline(x.code, block.element)], ""],
    ["× scale", numberText(x.value, 16), `the value; times ${scaleText(unit)}`],
    ["error", errorText(x), x.fate === "exact" ? "" : "value − number"],
  ];
}

const errorText = (x, room = 14) => (x.fate === "nan" ? "–" : isZero(difference(x.value, x.given)) ? "0" : numberText(difference(x.value, x.given), room));

/* --- tables ------------------------------------------------------------------------------------------------------ */

/** Both elements with their probabilities, for a cell of the table. */
const chancesText = (chances) => chances.map(({ value, probability }) => `P(${shortText(value)}) = ${shortText(probability, 11)}`).join(", ");

function elementRow(x, k, { block }, chosen) {
  const isLost = !["exact", "rounded"].includes(x.fate);
  const cells = [
    [numberText(x.given, 14)], [numberText(x.share, 12), "more"], [bitsInline(x.code, block.element)], [numberText(x.number, 10), "more"],
    [numberText(x.value, innerWidth > 700 ? 14 : 7)], [errorText(x, 12), "more"],
  ];
  return h("tr", { class: chosen ? "chosen" : "" }, h("th", { scope: "row" }, String(k)),
    cells.map(([words, kind = ""]) => h("td", { class: `num ${kind}` }, words)),
    h("td", { class: isLost ? "fate lost" : "fate" }, FATES[x.fate], x.chances?.length > 1 ? h("small", {}, `: ${chancesText(x.chances)}`) : null));
}

function ruleRow({ rule, chosen, scale, scaleCode, saturated, vanished, squaredError }, { block }, ctx) {
  const pick = h("button", { type: "button", class: "text", "aria-current": chosen ? "true" : null, onclick: () => ctx.store.set({ rule: rule === block.rule ? "" : rule }) }, rule);
  const cells = [
    ["scale", scaleText(scale)], ["code", codeText(scaleCode, block.scale)], ["saturated", String(saturated)], ["became 0", String(vanished)],
    ["squared errors", squaredError ? roughText(squaredError) : "–"],
  ];
  return h("tr", { class: chosen ? "chosen" : "" }, h("th", { scope: "row" }, pick, chosen ? h("span", { class: "soft" }, " ◀ this one") : null),
    cells.map(([name, words]) => h("td", { class: "num", "data-label": name }, words)), h("td", { class: "soft", "data-label": "how" }, ctx.facts.rules[rule]));
}
