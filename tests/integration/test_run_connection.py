"""The supervisor and a server that goes away, comes back, or answers oddly.

SPDX-License-Identifier: ISC
"""
import re
import socket
import time

from support.ports import free_port
from support.tap import CUT, Tap
from support.waiting import ceiling, wait_for


def test_hello(bench):
    """HELLO carries what operators look at: wid, hostname, pid, labels; the
    same wid on every conversation."""
    bench.run({"t": bench.script("h", "exit 0")}, labels=["blue", "reports"])
    bench.acked(bench.push("t"))
    hellos = bench.tap.sent("HELLO")
    assert len(hellos) >= 2
    assert len({h["wid"] for h in hellos}) == 1
    for h in hellos:
        assert h["v"] == 2
        assert h["hostname"] == socket.gethostname()
        assert h["pid"] == bench.supervisor.pid
        assert h["labels"] == ["blue", "reports"]
        assert len(h["wid"]) >= 8


def test_two_conversations(bench):
    """BEAT, ACK and FAIL never wait behind a FETCH: they go another way."""
    bench.run({"t": bench.script("h", "exit 0")})
    bench.acked(bench.push("t"))
    fetching = {n for _, n, line in bench.tap.requests if line.startswith("FETCH")}
    telling = {n for _, n, line in bench.tap.requests
        if line.startswith(("BEAT", "ACK", "FAIL"))}
    assert fetching and telling and not fetching & telling


def test_first_beat_comes_before_the_first_fetch(bench):
    """A worker asks for jobs only when the server knows it."""
    bench.run({"t": bench.script("h", "exit 0")})
    bench.acked(bench.push("t"))
    verbs = [line.split(" ")[0] for _, _, line in bench.tap.requests]
    assert verbs.index("BEAT") < min(
        i for i, verb in enumerate(verbs) if verb.startswith("FETCH"))


def test_beats_go_on_while_jobs_run(bench):
    """A long job does not stop the beats."""
    bench.run({"t": bench.script("h", "sleep 4")})
    jid = bench.push("t")
    wait_for("the job to be fetched", lambda: bench.client.sets()["working"] == 1)
    before = len(bench.tap.sent("BEAT"))
    bench.acked(jid)
    beats = bench.tap.sent("BEAT")
    assert len(beats) - before >= 3
    assert all(isinstance(b.get("rss_kb", 0), int) for b in beats)


def test_server_that_comes_later(start_server, start_supervisor, tmp_path):
    """Refused connections are not the end: it waits and works as soon as
    there is a server."""
    port = free_port()
    s = start_supervisor(f"tcp://127.0.0.1:{port}", {"jobs": {"t": {"exec": ["/bin/true"]}}})
    s.says(str(port))
    s.says(re.compile("(?s)(?:next try.*?){2}"))
    server = start_server(scratch=tmp_path / "late")
    tap = Tap(server.port)
    server.close()
    assert s.alive()
    tap.close()
    server.port = port
    server.start()
    with server.client() as c:
        c.push(jobtype="t", jid="12345678", args=[])
        wait_for("the job to be done", lambda: c.faktory()["total_processed"] == 1, 40)


def test_server_killed_in_the_middle(bench):
    """kill -9 of the server while jobs run and after: every outcome is told
    when it is back, none is told as a failure, none runs twice. A job whose
    delivery died with the server stays reserved, and no other."""
    ran = bench.scratch / "ran"
    bench.run({"t": bench.script("h", f'sleep 0.3; echo "$FAKTORY_JID" >>{ran}')}, concurrency=4)
    jids = [bench.push("t") for _ in range(40)]
    for round in range(2):
        done = len(ran.read_text().split()) if ran.exists() else 0
        wait_for("some jobs to be done", lambda: ran.exists()
            and len(ran.read_text().split()) >= min(done + 8, 36))
        bench.server.kill9()
        time.sleep(0.5)  # jobs end meanwhile, with nobody to tell
        bench.server.start()
    with bench.server.client() as c:
        def settled():
            f = c.faktory()
            count = len(ran.read_text().split())
            return c.size() == 0 and f["total_processed"] == count \
                and f["sets"]["working"] == 40 - count
        wait_for("all jobs that ran to be settled", settled, 60)
        assert c.faktory()["total_failures"] == 0
    done = ran.read_text().split()
    assert len(done) == len(set(done)) and set(done) <= set(jids)
    assert len(done) >= 32, "more than a handful of deliveries were lost"


def test_ack_lost_on_the_way_back(bench):
    """The server took the ACK and the connection broke before the answer: it
    is sent again and the job is not run again."""
    ran = bench.scratch / "ran"
    lost = []

    def lose_first(number, request, reply):
        if request.startswith("ACK") and len(lost) < 1:
            lost.append(request)
            return CUT
        return reply
    bench.tap.rule = lose_first
    bench.run({"t": bench.script("h", f"echo x >>{ran}")})
    jid = bench.push("t")
    wait_for("the second ACK", lambda: len(bench.tap.about("ACK", jid)) == 2)
    bench.acked(bench.push("t"))
    assert bench.client.faktory()["total_processed"] == 2
    assert ran.read_text() == "x\nx\n"


def test_fail_lost_on_the_way_back(bench):
    """A repeated FAIL is answered `Job not found`: counted, dropped, and not
    tried for ever."""
    lost = []

    def lose_first(number, request, reply):
        if request.startswith("FAIL") and len(lost) < 1:
            lost.append(request)
            return CUT
        return reply
    bench.tap.rule = lose_first
    bench.run({"t": bench.script("h", "exit 1"), "ok": bench.script("ok", "exit 0")})
    jid = bench.push("t")
    wait_for("the second FAIL", lambda: len(bench.tap.about("FAIL", jid)) == 2)
    bench.acked(bench.push("ok"))
    time.sleep(1.5)
    assert len(bench.tap.about("FAIL", jid)) == 2
    assert bench.client.sets()["retries"] == 1


def test_job_not_found_is_not_repeated(bench):
    """A server that has given the job to someone else says so once; the
    worker drops it and goes on."""
    bench.tap.rule = lambda n, request, reply: \
        b"-ERR Job not found x\r\n" if request.startswith("FAIL") else reply
    bench.run({"t": bench.script("h", "exit 1"), "ok": bench.script("ok", "exit 0")})
    jid = bench.push("t")
    wait_for("the FAIL", lambda: bench.tap.about("FAIL", jid))
    bench.acked(bench.push("ok"))
    time.sleep(1)
    assert len(bench.tap.about("FAIL", jid)) == 1


def test_error_at_ack_is_told_again(bench):
    """An -ERR at ACK (a full disk, say) is not the end of it: the outcome is
    kept and told until the server takes it."""
    count = []

    def refuse(number, request, reply):
        if request.startswith("ACK") and len(count) < 2:
            count.append(1)
            return b"-ERR database or disk is full\r\n"
        return reply
    bench.tap.rule = refuse
    bench.run({"t": bench.script("h", "exit 0")})
    jid = bench.push("t")
    wait_for("the third ACK", lambda: len(bench.tap.about("ACK", jid)) >= 3, 30)
    assert bench.supervisor.alive()


def test_unknown_worker_leads_to_a_new_hello(bench):
    """A stock Go worker dies of `unknown worker`. Ours says HELLO again, with
    the same wid, and works on."""
    told = []

    def forget(number, request, reply):
        if request.startswith("BEAT") and len(told) < 1:
            told.append(number)
            return b"-ERR unknown worker x\r\n"
        return reply
    bench.run({"t": bench.script("h", "exit 0")})
    bench.acked(bench.push("t"))
    hellos = len(bench.tap.sent("HELLO"))
    bench.tap.rule = forget
    wait_for("another HELLO", lambda: told and len(bench.tap.sent("HELLO")) > hellos)
    assert len({h["wid"] for h in bench.tap.sent("HELLO")}) == 1
    bench.acked(bench.push("t"))


def test_connections_cut_again_and_again(bench):
    """A bad network: every second all connections break. Every job is
    settled, none is failed by it."""
    bench.run({"t": bench.script("h", "exit 0")})
    jids = []
    for _ in range(4):
        jids += [bench.push("t") for _ in range(10)]
        wait_for("work to go on", lambda: len(bench.tap.sent("ACK")) >= len(jids) - 9, 30)
        bench.tap.cut()
    def settled():
        f = bench.client.faktory()
        return f["total_processed"] + f["sets"]["working"] >= 40 and bench.client.size() == 0
    wait_for("the jobs to be taken", settled, 60)
    # A delivery that was cut on its way stays reserved; all others are done.
    lost = bench.client.sets()["working"]
    assert lost <= 4 * 4
    assert bench.client.faktory()["total_failures"] == 0


def test_reconnection_backs_off(start_supervisor):
    """An address that accepts and closes at once is not hammered: the tries
    get rarer, within a ceiling."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    s = start_supervisor(f"tcp://127.0.0.1:{listener.getsockname()[1]}",
        {"jobs": {"t": {"exec": ["/bin/true"]}}})
    tries = []
    began = time.monotonic()
    while time.monotonic() - began < (8 if len(tries) >= 3 else ceiling(30)):
        try:
            c, _ = listener.accept()
            tries.append(time.monotonic())
            c.close()
        except TimeoutError:
            pass
    assert 3 <= len(tries) <= 40, len(tries)
    assert s.alive()
    listener.close()
    assert s.stop() == 0


def test_garbage_from_the_server(start_supervisor):
    """A peer that speaks something else is an error in the log, not a crash
    and not a busy loop."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    s = start_supervisor(f"tcp://127.0.0.1:{listener.getsockname()[1]}",
        {"jobs": {"t": {"exec": ["/bin/true"]}}})
    answers = [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"+HI nonsense\r\n", b"+HI {\"v\":99}\r\n",
        b"$99999999999\r\n", b"\0" * 100, b"+" + b"x" * 200_000, b"*1\r\n"]
    sent, began = 0, time.monotonic()
    while sent < 6 and time.monotonic() - began < (10 if sent >= 3 else ceiling(30)):
        try:
            c, _ = listener.accept()
            c.sendall(answers[sent % len(answers)])
            sent += 1
            c.close()
        except (TimeoutError, ConnectionError):
            pass
    assert sent >= 3
    assert s.alive()
    listener.close()
    assert s.stop() == 0


def test_wrong_password_is_told_clearly(start_server, start_supervisor):
    """A refused password is named as such in the log, tried again slowly, and
    no job is touched."""
    server = start_server(env={"FAKTORY_PASSWORD": "right"})
    s = start_supervisor(server.url, {"password": "wrong",
        "jobs": {"t": {"exec": ["/bin/true"]}}})
    s.says("password")
    time.sleep(2)
    assert s.output().count("password") <= 4
    assert s.alive()
    assert s.stop() == 0


def test_password_forms(start_server, start_supervisor, tmp_path):
    """password: as text, from a file, or from the environment."""
    server = start_server(env={"FAKTORY_PASSWORD": "päss word"})
    secret = tmp_path / "password"
    secret.write_text("päss word\n")
    for i, (form, env) in enumerate([("päss word", {}), ({"file": str(secret)}, {}),
            ({"env": "PW"}, {"PW": "päss word"})]):
        s = start_supervisor(server.url, {"password": form,
            "jobs": {"t": {"exec": ["/bin/true"]}}}, env=env, name=f"s{i}")
        with server.client(password="päss word") as c:
            c.push()
            wait_for("the job to be done",
                lambda: c.faktory()["total_processed"] == i + 1)
        assert s.stop() == 0


def test_fetch_error_is_not_hammered(bench):
    """-ERR at FETCH: asked again after a pause, not in a hot loop."""
    bench.tap.rule = lambda n, request, reply: \
        b"-ERR something is wrong\r\n" if request.startswith("FETCH") else reply
    bench.run({"t": bench.script("h", "exit 0")})
    wait_for("a FETCH", bench.tap.fetches)
    time.sleep(3)
    assert len(bench.tap.fetches()) <= 20
    bench.tap.rule = None
    # Jobs that met the rule stay reserved; this one is pushed after it.
    bench.acked(bench.push("t"))


def test_malformed_job_from_the_server(bench):
    """A job that is no job is logged and left, and the next one is run."""
    broken = []

    def spoil(number, request, reply):
        if request.startswith("FETCH") and reply[:2] != b"$-" and len(broken) < 1:
            broken.append(1)
            return b"$9\r\n{\"jid\":5}\r\n"
        return reply
    bench.tap.rule = spoil
    bench.run({"t": bench.script("h", "exit 0")})
    bench.push("t")
    wait_for("the spoilt job", lambda: broken)
    bench.acked(bench.push("t"))
    assert bench.supervisor.alive()


def test_a_network_that_is_away_for_a_while(bench):
    """5 s without a byte either way and without a FIN: the program that runs
    goes on, its ACK arrives afterwards, over the same conversations."""
    ran = bench.scratch / "ran"
    bench.run({"t": bench.script("h", f"echo began >>{ran}; sleep 2; echo ended >>{ran}")})
    jid = bench.push("t")
    wait_for("the program", ran.exists)
    hellos = len(bench.tap.sent("HELLO"))
    bench.tap.open.clear()
    cut = time.monotonic()
    wait_for("the program's end", lambda: "ended" in ran.read_text())
    wait_for("5 s", lambda: time.monotonic() - cut > 5)
    assert not bench.tap.about("ACK", jid)
    bench.tap.open.set()
    bench.acked(jid)
    assert ran.read_text() == "began\nended\n"
    assert len(bench.tap.sent("HELLO")) == hellos
    assert len(bench.tap.about("ACK", jid)) == 1


def test_a_network_that_is_away_for_long(bench):
    """Longer than an answer is waited for: the conversations are given up,
    the program is not; its ACK is told over new ones."""
    ran = bench.scratch / "ran"
    bench.run({"t": bench.script("h", f"echo began >>{ran}; sleep 1; echo ended >>{ran}")})
    jid = bench.push("t")
    wait_for("the program", ran.exists)
    bench.tap.open.clear()
    bench.supervisor.says("no answer within 10 s", 30)
    bench.tap.cut()
    bench.tap.open.set()
    bench.acked(jid, limit=40)
    assert ran.read_text() == "began\nended\n"
