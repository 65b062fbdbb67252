"""Serves pydantic-monty, a Python interpreter in Rust: a fresh session for every call.

Runs in an environment of its own, so it imports nothing of capbox. The workspace is mounted
read-only at `/workspace`; a session is served by a process of Monty's own pool.
"""

import json
import sys
import time
from typing import Any

from pydantic_monty import CollectString, Monty, MountDir


def main() -> None:
    """Answer each line with one."""
    mounts: dict[str, MountDir] = {}
    with Monty() as pool:
        for line in sys.stdin:
            request = json.loads(line)
            folder = request["workspace"]
            if folder not in mounts:
                mounts[folder] = MountDir(
                    host_path=folder, virtual_path="/workspace", mode="read-only"
                )
            try:
                answer = run(pool, mounts[folder], request)
            except Exception as error:
                answer = {"error": str(error)}
            print(json.dumps(answer), flush=True)


def run(pool: Monty, mount: MountDir, request: dict[str, Any]) -> dict[str, Any]:
    """Run the code as often as asked."""
    started = time.perf_counter()
    for _ in range(request["calls"]):
        output = CollectString()
        with pool.checkout() as session:
            session.feed_run(request["do"], mount=mount, print_callback=output)
    return {"output": output.output, "seconds": time.perf_counter() - started}


if __name__ == "__main__":
    main()
