// URL and URLSearchParams. https://url.spec.whatwg.org, but for IDNA: a name beyond ASCII is put into punycode as it is.
import { native } from "capbox:native";
import { decoded } from "capbox:buffer";
import { coded, wrongType } from "capbox:errors";
import { custom } from "capbox:inspect";

const PORTS = { "http:": 80, "https:": 443, "ws:": 80, "wss:": 443, "ftp:": 21, "file:": null };
const special = (scheme) => Object.hasOwn(PORTS, scheme);

const FRAGMENT = /[^\x21\x23-\x3b\x3d\x3f-\x5f\x61-\x7e]/u;
const QUERY = /[^\x21\x24-\x3b\x3d\x3f-\x7e]/u;
const SPECIAL_QUERY = /[^\x21\x24-\x26\x28-\x3b\x3d\x3f-\x7e]/u;
const PATH = /[^\x21\x24-\x3b\x3d\x40-\x5d\x5f\x61-\x7a\x7c\x7e]/u;
const USER = /[^\x21\x24-\x2e\x30-\x39\x41-\x5a\x5f\x61-\x7a\x7e%&'()*+,]/u;
const OPAQUE = /[^\x20-\x7e]/u;
const FORM = /[^*\-.0-9A-Z_a-z]/u;

function escaped(text, unsafe) {
  let out = "";
  for (const character of text) {
    if (!unsafe.test(character)) out += character;
    else for (const byte of native.encode(character)) out += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}

function unescaped(text) {
  if (!text.includes("%")) return text;
  const bytes = native.encode(text);
  const out = new Uint8Array(bytes.length);
  let size = 0;
  for (let i = 0; i < bytes.length; i++) {
    const hex = bytes[i] === 37 ? String.fromCharCode(bytes[i + 1], bytes[i + 2]) : "";
    if (/^[0-9a-fA-F]{2}$/.test(hex)) {
      out[size++] = parseInt(hex, 16);
      i += 2;
    } else {
      out[size++] = bytes[i];
    }
  }
  return decoded(out.subarray(0, size), "utf8");
}

// https://www.rfc-editor.org/rfc/rfc3492
function punycode(label) {
  const points = Array.from(label, (character) => character.codePointAt(0));
  let out = points.filter((point) => point < 128).map((point) => String.fromCodePoint(point)).join("");
  const basic = out.length;
  let done = basic;
  if (basic > 0) out += "-";
  let [n, delta, bias] = [128, 0, 72];
  while (done < points.length) {
    const next = Math.min(...points.filter((point) => point >= n));
    delta += (next - n) * (done + 1);
    n = next;
    for (const point of points) {
      if (point < n) delta++;
      if (point !== n) continue;
      let q = delta;
      for (let k = 36; ; k += 36) {
        const t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
        if (q < t) break;
        const digit = t + ((q - t) % (36 - t));
        out += String.fromCharCode(digit + (digit < 26 ? 97 : 22));
        q = Math.floor((q - t) / (36 - t));
      }
      out += String.fromCharCode(q + (q < 26 ? 97 : 22));
      delta = done === basic ? Math.floor(delta / 700) : delta >> 1;
      delta += Math.floor(delta / (done + 1));
      let k = 0;
      for (; delta > 455; k += 36) delta = Math.floor(delta / 35);
      bias = k + Math.floor((36 * delta) / (delta + 38));
      delta = 0;
      done++;
    }
    delta++;
    n++;
  }
  return `xn--${out}`;
}

function numeric(part) {
  if (part === "") return NaN;
  if (/^0[xX][0-9a-fA-F]*$/.test(part)) return part.length === 2 ? 0 : parseInt(part, 16);
  if (/^0[0-7]*$/.test(part)) return parseInt(part, 8);
  return /^[0-9]+$/.test(part) ? Number(part) : NaN;
}

function ipv4(host) {
  const parts = host.split(".");
  if (parts.at(-1) === "" && parts.length > 1) parts.pop();
  const end = parts.at(-1);
  if (!/^[0-9]+$/.test(end) && !/^0[xX][0-9a-fA-F]*$/.test(end)) return host;
  const numbers = parts.map(numeric);
  const most = 256 ** (5 - numbers.length);
  if (numbers.length > 4 || numbers.some(Number.isNaN) || numbers.slice(0, -1).some((n) => n > 255) || numbers.at(-1) >= most) return null;
  let value = numbers.pop();
  numbers.forEach((n, i) => (value += n * 256 ** (3 - i)));
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

function ipv6(text) {
  const four = /^(.*:)(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  let whole = text;
  if (four) {
    const bytes = four.slice(2);
    if (bytes.some((b) => Number(b) > 255 || (b.length > 1 && b[0] === "0"))) return null;
    whole = `${four[1]}${((bytes[0] << 8) | bytes[1]).toString(16)}:${((bytes[2] << 8) | bytes[3]).toString(16)}`;
  }
  const halves = whole.split("::");
  if (halves.length > 2) return null;
  const [first, last] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - first.length - (last?.length ?? 0);
  if (last === undefined ? missing !== 0 : missing < 1) return null;
  const pieces = [...first, ...(last === undefined ? [] : [...Array(missing).fill("0"), ...last])];
  if (pieces.some((piece) => !/^[0-9a-fA-F]{1,4}$/.test(piece))) return null;
  const numbers = pieces.map((piece) => parseInt(piece, 16));
  let [at, best] = [-1, 1];
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && numbers[end] === 0) end++;
    if (end - i > best) [at, best] = [i, end - i];
    i = Math.max(i, end - 1);
  }
  const hex = numbers.map((n) => n.toString(16));
  if (at < 0) return `[${hex.join(":")}]`;
  return `[${hex.slice(0, at).join(":")}::${hex.slice(at + best).join(":")}]`;
}

// The host in its canonical spelling, null if it is none.
function hostOf(text, scheme) {
  if (text.startsWith("[")) return text.endsWith("]") ? ipv6(text.slice(1, -1)) : null;
  if (!special(scheme)) return /[\0\t\n\r #/<>?@[\\\]^|]/.test(text) ? null : escaped(text, OPAQUE);
  const name = unescaped(text).normalize("NFKC").toLowerCase().replace(/[\u3002\uff0e\uff61]/g, ".").replace(/\u00ad/g, "").normalize("NFC");
  const ascii = name.split(".").map((label) => (/[^\0-\x7f]/.test(label) ? punycode(label) : label)).join(".");
  if (ascii === "" || /[\0-\x20"#%/:<>?@[\\\]^`{|}\x7f]/.test(ascii)) return null;
  return ipv4(ascii);
}

function pathOf(text, scheme, base = []) {
  const kept = [...base];
  const parts = text.split(special(scheme) ? /[/\\]/ : "/");
  parts.forEach((part, i) => {
    const final = i === parts.length - 1;
    const plain = part.replace(/%2e/gi, ".");
    if (plain === "..") {
      if (!(scheme === "file:" && kept.length === 1 && /^[A-Za-z]:$/.test(kept[0]))) kept.pop();
      if (final) kept.push("");
    } else if (plain === ".") {
      if (final) kept.push("");
    } else {
      kept.push(scheme === "file:" && kept.length === 0 && /^[A-Za-z][:|]$/.test(part) ? `${part[0]}:` : escaped(part, PATH));
    }
  });
  return kept;
}

function tailOf(rest, scheme) {
  const [before, ...fragment] = rest.split("#");
  const [main, ...query] = before.split("?");
  return {
    main,
    query: before.includes("?") ? escaped(query.join("?"), special(scheme) ? SPECIAL_QUERY : QUERY) : null,
    fragment: rest.includes("#") ? escaped(fragment.join("#"), FRAGMENT) : null,
  };
}

function authority(parts, text) {
  const at = text.lastIndexOf("@");
  if (at >= 0) {
    const [user, ...password] = text.slice(0, at).split(":");
    parts.username = escaped(user, USER);
    parts.password = escaped(password.join(":"), USER);
  }
  const found = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(text.slice(at + 1));
  if (!found || (found[2] && (!/^[0-9]+$/.test(found[2]) || Number(found[2]) > 65535))) return false;
  parts.port = found[2] && Number(found[2]) !== PORTS[parts.scheme] ? String(Number(found[2])) : "";
  if (found[1] === "") {
    parts.host = "";
    return !special(parts.scheme) && at < 0 && !found[2];
  }
  parts.host = hostOf(found[1], parts.scheme);
  return parts.host !== null;
}

const blank = (scheme) => ({ scheme, username: "", password: "", host: null, port: "", path: [], opaque: null, query: null, fragment: null });

function parsed(input, base) {
  const text = input.toWellFormed().replace(/^[\0-\x20]+|[\0-\x20]+$/g, "").replace(/[\t\n\r]/g, "");
  const named = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s.exec(text);
  const scheme = named ? `${named[1].toLowerCase()}:` : base?.scheme;
  if (scheme === undefined) return null;
  let rest = named ? named[2] : text;
  const slash = special(scheme) ? /^[/\\]/ : /^\//;
  const relative = !named || (special(scheme) && base?.scheme === scheme && !slash.test(rest));
  if (relative && base?.opaque !== null && base !== undefined) {
    if (!rest.startsWith("#")) return null;
    return { ...base, fragment: escaped(rest.slice(1), FRAGMENT) };
  }
  const parts = blank(scheme);
  const { main, query, fragment } = tailOf(rest, scheme);
  parts.query = query;
  parts.fragment = fragment;
  const twice = special(scheme) ? /^[/\\]{2}/ : /^\/\//;
  if (relative && !twice.test(main)) {
    Object.assign(parts, { username: base.username, password: base.password, host: base.host, port: base.port });
    if (main === "") return { ...parts, path: [...base.path], query: query ?? (rest === "" || rest.startsWith("#") ? base.query : null) };
    parts.path = slash.test(main) ? pathOf(main.slice(1), scheme) : pathOf(main, scheme, base.path.slice(0, -1));
    return parts;
  }
  if (scheme === "file:") {
    const file = /^(?:[/\\]{2}([^/\\]*))?([/\\]?.*)$/s.exec(main);
    parts.host = "";
    if (file[1] && /^[A-Za-z][:|]$/.test(file[1])) return { ...parts, path: pathOf(main.replace(/^[/\\]+/, ""), scheme) };
    if (file[1] && file[1].toLowerCase() !== "localhost") parts.host = hostOf(file[1], scheme);
    if (parts.host === null) return null;
    parts.path = pathOf(file[2].replace(/^[/\\]/, ""), scheme);
    return parts;
  }
  if (special(scheme) || twice.test(main)) {
    const bare = special(scheme) ? main.replace(/^[/\\]+/, "") : main.slice(2);
    const end = bare.search(special(scheme) ? /[/\\]/ : /\//);
    if (!authority(parts, end < 0 ? bare : bare.slice(0, end))) return null;
    if (end >= 0) parts.path = pathOf(bare.slice(end + 1), scheme);
    else if (special(scheme)) parts.path = [""];
    return parts;
  }
  if (main.startsWith("/")) parts.path = pathOf(main.slice(1), scheme);
  else parts.opaque = escaped(main, OPAQUE);
  return parts;
}

const pathname = (parts) => parts.opaque ?? (parts.path.length ? `/${parts.path.join("/")}` : "");

function written(parts) {
  let text = parts.scheme;
  if (parts.host !== null) {
    text += "//";
    if (parts.username || parts.password) text += `${parts.username}${parts.password ? `:${parts.password}` : ""}@`;
    text += parts.host + (parts.port ? `:${parts.port}` : "");
  } else if (parts.opaque === null && parts.path.length > 1 && parts.path[0] === "") {
    text += "/.";
  }
  text += pathname(parts);
  if (parts.query !== null) text += `?${parts.query}`;
  return parts.fragment === null ? text : `${text}#${parts.fragment}`;
}

function invalid(input, base) {
  const error = coded(TypeError, "ERR_INVALID_URL", "Invalid URL");
  error.input = input;
  if (base !== undefined) error.base = base;
  return error;
}

export class URLSearchParams {
  #pairs = [];
  _changed = () => {};

  constructor(init = "") {
    Object.defineProperty(this, "_changed", { enumerable: false });
    if (init === null || init === undefined) return;
    if (typeof init === "object" || typeof init === "function") {
      const pairs = typeof init[Symbol.iterator] === "function" ? [...init].map((pair) => [...pair]) : Object.entries(init);
      if (pairs.some((pair) => pair.length !== 2)) throw coded(TypeError, "ERR_INVALID_TUPLE", "Each query pair must be an iterable [name, value] tuple");
      this.#pairs = pairs.map(([name, value]) => [`${name}`.toWellFormed(), `${value}`.toWellFormed()]);
    } else {
      this._read(`${init}`.replace(/^\?/, ""));
    }
  }

  _read(text) {
    const plain = (part) => unescaped(part.replaceAll("+", " "));
    this.#pairs = text.split("&").filter(Boolean).map((pair) => {
      const at = pair.indexOf("=");
      return at < 0 ? [plain(pair), ""] : [plain(pair.slice(0, at)), plain(pair.slice(at + 1))];
    });
  }

  get size() {
    return this.#pairs.length;
  }

  append(name, value) {
    this.#pairs.push([`${name}`.toWellFormed(), `${value}`.toWellFormed()]);
    this._changed();
  }

  delete(name, value) {
    this.#pairs = this.#pairs.filter((pair) => pair[0] !== `${name}` || (value !== undefined && pair[1] !== `${value}`));
    this._changed();
  }

  get(name) {
    return this.#pairs.find((pair) => pair[0] === `${name}`)?.[1] ?? null;
  }

  getAll(name) {
    return this.#pairs.filter((pair) => pair[0] === `${name}`).map((pair) => pair[1]);
  }

  has(name, value) {
    return this.#pairs.some((pair) => pair[0] === `${name}` && (value === undefined || pair[1] === `${value}`));
  }

  set(name, value) {
    const at = this.#pairs.findIndex((pair) => pair[0] === `${name}`);
    if (at < 0) return this.append(name, value);
    this.#pairs[at][1] = `${value}`.toWellFormed();
    this.#pairs = this.#pairs.filter((pair, i) => i <= at || pair[0] !== `${name}`);
    return this._changed();
  }

  sort() {
    this.#pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    this._changed();
  }

  forEach(callback, self) {
    for (const [name, value] of this.#pairs) callback.call(self, value, name, this);
  }

  *entries() {
    for (const pair of this.#pairs) yield [...pair];
  }

  *keys() {
    for (const pair of this.#pairs) yield pair[0];
  }

  *values() {
    for (const pair of this.#pairs) yield pair[1];
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  toString() {
    const form = (text) => text.split(" ").map((word) => escaped(word, FORM)).join("+");
    return this.#pairs.map(([name, value]) => `${form(name)}=${form(value)}`).join("&");
  }

  get [Symbol.toStringTag]() {
    return "URLSearchParams";
  }

  [custom](depth, options, inspect) {
    if (this.#pairs.length === 0) return "URLSearchParams {}";
    return `URLSearchParams { ${this.#pairs.map(([name, value]) => `${inspect(name)} => ${inspect(value)}`).join(", ")} }`;
  }
}

export class URL {
  #parts;
  #search = new URLSearchParams();

  constructor(input, base) {
    const above = base === undefined ? undefined : parsed(`${base}`);
    const parts = above === null ? null : parsed(`${input}`, above);
    if (parts === null) throw invalid(`${input}`, base === undefined ? undefined : `${base}`);
    this.#take(parts);
    this.#search._changed = () => {
      const text = this.#search.toString();
      this.#parts.query = text === "" ? null : text;
    };
  }

  #take(parts) {
    this.#parts = parts;
    this.#search._read(parts.query ?? "");
  }

  static canParse(input, base) {
    return URL.parse(input, base) !== null;
  }

  static parse(input, base) {
    try {
      return new URL(input, base);
    } catch {
      return null;
    }
  }

  // A part is replaced by parsing the whole anew; what does not parse changes nothing.
  #replace(change) {
    const parts = { ...this.#parts };
    change(parts);
    const again = parsed(written(parts));
    if (again !== null) this.#take(again);
  }

  get href() {
    return written(this.#parts);
  }

  set href(value) {
    const parts = parsed(`${value}`);
    if (parts === null) throw invalid(`${value}`);
    this.#take(parts);
  }

  get origin() {
    if (this.#parts.scheme === "blob:") return URL.parse(this.pathname)?.origin ?? "null";
    return special(this.#parts.scheme) && this.#parts.scheme !== "file:" ? `${this.#parts.scheme}//${this.host}` : "null";
  }

  get protocol() {
    return this.#parts.scheme;
  }

  set protocol(value) {
    const scheme = /^([A-Za-z][A-Za-z0-9+.-]*)/.exec(`${value}`)?.[1].toLowerCase();
    if (scheme && special(`${scheme}:`) === special(this.#parts.scheme)) this.#replace((parts) => (parts.scheme = `${scheme}:`));
  }

  get username() {
    return this.#parts.username;
  }

  set username(value) {
    if (this.#parts.host) this.#parts.username = escaped(`${value}`, USER);
  }

  get password() {
    return this.#parts.password;
  }

  set password(value) {
    if (this.#parts.host) this.#parts.password = escaped(`${value}`, USER);
  }

  get host() {
    return (this.#parts.host ?? "") + (this.#parts.port ? `:${this.#parts.port}` : "");
  }

  set host(value) {
    const [host, port] = /^(\[[^\]]*\]|[^:/?#\\]*)(?::(\d+))?/.exec(`${value}`).slice(1);
    if (host) this.#replace((parts) => Object.assign(parts, { host }, port && { port }));
  }

  get hostname() {
    return this.#parts.host ?? "";
  }

  set hostname(value) {
    if (`${value}` !== "" && !/[:/?#\\]/.test(`${value}`)) this.#replace((parts) => (parts.host = `${value}`));
  }

  get port() {
    return this.#parts.port;
  }

  set port(value) {
    const digits = /^\d*/.exec(`${value}`)[0];
    if (digits !== "" || `${value}` === "") this.#replace((parts) => (parts.port = digits));
  }

  get pathname() {
    return pathname(this.#parts);
  }

  set pathname(value) {
    if (this.#parts.opaque === null) this.#parts.path = pathOf(`${value}`.replace(/^[/\\]/, "").replace(/[?#]/g, encodeURIComponent), this.#parts.scheme);
  }

  get search() {
    return this.#parts.query ? `?${this.#parts.query}` : "";
  }

  set search(value) {
    const text = `${value}`.replace(/^\?/, "");
    this.#parts.query = text === "" ? null : escaped(text.replaceAll("#", "%23"), special(this.#parts.scheme) ? SPECIAL_QUERY : QUERY);
    this.#search._read(this.#parts.query ?? "");
  }

  get searchParams() {
    return this.#search;
  }

  get hash() {
    return this.#parts.fragment ? `#${this.#parts.fragment}` : "";
  }

  set hash(value) {
    const text = `${value}`.replace(/^#/, "");
    this.#parts.fragment = text === "" ? null : escaped(text, FRAGMENT);
  }

  toString() {
    return this.href;
  }

  toJSON() {
    return this.href;
  }

  get [Symbol.toStringTag]() {
    return "URL";
  }

  [custom](depth, options, inspect) {
    const shown = {};
    for (const key of ["href", "origin", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "searchParams", "hash"]) shown[key] = this[key];
    return `URL ${inspect(shown, options)}`;
  }
}

export function fileURLToPath(value) {
  const url = typeof value === "string" ? new URL(value) : value;
  if (!(url instanceof URL)) throw wrongType("path", "of type string or an instance of URL", value);
  if (url.protocol !== "file:") throw coded(TypeError, "ERR_INVALID_URL_SCHEME", "The URL must be of scheme file");
  return unescaped(url.pathname);
}

export const pathToFileURL = (path) => new URL(`file://${escaped(path.replaceAll("%", "%25"), PATH).replaceAll("?", "%3F").replaceAll("#", "%23")}`);

export const url = { URL, URLSearchParams, fileURLToPath, pathToFileURL, domainToASCII: (name) => hostOf(name, "http:") ?? "" };
