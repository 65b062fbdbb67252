"""What Python does not have in a sandbox says so, and says what to do instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from capbox.box import Box
from capbox.engine.local import LocalEngine

LACKING = {
    "import ssl": "capbox.fetch and urllib.request.urlopen speak https for you",
    "import lzma": "use bz2, gzip or zipfile, or xz of the bash tool",
    "import ctypes": "no native code runs in this sandbox",
    "import mmap": "files cannot be mapped in this sandbox",
    "import fcntl": "there are no file locks in this sandbox",
    "import multiprocessing": "do it in sequence, or with asyncio",
    "from multiprocessing.pool import ThreadPool": "do it in sequence, or with asyncio",
    "from concurrent.futures import ProcessPoolExecutor": "ThreadPoolExecutor is here",
    "import curses": "there is no screen or terminal in this sandbox",
    "import readline": "there is no screen or terminal in this sandbox",
    "import tkinter": "there is no screen or terminal in this sandbox",
    "import webbrowser": "there is no screen or terminal in this sandbox",
    "import pty": "there is no screen or terminal in this sandbox",
    "import pwd": "there are no users in this sandbox",
    "import grp": "there are no users in this sandbox",
    "import resource": "limits of the call, not of the program",
    "import syslog": "use logging, or print to sys.stderr",
    "import venv": "a person adds pure Python packages with `capbox python add NAME`",
    "import pip": "a person adds pure Python packages with `capbox python add NAME`",
    "import tabulate": "a person adds pure Python packages with `capbox python add NAME`",
    "import badmod": "a module of your own is found in a granted folder (--read .)",
    "import winreg": "this sandbox is no Windows",
    "import numpy": "no native code runs in this sandbox",
    "import requests": "use capbox.fetch(url), or urllib.request.urlopen(url)",
    "import threading; threading.Thread(target=print).start()": "do it in sequence, with asyncio",
    "import threading; threading.Timer(1, print).start()": "do it in sequence, with asyncio",
    "import _thread; _thread.start_new_thread(print, ())": "do it in sequence, with asyncio",
    "import threading; threading.Event().wait()": "waits for something that can never come",
    "import queue; queue.Queue().get()": "waits for something that can never come",
    "import asyncio; await asyncio.Event().wait()": "waits for something that can never come",
    "import subprocess; subprocess.run(['ls'])": "do it in Python, or use the bash tool",
    "import subprocess; subprocess.check_output('ls', shell=True)": "or use the bash tool",
    "import os; os.system('ls')": "do it in Python, or use the bash tool",
    "import os; os.popen('ls')": "do it in Python, or use the bash tool",
    "import os; os.fork()": "do it in Python, or use the bash tool",
    "import os; os.execv('/bin/ls', ['ls'])": "do it in Python, or use the bash tool",
    "import asyncio; await asyncio.create_subprocess_shell('ls')": "or use the bash tool",
    "import socket; socket.socket()": "use capbox.fetch(url) or urllib.request.urlopen(url)",
    "import socket; socket.create_connection(('a.example', 80))": "use capbox.fetch(url)",
    "import socket; socket.getaddrinfo('a.example', 80)": "use capbox.fetch(url)",
    "import socket; socket.gethostname()": "use capbox.fetch(url)",
    "import asyncio; await asyncio.open_connection('a.example', 80)": "use capbox.fetch(url)",
    "import http.client as c; c.HTTPConnection('a.example').request('GET', '/')": (
        "use capbox.fetch(url)"
    ),
    "import smtplib; smtplib.SMTP('a.example')": "use capbox.fetch(url)",
    "import os; os.getuid()": "there are no users in this sandbox",
    "import os; os.kill(1, 9)": "there are no other processes in this sandbox",
    "import os; os.pipe()": "use io.BytesIO",
    "import os; os.get_terminal_size()": "there is no screen or terminal in this sandbox",
    "import shutil; shutil.disk_usage('.')": "disks are not seen from this sandbox",
    "import signal; signal.alarm(1)": "use asyncio.timeout, or look at time.monotonic()",
    "import time; time.thread_time()": "use time.process_time",
    "import hashlib; hashlib.scrypt(b'', salt=b'', n=2, r=1, p=1)": "use hashlib.pbkdf2_hmac",
    "import getpass; getpass.getuser()": "there are no users in this sandbox",
}
THERE = (
    "import importlib.util; print(importlib.util.find_spec('ssl'))",
    "try: import ssl\nexcept ImportError: print(None)",
    "import os; print(getattr(os, 'getuid', None))",
)


async def test_what_is_missing_says_what_to_do_instead(engine: LocalEngine, tmp_path: Path) -> None:
    (place := tmp_path / "workspace").mkdir()
    silent = {}
    async with Box(workspace=place, grants=("read:/workspace",), engine=engine) as box:
        for code, words in LACKING.items():
            result = await box.call("python", code=code)
            last = result.content.rstrip().split("\n")[-2:]
            if words not in last[0] or last[1] != "exit code 1" or result.denied:
                silent[code] = (last, result.denied)
    assert silent == {}


@pytest.mark.parametrize("code", THERE)
async def test_a_program_that_looks_first_finds_it_missing(
    code: str, engine: LocalEngine, tmp_path: Path
) -> None:
    (place := tmp_path / "workspace").mkdir()
    async with Box(workspace=place, grants=("read:/workspace",), engine=engine) as box:
        assert (await box.call("python", code=code)).content == "None\n"
