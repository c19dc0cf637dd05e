/* The bits of a code: as buttons that are clicked, painted by dragging, and stepped with the keyboard; and as text. */

import { button, change, fill, h } from "./dom.js";
import { bitFields, powerText } from "./text.js";

export const FIELDS = ["sign", "exponent", "significand"];

/** What bit `i` of a field is worth: words for the screen reader and for the pointer that rests on it. */
function bitWords(field, i, fmt) {
  if (field === "sign") return "sign bit";
  if (field === "exponent") return `exponent bit worth ${2 ** (fmt.exponentBits - 1 - i)}`;
  return `significand bit worth ${powerText(-1 - i)}`;
}

/** A row of bits as buttons. `flip(code, merge)` is told the new code, `step(event)` that a key asks for ulps.

    One bit at a time is in the order of Tab; left and right move between bits, up and down step one ulp, page up and
    down 16. A pointer that is dragged gives every bit it crosses the value that the first one got. */
export function bitRow(label, { flip, step }) {
  const element = h("div", { class: "bits", role: "group", "aria-label": label });
  let [fmt, code, buttons, painting] = [null, 0n, [], null];

  const place = (i) => BigInt(fmt.width - 1 - i);
  const bitAt = (i) => (code >> place(i)) & 1n;
  const put = (i, bit, merge = null) => {
    if (bitAt(i) !== bit) flip(code ^ (1n << place(i)), merge);
  };

  const build = () => {
    buttons = [];
    const widths = [fmt.signed ? 1 : 0, fmt.exponentBits, fmt.trailingBits];
    fill(element, FIELDS.map((field, f) => {
      if (!widths[f]) return null;
      const groups = [];
      for (let i = 0; i < widths[f]; i++) {
        const [at, position] = [buttons.length, Number(place(buttons.length))];
        const words = bitWords(field, i, fmt);
        const bit = button("0", () => {}, { class: "bit", "data-bit": at, "data-words": words, tabindex: at ? -1 : 0, title: `bit ${position}: ${words}` });
        buttons.push(bit);
        // Four bits are a digit of the code in hexadecimal.
        if (i === 0 || position % 4 === 3) groups.push([]);
        groups.at(-1).push(h("span", { class: "place" }, h("small", { "aria-hidden": "true" }, position), bit));
      }
      return h("div", { class: `field ${field}` }, h("div", { class: "cells" }, groups.map((bits) => h("span", { class: "nibble" }, bits))), h("div", { class: "under", "data-field": f }));
    }));
  };

  const focus = (i) => {
    const to = Math.min(Math.max(i, 0), buttons.length - 1);
    buttons.forEach((b, k) => change(b, { tabindex: k === to ? 0 : -1 }));
    buttons[to].focus();
  };
  element.addEventListener("keydown", (event) => {
    const i = buttons.indexOf(event.target);
    if (i < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = { ArrowLeft: i - 1, ArrowRight: i + 1, Home: 0, End: buttons.length - 1 };
    if (event.key in moves) focus(moves[event.key]);
    else if (event.key === "0" || event.key === "1") put(i, BigInt(event.key));
    else return step(event);
    event.preventDefault();
  });
  // A click comes from the keyboard or a screen reader; pointers are handled as they go down, so that they can paint.
  element.addEventListener("click", (event) => {
    const i = buttons.indexOf(event.target);
    if (i >= 0 && event.detail === 0) put(i, 1n - bitAt(i));
  });
  element.addEventListener("pointerdown", (event) => {
    const i = buttons.indexOf(event.target);
    if (i < 0 || event.button !== 0) return;
    event.target.releasePointerCapture?.(event.pointerId);
    painting = 1n - bitAt(i);
    put(i, painting, "paint");
    focus(i);
  });
  element.addEventListener("pointermove", (event) => {
    if (painting === null) return;
    const over = document.elementFromPoint(event.clientX, event.clientY);
    const i = buttons.indexOf(over);
    if (i >= 0) put(i, painting, "paint");
  });
  const stop = () => { painting = null; };
  addEventListener("pointerup", stop);
  addEventListener("pointercancel", stop);

  const update = (newCode, newFmt, under) => {
    const same = fmt && ["width", "precision", "signed"].every((part) => newFmt[part] === fmt[part]);
    element.hidden = newCode === null;
    if (newCode === null) return;
    [fmt, code] = [newFmt, newCode];
    if (!same) build();
    element.classList.toggle("wide", fmt.width > 20);
    bitFields(code, fmt).join("").split("").forEach((digit, i) => {
      if (buttons[i].textContent !== digit) buttons[i].textContent = digit;
      change(buttons[i], { "aria-pressed": String(digit === "1"), "aria-label": `${buttons[i].dataset.words}, ${digit}` });
    });
    element.querySelectorAll(".under").forEach((box) => fill(box, under[box.dataset.field]));
  };
  return { element, update };
}

/** The bits of a code as text, its fields told apart by colour, by lines and by gaps. */
export function bitsInline(code, fmt) {
  const parts = bitFields(code, fmt).map((digits, f) => digits && h("span", { class: `digits ${FIELDS[f]}` }, digits));
  return h("span", { class: "inline-bits" }, parts);
}
