"""The control socket and the operator's verbs.

SPDX-License-Identifier: ISC
"""
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import stat
import struct
import subprocess
import tempfile
import termios
import threading
import time
from pathlib import Path

import pytest

from support.orders import Orders, as_user
from support.program import environment, run
from support.supervisor import FAKTOTUM, script
from support.waiting import SLOW, ceiling, wait_for

QUIET = b'$17\r\n{"state":"quiet"}\r\n'


@pytest.fixture
def place():
    """A directory with a short name, as the name of a socket must be."""
    path = Path(tempfile.mkdtemp(prefix="fkt", dir="/tmp"))
    yield path
    shutil.rmtree(path)


class Desk:
    """A bench whose supervisor takes orders."""

    def __init__(self, bench, place):
        self.bench, self.place = bench, place
        self.path = place / "s"
        self.orders = Orders(self.path)
        self.go = bench.scratch / "go"

    def run(self, jobs, control=None, **settings):
        settings["control"] = dict({"socket": str(self.path)}, **(control or {}))
        s = self.bench.run(jobs, **settings)
        wait_for("it to take orders", lambda: not s.alive() or self.answering() == s.pid, 20)
        return s

    def answering(self):
        """The pid of the supervisor that answers here, or None."""
        done = self.orders.verb("status", "--json")
        return json.loads(done.stdout)["supervisor"]["pid"] if done.returncode == 0 else None

    def waiting(self, text="exit 0"):
        """A handler that ends when go is there."""
        return self.bench.script("waiting",
            f"while ! [ -e {self.go} ]; do sleep 0.05; done; {text}")

    def running(self, jid):
        wait_for(f"{jid} to run", lambda:
            self.orders.jobs().get(jid, {}).get("state") == "running")
        return jid


@pytest.fixture
def desk(bench, place):
    return Desk(bench, place)


# ---- status and top ----

def test_status_tells_everything(desk, bench):
    """Who it is, whom it works for, what it has done, and each job with its
    pid, times and progress; as JSON, and as a table."""
    s = desk.run({"t": {"exec": [bench.script("h", f"""
printf '{{"type":"progress","percent":40,"desc":"page 2"}}\\n' >&3
while ! [ -e {desk.go} ]; do sleep 0.05; done""")], "timeout": "90s", "concurrency": 1},
        "quick": bench.script("quick", "exit 0"), "bad": bench.script("bad", "exit 1")})
    bench.acked(bench.push("quick"))
    bench.failed(bench.push("bad"))
    jid = desk.running(bench.push("t"))
    held = bench.push("t")
    wait_for("the second to be held", lambda: held in desk.orders.jobs())
    wait_for("the progress", lambda: desk.orders.jobs()[jid]["percent"] == 40)
    wait_for("the outcomes", lambda: desk.orders.supervisor()["unconfirmed"] == 0)

    seen = desk.orders.status()
    about = seen["supervisor"]
    assert about["pid"] == s.pid and about["wid"] == bench.tap.wid()
    assert about["server"].endswith(str(bench.tap.port))
    assert about["connected"] and about["beating"] and about["unready"] is None
    assert (about["phase"], about["quiet_by"], about["drain"]) == ("running", None, False)
    assert (about["done"], about["failed"], about["busy"], about["held"]) == (1, 1, 2, 1)
    assert about["slots"] == 4 and about["generation"] == 1 and about["uptime_s"] > 0
    assert seen["left_out"] == 0

    job, other = seen["jobs"]
    assert (job["jid"], job["jobtype"], job["queue"], job["attempt"]) == (jid, "t", "default", 1)
    assert job["dispatch"].startswith(about["wid"])
    assert (job["state"], job["desc"]) == ("running", "page 2")
    assert Path(f"/proc/{job['pid']}/stat").read_text().split()[3] == str(s.pid)
    assert 0 <= job["age_s"] < 60 * SLOW and 20 < job["left_s"] <= 90
    assert (other["jid"], other["state"], other["pid"], other["percent"]) == (held, "held", None, None)

    text = desk.orders.does("status")
    assert re.search(rf"running +{job['pid']} .* 40% t +{jid} +page 2\n", text), text
    assert re.search(rf"held +- .* t +{held}\n", text)
    assert "2 of 4 in use, 1 held" in text
    # HUP reads the file again: another generation.
    s.signal(signal.SIGHUP)
    wait_for("the reload", lambda: desk.orders.supervisor()["generation"] == 2)
    desk.go.touch()
    bench.acked(jid, held)


def test_health_and_readiness_by_command(desk, bench, place):
    """0 while jobs are asked for, 1 and the reason while not, 69 when nobody
    is there; the words are those of /readyz."""
    s = desk.run({"t": bench.script("h", "exit 0")})
    wait_for("it to be ready", lambda: desk.orders.verb("status", "--ready").returncode == 0)
    assert desk.orders.does("status", "--ready") == "ready\n"
    desk.orders.does("quiet")
    done = desk.orders.verb("status", "--ready")
    assert (done.returncode, done.stdout, done.stderr) == \
        (1, b"quiet, asked by the operator: no more jobs are fetched\n", b"")
    desk.orders.does("resume")
    bench.server.kill9()
    wait_for("it to notice", lambda: desk.orders.verb("status", "--ready").stdout
        == b"not connected to the server\n")
    assert desk.orders.verb("status", "--ready", "--json").returncode == 64
    assert s.stop() == 0
    assert desk.orders.verb("status", "--ready").returncode == 69


def test_status_shows_breakers(desk, bench):
    """A handler that is left alone is named with its reason and its next try;
    one that works is not."""
    path = bench.script("gone", "exit 0")
    s = desk.run({"t": {"exec": [path], "breaker": {"cooldown": "1h", "max_cooldown": "1h",
        "hold": "0s"}}, "quick": bench.script("quick", "exit 0")})
    bench.acked(bench.push("quick"))
    assert desk.orders.supervisor()["breakers"] == []
    assert "\nbreaker" not in desk.orders.does("status")
    Path(path).unlink()
    bench.push("t")
    s.says("breaker open", 30)
    (one,) = desk.orders.supervisor()["breakers"]
    assert (one["jobtype"], one["state"]) == ("t", "open")
    assert "No such file" in one["reason"] and 0 < one["left_s"] <= 3600
    text = desk.orders.does("status")
    assert re.search(r"^breaker   t is open, tried again in (1h00m|\d+m\d\ds): .*No such file",
        text, re.M), text


def test_status_while_fifty_jobs_run(desk, bench):
    """Fifty running jobs are all there, each with a program of its own."""
    desk.run({"t": desk.waiting()}, concurrency=50)
    jids = [bench.push("t") for _ in range(50)]
    wait_for("fifty programs", lambda: sum(j["state"] == "running"
        for j in desk.orders.jobs().values()) == 50, 60)
    jobs = desk.orders.jobs()
    assert sorted(jobs) == sorted(jids)
    assert len({j["pid"] for j in jobs.values()}) == 50
    desk.go.touch()
    bench.acked(*jids, limit=60)


def test_foreign_text_does_not_reach_the_terminal(desk, bench):
    """What a job calls itself and says of itself is shown, never obeyed."""
    desk.run({"e\033[2Jvil": bench.script("h", f"""
printf '{{"type":"progress","percent":1,"desc":"\\\\u001b[31m\\\\u0085x"}}\\n' >&3
printf 'a\\033]0;title\\007b\\302\\205c\\177d\\n'
while ! [ -e {desk.go} ]; do sleep 0.05; done""")})
    jid = desk.running(bench.push("e\033[2Jvil"))
    wait_for("the progress", lambda: desk.orders.jobs()[jid]["desc"])
    tail = desk.orders.begin(bench.scratch / "tail.log", "tail", jid)
    tail.says("title")
    desk.go.touch()
    wait_for("all of it", lambda: not tail.alive())
    for text in (desk.orders.does("status"), desk.orders.does("status", "--json"), tail.output()):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text), repr(text)
    assert tail.output() == "a\\x1b]0;title\\x07b\\xc2\\x85c\\x7fd\n"


def test_top_repeats_where_there_is_no_terminal(desk, bench):
    """One table after the other, an empty line between, until it is ended;
    --once shows one."""
    desk.run({"t": desk.waiting()})
    desk.running(bench.push("t"))
    top = desk.orders.begin(bench.scratch / "top.log", "top", "--every", "100ms")
    wait_for("three tables", lambda: top.output().count("faktotum 0.") >= 3)
    top.signal(signal.SIGTERM)
    top.wait()
    assert "\n\nfaktotum 0." in top.output() and "\033" not in top.output()
    once = desk.orders.does("top", "--once")
    assert once.count("faktotum 0.") == 1 and "running" in once
    assert desk.orders.refuses("top", "--every", "1ms", status=64)
    desk.go.touch()


def test_top_redraws_a_terminal(desk, bench):
    """On a terminal the table is drawn over itself and cut to its size; what
    does not fit is counted."""
    desk.run({"t": desk.waiting()}, concurrency=30)
    jids = [bench.push("t") for _ in range(30)]
    wait_for("thirty programs", lambda: len(desk.orders.jobs()) == 30)
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 60, 0, 0))
    top = subprocess.Popen([FAKTOTUM, "top", "--socket", desk.path, "--every", "100ms"],
        stdout=slave, stdin=slave, env=environment())
    seen = b""
    try:
        end = time.monotonic() + ceiling(30)
        while seen.count(b"\033[H") < 4 and time.monotonic() < end:
            seen += os.read(master, 65536)
    finally:
        top.kill()
        top.wait()
        os.close(master)
        os.close(slave)
    screens = seen.decode().split("\033[H")[1:-1]
    assert len(screens) >= 2
    for screen in screens:
        lines = screen.replace("\033[K", "").replace("\033[J", "").split("\r\n")[:-1]
        assert len(lines) == 19
        assert max(map(len, lines)) <= 60
        shown = sum(any(jid in l for jid in jids) or l.startswith("running") for l in lines)
        assert lines[-1] == f"and {30 - shown} more"
    desk.go.touch()
    bench.acked(*jids, limit=60)


# ---- cancel ----

def test_cancel_ends_the_tree(desk, bench):
    """The program and all that it started are gone, TERM and grace first; the
    job fails as Cancelled; the reason is in its private directory."""
    desk.run({"t": {"exec": [bench.script("h", f"""
trap 'cat "$FAKTORY_TMPDIR/cancel" >{bench.scratch}/why' TERM
(trap '' TERM; while :; do date +%N >>{bench.scratch}/alive; sleep 0.02; done) &
touch {bench.scratch}/up
while :; do sleep 0.05; done""")], "grace": "1s"}})
    jid = bench.push("t")
    wait_for("the program", (bench.scratch / "up").exists)
    began = time.monotonic()
    assert desk.orders.does("cancel", jid) == f"{jid} is ending\n"
    assert desk.orders.jobs()[jid]["state"] == "ending"
    failed = bench.failed(jid)
    assert failed["errtype"] == "Cancelled"
    assert time.monotonic() - began >= 1
    assert bench.read("why") == b"user\n"
    seen = bench.read("alive")
    time.sleep(0.2)
    assert bench.read("alive") == seen
    assert not desk.orders.jobs()


def test_cancel_of_held_and_unknown_jobs(desk, bench):
    """A held job is not run. One that is not here is told, exit 1, and does
    not keep the others from being ended."""
    mark = bench.scratch / "ran"
    desk.run({"t": {"exec": [desk.waiting(f"echo $FAKTORY_JID >>{mark}")], "concurrency": 1}})
    first = desk.running(bench.push("t"))
    held = bench.push("t")
    wait_for("the second to be held", lambda: held in desk.orders.jobs())
    done = desk.orders.verb("cancel", "no\033such", held)
    assert done.returncode == 1
    assert done.stdout.decode() == f"{held} is ending\n"
    assert done.stderr == b"faktotum cancel: no job no\\x1bsuch is here\n"
    assert bench.failed(held)["errtype"] == "Cancelled"
    desk.go.touch()
    bench.acked(first)
    assert mark.read_text() == first + "\n"
    assert desk.orders.refuses("cancel", status=64)


# ---- quiet, resume ----

def test_quiet_and_resume_with_beats_between(desk, bench):
    """Quiet fetches nothing and tells the server nothing, so that it has
    nothing to repeat: after many beats resume still works."""
    desk.run({"t": bench.script("h", "exit 0"), "w": desk.waiting()}, http={"listen": "127.0.0.1:0"})
    slow = desk.running(bench.push("w"))
    assert desk.orders.does("quiet") == "quiet: no more jobs are fetched; 1 at work\n"
    assert desk.orders.does("quiet")
    about = desk.orders.supervisor()
    assert (about["phase"], about["quiet_by"], about["drain"]) == ("quiet", "operator", False)
    assert about["unready"] == "quiet, asked by the operator: no more jobs are fetched"
    fetches = lambda: len(bench.tap.fetches())
    bench.asks_no_more()
    before = fetches()
    jid = bench.push("t")
    bench.beats(3)
    assert fetches() == before and not bench.tap.about("ACK", jid)
    assert not any("current_state" in b for b in bench.tap.sent("BEAT"))
    desk.go.touch()
    bench.acked(slow)  # quiet ends nothing
    assert desk.orders.does("resume").startswith("jobs are fetched")
    bench.acked(jid)
    assert desk.orders.supervisor()["quiet_by"] is None
    assert desk.orders.does("resume")  # nothing to take back is no fault


def test_tstp_is_taken_back_too(desk, bench):
    """The signal is the operator's as the verb is."""
    s = desk.run({"t": bench.script("h", "exit 0")})
    s.signal(signal.SIGTSTP)
    wait_for("quiet", lambda: desk.orders.supervisor()["quiet_by"] == "operator")
    desk.orders.does("resume")
    bench.acked(bench.push("t"))


def test_what_the_server_said_is_not_taken_back(desk, bench):
    """A server's quiet stays, whatever the operator said before or says
    then, and each is told who it was."""
    desk.run({"t": bench.script("h", "exit 0")})
    bench.acked(bench.push("t"))
    desk.orders.does("quiet")
    bench.tap.rule = lambda n, request, reply: QUIET if request.startswith("BEAT") else reply
    wait_for("the server's quiet", lambda: desk.orders.supervisor()["quiet_by"] == "both")
    bench.tap.rule = None
    assert "the server asked for quiet" in desk.orders.refuses("resume")
    about = desk.orders.supervisor()
    assert about["quiet_by"] == "both" and "by the operator and by the server" in about["unready"]
    wait_for("a BEAT that says so", lambda:
        bench.tap.sent("BEAT")[-1].get("current_state") == "quiet")


# ---- drain ----

def test_drain_loses_nothing(desk, bench):
    """Jobs that run and jobs that are held are done, however long after
    shutdown.grace; the rest stays with the server; exit 0."""
    s = desk.run({"t": {"exec": [desk.waiting()], "concurrency": 1, "grace": "0s"},
        "u": {"exec": [bench.script("u", "exit 0")], "grace": "0s"}}, shutdown={"grace": "0s"})
    jids = [bench.push("t") for _ in range(2)]
    wait_for("one to run and one to be held", lambda: sorted(
        j["state"] for j in desk.orders.jobs().values()) == ["held", "running"])
    log = bench.scratch / "drain.log"
    waits = desk.orders.begin(log, "drain", "--wait")
    waits.says("2 at work")
    assert "2 at work" in desk.orders.does("drain")
    about = desk.orders.supervisor()
    assert about["drain"] and about["unready"].startswith("draining, asked by the operator")
    bench.asks_no_more()
    later = bench.push("u")
    bench.beats()
    assert s.alive() and waits.alive()
    desk.go.touch()
    assert s.wait() == 0, s.output()
    assert waits.wait() == 0, waits.output()
    assert waits.output().splitlines()[0] == "2 at work"
    assert waits.output().splitlines()[-1] == "drained"
    bench.process = waits.process  # not the supervisor's: it has ended
    for jid in jids:
        assert bench.tap.about("ACK", jid)
    assert not bench.tap.sent("FAIL") and len(bench.tap.lines("END")) >= 1
    assert bench.client.fetch()["jid"] == later
    assert not desk.path.exists()


def test_drain_with_nothing_to_do(desk, bench):
    """It ends at once."""
    s = desk.run({"t": bench.script("h", "exit 0")})
    bench.acked(bench.push("t"))
    assert desk.orders.does("drain", "--wait").endswith("drained\n")
    assert s.wait() == 0


def test_a_drain_is_called_off(desk, bench):
    """resume takes it back; who waits hears of it, exit 1."""
    s = desk.run({"t": desk.waiting(), "u": bench.script("u", "exit 0")})
    slow = desk.running(bench.push("t"))
    waits = desk.orders.begin(bench.scratch / "drain.log", "drain", "--wait")
    waits.says("1 at work")
    desk.orders.does("resume")
    assert waits.wait() == 1
    assert "the drain was called off" in waits.output()
    bench.acked(bench.push("u"))
    desk.go.touch()
    bench.acked(slow)
    assert s.alive()


def test_a_drain_that_is_cut_short_is_no_success(desk, bench):
    """TERM while it drains stops what runs after shutdown.grace: who waits
    hears that, exit 1."""
    s = desk.run({"t": {"exec": [bench.script("h", "exec sleep 60")], "grace": "0s"}},
        shutdown={"grace": "0s"})
    jid = desk.running(bench.push("t"))
    waits = desk.orders.begin(bench.scratch / "drain.log", "drain", "--wait")
    waits.says("1 at work")
    s.signal(signal.SIGTERM)
    assert s.wait() == 0
    assert waits.wait() == 1
    assert "programs were stopped" in waits.output()
    assert bench.tap.about("RELEASE", jid)  # our server takes it back


# ---- tail ----

def test_tail_of_one_job(desk, bench):
    """What was printed before is there, what comes is shown while the job
    runs, both streams, and the end of the job is the end."""
    desk.run({"t": bench.script("h", f"""
echo early; echo on stderr >&2; printf half
while ! [ -e {bench.scratch}/a ]; do sleep 0.02; done; echo ' done'; echo '<3>oh'
while ! [ -e {desk.go} ]; do sleep 0.02; done; echo last""")})
    jid = desk.running(bench.push("t"))
    tail = desk.orders.begin(bench.scratch / "tail.log", "tail", jid)
    tail.says("on stderr")
    assert sorted(tail.output().splitlines()) == ["early", "on stderr"]
    (bench.scratch / "a").touch()
    tail.says("half done\noh\n")
    assert not bench.tap.about("ACK", jid)
    desk.go.touch()
    assert tail.wait() == 0
    assert tail.output().endswith("last\n")
    bench.acked(jid)
    assert "no job" in desk.orders.refuses("tail", jid)


def test_tail_of_all_jobs(desk, bench):
    """From now on, each line with its job; jobs that begin later too."""
    desk.run({"old": bench.script("old", f"""
echo before; while ! [ -e {bench.scratch}/a ]; do sleep 0.02; done; echo old-line
while ! [ -e {desk.go} ]; do sleep 0.05; done"""), "new": bench.script("new", "echo new-line")})
    old = desk.running(bench.push("old"))
    wait_for("its line", lambda: "before" in bench.supervisor.output())
    tail = desk.orders.begin(bench.scratch / "tail.log", "tail")
    raw = desk.orders.begin(bench.scratch / "raw.log", "tail", "--json")
    raw.says('{"listening":true}')
    tail.says("listening to all jobs")
    (bench.scratch / "a").touch()
    tail.says(f"jid={old} type=old  old-line\n")
    new = bench.push("new")
    tail.says(f"jid={new} type=new  [began]\njid={new} type=new  new-line\n")
    tail.says(f"jid={new}  [ended]\n")
    assert "before" not in tail.output()
    raw.says("new-line")
    lines = [json.loads(l) for l in raw.output().splitlines()]
    assert {"jid": new, "jobtype": "new", "stream": "stdout", "level": "info", "more": False,
        "text": "new-line"} in lines
    assert {"began": new, "jobtype": "new"} in lines
    desk.go.touch()
    bench.acked(old, new)
    for t in (tail, raw):
        t.signal(signal.SIGTERM)
        t.wait()


def test_a_slow_reader_does_not_delay_the_job(desk, bench):
    """A listener that reads nothing costs the job nothing; it is told how
    many lines it has missed, and no line is both missed and heard."""
    lines = 50000
    desk.run({"t": {"exec": [bench.script("h", f"""
while ! [ -e {desk.go} ]; do sleep 0.05; done; seq -f '%06.0f xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' {lines}""")],
        "log_rate": 10}}, log={"level": "warning"})
    jid = desk.running(bench.push("t"))
    with desk.orders.dial({"request": "tail", "jid": jid}) as s:
        wait_for("it to listen", lambda: select.select([s], [], [], 0)[0])
        desk.go.touch()
        bench.acked(jid)  # nothing was read until here
        heard = [json.loads(line) for line in s.makefile("rb")]
    numbers = [int(l["text"][:6]) for l in heard if "text" in l]
    left_out = sum(l.get("left_out", 0) for l in heard)
    assert left_out > 0 and numbers == sorted(set(numbers))
    # The job's end is a line too, and may have been left out.
    ended = sum("ended" in l for l in heard)
    assert len(numbers) + ended + left_out == lines + 1
    assert heard[-1] == {"done": True}


# ---- who may ----

def chosen(place):
    """A copy of the program where others can reach it."""
    place.chmod(0o755)
    path = place / "faktotum"
    if not path.exists():
        shutil.copy(FAKTOTUM, path)
        path.chmod(0o755)
    return path


root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


@root_only
def test_others_are_refused(desk, bench, place):
    """The mode keeps other users out; where it does not, the kernel's word
    about the peer does. Nothing happens, and the log names who it was."""
    s = desk.run({"t": desk.waiting()})
    jid = desk.running(bench.push("t"))
    assert stat.S_IMODE(desk.path.stat().st_mode) == 0o600
    program = chosen(place)
    done = as_user(65534, 65534, "", [program, "quiet", "--socket", desk.path])
    assert done.returncode == 77 and b"Permission denied" in done.stderr
    desk.path.chmod(0o666)
    for words in (["status"], ["quiet"], ["cancel", jid], ["tail"]):
        done = as_user(65534, 65534, "0", [program, *words, "--socket", desk.path])
        assert done.returncode == 77, done
        assert b"only root and the supervisor's own user may give orders" in done.stderr
        assert done.stdout == b""
    s.says(re.compile(r"uid 65534, pid \d+ may not give orders here"))
    assert desk.orders.jobs()[jid]["state"] == "running"
    assert desk.orders.supervisor()["quiet_by"] is None
    desk.go.touch()


@root_only
def test_members_of_the_group_may(desk, bench, place):
    """control.group lets its members in, by their first group or another,
    and nobody else."""
    desk.run({"t": bench.script("h", "exit 0")}, control={"group": "users"})
    gid = desk.path.stat().st_gid
    assert stat.S_IMODE(desk.path.stat().st_mode) == 0o660 and gid != 0
    program = chosen(place)
    quiet = [program, "quiet", "--socket", desk.path]
    assert as_user(65534, gid, "", quiet).returncode == 0
    assert as_user(65534, 65534, f"7,{gid},9", quiet).returncode == 0
    done = as_user(65534, 65534, "7,9", quiet)
    assert done.returncode == 77
    desk.path.chmod(0o666)
    done = as_user(65534, 65534, "7,9", quiet)
    assert done.returncode == 77 and b"the group of control.group" in done.stderr


# ---- where it is ----

def test_a_dead_name_is_replaced_and_a_live_one_is_not(desk, bench, start_supervisor):
    """After kill -9 the name is taken over; a second supervisor at the place
    of a live one does not start, and the first goes on."""
    first = desk.run({"t": bench.script("h", "exit 0")})
    first.kill9()
    assert desk.path.is_socket()
    second = desk.run({"t": bench.script("h", "exit 0")})
    assert desk.orders.supervisor()["pid"] == second.pid
    third = start_supervisor(bench.tap.url, {"jobs": {"t": {"exec": ["/bin/true"]}},
        "control": {"socket": str(desk.path)}}, name="third")
    assert third.wait() == 71
    assert f"control.socket: {desk.path}: another supervisor answers there" in third.output()
    assert desk.orders.supervisor()["pid"] == second.pid
    assert second.stop() == 0
    assert not desk.path.exists()


def test_the_place_that_systemd_gives(bench, place, start_supervisor):
    """RUNTIME_DIRECTORY is where it is without a setting, for both ends; a
    second one there goes on without orders, since nobody asked for them; off
    is off."""
    settings = {"jobs": {"t": {"exec": ["/bin/true"]}}}
    env = {"RUNTIME_DIRECTORY": str(place)}
    first = start_supervisor(bench.tap.url, settings, env=env)
    first.says(f"orders are taken at {place}/faktotum.sock")
    done = run([FAKTOTUM, "status"], env=env)
    assert done.returncode == 0 and f"pid {first.pid}".encode() in done.stdout
    done = run([FAKTOTUM, "status", "-c", first.config], env=env)
    assert done.returncode == 0, done
    second = start_supervisor(bench.tap.url, settings, env=env, name="second")
    second.says("going on without orders")
    second.says("connected")
    third = start_supervisor(bench.tap.url, dict(settings, control={"socket": "off"}), env=env,
        name="third")
    third.says("connected")
    assert "orders" not in third.output()
    done = run([FAKTOTUM, "status", "-c", third.config], env=env)
    assert done.returncode == 69 and b"control.socket is off" in done.stderr


def test_nobody_answers(place, tmp_path):
    """One message with every place that was tried, exit 69; a place that was
    named is the only one."""
    done = run([FAKTOTUM, "status"], env={"RUNTIME_DIRECTORY": str(place)})
    assert done.returncode == 69 and done.stdout == b""
    text = done.stderr.decode()
    assert text.count("\n") == 1
    for path in (f"{place}/faktotum.sock", "/run/faktotum/faktotum.sock",
            "/run/faktotum/faktotum/faktotum.sock"):
        assert f"{path} (" in text, text
    done = run([FAKTOTUM, "drain", "--socket", f"{place}/x"], env={"RUNTIME_DIRECTORY": str(place)})
    assert done.returncode == 69
    assert done.stderr.decode() == \
        f"faktotum drain: no supervisor answers at {place}/x (there is no such socket)\n"
    config = tmp_path / "reports.yaml"
    config.write_text("nonsense: 1\n")
    text = run([FAKTOTUM, "quiet", "-c", config]).stderr.decode()
    assert "/run/faktotum/reports/faktotum.sock" in text and "/run/faktotum/faktotum.sock" not in text
    config.write_text(f"control: {{socket: {place}/y}}\n")
    assert f"at {place}/y (" in run([FAKTOTUM, "quiet", "-c", config]).stderr.decode()
    config.write_text("control: {socket: y}\n")
    done = run([FAKTOTUM, "quiet", "-c", config])
    assert done.returncode == 78 and b"reports.yaml:1:19: control.socket" in done.stderr
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(f"{place}/dead")
    text = run([FAKTOTUM, "quiet", "--socket", f"{place}/dead"]).stderr.decode()
    assert "its supervisor has ended" in text


@pytest.mark.parametrize("words", [["status", "x"], ["quiet", "x"], ["resume", "--nope"],
    ["tail", "a", "b"], ["drain", "--socket"], ["cancel"], ["top", "--every", "5"]])
def test_wrong_usage(words):
    """Exit 64, and where to read more."""
    done = run([FAKTOTUM, *words])
    assert done.returncode == 64
    assert done.stderr.decode().startswith(f"faktotum {words[0]}: ")


@pytest.mark.parametrize("verb", ["status", "top", "tail", "cancel", "quiet", "resume", "drain"])
def test_help(verb):
    """Each verb explains itself on standard output."""
    done = run([FAKTOTUM, verb, "--help"])
    assert done.returncode == 0 and done.stderr == b""
    assert done.stdout.decode().startswith(f"Usage: faktotum {verb}")
    assert max(map(len, done.stdout.decode().splitlines())) <= 80


# ---- changes ----

def test_a_reload_keeps_the_place(desk, bench):
    """control.* changes at the next start only, and the log says where it
    stands."""
    s = desk.run({"t": bench.script("h", "exit 0")})
    settings = json.loads(s.config.read_text())
    settings["control"]["socket"] = str(desk.place / "other")
    s.config.write_text(json.dumps(settings))
    s.signal(signal.SIGHUP)
    s.says("control.socket changes at the next start only")
    assert desk.orders.supervisor()["generation"] == 2
    assert not (desk.place / "other").exists()


def ask_on(desk, failures, stop):
    """Orders all the time: each must be taken, and answered to its end."""
    while not stop.is_set():
        try:
            answer = desk.orders.ask(request="status")
            if not answer or not answer[-1].get("done"):
                failures.append(answer)
        except OSError as e:
            failures.append(e)


def upgrade(s):
    before = s.output().count("going on with")
    s.signal(signal.SIGUSR2)
    wait_for("the upgrade", lambda: s.output().count("going on with") > before, 20)


def test_an_upgrade_keeps_socket_and_quiet(desk, bench):
    """The same socket goes on without a moment in which nobody listens, the
    operator's quiet holds, and resume ends it; a tail goes on too."""
    s = desk.run({"t": desk.waiting("echo the end"), "u": bench.script("u", "exit 0")}, upgrade="on")
    jid = desk.running(bench.push("t"))
    tail = desk.orders.begin(bench.scratch / "tail.log", "tail", jid)
    desk.orders.does("quiet")
    inode = desk.path.stat().st_ino
    failures, stop = [], threading.Event()
    asking = threading.Thread(target=ask_on, args=(desk, failures, stop))
    asking.start()
    try:
        for _ in range(3):
            upgrade(s)
    finally:
        stop.set()
        asking.join()
    assert not failures
    about = desk.orders.supervisor()
    assert (about["pid"], about["quiet_by"], about["generation"]) == (s.pid, "operator", 4)
    assert desk.path.stat().st_ino == inode
    assert desk.orders.jobs()[jid]["state"] == "running"
    later = bench.push("u")
    bench.beats(3)
    assert bench.client.size() == 1 and not bench.tap.about("ACK", later)
    assert not any("current_state" in b for b in bench.tap.sent("BEAT"))
    desk.orders.does("resume")
    bench.acked(later)
    desk.go.touch()
    bench.acked(jid)
    assert tail.wait() == 0, tail.output()
    assert tail.output() == "the end\n"
    assert s.stop() == 0
    assert not desk.path.exists()


def test_an_upgrade_keeps_who_has_not_asked_yet(desk):
    """A client that has connected is answered by the successor."""
    s = desk.run({"t": desk.waiting()}, upgrade="on")
    desk.orders.does("status")
    with socket.socket(socket.AF_UNIX) as early, socket.socket(socket.AF_UNIX) as other:
        for one in (early, other):
            one.settimeout(ceiling(30))
            one.connect(str(desk.path))
        # Of those behind them in the queue: both have been let in.
        desk.orders.ask(request="status")
        upgrade(s)
        for one in (early, other):
            one.sendall(b'{"request":"status"}\n')
            about = json.loads(one.makefile("rb").readline())["supervisor"]
            assert (about["pid"], about["generation"]) == (s.pid, 2)
    assert s.stop() == 0


def test_an_upgrade_keeps_a_drain(desk, bench):
    """It still ends after the last job, and who waits is told."""
    s = desk.run({"t": desk.waiting()}, upgrade="on")
    jid = desk.running(bench.push("t"))
    waits = desk.orders.begin(bench.scratch / "drain.log", "drain", "--wait")
    waits.says("1 at work")
    upgrade(s)
    assert desk.orders.supervisor()["drain"]
    desk.go.touch()
    assert s.wait() == 0, s.output()
    assert waits.wait() == 0, waits.output()
    assert waits.output().endswith("drained\n")
    assert bench.tap.about("ACK", jid)


def test_an_upgrade_keeps_what_the_server_said(desk, bench):
    """Who asked is carried over: resume is refused afterwards as before."""
    s = desk.run({"t": bench.script("h", "exit 0")}, upgrade="on")
    bench.acked(bench.push("t"))
    bench.tap.rule = lambda n, request, reply: QUIET if request.startswith("BEAT") else reply
    wait_for("the server's quiet", lambda: desk.orders.supervisor()["quiet_by"] == "server")
    bench.tap.rule = None
    upgrade(s)
    assert desk.orders.supervisor()["quiet_by"] == "server"
    assert "the server asked for quiet" in desk.orders.refuses("resume")


def test_the_service_manager_hears_who_asked(desk, bench, tmp_path):
    """STATUS says it."""
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(desk.place / "notify"))
    manager.settimeout(ceiling(30))
    desk.run({"t": bench.script("h", "exit 0")}, env={"NOTIFY_SOCKET": str(desk.place / "notify")})
    desk.orders.does("quiet")
    while not re.search("STATUS=.*quiet, asked by the operator", manager.recv(4096).decode()):
        pass
    manager.close()


def test_orders_are_in_the_log(desk, bench):
    """Who changed what is on record, with uid and pid."""
    s = desk.run({"t": bench.script("h", "exit 0")})
    desk.orders.does("quiet")
    desk.orders.does("resume")
    desk.orders.verb("cancel", "nonesuch")
    desk.orders.does("status")
    lines = re.findall(rf"control  uid {os.getuid()}, pid \d+: (.*)", s.output())
    assert lines == ["quiet", "resume", "cancel nonesuch"]
