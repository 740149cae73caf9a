"""USR2: another executable in the same process, and no job feels it.

SPDX-License-Identifier: ISC
"""
import json
import os
import shutil
import signal
import time

import pytest

from support.program import BUILD, Program
from support.waiting import wait_for


class Fleet:
    """`faktotum run` from an executable of its own, which a test replaces."""

    def __init__(self, bench, **settings):
        self.bench, self.scratch = bench, bench.scratch
        self.bin = self.scratch / "bin"
        self.bin.mkdir()
        self.path = self.bin / "faktotum"
        shutil.copy(BUILD / "faktotum", self.path)
        self.runs = self.scratch / "runs"
        self.runs.touch()
        self.go = self.scratch / "go"
        self.settings = settings

    def start(self, jobs, env=None, **settings):
        config = {"server": self.bench.tap.url, "beat": "1s", "upgrade": "on",
            "jobs": {n: h if isinstance(h, dict) else {"exec": [h]}
                for n, h in jobs.items()}, **settings}
        config = {k: v for k, v in config.items() if v is not None}
        self.config = self.scratch / "fleet.yaml"
        self.config.write_text(json.dumps(config))
        self.program = Program([self.path, "run", "-c", self.config],
            self.scratch / "fleet.log", env)
        self.bench.supervisor, self.bench.process = self.program, self.program.process
        return self.program

    def replace(self, text=None):
        """As a package manager does: a new file takes the old one's name."""
        new = self.bin / "faktotum.new"
        if text is None:
            shutil.copy(BUILD / "faktotum", new)
        else:
            new.write_text(text)
        new.chmod(0o755)
        new.rename(self.path)

    def waiting_handler(self):
        return self.bench.script("h",
            f'echo "$FAKTORY_JID" >>{self.runs}; '
            f'while ! [ -e {self.go} ]; do sleep 0.1; done; read -r x; echo "out $x"; exit 0')

    def count(self, words):
        return self.program.output().count(words)

    def upgrade(self, words="going on with", sig=signal.SIGUSR2):
        before = self.count(words)
        self.program.signal(sig)
        wait_for(f'"{words}"', lambda: self.count(words) > before or
            not self.program.alive(), 20)
        assert self.program.alive(), self.program.output()

    def close(self):
        self.go.touch()
        for _ in range(3):
            if self.program.alive():
                self.program.signal(signal.SIGTERM)
                time.sleep(0.1)
        self.program.close()


@pytest.fixture
def fleet(bench, ending):
    f = Fleet(bench)
    ending.append(f)
    return f


def executable(pid):
    return os.stat(f"/proc/{pid}/exe").st_ino


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_two_hundred_jobs_survive_ten_upgrades(fleet, bench):
    """200 jobs run while the supervisor becomes another executable ten times:
    each runs once and is acknowledged once, under the same pid and wid, and no
    descriptor is left over."""
    fleet.start({"t": fleet.waiting_handler()}, concurrency=200, log={"level": "warning"})
    jids = [bench.push("t") for _ in range(200)]
    wait_for("200 programs", lambda: len(fleet.runs.read_text().split()) == 200, 60)
    pid = fleet.program.process.pid
    wids = {h["wid"] for h in bench.tap.sent("HELLO") if "wid" in h}
    open_before = None
    for _ in range(10):
        hellos = len(bench.tap.sent("HELLO"))
        inode = executable(pid)
        fleet.replace()
        fleet.program.signal(signal.SIGUSR2)
        wait_for("the new executable", lambda: executable(pid) != inode, 30)
        wait_for("its HELLO", lambda: len(bench.tap.sent("HELLO")) > hellos, 30)
        open_before = open_before or descriptors(pid)
    # Up to four conversations may be open.
    assert descriptors(pid) <= open_before + 4
    fleet.go.touch()
    bench.acked(*jids, limit=60)
    assert sorted(fleet.runs.read_text().split()) == sorted(jids)
    acks = [d["jid"] for d in bench.tap.sent("ACK")]
    assert sorted(acks) == sorted(jids)
    assert not bench.tap.sent("FAIL")
    assert {h["wid"] for h in bench.tap.sent("HELLO") if "wid" in h} == wids


def test_what_a_run_has_said_and_has_not_read_goes_on(fleet, bench):
    """Half a line of output, stderr for the error text, unread input, the
    deadline, the exit codes and the private directory are carried over."""
    go, began = bench.scratch / "on", bench.scratch / "began"
    program = bench.script("h", f"""
printf 'first half, '; echo 'the reason' >&2; touch {began} "$FAKTORY_TMPDIR/x"
while ! [ -e {go} ]; do sleep 0.02; done
echo 'second half'; n=$(wc -c); [ -e "$FAKTORY_TMPDIR/x" ] || exit 9
echo "read $n"; exit 4""")
    marked = bench.scratch / "marked"
    slow = bench.script("slow", f"touch {marked}; exec sleep 60")
    fleet.start({"t": program, "slow": slow})
    settings = json.loads(fleet.config.read_text())
    settings["jobs"]["slow"]["timeout"] = "4s"
    jid = bench.push("t", "x" * 300000)
    wait_for("it to run", began.exists)
    fleet.config.write_text(json.dumps(settings))  # not while it is being read
    fleet.upgrade(sig=signal.SIGHUP, words="jobs at work keep their settings")
    late = bench.push("slow")
    wait_for("both to run", marked.exists)
    began_at = time.monotonic()
    fleet.replace()
    fleet.upgrade()
    go.touch()
    failed = bench.failed(jid)
    assert failed["message"] == "exit 4: the reason"
    out = fleet.program.output()
    assert "first half, second half" in out
    assert any(int(l.rsplit(" ", 1)[1]) > 300000 for l in out.splitlines() if "  read " in l)
    assert bench.failed(late)["errtype"] == "Timeout"
    assert time.monotonic() - began_at < 59  # the program's own end is no Timeout


@pytest.mark.parametrize("text,why", [
    ("#!/bin/sh\necho not today >&2; exit 3\n", "its check ended with exit status 3"),
    ("#!/nonexistent/interpreter\n", "No such file or directory"),
    ("no program\n", "Exec format error"),
    ("#!/bin/sh\nkill -SEGV $$\n", "its check ended with signal 11"),
])
def test_a_new_program_that_refuses_changes_nothing(fleet, bench, text, why):
    """The old program goes on, with its jobs, and says why."""
    fleet.start({"t": fleet.waiting_handler(), "fast": "/bin/true"})
    jid = bench.push("t")
    wait_for("it to run", lambda: fleet.runs.read_text() == jid + "\n")
    fleet.replace(text)
    fleet.upgrade("going on as before")
    assert why in fleet.program.output()
    bench.acked(bench.push("fast"))
    fleet.replace()
    fleet.upgrade()
    fleet.go.touch()
    bench.acked(jid)
    assert fleet.runs.read_text() == jid + "\n"


@pytest.mark.slow(15)
def test_a_check_that_hangs_changes_nothing(fleet, bench):
    """A check has 15 s; jobs are fetched and run meanwhile."""
    fleet.start({"t": "/bin/true"})
    bench.acked(bench.push("t"))
    fleet.replace("#!/bin/sh\nsleep 1000\n")
    fleet.program.signal(signal.SIGUSR2)
    for _ in range(3):
        bench.acked(bench.push("t"))
    wait_for("its end", lambda: fleet.count("its check takes too long"), 30)
    bench.acked(bench.push("t"))


def test_a_bad_configuration_is_found_by_the_check(fleet, bench):
    """The new program reads the file before it takes over; the mistake is in
    the log with its place."""
    fleet.start({"t": "/bin/true"})
    bench.acked(bench.push("t"))
    good = fleet.config.read_text()
    fleet.config.write_text("concurrency: many\njobs: {t: {exec: [/bin/true]}}\n")
    fleet.upgrade("going on as before")
    assert "fleet.yaml:1:14: concurrency" in fleet.program.output()
    fleet.config.write_text(good)
    fleet.upgrade()
    bench.acked(bench.push("t"))


def test_a_program_that_crashes_after_exec(fleet, bench):
    """It ends the process, with which exit status is the program's; the
    service manager ends what it left and starts it again. Nothing is told to
    the server, so the jobs come back when their reservations end."""
    fleet.start({"t": fleet.waiting_handler()})
    jid = bench.push("t")
    wait_for("it to run", lambda: fleet.runs.read_text() == jid + "\n")
    fleet.replace('#!/bin/sh\ncase "$*" in *--upgrade-check*) exit 0;; esac\nexit 5\n')
    fleet.program.signal(signal.SIGUSR2)
    assert fleet.program.wait() == 5
    assert not bench.tap.sent("ACK") and not bench.tap.sent("FAIL")


def test_a_damaged_state_ends_the_programs_and_not_the_service(fleet, bench):
    """A successor that cannot read its state kills the programs that it does
    not know and works on; their jobs come back when their reservations end."""
    fleet.start({"t": fleet.waiting_handler(), "fast": "/bin/true"})
    jid = bench.push("t")
    wait_for("it to run", lambda: fleet.runs.read_text() == jid + "\n")
    keep = fleet.bin / "real"
    shutil.copy(BUILD / "faktotum", keep)
    fleet.replace(f"""#!/bin/sh
case "$*" in *--upgrade-check*) exit 0;; esac
eval "exec $FAKTOTUM_HANDOVER<&-"
export FAKTOTUM_HANDOVER=9
head -c 100 /dev/urandom >{fleet.scratch}/state
exec 9<{fleet.scratch}/state
exec {keep} "$@"
""")
    pid = fleet.program.process.pid
    fleet.program.signal(signal.SIGUSR2)
    wait_for("the complaint",
        lambda: fleet.count("the state is damaged, or of another version; 1 programs were killed"))
    bench.acked(bench.push("fast"))
    children = open(f"/proc/{pid}/task/{pid}/children").read().split()
    assert children == [] and not bench.tap.about("ACK", jid)


def test_a_reload_takes_a_new_executable_into_use(fleet, bench):
    """HUP after a package upgrade is an upgrade; without one it is a reload.
    The service manager hears RELOADING and READY in either case."""
    fleet.start({"t": fleet.waiting_handler()})
    jid = bench.push("t")
    wait_for("it to run", lambda: fleet.runs.read_text() == jid + "\n")
    fleet.upgrade("jobs at work keep their settings", signal.SIGHUP)
    assert fleet.count("going on with") == 0
    fleet.replace()
    fleet.upgrade("going on with 1 jobs", signal.SIGHUP)
    fleet.go.touch()
    bench.acked(jid)


def test_jobs_of_a_type_that_is_gone_end_by_their_old_settings(fleet, bench):
    """A job that runs and one that waits for it, whose type is not in the file
    any more: both are done, one after the other."""
    fleet.start({"t": fleet.waiting_handler()})
    settings = json.loads(fleet.config.read_text())
    settings["jobs"]["t"]["concurrency"] = 1
    wait_for("a connection", lambda: fleet.count("connected as"))
    fleet.config.write_text(json.dumps(settings))  # not while it is being read
    fleet.upgrade("going on with 0 jobs")
    jids = [bench.push("t"), bench.push("t")]
    wait_for("one to run", lambda: fleet.runs.read_text())
    wait_for("both to be fetched",
        lambda: bench.client.info()["faktory"]["queues"].get("default", 0) == 0)
    settings["jobs"] = {"u": {"exec": ["/bin/true"]}}
    fleet.config.write_text(json.dumps(settings))
    fleet.upgrade("going on with 2 jobs")
    bench.acked(bench.push("u"))
    assert len(fleet.runs.read_text().split()) == 1
    fleet.go.touch()
    bench.acked(*jids)


def test_switched_off_programs_die_with_the_supervisor(fleet, bench):
    """upgrade: off refuses USR2, and a kill -9 of the supervisor takes its
    programs along."""
    pids = bench.scratch / "pids"
    fleet.start({"t": bench.script("h", f"echo $$ >{pids}; exec sleep 100")}, upgrade="off")
    bench.push("t")
    wait_for("it to run", lambda: pids.exists() and pids.read_text())
    fleet.program.signal(signal.SIGUSR2)
    wait_for("the refusal", lambda: fleet.count("upgrade in place is off"))
    fleet.program.signal(signal.SIGKILL)
    fleet.program.wait()
    wait_for("the program's end", lambda: not os.path.exists(f"/proc/{pids.read_text().strip()}"))


def test_secrets_of_the_environment_go_on_unseen(fleet, bench, start_server):
    """A password from the environment still serves the successor, and is
    neither in its environment nor in its arguments."""
    server = start_server(env={"FAKTORY_PASSWORD": "s3cret-word"})
    fleet.start({"t": "/bin/true"}, server=None, env={
        "FAKTORY_URL": f"tcp://:s3cret-word@127.0.0.1:{server.port}"})
    wait_for("a connection", lambda: fleet.count("connected as"))
    fleet.upgrade("connected as")
    pid = fleet.program.process.pid
    for name in ("environ", "cmdline"):
        assert b"s3cret" not in open(f"/proc/{pid}/{name}", "rb").read()


def test_messages_go_on(fleet, bench):
    """A program goes on talking to the successor over the same descriptor 3,
    which knows what was said before."""
    fleet.start({"t": bench.script("h", f"""
printf '{{"type":"error","errtype":"Before"}}\\n' >&3
echo >>{fleet.runs}
while ! [ -e {fleet.go} ]; do sleep 0.1; done
printf '{{"type":"log","msg":"still here"}}\\n' >&3
exit 3""")})
    jid = bench.push("t")
    wait_for("the program to run", lambda: fleet.runs.read_text())
    fleet.upgrade()
    fleet.go.touch()
    assert bench.failed(jid)["errtype"] == "Before"
    fleet.program.says("still here")
