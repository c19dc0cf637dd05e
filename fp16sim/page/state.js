/* The state of the page: plain strings, all of them in the URL's hash, so that a link shows what its sender saw.

   #arithmetic?a=0.1&b=0.2&op=add        a view, then what differs from the defaults */

export const VIEWS = ["number", "line", "arithmetic", "heatmap"];

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
  tour: "",
});

const LONGEST = 2000;

/** The state that a hash stands for; what is missing or unknown has its default. */
export function parseHash(hash) {
  const [view, query = ""] = hash.replace(/^#/, "").split(/\?(.*)/s);
  const state = { ...DEFAULTS };
  if (VIEWS.includes(view)) state.view = view;
  for (const part of query.split("&")) {
    const [key, value = ""] = part.split(/=(.*)/s);
    if (Object.hasOwn(DEFAULTS, key) && key !== "view") state[key] = decoded(value).slice(0, LONGEST);
  }
  return state;
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
  const encode = (text) => encodeURIComponent(text).replace(/%2F/g, "/").replace(/%5E/g, "^");
  const query = differs.map((key) => `${key}=${encode(state[key])}`).join("&");
  return `#${state.view}${query && "?"}${query}`;
}

/** One place that holds the state: `set` changes it, tells the listener, and writes the hash.

    `check` gives a state in which every value is one that the page knows. */
export function makeStore(first, check) {
  const embedded = location.protocol === "about:"; // in a notebook's frame there is no address to write to
  let state = check(location.hash ? parseHash(location.hash) : parseHash(first));
  const listeners = [];
  const publish = () => listeners.forEach((listener) => listener(state));
  const write = (push) => {
    if (embedded || formatHash(state) === location.hash) return;
    history[push ? "pushState" : "replaceState"](null, "", formatHash(state));
  };
  const restore = () => {
    if (formatHash(state) === location.hash) return;
    state = check(parseHash(location.hash || first));
    publish();
  };
  addEventListener("hashchange", restore);
  addEventListener("popstate", restore);
  return {
    get: () => state,
    /** `push` makes a step that the back button undoes; else the current one is replaced. */
    set(changes, { push = false } = {}) {
      state = check({ ...state, ...changes });
      write(push);
      publish();
    },
    subscribe(listener) {
      listeners.push(listener);
      listener(state);
    },
  };
}
