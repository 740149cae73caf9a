"""The log in the system's journal: every field, and never a wait for it.

SPDX-License-Identifier: ISC
"""
import json
import os
import re
import signal
import subprocess

import pytest

from support.journal import Journal
from support.peer import Peer
from support.program import ROOT
from support.waiting import wait_for

STARTED = "c2d3f9e66e77ec9ca9c7dc27c3adca3e"
DONE = "379ab7534bcb03e7b91a5b50c94103ee"
FAILED = "aab9e153077642954e4862fc9831873b"
READY = "2100e4202c85dbd401cc9ce2d471da94"
DRAINING = "36acf80c4035685eca997061f8f40668"
RELOAD_FAILED = "d4792417b43986ffc82ff07b0d8ab5a1"

TO_JOURNAL = {"log": {"format": "journal"}}


@pytest.fixture
def journal(tmp_path, ending):
    j = Journal(tmp_path / "journal.socket")
    ending.append(j)
    return j


def env_of(journal, **more):
    return dict({"FAKTOTUM_JOURNAL_SOCKET": journal.path}, **more)


def text(entry):
    return {k: v.decode() for k, v in entry.items()}


def test_a_jobs_life(bench, journal):
    """Start, lines and end of a job have all that is known of it in fields,
    exactly; the id of each event is the catalog's."""
    bench.run({"t": {"exec": [bench.script("h",
        'echo $$ >"$1"; echo "<4>careful"; echo plain >&2; exit 3'),
        str(bench.scratch / "pid")], "exit_codes": {"3": "dead"}}},
        env=env_of(journal), **TO_JOURNAL)
    jid = bench.push("t", queue="default")
    bench.failed(jid)
    end = text(journal.gets(FAKTORY_JID=jid, MESSAGE_ID=FAILED))
    pid = bench.read("pid").decode().strip()
    for e in journal.find(FAKTORY_JID=jid):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
            e.pop("FAKTORY_TIME").decode())
    end.pop("FAKTORY_TIME")
    dispatch = end["FAKTORY_DISPATCH_ID"]
    of_job = {"FAKTORY_JID": jid, "FAKTORY_JOBTYPE": "t", "FAKTORY_QUEUE": "default",
        "FAKTORY_ATTEMPT": "1", "FAKTORY_DISPATCH_ID": dispatch}

    start = text(journal.gets(FAKTORY_JID=jid, MESSAGE_ID=STARTED))
    assert start.pop("MESSAGE").startswith(f"jid={jid} type=t  started ")
    assert start == dict(of_job, PRIORITY="6", SYSLOG_IDENTIFIER="faktotum", MESSAGE_ID=STARTED)

    of_job["FAKTORY_PID"] = pid
    assert text(journal.gets(FAKTORY_STREAM="stdout")) == dict(of_job, MESSAGE="careful",
        PRIORITY="4", SYSLOG_IDENTIFIER="t", FAKTORY_STREAM="stdout")
    assert text(journal.gets(FAKTORY_STREAM="stderr")) == dict(of_job, MESSAGE="plain",
        PRIORITY="6", SYSLOG_IDENTIFIER="t", FAKTORY_STREAM="stderr")

    assert re.fullmatch(r"\d+\.\d{6}", end.pop("FAKTORY_DURATION"))
    assert end.pop("MESSAGE").startswith(f"jid={jid} type=t  ExitStatus: ")
    assert end == dict(of_job, PRIORITY="4",
        SYSLOG_IDENTIFIER="faktotum", MESSAGE_ID=FAILED, FAKTORY_OUTCOME="dead")


def test_the_supervisors_turns(bench, journal):
    """Ready, a refused reload and the drain have ids of their own; messages
    of a program have its fields."""
    s = bench.run({"t": bench.script("h",
        'printf \'{"type":"log","level":"warning","msg":"low","fields":{"left":3,"event":"job-done"}}\\n\' >&3')},
        env=env_of(journal), **TO_JOURNAL)
    assert text(journal.gets(MESSAGE_ID=READY))["SYSLOG_IDENTIFIER"] == "faktotum"
    jid = bench.push("t")
    bench.acked(jid)
    low = text(journal.says("low"))
    assert low["FAKTORY_FIELD_LEFT"] == "3" and low["PRIORITY"] == "4"
    assert low["FAKTORY_JID"] == jid and "MESSAGE_ID" not in low
    good = s.config.read_text()
    s.config.write_text("jobs: {")
    s.signal(signal.SIGHUP)
    assert text(journal.gets(MESSAGE_ID=RELOAD_FAILED))["PRIORITY"] == "3"
    s.config.write_text(good)
    assert s.stop() == 0
    journal.gets(MESSAGE_ID=DRAINING)
    journal.says("stop  1 done")  # the last line of all
    assert s.output() == ""


def test_what_a_jid_is_made_of(start_supervisor, journal):
    """A jid is anybody's text: line ends and other bytes arrive whole in its
    field and escaped in the message, and become no field."""
    jid = "evil\nMESSAGE=forged\x1b[2J"
    with Peer() as peer:
        peer.serve()
        peer.jobs.append({"jid": jid, "jobtype": "t", "args": []})
        start_supervisor(peer.url, dict(TO_JOURNAL, jobs={"t": {"exec": ["/bin/true"]}}),
            env=env_of(journal))
        end = journal.gets(FAKTORY_JID=jid, MESSAGE_ID=DONE)
    assert end["MESSAGE"].startswith(rb'jid="evil\x0aMESSAGE=forged\x1b[2J" type=t  done')


def test_output_of_every_kind(bench, journal):
    """Binary is escaped; an entry that is larger than a datagram comes whole
    by memfd."""
    big = bench.scratch / "big"
    big.write_text(json.dumps({"type": "log", "msg": "m", "fields": {"all": "x" * 900_000}}) + "\n")
    bench.run({"t": {"exec": [bench.script("h",
        f"printf 'a\\033[2J\\000\\377b\\n'; cat {big} >&3; echo last")], "message_max": "1M"}},
        env=env_of(journal), **TO_JOURNAL)
    bench.acked(bench.push("t"))
    journal.gets(MESSAGE_ID=DONE)
    assert journal.find(MESSAGE="last")
    assert journal.find(MESSAGE=rb"a\x1b[2J\x00\xffb")
    large = [e for e in journal.find() if "FAKTORY_FIELD_ALL" in e]
    assert len(large) == 1 and large[0]["FAKTORY_FIELD_ALL"] == b"x" * 900_000
    assert journal.by_memfd == 1


def test_a_journal_that_does_not_read(bench, tmp_path, ending):
    """Jobs, beats and the end go on while the journal takes nothing, beyond a
    bag full of lines; when it goes on it hears how many are missing."""
    journal = Journal(tmp_path / "stopped.socket", reading=False)
    ending.append(journal)
    s = bench.run({"t": {"exec": [bench.script("h", "head -c 8000000 /dev/zero | tr '\\0' x | fold -w 999; echo")],
        "log_rate": 1000000}}, env=env_of(journal), **TO_JOURNAL)
    jids = [bench.push("t") for _ in range(3)]
    bench.acked(*jids, limit=60)
    beats = len(bench.tap.sent("BEAT"))
    wait_for("beats", lambda: len(bench.tap.sent("BEAT")) >= beats + 2)
    quick = bench.push("t")
    bench.acked(quick, limit=60)

    journal.read()
    told = journal.says("lines dropped: the journal did not take them", 60)
    assert told["PRIORITY"] == b"4"
    last = bench.push("t")
    bench.acked(last, limit=60)
    journal.gets(FAKTORY_JID=last, MESSAGE_ID=DONE, limit=60)
    # What programs print leaves room for how they ended.
    for jid in jids:
        assert journal.find(FAKTORY_JID=jid, MESSAGE_ID=DONE)
    assert s.alive()


def test_the_end_does_not_wait_for_a_stopped_journal(bench, tmp_path, ending):
    """TERM ends the supervisor in seconds though nothing is read."""
    journal = Journal(tmp_path / "stopped.socket", reading=False)
    ending.append(journal)
    s = bench.run({"t": {"exec": [bench.script("h", "seq 100000")], "log_rate": 1000000}},
        env=env_of(journal), **TO_JOURNAL)
    bench.acked(bench.push("t"), limit=30)
    assert s.stop() == 0  # a wait for the journal would have no end


def test_a_journal_that_vanishes_and_returns(bench, journal):
    """What is said meanwhile arrives afterwards, in order."""
    bench.run({"t": bench.script("h", "echo one; echo two")}, env=env_of(journal), **TO_JOURNAL)
    journal.gets(MESSAGE_ID=READY)
    journal.vanish()
    jid = bench.push("t")
    bench.acked(jid)
    journal.come_back()
    journal.gets(FAKTORY_JID=jid, MESSAGE_ID=DONE)
    assert [e["MESSAGE"] for e in journal.find(FAKTORY_JID=jid)][1:3] == [b"one", b"two"]


def test_the_journal_across_an_upgrade(bench, journal):
    """Lines before and after are there; none waits for a reader."""
    s = bench.run({"t": bench.script("h", f"while ! [ -e {bench.scratch}/go ]; do sleep 0.05; done; echo end")},
        env=env_of(journal), upgrade="on", **TO_JOURNAL)
    jid = bench.push("t")
    journal.gets(FAKTORY_JID=jid, MESSAGE_ID=STARTED)
    s.signal(signal.SIGUSR2)
    journal.says("handing over to")
    journal.says("going on with 1 jobs as", 30)
    (bench.scratch / "go").touch()
    bench.acked(jid)
    journal.gets(FAKTORY_JID=jid, MESSAGE_ID=DONE)
    assert journal.find(FAKTORY_JID=jid, MESSAGE="end")
    assert len(journal.find(MESSAGE_ID=READY)) == 1


def test_lines_left_behind_by_an_upgrade_are_counted(bench, tmp_path, ending):
    """What a stopped journal has not taken by the time of exec is told."""
    journal = Journal(tmp_path / "stopped.socket", reading=False)
    ending.append(journal)
    s = bench.run({"t": {"exec": [bench.script("h", "seq 100000")], "log_rate": 1000000}},
        env=env_of(journal), upgrade="on", **TO_JOURNAL)
    bench.acked(bench.push("t"), limit=30)
    hellos = len(bench.tap.sent("HELLO"))
    s.signal(signal.SIGUSR2)
    wait_for("the successor", lambda: len(bench.tap.sent("HELLO")) > hellos, 30)
    journal.read()
    journal.says("going on with", 30)
    journal.says("lines dropped: the journal did not take them", 60)


def test_auto_asks_which_journal_standard_error_is(bench, journal):
    """auto is the journal exactly when JOURNAL_STREAM names standard error."""
    log = bench.scratch / "supervisor.log"
    log.touch()
    st = log.stat()
    s = bench.run({"t": bench.script("h", "echo hello")},
        env=env_of(journal, JOURNAL_STREAM=f"{st.st_dev}:{st.st_ino}"))
    bench.acked(bench.push("t"))
    journal.gets(MESSAGE="hello")
    s.stop()
    assert s.output() == ""
    s.env = env_of(journal, JOURNAL_STREAM=f"{st.st_dev}:{st.st_ino + 1}")
    s.start()
    bench.process = s.process
    bench.acked(bench.push("t"))
    assert "hello" in s.output() and "jid=" in s.output()
    assert len(journal.find(MESSAGE="hello")) == 1


def test_without_a_journal_lines_have_a_priority(bench):
    """Where none listens, standard error gets the lines in its place."""
    if os.path.exists("/run/systemd/journal/socket"):
        pytest.skip("a journal listens on this host")
    s = bench.run({"t": bench.script("h", "echo '<3>bad'")}, **TO_JOURNAL)
    jid = bench.push("t")
    bench.acked(jid)
    s.says(f"<3>jid={jid} type=t stream=stdout  bad\n")


def doc_fields():
    manual = (ROOT / "docs/operations.md").read_text()
    section = manual.split("### In the journal")[1].split("\n### ")[0].split("\n## ")[0]
    return set(re.findall(r"^\| `([A-Z_]+)`", section, re.M))


def test_the_manual_has_every_field(bench, journal):
    """The fields that entries have in a life with every kind of line are the
    manual's, none more and none less."""
    s = bench.run({"t": bench.script("h",
        'echo "<4>x"; printf \'{"type":"log","msg":"m","fields":{"n":1}}\\n\' >&3')},
        env=env_of(journal), **TO_JOURNAL)
    bench.acked(bench.push("t"))
    journal.gets(MESSAGE_ID=DONE)
    s.stop()
    seen = {re.sub(r"^FAKTORY_FIELD_.*", "FAKTORY_FIELD_", k) for e in journal.find() for k in e}
    assert seen == doc_fields()


def test_the_manual_has_every_member_of_a_json_line(bench):
    """The same for JSON: each line is one object of strings, and its members
    are those of the manual and the program's own."""
    s = bench.run({"t": bench.script("h",
        'printf "<4>\\033[2Jx\\377\\n"; printf \'{"type":"log","msg":"m","fields":{"n":1}}\\n\' >&3')},
        log={"format": "json"})
    jid = bench.push("t")
    bench.acked(jid)
    s.stop()
    lines = [json.loads(line) for line in s.output().splitlines()]
    assert all(isinstance(v, str) for line in lines for v in line.values())
    assert [line for line in lines if line["message"] == "\x1b[2Jx\ufffd" and line["jid"] == jid]
    manual = (ROOT / "docs/operations.md").read_text()
    section = manual.split("### As JSON")[1].split("\n### ")[0]
    named = {m for row in re.findall(r"^\| (`[a-z`, ]+`) \|", section, re.M)
        for m in re.findall(r"`([a-z]+)`", row)}
    assert {name for line in lines for name in line} == named | {"n"}


def test_text_escapes_what_a_terminal_would_obey(bench):
    """A line of text stays one line and commands no terminal."""
    s = bench.run({"t": bench.script("h", "printf 'a\\033[2J\\rb\\000\\377\\n'")})
    jid = bench.push("t")
    bench.acked(jid)
    s.says(f"jid={jid} type=t stream=stdout  a\\x1b[2J\\x0db\\x00\\xff\n")
    assert not set(s.log.read_bytes()) & set(range(32)) - {10}


@pytest.mark.skipif(not os.path.exists("/usr/bin/journalctl"), reason="no journalctl here")
def test_the_catalog_is_one(tmp_path):
    """journalctl itself takes up the catalog, whole."""
    place = tmp_path / "usr/lib/systemd/catalog"
    place.mkdir(parents=True)
    (tmp_path / "var/lib/systemd/catalog").mkdir(parents=True)
    source = (ROOT / "contrib/systemd/faktotum.catalog").read_text()
    (place / "faktotum.catalog").write_text(source)

    def journalctl(*words):
        return subprocess.run(["journalctl", f"--root={tmp_path}", *words], check=True,
            capture_output=True, text=True).stdout
    journalctl("--update-catalog")
    listed = set(re.findall(r"^([0-9a-f]{32}) Faktotum: ", journalctl("--list-catalog"), re.M))
    assert listed == set(re.findall(r"^-- ([0-9a-f]{32})$", source, re.M))
    manual = (ROOT / "docs/operations.md").read_text()
    assert listed == set(re.findall(r"^\| `[a-z-]+` \| ([0-9a-f]{32}) \|", manual, re.M))
