"""Programs that reach for what was not granted: a naive tool gives it, this one does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.attacks.python.conftest import SECRET, Place
from tests.servers.http import HttpServer
from tests.servers.replies import redirect, reply

pytestmark = pytest.mark.anyio
MakePlace = Callable[[str], Place]

READS = {
    "an absolute path": "print(open('OUTSIDE/secret.txt').read())",
    "a path that climbs": "print(open('../outside/secret.txt').read())",
    "a path that winds": "print(open('./.git/../../outside/./secret.txt').read())",
    "a path of pathlib": "import pathlib; print(pathlib.Path('OUTSIDE', 'secret.txt').read_text())",
    "a link to a file": "print(open('link').read())",
    "a link to a folder": "print(open('folder/secret.txt').read())",
    "a link that the program makes": (
        "import os; os.symlink('OUTSIDE/secret.txt', 'mine'); print(open('mine').read())"
    ),
    "a link in its own /tmp": (
        "import os, tempfile; d = tempfile.mkdtemp(); os.symlink('OUTSIDE', d + '/l')\n"
        "print(open(d + '/l/secret.txt').read())"
    ),
    "the root by a descriptor": (
        "import os; root = os.open('/', os.O_RDONLY)\n"
        "fd = os.open('OUTSIDE/secret.txt'[1:], os.O_RDONLY, dir_fd=root); print(os.read(fd, 99))"
    ),
    "above a descriptor of the workspace": (
        "import os; here = os.open('.', os.O_RDONLY)\n"
        "fd = os.open('../outside/secret.txt', os.O_RDONLY, dir_fd=here); print(os.read(fd, 99))"
    ),
    "the directory above": "import os; os.chdir('../outside'); print(open('secret.txt').read())",
    "the root of a process": "print(open('/proc/self/rootOUTSIDE/secret.txt').read())",
    "the directory of a process": "print(open('/proc/self/cwd/../outside/secret.txt').read())",
    "the environment of a process": "print(open('/proc/self/environ').read())",
    "the environment": "import os; print(dict(os.environ))",
    "one variable": "import os; print(os.getenv('HOST_SECRET'))",
    "an excluded name": "print(open('.env').read())",
    "an excluded name by a detour": "print(open('.git/../.env').read())",
    "an excluded name as bytes": "print(open(b'.env').read())",
    "an excluded name by a descriptor": (
        "import os; d = os.open('.', os.O_RDONLY); fd = os.open('.env', os.O_RDONLY, dir_fd=d)\n"
        "print(os.read(fd, 99))"
    ),
    "a hard link to it": "print(open('hard').read())",
    "a hard link that the program makes": (
        "import os; os.link('.env', 'other'); print(open('other').read())"
    ),
    "a link to it": "import os; os.symlink('.env', 'other'); print(open('other').read())",
    "its new name": "import os; os.rename('.env', 'other'); print(open('other').read())",
    "its copy": "import shutil; shutil.copy('.env', 'other'); print(open('other').read())",
    "a copy of everything": (
        "import shutil, tempfile; d = tempfile.mkdtemp() + '/c'\n"
        "shutil.copytree('.', d, symlinks=True); print(open(d + '/.env').read())"
    ),
    "an archive of everything": (
        "import io, tarfile; o = io.BytesIO(); t = tarfile.open(fileobj=o, mode='w')\n"
        "t.add('.'); print(o.getvalue())"
    ),
    "all that is found": (
        "import os\nfor e in os.scandir('.'):\n"
        "    if e.is_file(follow_symlinks=False): print(open(e).read())"
    ),
    "a module": (
        "import importlib.machinery as m, types\n"
        "print(m.SourceFileLoader('env', '.env').get_data('.env'))"
    ),
    "the line of a traceback": "import linecache; print(linecache.getline('.env', 1))",
    "a database": (
        "import sqlite3\n"
        "try: sqlite3.connect('file:.env?mode=ro', uri=True).execute('select 1 from x')\n"
        "except sqlite3.DatabaseError as e:\n"
        "    if 'not a database' in str(e): print(open('.env').read())"
    ),
}


@pytest.mark.parametrize("probe", READS)
async def test_a_program_reads_it_from_a_naive_tool_and_not_from_here(
    probe: str, make_place: MakePlace
) -> None:
    code = READS[probe]
    assert SECRET in make_place("naive").naive(code)
    place = make_place("real")
    result = await place.call(code)
    assert (SECRET in f"{result.content}{result.data}{result.error}", place.harmed) == (
        False,
        False,
    )


WRITES = {
    "a file outside": "open('OUTSIDE/new.txt', 'w').write('x')",
    "a file above": "open('../outside/new.txt', 'w').write('x')",
    "a file by a link": "open('link', 'w').write('x')",
    "a file by a linked folder": "open('folder/new.txt', 'w').write('x')",
    "a file at the end of a link that the program makes": (
        "import os; os.symlink('OUTSIDE/new.txt', 'mine'); open('mine', 'w').write('x')"
    ),
    "a folder outside": "import os; os.makedirs('OUTSIDE/new')",
    "a file away": "import os; os.remove('OUTSIDE/secret.txt')",
    "a folder away": "import shutil; shutil.rmtree('folder/.')",
    "a file over another": "import os; os.replace('notes.txt', 'OUTSIDE/secret.txt')",
    "times": "import os; os.utime('OUTSIDE/secret.txt', (1, 1))",
    "a mode": "import os; os.chmod('OUTSIDE/secret.txt', 0o777)",
    "a size": "import os; os.truncate('OUTSIDE/secret.txt', 0)",
    "a hook": "open('.git/hooks/pre-commit', 'w').write('#!/bin/sh')",
    "a hook by renaming": (
        "import os; open('h', 'w').write('x'); os.rename('h', '.git/hooks/pre-commit')"
    ),
    "a hook by an archive": (
        "import io, zipfile; o = io.BytesIO(); z = zipfile.ZipFile(o, 'w')\n"
        "z.writestr('.git/hooks/pre-commit', 'x'); z.extractall('.')"
    ),
    "an excluded file": "open('.env', 'w').write('x')",
    "an excluded file, by its hard link": "open('hard', 'w').write('x')",
    "an excluded file away": "import os; os.remove('.env')",
}


@pytest.mark.parametrize("probe", WRITES)
async def test_a_program_changes_it_with_a_naive_tool_and_not_here(
    probe: str, make_place: MakePlace
) -> None:
    code, naive = WRITES[probe], make_place("naive")
    naive.naive(code)
    assert naive.harmed
    place = make_place("real")
    await place.call(code)
    assert not place.harmed


NETWORK = {
    "a socket": (
        "import socket; s = socket.create_connection(('127.0.0.1', PORT)); "
        "s.send(b'GET / HTTP/1.0\\r\\n\\r\\n'); print(s.recv(99))"
    ),
    "the module below sockets": (
        "import _socket; s = _socket.socket(); s.connect(('127.0.0.1', PORT)); "
        "s.send(b'GET / HTTP/1.0\\r\\n\\r\\n'); print(s.recv(99))"
    ),
    "urllib": "import urllib.request as r; print(r.urlopen('http://127.0.0.1:PORT/').read())",
    "an opener of its own": (
        "import urllib.request as r; o = r.build_opener(r.HTTPHandler)\n"
        "print(o.open('http://127.0.0.1:PORT/').read())"
    ),
    "http.client": (
        "import http.client as c; h = c.HTTPConnection('127.0.0.1', PORT); h.request('GET', '/')\n"
        "print(h.getresponse().read())"
    ),
    "asyncio": (
        "import asyncio\nasync def go():\n"
        "    r, w = await asyncio.open_connection('127.0.0.1', PORT)\n"
        "    w.write(b'GET / HTTP/1.0\\r\\n\\r\\n'); print(await r.read())\nasyncio.run(go())"
    ),
    "a program of the machine": (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', "
        "'import urllib.request as r; r.urlopen(\"http://127.0.0.1:PORT/\")'])"
    ),
}


@pytest.mark.parametrize("probe", NETWORK)
async def test_a_program_reaches_a_server_from_a_naive_tool_and_not_from_here(
    probe: str, make_place: MakePlace, http_server: Callable[..., HttpServer]
) -> None:
    server = http_server({"*": reply(b"reached")})
    code = NETWORK[probe].replace("PORT", str(server.port))
    make_place("naive").naive(code)
    reached = len(server.connections)
    result = await make_place("real").call(code)
    assert (reached > 0, len(server.connections)) == (True, reached)
    assert "exit code 1" in result.content


async def test_a_grant_of_one_origin_leads_to_no_other_by_a_redirect_or_by_urllib(
    make_place: MakePlace, http_server: Callable[..., HttpServer]
) -> None:
    inside = http_server({"*": reply(b"inside")}, host="127.0.0.2")
    friend = http_server({"/": reply(b"friendly"), "/away": redirect(inside.url("/"))})
    code = (
        (
            "import capbox, urllib.request as r\nprint(capbox.fetch('HERE/').text)\n"
            "for f in (capbox.fetch, r.urlopen):\n"
            "    for url in ('HERE/away', 'THERE/', 'http://169.254.169.254/', "
            "'file:///etc/passwd'):\n"
            "        try: print('got', f(url))\n"
            "        except OSError as e: print(type(e).__name__)"
        )
        .replace("HERE", friend.url(""))
        .replace("THERE", inside.url(""))
    )
    result = await make_place("real").call(code, f"fetch:{friend.url('')}")
    told = result.content.split("\n")
    assert (told[0], [t for t in told[1:] if t.startswith("got")]) == ("friendly", [])
    assert (inside.connections, len(told)) == ((), 10) or not inside.connections
