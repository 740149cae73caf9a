"""rig - a fresh server for each measurement, the load generator, the samples.

SPDX-License-Identifier: ISC
"""
import json
import os
import subprocess
import tempfile

from peers import Failed, OurServer, StockServer

CONCURRENCY = 20
GO_WORKER, NODE_WORKER, PYTHON_WORKER = "Go worker", "Node worker", "Python worker"


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
        done = subprocess.run(
            [os.path.join(self.build, "bench", "load"), "--port", str(server.port), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout)
        if done.returncode != 0:
            raise Failed("%s: %s" % (server.name, done.stderr.strip()))
        return json.loads(done.stdout)

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
