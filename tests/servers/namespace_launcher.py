"""Starts a program in namespaces of its own: `launcher.py ADDRESSES NAMESERVER HOSTS PROGRAM ...`

On the standard library and the kernel alone, because `unshare` and `ip` are not on every machine.
Exits with 125 and a reason when something is not allowed here. See `namespace`. Linux only.
"""

from __future__ import annotations

import ctypes
import fcntl
import ipaddress
import os
import socket
import struct
import sys
import tempfile

NEW_NETWORK, NEW_USER, NEW_MOUNTS = 0x40000000, 0x10000000, 0x00020000
BIND, RECURSIVE, PRIVATE = 4096, 16384, 1 << 18
SET_ADDRESS, GET_FLAGS, SET_FLAGS, SET_MASK, GET_INDEX = 0x8916, 0x8913, 0x8914, 0x891C, 0x8933
UP = 1
CANNOT = 125

libc = ctypes.CDLL(None, use_errno=True)


def checked(result: int, what: str) -> None:
    """Raise what the C library reported."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def leave() -> None:
    """Enter new namespaces, as the root of a user namespace where this user is not root."""
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        checked(libc.unshare(NEW_NETWORK | NEW_MOUNTS), "unshare")
        return
    checked(libc.unshare(NEW_USER | NEW_NETWORK | NEW_MOUNTS), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def put(text: str, path: str) -> None:
    """Show other contents at a path, in this mount namespace alone."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.chmod(file.name, 0o644)
        checked(libc.mount(file.name.encode(), path.encode(), None, BIND, None), f"mount {path}")


def bring_up(addresses: list[str]) -> None:
    """Set loopback up, and give it these addresses besides its own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        name = struct.pack("16s", b"lo")
        flags = struct.unpack_from("h", fcntl.ioctl(control, GET_FLAGS, name + bytes(24)), 16)[0]
        fcntl.ioctl(control, SET_FLAGS, name + struct.pack("h22x", flags | UP))
        index = struct.unpack_from("i", fcntl.ioctl(control, GET_INDEX, name + bytes(24)), 16)[0]
        for number, text in enumerate(addresses):
            address = ipaddress.ip_address(text)
            if address.version == 4:
                alias = struct.pack("16s", f"lo:{number}".encode())
                for request, value in ((SET_ADDRESS, address.packed), (SET_MASK, b"\xff" * 4)):
                    wanted = struct.pack("=HH4s8x", socket.AF_INET, 0, value)
                    fcntl.ioctl(control, request, alias + wanted + bytes(8))
            else:
                with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as control6:
                    wanted = struct.pack("=16sIi", address.packed, 128, index)
                    fcntl.ioctl(control6, SET_ADDRESS, wanted)


def main() -> None:
    """Make the namespaces and become the program."""
    addresses, nameserver, hosts, *program = sys.argv[1:]
    try:
        leave()
        checked(libc.mount(None, b"/", None, RECURSIVE | PRIVATE, None), "mount /")
        put(f"nameserver {nameserver}\noptions timeout:2 attempts:2\n", "/etc/resolv.conf")
        put(hosts, "/etc/hosts")
        if os.path.exists("/etc/nsswitch.conf"):
            # Neither a cache nor a resolver of the machine answers through its socket.
            put("passwd: files\ngroup: files\nhosts: files dns\n", "/etc/nsswitch.conf")
        bring_up([one for one in addresses.split(",") if one])
    except OSError as error:
        print(f"no network namespace here: {error}", file=sys.stderr)
        sys.exit(CANNOT)
    os.execv(program[0], program)


main()
