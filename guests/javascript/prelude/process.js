// process, as far as there is one: arguments, variables and directory of the call, two streams out, one in.
import { native } from "capbox:native";
import { decoded } from "capbox:buffer";
import { absent, systemError } from "capbox:errors";
import { EventEmitter } from "capbox:events";
import { streams, statSync } from "capbox:fs";
import * as paths from "capbox:path";
import { written } from "capbox:console";

export const call = { exit: undefined, origin: 0 };

function stream(fd) {
  const out = new EventEmitter();
  return Object.assign(out, {
    fd, isTTY: false, columns: 80, writable: true,
    write(text, coding, done) {
      written(fd, text);
      const after = typeof coding === "function" ? coding : done;
      if (typeof after === "function") queueMicrotask(after);
      return true;
    },
    end(text) {
      if (text !== undefined) written(fd, text);
    },
  });
}

const stdin = Object.assign(new EventEmitter(), {
  fd: 0, isTTY: false,
  setEncoding() {
    return stdin;
  },
  read() {
    const left = streams.input.subarray(streams.at);
    streams.at = streams.input.length;
    return left.length ? decoded(left, "utf8") : null;
  },
  resume: () => stdin,
  async *[Symbol.asyncIterator]() {
    const text = stdin.read();
    if (text !== null) yield text;
  },
});
const on = stdin.on.bind(stdin);
stdin.on = (name, listener) => {
  if (name === "data") queueMicrotask(() => void ((text) => text !== null && listener(text))(stdin.read()));
  else if (name === "end" || name === "close") queueMicrotask(() => queueMicrotask(() => listener()));
  else on(name, listener);
  return stdin;
};

export const process = Object.assign(new EventEmitter(), {
  title: "node", pid: 1, ppid: 0, platform: "linux", arch: "wasm32", version: "v20.0.0", release: { name: "capbox" }, exitCode: undefined,
  versions: { node: "20.0.0", quickjs: "0.17.0" }, argv: ["node", "<code>"], execArgv: [], execPath: "/usr/bin/node", argv0: "node", env: {}, features: {}, config: {},
  stdin, stdout: stream(1), stderr: stream(2),
  cwd: () => paths.place.cwd,
  chdir(to) {
    const at = paths.resolve(to);
    if (!statSync(at).isDirectory()) throw systemError(54, "chdir", paths.place.cwd, to);
    paths.place.cwd = at;
  },
  exit(code = process.exitCode) {
    call.exit = Number(code ?? 0) & 255;
    native.leave();
  },
  abort: () => process.exit(134),
  uptime: () => (native.monotonic() - call.origin) / 1000,
  hrtime(since) {
    const now = native.monotonic();
    const [seconds, nanos] = [Math.floor(now / 1000), Math.round((now % 1000) * 1e6)];
    if (!since) return [seconds, nanos];
    const late = nanos < since[1];
    return [seconds - since[0] - (late ? 1 : 0), nanos - since[1] + (late ? 1e9 : 0)];
  },
  memoryUsage: () => ({ rss: native.memory(), heapTotal: native.memory(), heapUsed: native.memory(), external: 0, arrayBuffers: 0 }),
  cpuUsage: () => ({ user: Math.round(process.uptime() * 1e6), system: 0 }),
  nextTick: (callback, ...values) => queueMicrotask(() => callback(...values)),
  umask: () => 0o022, getuid: () => 0, getgid: () => 0, geteuid: () => 0, getegid: () => 0,
  emitWarning: (warning) => written(2, `(node) ${warning?.name ?? "Warning"}: ${warning?.message ?? warning}\n`),
  kill() {
    throw absent("process.kill", "there are no other processes");
  },
  binding() {
    throw absent("process.binding", "import node:fs, node:path and the other modules instead");
  },
});
process.hrtime.bigint = () => BigInt(Math.round(native.monotonic() * 1e6));
Object.defineProperty(process, Symbol.toStringTag, { value: "process", configurable: true });

