/* The state of the page: plain strings, all of them in the URL's hash, so that a link shows what its sender saw.

   #arithmetic?a=0.1&b=0.2&op=add        a view, then what differs from the defaults */

export const VIEWS = ["number", "formats", "line", "arithmetic", "heatmap", "block", "window"];

export const DEFAULTS = Object.freeze({
  view: "number",
  x: "0.1",
  format: "binary16",
  beside: "",
  mode: "ties_to_even",
  draw: "0x80000000",
  op: "add",
  a: "0.1",
  b: "0.2",
  c: "1",
  step: "all",
  zoom: "all",
  at: "",
  small: "e4m3fn",
  values: "0.31,-0.22,0.48,0.05,-0.4,0.17,6,-0.09,0.26,-0.35,0.12,0.44,-0.18,0.07,0.39,-0.28",
  block: "mxfp4",
  rule: "",
  tensor: "",
  pick: "",
  machine: "hopper",
  factors: "e4m3fn",
  output: "binary32",
  model: "",
  left: "1.75,0.8125,0.40625,0.171875,0.109375,0.0546875,0.0234375,2^-7,3*2^-9",
  right: "1.75,0.8125,0.40625,0.171875,0.109375,0.0546875,0.0234375,2^-7,3*2^-9",
  start: "0",
  sum: "",
  term: "",
  tour: "",
});

const LONGEST = 2000;

/** The state that a hash stands for, and what in it names no view or part of the state; that has its default. */
export function parseHash(hash) {
  const [view, query = ""] = hash.replace(/^#/, "").split(/\?(.*)/s);
  const state = { ...DEFAULTS };
  const unknown = [];
  if (VIEWS.includes(view)) state.view = view;
  else if (view) unknown.push(["", view]);
  for (const part of query.split("&").filter(Boolean)) {
    const [key, value = ""] = part.split(/=(.*)/s);
    if (Object.hasOwn(DEFAULTS, key) && key !== "view") state[key] = decoded(value).slice(0, LONGEST);
    else unknown.push([decoded(key), decoded(value)]);
  }
  return { state, unknown };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The hash of a state, readable: defaults are left out. */
export function formatHash(state) {
  const differs = Object.keys(DEFAULTS).filter((key) => key !== "view" && state[key] !== DEFAULTS[key]);
  const encode = (text) => encodeURIComponent(text).replace(/%2F/g, "/").replace(/%5E/g, "^").replace(/%3D/g, "=").replace(/%2C/g, ",");
  const query = differs.map((key) => `${key}=${encode(state[key])}`).join("&");
  return `#${state.view}${query && "?"}${query}`;
}
