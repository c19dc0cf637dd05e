/* What the views share in asking: a number, a format, a mode, an example. Each is {element, update(state)}. */

import { button, change, fill, freshId, h } from "./dom.js";
import { WIDEST, formatText } from "./formatnames.js";
import { ONE_ZERO } from "./formats.js";
import { readNumber } from "./parse.js";
import { shortText } from "./text.js";
import { MODES, isRandom, randomBits } from "./rounding.js";

/** The modes in a sentence: "rounded ...". */
const MODE_WORDS = {
  ties_to_even: "to nearest, ties to even",
  ties_to_away: "to nearest, ties away from zero",
  toward_zero: "toward zero",
  toward_positive: "toward +∞ (up)",
  toward_negative: "toward −∞ (down)",
  to_odd: "to odd",
  stochastic: "stochastic",
};

/** The same as short names. */
const MODE_NAMES = {
  ties_to_even: "ties to even",
  ties_to_away: "ties to away",
  toward_zero: "toward zero",
  toward_positive: "toward +∞",
  toward_negative: "toward −∞",
  to_odd: "to odd",
  stochastic: "stochastic",
};

/** A mode in a sentence, also one with few random bits. */
export function modeWords(mode) {
  const random = randomBits(mode);
  if (!random) return MODE_WORDS[mode];
  return `stochastic, with ${random.bits} random ${random.bits === 1 ? "bit" : "bits"}${random.half ? " and half a unit added" : ""}`;
}

const SPECIALS_WORDS = {
  ieee: "∞ and NaN (as IEEE 754)",
  nan: "one NaN, no ∞ (FN)",
  none: "numbers only",
  one_nan: "one NaN, one zero, no ∞ (FNUZ)",
  one_nan_and_infinities: "one NaN, one zero, ∞ (P3109)",
};
const SIGN_WORDS = { true: "a sign bit", false: "none: no negative numbers" };
const ZERO_WORDS = { true: "yes", false: "no: the smallest power of two instead" };

const SUBNORMALS_WORDS = {
  gradual: "as IEEE 754",
  flush_to_zero: "results become 0",
  flush_to_nearest: "none between 0 and min_normal",
  flush_inputs: "operands and results become 0",
};
const SATURATE_WORDS = { false: "∞, or NaN without ∞", true: "the largest number" };

/** A labelled text field for a number, bound to `key`; what is wrong with it stands in `note`, as wide as the card. */
export function numberField(ctx, key, label, formatKey = "format") {
  const [id, noteId] = [freshId("field"), freshId("note")];
  const input = h("input", {
    id, type: "text", spellcheck: "false", autocomplete: "off", autocapitalize: "off", inputmode: "text",
    "aria-describedby": noteId, "data-key": key,
    oninput: () => ctx.type({ [key]: input.value }),
    onkeydown: (event) => ctx.stepKey(event, key, formatKey),
  });
  const note = h("p", { id: noteId, class: "note", role: "status" });
  const element = h("div", { class: "control grow" }, h("label", { for: id }, label), input);
  const update = (state) => {
    if (input.value !== state[key]) input.value = state[key];
    const read = readNumber(state[key], ctx.format(state[formatKey]));
    change(input, { "aria-invalid": read.error ? "true" : null });
    const home = ctx.format(state[formatKey]).name;
    const words = { code: `${label}: read as a code of ${home}, not as a number`, bits: `${label}: read as bits of ${home}` }[read.reading] ?? "";
    note.textContent = element.hidden ? "" : read.error ?? words;
    note.classList.toggle("wrong", Boolean(read.error));
  };
  return { element, note, update };
}

/** The card in which a view asks: its controls, an example, and below them, on lines of their own, what is to be said. */
export function asks(ctx, asked, examples) {
  const [example, told] = examples.length ? exampleButton(ctx, examples) : [];
  return h("div", { class: "card asks" }, asked.map((x) => x.element), example, told, asked.map((x) => x.note));
}

/** A labelled choice bound to `key`; options are [value, words]. */
export function choice(ctx, key, label, options, onpick = (value) => ({ [key]: value })) {
  const id = freshId("choice");
  const select = h("select", { id, "data-key": key, onchange: () => ctx.store.set(onpick(select.value)) },
    options.map(([value, words]) => h("option", { value }, words)));
  const element = h("div", { class: "control" }, h("label", { for: id }, label), select);
  return { element, select, update: (state) => { select.value = state[key]; } };
}

/** A choice of format bound to `key`: any named one that passes, or widths and ways of one's own.

    The fields of one's own stay open while they are used, also where they make a named format. */
export function formatPicker(ctx, key, label, { none = "", fits = () => true } = {}) {
  const named = ctx.formats.named.filter(fits).map((fmt) => [fmt.name, formatWords(fmt)]);
  const options = [...(none ? [["", none]] : []), ...named, ["custom", "custom …"]];
  let made = null; // the name of the format that the fields made last
  const pick = choice(ctx, key, label, options, (value) => {
    made = value === "custom" ? (ctx.store.get()[key] || "binary16") : null;
    return { [key]: made ?? value };
  });
  const use = (text, refused) => {
    const fmt = ctx.formats.get(text);
    const impossible = !fmt || !fits(fmt);
    refusal.textContent = impossible ? refused : "";
    if (impossible) return;
    made = fmt.name;
    ctx.type({ [key]: fmt.name }, `widths of ${key}`);
  };
  const set = (changes) => use(formatText(withChanges(ctx.format(ctx.store.get()[key]), changes)), IMPOSSIBLE);
  const refusal = h("p", { class: "note wrong", role: "status" });
  const flag = (text) => text === "true";
  const widths = [
    widthField("exponent bits", 0, WIDEST.exponent, (exponentBits) => set({ exponentBits })),
    widthField("significand bits", 0, WIDEST.trailing, (trailingBits) => set({ trailingBits })),
    widthField("bias", -32768, 32768, (bias) => set({ bias })),
  ];
  const ways = [
    smallChoice("infinity and NaN", SPECIALS_WORDS, (specials) => set({ specials })),
    smallChoice("subnormals", SUBNORMALS_WORDS, (subnormals) => set({ subnormals })),
    smallChoice("beyond the range", beyondWords(ctx), (way) => set(way.startsWith("as ") ? { overflow: way.slice(3) } : { saturate: flag(way) })),
    smallChoice("sign", SIGN_WORDS, (signed) => set({ signed: flag(signed) })),
    smallChoice("zero", ZERO_WORDS, (zero) => set({ zero: flag(zero) })),
  ];
  const name = nameField((text) => use(text, ctx.formats.readings(text).length ? `${text} ${readingWords(ctx.formats, text)}.` : UNREAD));
  const own = h("div", { class: "own", role: "group", "aria-label": `${label}: of your own` }, [...widths, ...ways, name].map((field) => field.element), refusal);
  const update = (state) => {
    const isNamed = options.some(([value]) => value === state[key]);
    if (made !== state[key]) made = null;
    const open = !isNamed || made !== null;
    pick.select.value = open ? "custom" : state[key];
    own.hidden = !open;
    if (!open) return void (refusal.textContent = "");
    const fmt = ctx.format(state[key]);
    widths[0].update(fmt.exponentBits);
    widths[1].update(fmt.trailingBits);
    widths[2].update(fmt.bias);
    name.update(fmt.name);
    const beyond = fmt.overflow ? `as ${fmt.overflow}` : fmt.saturate;
    const possible = [...(fmt.hasNan ? ["false"] : []), "true", ...ctx.formats.conventions(fmt).map((one) => `as ${one.name}`)];
    for (const option of ways[2].select.options) change(option, { disabled: !possible.includes(option.value), hidden: !possible.includes(option.value) });
    [fmt.specials, fmt.subnormals, beyond, fmt.signed, fmt.zero].forEach((value, i) => ways[i].update(String(value)));
  };
  return { element: h("div", { class: "picker" }, pick.element, own), update };
}

/** What a number beyond the range may become: by itself, or by a convention. */
const beyondWords = (ctx) => ({ ...SATURATE_WORDS, ...Object.fromEntries(ctx.facts.overflows.map(({ name }) => [`as ${name}`, `as ${name}`])) });

/** What to write for a text that may mean several formats; "" where it means one or none. */
export function readingWords(formats, text) {
  const each = formats.readings(text).map((name) => `${name} (up to ${shortText(formats.get(name).maxFinite)})`);
  return each.length ? `is more than one format: write ${each.join(" or ")}` : "";
}

/** A format with some fields changed, and with the other fields that these need. */
function withChanges(now, changes) {
  const { specials, signed, zero, trailingBits } = changes;
  const widened = ["exponentBits", "trailingBits", "signed"].some((name) => name in changes) && { bias: null };
  const kept = ["subnormals", "overflow"].some((name) => name in changes) ? now.overflow : ""; // a convention names its formats
  const next = { ...now, ...widened, ...(specials && { saturate: false }), overflow: kept, ...changes };
  if (specials && !ONE_ZERO.includes(specials)) next.signed = true;
  if (zero === false) Object.assign(next, { signed: false, trailingBits: 0, exponentBits: Math.max(now.exponentBits, 1), bias: null });
  if (signed || trailingBits || next.signed) next.zero = true;
  if (!next.signed && !ONE_ZERO.includes(next.specials)) next.specials = ONE_ZERO[now.hasInfinity && next.zero ? 1 : 0];
  return next;
}

const IMPOSSIBLE = "These numbers make no format that this page has. With ∞ and NaN as in IEEE 754 a format needs 2 exponent bits and " +
  `1 stored significand bit. The page goes up to ${WIDEST.exponent} exponent bits and ${WIDEST.trailing} significand bits, and to a bias of 32768; on the page of pairs, to 8 bits in all.`;

const UNREAD = "This names no format that this page has; write it like binary8p3, binary8p4uf, e5m4 or binary16,bias=7.";

const formatWords = (fmt) => `${fmt.name}  (${fmt.signed ? 1 : 0}-${fmt.exponentBits}-${fmt.trailingBits})`;

function widthField(label, min, max, set) {
  const id = freshId("width");
  const input = h("input", { id, type: "number", min, max, step: 1, oninput: () => input.value && set(Number(input.value)) });
  const element = h("div", { class: "control" }, h("label", { for: id }, label), input);
  const update = (value) => {
    if (document.activeElement !== input || input.value !== "") input.value = value;
  };
  return { element, update };
}

/** The format as text: any that `get_format` reads. */
function nameField(set) {
  const id = freshId("name");
  const input = h("input", { id, type: "text", class: "long", spellcheck: "false", autocomplete: "off", autocapitalize: "off", oninput: () => set(input.value.trim()) });
  const element = h("div", { class: "control named" }, h("label", { for: id }, "or by its name"), input);
  const update = (value) => {
    if (document.activeElement !== input) input.value = value;
  };
  return { element, update };
}

function smallChoice(label, words, set) {
  const id = freshId("way");
  const select = h("select", { id, onchange: () => set(select.value) }, Object.entries(words).map(([value, text]) => h("option", { value }, text)));
  return { element: h("div", { class: "control" }, h("label", { for: id }, label), select), select, update: (v) => { select.value = v; } };
}

/** Stochastic rounding with few random bits, in the choice of modes: cut to so many bits, or rounded to them. */
const FEW_BITS = [["cut", "stochastic, few bits"], ["half", "stochastic, few bits + ½"]];

/** The rounding mode; where it is stochastic, how many random bits it uses, and 32 of them. */
export function modePicker(ctx) {
  const modeOf = (way, bits) => (FEW_BITS.some(([name]) => name === way) ? `stochastic_${bits}${way === "half" ? "_half" : ""}` : way);
  const bitsNow = () => randomBits(ctx.store.get().mode)?.bits ?? 8;
  const pick = choice(ctx, "mode", "Rounding", [...MODES.map((mode) => [mode, MODE_NAMES[mode]]), ...FEW_BITS], (way) => ({ mode: modeOf(way, bitsNow()) }));
  const few = widthField("bits used", 1, 32, (bits) => {
    const mode = modeOf(pick.select.value, bits);
    if (isRandom(mode)) ctx.type({ mode });
  });
  const id = freshId("draw");
  const input = h("input", { id, type: "text", spellcheck: "false", "data-key": "draw", oninput: () => ctx.type({ draw: input.value }) });
  const throwDice = button("Draw", () => ctx.store.set({ draw: randomDraw() }), { "aria-label": "Draw 32 new random bits" });
  const draw = h("div", { class: "control draw" }, h("label", { for: id }, "32 random bits"), h("div", { class: "joined" }, input, throwDice));
  const note = h("p", { class: "note", role: "status" });
  const update = (state) => {
    const random = randomBits(state.mode);
    pick.select.value = random ? (random.half ? "half" : "cut") : state.mode;
    few.element.hidden = !random;
    if (random) few.update(random.bits);
    draw.hidden = !isRandom(state.mode);
    if (input.value !== state.draw) input.value = state.draw;
    const wrong = !draw.hidden && drawOf(state.draw) === null;
    change(input, { "aria-invalid": wrong ? "true" : null });
    const which = random ? `Rounding uses the first ${random.bits === 1 ? "bit" : `${random.bits} bits`} of the 32.` : "";
    note.textContent = wrong ? "32 random bits are an integer from 0 to 4294967295, or 0x and up to 8 hexadecimal digits; here 0 is used." : which;
    note.classList.toggle("wrong", wrong);
  };
  return { element: h("div", { class: "picker" }, pick.element, few.element, draw), note, update };
}

function randomDraw() {
  const bits = crypto.getRandomValues(new Uint32Array(1))[0];
  return `0x${bits.toString(16).toUpperCase().padStart(8, "0")}`;
}

/** The 32-bit draw that a text is, or null. */
export function drawOf(text) {
  if (!/^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(text.trim())) return null;
  const draw = BigInt(text.trim());
  return draw < 2n ** 32n ? draw : null;
}

/** A button that shows one example after another. `examples` are [words, changes]. */
function exampleButton(ctx, examples) {
  let next = 0;
  const told = h("span", { class: "told", role: "status" });
  const show = () => {
    const [words, changes] = examples[next++ % examples.length];
    ctx.store.set(changes);
    fill(told, words);
  };
  return [button("Example", show, { class: "quiet example", title: "Show an example; again for the next one" }), told];
}
