// console: what Node's writes, into the result instead of a terminal. https://console.spec.whatwg.org
import { native } from "capbox:native";
import { format, inspect } from "capbox:inspect";

const OUT = 1;
const ERR = 2;
let indent = "";
const counts = new Map();
const timers = new Map();

function line(stream, text) {
  native.emit(stream, `${indent ? indent + text.replaceAll("\n", `\n${indent}`) : text}\n`);
}

const warn = (...values) => line(ERR, format(...values));

// How many columns a text takes: East Asian wide ones two, marks none.
function width(text) {
  let sum = 0;
  for (const character of text.normalize("NFC")) {
    const code = character.codePointAt(0);
    if (code < 32 || (code >= 127 && code < 160) || /\p{M}|\u200b|\u200d/u.test(character)) continue;
    sum += /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}]/u.test(character) ? 2 : 1;
  }
  return sum;
}

function drawn(head, rows) {
  const widths = head.map((text, i) => Math.max(width(text), ...rows.map((row) => width(row[i] ?? ""))) + 2);
  const cell = (text, i) => ` ${text}${" ".repeat(widths[i] - width(text) - 1)}`;
  const row = (cells) => `│${head.map((_, i) => cell(cells[i] ?? "", i)).join("│")}│`;
  const rule = (from, between, to) => from + widths.map((wide) => "─".repeat(wide)).join(between) + to;
  return [rule("┌", "┬", "┐"), row(head), rule("├", "┼", "┤"), ...rows.map(row), rule("└", "┴", "┘")].join("\n");
}

const brief = (value) => inspect(value, { maxArrayLength: 3, breakLength: Infinity, depth: value !== null && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length > 2 ? -1 : 0 });

function table(data, only) {
  if (data === null || typeof data !== "object") return console.log(data);
  const isMap = data instanceof Map;
  const listed = isMap || data instanceof Set;
  const entries = isMap ? [...data].map(([key, value], i) => [i, value, key]) : data instanceof Set ? [...data].map((value, i) => [i, value]) : Object.entries(data);
  const columns = [];
  let plain = false;
  const rows = entries.map(([index, value, key]) => {
    const cells = { index: `${index}`, key: key === undefined ? undefined : brief(key), by: {}, own: "" };
    if (value !== null && typeof value === "object" && !isMap) {
      for (const name of only ?? Object.keys(value)) {
        if (!columns.includes(name)) columns.push(name);
        if (Object.hasOwn(value, name)) cells.by[name] = brief(value[name]);
      }
    } else {
      plain = true;
      cells.own = typeof value === "function" ? inspect(value) : brief(value);
    }
    return cells;
  });
  const head = [listed ? "(iteration index)" : "(index)", ...(isMap ? ["Key"] : []), ...columns, ...(plain ? ["Values"] : [])];
  const body = rows.map((row) => [row.index, ...(isMap ? [row.key] : []), ...columns.map((name) => row.by[name] ?? ""), ...(plain ? [row.own] : [])]);
  return line(OUT, drawn(head, body));
}

function elapsed(label) {
  const started = timers.get(label);
  if (started === undefined) return warn(`Warning: No such label '${label}' for console.time()`);
  const ms = native.monotonic() - started;
  return ms >= 1000 ? `${(ms / 1000).toFixed(3)}s` : `${Number(ms.toFixed(3))}ms`;
}

const log = (...values) => line(OUT, format(...values));

export const console = {
  log,
  info: log,
  debug: log,
  warn,
  error: warn,
  table,
  dir: (value, options) => line(OUT, inspect(value, { customInspect: false, ...options })),
  dirxml: log,
  trace(...values) {
    const error = new Error(format(...values));
    error.name = "Trace";
    warn(inspect(error));
  },
  assert(condition, ...values) {
    if (condition) return;
    if (typeof values[0] === "string") values[0] = `Assertion failed: ${values[0]}`;
    else values.unshift("Assertion failed");
    warn(...values);
  },
  group(...values) {
    if (values.length > 0) log(...values);
    indent += "  ";
  },
  groupEnd() {
    indent = indent.slice(2);
  },
  count(label = "default") {
    counts.set(`${label}`, (counts.get(`${label}`) ?? 0) + 1);
    log(`${label}: ${counts.get(`${label}`)}`);
  },
  countReset: (label = "default") => void counts.delete(`${label}`),
  time: (label = "default") => void timers.set(`${label}`, native.monotonic()),
  timeLog(label = "default", ...values) {
    const taken = elapsed(`${label}`);
    if (taken !== undefined) log(`${label}: ${taken}`, ...values);
  },
  timeEnd(label = "default") {
    const taken = elapsed(`${label}`);
    if (taken !== undefined) log(`${label}: ${taken}`);
    timers.delete(`${label}`);
  },
};
console.groupCollapsed = console.group;
Object.defineProperty(console, Symbol.toStringTag, { value: "console", configurable: true });

export const written = (stream, value) => native.emit(stream, value);
