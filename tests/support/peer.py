"""peer - a scripted end of the wire: a server that does what a test says.

Two ways to use it. Word by word:

    with Peer() as peer:
        talk = peer.accept()            # greeted, HELLO read and answered
        talk.expect("BEAT")             # -> the argument as text
        talk.send(b"+OK\\r\\n")
        talk.reset()                    # RST instead of a farewell

or as a small server of its own, which a test then disturbs:

    with Peer() as peer:
        peer.serve()
        peer.jobs.append({"jid": "j-000001", "jobtype": "t", "args": []})
        peer.wait(lambda: peer.acks == ["j-000001"])

Only loopback, only the standard library.

SPDX-License-Identifier: ISC
"""
import collections
import hashlib
import json
import select
import socket
import ssl
import struct
import threading
import time

from support.waiting import ceiling

LIMIT = 60  # seconds before a wait has failed


class Talk:
    """One conversation, from the server's side."""

    def __init__(self, sock):
        self.sock = sock
        self.file = sock.makefile("rb")
        self.hello = None

    def send(self, data):
        self.sock.sendall(data)

    def ok(self):
        self.send(b"+OK\r\n")

    def error(self, text):
        self.send(b"-ERR " + text.encode() + b"\r\n")

    def null(self):
        self.send(b"$-1\r\n")

    def bulk(self, value):
        data = value if isinstance(value, bytes) else json.dumps(
            value, separators=(",", ":")).encode()
        self.send(b"$%d\r\n%s\r\n" % (len(data), data))

    def read(self):
        """The next command as (verb, argument), or None at the end."""
        line = self.file.readline()
        if not line.endswith(b"\n"):
            return None
        verb, _, arg = line.rstrip(b"\r\n").decode().partition(" ")
        return verb, arg

    def expect(self, verb):
        command = self.read()
        assert command is not None, f"expected {verb}, the peer hung up"
        assert command[0] == verb, f"expected {verb}, got {command}"
        return command[1]

    def ended(self):
        """Whether the other side has closed; reads what is left."""
        try:
            return self.file.read() == b""
        except OSError:
            return True

    def is_gone(self):
        """Whether the other side has closed, as far as that is seen without reading."""
        if isinstance(self.sock, ssl.SSLSocket):
            return False
        now = select.poll()
        now.register(self.sock, select.POLLIN)
        try:
            return bool(now.poll(0)) and self.sock.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.file.close()
        self.sock.close()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
            struct.pack("ii", 1, 0))
        self.file.close()
        self.sock.close()


def password_hash(password, salt, rounds):
    digest = hashlib.sha256((password + salt).encode()).digest()
    for _ in range(rounds - 1):
        digest = hashlib.sha256(digest).digest()
    return digest.hex()


class Peer:
    def __init__(self, password=None, port=0, tls=None):
        """tls: an ssl.SSLContext; a test may put another in its place."""
        self.password = password
        self.tls = tls
        self.listener = socket.create_server(("127.0.0.1", port))
        self.listener.settimeout(LIMIT)
        self.port = self.listener.getsockname()[1]
        self.url = f"tcp{'+tls' if tls else ''}://127.0.0.1:{self.port}"

        # What serve() hands out, and what it has heard.
        self.jobs = collections.deque()
        self.beat_replies = collections.deque()  # each: bytes, once
        # Each: bytes, None (hang up), or b"" (answer nothing any more).
        self.ack_replies = collections.deque()
        self.push_replies = collections.deque()  # likewise, of PUSH and PUSHB
        self.told = []           # (verb, argument) of all that settles or pushes
        self.lines = []          # those that push, as they came
        self.pushes = []         # jobs of every PUSH and PUSHB that was accepted
        self.extensions = []     # what HI names
        self.acks, self.fails, self.beats, self.releases = [], [], [], []
        self.fetches, self.hellos, self.ends = [], [], 0
        self.greetings = 0
        self.refusals = []  # handshakes that failed: ssl.SSLError
        self.talks = []
        self.changed = threading.Condition()
        self.stopping = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.listener.close()
        for talk in list(self.talks):
            talk.close()
        with self.changed:
            self.changed.notify_all()

    # ---- word by word ----

    def accept_raw(self):
        sock, _ = self.listener.accept()
        sock.settimeout(LIMIT)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            sock = self._secure(sock)
        talk = Talk(sock)
        self.talks.append(talk)
        return talk

    def _secure(self, sock):
        try:
            return self.tls.wrap_socket(sock, server_side=True)
        except OSError as e:
            with self.changed:
                self.refusals.append(e)
                self.changed.notify_all()
            sock.close()
            raise

    def greet(self, talk):
        """HI, HELLO, OK; False for a wrong password."""
        self.greetings += 1
        salt, rounds = "5f3a", 10
        if self.password is None:
            hi = {"v": 2, "x": self.extensions} if self.extensions else {"v": 2}
            talk.send(b"+HI " + json.dumps(hi).encode() + b"\r\n")
        else:
            talk.send(b'+HI {"v":2,"i":%d,"s":"%s"}\r\n' % (rounds, salt.encode()))
        talk.hello = json.loads(talk.expect("HELLO"))
        if self.password is not None and talk.hello.get("pwdhash") != \
                password_hash(self.password, salt, rounds):
            talk.error("Invalid password")
            talk.close()
            return False
        self.hellos.append(talk.hello)
        talk.ok()
        return True

    def accept(self):
        talk = self.accept_raw()
        assert self.greet(talk), "the password was wrong"
        return talk

    # ---- as a server ----

    def serve(self):
        threading.Thread(target=self._listen, daemon=True).start()

    def wait(self, condition, what="the peer", limit=LIMIT):
        end = time.monotonic() + ceiling(limit)
        with self.changed:
            while not condition():
                left = end - time.monotonic()
                assert left > 0, f"gave up waiting for {what}"
                self.changed.wait(min(left, 0.1))

    def hang_up_all(self):
        """Closes every conversation, as a server that is killed does."""
        talks, self.talks = self.talks, []
        for talk in talks:
            talk.close()

    def _listen(self):
        while not self.stopping:
            try:
                talk = self.accept_raw()
            except OSError:
                continue
            threading.Thread(target=self._converse, args=(talk,),
                daemon=True).start()

    def _converse(self, talk):
        try:
            if not self.greet(talk):
                return
            while True:
                command = talk.read()
                if command is None or not self._answer(talk, *command):
                    break
        except (OSError, ValueError, AssertionError):
            pass
        finally:
            try:
                talk.close()
            except OSError:
                pass
            with self.changed:
                self.changed.notify_all()

    def _answer(self, talk, verb, arg):
        """Answers one command; False ends the conversation."""
        if verb == "FETCH":
            return self._fetch(talk, arg)
        reply = b"+OK\r\n"
        with self.changed:
            if verb == "BEAT":
                self.beats.append(json.loads(arg))
                if self.beat_replies:
                    reply = self.beat_replies.popleft()
            elif verb in ("PUSH", "PUSHB"):
                self.lines.append(f"{verb} {arg}")
                reply = self._push(verb, json.loads(arg))
            elif verb in ("ACK", "FAIL", "RELEASE"):
                self.told.append((verb, json.loads(arg)))
                if self.ack_replies:
                    reply = self.ack_replies.popleft()
                if reply == b"+OK\r\n":
                    self._settle(verb, json.loads(arg))
            elif verb == "END":
                self.ends += 1
                reply = None
            else:
                reply = b"-ERR unknown command " + verb.encode() + b"\r\n"
            self.changed.notify_all()
        if reply is None:
            return False
        if reply == b"":  # nor is anything behind it
            while talk.read() is not None:
                pass
            return False
        talk.send(reply)
        return True

    def _settle(self, verb, value):
        if verb == "ACK":
            self.acks.append(value["jid"])
        elif verb == "FAIL":
            self.fails.append(value)
        else:
            self.releases.append(value["jid"])

    def _push(self, verb, value):
        self.told.append((verb, value))
        if self.push_replies:
            return self.push_replies.popleft()
        self.pushes += value if verb == "PUSHB" else [value]
        return b"$2\r\n{}\r\n" if verb == "PUSHB" else b"+OK\r\n"

    def verbs(self):
        """What was told, in order: ["PUSHB", "ACK"]."""
        return [verb for verb, _ in self.told]

    def _fetch(self, talk, arg):
        end = time.monotonic() + 2
        with self.changed:
            self.fetches.append(arg)
            self.changed.notify_all()
            while not self.jobs and time.monotonic() < end and not self.stopping:
                self.changed.wait(min(0.05, max(0, end - time.monotonic())))
            if talk.is_gone():  # it would take a job along
                return False
            job = self.jobs.popleft() if self.jobs else None
        if job is None:
            talk.null()
        else:
            try:
                talk.bulk(job)
            except (OSError, ValueError):
                self.jobs.appendleft(job)  # nobody has it
                raise
        return True
