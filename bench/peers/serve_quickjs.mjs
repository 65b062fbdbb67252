// Serves quickjs-emscripten, QuickJS as a WebAssembly module inside Node: a fresh context for every
// call, in one runtime and in this process. Its first argument is the folder with node_modules.

import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const require = createRequire(join(process.argv[2], "package.json"));
const quickjs = await require("quickjs-emscripten").getQuickJS();

function run(code) {
  const context = quickjs.newContext();
  let output = "";
  const log = context.newFunction("log", (...said) => {
    output += said.map((value) => context.dump(value)).join(" ") + "\n";
  });
  const console = context.newObject();
  context.setProp(console, "log", log);
  context.setProp(context.global, "console", console);
  console.dispose();
  log.dispose();
  const result = context.evalCode(code);
  const failed = result.error && JSON.stringify(context.dump(result.error));
  (result.error ?? result.value).dispose();
  context.dispose();
  if (failed) throw new Error(failed);
  return output;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { do: code, calls } = JSON.parse(line);
  let said;
  try {
    const started = performance.now();
    let output = "";
    for (let call = 0; call < calls; call++) output = run(code);
    said = { output, seconds: (performance.now() - started) / 1000 };
  } catch (error) {
    said = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(said) + "\n");
}
