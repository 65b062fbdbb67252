// node:path, POSIX only. https://nodejs.org/api/path.html
import { wrongType } from "capbox:errors";

export const place = { cwd: "/workspace" };

function text(value, name = "path") {
  if (typeof value !== "string") throw wrongType(name, "of type string", value);
  return value;
}

// Segments without `.` and, where that is possible, `..`.
function folded(whole, absolute) {
  const kept = [];
  for (const part of whole.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") kept.push(part);
    else if (kept.length > 0 && kept[kept.length - 1] !== "..") kept.pop();
    else if (!absolute) kept.push("..");
  }
  return kept.join("/");
}

export function normalize(whole) {
  if (text(whole) === "") return ".";
  const absolute = whole.startsWith("/");
  let found = folded(whole, absolute);
  if (found === "" && !absolute) found = ".";
  if (found !== "" && whole.endsWith("/")) found += "/";
  return absolute ? `/${found}` : found;
}

export function join(...parts) {
  const whole = parts.filter((part) => text(part) !== "").join("/");
  return whole === "" ? "." : normalize(whole);
}

export function resolve(...parts) {
  let whole = "";
  for (let i = parts.length - 1; i >= 0 && !whole.startsWith("/"); i--) {
    if (text(parts[i]) !== "") whole = whole === "" ? parts[i] : `${parts[i]}/${whole}`;
  }
  if (!whole.startsWith("/")) whole = `${place.cwd}/${whole}`;
  return `/${folded(whole, true)}`;
}

export const isAbsolute = (whole) => text(whole).startsWith("/");

function trimmed(whole) {
  let end = whole.length;
  while (end > 1 && whole[end - 1] === "/") end--;
  return whole.slice(0, end);
}

export function dirname(whole) {
  if (text(whole) === "") return ".";
  const bare = trimmed(whole);
  const at = bare.lastIndexOf("/");
  if (at < 0) return ".";
  return at === 0 ? "/" : trimmed(bare.slice(0, at));
}

export function basename(whole, suffix = "") {
  const bare = trimmed(text(whole));
  const base = bare === "/" ? "" : bare.slice(bare.lastIndexOf("/") + 1);
  return suffix !== "" && base !== suffix && base.endsWith(suffix) ? base.slice(0, -suffix.length) : base;
}

export function extname(whole) {
  const base = basename(whole);
  const at = base.lastIndexOf(".");
  return at <= 0 || base === ".." ? "" : base.slice(at);
}

export function relative(from, to) {
  const here = resolve(from).split("/").filter(Boolean);
  const there = resolve(to).split("/").filter(Boolean);
  let same = 0;
  while (same < here.length && same < there.length && here[same] === there[same]) same++;
  return [...here.slice(same).map(() => ".."), ...there.slice(same)].join("/");
}

export function parse(whole) {
  const base = basename(whole);
  const ext = extname(whole);
  const root = whole.startsWith("/") ? "/" : "";
  const dir = whole.includes("/") ? dirname(whole) : "";
  return { root, dir, base, ext, name: ext ? base.slice(0, -ext.length) : base };
}

export function format(parts) {
  const base = parts.base ?? `${parts.name ?? ""}${parts.ext ? (parts.ext.startsWith(".") ? "" : ".") + parts.ext : ""}`;
  const dir = parts.dir ?? parts.root ?? "";
  if (!dir) return base;
  return dir === parts.root ? `${dir}${base}` : `${dir}/${base}`;
}

export const path = {
  sep: "/", delimiter: ":", normalize, join, resolve, isAbsolute, dirname, basename, extname, relative, parse, format,
  toNamespacedPath: (whole) => whole,
};
path.posix = path;
