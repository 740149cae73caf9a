# broken - peers with one mistake each, for the self-tests of the rigs: what a
# rig says of them is what it would say of a program that has become so.
#
# A Liar stands before a server, or before a worker, as a Relay does, and
# speaks for it; what it does not lie about it passes on.
#
# SPDX-License-Identifier: ISC
import hashlib
import json
import os
import re
import sys
import threading
import time

from peers import LONG, Between, despair

OK = b"+OK\r\n"
NOTHING = b"$-1\r\n"


def packed(value):
    """Without spaces, at which a client may split the line."""
    return json.dumps(value, separators=(",", ":")).encode()


def one_reply(file):
    line = file.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionError("the server closed the connection")
    if line[:1] == b"$" and line != NOTHING:
        return line + file.read(int(line[1:]) + 2)
    if line[:1] == b"*":
        return line + b"".join(one_reply(file) for _ in range(int(line[1:])))
    return line


class Talk:
    """One connection: what was said by the client can be asked of the server."""

    def __init__(self, near, far):
        self.near, self.far = near, far
        self.replies = far.makefile("rb")
        self.hi = None  # what the greeting says

    def ask(self, line):
        self.far.sendall(line)
        return one_reply(self.replies)


class Liar(Between):
    """Passes everything on; those below do not."""

    def __init__(self, to_port, password=None):
        self.password = password
        self.since = None
        self.changed = threading.Condition()
        super().__init__(to_port)

    def in_vain(self):
        """From now on it makes no sense to wait for what the rig wants."""
        self.since = self.since or time.monotonic()

    def greets(self, hi):
        return hi

    def answer(self, talk, verb, line):
        return talk.ask(line)

    def converse(self, near, far):
        talk = Talk(near, far)
        try:
            hi = one_reply(talk.replies)
            talk.hi = json.loads(hi[len("+HI "):])
            near.sendall(self.greets(hi))
            for line in near.makefile("rb"):
                verb = line.split(b" ", 1)[0].strip().decode()
                near.sendall(self.answer(talk, verb, line))
        except (OSError, ValueError):
            pass  # one of the two has gone


def instead(verbs, reply=None, about=b"", waits=True):
    """A liar who answers these verbs himself, when the line has `about` in it;
    waits: a test that was met by it waits in vain."""
    class Instead(Liar):
        def answer(self, talk, verb, line):
            if verb not in verbs or about not in line:
                return talk.ask(line)
            if waits:
                self.in_vain()
            return reply or (b"$2\r\n{}\r\n" if verb == "PUSHB" else OK)
    return Instead


class LetsAnybodyIn(Liar):
    def answer(self, talk, verb, line):
        if verb != "HELLO" or "s" not in talk.hi:
            return talk.ask(line)
        digest = (self.password + talk.hi["s"]).encode()
        for _ in range(talk.hi["i"]):
            digest = hashlib.sha256(digest).digest()
        hello = json.loads(line[len("HELLO "):])
        if hello.get("pwdhash") != digest.hex():
            self.in_vain()
        hello["pwdhash"] = digest.hex()
        return talk.ask(b"HELLO " + packed(hello) + b"\r\n")


class ChangesAnArgument(Liar):
    """The 2.5 that all clients push."""

    def answer(self, talk, verb, line):
        reply = talk.ask(line)
        return re.sub(rb"\b2\.5(?=\s*,\s*9007)", b"3.5", reply) if verb == "FETCH" else reply


class GivesAnothersJob(Liar):
    def answer(self, talk, verb, line):
        reply = talk.ask(line)
        return reply.replace(b'"jid":"b', b'"jid":"c') if verb == "FETCH" else reply


class DoesNotWait(Liar):
    """A scheduled job is in its queue at once."""

    def answer(self, talk, verb, line):
        return talk.ask(re.sub(rb',"at":"[^"]*"', b"", line) if verb == "PUSH" else line)


class GivesTwice(Liar):
    """The first job once more when it was settled; the others come after that,
    so that a rig cannot be done before."""

    first = b""   # its reply
    jid = None
    again = False
    settled = 0
    kept = ()     # replies that have to wait

    def greets(self, hi):
        """With no extensions: one job at a time."""
        more = {k: v for k, v in json.loads(hi[len("+HI "):]).items() if k != "x"}
        return b"+HI " + packed(more) + b"\r\n"

    def answer(self, talk, verb, line):
        if verb == "FETCH":
            return self.fetch(talk, line)
        reply = talk.ask(line)
        if verb in ("ACK", "FAIL") and self.jid and self.jid in line:
            with self.changed:
                self.settled += 1
                self.changed.notify_all()
        return reply

    def fetch(self, talk, line):
        with self.changed:
            if self.kept and self.settled >= 2:
                reply, *self.kept = self.kept
                return reply
        reply = talk.ask(line)
        with self.changed:
            if not self.first and reply != NOTHING:
                self.first = reply
                self.jid = json.loads(reply.split(b"\r\n", 1)[1])["jid"].encode()
                return reply
            if not self.first or reply == NOTHING and not self.settled:
                return reply
            self.changed.wait_for(lambda: self.settled, LONG)
            if not self.again:
                self.again = True
                self.kept = [] if reply == NOTHING else [reply]
                # As if it had come into its queue again: our supervisor would
                # see that it has the outcome of the very same.
                return re.sub(rb'("enqueued_at":")2', rb"\g<1>1", self.first)
            if reply != NOTHING:
                self.changed.wait_for(lambda: self.settled >= 2, LONG)
        return reply


class DeafToQuiet(Liar):
    """Before a worker: it never hears what the server answers to its beats."""

    def answer(self, talk, verb, line):
        reply = talk.ask(line)
        if verb != "BEAT" or b'"state"' not in reply:
            return reply
        self.in_vain()
        return OK


class FetchesWhenQuiet(Liar):
    """Before a worker: it hears, and after some beats it asks for a job before
    each of them."""

    heard = 0

    def answer(self, talk, verb, line):
        if verb == "BEAT" and self.heard >= 4:
            talk.ask(b"FETCH default\r\n")
        reply = talk.ask(line)
        self.heard += verb == "BEAT" and b'"quiet"' in reply
        return reply


# Of a server.
LIES = {
    "forgets a push": instead(("PUSH", "PUSHB")),
    "forgets one job of many": instead(("PUSH",), about=b"moving-queued-007", waits=False),
    "forgets what a job asks for": instead(("PUSH", "PUSHB"), about=b'"second"'),
    "keeps what was acknowledged": instead(("ACK",)),
    "ignores FAIL": instead(("FAIL",)),
    "forgets a release": instead(("RELEASE",)),
    "has no jobs": instead(("FETCH", "FETCHB"), NOTHING),
    "gives a job twice": GivesTwice,
    "gives another's job": GivesAnothersJob,
    "does not wait": DoesNotWait,
    "changes an argument": ChangesAnArgument,
    "lets anybody in": LetsAnybodyIn,
}
# Of a worker.
DEEDS = {
    "is deaf to quiet": DeafToQuiet,
    "fetches when quiet": FetchesWhenQuiet,
}


def lying(kind, liar):
    """A kind of server that everybody reaches through a liar."""
    class Lying(kind):
        def start(self):
            super().start()
            self.front = liar(self.port, self.password)
            self.port = self.front.port
            despair.since = lambda: self.front.since
            return self
    return Lying


def put_before(stage, liar):
    """Whatever the stage starts reaches its server through a liar."""
    start = stage.process

    def process(argv, FAKTORY_URL, **environment):
        front = stage.closes(liar(int(FAKTORY_URL.rpartition(":")[2])))
        despair.since = lambda: front.since
        return start(argv, FAKTORY_URL="tcp://127.0.0.1:%d" % front.port, **environment)
    stage.process = process


IMPORT = """#!%s
import os, sqlite3, subprocess, sys
if sys.argv[1] != "import":
    os.execv(%r, [%r, *sys.argv[1:]])
status = subprocess.run([%r, *sys.argv[1:]]).returncode
if status == 0:
    db = sqlite3.connect(sys.argv[sys.argv.index("--data") + 1] + "/faktotum.db")
    if db.execute(%r).rowcount != 1:
        sys.exit("nothing to break")
    db.commit()
sys.exit(status)
"""


def import_that(stage, does):
    """Our server's `import` with a change to the rows behind it."""
    program = stage.path("import")
    with open(program, "w") as f:
        f.write(IMPORT % (sys.executable, stage.ours, stage.ours, stage.ours, does))
    os.chmod(program, 0o755)
    stage.ours = program


def spoil(stage, mistake):
    """Breaks what a test on this stage will meet, by the name of the mistake."""
    if mistake in LIES:
        stage.kind = lying(stage.kind, LIES[mistake])
    elif mistake in DEEDS:
        put_before(stage, DEEDS[mistake])
    elif mistake == "loses a job in the import":
        import_that(stage, "DELETE FROM jobs WHERE jid = 'moving-queued-007'")
    elif mistake == "changes a job in the import":
        import_that(stage, "UPDATE jobs SET payload = replace(payload, '9007199254740991', '7')"
                           " WHERE jid = 'moving-queued-007'")
    elif mistake == "believes any certificate":
        stage.believes = True
    else:
        raise KeyError(mistake)
