// Serves just-bash, a shell in TypeScript: a fresh Bash for every call, on the real workspace.
// Its first argument is the folder with node_modules.

import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";

const require = createRequire(join(process.argv[2], "package.json"));
const { Bash, ReadWriteFs } = require("just-bash");
const FILE_BYTES_MAX = 1 << 30; // its own bound of 10 MB would refuse the large rows

async function answer({ workspace, do: script, stdin, calls }) {
  const fs = new ReadWriteFs({ root: dirname(workspace), maxFileReadSize: FILE_BYTES_MAX });
  const cwd = "/" + basename(workspace);
  const started = performance.now();
  let result;
  for (let call = 0; call < calls; call++) {
    const bash = new Bash({ fs, cwd });
    result = await bash.exec(script, { stdin });
  }
  const seconds = (performance.now() - started) / 1000;
  if (result.exitCode !== 0) {
    return { error: result.stderr.trim() || `it ended with ${result.exitCode}` };
  }
  return { output: result.stdout, seconds };
}

for await (const line of createInterface({ input: process.stdin })) {
  let said;
  try {
    said = await answer(JSON.parse(line));
  } catch (error) {
    said = { error: String(error) };
  }
  console.log(JSON.stringify(said));
}
