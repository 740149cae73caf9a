"""babble - whole conversations with the server, some of it sense, by a seed.

Many connections at once; commands that are right, nearly right, cut, glued
together, sent in pieces between those of others; ends in the middle, resets.
What comes back must be replies, and no more of them than there were lines.

SPDX-License-Identifier: ISC
"""
import random
import select
import socket
import struct

from support.client import compact

CONNECTIONS = 24
VERBS = ("PUSH", "PUSHB", "FETCH", "FETCHB", "ACK", "FAIL", "RELEASE", "RESULT", "CANCEL",
    "BEAT", "INFO", "MUTATE", "QUEUE", "WORKER", "TRACK", "BATCH", "HELLO", "END", "FLUSH", "NOTHING", "",
    "HELD")
WORDS = ("default", "low", "*", "PAUSE", "RESUME", "LATENCY", "REMOVE", "retries", "dead",
    "scheduled", "requeue", "discard", "clear", "kill", "-1", "0", "18446744073709551616",
    "2100-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "\u00e4\u2603", "x" * 300, "\\u0000", "")


class Reply:
    """Takes replies apart as they come; fails on what is none."""

    def __init__(self):
        self.data, self.seen = b"", 0
        self.parts = 0  # of an array, still to come

    def feed(self, data):
        self.data += data
        while b"\r\n" in self.data:
            line, rest = self.data.split(b"\r\n", 1)
            kinds = (b"$",) if self.parts else (b"+", b"-", b"$", b"*")
            assert line[:1] in kinds, f"not a reply: {line[:100]!r}"
            if line[:1] == b"*":
                self.parts, self.data = int(line[1:]), rest
                assert 1 <= self.parts <= 16
                continue
            if line[:1] == b"$" and line != b"$-1":
                n = int(line[1:])
                if len(rest) < n + 2:
                    return
                assert rest[n:n + 2] == b"\r\n", f"a bulk that ends in {rest[n:n + 2]!r}"
                rest = rest[n + 2:]
            self.data = rest
            self.parts = max(0, self.parts - 1)
            self.seen += self.parts == 0


class Voice:
    """One connection."""

    def __init__(self, babble):
        self.babble, r = babble, babble.random
        self.socket = socket.create_connection(("127.0.0.1", babble.port), 60)
        self.socket.setblocking(False)
        self.unsent = b""
        self.lines, self.reply = 1, Reply()  # the greeting comes unasked
        if r.random() < .9:
            hello = {"v": r.choice([2, 2, 2, 3, 1])}
            if r.random() < .6:
                hello["wid"] = f"babble-{r.randrange(8)}"
            self.say("HELLO " + compact(hello))

    def say(self, line):
        self.unsent += line.encode("utf-8", "surrogatepass") + self.babble.random.choice(
            [b"\r\n", b"\r\n", b"\r\n", b"\n"])

    def send(self):
        """Some of what is to be said; False: the other side is gone."""
        n = self.babble.random.randrange(1, len(self.unsent) + 1)
        try:
            n = self.socket.send(self.unsent[:n])
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.lines += self.unsent[:n].count(b"\n")
        self.unsent = self.unsent[n:]
        return True

    def hear(self):
        """False: it has ended."""
        try:
            data = self.socket.recv(1 << 16)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.reply.feed(data)
        assert self.reply.seen <= self.lines, f"{self.reply.seen} replies to {self.lines} lines"
        return data != b""

    def close(self):
        if self.babble.random.random() < .5:  # as one that crashes
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class Babble:
    def __init__(self, port, seed):
        self.port, self.random, self.voices = port, random.Random(seed), []
        self.jids = [f"babble-{i:06d}" for i in range(60)]
        self.said = self.ended = self.replies = 0

    # ---- what is said ----

    def value(self, depth=0):
        r = self.random
        kinds = [lambda: r.choice(WORDS), lambda: r.randrange(-2, 100), lambda: None,
            lambda: True, lambda: r.choice(self.jids), lambda: 1.5e300]
        if depth < 3:
            kinds += [lambda: [self.value(depth + 1) for _ in range(r.randrange(4))],
                lambda: {r.choice(WORDS): self.value(depth + 1) for _ in range(r.randrange(4))}]
        return r.choice(kinds)()

    def job(self):
        r = self.random
        job = {"jid": r.choice(self.jids), "jobtype": "t", "args": [self.value()],
            "queue": r.choice(["default", "low"]), "retry": r.choice([25, 0, -1, 2])}
        if r.random() < .2:
            job[r.choice(["at", "reserve_for", "custom", "queue", "jid", "args", "retry",
                "backtrace", "created_at", "failure"])] = self.value()
        return job

    def argument(self, verb):
        r = self.random
        if verb == "PUSH":
            return compact(self.job())
        if verb == "PUSHB":
            return compact([self.job() for _ in range(r.randrange(5))])
        if verb in ("FETCH", "QUEUE"):
            return " ".join(r.choice(WORDS[:7]) for _ in range(r.randrange(4)))
        if verb == "FETCHB":
            names = [r.choice(WORDS[:7]) + r.choice(["", "", ":1", ":3", ":0", ":x"])
                for _ in range(r.randrange(4))]
            return " ".join([str(r.choice([1, 2, 5, 16, 17, 0]))] + names)
        if verb in ("ACK", "FAIL", "RELEASE", "RESULT", "CANCEL"):
            more = {r.choice(["retry", "retry_in", "message", "errtype", "backtrace", "result",
                "wid"]): self.value() for _ in range(r.randrange(3))}
            return compact(dict(more, jid=r.choice(self.jids)))
        if verb == "HELD":
            return compact({"jids": r.choice([r.sample(self.jids, r.randrange(40)), self.value()])})
        if verb == "BEAT":
            return compact({"wid": f"babble-{r.randrange(8)}", "rss_kb": self.value()})
        if verb == "MUTATE":
            return compact({"cmd": r.choice(WORDS[10:14]), "target": r.choice(WORDS[7:10]),
                "filter": r.choice([None, {"jids": r.sample(self.jids, 3)}, {"regexp": "*a*"}])})
        if verb in ("INFO", "END", "FLUSH"):
            return ""
        return compact(self.value())

    def line(self):
        r = self.random
        verb = r.choices(VERBS, [26, 5, 6, 3, 8, 8, 5, 3, 5, 5, 4, 4, 4, 3, 1, 1, 1, .3, .2, 1, 1,
            3])[0]
        text = (verb + " " + self.argument(verb)).rstrip(" ")
        if r.random() < .12 and text:  # nearly right
            at = r.randrange(len(text))
            text = r.choice([text[:at], text[:at] + chr(r.randrange(1, 256)) + text[at + 1:],
                text[:at] + text[at:] * 2, text.lower(), " " + text, text[:at] + "\x00" + text[at:]])
            text = text.replace("\n", " ")
        return text

    # ---- how it is said ----

    def step(self):
        r = self.random
        while len(self.voices) < CONNECTIONS:
            self.voices.append(Voice(self))
        voice = r.choice(self.voices)
        for _ in range(r.choice([1, 1, 1, 3, 20])):
            if len(voice.unsent) < 1 << 16:
                voice.say(self.line())
                self.said += 1
        going = voice.send() if voice.unsent else True
        if not going or r.random() < .01:
            self.end(voice)
        self.hear_all()

    def hear_all(self):
        """Waits a moment, so that the server has its turn as well."""
        ready, _, _ = select.select([v.socket for v in self.voices], [], [], 0.002)
        for voice in [v for v in self.voices if v.socket in ready]:
            if not voice.hear():
                self.end(voice)

    def end(self, voice):
        self.replies += voice.reply.seen
        self.ended += 1
        voice.close()
        self.voices.remove(voice)

    def close(self):
        for voice in list(self.voices):
            self.end(voice)
