// node:util, node:assert and node:os. https://nodejs.org/api/util.html, assert.html, os.html
import { coded, wrongType } from "capbox:errors";
import { format, formatWithOptions, inspect, types } from "capbox:inspect";
import { TextDecoder, TextEncoder } from "capbox:text";

const sameNumber = (a, b, strict) => Object.is(a, b) || (!strict && (a === b || (a !== a && b !== b)));

function sameMembers(a, b, strict, seen) {
  if (a.size !== b.size) return false;
  const left = [...b];
  for (const one of a) {
    const at = left.findIndex((other) => equal(one, other, strict, seen));
    if (at < 0) return false;
    left.splice(at, 1);
  }
  return true;
}

const keysOf = (value) => [...Object.keys(value), ...Object.getOwnPropertySymbols(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key))];

export function equal(a, b, strict, seen = []) {
  if (typeof a !== "object" || a === null || typeof b !== "object" || b === null) {
    if (typeof a === "number" && typeof b === "number") return sameNumber(a, b, strict);
    if (strict || (typeof a === "object" && a !== null) !== (typeof b === "object" && b !== null)) return Object.is(a, b);
    return a == b || (a !== a && b !== b);
  }
  if (a === b) return true;
  if (strict && Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (seen.some(([x, y]) => x === a && y === b)) return true;
  const within = [...seen, [a, b]];
  for (const is of [types.isDate, types.isRegExp, types.isMap, types.isSet, types.isNativeError, types.isTypedArray, types.isBoxedPrimitive, Array.isArray]) {
    if (is(a) !== is(b)) return false;
  }
  if (types.isDate(a) && !Object.is(a.getTime(), b.getTime())) return false;
  if (types.isRegExp(a) && (`${a}` !== `${b}` || a.lastIndex !== b.lastIndex)) return false;
  if (types.isNativeError(a) && (a.message !== b.message || a.name !== b.name)) return false;
  if (types.isBoxedPrimitive(a) && !Object.is(a.valueOf(), b.valueOf())) return false;
  if ((Array.isArray(a) || types.isTypedArray(a)) && a.length !== b.length) return false;
  if ((types.isMap(a) || types.isSet(a)) && !sameMembers(a, b, strict, within)) return false;
  const [mine, theirs] = [keysOf(a), keysOf(b)];
  return mine.length === theirs.length && mine.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key], strict, within));
}

function promisify(act) {
  if (typeof act !== "function") throw wrongType("original", "of type function", act);
  if (act[promisify.custom]) return act[promisify.custom];
  return (...values) => new Promise((done, fail) => {
    act(...values, (error, value) => (error ? fail(error) : done(value)));
  });
}
promisify.custom = Symbol.for("nodejs.util.promisify.custom");

function parseArgs({ args = process.argv.slice(2), options = {}, strict = true, allowPositionals = !strict } = {}) {
  const values = {};
  const positionals = [];
  const put = (name, value) => (options[name]?.multiple ? (values[name] ??= []).push(value) : (values[name] = value));
  for (let i = 0; i < args.length; i++) {
    const found = /^--([^=]+)(?:=(.*))?$/s.exec(args[i]) ?? /^-([^-=])(?:=?(.+))?$/s.exec(args[i]);
    if (args[i] === "--") {
      positionals.push(...args.slice(i + 1));
      break;
    }
    if (!found) {
      if (!allowPositionals) throw coded(TypeError, "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL", `Unexpected argument '${args[i]}'. This command does not take positional arguments`);
      positionals.push(args[i]);
      continue;
    }
    const long = args[i].startsWith("--");
    const name = long ? found[1] : Object.keys(options).find((key) => options[key].short === found[1]) ?? found[1];
    if (strict && options[name] === undefined) throw coded(TypeError, "ERR_PARSE_ARGS_UNKNOWN_OPTION", `Unknown option '${long ? "--" : "-"}${found[1]}'`);
    if (options[name]?.type !== "string") put(name, found[2] ?? true);
    else put(name, found[2] ?? args[++i]);
  }
  for (const [name, option] of Object.entries(options)) if (option.default !== undefined) values[name] ??= option.default;
  return { values, positionals };
}

export const util = {
  inspect, format, formatWithOptions, promisify, types, parseArgs, TextDecoder, TextEncoder,
  isDeepStrictEqual: (a, b) => equal(a, b, true),
  callbackify: (act) => (...values) => {
    const done = values.pop();
    act(...values).then((value) => done(null, value), done);
  },
  inherits(type, parent) {
    Object.defineProperty(type, "super_", { value: parent, writable: true, configurable: true });
    Object.setPrototypeOf(type.prototype, parent.prototype);
  },
  deprecate: (act) => act,
  debuglog: () => () => {},
  stripVTControlCharacters: (text) => text.replace(/\x1b\[[0-9;]*[A-Za-z]/g, ""),
  toUSVString: (text) => `${text}`.toWellFormed(),
  isArray: Array.isArray,
};

export class AssertionError extends Error {
  constructor({ message, actual, expected, operator }) {
    super(message);
    this.generatedMessage = false;
    Object.assign(this, { code: "ERR_ASSERTION", actual, expected, operator });
  }

  get name() {
    return "AssertionError";
  }
}

function fail(message, actual, expected, operator, usual) {
  if (message instanceof Error) throw message;
  const error = new AssertionError({ message: message ?? usual, actual, expected, operator });
  error.generatedMessage = message === undefined;
  throw error;
}

const TITLES = {
  equal: "==", notEqual: "!=", strictEqual: "Expected values to be strictly equal:", deepStrictEqual: "Expected values to be strictly deep-equal:",
  deepEqual: "Expected values to be loosely deep-equal:", notStrictEqual: 'Expected "actual" to be strictly unequal to:',
  notDeepStrictEqual: 'Expected "actual" not to be strictly deep-equal to:', notDeepEqual: 'Expected "actual" not to be loosely deep-equal to:',
};

function comparing(name, same) {
  return (actual, expected, message) => {
    if (same(actual, expected)) return;
    const [left, right] = [inspect(actual), inspect(expected)];
    const title = TITLES[name];
    const usual = title.length === 2 ? `${left} ${title} ${right}` : name.startsWith("not") ? `${title} ${right}`
      : left.length + right.length < 60 && !`${left}${right}`.includes("\n") ? `${title}\n\n${left} !== ${right}\n` : `${title}\n+ actual - expected\n\n+ ${left}\n- ${right}\n`;
    fail(message, actual, expected, name, usual);
  };
}

function matches(error, expected) {
  if (expected === undefined) return true;
  if (expected instanceof RegExp) return expected.test(String(error));
  if (typeof expected === "function") {
    if (expected.prototype !== undefined && error instanceof expected) return true;
    return Object.prototype.isPrototypeOf.call(Error, expected) ? false : expected.call({}, error) === true;
  }
  return Object.keys(expected).every((key) => (expected[key] instanceof RegExp && typeof error[key] === "string" ? expected[key].test(error[key]) : equal(error[key], expected[key], true)));
}

function thrown(error, expected, message, operator) {
  if (typeof expected === "string") return;
  if (matches(error, expected)) return;
  if (typeof expected === "function" || !(error instanceof Error)) throw error;
  fail(message, error, expected, operator, `The error does not match: ${inspect(error.message)}`);
}

export const assert = Object.assign((value, message) => assert.ok(value, message), {
  AssertionError,
  ok(value, message) {
    if (!value) fail(message, value, true, "==", "The expression evaluated to a falsy value");
  },
  fail: (message = "Failed") => fail(message, undefined, undefined, "fail"),
  equal: comparing("equal", (a, b) => a == b || (a !== a && b !== b)),
  notEqual: comparing("notEqual", (a, b) => a != b),
  strictEqual: comparing("strictEqual", Object.is),
  notStrictEqual: comparing("notStrictEqual", (a, b) => !Object.is(a, b)),
  deepEqual: comparing("deepEqual", (a, b) => equal(a, b, false)),
  notDeepEqual: comparing("notDeepEqual", (a, b) => !equal(a, b, false)),
  deepStrictEqual: comparing("deepStrictEqual", (a, b) => equal(a, b, true)),
  notDeepStrictEqual: comparing("notDeepStrictEqual", (a, b) => !equal(a, b, true)),
  match(text, pattern, message) {
    if (!pattern.test(text)) fail(message, text, pattern, "match", `The input did not match the regular expression ${pattern}. Input:\n\n${inspect(text)}\n`);
  },
  doesNotMatch(text, pattern, message) {
    if (pattern.test(text)) fail(message, text, pattern, "doesNotMatch", `The input was expected to not match the regular expression ${pattern}. Input:\n\n${inspect(text)}\n`);
  },
  throws(act, expected, message) {
    try {
      act();
    } catch (error) {
      return thrown(error, expected, message, "throws");
    }
    return fail(typeof expected === "string" ? expected : message, undefined, expected, "throws", "Missing expected exception.");
  },
  doesNotThrow: (act) => void act(),
  async rejects(act, expected, message) {
    try {
      await (typeof act === "function" ? act() : act);
    } catch (error) {
      return thrown(error, expected, message, "rejects");
    }
    return fail(message, undefined, expected, "rejects", "Missing expected rejection.");
  },
  doesNotReject: async (act) => void (await (typeof act === "function" ? act() : act)),
  ifError(value) {
    if (value !== null && value !== undefined) throw value;
  },
});
assert.strict = Object.assign((value, message) => assert.ok(value, message), assert, {
  equal: assert.strictEqual, notEqual: assert.notStrictEqual, deepEqual: assert.deepStrictEqual, notDeepEqual: assert.notDeepStrictEqual,
});
assert.strict.strict = assert.strict;

export const os = {
  EOL: "\n", devNull: "/dev/null", platform: () => "linux", type: () => "Linux", arch: () => "wasm32", release: () => "0", hostname: () => "capbox",
  homedir: () => "/tmp", tmpdir: () => "/tmp", cpus: () => [], availableParallelism: () => 1, totalmem: () => 2 ** 28, freemem: () => 2 ** 27, uptime: () => 0,
  loadavg: () => [0, 0, 0], networkInterfaces: () => ({}), endianness: () => "LE", userInfo: () => ({ username: "user", uid: 0, gid: 0, homedir: "/tmp", shell: null }),
  constants: { signals: {} },
};

