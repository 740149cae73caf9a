"""What the supervisor costs and leaves: descriptors, zombies, memory.

SPDX-License-Identifier: ISC
"""
import os
import re
import resource
import subprocess
import time
from pathlib import Path

import pytest

from support.client import new_job
from support.program import BUILD
from support.supervisor import FAKTOTUM
from support.waiting import SLOW, wait_for


def done(bench, count, limit=60):
    wait_for(f"{count} jobs to end",
        lambda: bench.client.faktory()["total_processed"] == count, limit)


def test_no_descriptor_and_no_zombie_is_left(bench):
    """Five hundred jobs of every kind of end: the same descriptors as before
    and no child."""
    bench.run({"good": {"exec": ["/bin/true"]}, "bad": {"exec": ["/bin/false"]},
        "out": bench.script("out", "echo x; echo y >&2; cat"),
        "killed": bench.script("killed", "kill -KILL $$"),
        "orphan": bench.script("orphan", "sleep 30 & exit 0"),
        "gone": {"exec": [bench.script("gone", "exit 0")]}}, concurrency=8,
        defaults={"breaker": {"unavailable": "off", "failures": "off"}})
    wait_for("it to be up", lambda: bench.tap.lines("BEAT"))
    os.unlink(bench.scratch / "gone")
    kinds = ["good", "bad", "out", "killed", "gone"]
    bench.client.pushb([new_job(k) for k in kinds * 2])
    done(bench, 10)
    before = bench.supervisor.descriptors()
    bench.client.pushb([new_job(k) for k in kinds * 98 + ["orphan"] * 10])
    done(bench, 510, 120)
    wait_for("the children to be reaped", lambda: bench.supervisor.children() == [])
    assert bench.supervisor.descriptors() <= before + 4
    assert bench.supervisor.alive()


def test_orphans_are_adopted_and_reaped(bench):
    """A grandchild in a session of its own that ends later becomes ours: it
    is reaped and is nobody's outcome."""
    bench.run({"t": bench.script("h", "setsid sh -c 'sleep 1; exit 3' "
        "</dev/null >/dev/null 2>&1 & exit 0")})
    jids = [bench.push("t") for _ in range(10)]
    bench.acked(*jids)
    wait_for("the orphans to be reaped", lambda: bench.supervisor.children() == [])


def test_idle_memory(bench):
    """The supervisor's own memory when idle: at most 5 MB (Pss)."""
    if BUILD.name in ("asan", "tsan"):
        pytest.skip("a sanitizer's shadow memory is not the program's")
    bench.run({"t": {"exec": ["/bin/true"]}})
    bench.client.pushb([new_job("t") for _ in range(100)])
    done(bench, 100)
    text = Path(f"/proc/{bench.supervisor.pid}/smaps_rollup").read_text()
    pss = int(re.search(r"^Pss:\s+(\d+) kB", text, re.M).group(1))
    assert pss <= 5 * 1024, pss


def test_idle_is_idle(bench):
    """Waiting for work costs next to no processor time."""
    bench.run({"t": {"exec": ["/bin/true"]}})
    bench.acked(bench.push("t"))

    def ticks():
        fields = Path(f"/proc/{bench.supervisor.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])
    before = ticks()
    time.sleep(3)
    assert ticks() - before <= 0.05 * 3 * os.sysconf("SC_CLK_TCK") * SLOW


def test_closed_standard_descriptors(bench):
    """Started with 0, 1 and 2 closed: no socket becomes standard error."""
    s = bench.run({"t": bench.script("h", "echo out; echo err >&2; cat >/dev/null")})
    wait_for("it to be up", lambda: bench.tap.lines("BEAT"))
    assert s.stop() == 0
    config = s.config
    p = subprocess.Popen([FAKTOTUM, "run", "-c", config], close_fds=True,
        preexec_fn=lambda: (os.close(0), os.close(1), os.close(2)))
    bench.process = p
    try:
        bench.acked(bench.push("t"))
        p.terminate()
        assert p.wait(60 * SLOW) == 0
    finally:
        p.kill()
        p.wait()


def test_log_pipe_that_nobody_reads(bench):
    """Standard error full and unread: jobs go on."""
    s = bench.run({"t": bench.script("h", "seq 2000")})
    wait_for("it to be up", lambda: bench.tap.lines("BEAT"))
    assert s.stop() == 0
    r, w = os.pipe()
    p = subprocess.Popen([FAKTOTUM, "run", "-c", s.config], stderr=w, stdin=subprocess.DEVNULL)
    os.close(w)
    bench.process = p
    try:
        bench.acked(*[bench.push("t") for _ in range(20)])
        p.terminate()
        assert p.wait(60 * SLOW) == 0
    finally:
        p.kill()
        p.wait()
        os.close(r)


def test_log_pipe_that_is_closed(bench):
    """The reader of the log is gone: SIGPIPE must not end the work."""
    s = bench.run({"t": bench.script("h", "echo x")})
    wait_for("it to be up", lambda: bench.tap.lines("BEAT"))
    assert s.stop() == 0
    r, w = os.pipe()
    p = subprocess.Popen([FAKTOTUM, "run", "-c", s.config], stderr=w, stdin=subprocess.DEVNULL)
    os.close(w)
    os.close(r)
    bench.process = p
    try:
        bench.acked(*[bench.push("t") for _ in range(5)])
        p.terminate()
        assert p.wait(60 * SLOW) == 0
    finally:
        p.kill()
        p.wait()


def test_handler_file_replaced_while_running(bench):
    """A deployment that replaces the script: the next job runs the new one."""
    out = bench.scratch / "out"
    h = bench.script("h", f"echo old >>{out}")
    bench.run({"t": h})
    bench.acked(bench.push("t"))
    new = bench.script("new", f"echo new >>{out}")
    os.replace(new, h)
    bench.acked(bench.push("t"))
    assert out.read_text() == "old\nnew\n"


def test_few_descriptors(bench):
    """A low RLIMIT_NOFILE: jobs are run with what there is, or failed as
    unavailable; the supervisor lives and recovers."""
    s = bench.run({"t": bench.script("h", "sleep 0.1")}, concurrency=64)
    resource.prlimit(s.pid, resource.RLIMIT_NOFILE, (40, 40))
    bench.client.pushb([new_job("t", retry=0) for _ in range(100)])
    done(bench, 100, 60)
    assert s.alive()
    resource.prlimit(s.pid, resource.RLIMIT_NOFILE, (40, 40))
    wait_for("it to be idle", lambda: s.children() == [])
    bench.acked(bench.push("t"))
