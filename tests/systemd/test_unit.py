"""isolate: transient-unit: what the manager sees of a job, and what it does to it.

SPDX-License-Identifier: ISC
"""
import os
import signal
from pathlib import Path

import pytest
from conftest import sh
from support.waiting import wait_for

UNIT = "faktotum.service"
# What docs/handlers.md asks for.
AS_ROOT = "User=root\nGroup=root\nCapabilityBoundingSet=~"
WAITS = "until test -e /var/lib/flags/go; do sleep 0.1; done"


TREE = Path("/sys/fs/cgroup")
CONTROLLERS = TREE / "cgroup.controllers"
LIMITS = CONTROLLERS.exists() and {"cpu", "memory", "pids"} <= set(CONTROLLERS.read_text().split())
VERSION_2 = " - cgroup2 " in Path("/proc/self/mountinfo").read_text()
version_2 = pytest.mark.skipif(not VERSION_2, reason="no cgroup v2 here; make vm-test has it")


def scopes(host):
    """The units of jobs that the manager has, whatever became of them."""
    lines = host.ctl("list-units", "--all", "--plain", "--no-legend", "--full",
        "faktotum-job-*.scope").stdout.splitlines()
    return [l.split()[0] for l in lines]


def group(host, unit):
    below = host.show(unit, "ControlGroup").lstrip("/")
    return (TREE if CONTROLLERS.exists() else TREE / "unified") / below


def pids(host, unit):
    """The processes that the manager counts as the unit's."""
    try:
        return {int(p) for p in (group(host, unit) / "cgroup.procs").read_text().split()}
    except OSError:
        return set()


def gone(pid):
    return not Path(f"/proc/{pid}").exists()


@pytest.fixture
def rooted(served, flag):
    served.drop_in(UNIT, AS_ROOT)
    return served


def start(host, text, **more):
    host.configure(jobs={"t": {"exec": [host.script("h", text)], "isolate": "transient-unit",
        **more}})
    host.ctl("start", UNIT)


@version_2
def test_a_job_is_a_unit(rooted, flag):
    """The manager names it, shows it in its slice, keeps it over a reload of its
    own, stops it after the supervisor, and forgets it when the job is done."""
    start(rooted, WAITS, slice="jobs-some.slice")
    jid = rooted.push("t", jid="a-job/of mine")
    unit, = wait_for("its unit", lambda: [u for u in scopes(rooted)
        if rooted.show(u, "ActiveState") == "active"])
    assert unit.startswith(r"faktotum-job-a\x2djob\x2fof\x20mine-")
    assert rooted.show(unit, "Description") == f"t, job {jid}"
    assert rooted.show(unit, "Slice") == "jobs-some.slice"
    assert rooted.show(unit, "CollectMode") == "inactive-or-failed"
    assert UNIT in rooted.show(unit, "Before").split()
    wait_for("init, shell, sleep", lambda: len(pids(rooted, unit)) >= 2)
    assert rooted.pid(UNIT) not in pids(rooted, unit)
    assert "faktotum-init" in rooted.ctl("status", unit).stdout
    rooted.ctl("daemon-reload")
    assert rooted.show(unit, "ActiveState") == "active"
    flag.touch()
    rooted.wait_done(1)
    wait_for("no unit", lambda: not scopes(rooted))


@version_2
def test_a_unit_ends_with_the_supervisor(rooted, flag):
    """Killed, the supervisor takes the unit with it, which is not in its own
    group, and all that broke away there."""
    start(rooted, "setsid env -i sleep 1000 & " + WAITS)
    rooted.push("t")
    unit, = wait_for("its unit", lambda: [u for u in scopes(rooted) if len(pids(rooted, u)) >= 3])
    there = pids(rooted, unit)
    os.kill(rooted.pid(UNIT), signal.SIGKILL)
    wait_for("all of them to be gone", lambda: all(gone(p) for p in there))
    wait_for("no unit", lambda: unit not in scopes(rooted))


@version_2
def test_the_manager_can_end_a_job(rooted):
    """`systemctl stop` of the unit is TERM for the program, and a failed job;
    nothing is left, and the next job runs."""
    start(rooted, "test -e /var/lib/flags/go && exit 0; exec sleep 1000")
    jid = rooted.push("t", retry=0)
    unit, = wait_for("its unit", lambda: [u for u in scopes(rooted) if len(pids(rooted, u)) >= 2])
    there = pids(rooted, unit)
    rooted.ctl("stop", unit)
    wait_for("its end", lambda: all(gone(p) for p in there))
    wait_for("the failure", lambda: any(jid in l and "SIGTERM" in l
        for l in sh("journalctl", "-u", UNIT, "-o", "cat").stdout.splitlines()))
    Path("/var/lib/flags/go").touch()
    done = rooted.done()
    rooted.push("t")
    rooted.wait_done(done + 1)
    wait_for("no unit", lambda: not scopes(rooted))


@pytest.mark.skipif(not LIMITS, reason="no unified tree with controllers; make vm-test has one")
def test_limits_are_properties_of_the_unit(rooted, flag):
    """They are systemd's to keep: for all of the job's processes, the init not
    counted; too much memory ends all of them, and is told apart from a signal."""
    program = rooted.script("h", WAITS)
    rooted.configure(jobs={"shows": {"exec": [program], "isolate": "transient-unit",
        "memory_max": "64M", "tasks_max": 40, "cpu_weight": 20, "cpu_quota": "50%"},
        "eats": {"exec": [rooted.script("eats", "sleep 1000 & tail /dev/zero")],
            "isolate": "transient-unit", "memory_max": "32M"},
        "forks": {"exec": [rooted.script("forks",
            "i=0; while [ $i -lt 60 ]; do sleep 60 & i=$((i + 1)); done; wait")],
            "isolate": "transient-unit", "tasks_max": 20}})
    rooted.ctl("start", UNIT)
    rooted.push("shows")
    unit, = wait_for("its unit", lambda: [u for u in scopes(rooted) if len(pids(rooted, u)) >= 2])
    properties = {name: rooted.show(unit, name) for name in ("MemoryMax", "MemorySwapMax", "TasksMax",
        "CPUWeight", "CPUQuotaPerSecUSec")}
    assert properties == {"MemoryMax": str(64 << 20), "MemorySwapMax": "0", "TasksMax": "41",
        "CPUWeight": "20", "CPUQuotaPerSecUSec": "500ms"}
    assert [(group(rooted, unit) / n).read_text().strip() for n in ("memory.max", "pids.max",
        "cpu.max", "memory.oom.group")] == [str(64 << 20), "41", "50000 100000", "1"]
    flag.touch()
    rooted.wait_done(1)
    for jobtype, words in (("eats", "MemoryLimit"), ("forks", "attempt 1 of 1")):
        jid = rooted.push(jobtype, retry=0)
        wait_for("the job to fail", lambda: any(jid in l and words in l and "FAIL" in l
            for l in sh("journalctl", "-u", UNIT, "-o", "cat").stdout.splitlines()), 60)
    wait_for("no unit", lambda: not scopes(rooted))


@pytest.mark.skipif(VERSION_2, reason="cgroup v2 is here")
def test_without_cgroup_v2_it_is_a_mistake(rooted):
    """There the manager would not notice that a unit is empty."""
    rooted.configure(jobs={"t": {"exec": ["/bin/true"], "isolate": "transient-unit"}})
    done = sh("faktotum", "check", "-c", "/etc/faktotum/faktotum.yaml", check=False)
    assert done.returncode == 78
    assert "isolate: transient-unit: this host has no control groups of version 2" in done.stderr


def test_as_packaged_it_is_a_mistake(served):
    """The unit's own user may not ask the manager for units: told at the start,
    which is not tried again."""
    served.configure(jobs={"t": {"exec": ["/bin/true"], "isolate": "transient-unit"}})
    served.ctl("start", UNIT, check=False)
    served.wait_state(UNIT, "failed")
    assert served.show(UNIT, "ExecMainStatus") == "78"
    assert "isolate: transient-unit needs a supervisor that runs as root" in \
        sh("journalctl", "-u", UNIT, "-o", "cat").stdout
