"""bus - a message bus with a service manager on it, as a test wants it to be.

One peer that speaks enough of D-Bus for a client that asks for transient
units: it takes a connection for the bus, and answers in the manager's name.

SPDX-License-Identifier: ISC
"""
import os
import socket
import struct
import threading
from pathlib import Path

CALL, RETURN, ERROR, SIGNAL = 1, 2, 3, 4
PATH, INTERFACE, MEMBER, ERROR_NAME, REPLY_SERIAL, DESTINATION, SENDER, SIGNATURE = range(1, 9)
SIZES = {"y": (1, "<B"), "u": (4, "<I"), "i": (4, "<i"), "b": (4, "<I"), "t": (8, "<Q")}
ALIGN = {"s": 4, "o": 4, "g": 1, "a": 4, "v": 1, "(": 8}
ME, MANAGER = ":1.1", "org.freedesktop.systemd1"


def first_type(signature):
    """The first complete type of a signature, and the rest."""
    if signature[0] == "a":
        inner, rest = first_type(signature[1:])
        return "a" + inner, rest
    if signature[0] != "(":
        return signature[0], signature[1:]
    depth = 0
    for i, c in enumerate(signature):
        depth += (c == "(") - (c == ")")
        if depth == 0:
            return signature[:i + 1], signature[i + 1:]
    raise ValueError(signature)


class Reader:
    """Values out of little-endian bytes."""

    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def align(self, n):
        self.at = (self.at + n - 1) // n * n

    def number(self, kind):
        size, form = SIZES[kind]
        self.align(size)
        self.at += size
        return struct.unpack_from(form, self.data, self.at - size)[0]

    def text(self, length):
        self.at += length + 1
        return self.data[self.at - length - 1:self.at - 1].decode()

    def value(self, kind):
        if kind in SIZES:
            return self.number(kind)
        if kind in ("s", "o"):
            return self.text(self.number("u"))
        if kind == "g":
            return self.text(self.number("y"))
        if kind == "v":
            return self.value(self.value("g"))
        if kind[0] == "(":
            self.align(8)
            return self.values(kind[1:-1])
        end, found = self.number("u"), []
        inner = kind[1:]
        self.align(SIZES[inner][0] if inner in SIZES else ALIGN[inner[0]])
        end += self.at
        while self.at < end:
            found.append(self.value(inner))
        return found

    def values(self, signature):
        found = []
        while signature:
            kind, signature = first_type(signature)
            found.append(self.value(kind))
        return found


def pad(data, n):
    return data + bytes(-len(data) % n)


def text(value):
    value = value.encode()
    return struct.pack("<I", len(value)) + value + b"\0"


def body_of(signature, values):
    out = b""
    for kind, value in zip(signature, values):
        out = pad(out, 4)
        out += struct.pack("<I", value) if kind == "u" else text(value)
    return out


def message(kind, serial, fields, signature="", values=()):
    body = body_of(signature, values)
    if signature:
        fields = {**fields, SIGNATURE: signature}
    head = b""
    for code, value in fields.items():
        form = {PATH: "o", REPLY_SERIAL: "u", SIGNATURE: "g"}.get(code, "s")
        head = pad(head, 8) + bytes([code, 1]) + form.encode() + b"\0"
        if form == "u":
            head += struct.pack("<I", value)
        elif form == "g":
            head += bytes([len(value)]) + value.encode() + b"\0"
        else:
            head += text(value)
    start = struct.pack("<BBBBIII", ord("l"), kind, 0, 1, len(body), serial, len(head))
    return pad(start + head, 8) + body


class Bus:
    """
    mode: "done" makes the units that it is asked for, "refuses" answers with an
    error, "hangs" with nothing, "fails" lets the job of the unit fail, "empty"
    says that it is done and has moved nobody, "exists" refuses the first
    request for its name. `groups`: the folder of cgroup v2 where units are made.
    """

    def __init__(self, path, mode="done", groups=None):
        self.mode, self.groups = mode, groups
        self.asked = []  # (unit, {property: value})
        self.address = f"unix:path={path}"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(64)
        self.open = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(peer)
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        try:
            rest = self.let_in(peer)
            self.talk(peer, rest)
        except (OSError, EOFError):
            pass
        self.open.remove(peer)
        peer.close()

    @staticmethod
    def more(peer, data):
        got = peer.recv(65536)
        if not got:
            raise EOFError
        return data + got

    def let_in(self, peer):
        """The conversation before the first message; returns what came of that."""
        data = b""
        while True:
            while b"\r\n" not in data:
                data = self.more(peer, data)
            line, data = data.split(b"\r\n", 1)
            words = line.lstrip(b"\0").split()
            if words[0] == b"BEGIN":
                return data
            if words[0] == b"AUTH" and len(words) < 3:
                peer.sendall(b"DATA\r\n")
            elif words[0] == b"NEGOTIATE_UNIX_FD":
                peer.sendall(b"AGREE_UNIX_FD\r\n")
            else:
                peer.sendall(b"OK 0123456789abcdef0123456789abcdef\r\n")

    def talk(self, peer, data):
        while True:
            while len(data) < 16:
                data = self.more(peer, data)
            body, serial, head = struct.unpack_from("<III", data, 4)
            start = (16 + head + 7) // 8 * 8
            while len(data) < start + body:
                data = self.more(peer, data)
            fields = dict(Reader(data[:start], 12).value("a(yv)"))
            kind, content, data = data[1], data[start:start + body], data[start + body:]
            if kind == CALL:
                arguments = Reader(content).values(fields.get(SIGNATURE, ""))
                self.answer(peer, serial, fields[MEMBER], arguments)

    def reply(self, peer, serial, signature="", values=(), sender=MANAGER):
        peer.sendall(message(RETURN, 1, {REPLY_SERIAL: serial, SENDER: sender, DESTINATION: ME},
            signature, values))

    def answer(self, peer, serial, member, arguments):
        if member == "Hello":
            self.reply(peer, serial, "s", [ME], "org.freedesktop.DBus")
        elif member == "AddMatch":
            self.reply(peer, serial, sender="org.freedesktop.DBus")
        elif self.mode == "hangs":
            pass
        elif member == "Ping":
            self.reply(peer, serial)
        elif member == "StartTransientUnit":
            self.start(peer, serial, arguments)

    def refuse(self, peer, serial, name, words):
        peer.sendall(message(ERROR, 1, {REPLY_SERIAL: serial, SENDER: MANAGER, DESTINATION: ME,
            ERROR_NAME: name}, "s", [words]))

    def start(self, peer, serial, arguments):
        unit, properties = arguments[0], dict(arguments[2])
        self.asked.append((unit, properties))
        if self.mode == "refuses":
            return self.refuse(peer, serial, "org.freedesktop.DBus.Error.AccessDenied",
                "Permission denied by the test")
        if self.mode == "exists" and len(self.asked) == 1:
            return self.refuse(peer, serial, f"{MANAGER}.UnitExists", f"Unit {unit} was there")
        self.reply(peer, serial, "o", ["/org/freedesktop/systemd1/job/7"])
        if self.mode in ("done", "exists"):
            place = Path(self.groups) / unit
            place.mkdir()
            for pid in properties["PIDs"]:
                (place / "cgroup.procs").write_text(str(pid))
        for other, result in (("other.scope", "failed"),
                (unit, "failed" if self.mode == "fails" else "done")):
            peer.sendall(message(SIGNAL, 2, {PATH: "/org/freedesktop/systemd1",
                INTERFACE: f"{MANAGER}.Manager", MEMBER: "JobRemoved", SENDER: MANAGER},
                "uoss", [7, "/org/freedesktop/systemd1/job/7", other, result]))
        return None

    def leave(self):
        """Nobody listens any more. A thread in accept() would keep the socket."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def close(self):
        if self.listener.fileno() >= 0:
            self.leave()
        for peer in list(self.open):
            try:
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for unit, _ in self.asked:
            if self.groups and os.path.isdir(f"{self.groups}/{unit}"):
                os.rmdir(f"{self.groups}/{unit}")
