// A tool that `capbox tool build` made: its author's modules, whose default export takes the arguments of a call and gives
// its result. The modules are read from what was packed (../native/packed.c) and evaluated anew in each call.
import { native } from "capbox:native";
import { Buffer } from "capbox:buffer";
import { inspect, traced, types } from "capbox:inspect";
import { files, packed } from "capbox:modules";
import * as paths from "capbox:path";

const DESCRIBE = "capbox-describe"; // asked of a new tool when it is built: whether it is one
const ROOT = "/tool";
const CODE = /^[a-z][a-z0-9_]{0,63}$/;
// What only the gate may say (src/capbox/gate/protocol.py): the host's own word for a refusal stays in the message.
const RESERVED = /^(time|fuel|memory|stack|output|written|files_created|effects|operations|revoked|unknown_tool|tool_crashed|tool_protocol|sandbox_failed|repeated|stopped_by_person|interrupted|denied)$/;
const MESSAGE_MAX = 4000;
const KEPT_OF_EACH = 0.9;

class Unfit extends Error {}

let main;

// Read the packed modules; the path of the one whose default export is the function.
export function unpack(text) {
  const given = JSON.parse(text);
  for (const [name, one] of Object.entries(given.files)) files.set(paths.join(ROOT, name), one);
  packed.root = ROOT;
  main = given.main;
  return paths.join(ROOT, main);
}

// The promise of a result of the call.
export async function called({ tool, arguments: given }) {
  const found = (await import(paths.join(ROOT, main))).default;
  const usage = `export default function ${/^[\w$]+$/.test(tool) && tool !== DESCRIBE ? tool : "NAME"}({ a, b }) { ... }`;
  if (typeof found !== "function") throw new Unfit(`${main}: its default export is no function; write: ${usage}`);
  if (found.length > 1) throw new Unfit(`${main}: its function takes ${found.length} arguments, and is given one object; write: ${usage}`);
  return tool === DESCRIBE ? { ok: true, content: "", data: {} } : success(await found(given ?? {}));
}

function success(value) {
  if (value === undefined || value === null) return { ok: true, content: "" };
  if (typeof value === "string") return { ok: true, content: value };
  const text = json(value, fit);
  const plain = JSON.parse(text);
  return { ok: true, content: text, data: plain !== null && typeof plain === "object" && !Array.isArray(plain) ? plain : { result: plain } };
}

// What JSON.stringify would leave out or make `{}` or null of is no result: who reads it would not see that it is missing.
function fit(key, value) {
  const own = this[key];
  const where = key === "" ? "the result" : `the result's ${JSON.stringify(key)}`;
  const wrong = (what, fix) => {
    throw new Unfit(`${where} is ${what}, which is no JSON: ${fix}`);
  };
  if (typeof value === "number" && !Number.isFinite(value)) wrong(`${value}`, "return null or a text");
  if (typeof value === "bigint") wrong("a BigInt", "return String(value) or Number(value)");
  if (typeof value === "function" || typeof value === "symbol") wrong(`a ${typeof value}`, "return what it stands for");
  if (own === null || typeof own !== "object") return value;
  if (types.isPromise(own)) wrong("a promise", "await it");
  if (types.isMap(own)) wrong("a Map", "return Object.fromEntries(map)");
  if (types.isSet(own)) wrong("a Set", "return [...set]");
  if (types.isAnyArrayBuffer(own) || ArrayBuffer.isView(own)) wrong("bytes", 'return Buffer.from(bytes).toString("base64")');
  if (own instanceof Error && value === own) wrong("an error", "throw it");
  return value;
}

export const failure = (code, message) => ({ ok: false, error: { code, message: message.slice(0, MESSAGE_MAX) } });

// The result of what was thrown: its own code and words, or where it happened in the author's files.
export function failed(error) {
  try {
    if (error instanceof Unfit) return failure("unfit", error.message);
    if (!(error instanceof Error)) return failure("exception", `thrown: ${inspect(error)}`);
    const code = String(error.code ?? "");
    if (CODE.test(code) && !RESERVED.test(code)) return failure(code, String(error.message));
    return failure(code === "ENOENT" ? "not_found" : "exception", within(error instanceof SyntaxError ? placed(error) : whole(error)));
  } catch {
    return failure("exception", "what was thrown cannot be shown");
  }
}

// A half of a character is no text: it becomes U+FFFD.
const json = (value, fitting) => JSON.stringify(value, fitting).replace(/(\\\\)|\\ud[89a-f][0-9a-f]{2}/g, (_, pair) => pair ?? "\ufffd");

// Paths as the author knows them.
const within = (text) => text.replaceAll(`file://${ROOT}/`, "").replaceAll(`${ROOT}/`, "");

function whole(error) {
  const { cause } = error;
  const told = cause instanceof Error && !error.message.includes(cause.message) ? `\ncaused by: ${traced(cause)}` : "";
  return `${traced(error)}${told}`;
}

// An error in the source of a module, with its line and a mark below the place.
function placed(error) {
  const [, path, row, column] = /^ +at (\/[^\n]*):(\d+):(\d+)$/m.exec(String(error.stack)) ?? [];
  const line = files.get(path)?.split("\n")[row - 1];
  if (line === undefined) return whole(error);
  const mark = line.length > 200 ? "" : `\n    ${line}\n    ${" ".repeat(Math.max(0, column - 1))}^`;
  return `${path}:${row}:${column}: ${error.name}: ${error.message}${mark}`;
}

// Write the result, its content cut where it would be too long.
export function write(result, bytesMax) {
  let text = json(result);
  if (Buffer.byteLength(text) > bytesMax) {
    const rest = { ...result, content: "", truncated: true };
    const room = bytesMax - Buffer.byteLength(json(rest)) - 1;
    let content = result.content ?? "";
    while (content !== "" && Buffer.byteLength(json(content)) - 2 > room) content = content.slice(0, Math.floor(content.length * KEPT_OF_EACH));
    text = json(room < 0 ? failure("too_large", `the result has more than ${bytesMax} bytes`) : { ...rest, content });
  }
  native.answer(`${text}\n`);
}
