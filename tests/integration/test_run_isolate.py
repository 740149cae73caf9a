"""isolate: process: a job that nothing of the host can be seen from, and that leaves nothing.

SPDX-License-Identifier: ISC
"""
import json
import os
import re
import signal
import subprocess

import pytest

from support.program import BUILD
from support.waiting import wait_for
from test_run_confine import check, said
from test_run_confine import place  # noqa: F401, a fixture
from test_run_contain import AWAY
from test_run_time import alive
from test_run_upgrade import Fleet

CAN = os.geteuid() == 0 and subprocess.run(["unshare", "--pid", "--fork", "true"],
    capture_output=True, check=False).returncode == 0
possible = pytest.mark.skipif(not CAN, reason="needs root, and process namespaces")
FREE = "(setsid env -i sleep {n} >/dev/null 2>&1 </dev/null 3>&- &)\n"


def of(number):
    """The processes of the host that sleep for this many seconds: handlers' marks."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if f.read().split(b"\0")[:2] == [b"sleep", str(number).encode()] and alive(pid):
                    found.append(int(pid))
        except OSError:
            pass
    return found


def inits(pid):
    """The inits of namespaces that a supervisor has."""
    done = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid=,args="], capture_output=True,
        text=True, check=False)
    return [int(line.split()[0]) for line in done.stdout.splitlines() if "faktotum-init" in line]


@possible
def test_sees_only_its_own(bench):
    """Its number is 2, its init's 1, and /proc shows nobody else."""
    lines = said(bench, "echo $$\ncd /proc; echo [0-9]*\ntr '\\0' ' ' <1/cmdline; echo\n"
        "kill -9 1; sleep 0.1; echo lives", {"isolate": "process"})
    assert lines == ["2", "1 2", "faktotum-init ", "lives"]


@possible
def test_with_everything_else(bench):
    """A user, mounts and limits of its own go with it; its private directory is writable."""
    lines = said(bench, "id -un; echo $$; touch \"$FAKTORY_TMPDIR/x\" && echo written\n"
        "grep NoNewPrivs /proc/self/status | tr -s '\\t ' =; ulimit -n; touch /usr/x 2>/dev/null || echo no",
        {"isolate": "process", "user": "nobody", "private_tmp": "on", "protect_system": "strict",
            "private_network": "on", "limit_nofile": 99, "cwd": "private"}, tmpdir="/tmp")
    assert lines == ["nobody", "2", "written", "NoNewPrivs:=1", "99", "no"]


@possible
def test_status_signal_and_missing_program(bench):
    """How a program ends is told as without: by its own exit status or signal."""
    bench.run({"seven": {"exec": ["/bin/sh", "-c", "exit 7"], "isolate": "process"},
        "segv": {"exec": ["/bin/sh", "-c", "kill -SEGV $$$$"], "isolate": "process"},
        "none": {"exec": [bench.script("h", "", shell="/no/such")], "isolate": "process",
            "breaker": {"hold": "0s"}}}, beat="1s")
    fail = bench.failed(bench.push("seven"))
    assert fail["message"].startswith("exit 7")
    fail = bench.failed(bench.push("segv"))
    assert fail["errtype"] == "Signal" and "SIGSEGV" in fail["message"]
    fail = bench.failed(bench.push("none"))
    assert fail["errtype"] == "HandlerUnavailable"
    wait_for("no init left", lambda: not inits(bench.process.pid), 30)


@possible
def test_what_breaks_away_is_dead_before_the_ack(bench):
    """Neither a session of its own nor an environment without the dispatch id
    saves a process, and one that forks and exits all the time ends, too."""
    mark = bench.scratch / "mark"
    bench.run({"t": {"exec": ["/bin/sh", "-c", FREE.format(n=7777) + "exit 0"],
        "isolate": "process"},
        "away": {"exec": [str(AWAY), "30", str(mark)], "isolate": "process"}})
    bench.acked(bench.push("t"), limit=60)
    assert not of(7777)
    bench.supervisor.says(re.compile(r"left \d+ processes behind; killed"))
    bench.acked(bench.push("away"), limit=60)
    wait_for("no init left", lambda: not inits(bench.process.pid), 30)
    assert not [p for p in os.listdir("/proc") if p.isdigit() and runs(p, AWAY)]


def runs(pid, program):
    try:
        return alive(pid) and os.readlink(f"/proc/{pid}/exe") == str(program)
    except OSError:
        return False


@possible
def test_time_out(bench):
    """TERM reaches the program, which is no init that would not hear it; one
    that ignores it gets KILL, with all that it started."""
    heard = bench.scratch / "heard"
    bench.run({"hears": {"exec": [bench.script("h", f"trap 'echo x >{heard}; exit 1' TERM\n"
            "while :; do sleep 0.1; done")], "isolate": "process", "timeout": "1s", "grace": "20s"},
        "plain": {"exec": ["sleep", "7778"], "isolate": "process", "timeout": "1s", "grace": "20s"},
        "deaf": {"exec": ["/bin/sh", "-c", "trap '' TERM\n" + FREE.format(n=7779) +
            "while :; do sleep 1; done"], "isolate": "process", "timeout": "1s", "grace": "1s"}})
    jobs = [bench.push(t) for t in ("hears", "plain", "deaf")]
    for jid in jobs:
        assert bench.failed(jid, limit=50)["errtype"] == "Timeout"
    assert heard.exists() and not of(7778) and not of(7779)


@possible
def test_leftover_wait(bench):
    """leftover: wait: the job goes on until the last of its processes is gone."""
    go, done = bench.scratch / "go", bench.scratch / "done"
    bench.run({"t": {"exec": ["/bin/sh", "-c", "(setsid env -i /bin/sh -c 'while ! [ -e "
        f"{go} ]; do sleep 0.1; done; : >{done}' >/dev/null 2>&1 </dev/null 3>&- &)"],
        "isolate": "process", "leftover": "wait"}, "quick": "/bin/true"})
    jid = bench.push("t")
    bench.acked(bench.push("quick"))
    assert not bench.tap.about("ACK", jid)
    go.touch()
    bench.acked(jid, limit=60)
    assert done.exists()


@possible
@pytest.mark.parametrize("upgrade", ["on", "off"])
def test_dies_with_its_supervisor(bench, upgrade):
    """KILL for the supervisor is KILL for all that is in the namespace, also
    without a service manager, and where programs outlive an upgrade."""
    bench.run({"t": {"exec": ["/bin/sh", "-c", FREE.format(n=7780) + "sleep 7781"],
        "isolate": "process"}}, upgrade=upgrade)
    bench.push("t")
    wait_for("both to run", lambda: of(7780) and of(7781), 30)
    bench.supervisor.kill9()
    wait_for("both to end", lambda: not of(7780) and not of(7781), 30)


@possible
def test_upgrade_carries_it(bench):
    """A job in a namespace goes on over an upgrade in place, whose sweep of
    orphans spares its init; its status and its leftovers are the successor's."""
    fleet = Fleet(bench)
    try:
        handler = bench.script("h", FREE.format(n=7782) +
            f'while ! [ -e {fleet.go} ]; do sleep 0.1; done; echo "number $$"; exit 3')
        fleet.start({"t": {"exec": [handler], "isolate": "process"},
            "leaves": {"exec": ["/bin/sh", "-c", FREE.format(n=7783)]}})
        jid = bench.push("t")
        wait_for("it to run", lambda: of(7782), 30)
        fleet.upgrade()
        assert of(7782) and len(inits(bench.process.pid)) == 1
        bench.acked(bench.push("leaves"))
        assert of(7782) and not of(7783)
        fleet.go.touch()
        assert bench.failed(jid, limit=60)["message"].startswith("exit 3")
        assert "number 2" in fleet.program.output()
        assert not of(7782)
        wait_for("no init left", lambda: not inits(bench.process.pid), 30)
    finally:
        fleet.close()


@possible
def test_run_once(bench):
    """run-once keeps the same promise."""
    config = bench.scratch / "once.yaml"
    config.write_text(json.dumps({"jobs": {"t": {"isolate": "process",
        "exec": ["/bin/sh", "-c", FREE.format(n=7784) + "exit 5"]}}}))
    done = subprocess.run([BUILD / "faktotum", "run-once", "-c", config, "t"], input=b"",
        timeout=60, capture_output=True, check=False)
    assert b'"exit_status":5' in done.stdout, done.stdout
    assert not of(7784)


def test_nothing_can_live_on(place):  # noqa: F811
    """leftover: warn promises what a namespace takes away: a mistake."""
    done = check(place, {"isolate": "process", "leftover": "warn"})
    assert done.returncode == 78
    assert re.search(rb"^\S+:\d+:\d+: jobs\.t\.leftover: warn: with isolate: process nothing",
        done.stderr, re.M), done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_without_the_privilege_it_is_a_mistake(place):  # noqa: F811
    """No job runs with less isolation than was asked for."""
    done = check(place, {"isolate": "process"}, ["setpriv", "--reuid=nobody", "--clear-groups",
        "--regid=nogroup", "--inh-caps=-all"])
    assert done.returncode == 78
    assert b"jobs.t.isolate: process needs a supervisor that runs as root" in done.stderr


@possible
def test_a_reload_that_cannot_be_applied_is_refused(bench):
    """At a reload as at the start."""
    bench.run({"t": {"exec": ["/bin/true"], "isolate": "process"}})
    bench.acked(bench.push("t"), limit=60)
    config = bench.scratch / "supervisor.yaml"
    text = config.read_text()
    config.write_text(text.replace('"isolate": "process"',
        '"isolate": "process", "leftover": "warn"'))
    bench.supervisor.signal(signal.SIGHUP)
    bench.supervisor.says("nothing outlives the program", 60)
    bench.acked(bench.push("t"))
