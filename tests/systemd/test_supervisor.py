"""faktotum.service and faktotum@.service.

SPDX-License-Identifier: ISC
"""
import json
import os
import pwd
import shutil
import signal
from pathlib import Path

from conftest import ETC, sh
from support.waiting import wait_for

UNIT = "faktotum.service"
WAITS = "until test -e /var/lib/flags/go; do sleep 0.1; done"


def log(unit=UNIT):
    return sh("journalctl", "-u", unit, "-o", "cat").stdout


def open_files(pid):
    return {os.readlink(f) for f in Path(f"/proc/{pid}/fd").iterdir()}


def test_jobs_run_as_the_unit_s_user(served):
    """The user comes from sysusers.d, the directories from the unit; a job sees
    neither the password's directory nor the manager's socket."""
    served.configure(jobs={"t": {"exec": [served.script("h",
        "id -un >/var/lib/flags/who; env >/var/lib/flags/env; "
        "touch /usr/x 2>/var/lib/flags/usr; grep NoNewPrivs /proc/self/status "
        ">/var/lib/flags/privs")]}}, state_dir="/var/lib/faktotum-worker/faktotum")
    Path("/var/lib/flags").mkdir(exist_ok=True)
    Path("/var/lib/flags").chmod(0o1777)
    served.ctl("start", UNIT)
    served.status_says(UNIT, "ready;")
    served.push("t")
    served.wait_done(1)
    flags = Path("/var/lib/flags")
    assert (flags / "who").read_text() == "faktotum\n"
    environment = (flags / "env").read_text()
    for name in ("NOTIFY_SOCKET", "WATCHDOG", "CREDENTIALS_DIRECTORY", "STATE_DIRECTORY"):
        assert name not in environment
    assert "Read-only file system" in (flags / "usr").read_text()
    assert (flags / "privs").read_text().split() == ["NoNewPrivs:", "1"]
    user = pwd.getpwnam("faktotum")
    for directory, mode in (("/var/lib/faktotum-worker/faktotum", 0o700),
            ("/run/faktotum/faktotum", 0o750)):
        found = os.stat(directory)
        assert (found.st_uid, found.st_mode & 0o7777) == (user.pw_uid, mode)
    assert "/var/lib/faktotum-worker/faktotum" in open_files(served.pid(UNIT))
    assert served.show(UNIT, "Slice") == "jobs.slice"


def test_the_journal_has_levels(served):
    """Lines of the log arrive with their level: journalctl -p works."""
    served.configure(jobs={"t": {"exec": ["/bin/false"]}})
    served.ctl("start", UNIT)
    jid = served.push("t", retry=0)
    def told():
        lines = sh("journalctl", "-u", UNIT, "-o", "json", "-p", "warning").stdout.splitlines()
        return [l for l in map(json.loads, lines) if jid in l["MESSAGE"]]
    assert wait_for("the failure in the journal", told)[0]["PRIORITY"] == "4"


def test_check_asks_systemd_about_the_unit(served):
    """`faktotum check --unit NAME` with a running systemd: our unit has room
    for the default graces, and a drop-in counts."""
    served.configure()
    sh("faktotum", "check", "-c", ETC / "faktotum.yaml", "--unit", UNIT)
    served.drop_in(UNIT, "TimeoutStopSec=20s")
    refused = sh("faktotum", "check", "-c", ETC / "faktotum.yaml", "--unit", UNIT, check=False)
    assert refused.returncode == 78 and "TimeoutStopSec 20 s" in refused.stderr


def test_reload_takes_a_good_file_and_refuses_a_bad_one(served):
    """`systemctl reload` fails for a file with a mistake, which is in the
    journal with its place, and the service goes on as before."""
    served.configure()
    served.ctl("start", UNIT)
    pid = served.pid(UNIT)
    served.configure(jobs={"t": {"exec": ["/bin/true"]}, "new": {"exec": ["/bin/true"]}})
    served.ctl("reload", UNIT)
    served.push("new")
    served.wait_done(1)
    (ETC / "faktotum.yaml").write_text("concurrency: many\n")
    assert served.ctl("reload", UNIT, check=False).returncode != 0
    assert "/etc/faktotum/faktotum.yaml:1:14: concurrency:" in log()
    assert served.show(UNIT, "ActiveState") == "active"
    served.push("new")
    served.wait_done(2)
    assert served.pid(UNIT) == pid


def test_a_package_upgrade_drops_no_job(served, flag):
    """Another executable and a reload: same process, and the job that ran
    meanwhile is done once."""
    served.configure(jobs={"t": {"exec": [served.script("h",
        f"echo run >>/var/lib/flags/runs; {WAITS}")]}})
    runs = Path("/var/lib/flags/runs")
    runs.unlink(missing_ok=True)
    served.ctl("start", UNIT)
    pid = served.pid(UNIT)
    served.push("t")
    wait_for("the job to run", runs.exists)
    before = os.stat(f"/proc/{pid}/exe").st_ino
    shutil.copy2("/usr/bin/faktotum", "/usr/bin/faktotum.new")
    os.rename("/usr/bin/faktotum.new", "/usr/bin/faktotum")
    served.ctl("reload", UNIT)
    wait_for("the new program", lambda: os.stat(f"/proc/{pid}/exe").st_ino != before, 30)
    served.status_says(UNIT, "ready; 1 of")
    assert served.pid(UNIT) == pid and served.show(UNIT, "ActiveState") == "active"
    flag.touch()
    served.wait_done(1)
    assert runs.read_text() == "run\n"


def test_stop_waits_for_the_job(served, flag):
    """`systemctl stop` lets a running job finish and its ACK arrive, for longer
    than TimeoutStopSec if shutdown.grace says so."""
    served.drop_in(UNIT, "TimeoutStopSec=2s")
    served.configure(shutdown={"grace": "60s"}, jobs={"t": {"exec": [served.script("h",
        f"touch /var/lib/flags/began; {WAITS}")]}})
    Path("/var/lib/flags/began").unlink(missing_ok=True)
    served.ctl("start", UNIT)
    served.push("t")
    wait_for("the job to run", Path("/var/lib/flags/began").exists)
    served.ctl("stop", "--no-block", UNIT)
    served.status_says(UNIT, "shutting down, running programs may finish; 1 of")
    # Until the manager's own limit is over, and the extension counts.
    began = int(served.show(UNIT, "StateChangeTimestampMonotonic"))
    def uptime():
        return float(Path("/proc/uptime").read_text().split()[0]) * 1e6
    wait_for("TimeoutStopSec to be over", lambda: uptime() > began + 4e6, 10)
    assert served.show(UNIT, "ActiveState") == "deactivating"
    flag.touch()
    served.wait_state(UNIT, "inactive")
    assert served.show(UNIT, "Result") == "success"
    assert served.done() == 1


def test_kill_9_leaves_nothing_behind(served, flag):
    """After kill -9 of the supervisor its programs are ended by the manager,
    before their jobs are given to others, and another supervisor starts."""
    # On cgroup v1 a container's systemd does not hear that all are dead.
    served.drop_in(UNIT, "TimeoutStopSec=3s")
    served.configure(jobs={"t": {"exec": [served.script("h",
        f"echo $$ >/var/lib/flags/pid; {WAITS}")]}, "u": {"exec": ["/bin/true"]}})
    file = Path("/var/lib/flags/pid")
    file.unlink(missing_ok=True)
    served.ctl("start", UNIT)
    first = served.pid(UNIT)
    served.push("t")
    wait_for("the job to run", lambda: file.exists() and file.read_text())
    program = int(file.read_text())
    os.kill(first, signal.SIGKILL)
    wait_for("its program to be dead", lambda: not Path(f"/proc/{program}").exists(), 2)
    wait_for("another supervisor", lambda: served.pid(UNIT) not in (0, first)
        and served.show(UNIT, "ActiveState") == "active", 30)
    assert served.show(UNIT, "NRestarts") == "1"
    served.push("u")
    served.wait_done(1)


def test_a_supervisor_that_stands_still_is_replaced(served):
    """WatchdogSec, again without a hand."""
    served.drop_in(UNIT, "WatchdogSec=2s")
    served.configure()
    served.ctl("start", UNIT)
    first = served.pid(UNIT)
    os.kill(first, signal.SIGSTOP)
    wait_for("another supervisor", lambda: served.pid(UNIT) not in (0, first)
        and served.show(UNIT, "ActiveState") == "active", 30)
    assert "Watchdog timeout" in log()
    served.push("t")
    served.wait_done(1)


def test_a_bad_file_is_not_tried_for_ever(served):
    """No configuration, or one with a mistake: the unit fails once."""
    for text, status in ((None, "66"), ("nonsense: 1\n", "78")):
        if text:
            (ETC / "faktotum.yaml").write_text(text)
        assert served.ctl("start", UNIT, check=False).returncode != 0
        served.wait_state(UNIT, "failed")
        assert served.show(UNIT, "ExecMainStatus") == status
        assert served.show(UNIT, "NRestarts") == "0"


def test_without_a_server_it_is_active_and_says_so(host):
    """A unit that waits for its server is up: READY, and the reason in its
    status; jobs run as soon as there is one."""
    host.configure()
    host.ctl("start", UNIT)
    host.status_says(UNIT, "not connected to the server")
    host.ctl("start", "faktotum-server")
    host.push("t")
    host.wait_done(1)


def test_both_use_the_credential(host):
    """One password file for server and supervisor, and no word of it in a
    configuration."""
    (ETC / "password").write_text("open sesame\n")
    (ETC / "password").chmod(0o600)
    host.configure()
    host.ctl("start", "faktotum-server", UNIT)
    host.status_says(UNIT, "ready;")
    host.ctl("reload", UNIT)
    with host.client(password="open sesame") as c:
        c.push(jobtype="t")
        wait_for("the job", lambda: c.faktory()["total_processed"] == 1)


def test_reload_of_a_named_credential(host):
    """The check before it cannot see the credential, and is no obstacle."""
    (ETC / "password").write_text("open sesame\n")
    (ETC / "password").chmod(0o600)
    host.drop_in(UNIT, f"LoadCredential=ours:{ETC}/password")
    host.configure(password={"credential": "ours"})
    host.ctl("start", "faktotum-server", UNIT)
    host.status_says(UNIT, "ready;")
    host.configure(password={"credential": "ours"},
        jobs={"t": {"exec": ["/bin/true"]}, "new": {"exec": ["/bin/true"]}})
    host.ctl("reload", UNIT)
    assert "the credential was not looked at" in log()
    with host.client(password="open sesame") as c:
        c.push(jobtype="new")
        wait_for("the job", lambda: c.faktory()["total_processed"] == 1)


def test_instances_are_apart(served):
    """faktotum@NAME has a file, a state and a runtime directory of its own, and
    runs beside faktotum.service."""
    served.configure()
    served.configure("reports", queues=["reports"], jobs={"r": {"exec": ["/bin/true"]}},
        state_dir="/var/lib/faktotum-worker/reports")
    served.ctl("start", UNIT, "faktotum@reports.service")
    served.push("t")
    served.push("r", queue="reports")
    served.wait_done(2)
    assert "/var/lib/faktotum-worker/reports" in open_files(
        served.pid("faktotum@reports.service"))
    assert Path("/run/faktotum/reports").is_dir()
    served.ctl("stop", "faktotum@reports.service")
    assert not Path("/run/faktotum/reports").exists()
    assert Path("/run/faktotum/faktotum").is_dir()
    assert "r" in log("faktotum@reports.service")
