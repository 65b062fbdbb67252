// Buffer and the encodings of bytes as text. https://nodejs.org/api/buffer.html
import { native } from "capbox:native";
import { coded, wrongType } from "capbox:errors";

const custom = Symbol.for("nodejs.util.inspect.custom");

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUES = new Int8Array(128).fill(-1);
for (let i = 0; i < 64; i++) VALUES[ALPHABET.charCodeAt(i)] = i;
VALUES[45] = 62; // base64url
VALUES[95] = 63;

const PIECE = 8192;

// A text of one character a byte.
export function latin1(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += PIECE) text += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  return text;
}

function fromLatin1(text) {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function toBase64(bytes, url) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const bits = (bytes[i] << 16) | ((left > 1 ? bytes[i + 1] : 0) << 8) | (left > 2 ? bytes[i + 2] : 0);
    text += ALPHABET[bits >> 18] + ALPHABET[(bits >> 12) & 63];
    text += (left > 1 ? ALPHABET[(bits >> 6) & 63] : "=") + (left > 2 ? ALPHABET[bits & 63] : "=");
  }
  return url ? text.replace(/=+$/, "").replaceAll("+", "-").replaceAll("/", "_") : text;
}

function fromBase64(text) {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4) + 3);
  let size = 0;
  let bits = 0;
  let held = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 61) break;
    const value = code < 128 ? VALUES[code] : -1;
    if (value < 0) continue;
    bits = (bits << 6) | value;
    held += 6;
    if (held >= 8) bytes[size++] = (bits >> (held -= 8)) & 255;
  }
  return bytes.slice(0, size);
}

function fromHex(text) {
  const bytes = new Uint8Array(text.length >> 1);
  for (let i = 0; i < bytes.length; i++) {
    const pair = text.slice(2 * i, 2 * i + 2);
    if (!/^[0-9a-fA-F]{2}$/.test(pair)) return bytes.slice(0, i);
    bytes[i] = parseInt(pair, 16);
  }
  return bytes;
}

const toHex = (bytes) => {
  let text = "";
  for (const byte of bytes) text += (byte < 16 ? "0" : "") + byte.toString(16);
  return text;
};

function fromWide(text) {
  const bytes = new Uint8Array(text.length * 2);
  for (let i = 0; i < text.length; i++) {
    bytes[2 * i] = text.charCodeAt(i) & 255;
    bytes[2 * i + 1] = text.charCodeAt(i) >> 8;
  }
  return bytes;
}

function toWide(bytes) {
  let text = "";
  for (let i = 0; i + 1 < bytes.length; i += 2) text += String.fromCharCode(bytes[i] | (bytes[i + 1] << 8));
  return text;
}

const CODINGS = {
  utf8: [(text) => native.encode(text), (bytes) => native.decode(bytes, false)],
  hex: [fromHex, toHex],
  base64: [fromBase64, (bytes) => toBase64(bytes, false)],
  base64url: [fromBase64, (bytes) => toBase64(bytes, true)],
  latin1: [fromLatin1, latin1],
  ascii: [fromLatin1, (bytes) => latin1(bytes.map((byte) => byte & 127))],
  utf16le: [fromWide, toWide],
};
CODINGS["utf-8"] = CODINGS.utf8;
CODINGS.binary = CODINGS.latin1;
CODINGS.ucs2 = CODINGS["ucs-2"] = CODINGS["utf-16le"] = CODINGS.utf16le;

function coding(name = "utf8") {
  const found = Object.hasOwn(CODINGS, String(name).toLowerCase()) ? CODINGS[String(name).toLowerCase()] : undefined;
  if (found === undefined) throw coded(TypeError, "ERR_UNKNOWN_ENCODING", `Unknown encoding: ${name}`);
  return found;
}

export const encoded = (text, name) => coding(name)[0](text);
export const decoded = (bytes, name) => coding(name)[1](bytes);

// Any view or buffer as bytes, without copying.
export function bytesOf(value, name = "data") {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw wrongType(name, "of type string or an instance of Buffer, TypedArray, or DataView", value);
}

const made = (bytes) => Object.setPrototypeOf(bytes, Buffer.prototype);

export class Buffer extends Uint8Array {
  static poolSize = 8192;

  static from(value, coding, length) {
    if (typeof value === "string") return made(encoded(value, coding));
    if (value instanceof ArrayBuffer) return made(new Uint8Array(value, coding, length));
    if (value?.type === "Buffer" && Array.isArray(value.data)) return made(Uint8Array.from(value.data));
    if (ArrayBuffer.isView(value) || Array.isArray(value)) return made(Uint8Array.from(value));
    if (value !== null && typeof value === "object" && typeof value.length === "number") return made(Uint8Array.from(value));
    throw wrongType("first", "of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object", value);
  }

  static of(...values) {
    return made(Uint8Array.of(...values));
  }

  static alloc(size, fill, coding) {
    const bytes = made(new Uint8Array(size));
    return fill === undefined || fill === 0 ? bytes : bytes.fill(fill, 0, size, coding);
  }

  static allocUnsafe(size) {
    return made(new Uint8Array(size));
  }

  static concat(list, length = list.reduce((sum, part) => sum + part.length, 0)) {
    const whole = made(new Uint8Array(length));
    let at = 0;
    for (const part of list) {
      if (at >= length) break;
      whole.set(part.subarray(0, length - at), at);
      at += part.length;
    }
    return whole;
  }

  static byteLength(value, coding) {
    return typeof value === "string" ? encoded(value, coding).length : value.byteLength;
  }

  static isBuffer(value) {
    return value instanceof Buffer;
  }

  static isEncoding(name) {
    return typeof name === "string" && Object.hasOwn(CODINGS, name.toLowerCase());
  }

  static compare(a, b) {
    const size = Math.min(a.length, b.length);
    for (let i = 0; i < size; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
    return Math.sign(a.length - b.length);
  }

  toString(coding, start = 0, end = this.length) {
    return decoded(this.subarray(start, end), coding);
  }

  toJSON() {
    return { type: "Buffer", data: Array.from(this) };
  }

  equals(other) {
    return Buffer.compare(this, other) === 0;
  }

  compare(other) {
    return Buffer.compare(this, other);
  }

  slice(start, end) {
    return this.subarray(start, end);
  }

  subarray(start, end) {
    const from = start === undefined ? 0 : Math.trunc(start) || 0;
    const to = end === undefined ? this.length : Math.trunc(end) || 0;
    const first = Math.min(from < 0 ? Math.max(0, this.length + from) : from, this.length);
    const last = Math.min(to < 0 ? Math.max(0, this.length + to) : to, this.length);
    return made(new Uint8Array(this.buffer, this.byteOffset + first, Math.max(0, last - first)));
  }

  write(text, at = 0, length = this.length - at, coding = "utf8") {
    if (typeof at === "string") [at, length, coding] = [0, this.length, at];
    if (typeof length === "string") [length, coding] = [this.length - at, length];
    const bytes = encoded(text, coding).subarray(0, Math.min(length, this.length - at));
    this.set(bytes, at);
    return bytes.length;
  }

  fill(value, start = 0, end = this.length, coding = "utf8") {
    if (typeof value === "number") return super.fill(value, start, end);
    const pattern = typeof value === "string" ? encoded(value, coding) : value;
    for (let i = start; i < end; i++) this[i] = pattern.length ? pattern[(i - start) % pattern.length] : 0;
    return this;
  }

  copy(target, at = 0, start = 0, end = this.length) {
    const part = this.subarray(start, Math.min(end, start + target.length - at));
    target.set(part, at);
    return part.length;
  }

  indexOf(value, from = 0, coding = "utf8") {
    if (typeof value === "number") return super.indexOf(value, from);
    const wanted = typeof value === "string" ? encoded(value, coding) : value;
    for (let at = from < 0 ? Math.max(0, this.length + from) : from; at + wanted.length <= this.length; at++) {
      let same = 0;
      while (same < wanted.length && this[at + same] === wanted[same]) same++;
      if (same === wanted.length) return at;
    }
    return -1;
  }

  includes(value, from, coding) {
    return this.indexOf(value, from, coding) >= 0;
  }

  [custom]() {
    const shown = Array.from(this.subarray(0, 50), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const left = this.length - 50;
    return `<Buffer${shown && ` ${shown}`}${left > 0 ? ` ... ${left} more byte${left > 1 ? "s" : ""}` : ""}>`;
  }
}

// readUInt16LE, writeDoubleBE and so on: each a method of DataView.
const NUMBERS = [
  ["UInt8", "Uint8", 1], ["Int8", "Int8", 1], ["UInt16", "Uint16", 2], ["Int16", "Int16", 2], ["UInt32", "Uint32", 4],
  ["Int32", "Int32", 4], ["Float", "Float32", 4], ["Double", "Float64", 8], ["BigInt64", "BigInt64", 8], ["BigUInt64", "BigUint64", 8],
];

function outOfRange(at, size, length) {
  const last = length - size;
  return coded(RangeError, "ERR_OUT_OF_RANGE", last < 0 ? "Attempt to access memory outside buffer bounds"
    : `The value of "offset" is out of range. It must be >= 0 and <= ${last}. Received ${at}`);
}

for (const [name, kind, size] of NUMBERS) {
  for (const order of size === 1 ? [""] : ["LE", "BE"]) {
    const little = order === "LE";
    const view = (buffer) => new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    const methods = {
      [`read${name}${order}`](at = 0) {
        if (at < 0 || at + size > this.length) throw outOfRange(at, size, this.length);
        return view(this)[`get${kind}`](at, little);
      },
      [`write${name}${order}`](value, at = 0) {
        if (at < 0 || at + size > this.length) throw outOfRange(at, size, this.length);
        view(this)[`set${kind}`](at, value, little);
        return at + size;
      },
    };
    for (const [key, method] of Object.entries(methods)) {
      for (const spelling of new Set([key, key.replace("UInt", "Uint")])) {
        Object.defineProperty(Buffer.prototype, spelling, { value: method, writable: true, configurable: true });
      }
    }
  }
}

const { atob, btoa } = globalThis;
export const buffer = { Buffer, atob, btoa, constants: { MAX_LENGTH: 2 ** 31 - 1, MAX_STRING_LENGTH: 2 ** 30 - 1 }, kMaxLength: 2 ** 31 - 1 };
