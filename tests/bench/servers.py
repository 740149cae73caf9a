"""servers - our server, the stock one and beanstalkd under the same load; how
late a scheduled job comes; and a server with a million jobs waiting.

SPDX-License-Identifier: ISC
"""
import datetime
import json
import os
import statistics
import subprocess
import tempfile
import time

from peers import Failed, Process, free_port, listening, wait_for
from processes import own_pss_mb, ticks
from rig import Rig

# What is asked of the load generator, the figure that is compared, and the
# ratio that was promised (of rates; for times there is no promise).
SERVER_ROWS = [
    ("cycle, 10 connections", ["--mode", "cycle", "--connections", "10"], "rate", 2.0),
    ("cycle, 100 connections", ["--mode", "cycle", "--connections", "100"], "rate", 3.0),
    ("PUSHB by 1000, 4 connections", ["--mode", "pushb", "--connections", "4"], "rate", None),
    ("PUSH, 1 connection", ["--mode", "latency", "--connections", "1"], "times", None),
    ("PUSH, 10 connections", ["--mode", "latency", "--connections", "10"], "times", None),
    ("PUSH to waiting FETCH", ["--mode", "wake", "--connections", "1"], "times", None),
]
BEANSTALK = {"cycle, 10 connections": 10, "cycle, 100 connections": 100}
SCHEDULED, SPACING = 500, 0.005  # jobs, and seconds from one due time to the next
LATEST = 60    # seconds after which a scheduled job is lost
EARLY_MS = 1  # `at` is cut to microseconds
SCHEDULED_ROW = "scheduled, late by, p99 ms"
FEW = 1000
LOAD_SECONDS = 50  # the most that the load generator takes
BACKLOG = {
    "Pss": "%s jobs wait, Pss MB",
    "start": "%s jobs wait, restart to answering, s",
    "cpu": "%s jobs wait, server CPU a job, ms",
}


def grouped(n):
    return format(n, ",")


def percentile(figures, part):
    ordered = sorted(figures)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


class Servers(Rig):
    def pair(self):
        """Each row on one server and then at once on the other."""
        for row, arguments, kind, _ in SERVER_ROWS:
            for who in ("ours", "stock"):
                if not self.has(who):
                    continue
                got = self.on_server(who, lambda server, _: self.load(
                    server, "--seconds", str(self.seconds), *arguments))
                if kind == "rate":
                    self.note(row, who, got["rate"])
                else:
                    self.note(row + ", p50 ms", who, got["p50_ms"])
                    self.note(row + ", p99 ms", who, got["p99_ms"])
            if row in BEANSTALK and self.has("beanstalkd"):
                self.note(row, "beanstalkd", self.beanstalk(BEANSTALK[row]))
        for who in ("ours", "stock"):
            if self.has(who):
                self.note(SCHEDULED_ROW, who, self.on_server(who, self.lateness))

    def beanstalk(self, connections):
        """With every write synced, as ours and the stock server promise."""
        with tempfile.TemporaryDirectory(prefix="faktotum-") as directory:
            port = free_port()
            server = Process([self.borrowed["beanstalkd"], "-l", "127.0.0.1", "-p", str(port),
                              "-b", directory, "-f0"], os.path.join(directory, "log"))
            try:
                wait_for(lambda: port in listening(server.pid), 30, "beanstalkd to listen")
                done = subprocess.run(
                    [os.path.join(self.build, "bench", "beanstalk_load"), str(port),
                     str(connections), str(self.seconds)],
                    capture_output=True, text=True, timeout=90)
                if done.returncode != 0:
                    raise Failed("beanstalkd: " + done.stderr.strip())
                return json.loads(done.stdout)["rate"]
            finally:
                server.kill()

    def lateness(self, server, _):
        """From the time in `at` to the delivery at a FETCH that waits."""
        due, late = {}, []
        with server.wire() as producer, server.wire(wid="bench-lateness") as worker:
            first = time.time() + 1
            for i in range(SCHEDULED):
                at = first + i * SPACING
                jid = "scheduled-%06d" % i
                text = datetime.datetime.fromtimestamp(at, datetime.timezone.utc).isoformat()
                due[jid] = at
                producer("PUSH", {"jid": jid, "jobtype": "t", "args": [], "queue": "late", "at": text})
            end = time.monotonic() + LATEST
            while due:
                job = worker("FETCH", "late")
                if job is None and time.monotonic() > end:
                    raise Failed("%d of %d scheduled jobs did not come" % (len(due), SCHEDULED))
                if job is None:
                    continue
                now, jid = time.time(), json.loads(job)["jid"]
                if jid not in due:
                    raise Failed("%s came twice, or was never scheduled" % jid)
                late.append((now - due.pop(jid)) * 1e3)
                if late[-1] < -EARLY_MS:
                    raise Failed("%s came %.0f ms before its time" % (jid, -late[-1]))
                worker("ACK", {"jid": jid})
        return percentile(late, 0.99)

    # ---- A backlog ----

    def backlogs(self):
        for count in (FEW, self.backlog):
            self.on_server("ours", lambda server, _: self.waiting(server, count))

    def waiting(self, server, count):
        """Resident memory, a restart, and what a job costs while so many wait."""
        name = grouped(count)
        self.load(server, "--mode", "pushb", "--connections", "4", "--ops", str(count),
                  "--seconds", str(LOAD_SECONDS))
        with server.wire() as wire:
            waiting = wire.info()["queues"]["bench"]
        if waiting < count:
            raise Failed("%d of %d jobs wait" % (waiting, count))
        costs = []
        for _ in range(3):
            before = ticks(server.process.pid)
            got = self.load(server, "--mode", "cycle", "--connections", "10", "--queue", "busy",
                            "--seconds", str(self.seconds))
            used = (ticks(server.process.pid) - before) / os.sysconf("SC_CLK_TCK")
            costs.append(used * 1e3 / (got["rate"] * self.seconds))
        self.note(BACKLOG["cpu"] % name, "ours", statistics.median(costs))
        self.note(BACKLOG["start"] % name, "ours", self.restart(server, waiting))
        self.note(BACKLOG["Pss"] % name, "ours", own_pss_mb(server.process.pid))

    def restart(self, server, waiting):
        """Seconds from a stop to an answer, with all that waited."""
        if server.process.stop() != 0:
            raise Failed("the server's exit status: %d" % server.process.child.returncode)
        for _ in range(5):
            began = time.monotonic()
            if server.launch():
                break
            server.port = free_port()  # somebody else has taken the one it had
        else:
            raise Failed("the server ended:\n" + server.process.said())
        with server.wire() as wire:
            took = time.monotonic() - began
            kept = wire.info()["queues"].get("bench", 0)
        if kept != waiting:
            raise Failed("%d of %d jobs are left after a restart" % (kept, waiting))
        return took
