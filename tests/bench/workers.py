"""workers - our supervisor, a bare loop, and workers in Go, Node and Python that
start a process for each job.

SPDX-License-Identifier: ISC
"""
import json
import os
import subprocess
import time

from peers import Failed, Process, clean_environment, wait_for
from processes import (children, connections, faults_of, own_pss_mb, pss_mb, reaped_faults,
                       ticks, wakeups)
from rig import CONCURRENCY, GO_WORKER, NODE_WORKER, PYTHON_WORKER, Rig

BARE_TARGET, GO_TARGET, PSS_TARGET_MB = 0.85, 1.8, 5.0
CHILDREN, CHILDREN_PSS_MB, CONNECTIONS_MAX = 1000, 12.0, 4
FIRST_STEPS, FIRST_STEP_MORE_MS = 300, 0.5
PART_THAT_RAN = 0.7  # no two runs have quite as many page faults
IDLE_SECONDS, WAKEUPS_A_SECOND = 10, 8.0


class Workers(Rig):
    def turn(self):
        for parallel, row in ((1, "bare loop"), (CONCURRENCY, "bare loop, %d at once" % CONCURRENCY)):
            done = subprocess.run(
                [os.path.join(self.build, "bench", "bare_loop"), str(self.jobs), str(parallel)],
                stdout=subprocess.PIPE, check=True, timeout=120)
            self.note("/bin/true", row, json.loads(done.stdout)["rate"])
        self.on_server("ours", self.our_worker)
        for name, row in (("go_worker", GO_WORKER), ("node_worker", NODE_WORKER),
                          ("python_worker", PYTHON_WORKER)):
            if self.has(name):
                self.on_server("ours", lambda server, directory: self.other_worker(
                    server, directory, self.borrowed[name], row))
        self.on_server("ours", self.first_step)
        self.on_server("ours", self.many_children)

    def our_worker(self, server, directory):
        config = os.path.join(directory, "faktotum.yaml")
        with open(config, "w") as f:
            json.dump({"concurrency": CONCURRENCY, "queues": ["bench"],
                       "jobs": {"bench": {"exec": ["/bin/true"]}}}, f)  # JSON is YAML
        argv = [os.path.join(self.build, "faktotum"), "run", "-c", config]
        idle = self.worker(server, directory, argv)
        self.idle(idle, "idle Pss, MB")
        self.preload(server)
        self.note("/bin/true", "ours", self.drain(server, idle))
        self.idle(idle, "idle Pss after %d jobs, MB" % self.jobs)
        if idle.stop(30) != 0:
            raise Failed("the supervisor's exit status: %d" % idle.child.returncode)

    def our_supervisor(self, server, directory, handler, concurrency):
        config = os.path.join(directory, "faktotum.yaml")
        with open(config, "w") as f:
            json.dump({"concurrency": concurrency, "queues": ["bench"],
                       "log": {"level": "warning"}, "jobs": {"bench": {"exec": handler}}}, f)
        return self.worker(server, directory,
                           [os.path.join(self.build, "faktotum"), "run", "-c", config])

    def first_step(self, server, directory):
        """From PUSH, and from vfork, to the program's first instruction."""
        program, fifo = os.path.join(self.build, "bench", "first_step"), os.path.join(directory, "fifo")
        os.mkfifo(fifo)
        worker = self.our_supervisor(server, directory, [program, "stamp", fifo], CONCURRENCY)

        def measure(what, count, *more):
            done = subprocess.run([program, what, str(count), fifo, *more],
                                  capture_output=True, text=True, timeout=120)
            if done.returncode != 0:
                raise Failed("first_step %s: %s" % (what, done.stderr.strip()))
            return json.loads(done.stdout)["p50_ms"]

        measure("push", 5, str(server.port))  # by then the supervisor is there
        for who, figure in (("bare loop", measure("bare", FIRST_STEPS)),
                            ("ours", measure("push", FIRST_STEPS, str(server.port)))):
            self.note("to the first instruction, p50 ms", who, figure)
        self.note("idle, wake-ups a second", "ours", wakeups(worker.pid, IDLE_SECONDS))
        worker.stop(30)

    def many_children(self, server, directory):
        """What the supervisor itself needs for many programs at once."""
        worker = self.our_supervisor(server, directory, ["/bin/sleep", "600"], CHILDREN)
        self.load(server, "--mode", "pushb", "--connections", "1", "--ops", str(CHILDREN))
        wait_for(lambda: children(worker.pid) >= CHILDREN, 120, "%d children" % CHILDREN)
        self.note("%d children, Pss MB" % CHILDREN, "ours", own_pss_mb(worker.pid))
        self.note("%d children, connections" % CHILDREN, "ours", connections(worker.pid))
        worker.kill()

    def other_worker(self, server, directory, argv, row):
        self.preload(server)
        worker = self.worker(server, directory, argv + [str(CONCURRENCY)])
        self.note("/bin/true", row, self.drain(server, worker))
        worker.kill()

    def worker(self, server, directory, argv):
        return Process(argv, os.path.join(directory, "worker.log"),
                       clean_environment(FAKTORY_URL=server.url()))

    def preload(self, server):
        self.load(server, "--mode", "pushb", "--connections", "1", "--ops", str(self.jobs))

    def drain(self, server, worker):
        """Jobs a second, from the first that was seen to be done to the last."""
        with server.wire() as wire:
            first = None

            def over():
                nonlocal first
                if not worker.alive():
                    raise Failed("the worker ended:\n" + worker.said()[-2000:])
                info, now = wire.info(), time.monotonic()
                if info["total_failures"]:
                    raise Failed("%d jobs failed" % info["total_failures"])
                if first is None and info["total_processed"] > 0:
                    first = now, info["total_processed"]
                return info if info["total_processed"] >= self.jobs else None

            info = wait_for(over, 120, "%d jobs to be done" % self.jobs)
            took = time.monotonic() - first[0]
        if info["total_processed"] != self.jobs:
            raise Failed("%d of %d jobs processed" % (info["total_processed"], self.jobs))
        self.ran(worker)
        if first[1] > self.jobs / 2:
            raise Failed("%d of %d jobs were done at the first look" % (first[1], self.jobs))
        return (self.jobs - first[1]) / took

    def ran(self, worker):
        """That there was a program for each job, by what the kernel has counted."""
        one, all_of_them = faults_of("/bin/true"), reaped_faults(worker.pid)
        if all_of_them < PART_THAT_RAN * one * self.jobs:
            raise Failed("%d jobs processed, and programs for about %d of them were run" % (
                self.jobs, all_of_them // max(one, 1)))

    def idle(self, process, row):
        """Once it has stopped using the processor for a while."""
        def still():
            before = ticks(process.pid)
            time.sleep(0.5)
            return ticks(process.pid) == before
        wait_for(still, 20, "the supervisor to rest")
        self.note(row, "ours", pss_mb(process.pid))
