"""journal - the system's journal as a script: its socket, and what came to it.

Speaks the receiving half of the native protocol, strictly: what journald would
not understand fails the test.

SPDX-License-Identifier: ISC
"""
import array
import fcntl
import os
import re
import socket
import struct
import threading

from support.waiting import wait_for

F_GET_SEALS = 1034
ALL_SEALS = 1 | 2 | 4 | 8
NAME = re.compile(rb"[A-Z][A-Z0-9_]{0,63}\Z")


def parse(datagram):
    """One entry: {name: bytes}; each name once."""
    fields, at = {}, 0
    while at < len(datagram):
        end = datagram.index(b"\n", at)
        name, equals, value = datagram[at:end].partition(b"=")
        at = end + 1
        if not equals:
            size, = struct.unpack_from("<Q", datagram, at)
            value = datagram[at + 8:at + 8 + size]
            at += 8 + size
            assert datagram[at:at + 1] == b"\n", datagram
            at += 1
        assert NAME.match(name), name
        assert name not in fields, datagram
        fields[name.decode()] = value
    return fields


class Journal:
    """Listens at path as soon as it is made; reads unless reading=False."""

    def __init__(self, path, reading=True):
        self.path = str(path)
        self.entries, self.by_memfd = [], 0
        self.socket = self.thread = self.failed = None
        self.listen()
        if reading:
            self.read()

    def listen(self):
        """Takes the place, as journald does when it is started."""
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)

    def read(self):
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        room = socket.CMSG_SPACE(array.array("i").itemsize)
        try:
            while True:
                datagram, ancillary, _, _ = self.socket.recvmsg(1 << 20, room)
                if datagram == b"stop":
                    return
                for _, _, data in ancillary:
                    datagram = self.read_memfd(data)
                self.entries.append(parse(datagram))
        except (OSError, AssertionError, ValueError) as e:
            self.failed = e

    def read_memfd(self, data):
        fd, = array.array("i", data)
        try:
            assert fcntl.fcntl(fd, F_GET_SEALS) == ALL_SEALS
            self.by_memfd += 1
            return os.pread(fd, os.fstat(fd).st_size, 0)
        finally:
            os.close(fd)

    def vanish(self):
        """Gone, and nobody in its place."""
        if self.thread is not None:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
                s.sendto(b"stop", self.path)
            self.thread.join(10)
        self.thread = None
        self.socket.close()
        if os.path.exists(self.path):
            os.unlink(self.path)

    def come_back(self):
        self.listen()
        self.read()

    def find(self, **fields):
        """The entries with these values so far."""
        assert self.failed is None, self.failed
        return [e for e in list(self.entries) if all(
            e.get(k) == (v if isinstance(v, bytes) else v.encode()) for k, v in fields.items())]

    def gets(self, limit=30, **fields):
        """Waits for an entry with these values; the first."""
        return wait_for(f"an entry with {fields}", lambda: self.find(**fields), limit)[0]

    def says(self, text, limit=30):
        """Waits for a message with this text in it; its entry."""
        text = text if isinstance(text, bytes) else text.encode()
        return wait_for(f"a message with {text}", lambda: [e for e in self.find()
            if text in e["MESSAGE"]], limit)[0]

    def close(self):
        if self.socket.fileno() >= 0:
            self.vanish()
        assert self.failed is None, self.failed
