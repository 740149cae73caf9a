"""What the unit's cgroup gives, in a unified tree (cgroup v2).

SPDX-License-Identifier: ISC
"""
import os
import pwd
import signal
from pathlib import Path

import pytest
from conftest import sh
from support.waiting import wait_for

UNIT = "faktotum.service"
TREE = Path("/sys/fs/cgroup")

pytestmark = pytest.mark.skipif(
    "memory" not in (TREE / "cgroup.controllers").read_text().split()
    if (TREE / "cgroup.controllers").exists() else True,
    reason="no unified cgroup tree with a memory controller here; make vm-test has one")


def group(host, unit=UNIT):
    return TREE / host.show(unit, "ControlGroup").lstrip("/")


def pids_below(top):
    return [int(p) for f in [top / "cgroup.procs", *top.rglob("cgroup.procs")]
        for p in f.read_text().split()]


def fails(host, jobtype, fragment):
    """Pushes a job that must fail, and returns when its FAIL is there."""
    jid = host.push(jobtype, retry=0)
    wait_for("the job to fail", lambda: any(jid in l and fragment in l for l in
        sh("journalctl", "-u", UNIT, "-o", "cat").stdout.splitlines()), 60)
    with host.client() as c:
        wait_for("it to be dead", lambda: c.faktory()["total_failures"] >= 1)


def test_the_tree_is_the_supervisor_s(served):
    """Delegate=yes: the unit's cgroup belongs to its user, below jobs.slice, with
    the controllers that limits need; the server's does not."""
    served.configure()
    served.ctl("start", UNIT)
    top = group(served)
    assert top == TREE / "jobs.slice" / UNIT
    user = pwd.getpwnam("faktotum").pw_uid
    for name in ("", "cgroup.procs", "cgroup.subtree_control"):
        assert (top / name).stat().st_uid == user, name
    assert {"cpu", "memory", "pids"} <= set((top / "cgroup.controllers").read_text().split())
    assert served.pid(UNIT) in pids_below(top)
    assert group(served, "faktotum-server.service").stat().st_uid == 0


def test_a_program_without_memory_is_one_failed_job(served):
    """OOMPolicy=continue: the kernel kills the program that takes too much of the
    unit's memory; its job fails and the supervisor, the same, goes on."""
    served.drop_in(UNIT, "MemoryMax=64M\nMemorySwapMax=0")
    served.configure(jobs={"eats": {"exec": [served.script("eats", "tail /dev/zero")]},
        "t": {"exec": ["/bin/true"]}})
    served.ctl("start", UNIT)
    pid = served.pid(UNIT)
    fails(served, "eats", "attempt 1 of 1")
    events = dict(l.split() for l in (group(served) / "memory.events").read_text().splitlines())
    assert int(events["oom_kill"]) >= 1
    done = served.done()
    served.push("t")
    served.wait_done(done + 1)
    assert served.pid(UNIT) == pid and served.show(UNIT, "ActiveState") == "active"
    assert served.show(UNIT, "NRestarts") == "0"


def test_a_job_has_limits_of_its_own(served):
    """memory_max, tasks_max, cpu_quota and cpu_weight are the kernel's numbers in
    the job's own group; above memory_max it dies whole, as MemoryLimit, above
    tasks_max it cannot fork, and in both cases it alone. A reload's check, which
    runs in another group, lets such a file pass."""
    shows = served.script("shows", "cd /sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)\n"
        "cat memory.max pids.max cpu.max cpu.weight >/var/lib/flags/limits")
    limits = {"memory_max": "64M", "tasks_max": 40, "cpu_quota": "50%", "cpu_weight": 20}
    jobs = {"shows": {"exec": [shows], **limits}, "t": {"exec": ["/bin/true"]},
        "eats": {"exec": [served.script("eats", "sleep 1000 & tail /dev/zero")],
            "memory_max": "32M"},
        "forks": {"exec": [served.script("forks",
            "i=0; while [ $i -lt 60 ]; do sleep 60 & i=$((i + 1)); done; wait")],
            "tasks_max": 20}}
    Path("/var/lib/flags").mkdir(exist_ok=True)
    Path("/var/lib/flags").chmod(0o1777)
    served.configure(jobs=jobs)
    served.ctl("start", UNIT)
    pid = served.pid(UNIT)
    served.push("shows")
    served.wait_done(1)
    assert Path("/var/lib/flags/limits").read_text().split("\n")[:4] == [
        str(64 << 20), "40", "50000 100000", "20"]
    fails(served, "eats", "MemoryLimit")
    fails(served, "forks", "attempt 1 of 1")
    top = group(served)
    wait_for("the rest of them to be gone", lambda: len(pids_below(top)) == 1, 20)
    served.ctl("reload", UNIT)
    done = served.done()
    served.push("t")
    served.wait_done(done + 1)
    assert served.pid(UNIT) == pid and served.show(UNIT, "NRestarts") == "0"


def test_the_slice_limits_all_supervisors_together(served):
    """What jobs.slice may not exceed, its jobs may not; the server is elsewhere
    and answers meanwhile."""
    served.drop_in("jobs.slice", "MemoryMax=80M\nMemorySwapMax=0", "Slice")
    served.configure(jobs={"eats": {"exec": [served.script("eats", "tail /dev/zero")]}})
    served.ctl("start", UNIT)
    fails(served, "eats", "attempt 1 of 1")
    assert "oom_kill 0" not in (TREE / "jobs.slice/memory.events").read_text()
    assert served.show("faktotum-server.service", "NRestarts") == "0"
    assert served.show(UNIT, "ActiveState") == "active"


def test_processes_are_counted(served):
    """TasksMax= of the unit: a program that forks without end fails alone."""
    served.drop_in(UNIT, "TasksMax=30")
    served.configure(jobs={"forks": {"exec": [served.script("forks",
        "i=0; while [ $i -lt 60 ]; do sleep 60 & i=$((i + 1)); done; wait")]},
        "t": {"exec": ["/bin/true"]}})
    served.ctl("start", UNIT)
    pid = served.pid(UNIT)
    fails(served, "forks", "attempt 1 of 1")
    wait_for("the rest of it to be gone", lambda: len(pids_below(group(served))) <= 2)
    done = served.done()
    served.push("t")
    served.wait_done(done + 1)
    assert served.pid(UNIT) == pid


def test_after_kill_9_everything_is_gone_at_once(served):
    """In this tree the manager hears that all is dead: the next supervisor
    starts in about a second, not after TimeoutStopSec."""
    served.configure(jobs={"t": {"exec": [served.script("h",
        "setsid sh -c 'sleep 1000 & sleep 1000' & sleep 1000")]}})
    served.ctl("start", UNIT)
    first = served.pid(UNIT)
    served.push("t")
    wait_for("the job's processes", lambda: len(pids_below(group(served))) >= 5, 30)
    before = set(pids_below(group(served)))
    os.kill(first, signal.SIGKILL)
    wait_for("another supervisor", lambda: served.pid(UNIT) not in (0, first)
        and served.show(UNIT, "ActiveState") == "active", 10)
    assert not before & set(pids_below(group(served)))
    assert not any(Path(f"/proc/{p}").exists() for p in before)


def test_a_stopped_unit_leaves_no_cgroup(served):
    """Stopped with a job that has left its process group: no process and no
    directory stays."""
    served.configure(shutdown={"grace": "0s"}, defaults={"grace": "0s"},
        jobs={"t": {"exec": [served.script("h", "setsid sleep 1000 & sleep 1000")]}})
    served.ctl("start", UNIT)
    top = group(served)
    served.push("t")
    wait_for("the job's processes", lambda: len(pids_below(top)) >= 4, 30)
    served.ctl("stop", UNIT)
    assert not top.exists()
    assert served.show(UNIT, "Result") == "success"
