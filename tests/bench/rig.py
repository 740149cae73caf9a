"""rig - a fresh server for each measurement, the load generator, the samples.

SPDX-License-Identifier: ISC
"""
import json
import os
import subprocess
import tempfile

from peers import Failed, OurServer, StockServer, wait_for

CONCURRENCY = 20
GO_WORKER, NODE_WORKER, PYTHON_WORKER = "Go worker", "Node worker", "Python worker"


AGREES_WITHIN = 10  # seconds, after which a server must count what it has answered


def accounted(server):
    """How many jobs the server has, and how many it says are done."""
    info = server.info()
    sets = info["sets"]
    there = sum(sets.get(name, 0) for name in ("working", "scheduled", "retries", "dead"))
    return there + sum(info["queues"].values()), info["total_processed"]


class Rig:
    def __init__(self, options, borrowed, samples):
        self.build = options.build_dir
        self.seconds = options.seconds
        self.jobs = options.jobs
        self.backlog = options.backlog
        self.borrowed = borrowed  # name -> argv or path, or why it is missing
        self.samples = samples    # row -> who -> figures, in order

    def has(self, name):
        return not isinstance(self.borrowed.get(name), Exception)

    def note(self, row, who, figure):
        self.samples.setdefault(row, {}).setdefault(who, []).append(figure)

    def load(self, server, *arguments, timeout=90):
        """What the load generator measured, of a server that counts the same
        jobs: each that it took is there or done, and what was acknowledged is
        done."""
        there, processed = accounted(server)
        done = subprocess.run(
            [os.path.join(self.build, "bench", "load"), "--port", str(server.port), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout)
        if done.returncode != 0:
            raise Failed("%s: %s" % (server.name, done.stderr.strip()))
        got = json.loads(done.stdout)
        settles = got["mode"] in ("cycle", "wake")
        now = None

        def agrees():
            nonlocal now
            now = accounted(server)
            if settles:
                return now == (there, processed + got["ops"])
            return sum(now) == there + processed + got["ops"]
        try:
            wait_for(agrees, AGREES_WITHIN, "the counts")
        except Failed:
            raise Failed("%s: %d jobs %s; it has %d more than before and %d more done" % (
                server.name, got["ops"], "pushed, fetched and acknowledged" if settles else "pushed",
                now[0] - there, now[1] - processed))
        return got

    def server(self, who, directory):
        if who == "stock":
            return StockServer(self.borrowed["stock"], directory).start()
        return OurServer(os.path.join(self.build, "faktotum-server"), directory).start()

    def on_server(self, who, act):
        """Gives act a fresh server and a directory; returns what it does."""
        with tempfile.TemporaryDirectory(prefix="faktotum-") as directory:
            server = self.server(who, directory)
            try:
                return act(server, directory)
            finally:
                server.process.kill()
