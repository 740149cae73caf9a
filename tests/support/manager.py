"""manager - a fake of systemd's end of NOTIFY_SOCKET.

SPDX-License-Identifier: ISC
"""
import re
import socket

from support.waiting import wait_for


class Manager:
    """A fake of systemd's end of NOTIFY_SOCKET."""

    def __init__(self, path):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)
        self.heard = []

    def listen(self):
        while True:
            try:
                self.heard += self.socket.recv(4096).decode().splitlines()
            except BlockingIOError:
                return self.heard

    def count(self, line):
        return self.listen().count(line)

    def says_status(self, pattern, limit=30):
        """The newest STATUS fits."""
        def newest():
            found = [l for l in self.listen() if l.startswith("STATUS=")]
            return found and re.search(pattern, found[-1])
        return wait_for(f"STATUS {pattern}", newest, limit)

    def says(self, front, limit=30):
        return wait_for(f"{front} from the program",
            lambda: [l for l in self.listen() if l.startswith(front)], limit)

    def close(self):
        self.socket.close()
