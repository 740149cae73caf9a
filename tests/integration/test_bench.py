"""A broken peer gives the bench no figure, but ends it with the reason: what
tests/bench measures is given the peers of tests/interop/broken.py, and a few of
its own. Nothing here looks at a time.

SPDX-License-Identifier: ISC
"""
import importlib.machinery
import importlib.util
import json
import socket
import subprocess
import sys
import threading
import types

import pytest

from support.program import BUILD, ROOT
from support.waiting import ceiling

for place in ("interop", "bench"):
    sys.path.insert(0, str(ROOT / "tests" / place))

import broken  # noqa: E402
import peers  # noqa: E402
import rig  # noqa: E402
import servers  # noqa: E402
from workers import Workers  # noqa: E402

JOBS = 40


def script(name):
    """One of tests/bench that has no .py, as a module."""
    loader = importlib.machinery.SourceFileLoader(name, str(ROOT / "tests/bench" / name))
    made = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(made)
    return made


@pytest.fixture
def bench(tmp_path):
    """The rig; what it has started ends with the test."""
    options = types.SimpleNamespace(build_dir=str(BUILD), seconds=1, jobs=JOBS, backlog=5)

    class Bench(servers.Servers, Workers):
        began = []

        def start(self, lie=None, kind=peers.OurServer):
            if lie:
                kind = broken.lying(kind, broken.LIES[lie])
            server = kind(str(BUILD / "faktotum-server"), str(tmp_path)).start()
            self.began.append(server)
            return server

        def worker(self, server, directory, argv):
            worker = super().worker(server, directory, argv)
            self.began.append(types.SimpleNamespace(process=worker))
            return worker
    made = Bench(options, {}, {})
    yield made
    for thing in reversed(made.began):
        thing.process.kill()
    made.began.clear()
    vars(peers.despair).clear()


def refused(what):
    return pytest.raises(peers.Failed, match=what)


# ---- what the load generator is told ----

@pytest.mark.parametrize("mode", ["cycle", "pushb", "latency", "wake"])
def test_a_server_that_is_right_has_a_figure(mode, bench):
    """What is refused below is not refused to everybody."""
    got = bench.load(bench.start(), "--mode", mode, "--connections", "2", "--ops", "20", "--seconds", "30")
    assert got["ops"] == 20 and got["rate"] > 0


@pytest.mark.parametrize("mode, lie, why", [
    ("latency", "forgets a push", "20 jobs pushed; it has 0 more than before and 0 more done"),
    ("pushb", "forgets a push", "20 jobs pushed; it has 0 more than before and 0 more done"),
    ("cycle", "forgets a push", "no job where one was due"),
    ("cycle", "has no jobs", "no job where one was due"),
    ("cycle", "gives a job twice", "came twice"),
    ("cycle", "gives another's job", "not one of our jobs"),
    ("cycle", "keeps what was acknowledged",
        "20 jobs pushed, fetched and acknowledged; it has 20 more than before and 0 more done"),
    ("wake", "keeps what was acknowledged", "it has 20 more than before and 0 more done")])
def test_a_server_that_lies_has_none(mode, lie, why, bench, monkeypatch):
    """It says +OK and stores nothing, gives fewer jobs than it took, or others,
    or one twice, or keeps what was acknowledged: no rate comes of it."""
    monkeypatch.setattr(rig, "AGREES_WITHIN", 0.2)
    server = bench.start(lie)
    with refused(why):
        bench.load(server, "--mode", mode, "--connections", "1", "--ops", "20", "--seconds", "30")


@pytest.mark.parametrize("lie, why", [(None, None), ("gives a job twice", "came twice"),
    ("forgets a push", "3 of 3 scheduled jobs did not come"), ("does not wait", "before its time")])
def test_lateness_is_of_jobs_that_were_due(lie, why, bench, monkeypatch):
    """A job that comes early, twice or never is not a punctual one."""
    monkeypatch.setattr(servers, "SCHEDULED", 3)
    monkeypatch.setattr(servers, "LATEST", 0 if why and "did not come" in why else ceiling(60))
    server = bench.start(lie)
    if lie is None:
        assert bench.lateness(server, None) >= -servers.EARLY_MS
        return
    with refused(why):
        bench.lateness(server, None)


@pytest.mark.parametrize("forgets", [False, True])
def test_a_restart_is_one_with_the_jobs(forgets, bench):
    """A server that has lost its jobs starts fast, and that is no figure."""
    class Forgets(peers.OurServer):
        def launch(self):
            self.directory += "/again" * forgets
            (BUILD / self.directory).mkdir(exist_ok=True)
            return super().launch()
    server = bench.start(kind=Forgets)
    with server.wire() as wire:
        wire("PUSH", {"jid": "stays-here-1", "jobtype": "t", "args": [], "queue": "bench"})
    if not forgets:
        assert bench.restart(server, 1) > 0
        return
    with refused("0 of 1 jobs are left after a restart"):
        bench.restart(server, 1)


# ---- workers ----

IDLE_HANDS = """
import json, subprocess, sys
sys.path.insert(0, %r)
from peers import Wire
wire = Wire(int(sys.argv[1]), wid="idle-hands-1")
done = 0
while True:
    job = wire("FETCH", "bench")
    if job:
        done += 1
        if done %% 2 < float(sys.argv[2]):
            subprocess.run(["/bin/true"], check=True)
        wire("ACK", {"jid": json.loads(job)["jid"]})
"""


def test_a_worker_that_runs_what_it_says_has_a_figure(bench, tmp_path):
    """The kernel has seen a program for each job."""
    server = bench.start()
    worker = bench.our_supervisor(server, str(tmp_path), ["/bin/true"], 4)
    bench.preload(server)
    peers.wait_for(lambda: server.info()["total_processed"] == JOBS, peers.LONG, "the jobs")
    bench.ran(worker)


@pytest.mark.parametrize("part, why", [(0, r"40 jobs processed, and programs for about 0 "),
    (1, r"40 jobs processed, and programs for about (1\d|2\d) ")])
def test_a_worker_that_says_too_much_has_none(part, why, bench, tmp_path):
    """It acknowledges what it never ran: all of it, or every other job."""
    server = bench.start()
    bench.preload(server)
    worker = bench.worker(server, str(tmp_path), [sys.executable, "-c",
        IDLE_HANDS % str(ROOT / "tests/interop"), str(server.port), str(part)])
    with refused(why):
        bench.drain(server, worker)


@pytest.mark.parametrize("program, why", [("/bin/false", r"\d+ jobs failed"),
    (None, "the worker ended")])
def test_a_worker_that_fails_has_none(program, why, bench, tmp_path):
    """Its jobs fail, or it ends: the rate would be that of nothing."""
    server = bench.start()
    bench.preload(server)
    worker = bench.our_supervisor(server, str(tmp_path), [program], 4) if program else \
        bench.worker(server, str(tmp_path), ["/bin/false"])
    with refused(why):
        bench.drain(server, worker)


def test_the_first_step_is_that_of_its_own_job(bench, tmp_path):
    """A program that began for another job would be a short time, or a long one."""
    with refused("the program for job 0 began when job 1 was due"):
        bench.first_step(bench.start("gives a job twice"), str(tmp_path))


# ---- beanstalkd ----

def beanstalkd(number):
    """The port of one that reserves as number(nth, its own number) says."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        s, _ = listener.accept()
        put = 0
        with s, s.makefile("rb") as lines:
            try:
                for line in lines:
                    if line.startswith(b"put"):
                        lines.readline()
                        put += 1
                        s.sendall(b"INSERTED %d\r\n" % put)
                    elif line.startswith(b"reserve"):
                        s.sendall(b"RESERVED %d 300\r\n%s\r\n" % (number(put), b"x" * 300))
                    else:
                        s.sendall(b"DELETED\r\n")
            except OSError:
                pass
    threading.Thread(target=serve, daemon=True).start()
    return listener


@pytest.mark.parametrize("number, why", [(lambda n: n, None), (lambda n: 1, "job 1 came twice"),
    (lambda n: n + 1000000, r"jobs came that nobody put")])
def test_beanstalkd_is_believed_as_little(number, why, tmp_path):
    """One job given over and over, or jobs that nobody put."""
    with beanstalkd(number) as listener:
        done = subprocess.run([BUILD / "bench/beanstalk_load", str(listener.getsockname()[1]), "1", "1"],
            capture_output=True, text=True, timeout=ceiling(60))
    if why is None:
        assert done.returncode == 0 and json.loads(done.stdout)["ops"] > 0, done.stderr
    else:
        assert done.returncode == 1 and done.stdout == "" and why in done.stderr, done


# ---- what is made of it ----

def test_a_promotion_that_promotes_nothing_has_no_figure():
    """Jobs that are gone wait for nobody; and a stall is told."""
    judge = script("promotion").judge
    quick = [(1, 0)] * 1000
    stalled = quick + [(50, 0)]
    assert judge(quick, quick, 5, 5, 10) is None
    assert judge(stalled, quick, 5, 5, 10) is None
    assert judge(quick, quick, 4, 5, 10) == "4 of 5 jobs were promoted"
    assert "a FETCH waited 50.00 ms during" in judge(quick, stalled, 5, 5, 10)
    assert "no time to measure" in judge(quick, [], 5, 5, 10)


def test_the_bench_ends_with_the_reason(tmp_path, monkeypatch, capsys):
    """Status 1, the reason, and nothing is written that a figure could be read from."""
    run = script("run")

    def measure(options, samples):
        samples["/bin/true"] = {"ours": [1000000]}
        raise peers.Failed("a peer is broken")
    monkeypatch.setattr(run, "measure", measure)
    monkeypatch.setattr(sys, "argv", ["run", "--build-dir", str(tmp_path)])
    assert run.main() == 1
    assert capsys.readouterr().out == "FAIL a peer is broken\n"
    assert not list(tmp_path.iterdir())
