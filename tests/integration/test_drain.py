"""Output is drained for ever: no program hangs because of what it prints or
who reads the log, and what it prints costs bounded memory.

SPDX-License-Identifier: ISC
"""
import json
import os
import re

import pytest

from support.journal import Journal
from support.program import BUILD, Program
from support.supervisor import FAKTOTUM
from support.waiting import wait_for

FLOOD = str(BUILD / "tests/handlers/flood")
FORMATS = ["text", "json", "journal"]


def peak(pid):
    """The largest resident size so far, in bytes."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"^VmHWM:\s+(\d+)", status.read(), re.M)[1]) * 1024


def sink_of(fmt, tmp_path, ending, reading=True):
    """A log of this form: settings, environment, and the journal or None."""
    if fmt != "journal":
        return {"log": {"format": fmt}}, None, None
    journal = Journal(tmp_path / "journal.socket", reading)
    ending.append(journal)
    return {"log": {"format": fmt}}, {"FAKTOTUM_JOURNAL_SOCKET": journal.path}, journal


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_line_without_end(bench, tmp_path, ending, fmt):
    """A line of 100 MB: the program ends as it wants to, and neither the
    supervisor's memory nor the log grows with it."""
    settings, env, _ = sink_of(fmt, tmp_path, ending)
    s = bench.run({"t": {"exec": [FLOOD, "100"]}}, env=env, **settings)
    wait_for("it to be up", lambda: bench.tap.lines("BEAT"))
    before = peak(s.pid)
    bench.acked(bench.push("t"), limit=60)
    if BUILD.name not in ("asan", "tsan"):
        assert peak(s.pid) - before < 24 << 20
    # 6400 pieces of 16 KiB; log_rate lets a thousand through each second.
    assert s.log.stat().st_size < 110 << 20


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_flood_of_lines(bench, tmp_path, ending, fmt):
    """Above log_rate lines are counted, the count is told and adds up, and
    beats and other jobs go on meanwhile."""
    lines = 300_000
    settings, env, journal = sink_of(fmt, tmp_path, ending)
    s = bench.run({"t": {"exec": [bench.script("h", f"seq {lines}")], "log_rate": 50},
        "other": bench.script("other", "exit 0")}, env=env, **settings)
    jid = bench.push("t")
    other = bench.push("other")
    bench.acked(jid, other, limit=60)

    def messages():
        if fmt == "journal":
            return [(e["MESSAGE"].decode(), "FAKTORY_STREAM" in e) for e in journal.find()]
        if fmt == "json":
            return [(m["message"], "stream" in m) for m in map(json.loads,
                s.output().rpartition("\n")[0].splitlines())]
        return [(line, " stream=" in line) for line in s.output().splitlines()]

    def accounted():
        all_of_them = messages()
        told = sum(int(m[1]) for text, _ in all_of_them
            for m in [re.search(r"(\d+) lines of output left out", text)] if m)
        return sum(printed for _, printed in all_of_them) + told == lines
    wait_for("every line to be logged or counted", accounted, 30)


@pytest.mark.parametrize("dead", [False, True], ids=["slow", "dead"])
@pytest.mark.parametrize("fmt", FORMATS)
def test_a_log_that_nobody_reads(bench, tmp_path, ending, fmt, dead):
    """A full pipe on standard error, one whose reader has gone, a journal that
    takes nothing, one that is not there: jobs and beats go on."""
    settings, env, journal = sink_of(fmt, tmp_path, ending, reading=False)
    if fmt == "journal" and dead:
        journal.vanish()
    fifo = tmp_path / "stderr"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDWR)
    config = tmp_path / "fifo.yaml"
    config.write_text(json.dumps({"server": bench.tap.url, "beat": "1s", "jobs": {
        "t": {"exec": [FLOOD, "20"], "log_rate": 1000000},
        "lines": {"exec": [bench.script("h", "seq 50000; seq 50000 >&2")], "log_rate": 1000000}},
        **settings}))
    s = Program(["/bin/sh", "-c", f"exec {FAKTOTUM} run -c {config} 2>{fifo}"],
        tmp_path / "fifo.log", env)
    ending.append(s)
    bench.supervisor, bench.process = s, s.process
    wait_for("it to be up", lambda: bench.tap.lines("BEAT"))
    if dead:
        os.close(reader)
    bench.acked(*[bench.push(t) for t in ("t", "lines", "t", "lines")], limit=60)
    beats = len(bench.tap.lines("BEAT"))
    wait_for("beats", lambda: len(bench.tap.lines("BEAT")) >= beats + 2)
    assert s.stop() == 0
    if not dead:
        os.close(reader)
