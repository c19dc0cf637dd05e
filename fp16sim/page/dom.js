/* Elements from a tag, attributes and children: the only way the page makes any. Text is always text, never markup. */

const SVG = "http://www.w3.org/2000/svg";

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) assign(element, name, value);
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function assign(element, name, value) {
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (value === false || value === null || value === undefined) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : value);
}

/** An HTML element. Attributes named on... are listeners; false, null and undefined leave an attribute out. */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function s(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/** Change attributes of an element. */
export function change(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) assign(element, name, value);
}

/** Replace what is in an element. */
export function fill(element, ...children) {
  element.replaceChildren();
  filled(element, {}, children);
}

let count = 0;

/** An id that no other element has. */
export const freshId = (stem) => `${stem}-${++count}`;

/** A button. */
export function button(label, onclick, attributes = {}) {
  return h("button", { type: "button", onclick, ...attributes }, label);
}

/** A button that copies a text; `text()` gives it when it is pressed. */
export function copyButton(label, name, text) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
      fill(made, "Copied");
    } catch {
      prompt(name, text());
    }
    setTimeout(() => fill(made, label), 1500);
  };
  const made = button(label, copy, { class: "quiet", "aria-label": name, title: name });
  return made;
}

/** A card with a heading. */
export function card(title, ...children) {
  const id = freshId("card");
  return h("section", { class: "card", "aria-labelledby": id }, h("h2", { id }, title), ...children);
}

/** A table with a head: {element, body}. */
export function tableOf(kind, columns) {
  const body = h("tbody", {});
  return { element: h("table", { class: kind }, h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, name)))), body), body };
}

/** A link of a chain of steps: its name, its value, and more words. */
export function chainLink([name, value, more]) {
  return h("li", {}, h("span", { class: "soft" }, name), h("b", { class: "num" }, value), more ? h("small", {}, more) : null);
}

/** A link to a state of the page; it works in a frame without an address, too. */
export function stateLink(ctx, changes, ...children) {
  const follow = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    ctx.store.set(changes);
  };
  return h("a", { href: ctx.hashOf(changes), onclick: follow }, ...children);
}
