"""BEAT, quiet, terminate and INFO: what server and workers know of each other.

SPDX-License-Identifier: ISC
"""
import re
import time

import pytest

from support.client import compact
from support.waiting import wait_for


def test_beat_of_a_known_worker(server, connect):
    """A worker that said HELLO may beat, from any connection."""
    connect(wid="w1", hostname="h", pid=1, labels=["a"])
    with server.client() as other:
        assert other.beat("w1", rss_kb=54176) == "OK"
        assert other.beat("w1", current_state="busy", unknown=[1]) == "OK"


def test_worker_is_forgotten_with_its_last_connection(server, client):
    """The registry follows connections: the last one's end removes the wid."""
    one, two = server.client(wid="w2"), server.client(wid="w2")
    one.close()
    assert client.beat("w2") == "OK"
    two.close()
    def unknown():
        answer = client.call('BEAT {"wid":"w2"}')
        return getattr(answer, "text", "") == "ERR unknown worker w2"
    wait_for("the worker to be forgotten", unknown, 5)


@pytest.mark.parametrize("state", ["quiet", "terminate"])
def test_state_is_answered_as_a_bulk_string(connect, state):
    """The state change is a bulk string without spaces, at once and in every
    later BEAT; clients compare these bytes."""
    c = connect(wid="w3")
    for line in ('BEAT {"wid":"w3","current_state":"%s"}' % state, 'BEAT {"wid":"w3"}'):
        assert c.call(line) == ('{"state":"%s"}' % state).encode()


def test_state_only_moves_forward(connect):
    """running -> quiet -> terminate, never back."""
    c = connect(wid="w4")
    assert c.beat("w4", current_state="quiet") == {"state": "quiet"}
    assert c.beat("w4", current_state="running") == {"state": "quiet"}
    assert c.beat("w4", current_state="terminate") == {"state": "terminate"}
    assert c.beat("w4", current_state="quiet") == {"state": "terminate"}


def test_quiet_holds_for_every_connection_of_the_worker(server, connect, client):
    """A stock server enforces quiet for the first connection only, and hands
    jobs to the others. Ours: null after 2 s on each, the job stays."""
    one, two = connect(wid="w5"), connect(wid="w5")
    one.beat("w5", current_state="quiet")
    three = connect(wid="w5")
    job = client.push()
    began = time.monotonic()
    for c in (one, two, three):
        c.send("FETCH default\r\n")
    assert [c.reply() for c in (one, two, three)] == [None] * 3
    assert 1.9 <= time.monotonic() - began
    assert client.fetch()["jid"] == job["jid"]


def test_quiet_worker_may_push_and_settle(connect, client):
    """Quiet stops fetching and nothing else."""
    c = connect(wid="w6")
    job = client.push()
    assert c.fetch()["jid"] == job["jid"]
    c.beat("w6", current_state="quiet")
    c.push(queue="other")
    c.ack(job["jid"])
    assert client.sets()["working"] == 0


def test_state_outlives_the_connection_that_was_first(server, connect, client):
    """The state is the worker's, not that of one of its connections."""
    first, second = server.client(wid="w10"), connect(wid="w10")
    second.beat("w10", current_state="quiet")
    first.close()
    wait_for("it to be gone", lambda: client.info()["server"]["connections"] == 2)
    assert second.beat("w10") == {"state": "quiet"}
    client.push()
    assert second.fetch() is None


def test_a_restart_forgets_who_was_connected(server):
    """A worker that missed a restart is told so, by the words that make it
    say HELLO again; then it is known."""
    with server.client(wid="w11") as c:
        assert c.beat("w11") == "OK"
    server.restart()
    with server.client() as c:
        assert c.error('BEAT {"wid":"w11"}') == "ERR unknown worker w11"
        with server.client(wid="w11"):
            assert c.beat("w11") == "OK"


def test_new_connections_of_a_wid_start_running(server):
    """When all connections are gone the state is gone with them."""
    with server.client(wid="w7") as c:
        c.beat("w7", current_state="quiet")
    def running():
        with server.client(wid="w7") as c:
            return c.beat("w7") == "OK"
    wait_for("the worker to be new", running, 5)


def test_wid_is_data(connect, server):
    """A wid with odd characters is quoted back as it came."""
    c = connect(wid='odd "wid" é')
    assert c.beat('odd "wid" é') == "OK"
    assert server.client().call('BEAT {"wid":"\\u00e9"}').text == "ERR unknown worker é"


@pytest.mark.slow(60)
def test_silent_worker_is_sent_away(server, client):
    """A worker silent for 60 s is gone: its connections are closed (after 60
    to 75 s, as a stock server does) while a beating one stays."""
    silent, beating = server.client(wid="silent"), server.client(wid="beating")
    silent.socket.settimeout(1)
    began = time.monotonic()
    while time.monotonic() - began < 150:
        assert beating.beat("beating") == "OK"
        try:
            if silent.socket.recv(1) == b"":
                break
        except ConnectionResetError:
            break
        except TimeoutError:
            pass
    assert 59 <= time.monotonic() - began < 150
    assert client.call('BEAT {"wid":"silent"}').text == "ERR unknown worker silent"
    assert beating.beat("beating") == "OK"
    silent.close()
    beating.close()


def test_info_has_every_field_of_a_stock_server(connect):
    """Dashboards and clients read these names and expect these types."""
    c = connect(wid="w8")
    c.push()
    c.push(queue="other")
    c.push(at="2199-01-01T00:00:00Z")
    c.fetch()
    info = c.info()
    assert set(info) == {"now", "server_utc_time", "faktory", "server"}
    assert set(info["faktory"]) == {"queues", "sets", "tasks", "total_failures",
        "total_processed", "total_enqueued", "total_queues"}
    assert set(info["server"]) == {"description", "faktory_version", "faktotum_version",
        "uptime", "connections", "command_count", "used_memory_mb"}
    assert re.fullmatch(r"\d\d:\d\d:\d\d UTC", info["server_utc_time"])
    assert info["now"].endswith("Z") and "T" in info["now"]
    f = info["faktory"]
    assert f["queues"] == {"default": 0, "other": 1}
    assert f["sets"] == {"dead": 0, "retries": 0, "scheduled": 1, "working": 1}
    assert (f["total_enqueued"], f["total_queues"]) == (1, 2)
    assert (f["total_failures"], f["total_processed"]) == (0, 0)
    tasks = f["tasks"]
    assert set(tasks) == {"Busy", "Dead", "Retries", "Scheduled", "Workers"}
    assert all(set(tasks[n]) == {"cycles", "enqueued", "size", "wall_time_sec"}
        for n in ("Dead", "Retries", "Scheduled"))
    assert all(set(tasks[n]) == {"reaped", "size"} for n in ("Busy", "Workers"))
    for name in ("Dead", "Retries", "Scheduled"):
        for key in ("cycles", "enqueued", "size", "wall_time_sec"):
            assert isinstance(tasks[name][key], (int, float)), (name, key)
    for name in ("Busy", "Workers"):
        for key in ("reaped", "size"):
            assert isinstance(tasks[name][key], int), (name, key)
    assert tasks["Busy"]["size"] == 1
    assert tasks["Workers"]["size"] == 1
    s = info["server"]
    for key in ("uptime", "connections", "command_count"):
        assert isinstance(s[key], int), key
    assert isinstance(s["used_memory_mb"], (int, float))
    assert isinstance(s["description"], str)
    assert s["faktory_version"].count(".") == 2
    assert s["connections"] == 1
    assert s["command_count"] >= 4


def test_info_ignores_what_follows(client):
    """INFO with arguments is INFO."""
    assert b"faktory" in client.call("INFO please {}")


def test_info_with_many_queues(client):
    """A thousand queues are listed, each with its size."""
    client.pushb([{"jid": f"many-{i:05d}", "jobtype": "t", "args": [], "queue": f"q{i}"}
        for i in range(1000)])
    assert client.faktory()["queues"] == {f"q{i}": 1 for i in range(1000)}


def test_reserved_by_a_worker(connect, client):
    """working counts what workers hold, until they settle it."""
    c = connect(wid="w9")
    jobs = [client.push() for _ in range(3)]
    for _ in jobs:
        c.fetch()
    assert client.sets()["working"] == 3
    c.send("".join("ACK " + compact({"jid": j["jid"]}) + "\r\n" for j in jobs))
    assert [c.reply() for _ in jobs] == ["OK"] * 3
    assert client.sets()["working"] == 0
