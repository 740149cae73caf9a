"""Jobs that the server takes back, or wants ended, while they run.

SPDX-License-Identifier: ISC
"""
import json

import pytest

from support.peer import Peer
from support.supervisor import script
from support.waiting import wait_for


@pytest.fixture
def peer(ending):
    with Peer() as p:
        p.serve()
        yield p


def told(**members):
    """A BEAT reply that says this."""
    data = json.dumps(members).encode()
    return b"$%d\r\n%s\r\n" % (len(data), data)


def run(peer, start_supervisor, tmp_path, text, grace="5s"):
    handler = script(tmp_path, "h", text)
    s = start_supervisor(peer.url, {"concurrency": 2, "jobs": {
        "t": {"exec": [handler], "grace": grace}, "ok": {"exec": ["/bin/true"]}}})
    peer.jobs.append({"jid": "taken-0001", "jobtype": "t", "args": []})
    wait_for("the program to be up", lambda: (tmp_path / "up").exists())
    return s


def test_cancel_by_the_server(peer, start_supervisor, tmp_path):
    """A BEAT reply with "cancel" ends the program by TERM; it finds the
    reason in its private directory, and the job fails as Cancelled."""
    s = run(peer, start_supervisor, tmp_path, f"""
trap 'cat "$FAKTORY_TMPDIR/cancel" >{tmp_path}/why; exit 0' TERM
touch {tmp_path}/up
while :; do sleep 0.05; done""")
    peer.beat_replies.append(told(cancel=["taken-0001", "never-seen"]))
    peer.wait(lambda: peer.fails, "the FAIL")
    assert peer.fails[0]["jid"] == "taken-0001"
    assert peer.fails[0]["errtype"] == "Cancelled"
    assert (tmp_path / "why").read_text() == "server\n"
    assert s.stop() == 0
    assert not peer.acks


@pytest.mark.parametrize("reason,settings", [
    ("timeout", {"timeout": "1s"}),
    ("stalled", {"stall_timeout": "1s"}),
    ("output_limit", {"output_limit": "1K", "output_action": "kill"}),
])
def test_the_reason_of_a_limit(bench, reason, settings):
    """A program that is stopped by a limit of its handler finds out by which."""
    why = bench.scratch / "why"
    bench.run({"t": dict(settings, exec=[bench.script("h", f"""
trap 'cp "$FAKTORY_TMPDIR/cancel" {why}; exit 0' TERM
head -c 4000 /dev/zero | tr '\\0' x
while :; do sleep 0.05; done""")])})
    bench.failed(bench.push("t"))
    assert why.read_text() == reason + "\n"


def test_lost_reservation(peer, start_supervisor, tmp_path):
    """A job that the server has given away is killed with all it started,
    without a grace, and nothing is reported about it: whatever was said would
    be about its successor."""
    s = run(peer, start_supervisor, tmp_path, f"""
trap '' TERM
(trap '' TERM; while :; do date +%N >>{tmp_path}/alive; sleep 0.05; done) &
touch {tmp_path}/up
while :; do sleep 0.05; done""", grace="20s")
    peer.beat_replies.append(told(lost=["taken-0001"]))
    s.says("nothing is reported", limit=5)
    seen = (tmp_path / "alive").read_bytes()
    peer.jobs.append({"jid": "after-0001", "jobtype": "ok", "args": []})
    peer.wait(lambda: peer.acks == ["after-0001"], "the next job")
    assert (tmp_path / "alive").read_bytes() == seen
    assert not peer.fails
    assert s.stop() == 0
