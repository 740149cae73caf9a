"""redis - a real redis-server on a socket of its own, and a way to slow it.

SPDX-License-Identifier: ISC
"""
import shutil
import socket
import threading
from pathlib import Path

import pytest

from support.program import Program
from support.waiting import SLOW, wait_for

LIMIT = 60  # seconds for one answer


class Redis:
    """Started empty, without a file; call("LPUSH", "q:a", b"...")."""

    def __init__(self, scratch):
        found = shutil.which("redis-server")
        if not found:
            pytest.skip("redis-server is not installed (contrib/install-deps test)")
        self.scratch = Path(scratch)
        self.scratch.mkdir()
        self.path = self.scratch / "redis.sock"
        self.program = Program([found, "--port", "0", "--unixsocket", self.path, "--dir",
            self.scratch, "--save", "", "--appendonly", "no"], self.scratch / "redis.log")
        wait_for("redis to answer", self.answers, 60)

    def answers(self):
        assert self.program.alive(), self.program.output()
        try:
            return self.call("PING") == "PONG"
        except OSError:
            return False

    def connect(self):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(LIMIT * SLOW)
        s.connect(str(self.path))
        return s

    def calls(self, *commands):
        """All of them over one connection, sent ahead; the last answer."""
        with self.connect() as s, s.makefile("rb") as f:
            for begin in range(0, len(commands), 500):
                part = commands[begin:begin + 500]
                s.sendall(b"".join(request(c) for c in part))
                answers = [reply(f) for _ in part]
        return answers[-1]

    def call(self, *words):
        return self.calls(words)

    def close(self):
        self.program.kill9()


def request(words):
    words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def reply(f):
    line = f.readline()
    kind, rest = line[:1], line[1:].strip()
    assert kind != b"-", rest
    if kind == b"$":
        return None if rest == b"-1" else f.read(int(rest) + 2)[:-2]
    if kind == b"*":
        return [reply(f) for _ in range(int(rest))]
    return int(rest) if kind == b":" else rest.decode()


class Valve:
    """Stands between a program and a Redis, at 127.0.0.1:port. After so many
    bytes of answers it calls then(), once; a false answer shuts it: what was
    passed on stays, and nothing follows until close()."""

    def __init__(self, redis, after, then):
        self.redis, self.left, self.then = redis, after, then
        self.reached = threading.Event()
        self.shut = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        near, _ = self.listener.accept()
        far = self.redis.connect()
        threading.Thread(target=self.carry, args=(near, far), daemon=True).start()
        while data := far.recv(65536):
            self.left -= len(data)
            if self.left < 0 and not self.reached.is_set():
                go_on = self.then()
                self.reached.set()
                if not go_on:
                    self.shut.wait()
                    break
            near.sendall(data)
        for s in (near, far):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # its peer was faster
            s.close()

    @staticmethod
    def carry(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass

    def close(self):
        self.shut.set()
        self.listener.close()
