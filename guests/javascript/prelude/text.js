// TextEncoder and TextDecoder. https://encoding.spec.whatwg.org: UTF-8, UTF-16LE and windows-1252 under its names.
import { native } from "capbox:native";
import { bytesOf, decoded } from "capbox:buffer";

const LABELS = {
  "utf-8": "utf-8", utf8: "utf-8", "unicode-1-1-utf-8": "utf-8",
  "utf-16le": "utf-16le", "utf-16": "utf-16le", "ucs-2": "utf-16le",
  latin1: "windows-1252", "iso-8859-1": "windows-1252", ascii: "windows-1252", "us-ascii": "windows-1252", "windows-1252": "windows-1252",
};
// What windows-1252 has at 0x80 to 0x9f.
const HIGH = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";

export class TextEncoder {
  get encoding() {
    return "utf-8";
  }

  encode(text = "") {
    return native.encode(String(text));
  }

  encodeInto(text, into) {
    let read = 0;
    let written = 0;
    for (const character of String(text)) {
      const bytes = native.encode(character);
      if (written + bytes.length > into.length) break;
      into.set(bytes, written);
      written += bytes.length;
      read += character.length;
    }
    return { read, written };
  }
}

// How many bytes at the end begin a character of UTF-8 that is not whole yet.
function begun(bytes) {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 && byte <= 0xf4 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1;
    return byte < 0xf5 && length > back ? back : 0;
  }
  return 0;
}

export class TextDecoder {
  #encoding;
  #fatal;
  #keepsMark;
  #held = new Uint8Array(0);
  #started = false;

  constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
    const name = String(label).trim().toLowerCase();
    if (!Object.hasOwn(LABELS, name)) throw new RangeError(`The "${label}" encoding is not supported`);
    this.#encoding = LABELS[name];
    this.#fatal = Boolean(fatal);
    this.#keepsMark = Boolean(ignoreBOM);
  }

  get encoding() {
    return this.#encoding;
  }

  get fatal() {
    return this.#fatal;
  }

  get ignoreBOM() {
    return this.#keepsMark;
  }

  decode(input = new Uint8Array(0), { stream = false } = {}) {
    let bytes = bytesOf(input, "input");
    if (this.#held.length > 0) {
      const whole = new Uint8Array(this.#held.length + bytes.length);
      whole.set(this.#held);
      whole.set(bytes, this.#held.length);
      bytes = whole;
    }
    const keep = !stream ? 0 : this.#encoding === "utf-8" ? begun(bytes) : this.#encoding === "utf-16le" ? bytes.length % 2 : 0;
    this.#held = bytes.slice(bytes.length - keep);
    let text = this.#text(bytes.subarray(0, bytes.length - keep));
    if (!this.#started && !this.#keepsMark && this.#encoding !== "windows-1252" && text.startsWith("\ufeff")) text = text.slice(1);
    this.#started = stream && (this.#started || text !== "");
    return text;
  }

  #text(bytes) {
    if (this.#encoding === "windows-1252") return decoded(bytes, "latin1").replace(/[\x80-\x9f]/g, (c) => HIGH[c.charCodeAt(0) - 128]);
    const text = this.#encoding === "utf-8" ? native.decode(bytes, this.#fatal) : this.#wide(bytes);
    if (text !== undefined) return text;
    const error = new TypeError(`The encoded data was not valid for encoding ${this.#encoding}`);
    error.code = "ERR_ENCODING_INVALID_ENCODED_DATA";
    throw error;
  }

  #wide(bytes) {
    const text = decoded(bytes, "utf16le") + (bytes.length % 2 ? "\ufffd" : "");
    if (this.#fatal && (bytes.length % 2 || !text.isWellFormed())) return undefined;
    return text.toWellFormed();
  }
}
