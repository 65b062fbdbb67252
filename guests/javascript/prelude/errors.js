// Errors as Node spells them: system errors with code, errno, syscall and path; wrong arguments with a code.

// Preview 1's errno: Node's code, Linux's number, the text. 76 is the host's refusal.
const REASONS = {
  1: ["E2BIG", 7, "argument list too long"],
  2: ["EACCES", 13, "permission denied"],
  8: ["EBADF", 9, "bad file descriptor"],
  10: ["EBUSY", 16, "resource busy or locked"],
  19: ["EDQUOT", 122, "disk quota exceeded"],
  20: ["EEXIST", 17, "file already exists"],
  22: ["EFBIG", 27, "file too large"],
  25: ["EILSEQ", 84, "illegal byte sequence"],
  28: ["EINVAL", 22, "invalid argument"],
  29: ["EIO", 5, "i/o error"],
  31: ["EISDIR", 21, "illegal operation on a directory"],
  32: ["ELOOP", 40, "too many symbolic links encountered"],
  33: ["EMFILE", 24, "too many open files"],
  37: ["ENAMETOOLONG", 36, "name too long"],
  44: ["ENOENT", 2, "no such file or directory"],
  51: ["ENOSPC", 28, "no space left on device"],
  52: ["ENOSYS", 38, "function not implemented"],
  54: ["ENOTDIR", 20, "not a directory"],
  55: ["ENOTEMPTY", 39, "directory not empty"],
  58: ["ENOTSUP", 95, "operation not supported on socket"],
  61: ["EOVERFLOW", 75, "value too large for defined data type"],
  63: ["EPERM", 1, "operation not permitted"],
  69: ["EROFS", 30, "read-only file system"],
  75: ["EXDEV", 18, "cross-device link not permitted"],
  76: ["EACCES", 13, "permission denied"],
};

export function systemError(errno, syscall, path, dest) {
  const [code, number, text] = REASONS[errno] ?? ["UNKNOWN", errno, "unknown error"];
  let message = `${code}: ${text}, ${syscall}`;
  if (path !== undefined) message += ` '${path}'`;
  if (dest !== undefined) message += ` -> '${dest}'`;
  const error = new Error(message);
  error.errno = -number;
  error.code = code;
  error.syscall = syscall;
  if (path !== undefined) error.path = path;
  if (dest !== undefined) error.dest = dest;
  Error.captureStackTrace(error, systemError);
  return error;
}

// What a native function gave, unless it is an errno as a negative number.
export function checked(given, syscall, path, dest) {
  if (typeof given === "number" && given < 0) throw systemError(-given, syscall, path, dest);
  return given;
}

export function coded(Type, code, message) {
  const error = new Type(message);
  error.code = code;
  Object.defineProperty(error, "name", { value: error.name, enumerable: false, writable: true, configurable: true });
  return error;
}

export function shown(value) {
  if (value === null || value === undefined) return `${value}`;
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value === "object") return `an instance of ${value.constructor?.name ?? "Object"}`;
  const text = typeof value === "string" ? `'${value}'` : String(value);
  return `type ${typeof value} (${text.length > 28 ? `${text.slice(0, 25)}...` : text})`;
}

export function wrongType(name, expected, value) {
  return coded(TypeError, "ERR_INVALID_ARG_TYPE", `The "${name}" argument must be ${expected}. Received ${shown(value)}`);
}

// Something of Node's or the browser's that does not exist here: what to do instead is part of the message.
export function absent(name, instead) {
  return coded(Error, "ERR_CAPBOX_UNSUPPORTED", `${name} does not exist in this sandbox: ${instead}`);
}
