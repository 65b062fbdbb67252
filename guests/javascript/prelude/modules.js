// What `import` and `require` find: modules of Node's that exist here, the call's own files, and files of the run's grants.
//
// A file is read when it is imported, under the grants, as any other. Nothing is ever fetched or installed.
import { native } from "capbox:native";
import { buffer, decoded } from "capbox:buffer";
import { console } from "capbox:console";
import { crypto } from "capbox:crypto";
import { absent, coded, systemError } from "capbox:errors";
import { EventEmitter } from "capbox:events";
import { fs, promises as fsPromises } from "capbox:fs";
import { types } from "capbox:inspect";
import * as paths from "capbox:path";
import { process } from "capbox:process";
import { timers } from "capbox:timers";
import { fileURLToPath, pathToFileURL, url } from "capbox:url";
import { assert, os, util } from "capbox:util";

const NODE = {
  assert, "assert/strict": assert.strict, buffer, console, crypto, events: EventEmitter, fs, "fs/promises": fsPromises, os, path: paths.path,
  "path/posix": paths.path, process, timers, "timers/promises": timers.promises, url, util, "util/types": types,
  perf_hooks: { get performance() { return globalThis.performance; } },
  string_decoder: { StringDecoder: class StringDecoder {
    #decoder = new TextDecoder();
    write = (bytes) => this.#decoder.decode(bytes, { stream: true });
    end = (bytes) => this.#decoder.decode(bytes);
  } },
  querystring: { parse: (text) => Object.fromEntries(new URLSearchParams(text)), stringify: (values) => new URLSearchParams(values).toString(), escape: encodeURIComponent, unescape: decodeURIComponent },
  module: { createRequire: (from) => requirer(`${from}`.startsWith("file:") ? fileURLToPath(`${from}`) : `${from}`), builtinModules: [] },
};
NODE.module.builtinModules = Object.keys(NODE);

const NETWORK = "use fetch(), which reaches what the run was granted";
const ABSENT = {
  child_process: "no other program can be started; what the shell can do, the tool bash does", worker_threads: "there is one thread; use promises",
  cluster: "there is one thread; use promises", http: NETWORK, https: NETWORK, http2: NETWORK, net: NETWORK, tls: NETWORK, dgram: NETWORK, dns: NETWORK,
  zlib: "decompress with the tool bash (gzip, unzip); fetch() decodes what servers compress", stream: "read whole files, or in parts with fs.readSync",
  readline: "read all of standard input with fs.readFileSync(0, 'utf8') and split it into lines", "readline/promises": "read fs.readFileSync(0, 'utf8') and split it into lines",
  vm: "evaluate with eval() or new Function()", v8: "use process.memoryUsage()", async_hooks: "pass what is needed as arguments", tty: "there is no terminal",
  repl: "there is no terminal", inspector: "print with console.log", diagnostics_channel: "use node:events", test: "use node:assert and console.log", sqlite: "read and write JSON files", wasi: "there is no WebAssembly inside",
  punycode: "new URL() writes names in punycode",
};

const GLOBALS = {
  Intl: "toLocaleString() of a number groups thousands; write dates and texts with methods of your own", WebAssembly: "nothing runs WebAssembly inside; write it in JavaScript",
  Worker: "there is one thread; use promises", SharedWorker: "there is one thread; use promises", SharedArrayBuffer: "there is one thread; use ArrayBuffer",
  XMLHttpRequest: NETWORK, WebSocket: NETWORK, EventSource: NETWORK, ReadableStream: "read whole files, or in parts with fs.readSync",
  WritableStream: "write files with fs", TransformStream: "change whole texts", document: "there is no page; work on texts", window: "there is no page; use globalThis",
  localStorage: "keep what lasts in a granted file", sessionStorage: "keep it in a variable", Deno: "use Node's modules", Bun: "use Node's modules",
};

// Add what to do instead to an error that names a global which does not exist. They are no getters that throw: code asks with
// `typeof` whether they exist.
export function explain(error) {
  try {
    const name = error instanceof ReferenceError && /^'?(\w+)'? is not defined$/.exec(error.message)?.[1];
    if (name && Object.hasOwn(GLOBALS, name)) error.message += `: it does not exist in this sandbox: ${GLOBALS[name]}`;
  } catch {
    // An error of the code's own making, which cannot be read or changed.
  }
}

// The texts that came with the call, by absolute path.
export const files = new Map();
// Where the modules of a tool are that an author made; "" in the tool javascript.
export const packed = { root: "" };
const ready = new Map();

function missing(what, from) {
  return coded(Error, "ERR_MODULE_NOT_FOUND", `Cannot find ${what}${from ? ` imported from ${from}` : ""}`);
}

// A module's text: of the call's own files, or of the file.
function text(path) {
  if (files.has(path)) return files.get(path);
  const found = native.load(path);
  if (typeof found === "number") throw systemError(-found, "open", path);
  return decoded(found, "utf8").replace(/^\ufeff/, "");
}

const SUFFIXES = ["", ".js", ".mjs", ".cjs", ".json"];
const visible = new Set(["/"]);

// What is refused is on record, and a person is told which grant would allow it. So a search ends where it is first refused,
// and asks for no name that is not there: directories that lead to something granted can be listed.
function refused(found, wanted) {
  if (found === -2 || found === -76) throw systemError(-found, "open", wanted);
  return found;
}

function isFile(path) {
  return files.has(path) || refused(native.stat(path, true), path)[0] === 4;
}

const isDirectory = (path) => native.stat(path, true)[0] === 3;

// What a call sees in a directory. A workspace without grants looks empty, and the refusal is on record with that: a look at
// a name in it would be the next one.
function names(folder, wanted) {
  const found = refused(native.list(folder), wanted);
  if (found.length === 0 && paths.dirname(folder) === "/") throw missing(`module '${wanted}'`);
  return new Set(typeof found === "number" ? [] : found.filter((_, i) => i % 2 === 0));
}

// Whether the call sees a directory: what is above it shows it, from the root on.
function isVisible(folder, wanted) {
  if (!visible.has(folder)) {
    const above = paths.dirname(folder);
    if (!isVisible(above, wanted) || !names(above, wanted).has(paths.basename(folder))) return false;
    visible.add(folder);
  }
  return true;
}

const isPacked = (path) => packed.root !== "" && path.startsWith(`${packed.root}/`);

// A name with a suffix is that file; to one without, those that are there are tried.
function asFile(path) {
  const own = SUFFIXES.map((end) => path + end).find((one) => files.has(one));
  if (own !== undefined || isPacked(path)) return own;
  const folder = paths.dirname(path);
  if (SUFFIXES.indexOf(paths.extname(path)) > 0 || !isVisible(folder, path)) return isFile(path) ? path : undefined;
  const there = names(folder, path);
  return SUFFIXES.map((end) => path + end).find((one) => there.has(paths.basename(one)) && isFile(one));
}

function json(path) {
  if (!files.has(path) && !names(paths.dirname(path), path).has(paths.basename(path))) return undefined;
  try {
    return isFile(path) ? JSON.parse(text(path)) : undefined;
  } catch (error) {
    if (error.code === "EACCES") throw error;
    throw coded(Error, "ERR_INVALID_PACKAGE_CONFIG", `Invalid package config ${path}: ${error.message}`);
  }
}

// Which file a package.json means: `exports` for import or require, then `module` and `main`.
function entry(config, inner, kind) {
  const chosen = (target) => {
    if (typeof target === "string") return target;
    if (Array.isArray(target)) return target.map(chosen).find(Boolean);
    if (target === null || typeof target !== "object") return undefined;
    for (const [key, value] of Object.entries(target)) if ([kind, "default", "node", "browser"].includes(key) && chosen(value)) return chosen(value);
    return undefined;
  };
  const { exports } = config ?? {};
  if (exports !== undefined) {
    const table = typeof exports === "string" || Array.isArray(exports) || !Object.keys(exports).some((key) => key.startsWith(".")) ? { ".": exports } : exports;
    return chosen(table[inner]);
  }
  return inner === "." ? ((kind === "import" && config?.module) || config?.main || "index.js") : inner;
}

function asDirectory(path, kind) {
  const config = json(`${path}/package.json`);
  return asFile(paths.resolve(path, entry(config && { main: config.main, module: config.module }, ".", kind))) ?? asFile(`${path}/index`);
}

// Above the workspace, or another place that is granted, no packages are looked for.
function asPackage(name, from, kind) {
  const [, base, inner] = /^((?:@[^/]+\/)?[^/]+)(?:\/(.*))?$/s.exec(name);
  for (let at = from; ; at = paths.dirname(at)) {
    const folder = paths.join(at, "node_modules", base);
    if (isVisible(folder, folder)) {
      const target = entry(json(`${folder}/package.json`), inner === undefined ? "." : `./${inner}`, kind);
      const whole = target && paths.resolve(folder, target);
      const found = whole && (asFile(whole) ?? asDirectory(whole, kind));
      if (found) return found;
    }
    if (paths.dirname(at) === "/") return undefined;
  }
}

// Where nothing is seen there is no package either.
function packageOf(name, from, kind) {
  try {
    return asPackage(name, from, kind);
  } catch (error) {
    if (error.code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

// The canonical name of what `base` imports as `name`: `node:NAME`, or an absolute path.
export function resolve(base, name, kind = "import") {
  const bare = name.replace(/^node:/, "");
  const own = base.startsWith("/") ? base : paths.join(paths.place.cwd, base);
  if (Object.hasOwn(NODE, bare)) return `node:${bare}`;
  if (Object.hasOwn(ABSENT, bare)) throw absent(`node:${bare}`, ABSENT[bare]);
  if (name.startsWith("node:")) throw coded(Error, "ERR_UNKNOWN_BUILTIN_MODULE", `No such built-in module: ${name}`);
  if (/^(https?|data|npm|jsr):/.test(name)) throw coded(Error, "ERR_UNSUPPORTED_ESM_URL_SCHEME", `Only files can be imported, not ${name}: fetch() its text, write it to a file and import that`);
  const relative = /^\.{0,2}\//.test(name) || name === "." || name === ".." || name.startsWith("file:");
  if (!relative) {
    const within = name.startsWith("capbox:") || isPacked(own) ? undefined : packageOf(name, paths.dirname(own), kind);
    if (within) return within;
    if (packed.root) throw missing(`package '${name}'`, `${own}: npm packages are not packed; copy the module's file into the tool's folder, and import it as './NAME.js'. Built in are ${Object.keys(NODE).join(", ")}`);
    throw missing(`package '${name}'`, `${own}: npm packages cannot be installed here; built in are ${Object.keys(NODE).join(", ")}; files of the workspace are imported as './NAME.js', and packages are found in its node_modules, where those are granted`);
  }
  const whole = name.startsWith("file:") ? fileURLToPath(name) : paths.resolve(paths.dirname(own), name.replace(/[?#].*$/, ""));
  const found = asFile(whole) ?? (!isPacked(whole) && isDirectory(whole) ? asDirectory(whole, kind) : undefined);
  if (found) return found;
  if (isPacked(whole)) {
    throw missing(`module '${name}'`, `${own}: no file of that name was packed; packed are .js, .mjs, .cjs and .json files of the tool's folder`);
  }
  refused(native.stat(whole, true), whole);
  throw missing(`module '${whole}'`, own);
}

// The nearest package.json says whether a `.js` is a module; without a word of it, its text does.
function isModule(path, code) {
  if (path.endsWith(".mjs")) return true;
  if (path.endsWith(".cjs")) return false;
  if (/^\s*(?:import\b\s*[\w{*"'$]|export\b\s*[\w{*])/m.test(code)) return true;
  return !/\b(?:module\.exports|exports\.\w|require\s*\()/.test(code);
}

function named(value) {
  const names = value !== null && (typeof value === "object" || typeof value === "function") ? Object.keys(value) : [];
  const exports = Object.create(null);
  for (const name of names) if (name !== "default" && /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u.test(name)) exports[name] = value[name];
  exports.default = value;
  return exports;
}

// What the engine compiles: the text of an ES module, or the exports of anything else.
export function source(name) {
  if (name.startsWith("node:")) return named(NODE[name.slice(5)]);
  if (name.endsWith(".json")) return { __proto__: null, default: required(name) };
  const code = text(name);
  return isModule(name, code) ? code : named(required(name));
}

export function describe(meta, name) {
  const path = name.startsWith("/") ? name : paths.join(paths.place.cwd, name);
  Object.assign(meta, {
    url: name.startsWith("/") ? pathToFileURL(path).href : `file://${path}`, filename: path, dirname: paths.dirname(path), main: !name.startsWith("/"),
    resolve: (other) => ((found) => (found.startsWith("node:") ? found : pathToFileURL(found).href))(resolve(name, other)),
  });
}

function required(path) {
  if (ready.has(path)) return ready.get(path).exports;
  const code = text(path);
  const module = { exports: {}, filename: path, id: path, loaded: false, children: [], paths: [] };
  ready.set(path, module);
  try {
    if (path.endsWith(".json")) {
      module.exports = JSON.parse(code);
    } else {
      if (isModule(path, code) && /^\s*(?:import|export)\b/m.test(code)) throw coded(Error, "ERR_REQUIRE_ESM", `require() of ES Module ${path} not supported: use import, or await import('${path}')`);
      const act = native.wrap(`(function (exports, require, module, __filename, __dirname) {${code.replace(/^#!.*/, "")}\n})`, path);
      act.call(module.exports, module.exports, requirer(path), module, path, paths.dirname(path));
    }
    module.loaded = true;
  } catch (error) {
    ready.delete(path);
    if (path.endsWith(".json") && error instanceof SyntaxError) error.message = `${path}: ${error.message}`;
    throw error;
  }
  return module.exports;
}

export function requirer(from) {
  const require = (name) => {
    const found = resolve(from, `${name}`, "require");
    return found.startsWith("node:") ? NODE[found.slice(5)] : required(found);
  };
  require.resolve = (name) => ((found) => (found.startsWith("node:") ? `${name}` : found))(resolve(from, `${name}`, "require"));
  require.cache = Object.create(null);
  return require;
}

