"""HUP reads the configuration again: wholly or not at all, and no job feels it.

SPDX-License-Identifier: ISC
"""
import json
import os
import signal

from support.waiting import wait_for
from support.manager import Manager


def rewrite(bench, **changes):
    """Changes settings in the file; None takes one out."""
    settings = json.loads(bench.supervisor.config.read_text())
    settings.update(changes)
    bench.supervisor.config.write_text(
        json.dumps({k: v for k, v in settings.items() if v is not None}))


def reload(bench, words="jobs at work keep their settings"):
    before = bench.supervisor.output().count(words)
    bench.supervisor.signal(signal.SIGHUP)
    wait_for(f'"{words}" in the log',
        lambda: bench.supervisor.output().count(words) > before)


def test_new_jobs_use_the_new_settings_running_ones_keep_theirs(bench):
    """A job that runs during the reload ends by the old exit codes; the next
    job of its type runs the new program, judged by the new ones."""
    go, began = bench.scratch / "go", bench.scratch / "began"
    old = bench.script("old", f"touch {began}; while ! [ -e {go} ]; do sleep 0.02; done; exit 4")
    new = bench.script("new", "exit 4")
    bench.run({"t": {"exec": [old], "exit_codes": {4: "ok"}}})
    first = bench.push("t")
    wait_for("the first program", began.exists)
    rewrite(bench, jobs={"t": {"exec": [new]}, "u": {"exec": ["/bin/true"]}})
    reload(bench)
    assert bench.failed(bench.push("t"))["message"] == "exit 4"
    bench.acked(bench.push("u"))
    go.touch()
    bench.acked(first)


def test_a_bad_file_changes_nothing_and_all_mistakes_are_told(bench):
    """The old settings go on; the log has every mistake with its place."""
    bench.run({"t": {"exec": ["/bin/true"]}})
    bench.acked(bench.push("t"))
    good = bench.supervisor.config.read_text()
    bench.supervisor.config.write_text("concurrency: many\nqueue: [x]\njobs: {t: {exec: [/bin/false]}}\n")
    reload(bench, "nothing was changed")
    out = bench.supervisor.output()
    name = bench.supervisor.config
    assert f"{name}:1:14: concurrency" in out and f"{name}:2:1: no setting is called \"queue\"" in out
    bench.acked(bench.push("t"))
    bench.supervisor.config.unlink()
    reload(bench, "nothing was changed")
    bench.acked(bench.push("t"))
    bench.supervisor.config.write_text(good)
    reload(bench)
    bench.acked(bench.push("t"))


def test_what_a_reload_changes(bench):
    """Queues, slots and a handler's concurrency take effect; a change of the
    server's address waits for a restart and is told with its place."""
    mark = bench.scratch / "running"
    mark.mkdir()
    go = bench.scratch / "go"
    slow = bench.script("slow", f"touch {mark}/$FAKTORY_JID; "
        f"while ! [ -e {go} ]; do sleep 0.02; done")
    bench.run({"t": {"exec": [slow], "concurrency": 1}}, concurrency=8)
    jids = [bench.push("t") for _ in range(3)]
    other = bench.push("t", queue="other")
    wait_for("one to run", lambda: len(list(mark.iterdir())) == 1)
    rewrite(bench, jobs={"t": {"exec": [slow], "concurrency": 4}},
        queues=["other", "default"], server="tcp://127.0.0.1:1")
    reload(bench)
    wait_for("all to run", lambda: len(list(mark.iterdir())) == 4)
    assert "server changes at the next start only" in bench.supervisor.output()
    go.touch()
    bench.acked(*jids, other)


def test_new_labels_are_told_without_dropping_a_job(bench):
    """The server hears the new labels in a new HELLO while a job runs on; that
    job is run once and acknowledged."""
    go, runs = bench.scratch / "go", bench.scratch / "runs"
    slow = bench.script("slow", f"echo >>{runs}; while ! [ -e {go} ]; do sleep 0.02; done")
    bench.run({"t": {"exec": [slow]}}, labels=["old"])
    jid = bench.push("t")
    wait_for("it to run", runs.exists)
    assert all(h["labels"] == ["old"] for h in bench.tap.sent("HELLO") if "wid" in h)
    rewrite(bench, labels=["new"])
    reload(bench)
    wait_for("the new HELLO", lambda: any(
        h.get("labels") == ["new"] for h in bench.tap.sent("HELLO")))
    go.touch()
    bench.acked(jid)
    assert runs.read_text() == "\n"


def test_a_directory_beside_the_file(bench):
    """FILE.d/*.yaml adds jobs at a reload; what a package manager left there
    is named in the log and not read."""
    bench.run({"t": {"exec": ["/bin/true"]}})
    bench.acked(bench.push("t"))
    more = bench.supervisor.config.with_suffix(".d")
    more.mkdir()
    (more / "10-u.yaml").write_text("jobs: {u: {exec: [/bin/true]}}\n")
    (more / "10-u.yaml.dpkg-new").write_text("jobs: {")
    reload(bench)
    assert "10-u.yaml.dpkg-new: not read" in bench.supervisor.output()
    bench.acked(bench.push("u"), bench.push("t"))
    (more / "20.yaml").write_text("jobs: {t: {exec: [/bin/false]}}\n")
    reload(bench, "nothing was changed")
    assert "jobs.t is set twice, first in" in bench.supervisor.output()
    bench.acked(bench.push("t"))


def test_the_service_manager_hears_of_a_reload(bench, tmp_path, ending):
    """RELOADING=1 with MONOTONIC_USEC in one datagram, then READY=1, also when
    the file is bad: else systemctl reload waits until its time-out."""
    manager = Manager(tmp_path / "notify")
    ending.append(manager)
    bench.run({"t": {"exec": ["/bin/true"]}}, env={"NOTIFY_SOCKET": manager.path})
    manager.says("READY=1")
    for text in (None, "x"):
        manager.heard.clear()
        if text:
            bench.supervisor.config.write_text(text)
        bench.supervisor.signal(signal.SIGHUP)
        manager.says("READY=1")
        lines = [l for l in manager.heard if not l.startswith(("STATUS", "WATCHDOG"))]
        assert lines[0] == "RELOADING=1" and lines[1].startswith("MONOTONIC_USEC=")
        assert lines[2] == "READY=1", lines


def test_many_reloads_leak_nothing(bench):
    """Thirty reloads with a job at work in between: descriptors and
    generations do not pile up."""
    bench.run({"t": {"exec": ["/bin/true"]}})
    bench.acked(bench.push("t"))
    fds = f"/proc/{bench.process.pid}/fd"
    before = len(os.listdir(fds))
    for _ in range(30):
        reload(bench)
        bench.acked(bench.push("t"))
    # Three more conversations may be open for a minute.
    assert len(os.listdir(fds)) <= before + 3
