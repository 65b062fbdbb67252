// One call: the request becomes globals, the code runs, what it wrote and came to becomes the result.
//
// Code is a script if it can be, so that its last expression is its value; where it has `import`, `export` or
// `import.meta` it is a module, which has a value here too. `await` may stand at the top of both.
import { native } from "capbox:native";
import { Buffer, encoded } from "capbox:buffer";
import { structuredClone } from "capbox:clone";
import { console } from "capbox:console";
import { webcrypto } from "capbox:crypto";
import { AbortController, AbortSignal, CustomEvent, Event, EventTarget } from "capbox:events";
import { streams } from "capbox:fs";
import { Blob, Headers, Request, Response, fetch, invoke } from "capbox:fetch";
import { inspect, traced } from "capbox:inspect";
import { explain, files, requirer } from "capbox:modules";
import * as paths from "capbox:path";
import { call, process } from "capbox:process";
import { TextDecoder, TextEncoder } from "capbox:text";
import * as tool from "capbox:tool";
import { clearImmediate, clearInterval, clearTimeout, setImmediate, setInterval, setTimeout, turn } from "capbox:timers";
import { URL, URLSearchParams } from "capbox:url";

export { describe, resolve, source } from "capbox:modules";

const NAME = "<code>";
const MODULAR = /^\s*(?:import\b\s*[\w{*"'$]|export\b\s*[\w{*])|\bimport\.meta\b/m;
const UNSETTLED = 13;

const pending = new Map();
let state = "running"; // then "settled", or "ended": refused, failed, or left
let refused = false;
let result; // of a tool that an author made; undefined in the tool javascript
let bytesMax = 65536;
let value;
let source;

const performance = {
  now: () => native.monotonic() - call.origin,
  get timeOrigin() {
    return native.now() - performance.now();
  },
  mark: (name) => ({ name, entryType: "mark", startTime: performance.now(), duration: 0 }),
  measure: (name) => ({ name, entryType: "measure", startTime: 0, duration: performance.now() }),
  toJSON: () => ({ timeOrigin: performance.timeOrigin }),
};

const GLOBALS = {
  AbortController, AbortSignal, Blob, Buffer, CustomEvent, Event, EventTarget, Headers, Request, Response, TextDecoder, TextEncoder, URL, URLSearchParams,
  clearImmediate, clearInterval, clearTimeout, console, crypto: webcrypto, fetch, global: globalThis, invoke, performance, process, setImmediate,
  setInterval, setTimeout, structuredClone,
};
for (const [name, one] of Object.entries(GLOBALS)) Object.defineProperty(globalThis, name, { value: one, writable: true, configurable: true });

// Thousands in groups of three, as `en-US` has it: there is no Intl here.
for (const Type of [Number, BigInt]) {
  const plain = Type.prototype.toString;
  Object.defineProperty(Type.prototype, "toLocaleString", {
    value: function toLocaleString(locale, { minimumFractionDigits: least = 0, maximumFractionDigits: most = Math.max(least, 3), useGrouping = true } = {}) {
      const number = Type.prototype.valueOf.call(this);
      if (Type === Number && !Number.isFinite(number)) return Number.isNaN(number) ? "NaN" : number > 0 ? "∞" : "-∞";
      const [whole, part = ""] = (Type === Number && Math.abs(number) < 1e21 ? number.toFixed(most) : plain.call(number)).split(".");
      const kept = part.replace(/0+$/, "").padEnd(least, "0");
      return (useGrouping ? whole.replace(/\B(?=(\d{3})+$)/g, ",") : whole) + (kept ? `.${kept}` : "");
    },
    writable: true,
    configurable: true,
  });
}

// The name of the one time zone there is.
for (const name of ["toString", "toTimeString"]) {
  const plain = Date.prototype[name];
  Object.defineProperty(Date.prototype, name, {
    value: { [name]() { const text = plain.call(this); return text.endsWith("+0000") ? `${text} (Coordinated Universal Time)` : text; } }[name],
    writable: true,
    configurable: true,
  });
}

function isExhaustion(error) {
  return native.starved() && (error === null || (error instanceof InternalError && error.message === "out of memory"));
}

// The line of the code that a syntax error is in, with a mark below the place.
function excerpt(error) {
  const found = error instanceof SyntaxError ? /^ +at <code>:(\d+):(\d+)/m.exec(String(error.stack)) : null;
  const line = found && !String(error.stack).includes("<input>") && source?.split("\n")[found[1] - 1];
  if (!line || line.length > 200) return "";
  return `${NAME}:${found[1]}\n${line}\n${" ".repeat(Math.max(0, found[2] - 1))}^\n`;
}

const isError = (error) => typeof error === "object" && error !== null && (error instanceof Error || typeof error.stack === "string");

function told(error) {
  try {
    // Without a place in the code it would stand in brackets.
    return isError(error) ? inspect(error).replace(/^\[([^\n]*)\]/, "$1") : inspect(error);
  } catch {
    return isError(error) ? traced(error) : typeof error;
  }
}

function text(get) {
  try {
    return `${get() ?? ""}`;
  } catch {
    return "";
  }
}

function uncaught(error, kind = "uncaughtException") {
  if (isExhaustion(error)) native.exhausted();
  if (state === "ended") return;
  if (process.listenerCount(kind) > 0) {
    guarded(() => process.emit(kind, error, kind === "uncaughtException" ? kind : undefined));
    return;
  }
  explain(error);
  if (result !== undefined) return conclude(tool.failed(error));
  state = "ended";
  process.exitCode = process.exitCode || 1;
  if (!native.endsLine()) native.emit(2, "\n");
  native.emit(2, `${excerpt(error)}Uncaught ${told(error)}\n`);
  if (isError(error)) native.error(text(() => error.name), text(() => error.message), text(() => traced(error)));
  else native.error(typeof error, text(() => told(error)), "");
}

function guarded(act) {
  try {
    act();
  } catch (error) {
    uncaught(error);
  }
}

// Run the code in the way that its syntax allows; [promise, import.meta or undefined].
function started(code) {
  const first = MODULAR.test(code);
  try {
    return native.run(code, NAME, first);
  } catch (error) {
    if (!(error instanceof SyntaxError) || !String(error.stack).includes(`at ${NAME}`)) throw error;
    try {
      return native.run(code, NAME, !first);
    } catch (other) {
      throw other instanceof SyntaxError ? error : other;
    }
  }
}

function settle(found) {
  value = found;
  if (state === "running") state = "settled";
}

function refuse(code, message) {
  refused = true;
  state = "ended";
  native.refuse(code, message);
}

function fault({ code, args = [], stdin = "", files: own = {} }) {
  if (typeof code !== "string") return "code: a text is expected";
  if (!Array.isArray(args) || !args.every((arg) => typeof arg === "string")) return "args: a list of texts is expected";
  if (typeof stdin !== "string") return "stdin: a text is expected";
  if (own === null || typeof own !== "object" || !Object.values(own).every((one) => typeof one === "string")) return "files: names with their texts are expected";
  const bad = Object.keys(own).find((name) => name === "" || name.startsWith("/") || name.split("/").includes(".."));
  return bad === undefined ? "" : `files: ${JSON.stringify(bad)}: a relative name without .. is expected`;
}

function conclude(found) {
  if (state === "ended") return;
  state = "ended";
  result = found;
}

// Call the function of the tool that was packed.
function serve(asked, modules) {
  result = tool.failure("unsettled", "the function waits for a promise that nothing can settle any more");
  place(asked, tool.unpack(modules), []);
  return guarded(() => void tool.called(asked).then(conclude, uncaught));
}

// Where the code runs: directory, arguments, variables, require.
function place(asked, main, args) {
  process.argv = ["node", main, ...args];
  process.env = { HOME: "/tmp", LANG: "C.UTF-8", PATH: "/usr/bin:/bin", PWD: paths.place.cwd, TMPDIR: "/tmp", TZ: "UTC", ...asked.env };
}

export function begin(request) {
  let asked;
  try {
    asked = JSON.parse(request);
  } catch (error) {
    return refuse("invalid_request", `the request is not a JSON object: ${error.message}`);
  }
  bytesMax = asked?.call?.output_bytes_max ?? bytesMax;
  call.origin = native.monotonic();
  paths.place.cwd = asked?.cwd || "/workspace";
  const modules = native.packed();
  if (modules !== undefined) return serve(asked, modules);
  const given = asked?.arguments ?? {};
  const wrong = fault(given);
  if (wrong !== "") return refuse("invalid_arguments", `javascript: ${wrong}`);
  native.bound(bytesMax);
  for (const [name, one] of Object.entries(given.files ?? {})) files.set(paths.resolve(name), one);
  streams.input = encoded(given.stdin ?? "", "utf8");
  place(asked, paths.join(paths.place.cwd, NAME), given.args ?? []);
  const whole = { require: requirer(process.argv[1]), __dirname: paths.place.cwd, __filename: process.argv[1] };
  for (const [name, one] of Object.entries(whole)) Object.defineProperty(globalThis, name, { value: one, writable: true, configurable: true });
  source = given.code;
  return guarded(() => {
    const [promise, meta] = started(given.code);
    promise.then(meta ? () => settle(meta.value) : (found) => settle(found.value), (error) => uncaught(error));
  });
}

// The engine tells of each promise that was rejected with nobody to hear of it, and of each that was heard later.
export function rejected(promise, reason, handled) {
  if (handled) pending.delete(promise);
  else pending.set(promise, reason);
}

// One turn of the loop, when no job is left: 0 to go on, -1 at the end.
export function tick() {
  for (const [promise, reason] of [...pending]) {
    pending.delete(promise);
    if (process.listenerCount("unhandledRejection") > 0) guarded(() => process.emit("unhandledRejection", reason, promise));
    else uncaught(reason);
  }
  if (state === "ended") return -1;
  const wait = turn(guarded);
  if (wait > 0) native.sleep(wait);
  return wait < 0 ? -1 : 0;
}

// What the last expression came to; a promise stands for what it was fulfilled with.
function shown() {
  const promised = native.promise(value);
  const last = promised === undefined ? value : promised[0] === 1 ? promised[1] : undefined;
  if (last === undefined || state === "ended") return;
  const said = typeof last === "string" ? last : inspect(last);
  native.value(said);
  if (!native.endsLine()) native.emit(0, "\n");
  native.emit(0, said.endsWith("\n") ? said : `${said}\n`);
}

export function finish() {
  if (refused) return;
  if (result !== undefined) {
    const left = call.exit !== undefined && state !== "ended";
    return tool.write(left ? tool.failure("exception", `process.exit(${call.exit}) was called: return a result, or throw`) : result, bytesMax);
  }
  if (call.exit === undefined) {
    if (state === "running") {
      process.exitCode = UNSETTLED;
      native.emit(2, "Warning: Detected unsettled top-level await: it waits for a promise that nothing can settle any more\n");
      state = "ended";
    }
    guarded(shown);
  }
  const code = () => Number(call.exit ?? process.exitCode ?? 0) & 255;
  if (!call.leaving) {
    call.leaving = true;
    guarded(() => process.emit("exit", code()));
  }
  if (code() !== 0 && state !== "ended") {
    if (!native.endsLine()) native.emit(0, "\n");
    native.emit(0, `exit code ${code()}\n`);
  }
  native.finish(code());
}
