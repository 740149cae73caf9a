"""Follow-up jobs: a program's `push` messages, sent once its own job has
succeeded and before that is acknowledged.

SPDX-License-Identifier: ISC
"""
import json
import signal

from support.client import new_job
from support.peer import Peer
from support.program import BUILD, run
from support.supervisor import script
from support.waiting import wait_for


def push(**job):
    """A line of sh that asks for this follow-up job."""
    job.setdefault("args", [])
    return f"printf '%s\\n' '{json.dumps({'type': 'push', 'job': job})}' >&3\n"


NEXT = push(jobtype="next", args=[9007199254740993])


def test_they_are_pushed_before_the_ack(bench):
    """A job that succeeds pushes its follow-up jobs; each has its jid, made
    of the dispatch where none was given, and they run."""
    bench.run({"t": bench.script("t", NEXT + push(jobtype="next", jid="its-own-1") +
        'echo "$FAKTORY_DISPATCH_ID" >' + str(bench.scratch / "id")),
        "next": bench.script("n", "cat >>" + str(bench.scratch / "ran"))})
    jid = bench.push("t")
    bench.acked(jid, "its-own-1")
    first = bench.read("id").decode().strip() + "-1"
    bench.acked(first)
    pushed, = bench.tap.sent("PUSHB")
    assert [j["jid"] for j in pushed] == [first, "its-own-1"]
    lines = [line.split(" ")[0] for _, _, line in bench.tap.requests
        if line.startswith("PUSHB") or jid in line]
    assert lines == ["PUSHB", "ACK"]
    assert b"[9007199254740993]" in bench.read("ran")


def test_a_failure_pushes_nothing(bench):
    """Neither a failure nor a discard sends what was asked for."""
    bench.run({"fails": bench.script("f", NEXT + "exit 1"),
        "gone": {"exec": [bench.script("g", NEXT + "exit 9")],
            "exit_codes": {9: "discard"}}})
    failed, gone = bench.push("fails"), bench.push("gone")
    bench.failed(failed)
    bench.acked(gone)
    assert not bench.tap.sent("PUSHB")


def test_what_cannot_be_pushed_fails_its_job(bench):
    """A follow-up job that is none, or one too many: the job fails, since what
    it started would be lost, and nothing is pushed."""
    bench.run({"none": bench.script("n", NEXT + push(queue="q")),
        "many": {"exec": [bench.script("m", NEXT * 3)], "push_max": 2},
        "large": {"exec": [bench.script("l", push(jobtype="t", args=["x" * 2000]))],
            "push_size": "2K"}})
    messages = [bench.failed(bench.push(t)) for t in ("none", "many", "large")]
    assert {m["errtype"] for m in messages} == {"PushRefused"}
    assert [m["message"] for m in messages] == [
        "follow-up job 2: jobs must have a jobtype parameter",
        "follow-up job 3: more than push_max, 2",
        "follow-up job 1: all together exceed push_size"]
    assert not bench.tap.sent("PUSHB")


def test_run_once_shows_them(tmp_path):
    """run-once tells what would be pushed, and pushes nothing."""
    config = tmp_path / "c.yaml"
    config.write_text(json.dumps({"jobs": {"t": {"exec": [script(tmp_path, "t", NEXT)]},
        "f": {"exec": [script(tmp_path, "f", NEXT + "exit 1")]}}}))
    done = run([BUILD / "faktotum", "run-once", "-c", config, "t"])
    job, = json.loads(done.stdout)["push"]
    assert job["jobtype"] == "next" and job["args"] == [9007199254740993]
    done = run([BUILD / "faktotum", "run-once", "-c", config, "f"])
    assert "push" not in json.loads(done.stdout)


class Chain:
    """A scripted server with one job, whose program asks for a follow-up job."""

    def __init__(self, peer, start_supervisor, tmp_path, text=NEXT, **settings):
        self.peer, self.runs = peer, tmp_path / "runs"
        self.job = new_job("t")
        handler = script(tmp_path, "h", f"echo >>{self.runs}\n{text}")
        peer.serve()
        peer.jobs.append(self.job)
        self.supervisor = start_supervisor(peer.url,
            {"jobs": {"t": {"exec": [handler]}}, **settings})

    def pushbs(self):
        return [value for verb, value in self.peer.told if verb == "PUSHB"]

    def ran(self):
        return len(self.runs.read_text())


def test_a_refusal_fails_the_job_and_names_it(start_supervisor, tmp_path):
    """The server refuses one of two: the job fails with errtype PushRefused,
    whose message names the jid and the server's words."""
    with Peer() as peer:
        body = b'{"its-own-1":"NOTUNIQUE Job not unique"}'
        peer.push_replies.append(b"$%d\r\n%s\r\n" % (len(body), body))
        Chain(peer, start_supervisor, tmp_path,
            NEXT + push(jobtype="next", jid="its-own-1"))
        peer.wait(lambda: peer.fails, "the FAIL")
        assert peer.fails[0]["errtype"] == "PushRefused"
        assert "its-own-1: NOTUNIQUE Job not unique" in peer.fails[0]["message"]
        assert peer.verbs() == ["PUSHB", "FAIL"]


def test_a_lost_answer_repeats_the_push(start_supervisor, tmp_path):
    """The connection is lost before PUSHB's answer: the same jobs with the
    same jids are sent again, and only then the ACK, once."""
    with Peer() as peer:
        peer.push_replies.append(None)
        c = Chain(peer, start_supervisor, tmp_path)
        peer.wait(lambda: peer.acks, "the ACK")
        assert peer.verbs() == ["PUSHB", "PUSHB", "ACK"]
        assert c.pushbs()[0] == c.pushbs()[1] and c.ran() == 1


def test_a_temporary_error_repeats_the_push(start_supervisor, tmp_path):
    """An error that is about the server, not about the jobs, fails nothing."""
    with Peer() as peer:
        peer.push_replies.append(b"-ERR storage: no space left\r\n")
        c = Chain(peer, start_supervisor, tmp_path)
        peer.wait(lambda: peer.acks, "the ACK")
        assert peer.verbs() == ["PUSHB", "PUSHB", "ACK"] and c.ran() == 1


def test_a_server_that_dies_before_the_ack(start_supervisor, tmp_path):
    """The server dies between PUSHB's answer and the ACK's: the ACK is
    repeated, and the push, which was confirmed, is not."""
    with Peer() as peer:
        peer.ack_replies.append(None)
        c = Chain(peer, start_supervisor, tmp_path)
        peer.wait(lambda: peer.acks, "the ACK")
        assert peer.verbs() == ["PUSHB", "ACK", "ACK"] and c.ran() == 1


def test_a_server_that_does_not_answer(start_supervisor, tmp_path):
    """PUSHB is heard and never answered: the conversation is given up after a
    while, the push repeated in the next one, and the ACK waits for it."""
    with Peer() as peer:
        peer.push_replies.append(b"")
        Chain(peer, start_supervisor, tmp_path)
        peer.wait(lambda: peer.acks, "the ACK", 40)
        assert peer.verbs() == ["PUSHB", "PUSHB", "ACK"]


def crash(c, state, ahead):
    """Kills the supervisor with `ahead` as the next thing in the journal."""
    wait_for("the journal", lambda: (state / "outcomes").exists() and
        ahead in (state / "outcomes").read_bytes())
    c.supervisor.signal(signal.SIGKILL)
    c.supervisor.wait()
    c.supervisor.start()


def test_a_crash_between_success_and_push(start_supervisor, tmp_path):
    """kill -9 while PUSHB is unanswered: with a state_dir the next start
    pushes the same jobs and acknowledges; the job has run once."""
    state = tmp_path / "state"
    state.mkdir()
    with Peer() as peer:
        peer.push_replies.append(b"")
        c = Chain(peer, start_supervisor, tmp_path, state_dir=str(state))
        peer.wait(lambda: c.pushbs(), "the PUSHB")
        crash(c, state, b"PUSHB")
        peer.wait(lambda: peer.acks, "the ACK")
        assert peer.verbs() == ["PUSHB", "PUSHB", "ACK"]
        assert c.pushbs()[0] == c.pushbs()[1] and c.ran() == 1


def test_a_crash_between_push_and_ack(start_supervisor, tmp_path):
    """kill -9 while the ACK is unanswered, and what is left is in the journal:
    the next start does not push again."""
    state = tmp_path / "state"
    state.mkdir()
    with Peer() as peer:
        peer.ack_replies.append(b"")
        c = Chain(peer, start_supervisor, tmp_path, state_dir=str(state))
        peer.wait(lambda: "ACK" in peer.verbs(), "the ACK")

        def alone():
            """The ACK as a record of its own, without the push in front."""
            text = (state / "outcomes").read_bytes()
            at = text.rfind(b"ACK {")
            return at > 0 and not text[:at].endswith(b"]\r\n")
        wait_for("the journal", lambda: (state / "outcomes").exists() and alone())
        crash(c, state, b"ACK")
        peer.wait(lambda: peer.acks, "the ACK")
        assert peer.verbs() == ["PUSHB", "ACK", "ACK"] and c.ran() == 1


def upgrade(supervisor):
    before = supervisor.output().count("going on with")
    supervisor.signal(signal.SIGUSR2)
    wait_for("the successor",
        lambda: supervisor.output().count("going on with") > before)


def test_an_upgrade_keeps_what_was_asked_for(start_supervisor, tmp_path):
    """What a program asked for before the upgrade and after it goes out in one
    PUSHB, and the places in the jids go on."""
    go = tmp_path / "go"
    with Peer() as peer:
        c = Chain(peer, start_supervisor, tmp_path, NEXT +
            f"while ! [ -e {go} ]; do sleep 0.05; done\n" + NEXT, upgrade="on")
        wait_for("the program", c.runs.exists)
        upgrade(c.supervisor)
        go.touch()
        peer.wait(lambda: peer.acks, "the ACK")
        jids = [j["jid"] for j in peer.pushes]
        assert [j.rsplit("-", 1)[1] for j in jids] == ["1", "2"]
        assert len({j.rsplit("-", 1)[0] for j in jids}) == 1


def test_an_upgrade_between_success_and_push(start_supervisor, tmp_path):
    """The server refused PUSHB for the moment: the successor sends it, and
    then the ACK."""
    with Peer() as peer:
        peer.push_replies.append(b"-ERR storage: no space left\r\n")
        c = Chain(peer, start_supervisor, tmp_path, upgrade="on")
        peer.wait(lambda: c.pushbs(), "the PUSHB")
        upgrade(c.supervisor)
        peer.wait(lambda: peer.acks, "the ACK")
        assert peer.verbs() == ["PUSHB", "PUSHB", "ACK"]
        assert c.pushbs()[0] == c.pushbs()[1] and c.ran() == 1
