// structuredClone. https://html.spec.whatwg.org/multipage/structured-data.html
import { types } from "capbox:inspect";

const ERRORS = ["Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"];

function refuse(value) {
  const text = typeof value === "symbol" ? value.toString() : typeof value === "function" ? `${value}` : "#<" + (value.constructor?.name ?? "Object") + ">";
  throw new DOMException(`${text} could not be cloned.`, "DataCloneError");
}

function begun(value) {
  if (Array.isArray(value)) return new Array(value.length);
  if (types.isDate(value)) return new Date(value.getTime());
  if (types.isRegExp(value)) return new RegExp(value.source, value.flags);
  if (types.isMap(value)) return new Map();
  if (types.isSet(value)) return new Set();
  if (types.isArrayBuffer(value)) return value.slice(0);
  if (types.isBoxedPrimitive(value)) return typeof value.valueOf() === "symbol" ? refuse(value) : Object(value.valueOf());
  if (types.isNativeError(value)) {
    const Type = globalThis[ERRORS.includes(value.name) ? value.name : "Error"];
    const made = new Type(value.message);
    for (const key of ["stack", "message", "cause"]) {
      if (Object.hasOwn(value, key)) Object.defineProperty(made, key, { value: value[key], writable: true, configurable: true });
    }
    return made;
  }
  for (const kind of ["isPromise", "isWeakMap", "isWeakSet", "isProxy", "isGeneratorObject"]) if (types[kind](value)) refuse(value);
  return {};
}

function copy(value, seen) {
  if (typeof value === "function" || typeof value === "symbol") refuse(value);
  if (typeof value !== "object" || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  if (types.isTypedArray(value) || types.isDataView(value)) {
    const Type = types.isDataView(value) ? DataView : globalThis[Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get.call(value)];
    const made = new Type(copy(value.buffer, seen), value.byteOffset, types.isDataView(value) ? value.byteLength : value.length);
    seen.set(value, made);
    return made;
  }
  const made = begun(value);
  seen.set(value, made);
  if (types.isMap(value)) for (const [key, one] of [...value]) made.set(copy(key, seen), copy(one, seen));
  else if (types.isSet(value)) for (const one of [...value]) made.add(copy(one, seen));
  else if (Array.isArray(value) || Object.getPrototypeOf(made) === Object.prototype) {
    for (const key of Object.keys(value)) made[key] = copy(value[key], seen);
  }
  return made;
}

export function structuredClone(value, { transfer = [] } = {}) {
  const made = copy(value, new Map());
  for (const buffer of transfer) buffer.transfer?.();
  return made;
}
