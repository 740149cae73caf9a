"""resources - too many connections, no descriptors, no processes, no memory.

SPDX-License-Identifier: ISC
"""
import os
import resource
import socket
import subprocess
from pathlib import Path

from fault.rows import Skip, row
from fault.scene import cpu_share
from support.account import reserved
from support.waiting import wait_for

SPIN = 0.6      # of a processor: more than this for nothing is a busy loop
HANGERS_ON = 1900


# ---- connections ----

class Crowd:
    """Connections that do nothing, half of something, or do not read."""

    def __init__(self, port):
        self.port, self.sockets = port, []

    def idle(self):
        self.sockets.append(self.greeted())

    def greeted(self):
        s = socket.create_connection(("127.0.0.1", self.port), 60)
        s.sendall(b'HELLO {"v":2}\r\n')
        return s

    def half_sent(self):
        s = self.greeted()
        s.sendall(b'PUSH {"jid":"half-sent-0001","jobtype":"work","args":["' + b"x" * 500)
        self.sockets.append(s)

    def slow(self):
        """Asks a lot and takes no answer."""
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(60)
        s.connect(("127.0.0.1", self.port))
        s.sendall(b'HELLO {"v":2}\r\n')
        s.setblocking(False)
        try:
            s.sendall(b"INFO\r\n" * 400)
        except BlockingIOError:
            pass
        self.sockets.append(s)

    def gather(self, n):
        kinds = (self.idle, self.half_sent, self.idle, self.half_sent, self.slow)
        for i in range(n):
            kinds[i % len(kinds)]()

    def close(self):
        for s in self.sockets:
            s.close()
        self.sockets = []


@row("crowd", "jobs go on beside 1,900 connections that hang about; all others are told why not")
def crowd(new):
    scene = new.under_load()
    them = new.also_close(Crowd(scene.server.port))
    them.gather(HANGERS_ON)
    scene.more(60, limit=120)
    with scene.server.client() as c:
        there = c.info()["server"]["connections"]
        # The ceiling holds, and is told before any greeting.
        refused, extra = "", []
        for _ in range(300):
            s = socket.create_connection(("127.0.0.1", scene.server.port), 60)
            extra.append(s)
            word = s.recv(100)
            if word.startswith(b"-ERR"):
                refused = word.decode().strip()
                break
        for s in extra:
            s.close()
    scene.more(20, limit=120)
    them.close()
    scene.more(20)
    wrong = [] if there >= HANGERS_ON else [f"only {there} connections were there"]
    if "too many connections" not in refused:
        wrong.append(f"the 2,001st heard {refused!r}")
    return scene.finish(f"{there} connections, the last heard: {refused}", wrong)


# ---- descriptors ----

def descriptors_run_out(program, spare):
    """Returns what puts the limit back."""
    old = resource.prlimit(program.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(program.pid, resource.RLIMIT_NOFILE, (program.descriptors() + spare, old[1]))
    return lambda: resource.prlimit(program.pid, resource.RLIMIT_NOFILE, old)


@row("descriptors-server", "who is connected goes on, the loop does not spin, others wait and come in")
def descriptors_server(new):
    scene = new.under_load()
    raise_again = descriptors_run_out(scene.server.program, 2)
    crowd_of_idle = [socket.create_connection(("127.0.0.1", scene.server.port), 60)
        for _ in range(10)]
    scene.wait("the server to say that it has none left",
        lambda: "no descriptor left" in scene.server.program.output())
    scene.more(30, "those who are connected to go on")
    for p in scene.producers:
        p.pause.set()
    share = cpu_share(scene.server.program.pid)
    for p in scene.producers:
        p.pause.clear()
    for s in crowd_of_idle:
        s.close()
    raise_again()
    with scene.server.client() as c:
        c.info()
    scene.more(30)
    return scene.finish(f"{100 * share:.0f} % of a processor while it had none",
        [f"it spins: {share:.2f} of a processor"] if share > SPIN else [])


@row("descriptors-supervisor", "it lives, beats, reports failures as its own, and works when raised")
def descriptors_supervisor(new):
    scene = new.under_load()
    raise_again = descriptors_run_out(scene.supervisor.program, 1)
    scene.wait("a program that cannot be started", lambda:
        os.strerror(24) in scene.supervisor.output(), 60)
    for p in scene.producers:
        p.pause.set()
    share = cpu_share(scene.supervisor.pid)
    for p in scene.producers:
        p.pause.clear()
    raise_again()
    scene.more(30)
    return scene.finish(f"{100 * share:.0f} % of a processor while it had none",
        [f"it spins: {share:.2f} of a processor"] if share > SPIN else [])


# ---- processes ----

def other_user():
    """A uid that nobody has, since RLIMIT_NPROC counts a user's processes."""
    if os.getuid() != 0:
        raise Skip("only root can start a program as a user that has no other process")
    return 900_000 + os.getpid() % 90_000


def limit_processes(uid, pid, soft):
    """As the same user, which needs no privilege."""
    done = subprocess.run(["prlimit", "--pid", str(pid), f"--nproc={soft}"],
        user=uid, group=uid, extra_groups=[], capture_output=True, text=True)
    if done.returncode != 0:
        raise Skip(f"prlimit: {done.stderr.strip()}")


@row("fork-EAGAIN", "jobs fail as unavailable and come again; it lives, and works when raised")
def fork_eagain(new):
    uid = other_user()
    for place in new.scratch.parents:
        if not place.stat().st_mode & 0o001:
            raise Skip(f"{place} cannot be entered by others")
    new.scratch.chmod(0o755)
    scene = new.scene()
    home = new.scratch / "home"
    home.mkdir()
    os.chown(home, uid, uid)
    scene.settings["control"]["socket"] = str(home / "control")
    def become():
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    scene.supervise(before=become)
    scene.produce()
    scene.more(20)
    pid = scene.supervisor.pid
    limit_processes(uid, pid, "1:")
    scene.wait("a fork that fails", lambda: os.strerror(11) in scene.supervisor.output(), 60)
    limit_processes(uid, pid, "5000:")
    scene.more(30)
    n = scene.supervisor.output().count(os.strerror(11))
    return scene.finish(f"{n} lines of the log say: {os.strerror(11)}")


# ---- memory ----

class MemoryGroup:
    """A control group of version 1 or 2 with a limit."""

    def __init__(self, name, limit):
        self.path = None
        for root, file in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
                ("/sys/fs/cgroup", "memory.max")):
            path = Path(root) / f"faktotum-fault-{os.getpid()}-{name}"
            try:
                path.mkdir()
            except OSError:
                continue
            if (path / file).exists():
                self.path, self.file = path, path / file
                try:
                    self.file.write_text(str(limit))
                    return
                except OSError:
                    pass
            path.rmdir()
        raise Skip("no memory cgroup that we can write to")

    def add(self, pid):
        (self.path / "cgroup.procs").write_text(str(pid))

    def kills(self):
        for name in ("memory.oom_control", "memory.events"):
            try:
                words = (self.path / name).read_text().split()
                return int(words[words.index("oom_kill") + 1])
            except (OSError, ValueError):
                pass
        return 0

    def close(self):
        # What was killed may take a moment to leave.
        wait_for("the control group to be empty",
            lambda: not (self.path / "cgroup.procs").read_text().strip(), 20)
        self.path.rmdir()


@row("OOM-server", "what was acknowledged is there when it is started again")
def oom_server(new):
    """Killed by the kernel for its memory, in the middle of its work."""
    group = new.also_close(MemoryGroup("server", 64 << 20))
    scene = new.scene(before=lambda: group.add(os.getpid()))
    scene.supervise()
    scene.produce()
    scene.more(30)
    hogs = []
    def hog():
        """A long command that is not finished: it waits in a buffer."""
        s = socket.create_connection(("127.0.0.1", scene.server.port), 30)
        hogs.append(s)
        s.settimeout(5)
        try:
            s.sendall(b'HELLO {"v":2}\r\nPUSH {"jid":"hog-00000001","args":["' + b"x" * (40 << 20))
        except OSError:
            pass
    for _ in range(4):
        if scene.server.program.alive():
            hog()
    wait_for("the kernel to kill it", lambda: not scene.server.program.alive(), 60)
    status = scene.server.program.wait()
    scene.server.program.sent.add(9)
    for s in hogs:
        s.close()
    scene.allowed |= reserved(scene.server)
    killed = group.kills()
    scene.server.start()
    scene.more(30)
    wrong = [] if status == -9 else [f"it ended with {status}, not by the kernel's KILL"]
    return scene.finish(f"killed by the kernel ({killed} in its group), started again", wrong)


@row("OOM-program", "the job of the program that took it fails, all others go on")
def oom_program(new):
    group = new.also_close(MemoryGroup("supervisor", 96 << 20))
    scene = new.scene()
    hog = new.scratch / "hog"
    hog.write_text('#!/usr/bin/perl\nmy $x = "x" x (300 << 20);\nsleep 60;\n')
    hog.chmod(0o755)
    scene.jobs["hog"] = {"exec": [str(hog)], "input": "none"}
    scene.supervise(before=lambda: group.add(os.getpid()))
    scene.produce()
    scene.more(20)
    with scene.server.client() as c:
        c.push(jobtype="hog", retry=-1)
        scene.wait("the hog to be dead", lambda: c.sets()["dead"] == 1, 120)
        c.mutate("clear", "dead")
    scene.more(20)
    return scene.finish(f"{group.kills()} killed by the kernel",
        [] if group.kills() else ["the kernel killed nobody"])
