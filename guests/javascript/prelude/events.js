// EventTarget and AbortController (https://dom.spec.whatwg.org), and Node's EventEmitter.
import { native } from "capbox:native";
import { setTimeout } from "capbox:timers";

export class Event {
  #type;
  #options;
  _stopped = false;
  _prevented = false;
  _target = null;

  constructor(type, options = {}) {
    this.#type = String(type);
    this.#options = options;
    for (const key of ["_stopped", "_prevented", "_target"]) Object.defineProperty(this, key, { enumerable: false });
    this.timeStamp = native.monotonic();
  }

  get type() {
    return this.#type;
  }

  get bubbles() {
    return Boolean(this.#options.bubbles);
  }

  get cancelable() {
    return Boolean(this.#options.cancelable);
  }

  get defaultPrevented() {
    return this._prevented;
  }

  get target() {
    return this._target;
  }

  get currentTarget() {
    return this._target;
  }

  preventDefault() {
    if (this.cancelable) this._prevented = true;
  }

  stopPropagation() {}

  stopImmediatePropagation() {
    this._stopped = true;
  }
}

export class CustomEvent extends Event {
  constructor(type, options = {}) {
    super(type, options);
    this.detail = options.detail ?? null;
  }
}

export class EventTarget {
  #listeners = new Map();

  addEventListener(type, listener, options = {}) {
    if (listener === null || listener === undefined) return;
    const { once = false, signal } = typeof options === "boolean" ? {} : options;
    if (signal?.aborted) return;
    const list = this.#listeners.get(type) ?? [];
    if (list.some((one) => one.listener === listener)) return;
    this.#listeners.set(type, [...list, { listener, once }]);
    signal?.addEventListener("abort", () => this.removeEventListener(type, listener), { once: true });
  }

  removeEventListener(type, listener) {
    this.#listeners.set(type, (this.#listeners.get(type) ?? []).filter((one) => one.listener !== listener));
  }

  dispatchEvent(event) {
    event._target = this;
    const own = this[`on${event.type}`];
    if (typeof own === "function") own.call(this, event);
    for (const { listener, once } of this.#listeners.get(event.type) ?? []) {
      if (once) this.removeEventListener(event.type, listener);
      if (typeof listener === "function") listener.call(this, event);
      else listener.handleEvent(event);
      if (event._stopped) break;
    }
    return !event.defaultPrevented;
  }
}

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason;

  get aborted() {
    return this.#aborted;
  }

  get reason() {
    return this.#reason;
  }

  throwIfAborted() {
    if (this.#aborted) throw this.#reason;
  }

  _abort(reason = new DOMException("This operation was aborted", "AbortError")) {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    this.dispatchEvent(new Event("abort"));
  }

  static abort(reason) {
    const signal = new AbortSignal();
    signal._abort(reason);
    return signal;
  }

  static timeout(delay) {
    const signal = new AbortSignal();
    Object.defineProperty(signal, "_deadline", { value: native.monotonic() + delay });
    setTimeout(() => signal._abort(new DOMException("The operation was aborted due to timeout", "TimeoutError")), delay).unref();
    return signal;
  }

  static any(signals) {
    const signal = new AbortSignal();
    for (const one of signals) {
      if (one.aborted) signal._abort(one.reason);
      else one.addEventListener("abort", () => signal._abort(one.reason), { once: true });
    }
    return signal;
  }
}
Object.defineProperty(AbortSignal.prototype, "_abort", { enumerable: false });

export class AbortController {
  #signal = new AbortSignal();

  get signal() {
    return this.#signal;
  }

  abort(reason) {
    this.#signal._abort(reason);
  }
}

export class EventEmitter {
  static defaultMaxListeners = 10;
  #listeners = new Map();

  #add(name, listener, first, once = false) {
    const list = this.#listeners.get(name) ?? [];
    const one = { listener, once };
    if (name !== "newListener" && this.#listeners.has("newListener")) this.emit("newListener", name, listener);
    this.#listeners.set(name, first ? [one, ...list] : [...list, one]);
    return this;
  }

  on(name, listener) {
    return this.#add(name, listener, false);
  }

  addListener(name, listener) {
    return this.#add(name, listener, false);
  }

  prependListener(name, listener) {
    return this.#add(name, listener, true);
  }

  once(name, listener) {
    return this.#add(name, listener, false, true);
  }

  prependOnceListener(name, listener) {
    return this.#add(name, listener, true, true);
  }

  off(name, listener) {
    const list = this.#listeners.get(name) ?? [];
    const at = list.findLastIndex((one) => one.listener === listener);
    if (at >= 0) this.#listeners.set(name, list.toSpliced(at, 1));
    if (this.#listeners.get(name)?.length === 0) this.#listeners.delete(name);
    return this;
  }

  removeListener(name, listener) {
    return this.off(name, listener);
  }

  removeAllListeners(name) {
    if (name === undefined) this.#listeners.clear();
    else this.#listeners.delete(name);
    return this;
  }

  emit(name, ...values) {
    const list = this.#listeners.get(name) ?? [];
    if (list.length === 0 && name === "error") {
      if (values[0] instanceof Error) throw values[0];
      const error = new Error(`Unhandled error. (${values[0]})`);
      error.code = "ERR_UNHANDLED_ERROR";
      error.context = values[0];
      throw error;
    }
    for (const { listener, once } of list) {
      if (once) this.off(name, listener);
      listener.apply(this, values);
    }
    return list.length > 0;
  }

  listeners(name) {
    return (this.#listeners.get(name) ?? []).map((one) => one.listener);
  }

  listenerCount(name) {
    return (this.#listeners.get(name) ?? []).length;
  }

  eventNames() {
    return [...this.#listeners.keys()];
  }

  setMaxListeners() {
    return this;
  }

  getMaxListeners() {
    return EventEmitter.defaultMaxListeners;
  }

  static once(emitter, name) {
    return new Promise((done, fail) => {
      const failed = (error) => fail(error);
      emitter.once(name, (...values) => {
        emitter.off?.("error", failed);
        done(values);
      });
      if (name !== "error") emitter.once("error", failed);
    });
  }
}
EventEmitter.EventEmitter = EventEmitter;
