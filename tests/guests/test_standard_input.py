"""Commands that read standard input look for no file: without a grant they are refused nothing."""

from __future__ import annotations

from pathlib import Path

from capbox.box import Box
from capbox.engine.local import LocalEngine

_READERS = (
    *("cat -", "head -n 1 -", "tail -n 1 -", "nl -", "sort -", "uniq -", "tac -", "rev", "od -"),
    *("wc", "wc -", "wc -l", "wc -c", "wc -lw - -", "wc --total=only", "strings", "strings -n 1 -"),
    *("cut -c 1 -", "paste - -", "grep -c x -", "sed s/x/y/ -", "awk 1 -", "fold -", "fmt -"),
    *("md5sum -", "sha256sum", "cksum -", "base64 -", "expand -", "tsort -", "shuf -", "xxd -"),
    *(
        "diff - -",
        "diff -u - -",
        "cmp - -",
        "comm - -",
        "join - -",
        "jq -R .",
        "dos2unix",
        "file -",
    ),
    *("gzip -c -", "tee", "split -l 9 - /tmp/x", "column -t -", "hexdump -C -", "bc -"),
)


async def test_standard_input_is_no_file_of_this_name(engine: LocalEngine, tmp_path: Path) -> None:
    place = tmp_path / "workspace"
    place.mkdir()
    async with Box(workspace=place, engine=engine) as box:
        looked = [
            command
            for command in _READERS
            if (await box.call("bash", script=f"echo x x | {command}")).denied
        ]
        named = await box.call("bash", script="wc -l ./-; strings ./-; diff ./- -")
    assert looked == []
    assert [one.access for one in named.denied] == ["read /workspace/-"]
