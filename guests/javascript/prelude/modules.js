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

const isFile = (path) => files.has(path) || native.stat(path, true)[0] === 4;
const isDirectory = (path) => native.stat(path, true)[0] === 3;

function asFile(path) {
  return ["", ".js", ".mjs", ".cjs", ".json"].map((end) => path + end).find(isFile);
}

function json(path) {
  try {
    return isFile(path) ? JSON.parse(text(path)) : undefined;
  } catch (error) {
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

function asPackage(name, from, kind) {
  const [, base, inner] = /^((?:@[^/]+\/)?[^/]+)(?:\/(.*))?$/s.exec(name);
  for (let at = from; ; at = paths.dirname(at)) {
    const folder = paths.join(at, "node_modules", base);
    if (isDirectory(folder)) {
      const target = entry(json(`${folder}/package.json`), inner === undefined ? "." : `./${inner}`, kind);
      const whole = target && paths.resolve(folder, target);
      const found = whole && (asFile(whole) ?? asDirectory(whole, kind));
      if (found) return found;
    }
    if (at === "/") return undefined;
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
    const found = name.startsWith("capbox:") ? undefined : asPackage(name, paths.dirname(own), kind);
    if (found) return found;
    if (packed.root) throw missing(`package '${name}'`, `${own}: npm packages are not packed; copy the module's file into the tool's folder, and import it as './NAME.js'. Built in are ${Object.keys(NODE).join(", ")}`);
    throw missing(`package '${name}'`, `${own}: npm packages cannot be installed here; built in are ${Object.keys(NODE).join(", ")}, and files of the workspace are imported as './NAME.js'`);
  }
  const whole = name.startsWith("file:") ? fileURLToPath(name) : paths.resolve(paths.dirname(own), name.replace(/[?#].*$/, ""));
  const found = asFile(whole) ?? (isDirectory(whole) ? asDirectory(whole, kind) : undefined);
  if (found) return found;
  if (packed.root && whole.startsWith(`${packed.root}/`)) {
    throw missing(`module '${name}'`, `${own}: no file of that name was packed; packed are .js, .mjs, .cjs and .json files of the tool's folder`);
  }
  const error = native.stat(whole, true);
  if (error === -2 || error === -76) throw systemError(-error, "open", whole);
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

