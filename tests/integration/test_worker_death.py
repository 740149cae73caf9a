"""A worker that died gives its jobs back; one that is only silent, or comes
back in time, keeps them.

SPDX-License-Identifier: ISC
"""
import socket
import struct
import time

import pytest

from support.client import compact
from support.program import BUILD, run
from support.waiting import wait_for

SOON = "worker_grace: 500ms\n"


@pytest.fixture
def server(start_server):
    return start_server(config=SOON)


def take(server, n=1, wid="w1", **more):
    """A worker that holds n jobs, and their jids."""
    w = server.client(wid=wid, **more)
    jids = [w.push()["jid"] for _ in range(n)]
    for _ in jids:
        w.fetch()
    return w, jids


def back(client, n=1):
    wait_for("the jobs to come back", lambda: client.size() == n, 15)


def test_the_jobs_of_a_dead_worker_come_back_uncounted(server, client):
    """In their order, within the grace and a moment, as if never taken."""
    w, jids = take(server, 3)
    later = client.push()
    began = time.monotonic()
    w.close()
    back(client, 4)
    assert time.monotonic() - began >= 0.4
    assert client.sets()["working"] == 0
    got = [client.fetch() for _ in range(4)]
    assert [job["jid"] for job in got] == jids + [later["jid"]]
    assert all("failure" not in job for job in got)
    info = client.faktory()
    assert (info["total_processed"], info["total_failures"]) == (0, 0)


def test_a_reset_is_a_death_too(server, client):
    """A kernel that resets the connection says that the process is gone."""
    w, _ = take(server)
    w.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    w.close()
    back(client)


def test_it_wakes_who_waits(server, client):
    """A FETCH that waits gets the job the moment it is back."""
    w, jids = take(server)
    w.close()
    assert wait_for("the job", client.fetch, 15)["jid"] == jids[0]


def grace_over(server, client):
    """Until a worker that died just now has been given up: then so has every
    one that died before it."""
    w, _ = take(server, wid="canary")
    w.close()
    back(client)
    client.ack(client.fetch()["jid"])


def still_held(server, client, n=1):
    grace_over(server, client)
    assert client.sets()["working"] == n
    assert client.size() == 0


def test_who_comes_back_in_time_keeps_its_jobs(start_server):
    """A new connection of the same wid within the grace: nothing happens."""
    server = start_server(config="worker_grace: 1500ms\n")
    w, jids = take(server)
    w.close()
    with server.client(wid="w1") as w, server.client() as client:
        still_held(server, client)
        w.ack(jids[0])
        assert client.sets()["working"] == 0


def test_end_is_no_death(server, client):
    """A worker that takes its leave has its reasons: what it holds stays."""
    w, _ = take(server)
    w.send("END\r\n")
    assert w.closed()
    w.close()
    still_held(server, client)


def test_end_on_one_connection_is_no_farewell_of_the_worker(server, client):
    """It may need fewer connections than before; dead later, it is dead."""
    w, _ = take(server)
    spare = server.client(wid="w1")
    spare.send("END\r\n")
    assert spare.closed()
    w.close()
    back(client)


def test_one_connection_of_several_is_no_death(server, client):
    """As long as one is open, the worker lives."""
    w, _ = take(server)
    other = server.client(wid="w1")
    w.close()
    still_held(server, client)
    other.close()
    back(client)


def test_a_connection_that_we_closed_is_no_death(start_server):
    """What the server ends itself says nothing about the worker."""
    server = start_server(config=SOON + "limits: {line: 4K}\n")
    w, _ = take(server)
    w.send("PUSH " + "x" * 10000 + "\r\n")
    assert "longer than" in w.reply().text
    assert w.closed()
    w.close()
    with server.client() as client:
        still_held(server, client)


def test_a_client_without_a_wid_has_no_death(server, client):
    """Nobody could come back as it: its jobs wait for their time."""
    c = server.client()
    c.push()
    c.fetch()
    c.close()
    still_held(server, client)


@pytest.mark.parametrize("again", ["stop", "kill9"])
def test_a_restart_in_between_does_not_forget(start_server, again):
    """The server went down within the grace: after its return the worker has
    the grace once more, then its jobs come back. Its death was seen, so this
    holds where others are not missed."""
    server = start_server(config="worker_grace: 2s\nrestart_grace: 0s\n")
    w, _ = take(server, 2)
    w.close()
    with server.client() as c:
        wait_for("it to be noticed", lambda: c.faktory()["tasks"]["Workers"]["size"] == 0, 10)
        c.push(queue="other")  # on disk behind the note
    if again == "stop":
        server.restart()
    else:
        server.kill9()
        server.start()
    with server.client() as c:
        assert c.sets()["working"] == 2
        back(c, 2)


def test_who_comes_back_after_a_restart_keeps_its_jobs(start_server):
    """The note of its death goes with its return, on disk too."""
    server = start_server(config="worker_grace: 2s\nrestart_grace: 0s\n")
    w, _ = take(server)
    w.close()
    server.restart()
    w = server.client(wid="w1")
    w.push(queue="other")
    server.kill9()
    w.close()
    server.start()
    with server.client() as c:
        still_held(server, c)


def test_too_many_deaths_fail_the_job(server, client):
    """Three workers that die with a job are one failure of it, counted over a
    restart of the server; its own retry decides then."""
    jid = client.push()["jid"]
    for turn in range(3):
        w = server.client(wid=f"w{turn}")
        assert w.fetch()["jid"] == jid
        w.close()
        if turn < 2:
            back(client)
        if turn == 1:
            server.kill9()
            server.start()
            client = server.client()
    wait_for("it to fail", lambda: client.sets()["retries"] == 1, 15)
    client.mutate("requeue", "retries")
    failure = client.fetch()["failure"]
    assert (failure["errtype"], failure["message"]) == \
        ("WorkerDied", "3 workers died with this job")
    assert failure["retry_count"] == 0
    client.close()


def test_every_death_may_count(start_server):
    """worker_deaths: 1 makes each death a failure; retry 0 is forgotten then."""
    server = start_server(config=SOON + "worker_deaths: 1\n")
    w, _ = take(server)
    w.push(retry=0)
    w.fetch()
    w.close()
    with server.client() as c:
        wait_for("it to fail", lambda: c.sets()["working"] == 0, 15)
        assert c.sets()["retries"] == 1 and c.size() == 0
        assert c.faktory()["total_failures"] == 2


def test_a_failure_ends_the_count(server, client):
    """Deaths before an ordinary failure do not count after it."""
    jid = client.push()["jid"]
    for turn in range(2):
        w = server.client(wid=f"w{turn}")
        w.fetch()
        w.close()
        back(client)
    client.fetch()
    client.fail(jid)
    for turn in range(2):
        client.mutate("requeue", "retries")
        w = server.client(wid=f"v{turn}")
        assert wait_for("the job", w.fetch, 15)["failure"]["errtype"] == "E"
        w.close()
        back(client)


def test_a_worker_that_comes_back_late_is_told_what_it_lost(server, client):
    """Once, before it gets any other job; what another holds by then it
    cannot take away, and what it kept is still its own."""
    w, jids = take(server, 2, x=["cancel"])
    w.close()
    back(client, 2)
    other = server.client(wid="w2")
    assert other.fetch()["jid"] == jids[0]
    w = server.client(wid="w1", x=["cancel"])
    assert w.fetch() is None
    assert w.call("ACK " + compact({"jid": jids[0]})) == "OK"
    assert w.call("ACK " + compact({"jid": jids[0], "wid": "w1"})).text == \
        f"ERR Job not found {jids[0]}"
    assert client.sets()["working"] == 1
    answer = w.beat("w1")
    assert set(answer) == {"lost"} and sorted(answer["lost"]) == sorted(jids)
    assert w.beat("w1") == "OK"
    assert w.fetch()["jid"] == jids[1]
    w.close()
    other.close()


def test_what_was_lost_is_told_after_a_restart(server):
    """Also when the server was restarted before the worker came back; to a
    worker that does not know the word it is not told."""
    w, jids = take(server, x=["cancel"])
    w.close()
    with server.client() as c:
        back(c)
    server.kill9()
    server.start()
    with server.client(wid="w1") as w:
        assert w.beat("w1") == "OK"
        assert w.fetch()["jid"] == jids[0]
        w.ack(jids[0])
    with server.client(wid="w1", x=["cancel"]) as w:
        assert w.beat("w1") == {"lost": jids}


def test_anybody_may_settle_for_a_worker_that_is_away(server, client):
    """A supervisor that crashed comes back under another name and tells how
    its jobs had ended."""
    w, jids = take(server)
    with server.client(wid="w2") as successor:
        successor.ack(jids[0])
        assert client.sets()["working"] == 1
        w.close()
        wait_for("it to be gone", lambda: client.faktory()["tasks"]["Workers"]["size"] == 1, 10)
        successor.ack(jids[0])
        assert client.sets()["working"] == 0
        assert client.faktory()["total_processed"] == 1


@pytest.mark.slow(61)
def test_silence_is_death_only_where_that_is_asked_for(start_server):
    """A worker behind a cut network keeps what it holds when it has been sent
    away, and may settle it. With worker_silence it is back so long after the
    last beat, and the worker hears what it has lost."""
    patient = start_server(config=SOON)
    hasty = start_server(config=SOON + "worker_silence: 1m\n")
    w1, kept = take(patient, x=["cancel"])
    began = time.monotonic()
    w2, given = take(hasty, x=["cancel"])
    with hasty.client() as c:
        wait_for("the job", lambda: c.size() == 1, 120, step=0.5)
        assert time.monotonic() - began >= 58
        assert c.sets()["working"] == 0
        hasty.program.says("wid=w1 fell silent and did not come back; it held 1 jobs")
        with hasty.client(wid="w1", x=["cancel"]) as back:
            assert back.beat("w1") == {"lost": given}
            job = back.fetch()
            assert job["jid"] == given[0] and "failure" not in job
    with patient.client() as c:
        wait_for("it to be sent away",
            lambda: c.faktory()["tasks"]["Workers"] == {"reaped": 1, "size": 0}, 120, step=0.5)
        still_held(patient, c)
        with patient.client(wid="w1", x=["cancel"]) as back:
            assert back.beat("w1") == "OK"
            back.ack(kept[0])
        assert c.sets()["working"] == 0 and c.faktory()["total_processed"] == 2
    w1.close()
    w2.close()


def test_a_silence_that_is_no_silence(tmp_path):
    """Shorter than the minute in which a worker must beat: told, with its place."""
    config = tmp_path / "s.yaml"
    config.write_text("worker_silence: 59s\n")
    done = run([BUILD / "faktotum-server", "-c", config, "--check"])
    assert done.returncode == 78
    assert "s.yaml:1:17: worker_silence: 59s is less than" in done.stderr.decode()


def test_flush_forgets_the_dead(server, client):
    """After FLUSH nothing comes back from anywhere."""
    w, _ = take(server)
    w.close()
    wait_for("it to be gone", lambda: client.faktory()["tasks"]["Workers"]["size"] == 0, 10)
    client.ok("FLUSH")
    grace_over(server, client)
    assert client.size() == 0 and client.sets()["working"] == 0


def test_a_killed_supervisor(start_server, start_supervisor, tmp_path):
    """kill -9 of `faktotum run`: its job is in the queue again in seconds."""
    from support.supervisor import script
    server = start_server(config=SOON)
    s = start_supervisor(server.url, {"jobs": {"t": {"exec": [script(tmp_path, "h", "exec sleep 30")]}},
        "concurrency": 1})
    with server.client() as c:
        c.push()
        wait_for("it to run", lambda: c.sets()["working"] == 1, 20)
        s.kill9()
        back(c)
