// util.inspect and util.format: values as Node shows them (https://nodejs.org/api/util.html#utilinspectobject-options).
//
// Getters are named, not called; what throws while it is looked at is shown as far as it could be seen.
import { native } from "capbox:native";

export const custom = Symbol.for("nodejs.util.inspect.custom");

const DEFAULTS = {
  showHidden: false, depth: 2, colors: false, customInspect: true, showProxy: false, maxArrayLength: 100,
  maxStringLength: 10000, breakLength: 80, compact: 3, sorted: false, getters: false,
};
const TypedArray = Object.getPrototypeOf(Uint8Array);
const IDENTIFIER = /^[a-zA-Z_][a-zA-Z_0-9]*$/;
const INDEX = /^(0|[1-9][0-9]*)$/;
const LONE = "[\\ud800-\\udbff](?![\\udc00-\\udfff])|(?<![\\ud800-\\udbff])[\\udc00-\\udfff]";
const ESCAPED = new RegExp(`[\\x00-\\x1f\\x5c\\x7f-\\x9f]|${LONE}`, "g");
const NAMED = { "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", "\\": "\\\\", "\v": "\\x0B" };

function escape(character) {
  if (NAMED[character] !== undefined) return NAMED[character];
  const code = character.charCodeAt(0);
  const digits = code.toString(16);
  return code < 256 ? `\\x${digits.toUpperCase().padStart(2, "0")}` : `\\u${digits}`;
}

export function quoted(text) {
  let quote = "'";
  if (text.includes("'")) quote = !text.includes('"') ? '"' : !text.includes("`") && !text.includes("${") ? "`" : "'";
  const body = text.replace(ESCAPED, escape);
  return quote + (quote === "'" ? body.replaceAll("'", "\\'") : body) + quote;
}

const number = (value) => (Object.is(value, -0) ? "-0" : `${value}`);

function primitive(value, ctx) {
  switch (typeof value) {
    case "string": {
      let text = value;
      let rest = "";
      if (text.length > ctx.maxStringLength) {
        const left = text.length - ctx.maxStringLength;
        text = text.slice(0, ctx.maxStringLength);
        rest = `... ${left} more character${left > 1 ? "s" : ""}`;
      }
      if (text.length > 16 && text.length > ctx.breakLength - ctx.indent - 4) {
        return text.split(/(?<=\n)/).map(quoted).join(` +\n${" ".repeat(ctx.indent + 2)}`) + rest;
      }
      return quoted(text) + rest;
    }
    case "number":
      return number(value);
    case "bigint":
      return `${value}n`;
    case "symbol":
      return Symbol.prototype.toString.call(value);
    default:
      return `${value}`;
  }
}

// The name of the nearest constructor, null for an object without one; `up` counts the prototypes that have none.
function constructorOf(value) {
  for (let at = value, up = 0; at !== null; at = Object.getPrototypeOf(at), up++) {
    const found = Object.getOwnPropertyDescriptor(at, "constructor")?.value;
    if (typeof found === "function" && found.name !== "" && isInstance(value, found)) return found.name;
  }
  return null;
}

function isInstance(value, constructor) {
  try {
    return value instanceof constructor;
  } catch {
    return false;
  }
}

function brand(value, method) {
  try {
    method.call(value);
    return true;
  } catch {
    return false;
  }
}

const getter = (of, name) => Object.getOwnPropertyDescriptor(of, name).get;
const BRANDS = {
  isMap: getter(Map.prototype, "size"),
  isSet: getter(Set.prototype, "size"),
  isDate: Date.prototype.getTime,
  isArrayBuffer: getter(ArrayBuffer.prototype, "byteLength"),
  isDataView: getter(DataView.prototype, "byteLength"),
  isNumberObject: Number.prototype.valueOf,
  isStringObject: String.prototype.valueOf,
  isBooleanObject: Boolean.prototype.valueOf,
  isBigIntObject: BigInt.prototype.valueOf,
  isSymbolObject: Symbol.prototype.valueOf,
};
const tagOf = getter(TypedArray.prototype, Symbol.toStringTag);
const builtinTag = Object.prototype.toString;

export const types = {
  isPromise: (value) => native.promise(value) !== undefined,
  isProxy: (value) => native.proxied(value) !== undefined,
  isRegExp: (value) => isObject(value) && isInstance(value, RegExp) && brand(value, getter(RegExp.prototype, "source")),
  isTypedArray: (value) => isObject(value) && tagOf.call(value) !== undefined,
  isUint8Array: (value) => isObject(value) && tagOf.call(value) === "Uint8Array",
  isNativeError: (value) => Error.isError ? Error.isError(value) : value instanceof Error,
  isGeneratorFunction: (value) => typeof value === "function" && builtinTag.call(value) === "[object GeneratorFunction]",
  isAsyncFunction: (value) => typeof value === "function" && builtinTag.call(value) === "[object AsyncFunction]",
  isGeneratorObject: (value) => builtinTag.call(value) === "[object Generator]",
  isWeakMap: (value) => isObject(value) && brandOf(value, WeakMap.prototype.has),
  isWeakSet: (value) => isObject(value) && brandOf(value, WeakSet.prototype.has),
  isBoxedPrimitive: (value) => BOXES.some((name) => types[name](value)),
};
for (const [name, method] of Object.entries(BRANDS)) types[name] = (value) => isObject(value) && brand(value, method);
types.isAnyArrayBuffer = types.isArrayBuffer;
const BOXES = ["isNumberObject", "isStringObject", "isBooleanObject", "isBigIntObject", "isSymbolObject"];

function brandOf(value, has) {
  return brand(value, function probe() {
    has.call(this, {});
  });
}

function isObject(value) {
  return typeof value === "object" && value !== null;
}

function prefix(constructor, tag, fallback, size = "") {
  if (constructor === null) return `[${fallback}${size}: null prototype] ${tag !== "" && tag !== fallback ? `[${tag}] ` : ""}`;
  return `${constructor}${size} ${tag !== "" && tag !== constructor ? `[${tag}] ` : ""}`;
}

function keysOf(value, ctx, indexed) {
  const names = (ctx.showHidden ? Object.getOwnPropertyNames : Object.keys)(value).filter((key) => !indexed || !INDEX.test(key));
  const symbols = Object.getOwnPropertySymbols(value);
  return [...names, ...(ctx.showHidden ? symbols : symbols.filter((key) => Object.prototype.propertyIsEnumerable.call(value, key)))];
}

const more = (count) => `... ${count} more item${count > 1 ? "s" : ""}`;

function name(key) {
  if (typeof key === "symbol") return `[${Symbol.prototype.toString.call(key).replace(ESCAPED, escape)}]`;
  if (key === "__proto__") return "['__proto__']";
  return IDENTIFIER.test(key) ? key : quoted(key);
}

function property(ctx, value, key, level, element) {
  const found = Object.getOwnPropertyDescriptor(value, key) ?? { value: value[key], enumerable: true };
  let text;
  if (found.get !== undefined) {
    text = found.set !== undefined ? "[Getter/Setter]" : "[Getter]";
    if (ctx.getters === true || (ctx.getters === "get" && found.set === undefined)) {
      text = `[Getter${found.set ? "/Setter" : ""}: ${inner(ctx, found.get.call(value), level)}]`;
    }
  } else if (found.set !== undefined) {
    text = "[Setter]";
  } else {
    const indent = ctx.compact !== true || element ? 2 : 3;
    ctx.indent += indent;
    text = show(ctx, found.value, level);
    ctx.indent -= indent;
  }
  if (element) return text;
  const label = found.enumerable === false ? `[${typeof key === "symbol" ? name(key).slice(1, -1) : key}]` : name(key);
  return `${label}: ${text}`;
}

function inner(ctx, value, level) {
  ctx.indent += 2;
  const text = show(ctx, value, level);
  ctx.indent -= 2;
  return text;
}

function elements(ctx, value, level) {
  const output = [];
  const most = Math.min(Math.max(0, ctx.maxArrayLength), value.length);
  let at = 0;
  while (at < value.length && output.length < most) {
    if (Object.hasOwn(value, at)) {
      output.push(property(ctx, value, at++, level, true));
      continue;
    }
    let end = at;
    while (end < value.length && !Object.hasOwn(value, end)) end++;
    output.push(`<${end - at} empty item${end - at > 1 ? "s" : ""}>`);
    at = end;
  }
  if (at < value.length) output.push(more(value.length - at));
  return output;
}

function numbers(ctx, value) {
  const most = Math.min(ctx.maxArrayLength, value.length);
  const output = Array.from({ length: most }, (_, i) => primitive(value[i], ctx));
  if (value.length > most) output.push(more(value.length - most));
  return output;
}

function members(ctx, value, level) {
  const output = [];
  const pairs = types.isMap(value);
  let left = Math.max(0, ctx.maxArrayLength);
  ctx.indent += 2;
  for (const one of pairs ? Map.prototype.entries.call(value) : Set.prototype.values.call(value)) {
    if (left-- <= 0) {
      output.push(more(value.size - output.length));
      break;
    }
    output.push(pairs ? `${show(ctx, one[0], level)} => ${show(ctx, one[1], level)}` : show(ctx, one, level));
  }
  ctx.indent -= 2;
  return output;
}

function settled(ctx, value, level) {
  const [state, result] = native.promise(value);
  if (state === 0) return ["<pending>"];
  const text = inner(ctx, result, level);
  return [state === 2 ? `<rejected> ${text}` : text];
}

function bufferBytes(ctx, value) {
  const bytes = new Uint8Array(value);
  const most = Math.min(Math.max(0, ctx.maxArrayLength), bytes.length);
  let text = Array.from(bytes.subarray(0, most), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  if (bytes.length > most) text += ` ... ${bytes.length - most} more byte${bytes.length - most > 1 ? "s" : ""}`;
  return [`[Uint8Contents]: <${text}>`];
}

function ofFunction(value, constructor, tag) {
  const source = Function.prototype.toString.call(value);
  if (source.startsWith("class") && source.endsWith("}") && /^class[\s{]/.test(source)) {
    const parent = Object.getPrototypeOf(value);
    const label = `class ${value.name === "" ? "(anonymous)" : value.name}`;
    return `[${label}${parent?.name ? ` extends ${parent.name}` : ""}]`;
  }
  const kind = { "[object GeneratorFunction]": "GeneratorFunction", "[object AsyncFunction]": "AsyncFunction",
    "[object AsyncGeneratorFunction]": "AsyncGeneratorFunction" }[builtinTag.call(value)] ?? "Function";
  let base = `[${kind}`;
  if (constructor === null) base += " (null prototype)";
  base += value.name === "" || typeof value.name !== "string" ? " (anonymous)]" : `: ${value.name}]`;
  return tag !== "" && tag !== constructor && constructor !== kind ? `${base} [${tag}]` : base;
}

// The error and its frames in the code, as Node writes them.
export function traced(error) {
  const label = String(error.name ?? "Error");
  const message = error.message === undefined ? "" : String(error.message);
  const head = message === "" ? label : `${label}: ${message}`;
  const stack = typeof error.stack === "string" ? error.stack : "";
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line) && !line.includes("(native)") && !line.includes("<input>"));
  const lines = frames.map((line) => `    ${line.trim().replace(/^at <(?:eval|anonymous|module)> \((.*)\)$/, "at $1")}`);
  return lines.length ? `${head}\n${lines.join("\n")}` : head;
}

function ofError(ctx, error, constructor, tag, keys) {
  const label = String(error.name ?? "Error");
  let text = traced(error);
  for (const key of ["name", "message", "stack"]) {
    const at = keys.indexOf(key);
    if (at >= 0 && (key === "stack" || text.includes(String(error[key])))) keys.splice(at, 1);
  }
  if (Object.hasOwn(error, "cause") && !keys.includes("cause")) keys.push("cause");
  if (Array.isArray(error.errors) && !keys.includes("errors")) keys.push("errors");
  if (constructor !== null && label === "Error" && constructor !== "Error" && text.startsWith("Error")) {
    text = constructor + text.slice(5);
  } else if (constructor !== null && label.endsWith("Error") && text.startsWith(label) && constructor !== label && !label.includes(constructor)) {
    text = `${constructor}${text.slice(label.length) ? ` [${label}]${text.slice(label.length)}` : ` [${label}]`}`;
  }
  if (typeof error.code === "string" && Object.hasOwn(error, "code") && label.endsWith("Error") && String(error.code).startsWith("ERR_")) {
    text = text.replace(label, `${label} [${error.code}]`);
  }
  if (tag !== "" && !text.includes(tag)) text = `${text} [${tag}]`;
  if (!text.includes("\n    at")) text = `[${text}]`;
  return ctx.indent ? text.replaceAll("\n", `\n${" ".repeat(ctx.indent)}`) : text;
}

// Short entries of a long list go into columns, as near to a square as their widths allow.
function columns(ctx, output, value) {
  const count = output.length - (ctx.maxArrayLength < output.length ? 1 : 0);
  const widths = output.slice(0, count).map((text) => text.length);
  const total = widths.reduce((sum, width) => sum + width + 2, 0);
  const longest = Math.max(0, ...widths);
  const cell = longest + 2;
  if (cell * 3 + ctx.indent >= ctx.breakLength || !(total / cell > 5 || longest <= 6)) return output;
  const biased = Math.max(cell - 3 - Math.sqrt(cell - total / output.length), 1);
  const across = Math.min(
    Math.round(Math.sqrt(2.5 * biased * count) / biased), Math.floor((ctx.breakLength - ctx.indent) / cell), ctx.compact * 4, 15,
  );
  if (across <= 1) return output;
  const room = Array.from({ length: across }, (_, i) => {
    let most = 0;
    for (let j = i; j < count; j += across) most = Math.max(most, widths[j]);
    return most + 2;
  });
  const numeric = value !== undefined && output.every((_, i) => typeof value[i] === "number" || typeof value[i] === "bigint");
  const lines = [];
  for (let row = 0; row < count; row += across) {
    const end = Math.min(row + across, count);
    let line = "";
    for (let j = row; j < end - 1; j++) {
      const text = `${output[j]}, `;
      line += numeric ? text.padStart(room[j - row]) : text.padEnd(room[j - row]);
    }
    line += numeric ? output[end - 1].padStart(room[end - 1 - row] - 2) : output[end - 1];
    lines.push(line);
  }
  if (count < output.length) lines.push(output[count]);
  return lines;
}

function joined(ctx, output, base, braces, listed, level, value) {
  let lines = output;
  if (ctx.compact >= 1) {
    if (listed && output.length > 6) lines = columns(ctx, output, value);
    if (ctx.deepest - level < ctx.compact && lines.length === output.length) {
      const start = output.length + ctx.indent + braces[0].length + base.length + 10;
      const length = output.reduce((sum, text) => sum + text.length, output.length + start);
      if (length <= ctx.breakLength && !base.includes("\n") && !output.some((text) => text.includes("\n"))) {
        return `${base ? `${base} ` : ""}${braces[0]} ${output.join(", ")} ${braces[1]}`;
      }
    }
  }
  const gap = `\n${" ".repeat(ctx.indent)}`;
  return `${base ? `${base} ` : ""}${braces[0]}${gap}  ${lines.join(`,${gap}  `)}${gap}${braces[1]}`;
}

function show(ctx, value, level) {
  if (typeof value !== "object" && typeof value !== "function") return primitive(value, ctx);
  if (value === null) return "null";
  const target = native.proxied(value);
  if (target !== undefined) return ctx.showProxy ? `Proxy [ ${inner(ctx, target, level)} ]` : show(ctx, target, level);
  if (ctx.customInspect) {
    const own = value[custom];
    if (typeof own === "function" && own !== inspect) {
      const depth = ctx.depth === null ? null : ctx.depth - level;
      const said = own.call(value, depth, { ...ctx.options, depth, stylize: String }, inspect);
      if (said !== value) return typeof said === "string" ? said.replaceAll("\n", `\n${" ".repeat(ctx.indent)}`) : show(ctx, said, level);
    }
  }
  if (ctx.seen.includes(value)) {
    if (!ctx.circular.has(value)) ctx.circular.set(value, ctx.circular.size + 1);
    return `[Circular *${ctx.circular.get(value)}]`;
  }
  return whole(ctx, value, level);
}

// What to show of an object: { base, braces, keys, body, listed }, or its text if there is nothing more to it.
function plan(ctx, value, level) {
  const constructor = constructorOf(value);
  let tag = value[Symbol.toStringTag];
  if (typeof tag !== "string" || (tag !== "" && Object.prototype.propertyIsEnumerable.call(value, Symbol.toStringTag))) tag = "";
  // Whatever else there is has a name of its own here: most objects need not be asked any further.
  if (typeof value === "object" && builtinTag.call(value) === "[object Object]") return plain(value, constructor, tag, keysOf(value, ctx));
  if (Array.isArray(value)) {
    const before = constructor !== "Array" || tag !== "" ? prefix(constructor, tag, "Array", `(${value.length})`) : "";
    const keys = keysOf(value, ctx, true);
    return value.length || keys.length ? { braces: [`${before}[`, "]"], keys, body: elements, listed: true } : `${before}[]`;
  }
  for (const [is, fallback] of [[types.isSet, "Set"], [types.isMap, "Map"]]) {
    if (!is(value)) continue;
    const before = prefix(constructor, tag, fallback, `(${value.size})`);
    const keys = keysOf(value, ctx);
    return value.size || keys.length ? { braces: [`${before}{`, "}"], keys, body: members } : `${before}{}`;
  }
  if (types.isTypedArray(value)) {
    const before = prefix(constructor, tag, tagOf.call(value), `(${value.length})`);
    const keys = keysOf(value, ctx, true);
    return value.length || keys.length ? { braces: [`${before}[`, "]"], keys, body: numbers, listed: true } : `${before}[]`;
  }
  const keys = keysOf(value, ctx);
  if (typeof value === "function") {
    const base = ofFunction(value, constructor, tag);
    return keys.length ? { base, braces: ["{", "}"], keys } : base;
  }
  if (types.isRegExp(value)) {
    const before = prefix(constructor, tag, "RegExp");
    const base = `${before === "RegExp " ? "" : before}${RegExp.prototype.toString.call(value)}`;
    return keys.length ? { base, braces: ["{", "}"], keys } : base;
  }
  if (types.isDate(value)) {
    const text = Number.isNaN(Date.prototype.getTime.call(value)) ? "Invalid Date" : Date.prototype.toISOString.call(value);
    const before = prefix(constructor, tag, "Date");
    const base = `${before === "Date " ? "" : before}${text}`;
    return keys.length ? { base, braces: ["{", "}"], keys } : base;
  }
  if (types.isNativeError(value) || isInstance(value, Error)) {
    const base = ofError(ctx, value, constructor, tag, keys);
    return keys.length ? { base, braces: ["{", "}"], keys } : base;
  }
  if (types.isArrayBuffer(value)) {
    return { braces: [`${prefix(constructor, tag, "ArrayBuffer")}{`, "}"], keys: ["byteLength", ...keys], body: bufferBytes };
  }
  if (types.isDataView(value)) {
    return { braces: [`${prefix(constructor, tag, "DataView")}{`, "}"], keys: ["byteLength", "byteOffset", "buffer", ...keys] };
  }
  if (types.isPromise(value)) return { braces: [`${prefix(constructor, tag, "Promise")}{`, "}"], keys, body: settled };
  for (const fallback of ["WeakSet", "WeakMap"]) {
    if (types[`is${fallback}`](value)) return { braces: [`${prefix(constructor, tag, fallback)}{`, "}"], keys, body: () => ["<items unknown>"] };
  }
  const box = BOXES.find((kind) => types[kind](value));
  if (box) return boxed(ctx, value, constructor, tag, box, keys);
  if (tag === "Module") return { braces: ["[Module: null prototype] {", "}"], keys };
  if (types.isGeneratorObject(value)) return { braces: ["Object [Generator] {", "}"], keys };
  if (constructor === "Object" && builtinTag.call(value) === "[object Arguments]") {
    return keys.length ? { braces: ["[Arguments] {", "}"], keys } : "[Arguments] {}";
  }
  return plain(value, constructor, tag, keys);
}

function plain(value, constructor, tag, keys) {
  const before = constructor === "Object" && tag === "" ? "" : prefix(constructor, tag, "Object");
  return keys.length ? { braces: [`${before}{`, "}"], keys } : `${before}{}`;
}

function boxed(ctx, value, constructor, tag, box, keys) {
  const kind = box.slice(2, -6);
  const own = globalThis[kind].prototype.valueOf.call(value);
  if (kind === "String") keys = keys.filter((key) => typeof key === "symbol" || !INDEX.test(key));
  let base = `[${kind}`;
  if (constructor !== kind) base += constructor === null ? " (null prototype)" : ` (${constructor})`;
  base += `: ${primitive(own, { ...ctx, indent: 0, breakLength: Infinity })}]`;
  if (tag !== "" && tag !== constructor) base += ` [${tag}]`;
  return keys.length ? { base, braces: ["{", "}"], keys } : base;
}

function whole(ctx, value, level) {
  const found = plan(ctx, value, level);
  if (typeof found === "string") return found;
  if (ctx.depth !== null && level > ctx.depth) {
    const label = prefix(constructorOf(value), "", Array.isArray(value) ? "Array" : "Object").slice(0, -1);
    return found.base && typeof value === "function" ? found.base : `[${label.replace(/^\[|\]$/g, "")}]`;
  }
  const { base = "", braces, keys, body, listed = false } = found;
  ctx.seen.push(value);
  ctx.deepest = level;
  let output;
  let text;
  try {
    output = body ? body(ctx, value, level + 1) : [];
    for (const key of keys) output.push(property(ctx, value, key, level + 1, false));
  } finally {
    ctx.seen.pop();
  }
  if (ctx.sorted && !listed) output.sort(ctx.sorted === true ? undefined : ctx.sorted);
  let head = base;
  if (ctx.circular.has(value)) {
    const mark = `<ref *${ctx.circular.get(value)}>`;
    if (ctx.compact !== true && base === "") braces[0] = `${mark} ${braces[0]}`;
    else head = `${mark} ${base}`;
  }
  if (output.length === 0 && head !== "") return head;
  text = joined(ctx, output, head, braces, listed, level, value);
  const spent = (ctx.budget[level] ?? 0) + text.length;
  ctx.budget[level] = spent;
  // Attack: an object whose text doubles with each level. Past 128 MB nothing deeper is shown.
  if (spent > 2 ** 27) ctx.depth = -1;
  return text;
}

export function inspect(value, options = {}, ...older) {
  let given = options;
  if (typeof options === "boolean") given = { showHidden: options, ...(older[0] !== undefined && { depth: older[0] }) };
  const ctx = { ...DEFAULTS, ...given, options: given, indent: 0, deepest: 0, seen: [], circular: new Map(), budget: {} };
  if (ctx.depth === Infinity) ctx.depth = null;
  if (ctx.maxArrayLength === null) ctx.maxArrayLength = Infinity;
  if (ctx.maxStringLength === null) ctx.maxStringLength = Infinity;
  if (ctx.compact === false) ctx.compact = 0;
  if (ctx.compact === true) ctx.compact = 3;
  return show(ctx, value, 0);
}
inspect.custom = custom;
inspect.defaultOptions = DEFAULTS;

function hasOwnText(value) {
  if (native.proxied(value) !== undefined) return false;
  if (Object.hasOwn(value, "toString") || Object.hasOwn(value, Symbol.toPrimitive)) return true;
  for (let at = Object.getPrototypeOf(value); at !== null; at = Object.getPrototypeOf(at)) {
    const constructor = Object.getOwnPropertyDescriptor(at, "constructor")?.value;
    const builtin = typeof constructor === "function" && globalThis[constructor.name] === constructor && /\[native code\]/.test(Function.prototype.toString.call(constructor));
    if (Object.hasOwn(at, "toString") || Object.hasOwn(at, Symbol.toPrimitive)) return !builtin;
    if (builtin) return false;
  }
  return false;
}

const DIRECTIVES = {
  s(value, options) {
    if (typeof value === "number") return number(value);
    if (typeof value === "bigint") return `${value}n`;
    if (!isObject(value) || hasOwnText(value)) return String(value);
    return inspect(value, { ...options, depth: 0, compact: 3 });
  },
  d: (value) => typeof value === "bigint" ? `${value}n` : typeof value === "symbol" ? "NaN" : number(Number(value)),
  i: (value) => typeof value === "bigint" ? `${value}n` : typeof value === "symbol" ? "NaN" : number(parseInt(value)),
  f: (value) => typeof value === "symbol" ? "NaN" : number(parseFloat(value)),
  j(value) {
    try {
      return String(JSON.stringify(value));
    } catch (error) {
      if (error instanceof TypeError) return "[Circular]";
      throw error;
    }
  },
  o: (value, options) => inspect(value, { ...options, showHidden: true, showProxy: true, depth: 4 }),
  O: (value, options) => inspect(value, options),
  c: () => "",
};

export function formatWithOptions(options, ...values) {
  let used = 0;
  let text = "";
  if (typeof values[0] === "string") {
    const pattern = values[0];
    if (values.length === 1) return pattern;
    used = 1;
    text = pattern.replace(/%([sdifjoOc%])/g, (directive, letter) => {
      if (letter === "%") return "%";
      return used < values.length ? DIRECTIVES[letter](values[used++], options) : directive;
    });
  }
  const rest = values.slice(used).map((value) => (typeof value === "string" ? value : inspect(value, options)));
  return used > 0 ? [text, ...rest].join(" ") : rest.join(" ");
}

export const format = (...values) => formatWithOptions({}, ...values);
