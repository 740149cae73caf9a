"""A job that a server hands out although the supervisor has its outcome, which
that server has not confirmed.

SPDX-License-Identifier: ISC
"""
import signal

import pytest

from support.peer import Peer
from support.supervisor import script
from support.waiting import wait_for

WHEN = "2026-05-04T03:02:01.123456789Z"
REFUSED = b"-ERR not written to disk: disk is full\r\n"


@pytest.fixture
def peer():
    with Peer() as p:
        p.serve()
        yield p


def job(jid, when=WHEN, **more):
    return dict({"jid": jid, "jobtype": "t", "args": [], "queue": "default",
        "enqueued_at": when}, **more)


def start(start_supervisor, scratch, peer, end="exit 0", **settings):
    """A supervisor whose handler writes down what it runs, and how to read that."""
    began = scratch / "began"
    handler = script(scratch, "h", f'echo "$FAKTORY_JID" >>{began}\n{end}')
    s = start_supervisor(peer.url, dict({"concurrency": 1, "jobs": {"t": {"exec": [handler]}}},
        **settings))
    return s, lambda: began.read_text().split() if began.exists() else []


@pytest.mark.parametrize("end", ["exit 0", "exit 1"])
def test_what_has_ended_here_is_not_run_again(peer, start_supervisor, tmp_path, end):
    """The server refuses the outcome, and gives the job back, and out again: it is
    told for this reservation, and the next job is run."""
    peer.ack_replies.append(REFUSED)
    peer.jobs.append(job("job-0001"))
    s, began = start(start_supervisor, tmp_path, peer, end)
    s.says("is to be repeated")
    peer.jobs.extend([job("job-0001"), job("job-0002")])
    done = peer.acks if end == "exit 0" else peer.fails
    peer.wait(lambda: len(done) == 2, "both outcomes")
    assert began() == ["job-0001", "job-0002"]
    s.says("its job has come again")


def test_a_lost_conversation(peer, start_supervisor, tmp_path):
    """The same when the server is gone before it has answered."""
    peer.ack_replies.extend([None, REFUSED])
    peer.jobs.append(job("job-0001"))
    s, began = start(start_supervisor, tmp_path, peer)
    peer.wait(lambda: len(peer.told) == 2, "the second try")
    peer.jobs.extend([job("job-0001"), job("job-0002")])
    peer.wait(lambda: peer.acks[-1:] == ["job-0002"], "the other's ACK")
    assert began() == ["job-0001", "job-0002"]


@pytest.mark.parametrize("again", [WHEN, "2026-05-04T03:02:02.5Z"])
def test_after_a_crash(peer, start_supervisor, tmp_path, again):
    """The next supervisor knows from its journal which job had ended, and tells
    another one of its jid apart: that one is run."""
    state = tmp_path / "state"
    state.mkdir()
    peer.ack_replies.extend([REFUSED] * 200)
    peer.jobs.append(job("job-0001"))
    s, began = start(start_supervisor, tmp_path, peer, state_dir=str(state))
    s.says("is to be repeated")
    journal = state / "outcomes"
    wait_for("the journal", lambda: journal.exists() and b"job-0001" in journal.read_bytes())
    s.signal(signal.SIGKILL)
    s.wait()
    before = len(peer.told)
    s.start()
    peer.wait(lambda: len(peer.told) > before, "what the next one tells")
    peer.jobs.append(job("job-0001", when=again))
    if again == WHEN:
        s.says("its job has come again")
    else:
        wait_for("the other to run", lambda: began() == ["job-0001", "job-0001"])
    peer.jobs.append(job("job-0002"))
    peer.ack_replies.clear()
    peer.wait(lambda: "job-0002" in peer.acks and "job-0001" in peer.acks, "both ACKs")
    assert began() == ["job-0001"] * (1 if again == WHEN else 2) + ["job-0002"]


@pytest.mark.parametrize("again", [
    {"when": "2026-05-04T03:02:02.5Z"},
    {"when": None},
    {"when": "2026-05-04T04:02:01Z", "failure": {"retry_count": 0, "remaining": 24,
        "failed_at": WHEN, "message": "m", "errtype": "E"}},
])
def test_another_job_of_its_jid_is_run(peer, start_supervisor, tmp_path, again):
    """It came into its queue at another time, or nobody knows: then it may be
    another job, or another attempt."""
    peer.ack_replies.append(REFUSED)
    peer.jobs.append(job("job-0001"))
    s, began = start(start_supervisor, tmp_path, peer)
    s.says("is to be repeated")
    peer.jobs.append(job("job-0001", **again))
    wait_for("it to run", lambda: began() == ["job-0001", "job-0001"])
    peer.wait(lambda: len(peer.acks) == 2, "both ACKs")


def test_the_same_jid_of_another_server(peer, start_supervisor, tmp_path):
    """What is owed to one server says nothing about a job of another."""
    with Peer() as other:
        other.serve()
        peer.ack_replies.extend([REFUSED] * 50)
        peer.jobs.append(job("job-0001"))
        s, began = start(start_supervisor, tmp_path, peer, server=[peer.url, other.url])
        s.says("is to be repeated")
        other.jobs.append(job("job-0001"))
        peer.listener.close()
        peer.hang_up_all()
        other.wait(lambda: other.acks == ["job-0001"], "the other's ACK")
        assert began() == ["job-0001", "job-0001"]
