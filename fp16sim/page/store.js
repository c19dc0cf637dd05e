/* One place that holds the state, and the way back: every edit is an entry of the browser's history.

   So Back undoes, a reload stays, and a link holds what is shown. In a notebook's frame there is no address to write to;
   there the entries are kept here alone. */

import { formatHash } from "./state.js";

const SOON = 150; // milliseconds: browsers refuse addresses that change many times a second, as while a line is dragged

/** The store. `read(hash)` gives {state, said}: a state that the page knows, and what to say of the rest of an address.
    `check(state)` gives a state in which every value is one that the page knows. */
export function makeStore(first, read, check) {
  const embedded = location.protocol === "about:";
  let { state, said } = read(location.hash || first);
  let at = (embedded ? null : history.state?.at) ?? 0;
  let [last, gesture, pending] = [at, null, 0];
  const trail = new Map([[at, state]]); // the states of the entries that were seen
  const listeners = [];

  const publish = () => listeners.forEach((listener) => listener(state));
  const record = (how, hash) => {
    try {
      history[how]({ at }, "", hash);
    } catch { /* too many in a short time: the next edit writes it */ }
  };
  const flush = () => {
    if (pending) record("replaceState", formatHash(state));
    clearTimeout(pending);
    pending = 0;
  };
  const enter = (next, words = []) => {
    [state, said] = [next, words];
    trail.set(at, state);
    publish();
  };

  const set = (changes, { merge = null } = {}) => {
    const next = check({ ...state, ...changes });
    const joins = merge !== null && merge === gesture;
    gesture = merge;
    if (formatHash(next) === formatHash(state)) return enter(next, said);
    if (!joins) {
      if (!embedded) flush();
      at += 1;
    }
    last = at;
    [...trail.keys()].filter((place) => place > at).forEach((place) => trail.delete(place));
    if (!embedded && !joins) record("pushState", formatHash(next));
    if (!embedded && joins) pending ||= setTimeout(flush, SOON);
    enter(next);
  };

  /** Where the browser went: to an entry of ours, or to an address that was typed or linked. */
  const arrive = () => {
    const place = history.state?.at;
    if (place === at) return;
    clearTimeout(pending);
    [pending, gesture] = [0, null];
    at = place ?? at + 1;
    last = place === undefined ? at : Math.max(last, at);
    if (place === undefined) trail.delete(at);
    const found = trail.has(at) ? { state: trail.get(at), said: [] } : read(location.hash || first);
    record("replaceState", location.hash || formatHash(found.state));
    enter(found.state, found.said);
  };

  const go = (steps) => {
    gesture = null;
    if (at + steps < 0 || at + steps > last) return;
    if (!embedded) {
      flush();
      history.go(steps);
    } else {
      at += steps;
      enter(trail.get(at));
    }
  };

  if (!embedded) {
    record("replaceState", location.hash || location.href.split("#")[0]);
    addEventListener("popstate", arrive);
    addEventListener("hashchange", arrive);
    addEventListener("pagehide", flush);
  }
  return {
    get: () => state,
    /** What in the address was not understood: sentences. */
    said: () => said,
    /** Change the state: a new entry, unless `merge` names the same gesture as the last change did. */
    set,
    /** The next change is a new entry in any case. */
    settle: () => { gesture = null; },
    undo: () => go(-1),
    redo: () => go(1),
    canUndo: () => at > 0,
    canRedo: () => at < last,
    subscribe(listener) {
      listeners.push(listener);
      listener(state);
    },
  };
}
