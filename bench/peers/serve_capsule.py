"""Serves capsule, a runtime of Python tasks as components: its own worker, a fresh task a call.

`serve_capsule.py TASK.wasm`. Runs in an environment of its own, so it imports nothing of capbox.
The task (`task_of_capsule.py`) executes the code it is given and answers with what that printed.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from capsule import run as run_task


async def main() -> None:
    """Answer each line with one."""
    # Beside this interpreter, whatever the environment's PATH has.
    program = str(Path(sys.executable).with_name("capsule"))
    # It keeps what it compiles, and a trace, in the folder where it runs.
    os.chdir(Path(sys.argv[1]).parent)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = await run(program, request)
        except Exception as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


async def run(program: str, request: dict[str, Any]) -> dict[str, Any]:
    """Run the code as often as asked."""
    said: dict[str, Any] = {}
    started = time.perf_counter()
    for _ in range(request["calls"]):
        said = await run_task(file=sys.argv[1], args=[request["do"]], capsule_path=program)
    seconds = time.perf_counter() - started
    if not said["success"]:
        return {"error": str(said["error"])}
    return {"output": str(said["result"]), "seconds": seconds}


if __name__ == "__main__":
    asyncio.run(main())
