"""Who a handler runs as, what it may use, and what it sees.

SPDX-License-Identifier: ISC
"""
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from support.program import BUILD
from support.waiting import wait_for
from test_run_time import alive

root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
NOBODY = pwd.getpwnam("nobody")


def said(bench, text, handler, job=None, **settings):
    """Runs a shell text as a handler; returns its lines as the log has them."""
    text += "\necho all-said"
    bench.run({"t": dict(handler, exec=["/bin/sh", "-c", text.replace("$$", "$$$$")])}, **settings)
    jid = bench.push("t", *(job or []))
    bench.acked(jid)
    bench.supervisor.says("all-said")
    lines = re.findall(rf"jid={jid} type=t stream=stdout  (.*)", bench.supervisor.output())
    assert lines, bench.supervisor.output()
    return lines[:lines.index("all-said")]


@root
def test_user(bench):
    """user: that user's ids, groups, home and no capability are left; the
    private directory is the user's."""
    lines = said(bench, 'id -u; id -g; id -G; echo "$HOME $USER $LOGNAME $SHELL"\n'
        'touch "$FAKTORY_TMPDIR/x" && echo written\n'
        "grep -E '^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs)' /proc/self/status | tr -s '\\t ' =",
        {"user": "nobody"})
    groups = " ".join(map(str, os.getgrouplist("nobody", NOBODY.pw_gid)))
    assert lines[:5] == [str(NOBODY.pw_uid), str(NOBODY.pw_gid), groups,
        f"{NOBODY.pw_dir} nobody nobody {NOBODY.pw_shell}", "written"]
    assert lines[5:] == [f"Cap{c}:=0000000000000000" for c in ("Inh", "Prm", "Eff", "Amb")] + \
        ["NoNewPrivs:=1"]


@root
def test_group_and_groups(bench):
    """group: and groups: take the place of the user's own; names and numbers."""
    lines = said(bench, "id -g; id -G", {"user": NOBODY.pw_uid, "group": "daemon",
        "groups": ["tty", 4242]})
    assert lines == ["1", "1 5 4242"]


@root
def test_no_groups(bench):
    """groups: [] leaves none of root's groups to the job."""
    assert said(bench, "id -G", {"user": "nobody", "groups": []}) == [str(NOBODY.pw_gid)]


@root
def test_files_belong_to_the_user(bench):
    """Values written by `files` can be read by the job, and by nobody else."""
    lines = said(bench, 'cat "$PHOTO"; echo; stat -c "%U %a" "$PHOTO" "$FAKTORY_TMPDIR"',
        {"user": "nobody", "files": [{"env": "PHOTO", "from": "{args.0}"}]}, ["secret"])
    assert lines == ["secret", "nobody 600", "nobody 700"]


def test_limits(bench):
    """limit_*: soft and hard, as the kernel shows them."""
    lines = said(bench, "cat /proc/self/limits", {"limit_nofile": 64, "limit_core": 0,
        "limit_fsize": "1M", "limit_cpu": "30s", "limit_stack": "4M", "limit_nproc": 500,
        "limit_as": "1G", "limit_memlock": 0})
    seen = {line[:26].strip(): line[26:].split()[:2] for line in lines}
    for name, value in {"Max open files": 64, "Max core file size": 0,
            "Max file size": 1 << 20, "Max cpu time": 30, "Max stack size": 4 << 20,
            "Max processes": 500, "Max address space": 1 << 30, "Max locked memory": 0}.items():
        assert seen[name] == [str(value)] * 2, name


def test_limit_ends_the_program(bench):
    """limit_fsize: a file that grows too large ends the program by a signal."""
    bench.run({"t": {"exec": ["/bin/sh", "-c",
        'exec head -c 2000000 /dev/zero >"$FAKTORY_TMPDIR/big"'], "limit_fsize": "1M"}})
    fail = bench.failed(bench.push("t"))
    assert fail["errtype"] == "Signal" and "SIGXFSZ" in fail["message"]


def test_nice_and_io(bench):
    """nice, io_class, io_priority and oom_score_adjust, as the kernel has them."""
    lines = said(bench, "nice; ionice -p $$; cat /proc/self/oom_score_adj",
        {"nice": 7, "io_class": "best-effort", "io_priority": 6, "oom_score_adjust": 300})
    assert lines == ["7", "best-effort: prio 6", "300"]


def test_no_new_privs_can_be_off(bench):
    """no_new_privs is on unless the operator says otherwise."""
    text = "grep NoNewPrivs /proc/self/status | tr -d '\\t '"
    assert said(bench, text, {"no_new_privs": "off"}) == ["NoNewPrivs:0"]


@root
def test_private_tmp(bench):
    """private_tmp: what is in /tmp and /var/tmp is seen by nobody else, and
    the private directory stays where its variable says."""
    marks = [f"/tmp/faktotum-mark-{os.getpid()}", f"/var/tmp/faktotum-mark-{os.getpid()}"]
    lines = said(bench, f'touch {" ".join(marks)}; ls -A /tmp | grep -v faktotum-; '
        'touch "$FAKTORY_TMPDIR/x" && echo written; pwd',
        {"private_tmp": "on", "user": "nobody", "cwd": "private"}, tmpdir="/tmp")
    assert lines[0] == "written" and lines[1].startswith("/tmp/faktotum-")
    assert not any(os.path.exists(m) for m in marks)


@root
def test_private_network(bench):
    """private_network: a loopback that is up, and nothing else."""
    lines = said(bench, "sed 1,2d /proc/net/dev | cut -d: -f1 | tr -d ' '\n"
        "python3 -c 'import socket\ntry: socket.create_connection((\"127.0.0.1\", 9), 5)\n"
        "except OSError as e: print(e.errno)'", {"private_network": "on"})
    assert lines == ["lo", "111"]


WRITES = "for f in /usr/x /etc/x /var/x; do touch $f 2>/dev/null && echo $f && rm $f; done; " \
    'echo ok >/dev/null && touch "$FAKTORY_TMPDIR/x" && echo private'


@root
@pytest.mark.parametrize("word,writable", [("off", ["/usr/x", "/etc/x", "/var/x"]),
    ("yes", ["/etc/x", "/var/x"]), ("full", ["/var/x"]), ("strict", [])])
def test_protect_system(bench, word, writable):
    """protect_system: read-only even for root; the private directory and
    /dev stay writable."""
    assert said(bench, WRITES, {"protect_system": word}) == writable + ["private"]


@root
def test_strict_with_private_tmp(bench):
    """The two together: /tmp is the job's own and writable."""
    lines = said(bench, 'touch /tmp/x /var/tmp/x "$FAKTORY_TMPDIR/y" && echo written; '
        "touch /etc/x 2>&1 | grep -o 'Read-only'",
        {"protect_system": "strict", "private_tmp": "on"}, tmpdir="/tmp")
    assert lines == ["written", "Read-only"]


@root
def test_read_only_paths(bench):
    """read_only_paths: with all that is below."""
    place = bench.scratch / "place"
    (place / "below").mkdir(parents=True)
    lines = said(bench, f"touch {place}/a || echo no; touch {place}/below/b || echo no; "
        f"touch {bench.scratch}/c && echo yes", {"read_only_paths": [str(place)]})
    assert lines == ["no", "no", "yes"]


@root
def test_host_is_not_changed(bench):
    """The sandbox of a job is its own: the supervisor's mounts stay."""
    before = open("/proc/self/mountinfo", encoding="utf8").read()
    said(bench, "true", {"protect_system": "strict", "private_tmp": "on",
        "private_network": "on"})
    with open(f"/proc/{bench.process.pid}/mountinfo", encoding="utf8") as f:
        assert f.read() == before


@root
def test_confined_tree_is_killed(bench):
    """A job of another user in namespaces is killed like any other."""
    bench.run({"t": {"exec": ["/bin/sh", "-c", "trap '' TERM; echo pid $$$$; "
        "setsid sleep 600 & echo pid $!; while :; do sleep 1; done"], "user": "nobody",
        "private_tmp": "on", "timeout": "1s", "grace": "1s"}})
    assert bench.failed(bench.push("t"))["errtype"] == "Timeout"
    found = [int(p) for p in re.findall(r"stream=stdout  pid (\d+)", bench.supervisor.output())]
    assert len(found) == 2 and not any(alive(p) for p in found)


@root
def test_killed_with_the_supervisor(bench):
    """A change of user does not make a program outlive a supervisor that was
    killed."""
    bench.run({"t": {"exec": ["/bin/sh", "-c", "echo pid $$$$; exec sleep 600"],
        "user": "nobody"}}, upgrade="off")
    bench.push("t")
    bench.supervisor.says(re.compile(r"stream=stdout  pid \d+"))
    pid = int(re.search(r"stream=stdout  pid (\d+)", bench.supervisor.output())[1])
    bench.supervisor.signal(signal.SIGKILL)
    wait_for("the program to be dead", lambda: not alive(pid), 5)


@root
def test_run_once_as_user(bench):
    """run-once runs the program as `run` would."""
    config = bench.scratch / "once.yaml"
    config.write_text(json.dumps({"jobs": {"t": {"exec": ["/usr/bin/id", "-u"],
        "user": "nobody"}}}))
    done = subprocess.run([BUILD / "faktotum", "run-once", "-c", config, "t"], input=b"",
        timeout=60, capture_output=True, check=True)
    assert str(NOBODY.pw_uid).encode() in done.stderr


@pytest.fixture
def place():
    """A directory that other users can look into."""
    with tempfile.TemporaryDirectory(dir="/tmp") as made:
        os.chmod(made, 0o755)
        yield Path(made)


def check(place, handler, before=()):
    config = place / "c.yaml"
    config.write_text(json.dumps({"jobs": {"t": dict(handler, exec=["/bin/true"])}}, indent=1))
    shutil.copy(BUILD / "faktotum", place)
    return subprocess.run([*before, place / "faktotum", "check", "-c", config],
        capture_output=True, timeout=60, check=False)


@pytest.mark.parametrize("handler,words", [
    ({"user": "no-such-user"}, 'there is no user "no-such-user"'),
    ({"group": "no-such-group"}, 'there is no group "no-such-group"'),
    ({"user": 54321}, "54321 has no entry on this host, expected group: too"),
    ({"limit_nofile": "many"}, "expected a number or infinity"),
    ({"limit_cpu": "1500ms"}, "expected a duration in whole seconds"),
    ({"nice": 20}, "expected a number from -20 to 19"),
    ({"oom_score_adjust": -2000}, "expected a number from -1000 to 1000"),
    ({"read_only_paths": ["/no/such"]}, "expected a list of absolute paths that exist"),
    ({"protect_system": "some"}, "protect_system"),
])
def test_mistakes_have_a_place(place, handler, words):
    """What cannot be meant is told with line and column."""
    done = check(place, handler)
    assert done.returncode == 78
    assert re.search(rb"^\S+:\d+:\d+: jobs\.t\.", done.stderr, re.M), done.stderr
    assert words in done.stderr.decode(), done.stderr


@root
@pytest.mark.parametrize("handler,words", [
    ({"user": "daemon"}, "need a supervisor that runs as root"),
    ({"groups": []}, "need a supervisor that runs as root"),
    ({"private_tmp": "on"}, "need a supervisor that runs as root"),
    ({"protect_system": "full"}, "need a supervisor that runs as root"),
    ({"nice": -5}, "which needs CAP_SYS_NICE"),
    ({"oom_score_adjust": -5}, "which needs CAP_SYS_RESOURCE"),
    ({"limit_nofile": "infinity"}, "which needs CAP_SYS_RESOURCE"),
    ({"io_class": "realtime"}, "needs CAP_SYS_NICE"),
])
def test_what_cannot_be_applied_is_a_mistake(place, handler, words):
    """Nothing is left away in silence for want of a privilege."""
    done = check(place, handler, ["setpriv", "--reuid=nobody", "--clear-groups",
        "--regid=nogroup", "--inh-caps=-all"])
    assert done.returncode == 78, done.stderr
    assert words in done.stderr.decode(), done.stderr
