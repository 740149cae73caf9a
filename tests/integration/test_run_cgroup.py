"""A control group of its own for each job, where the host lets us make one.

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
from test_run_contain import AWAY, daemon
from test_run_time import alive, pids


def hierarchy():
    """Where version 2 is mounted, or None where we may not write there."""
    with open("/proc/self/mountinfo", encoding="utf8") as f:
        for line in f:
            if " - cgroup2 " in line:
                place = line.split()[4]
                return place if os.access(place, os.W_OK) and os.geteuid() == 0 else None
    return None


needed = pytest.mark.skipif(hierarchy() is None, reason="needs a writable cgroup2 hierarchy")


def leaves(wid):
    """The groups of this supervisor's jobs, wherever they are."""
    return [d for d, below, files in os.walk(hierarchy())
        if os.path.basename(d).startswith(f"faktotum-job-{wid}")]


def wid(bench):
    return re.search(r"wid=(\w+)", bench.supervisor.output())[1]


@needed
def test_every_job_has_a_group(bench):
    """A job's processes are in a group that bears its dispatch id; the group
    goes when the job does."""
    go = bench.scratch / "go"
    bench.run({"t": bench.script("h", f'grep ^0:: /proc/self/cgroup; echo "id $FAKTORY_DISPATCH_ID"\n'
        f"while [ ! -e {go} ]; do sleep 0.05; done")}, cgroup="on")
    jid = bench.push("t")
    bench.supervisor.says(re.compile(r"id \w+-1"))
    out = bench.supervisor.output()
    dispatch = re.search(r"id (\w+-1)", out)[1]
    assert f"/faktotum-job-{dispatch}" in out
    assert len(leaves(wid(bench))) == 1
    go.touch()
    bench.acked(jid)
    assert not leaves(wid(bench))


@needed
@pytest.mark.parametrize("text", ["daemon", "away"])
def test_nothing_escapes(bench, text):
    """Daemons and what forks all the time are dead before the job is told."""
    out, mark = bench.scratch / "pids", bench.scratch / "mark"
    program = [bench.script("h", daemon(out))] if text == "daemon" else [str(AWAY), "30", str(mark)]
    bench.run({"t": {"exec": program}}, cgroup="on")
    bench.acked(bench.push("t"))
    assert not any(alive(p) for p in pids(out))
    assert not leaves(wid(bench))


@needed
def test_group_survives_an_upgrade(bench):
    """The successor knows the groups of the jobs that it takes over."""
    out, go = bench.scratch / "pids", bench.scratch / "go"
    bench.run({"t": bench.script("h", daemon(out, f"while [ ! -e {go} ]; do sleep 0.05; done"))},
        cgroup="on", upgrade="on")
    jid = bench.push("t")
    wait_for("the daemon", lambda: len(pids(out)) == 2)
    bench.supervisor.signal(signal.SIGUSR2)
    bench.supervisor.says("going on with 1 jobs")
    assert all(alive(p) for p in pids(out))
    go.touch()
    bench.acked(jid)
    assert not any(alive(p) for p in pids(out))
    assert not leaves(wid(bench))


def start(tmp_path, settings):
    config = tmp_path / "c.yaml"
    config.write_text(json.dumps(settings))
    return subprocess.run([BUILD / "faktotum", "run", "-c", config], capture_output=True,
        timeout=60, check=False)


JOBS = {"t": {"exec": ["/bin/true"], "memory_max": "64M"}}


def test_limits_without_a_group_refuse_to_start(tmp_path):
    """A limit that cannot be kept is a mistake, with the job's place."""
    done = start(tmp_path, {"jobs": JOBS, "cgroup": "off"})
    assert done.returncode == 78
    assert re.search(rb"c.yaml:1:\d+: jobs.t: memory_max.*need a control group", done.stderr)


@needed
def test_missing_controller_refuses_to_start(tmp_path):
    """Where the hierarchy lacks the controller, the message names it."""
    with open(f"{hierarchy()}/cgroup.controllers", encoding="utf8") as f:
        if "memory" in f.read():
            pytest.skip("this hierarchy has the memory controller")
    done = start(tmp_path, {"jobs": JOBS, "cgroup": "on"})
    assert done.returncode == 78
    assert b"the controller memory is not available" in done.stderr


def test_reload_refuses_what_cannot_be_kept(bench):
    """A reload that asks for such a limit changes nothing and says why."""
    bench.run({"t": bench.script("h", "exit 0")}, cgroup="off")
    bench.acked(bench.push("t"))
    config = json.loads(bench.supervisor.config.read_text())
    config["jobs"]["t"]["tasks_max"] = 10
    bench.supervisor.config.write_text(json.dumps(config))
    bench.supervisor.signal(signal.SIGHUP)
    bench.supervisor.says("need a control group")
    bench.supervisor.says("nothing was changed")
    bench.acked(bench.push("t"))


@pytest.mark.parametrize("row", [{"cpu_quota": 50}, {"cpu_quota": "0%"}, {"cpu_weight": 20000},
    {"memory_max": "much"}, {"tasks_max": -1}])
def test_mistakes(tmp_path, row):
    """What cannot be meant is told with its place."""
    done = start(tmp_path, {"jobs": {"t": {"exec": ["/bin/true"], **row}}})
    assert done.returncode == 78
    assert re.search(rb"c.yaml:1:\d+: jobs.t.%s" % list(row)[0].encode(), done.stderr), done.stderr
