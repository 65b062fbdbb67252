// setTimeout and its like: a queue that the guest's loop empties, sleeping in the host until the next is due.
import { native } from "capbox:native";
import { wrongType } from "capbox:errors";
import { custom } from "capbox:inspect";

const MOST = 2 ** 31 - 1;
const waiting = new Map();
let last = 0;

export class Timeout {
  #id;

  constructor(callback, delay, values, every) {
    if (typeof callback !== "function") throw wrongType("callback", "of type function", callback);
    this.#id = ++last;
    const wait = Number(delay);
    this._idleTimeout = wait >= 1 && wait <= MOST ? Math.trunc(wait) : 1;
    this._repeat = every;
    this._held = true;
    this._call = () => callback(...values);
    this._start();
  }

  _start() {
    this._due = native.monotonic() + this._idleTimeout;
    waiting.set(this.#id, this);
  }

  ref() {
    this._held = true;
    return this;
  }

  unref() {
    this._held = false;
    return this;
  }

  hasRef() {
    return this._held;
  }

  refresh() {
    waiting.delete(this.#id);
    this._start();
    return this;
  }

  close() {
    waiting.delete(this.#id);
    return this;
  }

  [Symbol.toPrimitive]() {
    return this.#id;
  }

  [Symbol.dispose]() {
    this.close();
  }

  [custom]() {
    return `Timeout {\n  _idleTimeout: ${this._idleTimeout},\n  _repeat: ${this._repeat ? this._idleTimeout : null}\n}`;
  }
}

const soon = [];

export class Immediate {
  constructor(callback, values) {
    if (typeof callback !== "function") throw wrongType("callback", "of type function", callback);
    this._call = () => callback(...values);
    soon.push(this);
  }
}

export const setTimeout = (callback, delay, ...values) => new Timeout(callback, delay, values, false);
export const setInterval = (callback, delay, ...values) => new Timeout(callback, delay, values, true);
export const setImmediate = (callback, ...values) => new Immediate(callback, values);

export function clearTimeout(timer) {
  if (timer === undefined || timer === null) return;
  if (timer instanceof Immediate) clearImmediate(timer);
  else waiting.delete(Number(timer));
}
export const clearInterval = clearTimeout;

export function clearImmediate(immediate) {
  const at = soon.indexOf(immediate);
  if (at >= 0) soon.splice(at, 1);
}

// Run what is due, one callback; 0 if more may be due, the milliseconds until then, -1 if nothing is left.
export function turn(run) {
  let next;
  let held = false;
  for (const timer of waiting.values()) {
    held ||= timer._held;
    if (next === undefined || timer._due < next.due) next = { due: timer._due, timer };
  }
  const now = native.monotonic();
  if (next !== undefined && next.due <= now) {
    next.timer.close();
    if (next.timer._repeat) next.timer._start();
    run(next.timer._call);
    return 0;
  }
  if (soon.length > 0) {
    run(soon.shift()._call);
    return 0;
  }
  return held ? Math.max(next.due - now, 0) : -1;
}

function cancellable(signal, start) {
  return new Promise((done, fail) => {
    if (signal?.aborted) return void fail(signal.reason);
    const stop = start(done);
    signal?.addEventListener?.("abort", () => {
      stop();
      fail(signal.reason);
    }, { once: true });
  });
}

export const promises = {
  setTimeout: (delay, value, { signal } = {}) => cancellable(signal, (done) => {
    const timer = setTimeout(done, delay, value);
    return () => timer.close();
  }),
  setImmediate: (value) => new Promise((done) => setImmediate(done, value)),
  async *setInterval(delay, value) {
    for (;;) yield await promises.setTimeout(delay, value);
  },
  scheduler: { wait: (delay, options) => promises.setTimeout(delay, undefined, options), yield: () => promises.setImmediate() },
};

export const timers = { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate, promises };
