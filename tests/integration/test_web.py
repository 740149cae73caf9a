"""The server's pages: health, stats, metrics, who may see them, and ceilings.

SPDX-License-Identifier: ISC
"""
import base64
import http.client
import json
import os
import re
import signal
import socket
import time

import pytest

from support.client import new_job
from support.disk import fill
from support.program import BUILD, ROOT, run
from support.prometheus import Scrape
from support.waiting import SLOW, ceiling, wait_for

FREE = "127.0.0.1:0"
SERVER = BUILD / "faktotum-server"


def ask(server, path, method="GET", password=None, body=None, user="any"):
    c = http.client.HTTPConnection("127.0.0.1", server.web_port, timeout=ceiling(30))
    headers = {}
    if password is not None:
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
    try:
        c.request(method, path, body=body, headers=headers)
        answer = c.getresponse()
        return answer.status, answer.read().decode(), answer.headers
    finally:
        c.close()


def scrape(server, **more):
    status, text, headers = ask(server, "/metrics", **more)
    assert status == 200, text
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Scrape(text)


@pytest.fixture
def web(start_server):
    return start_server(web=FREE)


@pytest.mark.slow(10)
def test_health_is_a_write_on_disk(web):
    """200 with a stock server's members once a write has reached the disk, on
    a server that nobody uses too; without a password."""
    def healthy():
        status, text, headers = ask(web, "/health")
        return status == 200 and (json.loads(text), headers)
    body, headers = wait_for("health", healthy)
    assert set(body) == {"now", "server"}
    assert set(body["server"]) >= {"command_count", "connections", "description",
        "faktory_version"}
    assert headers["Cache-Control"] == "no-cache"
    commits = scrape(web).value("faktotum_server_commits_total")
    assert commits >= 1
    # On and on: that an idle server is well is not a thing of the past.
    wait_for("another probe", lambda:
        scrape(web).value("faktotum_server_commits_total") > commits, 15)


def test_health_tells_a_full_disk(start_server, small_disk):
    """A stock server says 200 while its disk refuses every job. Ours says 503
    and why, whether a write failed or what is kept back from jobs is all there
    is left; and 200 again when there is room."""
    s = start_server(web=FREE, data=small_disk / "data")
    with s.client() as c:
        c.push()
        fill(small_disk)
        for _ in range(50):
            c.call("PUSH " + json.dumps(new_job("t", "x" * 3000)))
        assert c.call("PUSH " + json.dumps(new_job("t"))) != "OK"
        status, text, _ = ask(s, "/health")
        assert status == 503
        assert re.match("the last write failed: |no more jobs are taken: the data's file "
            "system is almost full$", json.loads(text)["reason"])
        assert scrape(s).value("faktotum_server_healthy") == 0
        os.unlink(small_disk / "ballast")
        wait_for("200 again, by itself", lambda: ask(s, "/health")[0] == 200, 20)
        assert scrape(s).value("faktotum_server_healthy") == 1
        assert c.call("PUSH " + json.dumps(new_job("t"))) == "OK"


@pytest.mark.slow(10)
def test_health_tells_a_disk_that_jobs_have_filled(start_server, small_disk):
    """Nothing has failed when pushes are refused to keep the rest of the disk
    for what works jobs off: 503 all the same, before and after a probe."""
    s = start_server(web=FREE, data=small_disk / "data")
    with s.client() as c:
        def refused():
            return "no room" in str(c.call("PUSH " + json.dumps(new_job("t", "x" * 3000))))
        wait_for("a refusal", refused, 60, step=0)
        status, text, _ = ask(s, "/health")
        assert status == 503
        assert json.loads(text)["reason"] == \
            "no more jobs are taken: the data's file system is almost full"
        commits = scrape(s).value("faktotum_server_commits_total")
        assert scrape(s).value("faktotum_server_commit_failures_total") == 0
        wait_for("a probe", lambda:
            scrape(s).value("faktotum_server_commits_total") > commits, 30)
        assert ask(s, "/health")[0] == 503


def test_health_tells_that_large_jobs_are_refused(start_server, small_disk):
    """Too little left for the jobs that are pushed, though small ones still
    find room: 503 with the reason, until there is room for them again."""
    s = start_server(web=FREE, data=small_disk / "data")
    with s.client() as c:
        def push(size):
            return str(c.call("PUSH " + json.dumps(new_job("t", "x" * size))))
        wait_for("a refusal", lambda: "too little left for so much" in push(400_000), 60, step=0)
        assert push(10) == "OK"
        status, text, _ = ask(s, "/health")
        assert status == 503
        assert re.match(r"a push was refused: the data's file system has too little left for "
            r"\d{6} bytes more$", json.loads(text)["reason"])
        assert scrape(s).value("faktotum_server_healthy") == 0
        while job := c.fetch():
            c.ack(job["jid"])
        wait_for("200 again, by itself", lambda: ask(s, "/health")[0] == 200, 30)
        assert push(400_000) == "OK"


def test_stats_are_what_info_is(web):
    """/stats has the structure of INFO, as on a stock server."""
    with web.client(wid="stats-test") as c:
        c.push(queue="a")
        c.push(queue="b")
        c.fetch("a")
        told = c.info()
        status, text, headers = ask(web, "/stats")
        seen = json.loads(text)
    assert status == 200 and headers["Content-Type"] == "application/json"

    def shape(value):
        return {k: shape(v) for k, v in value.items()} if isinstance(value, dict) else type(value)
    assert shape(seen) == shape(told)
    assert seen["faktory"]["queues"] == {"a": 0, "b": 1}
    assert seen["faktory"]["sets"]["working"] == 1


def test_metrics_tell_what_happened(web):
    """The numbers are those of what was done."""
    with web.client(wid="metrics-test") as c:
        for n in range(3):
            c.push(queue="q.one")
        c.push(queue="two", at="2099-01-01T00:00:00Z")
        c.ok("QUEUE PAUSE held")
        c.ack(c.fetch("q.one")["jid"])
        failed = c.fetch("q.one")["jid"]
        c.fail(failed)
        kept = c.fetch("q.one")["jid"]
        c.push(queue="q.one")
        s = scrape(web)
        c.ack(kept)
    assert s.value("faktotum_server_queue_jobs", queue="q.one") == 1
    assert s.value("faktotum_server_queue_paused", queue="held") == 1
    assert s.value("faktotum_server_queue_paused", queue="q.one") == 0
    assert s.value("faktotum_server_set_jobs", set="scheduled") == 1
    assert s.value("faktotum_server_set_jobs", set="retries") == 1
    assert s.value("faktotum_server_set_jobs", set="working") == 1
    assert s.value("faktotum_server_set_jobs", set="dead") == 0
    assert s.value("faktotum_server_jobs_processed_total") == 2
    assert s.value("faktotum_server_jobs_failed_total") == 1
    assert s.value("faktotum_server_connections") == 1
    assert s.value("faktotum_server_workers") == 1
    assert s.value("faktotum_server_web_connections") == 1
    assert s.value("faktotum_server_commands_total") >= 9
    commits = s.value("faktotum_server_commits_total")
    assert 9 <= commits == s.value("faktotum_server_commit_seconds_count")
    assert s.value("faktotum_server_commit_seconds_sum") > 0
    assert s.value("faktotum_server_changes_total") >= 9
    assert s.value("faktotum_server_store_bytes") > 10_000
    assert abs(s.value("faktotum_server_last_commit_time_seconds") - time.time()) < 30 * SLOW
    assert s.value("faktotum_server_uptime_seconds") < 60 * SLOW
    assert s.value("process_resident_memory_bytes") > 1_000_000


def test_latency_of_a_queue(web):
    """How long the next job has waited: it grows, survives a restart and a
    job that was fetched and comes back, and is 0 for an empty queue."""
    def late():
        return scrape(web).value("faktotum_server_queue_latency_seconds", queue="default")
    with web.client() as c:
        c.push()
        began = time.monotonic()
        wait_for("a second", lambda: late() > 1)
        assert late() <= time.monotonic() - began + 1
        told = json.loads(c.call("QUEUE LATENCY default"))["default"]
        assert told > 1 and late() >= round(told, 3)  # a metric has milliseconds
    web.restart()
    assert late() > 1
    # A worker that vanishes gives the job back to its place, as old as it is.
    with web.client(wid="vanishes1") as c:
        assert c.fetch() is not None
        assert late() == 0
        c.mutate("clear", "scheduled")
    web.restart()
    with web.client() as c:
        c.ok("FLUSH")
        c.push()
        assert late() < 1 * SLOW


def test_password(start_server):
    """With a password everything but /health asks for it, for any user name,
    in a stock server's words; no page is made and nothing is told without."""
    s = start_server(web=FREE, env={"FAKTORY_PASSWORD": "s3cret pass:word"})
    assert ask(s, "/health")[0] in (200, 503)
    for path in ("/", "/stats", "/metrics", "/nothing"):
        status, text, headers = ask(s, path)
        assert (status, text) == (401, "Authorization required\n"), path
        assert headers["WWW-Authenticate"] == 'Basic realm="Faktory"'
        assert ask(s, path, password="wrong")[:2] == (401, "Authorization failed\n")
        assert ask(s, path, password="")[:2] == (401, "Authorization failed\n")
        assert ask(s, path, password="s3cret pass:wor")[0] == 401
        assert ask(s, path, password="s3cret pass:word", user="")[0] == \
            (404 if path == "/nothing" else 200)
    assert ask(s, "/stats", "HEAD")[0] == 401
    assert "s3cret" not in s.program.output()
    assert "wrong password" in s.program.output()


def test_password_of_its_own(start_server):
    """web.password is asked for here in the place of the clients'."""
    s = start_server(web=FREE, config="password: inner\nweb: {password: outer}\n")
    assert ask(s, "/stats", password="outer")[0] == 200
    assert ask(s, "/stats", password="inner")[0] == 401


def test_hup_takes_a_new_password(start_server):
    """A stock server's HUP changes no password of its pages, neither adding
    nor changing one, and ends it where it has none to serve."""
    s = start_server(web=FREE, config="web: {password: first}\n")
    off = start_server(config="web: {password: first}\n")

    def reload(server, text):
        server.config.write_text(text)
        before = server.program.output().count("are those of")
        server.program.signal(signal.SIGHUP)
        wait_for("the reload", lambda: server.program.output().count("are those of") > before)
    assert ask(s, "/stats", password="first")[0] == 200
    reload(s, "web: {password: second}\n")
    assert ask(s, "/stats", password="first")[0] == 401
    assert ask(s, "/stats", password="second")[0] == 200
    reload(s, "{}\n")
    assert ask(s, "/stats")[0] == 200
    reload(s, "web: {password: third}\n")
    assert ask(s, "/stats")[0] == 401
    assert ask(s, "/stats", password="third")[0] == 200
    reload(off, "web: {listen: 127.0.0.1:1, password: second}\n")
    with off.client() as c:
        c.push()


@pytest.mark.parametrize("header", ["Basic", "Basic !!!!", "Basic " + "QQ" * 200, "Bearer x",
    "Basic OnM=", "Basic czM=", "basic  OnMzY3JldA=="])
def test_broken_credentials(start_server, header):
    """What is no user and password is refused, and nothing falls over."""
    s = start_server(web=FREE, env={"FAKTORY_PASSWORD": "s3cret0"})
    c = http.client.HTTPConnection("127.0.0.1", s.web_port, timeout=ceiling(30))
    c.request("GET", "/stats", headers={"Authorization": header})
    assert c.getresponse().status == 401
    c.close()


def refused(tmp_path, *args, config=""):
    path = tmp_path / "c.yaml"
    path.write_text(config or "{}\n")
    done = run([SERVER, "--check", "-c", path, *args])
    return done.returncode, (done.stdout + done.stderr).decode()


def test_who_can_reach_it(tmp_path):
    """An address that others can reach needs a password or web.public; it is
    a mistake in the settings, with its place."""
    for address in ("0.0.0.0:7420", "'[::]:7420'", "192.0.2.1:80", "jobs.example:80"):
        status, text = refused(tmp_path, config=f"web: {{listen: {address}}}\n")
        assert status == 78 and "c.yaml:1:" in text and "others can reach" in text, text
        assert refused(tmp_path, config=f"web: {{listen: {address}, public: true}}\n")[0] == 0
        assert refused(tmp_path, config=f"password: x\nweb: {{listen: {address}}}\n")[0] == 0
        assert refused(tmp_path, config=f"web: {{listen: {address}, password: x}}\n")[0] == 0
    status, text = refused(tmp_path, "--web", "0.0.0.0:7420")
    assert status == 78 and "--web 0.0.0.0:7420" in text
    for address in ("off", "localhost:7420", "127.0.0.1:0", "'[::1]:1'"):
        assert refused(tmp_path, config=f"web: {{listen: {address}}}\n")[0] == 0
    status, text = refused(tmp_path, config="web: {listen: nowhere}\n")
    assert status == 78 and "nowhere" in text


def test_off(start_server):
    """off: nothing listens."""
    s = start_server(config="web: {listen: off}\n", web=None)
    with s.client() as c:
        c.push()
    assert "answering on" not in s.program.output()


def test_web_port_in_use(server, tmp_path):
    """Exit 69, and the sentence says which of the two addresses."""
    done = run([SERVER, "--listen", FREE, "--web", f"127.0.0.1:{server.port}",
        "--data", tmp_path / "other"])
    text = done.stderr.decode()
    assert done.returncode == 69
    assert f"web: listen 127.0.0.1:{server.port}: Address already in use" in text


def test_methods_and_paths(web):
    """HEAD has no body, other methods and paths their status; a query does not
    matter; a connection serves many requests."""
    c = http.client.HTTPConnection("127.0.0.1", web.web_port, timeout=ceiling(30))
    wanted = [("GET", "/", 200), ("GET", "/stats?x=/health", 200), ("HEAD", "/stats", 200),
        ("GET", "/nothing", 404), ("GET", "/stats/", 404), ("GET", "//stats", 404),
        ("GET", "/health/../stats", 404)]
    for method, path, status in wanted:
        c.request(method, path)
        answer = c.getresponse()
        body = answer.read()
        assert answer.status == status, path
        assert (body == b"") == (method == "HEAD")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    c.close()
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "BREW"):
        status, _, headers = ask(web, "/stats", method, body=b"x" * 10_000)
        assert status == 405 and headers["Allow"] == "GET, HEAD", method


def test_stopping(web):
    """While a server waits for its last clients, /health says so."""
    with web.client(wid="slow-reader") as c:
        for _ in range(30):
            c.push(new_job("t", "x" * 500_000))
        c.send("FETCH default\r\n" * 30)
        wait_for("the answers to wait", lambda:
            scrape(web).value("faktotum_server_set_jobs", set="working") >= 1)
        web.program.signal(signal.SIGTERM)
        def said():
            try:
                return ask(web, "/health")[:2]
            except OSError:
                return None
        seen = []
        wait_for("its end", lambda: seen.append(said()) or not web.program.alive(), 15)
    told = [json.loads(s[1]).get("reason") for s in seen if s is not None and s[0] == 503]
    assert all(reason == "shutting down" for reason in told)
    assert web.program.wait() == 0


# ---- ceilings ----

def raw(web, data=b""):
    s = socket.create_connection(("127.0.0.1", web.web_port), 30 * SLOW)
    s.sendall(data)
    return s


def test_two_hundred_slow_peers(web):
    """Who connects and says nothing, half a request, or garbage, keeps others
    neither from pages nor from jobs, nor descriptors for long."""
    with web.client() as c:
        c.push()
        before = web.program.descriptors()
        peers = []
        try:
            for n in range(200):
                peers.append(raw(web, (b"", b"GET /metrics HT", b"\x00\xff" * 400)[n % 3]))
            assert ask(web, "/stats")[0] == 200
            assert scrape(web).value("faktotum_server_web_connections") <= 64
            assert c.fetch() is not None
            assert web.program.descriptors() <= before + 64 + 8
        finally:
            for p in peers:
                p.close()
        wait_for("their end", lambda: web.program.descriptors() <= before)


@pytest.mark.slow(16)
def test_time_has_an_end(web):
    """A peer that sends a byte now and then, and one that takes no answer, are
    cut off all the same."""
    drip = raw(web, b"GET /stats HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    deaf = raw(web)
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with web.client() as c:
        c.pushb([new_job(queue=f"queue-with-a-long-name-{i:05d}") for i in range(20_000)])
    deaf.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")

    def cut():
        try:
            drip.sendall(b"x")
            drip.settimeout(0.2)
            return drip.recv(100) == b""
        except TimeoutError:
            return False
        except OSError:
            return True
    began = time.monotonic()
    wait_for("the drip to be cut", cut, 40)
    assert time.monotonic() - began > 5
    wait_for("the deaf one to be cut", lambda:
        scrape(web).value("faktotum_server_web_connections") == 1, 40)
    drip.close()
    deaf.close()


def test_long_head_is_refused(web):
    """The bytes of a request's head are bounded, and so is what it is
    answered with."""
    for head in (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"x" * 100_000 + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 50_000 + b"\r\n"):
        with raw(web) as s:
            try:
                s.sendall(head)
                answer = s.recv(4096)
            except ConnectionError:
                answer = b""
        assert answer == b"" or re.match(rb"HTTP/1.1 4\d\d ", answer), answer[:200]
    assert ask(web, "/stats")[0] == 200


def test_request_without_host_is_refused(web):
    """HTTP/1.1 wants a Host; the library is told to be strict."""
    with raw(web, b"GET / HTTP/1.1\r\n\r\n") as s:
        assert s.recv(4096).startswith(b"HTTP/1.1 400")


def test_scrapes_under_load(web):
    """Pages are made while queues come and go. A stock server aborts when its
    queues change under /stats."""
    stop = time.monotonic() + 2
    n = 0
    with web.client() as c:
        while time.monotonic() < stop:
            c.pushb([new_job(queue=f"q{n}-{i}") for i in range(50)])
            c.send("".join(f"QUEUE REMOVE q{n}-{i}\r\n" for i in range(50)))
            assert ask(web, "/metrics")[0] == 200
            assert ask(web, "/stats")[0] == 200
            assert all(c.reply() == "OK" for _ in range(50))
            n += 1
    assert n > 1


# ---- what names the metrics ----

NAME = re.compile(r"\b(?:faktotum_server|process)_[a-z_]+\b")


def test_rules_and_manual_name_what_exists(web):
    """Each metric that the server's alert rules and the manual name is on the
    page, and the manual has every one that is."""
    with web.client() as c:
        c.push()
    s = scrape(web)
    rules = (ROOT / "contrib/prometheus/faktotum-server.rules.yml").read_text()
    named = set(NAME.findall(rules))
    assert len(named) > 5 and not named - s.names(), named - s.names()
    manual = (ROOT / "docs/operations.md").read_text().split(
        "## The server's metrics")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `((?:faktotum|process)_[a-z_]+)", manual, re.M)) == set(s.kinds)
