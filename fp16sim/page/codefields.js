/* The code as two fields: in hexadecimal, and as an integer. What is typed there becomes the number. */

import { change, fill, freshId, h } from "./dom.js";
import { codeText } from "./text.js";

const WAYS = [
  { label: "code", read: (text) => (/^(0x)?[0-9a-f]+$/i.test(text) ? BigInt(`0x${text.replace(/^0x/i, "")}`) : null), write: codeText, help: "hexadecimal digits" },
  { label: "as an integer", read: (text) => (/^\d+$/.test(text) ? BigInt(text) : null), write: (code) => String(code), help: "an integer" },
];

/** Two fields; `setCode(code, merge)` is told each valid code. What is not valid is said, and the number stays. */
export function codeFields(setCode) {
  let [code, fmt] = [0n, null];
  const note = h("p", { class: "note wrong", role: "status" });
  const fields = WAYS.map((way) => {
    const id = freshId("code");
    const typed = () => {
      const text = input.value.trim().replace(/[_ ]/g, "");
      const read = text.length <= 40 ? way.read(text) : null;
      return read !== null && read < fmt.codes ? read : null;
    };
    const show = () => {
      const wrong = typed() === null;
      change(input, { "aria-invalid": wrong ? "true" : null });
      fill(note, wrong ? `A code of ${fmt.name} is ${way.help} from ${way.write(0n, fmt)} to ${way.write(fmt.codes - 1n, fmt)}.` : "");
    };
    const oninput = () => {
      show();
      if (typed() !== null) setCode(typed(), `type ${id}`);
    };
    const restore = () => {
      input.value = way.write(code, fmt);
      show();
    };
    const input = h("input", { id, type: "text", spellcheck: "false", autocomplete: "off", oninput, onblur: restore });
    const update = () => {
      if (document.activeElement !== input || typed() !== code) restore();
    };
    return { element: h("label", { for: id }, way.label, input), input, update };
  });
  const update = (newCode, newFmt) => {
    [code, fmt] = [newCode, newFmt];
    fields.forEach((field) => field.update());
  };
  return { element: h("div", { class: "codes" }, fields.map((field) => field.element), note), update };
}
