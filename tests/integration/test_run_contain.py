"""Nothing that a handler started outlives its job, wherever it went.

Other supervisors kill a process group; a daemon in a session of its own goes
on beside the next attempt of the same job.

SPDX-License-Identifier: ISC
"""
import json
import os
import re
import signal
import subprocess
import sys
import time

from support.program import BUILD
from support.waiting import wait_for
from test_run_time import alive, pids

ESCAPE = BUILD / "tests/handlers/escape"
AWAY = BUILD / "tests/handlers/runs_away"


def daemon(out, then=""):
    """A handler's text: a double fork, a session of its own, no output held."""
    return (f"(setsid sh -c 'echo $$ >>{out}; exec >/dev/null 2>&1 </dev/null 3>&-; "
        f"setsid sleep 600 & echo $! >>{out}; sleep 600' &)\n"
        f"while [ $(wc -l <{out} 2>/dev/null || echo 0) -lt 2 ]; do sleep 0.02; done\n{then}")


def test_daemon_is_dead_before_its_job_is_acknowledged(bench):
    """Double-forked, re-sessioned grandchildren die before the server hears
    of the end, so that no successor runs beside them."""
    out = bench.scratch / "pids"
    bench.run({"t": bench.script("h", daemon(out))})
    bench.acked(bench.push("t"))
    seen = [p for p in pids(out) if alive(p)]
    assert len(pids(out)) == 2 and not seen
    bench.supervisor.says(re.compile(r"left \d+ processes behind; killed"))


def test_daemon_is_dead_when_its_job_times_out(bench):
    """The leader ignores TERM and lives: what broke away from it dies with it."""
    out = bench.scratch / "pids"
    bench.run({"t": {"exec": [bench.script("h", "trap '' TERM\n" + daemon(out,
        "while :; do sleep 1; done"))], "timeout": "1s", "grace": "1s"}})
    fail = bench.failed(bench.push("t"))
    assert fail["errtype"] == "Timeout"
    assert len(pids(out)) == 2 and not any(alive(p) for p in pids(out))


def test_no_zombies_are_left(bench):
    """The supervisor reaps what it adopted."""
    out = bench.scratch / "pids"
    bench.run({"t": bench.script("h", daemon(out))})
    bench.acked(bench.push("t"))
    wait_for("the zombies to be gone", lambda: not any(os.path.exists(f"/proc/{p}")
        for p in pids(out)), 5)


def test_one_that_never_stays_is_caught(bench):
    """A process that forks and exits all the time is found all the same."""
    mark = bench.scratch / "mark"
    bench.run({"t": {"exec": [str(AWAY), "30", str(mark)]}})
    bench.acked(bench.push("t"))
    mark.unlink()
    time.sleep(0.1)  # it writes the file at every step
    assert not mark.exists()


def test_daemon_of_another_job_is_left_alone(bench):
    """The end of one job ends nothing that another one, still running, has."""
    out, go = bench.scratch / "pids", bench.scratch / "go"
    bench.run({"slow": bench.script("slow",
            daemon(out, f"while [ ! -e {go} ]; do sleep 0.05; done")),
        "quick": bench.script("quick", "setsid sleep 600 >/dev/null 2>&1 & exit 0")})
    slow = bench.push("slow")
    wait_for("the daemon", lambda: len(pids(out)) == 2)
    for _ in range(5):
        bench.acked(bench.push("quick"))
    assert all(alive(p) for p in pids(out))
    go.touch()
    bench.acked(slow)
    assert not any(alive(p) for p in pids(out))


def test_leftover_wait(bench):
    """leftover: wait: the job is over when the last of its processes is."""
    done = bench.scratch / "done"
    bench.run({"t": {"exec": [bench.script("h",
        f"(setsid sh -c 'exec >/dev/null 2>&1; sleep 1; touch {done}' &)")], "leftover": "wait"}})
    bench.acked(bench.push("t"))
    assert done.exists()


def test_leftover_wait_ends_at_the_timeout(bench):
    """leftover: wait: the job's time limit holds for what it left, too."""
    out = bench.scratch / "pids"
    bench.run({"t": {"exec": [bench.script("h", daemon(out))], "leftover": "wait",
        "timeout": "1s", "grace": "1s"}})
    assert bench.failed(bench.push("t"))["errtype"] == "Timeout"
    assert len(pids(out)) == 2 and not any(alive(p) for p in pids(out))


def test_leftover_warn(bench):
    """leftover: warn: it goes on, is told in the log, and later jobs and an
    upgrade in place do not end it."""
    out = bench.scratch / "pids"
    bench.run({"t": {"exec": [bench.script("h", daemon(out))], "leftover": "warn"},
        "quick": bench.script("quick", "exit 0")}, upgrade="on")
    bench.acked(bench.push("t"))
    try:
        bench.supervisor.says("processes behind; they go on")
        bench.acked(bench.push("quick"))
        assert all(alive(p) for p in pids(out))
        bench.supervisor.signal(signal.SIGUSR2)
        bench.supervisor.says("going on with")
        bench.acked(bench.push("quick"))
        assert all(alive(p) for p in pids(out))
    finally:
        for p in pids(out):
            os.kill(p, signal.SIGKILL)


def test_directory_of_one_that_goes_on_serves_nobody_else(bench):
    """What a job left running may still write into its private directory: no
    later job gets that one, though it came back empty."""
    out, dirs = bench.scratch / "pids", bench.scratch / "dirs"
    bench.run({"t": {"exec": [bench.script("h", daemon(out, f"echo $TMPDIR >{dirs}"))],
        "leftover": "warn"}, "later": bench.script("later", f"echo $TMPDIR >>{dirs}")})
    bench.acked(bench.push("t"))
    try:
        bench.supervisor.says("processes behind; they go on")
        bench.acked(bench.push("later"))
        first, second = dirs.read_text().split()
        assert first != second and not os.path.exists(first)
    finally:
        for p in pids(out):
            os.kill(p, signal.SIGKILL)


def test_daemon_dies_after_an_upgrade(bench):
    """The successor of an upgrade in place ends what its predecessor's
    programs have left, and no program of a job that runs."""
    out, go = bench.scratch / "pids", bench.scratch / "go"
    wait = f"while [ ! -e {go} ]; do sleep 0.05; done"
    bench.run({"a": bench.script("a", daemon(out, wait)),
        "b": bench.script("b", f"{wait}; sleep 1; exit 0")}, upgrade="on")
    a, b = bench.push("a"), bench.push("b")
    wait_for("the daemon", lambda: len(pids(out)) == 2)
    bench.supervisor.signal(signal.SIGUSR2)
    bench.supervisor.says("going on with")
    assert all(alive(p) for p in pids(out))
    go.touch()
    bench.acked(a)
    assert not any(alive(p) for p in pids(out))
    bench.acked(b)


def test_run_once_leaves_nothing(bench):
    """run-once holds the same promise."""
    out = bench.scratch / "pids"
    config = bench.scratch / "once.yaml"
    config.write_text(json.dumps({"jobs": {"t": {"exec": [bench.script("h", daemon(out))]}}}))
    done = subprocess.run([BUILD / "faktotum", "run-once", "-c", config, "t"], input=b"",
        timeout=60, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b'"leftover":true' in done.stdout
    assert len(pids(out)) == 2 and not any(alive(p) for p in pids(out))


CROWD = """import os, sys
for _ in range(1500):
    if os.fork() == 0:
        os._exit(0)
if os.fork() == 0:
    os.setsid()
    with open(sys.argv[1], "w") as f:
        f.write("%d\\n" % os.getpid())
    os.closerange(0, 10)
    os.execvp("sleep", ["sleep", "600"])
while not os.path.exists(sys.argv[1]) or not os.path.getsize(sys.argv[1]):
    pass
"""


def test_run_once_sees_who_stands_behind_the_dead(bench):
    """More have ended than one look at the orphans takes in: who lives behind
    them ends with the program all the same."""
    out, crowd = bench.scratch / "pids", bench.scratch / "crowd.py"
    crowd.write_text(CROWD)
    config = bench.scratch / "once.yaml"
    config.write_text(json.dumps({"jobs": {"t": {"exec": [sys.executable, str(crowd), str(out)]}}}))
    done = subprocess.run([BUILD / "faktotum", "run-once", "-c", config, "t"], input=b"",
        timeout=300, capture_output=True, check=False)
    left = [p for p in pids(out) if alive(p)]
    for p in left:
        os.kill(p, signal.SIGKILL)
    assert done.returncode == 0, done.stderr
    assert not left
