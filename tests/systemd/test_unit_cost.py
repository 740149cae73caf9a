"""What a unit for each job costs: printed, for a reader who chooses the setting.

Never held against a number: how fast this machine is says nothing of another.

SPDX-License-Identifier: ISC
"""
import json
import statistics
from datetime import datetime

from conftest import sh
from test_unit import AS_ROOT, UNIT, version_2

COUNT = 50
ISOLATION = ("none", "process", "transient-unit")


def ends():
    """(jobtype, when the job had ended, s that its program ran), by the supervisor's clock."""
    lines = sh("journalctl", "--no-pager", "-o", "json", "-u", UNIT, "FAKTORY_OUTCOME=done").stdout
    return [(entry["FAKTORY_JOBTYPE"], datetime.fromisoformat(entry["FAKTORY_TIME"]),
        float(entry["FAKTORY_DURATION"])) for entry in map(json.loads, lines.splitlines())]


def row(name, seen):
    apart = [(b[1] - a[1]).total_seconds() for a, b in zip(seen, seen[1:]) if b[0] == name]
    ran = [duration for jobtype, _, duration in seen if jobtype == name]
    numbers = (statistics.median(apart), max(apart), statistics.median(ran))
    return f"  {name:15}" + "".join(f"{n * 1000:9.1f}" for n in numbers)


@version_2
def test_what_a_start_costs(served, capsys):
    """Jobs of /bin/true all end well however they are isolated. One at a time and
    the kinds in turn, so that what else this machine does holds up all alike: from
    the end of one to the end of the next is all that a job takes."""
    served.drop_in(UNIT, AS_ROOT)
    served.configure(concurrency=1, jobs={name: {"exec": ["/bin/true"], "isolate": name}
        for name in ISOLATION})
    done = served.done()
    jobs = ISOLATION * COUNT
    for name in jobs:
        served.push(name)
    served.ctl("start", UNIT)
    served.wait_done(done + len(jobs))
    served.ctl("stop", UNIT)
    sh("journalctl", "--sync")
    seen = ends()[-len(jobs):]
    assert tuple(jobtype for jobtype, _, _ in seen) == jobs
    report = [row(name, seen) for name in ISOLATION]
    with capsys.disabled():
        print(f"\n{COUNT} jobs of /bin/true of each kind, one at a time; ms from end to end of a job:",
            f"  {'isolate':15}{'median':>9}{'longest':>9}{'program':>9}", *report, sep="\n")
