"""client - a plain Faktory client over one socket, for tests.

Replies are what they are on the wire: str for +text, ServerError for -text
(returned, not raised), bytes for a bulk string, None for a null, a list of
replies for an array.

SPDX-License-Identifier: ISC
"""
import hashlib
import itertools
import json
import os
import socket

from support.waiting import SLOW, ceiling

numbers = itertools.count(1)


class ServerError(Exception):
    """The text after '-'; `code` is its first word."""

    @property
    def text(self):
        return self.args[0]

    @property
    def code(self):
        return self.text.split(" ", 1)[0]


def new_job(jobtype="t", *args, **fields):
    """A job with a jid of its own; fields=None leaves one out."""
    job = {"jid": f"job-{os.getpid():x}-{next(numbers):06d}", "jobtype": jobtype,
        "args": list(args), "queue": "default", "retry": 25}
    job.update(fields)
    return {k: v for k, v in job.items() if v is not None}


def hash_password(password, salt, iterations):
    digest = (password + salt).encode()
    for _ in range(iterations):
        digest = hashlib.sha256(digest).digest()
    return digest.hex()


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


class Client:
    def __init__(self, port, hello=True, password=None, limit=60, receive=None, tls=None,
            **fields):
        """tls: an ssl.SSLContext."""
        self.socket = socket.socket()
        if receive is not None:  # a small window, before it is agreed upon
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
            # The other end's buffer is as many segments: small ones keep it small.
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        self.socket.settimeout(limit * SLOW)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="127.0.0.1")
        self.file = self.socket.makefile("rb")
        self.greeting = None
        if hello is not None:
            self.greet()
        if hello:
            answer = self.hello(password, **fields)
            if answer != "OK":
                self.close()
                raise answer if isinstance(answer, Exception) else \
                    AssertionError(f"HELLO was answered {answer!r}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    # ---- bytes ----

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def line(self):
        """One line without CRLF; EOFError when the server closed."""
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError(f"the connection ended after {line!r}")
        return line[:-2]

    def reply(self):
        line = self.line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return ServerError(rest.decode("utf-8", "replace"))
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        assert kind == b"$", line
        if rest == b"-1":
            return None
        body = self.file.read(int(rest) + 2)
        if len(body) != int(rest) + 2:
            raise EOFError("the connection ended within a bulk string")
        assert body.endswith(b"\r\n"), body[-10:]
        return body[:-2]

    def call(self, line):
        self.send((line if isinstance(line, bytes) else line.encode()) + b"\r\n")
        return self.reply()

    def closed(self, limit=30):
        """Whether the server closes without another byte within the limit."""
        self.socket.settimeout(ceiling(limit))
        try:
            return self.file.read(1) == b""
        except ConnectionResetError:
            return True
        except (TimeoutError, socket.timeout):
            return False

    def ok(self, line):
        answer = self.call(line)
        if isinstance(answer, ServerError):
            raise answer
        assert answer == "OK", answer

    def error(self, line):
        """The text of the error that this line must be answered with."""
        answer = self.call(line)
        assert isinstance(answer, ServerError), f"{line!r}: {answer!r}"
        return answer.text

    # ---- the protocol ----

    def greet(self):
        word = self.reply()
        if isinstance(word, ServerError):
            raise word
        assert word.startswith("HI "), word
        self.greeting = json.loads(word[3:])

    def hello(self, password=None, **fields):
        fields.setdefault("v", 2)
        if password is not None:
            fields.setdefault("pwdhash", hash_password(password,
                self.greeting.get("s", ""), self.greeting.get("i", 1)))
        return self.call("HELLO " + compact({k: v for k, v in fields.items() if v is not None}))

    def push(self, job=None, **fields):
        """Pushes; returns the job as it was pushed."""
        job = job if job is not None else new_job(**fields)
        self.ok("PUSH " + compact(job))
        return job

    def pushb(self, jobs):
        answer = self.call("PUSHB " + compact(jobs))
        if isinstance(answer, ServerError):
            raise answer
        return json.loads(answer)

    def fetch_raw(self, *queues):
        answer = self.call("FETCH " + " ".join(queues or ("default",)))
        if isinstance(answer, ServerError):
            raise answer
        return answer

    def fetch(self, *queues):
        raw = self.fetch_raw(*queues)
        return None if raw is None else json.loads(raw)

    def fetch_many(self, jobs, *queues):
        """The jobs of one FETCHB, in order; [] when there was none."""
        answer = self.call("FETCHB %d %s" % (jobs, " ".join(queues or ("default",))))
        if isinstance(answer, ServerError):
            raise answer
        assert answer is None or answer, answer
        return [json.loads(raw) for raw in answer or []]

    def ack(self, jid):
        self.ok("ACK " + compact({"jid": jid}))

    def fail(self, jid, errtype="E", message="m", backtrace=None):
        fields = {"jid": jid, "errtype": errtype, "message": message}
        if backtrace is not None:
            fields["backtrace"] = backtrace
        self.ok("FAIL " + compact(fields))

    def beat(self, wid, **fields):
        answer = self.call("BEAT " + compact(dict(fields, wid=wid)))
        return json.loads(answer) if isinstance(answer, bytes) else answer

    def info(self):
        answer = self.call("INFO")
        if isinstance(answer, ServerError):
            raise answer
        return json.loads(answer)

    def faktory(self):
        return self.info()["faktory"]

    def sets(self):
        return self.faktory()["sets"]

    def size(self, queue="default"):
        return self.faktory()["queues"].get(queue, 0)

    def mutate(self, cmd, target, **filter):
        fields = {"cmd": cmd, "target": target}
        if filter:
            fields["filter"] = filter
        self.ok("MUTATE " + compact(fields))
