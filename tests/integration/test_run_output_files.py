"""What programs print, in a file for each run.

SPDX-License-Identifier: ISC
"""
import os
import re
import signal
import subprocess

import pytest

from support.peer import Peer
from support.program import run
from support.supervisor import FAKTOTUM
from support.waiting import wait_for

LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (stdout|stderr|faktotum)  (.*)\Z")


@pytest.fixture
def kept(tmp_path):
    directory = tmp_path / "output"
    directory.mkdir(mode=0o755)
    return directory


def lines_of(file):
    """[(stream, text)]; each line has its time."""
    found = [LINE.match(line) for line in file.read_text("utf-8").splitlines()]
    assert all(found), file.read_text("utf-8")
    return [(m[2], m[3]) for m in found]


def only(directory, jid):
    """The one file of this job, as soon as it is there."""
    return wait_for(f"the file of {jid}", lambda: list(directory.glob(f"*.{jid}.*.log")))[0]


def test_a_file_for_each_run(bench, kept):
    """Every line of both streams with time and stream, what a terminal would
    obey escaped, unthrottled; one file an attempt, named and owned as told."""
    bench.run({"t": {"exec": [bench.script("h",
        'echo one; echo "<4>two" >&2; printf "\\033[2J\\000\\n"; seq 500; exit 75')],
        "log_rate": 1, "later": "0"}}, defaults={"output": {"dir": str(kept)}})
    jid = bench.push("t", retry=1)
    bench.failed(jid)
    file = only(kept, jid)
    wait_for("both ends", lambda: all(f"  {last}\n" in file.read_text() for last in ("500", "two")))
    assert re.fullmatch(rf"t\.{jid}\.[0-9a-f]{{32}}-1\.log", file.name)
    assert file.stat().st_mode & 0o7777 == 0o640
    lines = lines_of(file)
    assert [text for stream, text in lines if stream == "stdout"] == \
        ["one", "\\x1b[2J\\x00"] + [str(n) for n in range(1, 501)]
    assert [text for stream, text in lines if stream == "stderr"] == ["two"]


def test_a_jid_is_no_path(start_supervisor, kept, tmp_path):
    """Whatever a jid says, its file is in the directory, and no other."""
    jid = "../../../" + str(tmp_path / "escaped") + "\n"
    with Peer() as peer:
        peer.serve()
        peer.jobs.append({"jid": jid, "jobtype": "t", "args": []})
        start_supervisor(peer.url, {"jobs": {"t": {"exec": ["/bin/echo", "x"],
            "output": {"dir": str(kept)}}}})
        wait_for("the job", lambda: peer.acks == [jid])
        wait_for("its file", lambda: [f for f in kept.iterdir() if f.read_text().endswith("  x\n")])
    assert len(list(kept.iterdir())) == 1
    assert next(kept.iterdir()).name.startswith("t.%2E%2E%2F")
    assert not list(tmp_path.glob("escaped*"))


def test_retention(bench, kept):
    """Never more files than max_files, the newest stay, others' are left
    alone; max_size ends a file; a reload changes the limits."""
    stranger = kept / "notes.log"
    stranger.write_text("mine")
    bench.run({"t": {"exec": [bench.script("h", "seq 1000")],
        "output": {"dir": str(kept), "max_files": 10, "max_size": "4K"}}})
    jids = [bench.push("t") for _ in range(40)]
    bench.acked(*jids, limit=60)
    last = bench.push("t")
    bench.acked(last)
    wait_for("its file", lambda: only(kept, last).read_text().endswith("max_size is reached\n"))
    files = list(kept.glob("t.*.log"))
    assert len(files) <= 10
    assert all(f.stat().st_size < 4096 + 200 for f in files)
    assert stranger.read_text() == "mine"


def test_an_upgrade_goes_on_in_the_file(bench, kept):
    """Lines before and after an upgrade in place are in one file."""
    s = bench.run({"t": {"exec": [bench.script("h",
        f"echo before; while ! [ -e {bench.scratch}/go ]; do sleep 0.05; done; echo after")],
        "output": {"dir": str(kept)}}}, upgrade="on")
    jid = bench.push("t")
    file = only(kept, jid)
    wait_for("the first line", lambda: lines_of(file) == [("stdout", "before")])
    s.signal(signal.SIGUSR2)
    s.says("going on with 1 jobs as", 30)
    (bench.scratch / "go").touch()
    bench.acked(jid)
    wait_for("both", lambda: lines_of(file) == [("stdout", "before"), ("stdout", "after")])
    assert len(list(kept.iterdir())) == 1


def test_check_refuses_a_directory_that_others_may_write(tmp_path, kept):
    """Told with its place before it costs a job; one that is not there too."""
    config = tmp_path / "c.yaml"

    def check(directory):
        config.write_text("jobs:\n  t:\n    exec: [/bin/true]\n    output:\n"
            f"      dir: {directory}\n")
        done = run([FAKTOTUM, "check", "-c", config])
        return done.returncode, done.stderr.decode()
    assert check(kept)[0] == 0
    assert check("off")[0] == 0
    for mode in (0o775, 0o757, 0o1777):
        kept.chmod(mode)
        status, text = check(kept)
        assert status == 78 and f"{config}:5:12: jobs.t.output.dir: " in text, text
        assert "can be written by its group or by others" in text
    status, text = check(tmp_path / "missing")
    assert status == 78 and "No such file or directory" in text


def test_a_directory_that_fails_is_told_once(bench, kept):
    """A directory that is gone, or has become others' to write, costs the
    files and no job; it is said once, and again when it is over."""
    s = bench.run({"t": {"exec": [bench.script("h", "echo x")], "output": {"dir": str(kept)}}})
    bench.acked(bench.push("t"))
    kept.chmod(0o777)
    bench.acked(*[bench.push("t") for _ in range(5)])
    s.says(f"output  {kept}: its group or others may write there")
    kept.chmod(0o755)
    jid = bench.push("t")
    bench.acked(jid)
    s.says(f"output  {kept}: output is kept again")
    assert s.output().count("output is not kept there, jobs go on") == 1
    assert lines_of(only(kept, jid)) == [("stdout", "x")]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk(bench, kept, ending):
    """A full file system: told once, jobs go on, and what is missing is
    counted in the file when there is room again."""
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "none", kept],
            check=False, capture_output=True).returncode != 0:
        pytest.skip("no file system can be mounted here")

    class Mounted:
        def close(self):
            subprocess.run(["umount", "-l", kept], check=True)
    ending.insert(0, Mounted())
    filler = kept / "filler"
    s = bench.run({"small": {"exec": [bench.script("small", "echo x")],
        "output": {"dir": str(kept)}}, "t": {"exec": [bench.script("h",
        f"seq 2000; while ! [ -e {bench.scratch}/go ]; do sleep 0.05; done; echo last")],
        "output": {"dir": str(kept)}}})
    filler.write_bytes(b"x" * 40960)
    jid = bench.push("t")
    s.says(f"output  {kept}: No space left on device; output is not kept there, jobs go on")
    bench.acked(bench.push("small"))
    filler.unlink()
    (bench.scratch / "go").touch()
    bench.acked(jid)
    s.says(f"output  {kept}: output is kept again")
    file = only(kept, jid)
    wait_for("the count", lambda: re.search(r"faktotum  \d+ lines are missing: the disk was too "
        r"slow, or refused them\n.*stdout  last\n\Z", file.read_text()))
    assert len(re.findall(f"{kept}: No space left on device", s.output())) <= 2  # once a jobtype
