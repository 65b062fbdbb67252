"""`python -m bench.rows.conversation.provider`: the fake provider, as far away as a real one.

A process of its own, so that it does not share a Python with who is measured. Before it stands a
relay that knows when the first byte of a reply leaves: it prints that time of the machine's
monotonic clock, a line a request, after its own address. Ends when its standard input does.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from threading import Thread

from capbox.models.fake_llm.plan import plan_of
from capbox.models.fake_llm.server import LOOPBACK, FakeLlm
from capbox.models.script import parse_script

_PIECE = 65_536
_REPLY = {"text": "All of it is done, and here is what was found on the way. " * 8}


def main() -> int:
    """Serve until standard input ends."""
    script = parse_script(json.dumps([_REPLY]), "bench")
    plan = plan_of(script, "bench") if isinstance(script, tuple) else script
    if not isinstance(plan, tuple):
        raise TypeError(str(plan))
    with FakeLlm(plan) as fake, socket.create_server((LOOPBACK, 0)) as door:
        print(f"http://{LOOPBACK}:{door.getsockname()[1]}", flush=True)
        port = int(fake.url.rpartition(":")[2])
        Thread(target=_relay, args=(door, port), daemon=True).start()
        sys.stdin.read()
    return 0


def _relay(door: socket.socket, port: int) -> None:
    while True:
        client, _ = door.accept()
        server = socket.create_connection((LOOPBACK, port))
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        asked = [False]  # and not yet answered
        Thread(target=_there, args=(client, server, asked), daemon=True).start()
        Thread(target=_back, args=(server, client, asked), daemon=True).start()


def _there(client: socket.socket, server: socket.socket, asked: list[bool]) -> None:
    while piece := client.recv(_PIECE):
        asked[0] = True
        server.sendall(piece)
    server.shutdown(socket.SHUT_WR)


def _back(server: socket.socket, client: socket.socket, asked: list[bool]) -> None:
    while piece := server.recv(_PIECE):
        first, asked[0] = asked[0], False
        left = time.perf_counter()
        client.sendall(piece)
        if first:
            print(left, flush=True)
    client.close()


if __name__ == "__main__":
    sys.exit(main())
