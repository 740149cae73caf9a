"""proxy - in the path between a client and a server, and no help to either.

    proxy = Proxy(server.port)
    proxy.delay = (0, 0.3)         # seconds, drawn for each piece of data
    proxy.chunk = 1                # bytes for each write
    proxy.cut_replies = 0.05       # share of replies that end in the middle
    proxy.halve()                  # connections of now: nothing passes, no FIN
    proxy.stall(); proxy.resume()  # all connections: nothing passes for a while

One thread with a loop of its own. What it did is counted in `did`; what it may
do is drawn from a seed. Lines and replies are told apart only where a rule
looks at them; without rules bytes pass as they come.

SPDX-License-Identifier: ISC
"""
import asyncio
import collections
import random
import socket
import threading

LIMIT = 1 << 20  # of a line that rules look at
FETCHES = b"FETCH", b"FETCHB"


class Ended(Exception):
    """This connection is over, by a rule or by one of its ends."""


class Pair:
    """A connection and its twin to the server."""

    def __init__(self, proxy, near, far):
        self.proxy, self.near, self.far = proxy, near, far
        self.half_open = False
        self.asked = collections.deque()  # requests that wait for a reply

    async def to(self, writer, data):
        """Passes data on as the proxy's mood is."""
        p = self.proxy
        if p.delay and not p.harmless:
            p.did["delayed"] += 1
            await asyncio.sleep(p.random.uniform(*p.delay))
        await p.flows.wait()
        if self.half_open:
            p.did["withheld"] += 1
            return
        chunk = p.chunk  # may be healed meanwhile
        if chunk and len(data) > chunk:
            p.did["in pieces"] += 1
            for at in range(0, len(data), chunk):
                writer.write(data[at:at + chunk])
                await writer.drain()
            return
        writer.write(data)
        await writer.drain()

    async def cut(self, writer, data, what):
        """Some of it, at least a byte, and not all; then both ends are gone."""
        self.proxy.did[what] += 1
        writer.write(data[:self.proxy.random.randrange(1, len(data))])
        await writer.drain()
        raise Ended

    # ---- requests ----

    async def forward(self):
        reader, _ = self.near
        while line := await reader.readline():
            p = self.proxy
            verb = line.split(b" ", 1)[0].strip()
            if p.is_hit(p.cut_requests, verb):
                await self.cut(self.far[1], line, "requests cut")
            if verb == b"PUSH" and p.is_turn("PUSH", p.swallow):
                # Only for peers that wait for each answer.
                p.did["swallowed"] += 1
                self.near[1].write(b"+OK\r\n")
                await self.near[1].drain()
                continue
            # Asked here and not at an empty reply: under load no queue is ever empty.
            if verb in FETCHES and p.given and not self.asked and p.is_turn("FETCH", p.repeat):
                p.did["given again"] += 1
                await self.to(self.near[1], p.given.popleft())
                continue
            self.asked.append(verb)
            await self.to(self.far[1], line)

    # ---- replies ----

    async def one_reply(self):
        reader, _ = self.far
        line = await reader.readline()
        if line[:1] == b"$" and line[1:3] != b"-1":
            return line + await reader.readexactly(int(line[1:]) + 2)
        if line[:1] == b"*":
            return line + b"".join([await self.one_reply() for _ in range(int(line[1:]))])
        return line

    async def backward(self):
        greeting = await self.one_reply()  # it answers nothing
        await self.to(self.near[1], greeting)
        while reply := await self.one_reply():
            p = self.proxy
            verb = self.asked.popleft() if self.asked else b""
            if p.is_hit(p.cut_replies, verb):
                await self.cut(self.near[1], reply, "replies cut")
            if p.is_hit(p.drop_replies, verb):
                p.did["replies dropped"] += 1
                raise Ended
            if verb in FETCHES and p.repeat and reply[:3] != b"$-1":
                # Of several the first: whoever asks may have room for no more.
                p.given.append(reply[reply.index(b"$"):].split(b"\r\n$")[0].rstrip() + b"\r\n")
            await self.to(self.near[1], reply)

    def end(self):
        for _, writer in (self.near, self.far):
            writer.transport.abort()


class Proxy:
    def __init__(self, server_port, seed=1):
        self.server_port, self.random = server_port, random.Random(seed)
        self.did = collections.Counter()
        self.pairs = set()
        self.given = collections.deque()
        # For the rig's own tests, what a broken peer does; heal() leaves it.
        self.harmless = False     # no rule does anything
        # Counted and not drawn: it happens, however few commands there are.
        self.swallow = 0          # each so many PUSHes one is answered and dropped
        self.repeat = 0           # each so many FETCHes one is answered with an old job
        self.turns = collections.Counter()
        self.heal()
        self.started = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.main()), daemon=True)
        self.thread.start()
        assert self.started.wait(30), "the proxy did not start"

    @property
    def url(self):
        return f"tcp://127.0.0.1:{self.port}"

    def heal(self):
        """No rules; stalls and half-open connections are not its business."""
        self.delay = None         # (least, most) seconds
        self.chunk = None         # bytes for each write
        # A share, or (share, verbs): of the requests and the replies to them.
        self.cut_requests = self.cut_replies = self.drop_replies = 0

    def is_hit(self, rule, verb):
        share, verbs = rule if isinstance(rule, tuple) else (rule, None)
        return share > 0 and not self.harmless and (verbs is None or verb in verbs) and self.random.random() < share

    def is_turn(self, what, each):
        """Whether it is the turn of one in so many; 0: never."""
        if each:
            self.turns[what] += 1
        return each > 0 and self.turns[what] % each == 0

    # ---- the thread ----

    async def main(self):
        self.loop = asyncio.get_running_loop()
        self.flows, self.over = asyncio.Event(), asyncio.Event()
        self.flows.set()
        listener = await asyncio.start_server(self.accept, "127.0.0.1", 0, limit=LIMIT)
        self.port = listener.sockets[0].getsockname()[1]
        self.started.set()
        await self.over.wait()
        listener.close()
        for pair in list(self.pairs):
            pair.end()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def accept(self, reader, writer):
        try:
            far = await asyncio.open_connection("127.0.0.1", self.server_port, limit=LIMIT)
        except OSError:
            writer.transport.abort()
            return
        pair = Pair(self, (reader, writer), far)
        for _, w in (pair.near, pair.far):
            w.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pairs.add(pair)
        self.did["connections"] += 1
        ways = [asyncio.ensure_future(way()) for way in (pair.forward, pair.backward)]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            # A FIN does not pass a network that is gone.
            while pair.half_open and not self.over.is_set():
                await asyncio.sleep(0.1)
        except asyncio.CancelledError:
            pass
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        pair.end()
        self.pairs.discard(pair)

    def call(self, function):
        done = threading.Event()
        self.loop.call_soon_threadsafe(lambda: (function(), done.set()))
        assert done.wait(30), "the proxy hangs"

    # ---- from other threads ----

    def stall(self):
        self.call(self.flows.clear)

    def resume(self):
        self.call(self.flows.set)

    def halve(self):
        """Returns how many connections are now half-open."""
        def all_of_them():
            for pair in self.pairs:
                pair.half_open = True
        self.call(all_of_them)
        return len(self.pairs)

    def unhalve(self):
        """The half-open ones end, as when somebody restarts the box between."""
        def all_of_them():
            for pair in self.pairs:
                pair.half_open = False
                pair.end()
        self.call(all_of_them)

    def cut_all(self):
        self.call(lambda: [pair.end() for pair in self.pairs])

    def close(self):
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.over.set)
            self.thread.join(30)
            assert not self.thread.is_alive(), "the proxy hangs"
