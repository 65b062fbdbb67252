// fetch under the run's grants (https://fetch.spec.whatwg.org), and `invoke`: functions of the embedding program.
//
// The host sends the request whole and hands over head and body. While it answers, nothing else happens in here: requests
// that were begun together come one after the other.
import { native } from "capbox:native";
import { Buffer, bytesOf, encoded } from "capbox:buffer";
import { coded } from "capbox:errors";
import { custom } from "capbox:inspect";
import { TextDecoder } from "capbox:text";
import { URL, URLSearchParams } from "capbox:url";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const REDIRECTS_MAX = 5;

export class Headers {
  #list = new Map();

  constructor(init) {
    if (init === undefined || init === null) return;
    const pairs = typeof init[Symbol.iterator] === "function" ? init : Object.entries(init);
    for (const [name, value] of pairs) this.append(name, value);
  }

  #name(name) {
    if (!TOKEN.test(`${name}`)) throw new TypeError(`Headers: ${JSON.stringify(`${name}`)} is an invalid header name.`);
    return `${name}`.toLowerCase();
  }

  #value(value) {
    const text = `${value}`.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
    if (/[\0\n\r]/.test(text)) throw new TypeError(`Headers: ${JSON.stringify(text)} is an invalid header value.`);
    return text;
  }

  append(name, value) {
    const key = this.#name(name);
    this.#list.set(key, [...(this.#list.get(key) ?? []), this.#value(value)]);
  }

  set(name, value) {
    this.#list.set(this.#name(name), [this.#value(value)]);
  }

  get(name) {
    return this.#list.get(this.#name(name))?.join(", ") ?? null;
  }

  getSetCookie() {
    return [...(this.#list.get("set-cookie") ?? [])];
  }

  has(name) {
    return this.#list.has(this.#name(name));
  }

  delete(name) {
    this.#list.delete(this.#name(name));
  }

  *entries() {
    for (const name of [...this.#list.keys()].sort()) {
      if (name === "set-cookie") for (const value of this.#list.get(name)) yield [name, value];
      else yield [name, this.#list.get(name).join(", ")];
    }
  }

  *keys() {
    for (const [name] of this.entries()) yield name;
  }

  *values() {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  forEach(callback, self) {
    for (const [name, value] of this.entries()) callback.call(self, value, name, this);
  }

  [custom](depth, options, inspect) {
    return `Headers ${inspect(Object.fromEntries(this.entries()), options)}`;
  }
}

// [bytes, type] of what a request or response is made from.
function taken(body) {
  if (body === undefined || body === null) return [null, null];
  if (typeof body === "string") return [encoded(body, "utf8"), "text/plain;charset=UTF-8"];
  if (body instanceof URLSearchParams) return [encoded(body.toString(), "utf8"), "application/x-www-form-urlencoded;charset=UTF-8"];
  if (body instanceof Blob) return [body._bytes, body.type || null];
  if (ArrayBuffer.isView(body) || body instanceof ArrayBuffer) return [bytesOf(body).slice(), null];
  if (typeof body === "object" && body[Symbol.asyncIterator]) throw new TypeError("a body cannot be a stream here: give a string or bytes");
  return [encoded(`${body}`, "utf8"), "text/plain;charset=UTF-8"];
}

export class Blob {
  constructor(parts = [], { type = "" } = {}) {
    const bytes = Buffer.concat(parts.map((part) => (part instanceof Blob ? part._bytes : typeof part === "string" ? encoded(part, "utf8") : bytesOf(part))));
    Object.defineProperty(this, "_bytes", { value: new Uint8Array(bytes.buffer) });
    this.size = bytes.length;
    this.type = type;
  }

  async arrayBuffer() {
    return this._bytes.slice().buffer;
  }

  async bytes() {
    return this._bytes.slice();
  }

  async text() {
    return new TextDecoder().decode(this._bytes);
  }

  slice(start, end, type = "") {
    return new Blob([this._bytes.slice(start, end)], { type });
  }
}

class Body {
  #bytes = null;
  #handle;
  #used = false;

  _take(bytes, handle) {
    this.#bytes = bytes;
    this.#handle = handle;
  }

  get bodyUsed() {
    return this.#used;
  }

  *#parts() {
    if (this.#bytes !== null) yield this.#bytes;
    while (this.#handle !== undefined) {
      const answer = native.body(this.#handle);
      if (typeof answer === "number") throw failure({ code: "io", message: "the host does not give the body" });
      const [bytes, said] = answer;
      if (bytes.length > 0) yield bytes;
      if (said !== "") throw failure(JSON.parse(said).error);
      if (bytes.length > 0) continue;
      native.closeBody(this.#handle);
      this.#handle = undefined;
    }
  }

  async #whole() {
    if (this.#used) throw new TypeError("Body is unusable: Body has already been read");
    this.#used = this.#bytes !== null || this.#handle !== undefined;
    return Buffer.concat([...this.#parts()]);
  }

  // A stream as far as it is read: `for await` and `getReader`.
  get body() {
    if (this.#bytes === null && this.#handle === undefined) return null;
    const parts = this.#parts();
    const next = async () => {
      this.#used = true;
      const { value, done } = parts.next();
      return { value, done };
    };
    return { getReader: () => ({ read: next, releaseLock() {}, cancel: async () => this._cancel() }), cancel: async () => this._cancel(), [Symbol.asyncIterator]: () => ({ next, return: async () => (this._cancel(), { done: true }) }) };
  }

  _cancel() {
    if (this.#handle !== undefined) native.closeBody(this.#handle);
    this.#handle = undefined;
    this.#bytes = null;
  }

  async arrayBuffer() {
    const bytes = await this.#whole();
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  }

  async bytes() {
    return new Uint8Array(await this.arrayBuffer());
  }

  async text() {
    return new TextDecoder().decode(await this.#whole());
  }

  async json() {
    return JSON.parse(await this.text());
  }

  async blob() {
    return new Blob([await this.bytes()], { type: this.headers.get("content-type") ?? "" });
  }

  async formData() {
    throw new TypeError("formData() does not exist here: read text() and parse it with URLSearchParams");
  }

  _copy() {
    if (this.#used) throw new TypeError("Response.clone: Body has already been consumed.");
    if (this.#handle !== undefined) this.#bytes = Buffer.concat([...this.#parts()]);
    return this.#bytes;
  }
}
for (const name of ["_take", "_cancel", "_copy"]) Object.defineProperty(Body.prototype, name, { enumerable: false });

export class Request extends Body {
  constructor(input, init = {}) {
    super();
    const before = input instanceof Request ? input : undefined;
    this.url = before ? before.url : new URL(`${input}`).href;
    this.method = `${init.method ?? before?.method ?? "GET"}`;
    if (!TOKEN.test(this.method)) throw new TypeError(`'${this.method}' is not a valid HTTP method.`);
    if (/^(get|head|post|put|delete|options)$/i.test(this.method)) this.method = this.method.toUpperCase();
    this.headers = new Headers(init.headers ?? before?.headers);
    this.redirect = init.redirect ?? before?.redirect ?? "follow";
    this.signal = init.signal ?? before?.signal;
    const [bytes, type] = init.body === undefined && before ? [before._copy(), null] : taken(init.body);
    if (bytes !== null && (this.method === "GET" || this.method === "HEAD")) throw new TypeError("Request with GET/HEAD method cannot have body.");
    if (type !== null && !this.headers.has("content-type")) this.headers.set("content-type", type);
    this._take(bytes);
  }

  clone() {
    return new Request(this);
  }
}

export class Response extends Body {
  constructor(body = null, { status = 200, statusText = "", headers } = {}) {
    super();
    if (status < 200 || status > 599) throw new RangeError('init["status"] must be in the range of 200 to 599, inclusive.');
    this.status = status;
    this.statusText = statusText;
    this.headers = new Headers(headers);
    this.url = "";
    this.redirected = false;
    this.type = "default";
    const [bytes, type] = taken(body);
    if (type !== null && !this.headers.has("content-type")) this.headers.set("content-type", type);
    this._take(bytes);
  }

  get ok() {
    return this.status >= 200 && this.status <= 299;
  }

  clone() {
    const made = new Response(this._copy(), this);
    return Object.assign(made, { url: this.url, redirected: this.redirected, type: this.type });
  }

  static json(value, init = {}) {
    const made = new Response(JSON.stringify(value), init);
    if (!new Headers(init.headers).has("content-type")) made.headers.set("content-type", "application/json");
    return made;
  }

  static error() {
    return Object.assign(new Response(), { type: "error", status: 0 });
  }

  static redirect(url, status = 302) {
    return new Response(null, { status, headers: { location: new URL(url).href } });
  }

  [custom](depth, options, inspect) {
    const { status, statusText, headers, bodyUsed, ok, redirected, type, url } = this;
    return `Response ${inspect({ status, statusText, headers, bodyUsed, ok, redirected, type, url }, options)}`;
  }
}

// What fetch rejects with: Node's words, and the host's reason as the cause.
function failure({ code, message = `the host gave the reason ${code}`, missing }) {
  const lacks = missing && !message.includes(missing) ? ` (missing grant: ${missing})` : "";
  const text = lacks ? message.replace(/[. ]+$/, "") + lacks : message;
  const error = new TypeError(`fetch failed: ${text}`);
  const cause = new Error(text);
  cause.code = code;
  if (missing) cause.missing = missing;
  Object.defineProperty(error, "cause", { value: cause, writable: true, configurable: true });
  error.code = code;
  return error;
}

function sent(request) {
  const follow = request.redirect === "follow";
  const head = { method: request.method, url: request.url, headers: [...request.headers], redirects: follow ? REDIRECTS_MAX : 0, decode: true };
  const deadline = request.signal?._deadline;
  if (deadline !== undefined) head.timeout_ms = Math.max(1, Math.ceil(deadline - native.monotonic()));
  const body = request._copy();
  const answer = native.request(JSON.stringify(head), body ?? new Uint8Array(0));
  if (typeof answer === "number") throw failure({ code: "invalid", message: "the host does not take the request" });
  const found = JSON.parse(answer[1]);
  if (found.error) {
    if (found.error.code === "timeout" && deadline !== undefined) throw new DOMException("The operation was aborted due to timeout", "TimeoutError");
    throw failure(found.error);
  }
  return [answer[0], found];
}

export async function fetch(input, init) {
  const request = new Request(input, init);
  request.signal?.throwIfAborted();
  const [handle, found] = sent(request);
  const leadsOn = [301, 302, 303, 307, 308].includes(found.status) && found.headers.some(([name]) => name.toLowerCase() === "location");
  if (leadsOn && request.redirect !== "manual") {
    native.closeBody(handle);
    const why = request.redirect === "error" ? "unexpected redirect" : `more than ${REDIRECTS_MAX} redirects`;
    throw failure({ code: "redirects", message: `${why}; the last one is ${found.url}` });
  }
  const response = new Response(null, { statusText: found.reason, headers: found.headers });
  Object.assign(response, { status: found.status, url: found.url, redirected: found.redirects.length > 0, type: "basic" });
  response._take(null, handle);
  return response;
}

function refused({ code, message, missing }) {
  const lacks = missing && !message.includes(missing) ? ` (missing grant: ${missing})` : "";
  const error = coded(Error, code, lacks ? message.replace(/[. ]+$/, "") + lacks : message);
  if (missing) error.missing = missing;
  return error;
}

function answered(said) {
  if (typeof said === "number") throw refused({ code: "invalid", message: "the host does not take it" });
  const reply = JSON.parse(said);
  if (reply.error) throw refused(reply.error);
  return reply;
}

// invoke(name, arguments): what the function said, as text.
export async function invoke(name, values = {}) {
  return answered(native.call(`${name}`, JSON.stringify(values))).content;
}
invoke.list = async () => answered(native.functions()).functions;
