// Another WASI host: runs one call of a guest under Node's own `node:wasi`.
//
//     node host.mjs MODULE.wasm ROOT REQUEST OUTPUT
//
// ROOT is the guest's `/`, REQUEST its standard input, OUTPUT gets its standard output. What capbox
// adds to preview 1 is there and not supported, as on any host that has never heard of it.
import { closeSync, openSync, readFileSync } from "node:fs";
import { WASI } from "node:wasi";

const ENOSYS = 52;
const [module, root, request, output] = process.argv.slice(2);
const wasi = new WASI({
  version: "preview1",
  args: ["tool"],
  env: { HOME: "/tmp", LANG: "C.UTF-8", PATH: "/usr/bin:/bin", PWD: "/workspace", TMPDIR: "/tmp", TZ: "UTC" },
  preopens: { "/": root },
  stdin: openSync(request, "r"),
  stdout: openSync(output, "w"),
});

class Exit {
  constructor(code) {
    this.code = code;
  }
}

const compiled = await WebAssembly.compile(readFileSync(module));
const imports = wasi.getImportObject();
imports.wasi_snapshot_preview1.proc_exit = (code) => {
  throw new Exit(code);
};
for (const { module: from, name } of WebAssembly.Module.imports(compiled)) {
  if (from.startsWith("capbox_")) {
    imports[from] ??= {};
    imports[from][name] = () => ENOSYS;
  }
}
const instance = await WebAssembly.instantiate(compiled, imports);
const { _start, capbox_call, ...rest } = instance.exports;
// A command and a module that was begun at build time are called alike here.
wasi.initialize({ exports: rest });
try {
  (capbox_call ?? _start)();
} catch (thrown) {
  if (!(thrown instanceof Exit)) throw thrown;
  process.exitCode = thrown.code;
}
