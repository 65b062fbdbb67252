// node:fs on what the run was granted. https://nodejs.org/api/fs.html
//
// Every function is synchronous below; the ones with callbacks and promises wrap them. Errors are Node's: ENOENT where
// nothing is, EACCES where a grant is missing.
import { native } from "capbox:native";
import { Buffer, bytesOf, decoded, encoded } from "capbox:buffer";
import { absent, checked, coded, systemError, wrongType } from "capbox:errors";
import { fileURLToPath, URL } from "capbox:url";
import { setImmediate } from "capbox:timers";
import * as paths from "capbox:path";

const [CREATE, EXCLUSIVE, TRUNCATE] = [1, 4, 8];
const [READ, WRITE] = [1, 2];
const [DIRECTORY, FILE, LINK] = [3, 4, 7];
const KINDS = { 1: 0o060000, 2: 0o020000, [DIRECTORY]: 0o040000, [FILE]: 0o100000, 6: 0o140000, [LINK]: 0o120000 };
// [how it is opened, what may be done, whether it appends]
const FLAGS = {
  r: [0, READ], "r+": [0, READ | WRITE], w: [CREATE | TRUNCATE, WRITE], "w+": [CREATE | TRUNCATE, READ | WRITE],
  a: [CREATE, WRITE, true], "a+": [CREATE, READ | WRITE, true],
};
for (const flag of ["w", "w+", "a", "a+"]) FLAGS[flag.replace(/./, "$&x")] = [FLAGS[flag][0] | EXCLUSIVE, ...FLAGS[flag].slice(1)];
for (const flag of Object.keys(FLAGS)) FLAGS[flag.replace(/./, "$&s")] = FLAGS[flag];
const STREAMS = { "/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2 };
export const streams = { input: new Uint8Array(0), at: 0 };

function named(value, name = "path") {
  const text = value instanceof URL ? fileURLToPath(value) : value instanceof Uint8Array ? decoded(value, "utf8") : value;
  if (typeof text !== "string") throw wrongType(name, "of type string or an instance of Buffer or URL", value);
  // Attack: a path that ends at the NUL for one reader and goes on for the next.
  if (text.includes("\0")) throw coded(TypeError, "ERR_INVALID_ARG_VALUE", `The argument '${name}' must be a string, Uint8Array, or URL without null bytes. Received ${JSON.stringify(text)}`);
  return text;
}

// An empty path is nothing at all, not the working directory.
const whole = (text) => (text === "" ? "/\ufffd" : paths.resolve(text));

const codingOf = (options) => (typeof options === "string" ? options : options?.encoding) ?? undefined;

function given(bytes, options) {
  const coding = codingOf(options);
  return coding && coding !== "buffer" ? decoded(bytes, coding) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function content(data, options) {
  if (typeof data === "string") return encoded(data, codingOf(options) ?? "utf8");
  return bytesOf(data);
}

export class Stats {
  constructor([type, size, accessed, modified, changed, inode, device, links], mode) {
    this.dev = device;
    this.mode = mode ?? KINDS[type] ?? 0;
    this.nlink = links;
    this.uid = 0;
    this.gid = 0;
    this.rdev = 0;
    this.blksize = 4096;
    this.ino = inode;
    this.size = size;
    this.blocks = Math.ceil(size / 512);
    this.atimeMs = accessed;
    this.mtimeMs = modified;
    this.ctimeMs = changed;
    this.birthtimeMs = changed;
    this.atime = new Date(accessed);
    this.mtime = new Date(modified);
    this.ctime = new Date(changed);
    this.birthtime = new Date(changed);
  }
}

export class Dirent {
  #type;

  constructor(name, parent, type) {
    this.name = name;
    this.parentPath = parent;
    this.path = parent;
    this.#type = type;
  }

  get _kind() {
    return this.#type;
  }
}

const TESTS = { isFile: FILE, isDirectory: DIRECTORY, isSymbolicLink: LINK, isFIFO: -1, isSocket: 6, isBlockDevice: 1, isCharacterDevice: 2 };
for (const [name, type] of Object.entries(TESTS)) {
  const test = { [name]() { return this._kind === type; } }[name];
  for (const Type of [Stats, Dirent]) Object.defineProperty(Type.prototype, name, { value: test, writable: true, configurable: true });
}
Object.defineProperty(Stats.prototype, "_kind", {
  get() {
    const kind = this.mode & 0o170000;
    return Number(Object.keys(KINDS).find((type) => KINDS[type] === kind) ?? 0);
  },
});

function status(call, path, follow, options = {}) {
  const text = named(path);
  const at = whole(text);
  const found = native.stat(at, follow);
  if (found === -44 && options?.throwIfNoEntry === false) return undefined;
  checked(found, call, text);
  const mode = found[0] === LINK ? 0o120777 : native.mode(at);
  return new Stats(found, mode < 0 ? (KINDS[found[0]] ?? 0) | 0o644 : mode);
}

export const statSync = (path, options) => status("stat", path, true, options);
export const lstatSync = (path, options) => status("lstat", path, false, options);
export const fstatSync = (fd) => new Stats(checked(native.fstat(fd), "fstat"));

export function existsSync(path) {
  try {
    return typeof native.stat(whole(named(path)), true) !== "number";
  } catch {
    return false;
  }
}

export function accessSync(path, mode = 0) {
  const found = status("access", path, true);
  if (mode & 2 && !(found.mode & 0o222)) throw systemError(2, "access", named(path));
}

function readInput() {
  const left = streams.input.subarray(streams.at);
  streams.at = streams.input.length;
  return left;
}

function drained(fd) {
  const parts = [];
  for (;;) {
    const part = new Uint8Array(65536);
    const got = checked(native.transfer(fd, part, -1, false), "read");
    if (got === 0) return Buffer.concat(parts);
    parts.push(part.subarray(0, got));
  }
}

export function readFileSync(path, options) {
  if (Number.isInteger(path)) return given(path === 0 ? readInput() : drained(path), options);
  const text = named(path);
  const at = whole(text);
  if (STREAMS[at] === 0) return given(readInput(), options);
  const found = native.load(at);
  // Node opens a directory, and fails when it reads it.
  if (found === -31) throw systemError(31, "read");
  return given(checked(found, "open", text), options);
}

export function openSync(path, flags = "r") {
  const text = named(path);
  const at = whole(text);
  if (STREAMS[at] !== undefined) return STREAMS[at];
  const how = FLAGS[typeof flags === "number" ? (flags & 3 ? (flags & 2 ? "r+" : "w") : "r") : flags];
  if (how === undefined) throw coded(TypeError, "ERR_INVALID_ARG_VALUE", `The argument 'flags' is invalid. Received '${flags}'`);
  return checked(native.open(at, how[0], how[1], how[2] === true), "open", text);
}

export const closeSync = (fd) => void (fd > 2 && checked(native.close(fd), "close"));

function slice(buffer, offset, length) {
  const bytes = bytesOf(buffer, "buffer");
  const { offset: start = 0, length: count } = typeof offset === "object" && offset !== null ? offset : { offset: offset ?? 0, length };
  if (start < 0 || start > bytes.length) throw coded(RangeError, "ERR_OUT_OF_RANGE", `The value of "offset" is out of range. It must be >= 0 && <= ${bytes.length}. Received ${start}`);
  return bytes.subarray(start, count === undefined || count === null ? undefined : start + count);
}

export function readSync(fd, buffer, offset, length, position) {
  const part = slice(buffer, offset, length);
  const at = (typeof offset === "object" ? offset?.position : position) ?? -1;
  if (fd === 0) {
    const got = streams.input.subarray(streams.at, streams.at + part.length);
    part.set(got);
    streams.at += got.length;
    return got.length;
  }
  return checked(native.transfer(fd, part, Number(at), false), "read");
}

export function writeSync(fd, data, offset, length, position) {
  const text = typeof data === "string";
  const part = text ? encoded(data, typeof length === "string" ? length : "utf8") : slice(data, offset, length);
  if (fd === 1 || fd === 2) {
    native.emit(fd, part);
    return part.length;
  }
  const at = (text ? offset : typeof offset === "object" ? offset?.position : position) ?? -1;
  return checked(native.transfer(fd, part, Number(at), true), "write");
}

function writeAll(fd, bytes) {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes.subarray(done));
}

export function writeFileSync(path, data, options) {
  const bytes = content(data, options);
  if (typeof path === "number") return writeAll(path, bytes);
  const fd = openSync(path, options?.flag ?? "w");
  try {
    return writeAll(fd, bytes);
  } finally {
    closeSync(fd);
  }
}

export const appendFileSync = (path, data, options) => writeFileSync(path, data, { ...(typeof options === "string" ? { encoding: options } : options), flag: "a" });

export function truncateSync(path, length = 0) {
  const fd = openSync(path, "r+");
  try {
    checked(native.resize(fd, length), "ftruncate");
  } finally {
    closeSync(fd);
  }
}
export const ftruncateSync = (fd, length = 0) => void checked(native.resize(fd, length), "ftruncate");
export const fsyncSync = () => undefined;

function entries(path) {
  const text = named(path);
  const found = checked(native.list(whole(text)), "scandir", text);
  const list = [];
  for (let i = 0; i < found.length; i += 2) list.push([found[i], found[i + 1]]);
  return list.sort((a, b) => (a[0] < b[0] ? -1 : 1));
}

export function readdirSync(path, options = {}) {
  const top = named(path);
  const found = [];
  const visit = (inner) => {
    for (const [name, type] of entries(inner === "" ? top : paths.join(top, inner))) {
      const under = inner === "" ? name : `${inner}/${name}`;
      found.push(options?.withFileTypes ? new Dirent(name, inner === "" ? top : paths.join(top, inner), type) : under);
      if (options?.recursive && type === DIRECTORY) visit(under);
    }
  };
  visit("");
  return found;
}

export function mkdirSync(path, options = {}) {
  const text = named(path);
  const at = whole(text);
  if (!(typeof options === "object" && options?.recursive)) return void checked(native.mkdir(at), "mkdir", text);
  let first;
  let made = "";
  for (const part of at.split("/").slice(1)) {
    made += `/${part}`;
    const found = native.stat(made, true);
    if (typeof found !== "number") {
      if (found[0] !== DIRECTORY) throw systemError(made === at ? 20 : 54, "mkdir", text);
      continue;
    }
    const error = native.mkdir(made);
    if (error !== -20) checked(error, "mkdir", text);
    first ??= made;
  }
  return first;
}

export const rmdirSync = (path, options) => (options?.recursive ? rmSync(path, { recursive: true }) : void checked(native.rmdir(whole(named(path))), "rmdir", named(path)));
export const unlinkSync = (path) => void checked(native.unlink(whole(named(path))), "unlink", named(path));

export function rmSync(path, { recursive = false, force = false } = {}) {
  const text = named(path);
  const at = whole(text);
  const found = native.stat(at, false);
  if (found === -44 && force) return;
  checked(found, "lstat", text);
  if (found[0] !== DIRECTORY) return void checked(native.unlink(at), "unlink", text);
  if (!recursive) {
    const error = coded(Error, "ERR_FS_EISDIR", `Path is a directory: rm returned EISDIR (is a directory) ${text}`);
    throw Object.assign(error, { errno: 21, syscall: "rm", path: text });
  }
  for (const [name] of entries(at)) rmSync(paths.join(at, name), { recursive, force });
  checked(native.rmdir(at), "rmdir", text);
}

export function renameSync(from, to) {
  checked(native.rename(whole(named(from, "oldPath")), whole(named(to, "newPath"))), "rename", named(from), named(to));
}

export function copyFileSync(from, to, mode = 0) {
  const [source, target] = [named(from, "src"), named(to, "dest")];
  const found = native.load(whole(source));
  checked(found, "copyfile", source, target);
  const fd = native.open(whole(target), CREATE | (mode & 1 ? EXCLUSIVE : TRUNCATE), WRITE, false);
  checked(fd, "copyfile", source, target);
  try {
    writeAll(fd, found);
  } finally {
    closeSync(fd);
  }
}

export function cpSync(from, to, options = {}) {
  const [source, target] = [named(from, "src"), named(to, "dest")];
  if (!statSync(source).isDirectory()) return copyFileSync(source, target, options.force === false || options.errorOnExist ? 1 : 0);
  if (!options.recursive) throw coded(Error, "ERR_FS_EISDIR", `Recursive option not enabled, cannot copy a directory: cp returned EISDIR (${source} is a directory (not copied)) ${source}`);
  const [here, there] = [whole(source), whole(target)];
  if (there === here || there.startsWith(`${here}/`)) throw coded(Error, "ERR_FS_CP_EINVAL", `Cannot copy ${source} to a subdirectory of self ${target}`);
  mkdirSync(target, { recursive: true });
  for (const [name] of entries(source)) {
    const inner = paths.join(source, name);
    if (options.filter?.(inner, paths.join(target, name)) !== false) cpSync(inner, paths.join(target, name), options);
  }
}

export const readlinkSync = (path) => checked(native.readlink(whole(named(path))), "readlink", named(path));
export const symlinkSync = (target, path) => void checked(native.symlink(named(target, "target"), whole(named(path))), "symlink", named(target), named(path));
export const chmodSync = (path, mode) => void checked(native.chmod(whole(named(path)), typeof mode === "string" ? parseInt(mode, 8) : mode), "chmod", named(path));

export function realpathSync(path) {
  const text = named(path);
  let at = "";
  let left = whole(text).split("/").slice(1);
  for (let followed = 0; left.length > 0; ) {
    const next = `${at}/${left.shift()}`;
    const found = checked(native.stat(next, false), "realpath", text);
    if (found[0] !== LINK) {
      at = next;
      continue;
    }
    if (++followed > 40) throw systemError(32, "realpath", text);
    left = [...paths.resolve(at || "/", checked(native.readlink(next), "realpath", text)).split("/").slice(1), ...left];
    at = "";
  }
  return at === "" || at === "/" ? "/" : at;
}

const time = (value) => (value instanceof Date ? value.getTime() : Number(value) * 1000);
export const utimesSync = (path, accessed, modified) => void checked(native.touch(whole(named(path)), time(accessed), time(modified)), "utime", named(path));

export function mkdtempSync(prefix) {
  const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const made = named(prefix, "prefix") + Array.from({ length: 6 }, () => letters[Math.floor(Math.random() * letters.length)]).join("");
  checked(native.mkdir(whole(made)), "mkdtemp", `${prefix}XXXXXX`);
  return made;
}

const INSTEAD = {
  createReadStream: "read the file with fs.readFileSync, or in parts with fs.openSync and fs.readSync",
  createWriteStream: "write with fs.writeFileSync and fs.appendFileSync, or fs.openSync and fs.writeSync",
  watch: "nothing changes files while this code runs; read them again", watchFile: "nothing changes files while this code runs; read them again",
  linkSync: "hard links are never made; copy with fs.copyFileSync",
  chownSync: "files have no owners here", opendirSync: "list with fs.readdirSync(path, { withFileTypes: true })",
};

const SYNC = {
  statSync, lstatSync, fstatSync, accessSync, readFileSync, openSync, closeSync, readSync, writeSync, writeFileSync, appendFileSync,
  truncateSync, ftruncateSync, fsyncSync, readdirSync, mkdirSync, rmdirSync, unlinkSync, rmSync, renameSync, copyFileSync, cpSync,
  readlinkSync, symlinkSync, chmodSync, realpathSync, utimesSync, mkdtempSync,
};

export const constants = { F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1, COPYFILE_EXCL: 1, O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 64, O_EXCL: 128, O_TRUNC: 512, O_APPEND: 1024 };

class FileHandle {
  constructor(fd) {
    this.fd = fd;
  }

  readFile = async (options) => readFileSync(this.fd, options);
  writeFile = async (data, options) => writeFileSync(this.fd, data, options);
  appendFile = this.writeFile;
  stat = async () => fstatSync(this.fd);
  truncate = async (length) => ftruncateSync(this.fd, length);
  sync = async () => undefined;
  close = async () => closeSync(this.fd);

  async read(buffer, offset, length, position) {
    return { bytesRead: readSync(this.fd, buffer, offset, length, position), buffer };
  }

  async write(data, offset, length, position) {
    return { bytesWritten: writeSync(this.fd, data, offset, length, position), buffer: data };
  }

  async [Symbol.asyncDispose]() {
    closeSync(this.fd);
  }
}

export const promises = { constants };
export const fs = { ...SYNC, existsSync, promises, constants, ...constants, Stats, Dirent };
for (const [name, act] of Object.entries(SYNC)) {
  const plain = name.slice(0, -4);
  // A task of its own, as in Node: what follows the call runs first.
  promises[plain] = { async [plain](...values) { return new Promise(setImmediate).then(() => act(...values)); } }[plain];
  fs[plain] = {
    [plain](...values) {
      const done = values.pop();
      if (typeof done !== "function") throw wrongType("cb", "of type function", done);
      setImmediate(() => {
        let found;
        try {
          found = act(...values);
        } catch (error) {
          return done(error);
        }
        return done(null, found);
      });
    },
  }[plain];
}
promises.open = async (path, flags) => new FileHandle(openSync(path, flags));
fs.exists = (path, done) => setImmediate(() => done(existsSync(path)));
for (const [name, instead] of Object.entries(INSTEAD)) {
  fs[name] = () => {
    throw absent(`fs.${name}`, instead);
  };
}
