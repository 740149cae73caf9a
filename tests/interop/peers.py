# peers - the programs an interop test puts together, each behind one face.
#
# A server here is a thing with start(), stop(), port, web (None when it has
# no pages) and url(); tests do not know which one they were given. Every
# process writes to a log in its scratch directory, and stop() reaps it.
#
# SPDX-License-Identifier: ISC
import hashlib
import itertools
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse
import urllib.request


# The longest that anything may take which needs no time of its own: ceilings
# are for what hangs, and a machine with other things to do is slow.
LONG = 90


class Failed(Exception):
    """A promise did not hold."""


def expect(got, want, what):
    if got != want:
        raise Failed("%s: %r, expected %r" % (what, got, want))


# Of a thread that gives the rig something broken: .since() is when what it
# waits for became impossible, or None. See broken.py.
despair = threading.local()
LAST_HOPE = 2  # seconds that a wait goes on after that


def wait_for(condition, seconds, what, despairs=True):
    """Returns the first true value of condition(); Failed after seconds."""
    began = time.monotonic()
    while True:
        value = condition()
        if value:
            return value
        since = despair.since() if despairs and hasattr(despair, "since") else None
        end = began + seconds
        if since is not None:
            end = min(end, max(began, since) + LAST_HOPE)
        if time.monotonic() > end:
            raise Failed("gave up after %g s waiting for %s" % (
                time.monotonic() - began, what))
        time.sleep(0.02)


candidates = itertools.cycle(range(20000 + os.getpid() % 8000, 32000))


def free_port():
    """Below the range from which the kernel takes ports for clients, so that
    no connection of somebody else has it when a server comes back to it, and
    never the same twice. Another program may still be faster: whoever uses it
    asks whether it got it."""
    while True:
        port = next(candidates)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def listening(pid):
    """The ports at which a process itself takes connections over IPv4."""
    mine = set()
    try:
        for name in os.listdir("/proc/%d/fd" % pid):
            mine.add(os.readlink("/proc/%d/fd/%s" % (pid, name)))
    except OSError:
        pass  # it has closed that one, or has ended
    with open("/proc/net/tcp") as f:
        rows = [line.split() for line in f][1:]
    return {int(row[1].rpartition(":")[2], 16) for row in rows
            if row[3] == "0A" and "socket:[%s]" % row[9] in mine}


def clean_environment(**extra):
    env = {k: v for k, v in os.environ.items() if not k.startswith("FAKTORY_")}
    env.update(extra)
    return env


class Process:
    """A child that logs into a file. Its own process group, so that a
    signal meant for the test run does not reach it first."""

    def __init__(self, argv, log, env=None, **popen):
        self.log = log
        with open(log, "ab") as out:
            self.child = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=env or clean_environment(), start_new_session=True, **popen)
        self.pid = self.child.pid

    def alive(self):
        return self.child.poll() is None

    def signal(self, number):
        if self.alive():
            self.child.send_signal(number)

    def wait(self, seconds):
        """The exit status; Failed when it takes longer."""
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failed("%s still runs after %g s" % (self.child.args[0], seconds))

    def stop(self, seconds=LONG):
        self.signal(signal.SIGTERM)
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed("%s ignored SIGTERM for %g s" % (self.child.args[0], seconds))

    def kill(self):
        """With all of its process group: a stock server's Redis outlives
        it otherwise."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait()

    def end(self):
        """Politely first, so that it can tidy up; without complaint."""
        try:
            self.stop(5)
        except Failed:
            pass

    def said(self):
        with open(self.log, errors="replace") as f:
            return f.read()


class Wire:
    """A producer's connection, spoken by hand: what it finds out does not
    depend on any client library."""

    def __init__(self, port, password=None, wid=None, trusted=None):
        self.socket = socket.create_connection(("127.0.0.1", port), LONG)
        if trusted:
            context = ssl.create_default_context(cafile=trusted)
            self.socket = context.wrap_socket(self.socket, server_hostname="127.0.0.1")
        self.file = self.socket.makefile("rb")
        greeting = json.loads(self.reply()[len("HI "):])
        hello = {"v": 2}
        if wid:
            hello.update(wid=wid, hostname="interop", pid=os.getpid(), labels=[])
        if "s" in greeting:
            digest = ((password or "") + greeting["s"]).encode()
            for _ in range(greeting["i"]):
                digest = hashlib.sha256(digest).digest()
            hello["pwdhash"] = digest.hex()
        expect(self("HELLO", hello), "OK", "reply to HELLO")

    def __call__(self, verb, argument=None):
        if argument is not None and not isinstance(argument, str):
            argument = json.dumps(argument, separators=(",", ":"))
        line = verb if argument is None else verb + " " + argument
        self.socket.sendall(line.encode() + b"\r\n")
        return self.reply()

    def reply(self):
        line = self.file.readline().decode()
        if not line.endswith("\r\n"):
            raise ConnectionError("the server closed the connection")
        if line[0] == "-":
            raise Failed("the server said " + line.strip())
        if line[0] != "$":
            return line[1:-2]
        size = int(line[1:])
        return None if size < 0 else self.file.read(size + 2)[:-2].decode()

    def info(self):
        return json.loads(self("INFO"))["faktory"]

    def close(self):
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Server:
    """What both servers have in common."""

    web = None

    def __init__(self, directory, password=None, tls=False):
        self.directory = directory
        self.password = password
        self.port = None
        self.process = None
        self.cert = self.key = None
        if tls:
            self.make_certificate()

    def make_certificate(self):
        """One that vouches for itself, under the names that a stock server wants."""
        place = os.path.join(self.directory, "config")
        os.makedirs(place, exist_ok=True)
        self.cert = os.path.join(place, "public.cert.pem")
        self.key = os.path.join(place, "private.key.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
             "subjectAltName=IP:127.0.0.1", "-keyout", self.key, "-out", self.cert],
            check=True, capture_output=True, timeout=60)
        os.chmod(self.key, 0o600)

    def environment(self):
        if self.password is None:
            return clean_environment()
        return clean_environment(FAKTORY_PASSWORD=self.password)

    def url(self, password=None):
        password = password or self.password
        who = ":%s@" % urllib.parse.quote(password, safe="") if password else ""
        return "%s://%s127.0.0.1:%d" % ("tcp+tls" if self.cert else "tcp", who, self.port)

    def dial(self, **how):
        return Wire(self.port, password=self.password, trusted=self.cert, **how)

    def wire(self, **how):
        """A connection. A server gives two seconds for the handshake, which a
        busy machine may miss: then once more."""
        def connected():
            try:
                return self.dial(**how)
            except OSError as trouble:
                if not self.process.alive():
                    raise Failed("the server ended:\n" + self.process.said())
                self.trouble = trouble
                return None
        return wait_for(connected, LONG, "a connection to the server", despairs=False)

    def info(self):
        with self.wire() as wire:
            return wire.info()

    def born(self, *ports):
        """Waits until this process, and no other, listens there and answers;
        false when it has given up."""
        def over():
            return self.gave_up() or set(ports) <= listening(self.process.pid)
        wait_for(over, LONG, "the server to listen", despairs=False)
        if self.gave_up():
            self.process.kill()
            return False
        self.wire().close()
        return True

    def gave_up(self):
        return not self.process.alive()

    def start(self):
        """At the port it had before. The first time, one that turns out to be
        taken is given up for another."""
        for attempt in range(5):
            again = self.port is not None
            if not again:
                self.port = free_port()
            if self.launch():
                return self
            if not again:
                self.port = None
        raise Failed("the server ended:\n" + self.process.said())

    def stop(self):
        if self.process:
            self.process.stop()

    def knows(self, wid):
        """Whether a worker of that name is connected."""
        try:
            with self.wire() as wire:
                return bool(wire("BEAT", {"wid": wid}))
        except Failed as refusal:
            if "unknown worker" in str(refusal):
                return False
            raise

    def tell(self, wid, state):
        """Makes the server answer `state` to the worker's next BEAT."""
        with self.wire() as wire:
            wire("BEAT", {"wid": wid, "current_state": state})


class OurServer(Server):
    name = "faktotum-server"
    needs = None

    def __init__(self, program, directory, password=None, tls=False):
        super().__init__(directory, password, tls)
        self.program = program

    def launch(self):
        more = []
        if self.cert:
            file = os.path.join(self.directory, "server.yaml")
            with open(file, "w") as f:
                json.dump({"tls": {"cert": self.cert, "key": self.key}}, f)  # JSON is YAML
            more = ["-c", file]
        self.process = Process(
            [self.program, "--listen", "127.0.0.1:%d" % self.port,
             "--data", os.path.join(self.directory, "data"), "--web", "off", *more],
            os.path.join(self.directory, "server.log"), self.environment())
        return self.born(self.port)


class StockServer(Server):
    name = needs = "stock"

    def __init__(self, program, directory, password=None, tls=False):
        super().__init__(directory, password, tls)
        self.program = program

    def launch(self):
        self.web = free_port()
        for sub in ("db", "config"):
            os.makedirs(os.path.join(self.directory, sub), exist_ok=True)
        log = os.path.join(self.directory, "server.log")
        self.old_words = len(read(log))
        self.process = Process(
            [self.program, "-e", "development", "-l", "info",
             "-b", "127.0.0.1:%d" % self.port, "-w", "127.0.0.1:%d" % self.web,
             "-d", os.path.join(self.directory, "db"),
             "-c", os.path.join(self.directory, "config")],
            log, self.environment())
        return self.born(self.port, self.web)

    def gave_up(self):
        """It goes on without its pages when their port is taken."""
        return super().gave_up() or "server crashed" in self.process.said()[self.old_words:]

    def info(self):
        """It gives up after a second; a busy machine may need longer."""
        def told():
            try:
                return super(StockServer, self).info()
            except Failed as refusal:
                if "deadline exceeded" not in str(refusal):
                    raise
        return wait_for(told, LONG, "an answer to INFO", despairs=False)

    def page(self, path, **form):
        request = urllib.request.Request("http://127.0.0.1:%d%s" % (self.web, path))
        if form:
            request.data = urllib.parse.urlencode(form).encode()
        with urllib.request.urlopen(request, timeout=LONG) as answer:
            return answer.read().decode()

    def tell(self, wid, state):
        self.page("/busy", wid=wid, signal=state)


class OldStockServer(StockServer):
    name = needs = "stock 1.9"


def read(path):
    try:
        with open(path, errors="replace") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def hang_up(*sockets):
    for s in sockets:
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Between:
    """Stands between clients and a server; converse(near, far) has a thread
    for each connection, and both ends hang up when it returns."""

    def __init__(self, to_port):
        self.to_port = to_port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sockets = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.to_port), LONG)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            for s in (near, far):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sockets += [near, far]
            threading.Thread(target=self.attend, args=(near, far), daemon=True).start()

    def attend(self, near, far):
        self.converse(near, far)
        hang_up(near, far)

    def close(self):
        self.listener.close()
        for s in self.sockets:
            s.close()


class Relay(Between):
    """Keeps what a worker and its server said."""

    def __init__(self, to_port):
        self.said = []  # ("worker" or "server", line), in order
        super().__init__(to_port)

    def converse(self, near, far):
        back = threading.Thread(target=self.carry, args=("server", far, near), daemon=True)
        back.start()
        self.carry("worker", near, far)
        back.join()

    def carry(self, who, source, sink):
        rest = b""
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                *lines, rest = (rest + data).split(b"\n")
                self.said += [(who, line.decode(errors="replace").strip())
                              for line in lines]
                sink.sendall(data)
        except OSError:
            pass
        hang_up(source, sink)  # the other way would wait for ever

    def lines(self, who, begins):
        return [line for w, line in list(self.said)
                if w == who and line.startswith(begins)]

    def asks_nothing(self):
        """No FETCH waits for its answer; true only while none gets a job."""
        return (len(self.lines("worker", "FETCH")) ==
                len(self.lines("server", "$-1")))

    def wid(self):
        for line in self.lines("worker", "HELLO"):
            found = re.search(r'"wid":\s*"([^"]+)"', line)
            if found:
                return found.group(1)
        return None
