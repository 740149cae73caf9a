"""shim - clocks, writes and syncs of a program of ours, by tests/fault/shim*.c.

    shim = Shim(scratch, data)
    Server(..., env=shim.env)
    shim.set("write_error", errno.EIO)
    shim.step(3600)

SPDX-License-Identifier: ISC
"""
import mmap
import os
import struct
from pathlib import Path

from support.program import BUILD

LIBRARY = BUILD / "tests/fault/shim.so"
NS = 10**9
# As in struct shim_page.
FIELDS = ("wall", "mono", "write_error", "write_good", "write_torn", "sync_error", "sync_ms",
    "sync_lies", "undo", "writes_met", "syncs_met", "clocks_asked", "leak", "interrupt", "interrupted",
    "small_pipes", "pipes_made")


class Shim:
    """One program's; it outlives restarts of it."""

    def __init__(self, scratch, data=None, name="shim"):
        assert LIBRARY.exists(), f"make tools builds {LIBRARY}; without it nothing would go wrong"
        scratch = Path(scratch)
        path, self.fifo = scratch / f"{name}.page", scratch / f"{name}.step"
        path.write_bytes(bytes(8 * len(FIELDS)))
        path.chmod(0o666)  # the program may be another user's
        os.mkfifo(self.fifo)
        self.fifo.chmod(0o666)
        self.data = Path(data) if data else None
        self.file = open(path, "r+b")
        self.page = mmap.mmap(self.file.fileno(), 8 * len(FIELDS))
        self.env = {"LD_PRELOAD": str(LIBRARY), "FAULTSHIM": str(path),
            "FAULTSHIM_STEP": str(self.fifo)}
        if data:
            self.env["FAULTSHIM_DATA"] = str(data)

    def get(self, name):
        return struct.unpack_from("=q", self.page, 8 * FIELDS.index(name))[0]

    def set(self, name, value):
        struct.pack_into("=q", self.page, 8 * FIELDS.index(name), value)

    def quiet(self):
        """No trouble with files any more."""
        for name in ("write_error", "write_good", "write_torn", "sync_error", "sync_ms",
                "sync_lies"):
            self.set(name, 0)

    def step(self, seconds):
        """Sets the wall clock, and says so as the kernel would."""
        self.set("wall", self.get("wall") + int(seconds * NS))
        fd = os.open(self.fifo, os.O_RDWR | os.O_NONBLOCK)
        os.write(fd, b"x")  # kept open: a FIFO without a reader forgets
        self.kept = getattr(self, "kept", []) + [fd]

    def pass_time(self, seconds):
        """The monotonic clock too: time goes by."""
        self.set("mono", self.get("mono") + int(seconds * NS))
        self.step(seconds)

    def power_cut(self):
        """With `undo`, after the program was killed: takes back from each file
        what no sync had confirmed. Returns how many writes those were."""
        return sum(take_back(p) for p in self.data.glob("*.undo"))

    def close(self):
        for fd in getattr(self, "kept", []):
            os.close(fd)
        self.page.close()
        self.file.close()


def records(data):
    """(size of the file, where, bytes that were there) of each write."""
    at = 0
    while at + 24 <= len(data):
        size, where, n = struct.unpack_from("=qqq", data, at)
        old = data[at + 24:at + 24 + n]
        if len(old) < n:
            break  # killed before the write that this was for
        yield size, where, old
        at += 24 + n


def take_back(undo):
    known = list(records(undo.read_bytes()))
    file = undo.with_suffix("")
    if known and file.exists():
        with open(file, "r+b") as f:
            for size, where, old in reversed(known):
                f.seek(where)
                f.write(old)
                f.truncate(size)
    undo.unlink()
    return len(known)
