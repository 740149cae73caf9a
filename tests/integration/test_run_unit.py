"""isolate: transient-unit: a job in a scope of the service manager, before a manager of ours.

What a real systemd makes of it is tried in tests/systemd.

SPDX-License-Identifier: ISC
"""
import ctypes
import json
import os
import re
import signal
import subprocess

import pytest

from support.bus import Bus
from support.program import BUILD
from support.waiting import wait_for
from test_run_cgroup import hierarchy
from test_run_confine import check
from test_run_confine import place  # noqa: F401, a fixture
from test_run_isolate import FREE, inits, of, possible
from test_run_time import alive

CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 0x40000
libc = ctypes.CDLL(None, use_errno=True)
grouped = pytest.mark.skipif(hierarchy() is None, reason="needs a writable cgroup2 hierarchy")
HANDLER = {"isolate": "transient-unit", "breaker": {"hold": "0s"}}
AS_NOBODY = ["setpriv", "--reuid=nobody", "--clear-groups", "--regid=nogroup", "--inh-caps=-all"]


def bare_run():
    """In the child: a /run of its own, with nothing in it."""
    for done in (libc.unshare(CLONE_NEWNS), libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None),
            libc.mount(b"tmpfs", b"/run", b"tmpfs", 0, None)):
        if done != 0:
            raise OSError(ctypes.get_errno(), "a /run of its own")


def systemd_run():
    """Likewise, with what says that systemd runs here."""
    bare_run()
    os.makedirs("/run/systemd/system")


@pytest.fixture
def manager(tmp_path, ending):
    """manager(mode) is the bus that the supervisor will find."""
    def start(mode="done"):
        bus = Bus(tmp_path / "bus", mode, hierarchy())
        ending.append(bus)
        return bus
    return start


def run(bench, bus, jobs, **settings):
    settings["jobs"] = jobs
    settings.setdefault("concurrency", 20)
    bench.supervisor = bench.start_supervisor(bench.tap.url, settings, before=systemd_run,
        env={"DBUS_SYSTEM_BUS_ADDRESS": bus.address})
    bench.process = bench.supervisor.process


def shell(text, **more):
    return dict(HANDLER, exec=["/bin/sh", "-c", text.replace("$$", "$$$$")], **more)


def look(place, handler, before, env=None):  # noqa: F811
    """`faktotum check` of one such handler."""
    config = place / "unit.yaml"
    config.write_text("server: tcp://127.0.0.1:7419\njobs:\n  t:\n    exec: [/bin/true]\n"
        "    isolate: transient-unit\n" + handler)
    return subprocess.run([BUILD / "faktotum", "check", "-c", config], capture_output=True,
        text=True, timeout=120, check=False, preexec_fn=before,
        env=dict({"PATH": os.environ["PATH"]}, **(env or {})))


def nothing_left(bench):
    wait_for("no init left", lambda: not inits(bench.process.pid), 30)
    done = subprocess.run(["ps", "--ppid", str(bench.process.pid), "-o", "pid=,args="],
        capture_output=True, text=True, check=False)
    assert done.stdout == ""


def is_empty(bus):
    """The groups of all units have nobody in them."""
    return all("populated 0" in open(f"{bus.groups}/{unit}/cgroup.events", encoding="utf8").read()
        for unit, _ in bus.asked)


def test_without_root_it_is_a_mistake(place):  # noqa: F811
    """Whoever may not make such units, or their namespaces, hears it at check."""
    done = check(place, {"isolate": "transient-unit"}, AS_NOBODY if os.geteuid() == 0 else [])
    assert done.returncode == 78
    assert re.search(rb"^\S+:\d+:\d+: jobs\.t\.isolate: transient-unit needs a supervisor that "
        rb"runs as root", done.stderr, re.M), done.stderr


@possible
def test_without_systemd_it_is_a_mistake(place):  # noqa: F811
    """Another service manager, or none: told with the place."""
    done = look(place, "", bare_run)
    assert done.returncode == 78
    assert re.search(r"unit\.yaml:3:3: jobs\.t\.isolate: transient-unit needs a host whose service "
        r"manager is systemd", done.stderr), done.stderr


@possible
def test_without_a_bus_it_is_a_mistake(place):  # noqa: F811
    """Nobody listens at the bus: told with the place, by run as well."""
    done = look(place, "", systemd_run)
    assert done.returncode == 78
    assert re.search(r"unit\.yaml:3:3: jobs\.t: isolate: transient-unit: the system bus cannot be "
        r"reached: No such file", done.stderr), done.stderr
    done = subprocess.run([BUILD / "faktotum", "run", "-c", place / "unit.yaml"], timeout=120,
        capture_output=True, text=True, check=False, preexec_fn=systemd_run,
        env={"PATH": os.environ["PATH"]})
    assert done.returncode == 78 and "the system bus cannot be reached" in done.stderr, done.stderr


@possible
@pytest.mark.slow(21)
def test_a_manager_that_hangs_is_a_mistake(place, manager):  # noqa: F811
    """check does not wait for ever for an answer."""
    done = look(place, "", systemd_run, {"DBUS_SYSTEM_BUS_ADDRESS": manager("hangs").address})
    assert done.returncode == 78
    assert "3:3: jobs.t: isolate: transient-unit: the service manager does not answer" in done.stderr


@possible
@pytest.mark.parametrize("row, words", [
    ("    leftover: warn\n", "leftover: warn: with isolate: transient-unit nothing outlives"),
    ("    slice: jobs\n", 'slice: "jobs", expected a slice such as jobs.slice'),
    ("    slice: a--b.slice\n", "expected a slice such as"),
    ("    slice: -a.slice\n", "expected a slice such as"),
    ("    slice: a/b.slice\n", "expected a slice such as"),
    ("    slice: .slice\n", "expected a slice such as")])
def test_mistakes(place, row, words):  # noqa: F811
    """What cannot be meant is told with its place."""
    done = look(place, row, systemd_run)
    assert done.returncode == 78
    assert re.search(r"unit\.yaml:\d+:\d+: jobs\.t\.", done.stderr) and words in done.stderr, done.stderr


@possible
@grouped
def test_limits_that_the_host_cannot_keep_are_a_mistake(place, manager):  # noqa: F811
    """A limit without its controller is refused, not forgotten; with it, check is content."""
    with open(f"{hierarchy()}/cgroup.controllers", encoding="utf8") as f:
        can = "memory" in f.read().split()
    done = look(place, "    memory_max: 64M\n", systemd_run,
        {"DBUS_SYSTEM_BUS_ADDRESS": manager().address})
    assert done.returncode == (0 if can else 78)
    if not can:
        assert "3:3: jobs.t: isolate: transient-unit: the controller memory is not available in " \
            "this host's control groups" in done.stderr


@possible
@grouped
def test_the_program_is_in_its_unit(bench, manager):
    """It starts in the unit, under a namespace's init that is there, too; the
    unit's name has the jid, its description the type."""
    bus = manager()
    run(bench, bus, {"a b-c": shell("grep ^0:: /proc/self/cgroup; echo number $$\n"
        "cd /proc; echo see [0-9]*", slice="jobs-nightly.slice"), "plain": {"exec": ["/bin/true"]}})
    jid = bench.push("a b-c", jid="with space-é")
    bench.acked(jid, bench.push("plain"))
    unit, properties = bus.asked[0]
    assert re.fullmatch(r"faktotum-job-with\\x20space\\x2d\\xc3\\xa9-\w+-1\.scope", unit), unit
    pids = properties.pop("PIDs")
    assert len(pids) == len(set(pids)) == 2
    assert properties == {"Description": f"a b-c, job {jid}", "Slice": "jobs-nightly.slice",
        "CollectMode": "inactive-or-failed"} | {k: v for k, v in properties.items() if k == "Before"}
    bench.supervisor.says("number 2")
    bench.supervisor.says("see 1 2")
    # The log writes a backslash as it came.
    assert f"0::/{unit}" in bench.supervisor.output()
    assert len(bus.asked) == 1
    nothing_left(bench)
    wait_for("an empty group", lambda: is_empty(bus))


@possible
@grouped
def test_an_earlier_unit_of_that_name_is_waited_for(bench, manager):
    """A program that is tried again at once asks for the same name."""
    bus = manager("exists")
    run(bench, bus, {"t": shell("exit 0")})
    bench.acked(bench.push("t"))
    assert len(bus.asked) == 2


@possible
@pytest.mark.parametrize("mode, reason", [("refuses", "Permission denied by the test"),
    ("fails", "the manager could not start it: failed"), ("empty", "it was not moved there")])
def test_a_unit_that_is_refused_fails_the_job(bench, manager, mode, reason):
    """The program is not run without it; the failure names the unit and the
    reason, is no fault of the job's, and nothing stays behind."""
    bus, mark = manager(mode), bench.scratch / "mark"
    run(bench, bus, {"t": shell(f": >{mark}"), "plain": {"exec": ["/bin/true"]}})
    fail = bench.failed(bench.push("t"))
    assert fail["errtype"] == "HandlerUnavailable"
    assert fail["message"] == f"/bin/sh: transient unit: {bus.asked[0][0]}: {reason}"
    bench.acked(bench.push("plain"))
    assert not mark.exists()
    nothing_left(bench)


@possible
@pytest.mark.slow(21)
def test_a_manager_that_hangs_holds_up_nobody_else(bench, manager):
    """Twice as many jobs wait for it as there are threads to wait: others start
    and end before a second one in any thread has failed, and these fail when the
    time limit has passed."""
    bus, mark = manager(), bench.scratch / "mark"
    run(bench, bus, {"t": shell(f": >{mark}"), "plain": {"exec": ["/bin/true"]}})
    bench.acked(bench.push("plain"))
    bus.mode = "hangs"
    waiting = [bench.push("t") for _ in range(16)]
    wait_for("inits that wait", lambda: inits(bench.process.pid))
    bench.acked(bench.push("plain"))
    assert sum(bool(bench.tap.about("FAIL", jid)) for jid in waiting) <= 8
    failed = [bench.failed(jid, limit=90) for jid in waiting]
    assert all(f["errtype"] == "HandlerUnavailable" and
        f["message"].endswith(".scope: the service manager does not answer") for f in failed), failed
    assert not mark.exists()
    nothing_left(bench)


@possible
def test_stop_while_a_unit_is_waited_for(bench, manager):
    """A supervisor that stops does not wait for its manager, and leaves nobody."""
    bus = manager()
    run(bench, bus, {"t": shell("exit 0"), "plain": {"exec": ["/bin/true"]}},
        shutdown={"grace": "0s"}, defaults={"grace": "0s"})
    bench.acked(bench.push("plain"))
    bus.mode = "hangs"
    bench.push("t")
    held = wait_for("an init", lambda: inits(bench.process.pid))
    bench.supervisor.signal(signal.SIGTERM)
    wait_for("the end", lambda: bench.process.poll() is not None, 60)
    wait_for("nobody", lambda: not any(alive(pid) for pid in held))


@possible
@grouped
def test_a_unit_ends_with_its_job(bench, manager):
    """What has broken away, without a trace of its dispatch, is dead before the
    ACK; a program that is stopped gets TERM, its grace, and KILL for all."""
    bus = manager()
    run(bench, bus, {"leaves": shell(FREE.format(n=7790)),
        "deaf": shell("trap '' TERM\n" + FREE.format(n=7791) + "while :; do sleep 1; done",
            timeout="1s", grace="1s")})
    bench.acked(bench.push("leaves"))
    assert not of(7790)
    bench.supervisor.says(re.compile(r"left \d+ processes behind; killed"))
    fail = bench.failed(bench.push("deaf"))
    assert fail["errtype"] == "Timeout" and "killed" in fail["message"]
    assert not of(7791)
    wait_for("empty groups", lambda: is_empty(bus))


@possible
@grouped
def test_leftover_wait(bench, manager):
    """The init that is in the unit is nobody's leftover: the job goes on as long
    as what the program left, and no longer."""
    go, bus = bench.scratch / "go", manager()
    run(bench, bus, {"t": shell(f"(setsid env -i /bin/sh -c 'while ! [ -e {go} ]; do sleep 0.1; done' "
        ">/dev/null 2>&1 </dev/null 3>&- &)", leftover="wait"), "none": shell("exit 0", leftover="wait"),
        "plain": {"exec": ["/bin/true"]}})
    jid = bench.push("t")
    bench.acked(bench.push("none"), bench.push("plain"))
    assert not bench.tap.about("ACK", jid)
    go.touch()
    bench.acked(jid)
    assert "left" not in "".join(l for l in bench.supervisor.output().splitlines() if "behind" in l)


@possible
@grouped
@pytest.mark.parametrize("upgrade", ["on", "off"])
def test_dies_with_its_supervisor(bench, manager, upgrade):
    """The unit is outside of the supervisor's own: its init sees to its end."""
    bus = manager()
    run(bench, bus, {"t": shell(FREE.format(n=7792) + "sleep 7793")}, upgrade=upgrade)
    bench.push("t")
    wait_for("both to run", lambda: of(7792) and of(7793))
    bench.supervisor.kill9()
    wait_for("both to end", lambda: not of(7792) and not of(7793))
    wait_for("empty groups", lambda: is_empty(bus))


@possible
@grouped
def test_upgrade_carries_it(bench, manager):
    """A job in a unit goes on over an upgrade in place, and its unit is emptied
    by the successor."""
    go, bus = bench.scratch / "go", manager()
    run(bench, bus, {"t": shell(FREE.format(n=7794) + f"while ! [ -e {go} ]; do sleep 0.1; done; exit 3")},
        upgrade="on")
    jid = bench.push("t")
    wait_for("it to run", lambda: of(7794))
    bench.supervisor.signal(signal.SIGUSR2)
    bench.supervisor.says("going on with 1 jobs")
    assert of(7794) and not is_empty(bus)
    go.touch()
    assert bench.failed(jid)["message"].startswith("exit 3")
    assert not of(7794)
    bench.failed(bench.push("t"))
    assert len(bus.asked) == 2
    nothing_left(bench)
    wait_for("empty groups", lambda: is_empty(bus))


@possible
def test_a_reload_without_a_bus_is_refused(bench, manager):
    """At a reload as at the start; the loop does not wait for it."""
    bus = manager()
    run(bench, bus, {"t": {"exec": ["/bin/true"]}})
    bench.acked(bench.push("t"))
    bus.leave()
    config = json.loads(bench.supervisor.config.read_text())
    config["jobs"]["t"]["isolate"] = "transient-unit"
    bench.supervisor.config.write_text(json.dumps(config))
    bench.supervisor.signal(signal.SIGHUP)
    bench.supervisor.says("isolate: transient-unit: the system bus cannot be reached", 60)
    bench.supervisor.says("nothing was changed")
    bench.acked(bench.push("t"))
