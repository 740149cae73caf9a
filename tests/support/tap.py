"""tap - between a worker and its server: hears every line, may meddle.

Requests are recorded as they pass, and once more when the server has answered:
only then has what they ask for happened. A rule sees each reply with the request
that it answers and may let it pass, replace it, or cut the connection instead,
which is how an ACK is lost on the way back. What `withholds` names
does not get as far as the server, and is answered as by a full disk.

SPDX-License-Identifier: ISC
"""
import json
import socket
import threading
import time

CUT = object()
REFUSED = b"-ERR not written to disk: disk is full\r\n"


def as_stock(text):
    """The request as a stock server reads it: it passes over what it does not know."""
    verb, _, argument = text.partition(" ")
    if verb == "FAIL":
        members = json.loads(argument)
        for name in ("retry", "retry_in"):
            members.pop(name, None)
        argument = json.dumps(members)
    return f"{verb} {argument}".rstrip(" ").encode() + b"\r\n"


def plain_hi(hi):
    """The greeting without the names of extensions."""
    members = json.loads(hi[4:])
    members.pop("x", None)
    return b"+HI " + json.dumps(members).encode() + b"\r\n"


class Connection:
    """One worker connection and its twin to the server, two threads."""

    def __init__(self, tap, worker, number):
        self.tap, self.worker, self.number = tap, worker, number
        self.server = socket.create_connection(("127.0.0.1", tap.server_port), 30)
        self.server.settimeout(None)
        for s in (self.worker, self.server):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.asked = []
        self.more = threading.Condition()
        self.threads = [threading.Thread(target=f, daemon=True)
            for f in (self.forward, self.backward)]
        for t in self.threads:
            t.start()

    def cut(self):
        for s in (self.worker, self.server):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def forward(self):
        try:
            for line in self.worker.makefile("rb"):
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                self.tap.open.wait()
                ask = b"INFO\r\n" if self.tap.withholds(text) else None  # has a reply, too
                with self.more:
                    self.asked.append(REFUSED if ask else text)
                    self.more.notify()
                self.tap.heard(self.number, text)
                self.server.sendall(ask or (as_stock(text) if self.tap.stock else line))
        except OSError:
            pass
        self.cut()

    def reply(self, file):
        """One reply's bytes, b"" at the end."""
        line = file.readline()
        if line[:1] == b"$" and line[1:3] != b"-1":
            return line + file.read(int(line[1:]) + 2)
        if line[:1] == b"*":
            return line + b"".join(self.reply(file) for _ in range(int(line[1:])))
        return line

    def backward(self):
        file = self.server.makefile("rb")
        try:
            hi = self.reply(file)  # it answers nothing
            self.tap.open.wait()
            self.worker.sendall(plain_hi(hi) if self.tap.stock else hi)
            while True:
                reply = self.reply(file)
                if not reply:
                    break
                with self.more:
                    while not self.asked:
                        self.more.wait()
                    request = self.asked.pop(0)
                if request is REFUSED:
                    reply = REFUSED
                else:
                    self.tap.answered(request)
                    reply = self.tap.decide(self.number, request, reply)
                self.tap.open.wait()
                if reply is CUT:
                    break
                self.worker.sendall(reply)
        except OSError:
            pass
        self.cut()


class Tap:
    def __init__(self, server_port):
        self.server_port = server_port
        self.requests = []   # (monotonic time, connection number, line)
        self.answers = []    # the lines that the server has answered, told or not
        self.stock = False   # hide from each end what a stock server does not have
        self.withholds = lambda line: False
        self.rule = None     # (connection number, request, reply) -> reply or CUT
        self.open = threading.Event()  # clear: nothing passes, and nobody hears of it
        self.open.set()
        self.connections = []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def url(self):
        return f"tcp://127.0.0.1:{self.port}"

    def accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            try:
                self.connections.append(Connection(self, s, len(self.connections)))
            except OSError:
                s.close()

    def heard(self, number, line):
        with self.lock:
            self.requests.append((time.monotonic(), number, line))

    def answered(self, line):
        with self.lock:
            self.answers.append(line)

    def decide(self, number, request, reply):
        rule = self.rule
        return reply if rule is None else rule(number, request, reply)

    def lines(self, verb):
        """The arguments of every such request so far."""
        with self.lock:
            return [line[len(verb) + 1:] for _, _, line in self.requests
                if line == verb or line.startswith(verb + " ")]

    def fetches(self):
        """Each question for jobs: how many of them, and a list of queues; a
        queue's limit stands behind a colon."""
        with self.lock:
            words = [line.split() for _, _, line in self.requests
                if line.startswith(("FETCH ", "FETCHB "))]
        return [(int(w[1]), w[2:]) if w[0] == "FETCHB" else (1, w[1:]) for w in words]

    def open_questions(self):
        """How many questions for jobs the server has not answered yet. Those of
        connections that were lost count for ever."""
        with self.lock:
            return sum(line.startswith(("FETCH ", "FETCHB ")) for _, _, line in
                self.requests) - sum(line.startswith(("FETCH ", "FETCHB ")) for line in
                self.answers)

    def sent(self, verb):
        """The arguments of every such request so far, parsed."""
        return [json.loads(arg) for arg in self.lines(verb)]

    def done(self, verb):
        """Those that the server has answered, parsed."""
        with self.lock:
            return [json.loads(line[len(verb) + 1:]) for line in self.answers
                if line.startswith(verb + " ")]

    def about(self, verb, jid):
        return [d for d in self.sent(verb) if d.get("jid") == jid]

    def wid(self):
        return self.sent("HELLO")[-1]["wid"]

    def cut(self):
        """Every connection of this moment."""
        for c in list(self.connections):
            c.cut()

    def close(self):
        self.open.set()
        self.listener.close()
        self.cut()
