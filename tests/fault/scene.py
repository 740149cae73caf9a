"""scene - a server, a supervisor, producers, and troubles between them.

Each row of the fault rig has one of its own: free ports, a scratch directory,
a record of executions. A row starts the load, makes its trouble, heals it, and
calls finish(), which waits until everything has ended and draws up the account.

SPDX-License-Identifier: ISC
"""
import os
import signal
import time
from pathlib import Path

from support.account import Account, Record, reserved, settle
from support.load import Producer
from support.orders import Orders
from support.proxy import Proxy
from support.server import Server
from support.shim import Shim
from support.supervisor import Supervisor, script
from support.waiting import SLOW, wait_for

SETTLE = 150     # seconds until everything must have ended
STRANDED = 4     # seconds after which a job that nobody has is on no wire either
SLOTS = 8


class Outcome:
    """A row's line of the table."""

    def __init__(self, happened, account, wrong=()):
        self.happened, self.account = happened, account
        self.wrong = account.complaints() + list(wrong)


class Scene:
    """`broken` is what the rig's own tests break: a name that the parts below
    know. settings are the supervisor's."""

    def __init__(self, scratch, seed=1, broken=None, server_config=None, data=None,
            before=lambda: None, reserve_for=60, **settings):
        self.scratch, self.broken = Path(scratch), broken
        self.data = Path(data) if data else self.scratch / "server" / "data"
        self.shim = Shim(self.scratch, self.data)
        self.record = Record(self.scratch / "executions")
        self.server = Server(self.scratch / "server", config=server_config, data=self.data,
            env=self.shim.env, before=before)
        self.front = Proxy(self.server.port, seed)      # producers' way
        self.back = Proxy(self.server.port, seed + 1)   # the supervisor's
        if broken == "forgets a push":
            self.front.swallow = 8
        self.front.harmless = self.back.harmless = broken == "no trouble"
        if broken == "gives a job twice":
            self.back.repeat = 5
        self.settings = {"concurrency": SLOTS, "log": {"level": "info"},
            "control": {"socket": str(self.scratch / "control")},
            # What fails for want of something must not be held against a program.
            "defaults": {"breaker": {"failures": "off", "unavailable": "off"}}}
        self.settings.update(settings)
        self.reserve_for, self.jobs = reserve_for, {}
        self.producers, self.allowed = [], set()
        self.stranded, self.came_back = (set(), 0), 0
        self.supervisor = None

    # ---- the load ----

    def handler(self, text):
        line = self.record.line
        if self.broken == "runs a job twice":
            line += '; echo "$FAKTORY_JID again-$FAKTORY_DISPATCH_ID" >>' + str(self.record.path)
        return script(self.scratch, "work", text.format(record=line))

    def supervise(self, env=None, text="{record}", before=lambda: None):
        """text: of the handler, in which {record} makes the record."""
        self.jobs["work"] = {"exec": [self.handler(text)], "input": "none"}
        self.supervisor = Supervisor(self.scratch, self.back.url,
            dict(self.settings, jobs=self.jobs), env=env, before=before)
        self.orders = Orders(self.settings["control"]["socket"])
        return self.supervisor

    def produce(self, count=3, port=None, **fields):
        fields.setdefault("reserve_for", self.reserve_for)
        for _ in range(count):
            p = Producer(port or self.front.port, "work", **fields)
            p.start()
            self.producers.append(p)

    def acknowledged(self):
        return sum(len(p.acknowledged) for p in self.producers)

    def ran(self):
        return self.record.count()

    def more(self, n=40, what="jobs to be pushed and run", limit=90):
        """Waits until so many more were acknowledged, and run."""
        pushed, ran = self.acknowledged() + n, self.ran() + n
        wait_for(what, lambda: self.look() and self.acknowledged() >= pushed
            and self.ran() >= ran, limit)

    def more_runs(self, n=20, what="jobs to be run", limit=90):
        ran = self.ran() + n
        wait_for(what, lambda: self.look() and self.ran() >= ran, limit)

    def look(self):
        """Both programs must be alive; returns True."""
        for program in (self.server.program, self.supervisor.program):
            assert program.alive(), f"{program.argv[0]} has ended\n{program.output()[-3000:]}"
        return True

    def wait(self, what, condition, limit=60):
        return wait_for(what, lambda: self.look() and condition(), limit)

    @staticmethod
    def last(seconds):
        """A trouble that is nothing but this long."""
        time.sleep(seconds)

    # ---- the end ----

    def is_idle(self):
        """Whether the supervisor has no job and no outcome to tell."""
        s = self.orders.supervisor()
        return s["beating"] and s["busy"] == s["held"] == s["unconfirmed"] == 0

    def nudge(self, facts):
        """A job that left the server and never arrived comes back when its
        reservation ends. Nobody has it, so time may as well go by at once."""
        waiting = facts["total_enqueued"] or facts["sets"]["retries"]
        held = reserved(self.server) if not waiting and self.is_idle() else set()
        now = time.monotonic()
        if not held or held != self.stranded[0]:
            self.stranded = held, now
        elif now - self.stranded[1] > STRANDED:
            self.came_back += len(held)
            self.stranded = set(), now
            self.shim.pass_time(self.reserve_for + 1)

    def finish(self, happened, wrong=(), at_once=False):
        """at_once: no job may have waited for the end of its reservation."""
        for p in self.producers:
            p.stop()
        stuck = settle(self.server, self.supervisor, SETTLE * SLOW, self.nudge)
        account = Account(self.record.executions(), self.producers, self.allowed)
        wrong = list(wrong) + ([stuck] if stuck else [])
        if self.came_back:
            happened += f"; {self.came_back} came back by expiry"
        if self.came_back and at_once:
            wrong.append(f"{self.came_back} jobs whose answer was lost came back by expiry alone")
        return Outcome(happened, account, wrong)

    def close(self):
        """Stops everything; faults that only show now are faults too."""
        for p in self.producers:
            p.stopping.set()
        faults = []
        for thing in (self.supervisor, self.front, self.back, self.server, self.shim):
            try:
                if thing is not None:
                    thing.close()
            except (AssertionError, OSError) as e:
                faults.append(f"at the end: {str(e)[-1500:]}")
        return faults


class New:
    """Makes a row's scene, in its scratch directory; `broken`: see Scene."""

    def __init__(self, scratch, broken=None, seed=1):
        self.scratch, self.broken, self.seed = Path(scratch), broken, seed
        self.scenes, self.others = [], []

    def also_close(self, thing):
        """After the scene, at the end of the row."""
        self.others.append(thing)
        return thing

    def scene(self, **more):
        scene = Scene(self.scratch, seed=self.seed, broken=self.broken, **more)
        self.scenes.append(scene)
        return scene

    def under_load(self, **more):
        """With jobs on their way already, for the trouble to meet."""
        scene = self.scene(**more)
        scene.supervise()
        scene.produce()
        scene.more(20)
        if self.broken == "the server ends":
            scene.server.program.signal(signal.SIGKILL)
        return scene

    def close(self):
        faults = [fault for scene in self.scenes for fault in scene.close()]
        for thing in self.others:
            try:
                thing.close()
            except (AssertionError, OSError) as e:
                faults.append(f"at the end: {e}")
        return faults


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="utf8") as f:
        words = f.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def cpu_share(pid, seconds=3):
    """How much of one processor a program takes just now."""
    before, began = cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_seconds(pid) - before) / (time.monotonic() - began)
