"""Health, readiness and metrics over HTTP.

SPDX-License-Identifier: ISC
"""
import http.client
import json
import re
import signal
import socket

from support.client import new_job
from support.peer import Peer
from support.ports import free_port
from support.program import ROOT, run
from support.prometheus import Scrape
from support.supervisor import FAKTOTUM, script
from support.waiting import SLOW, ceiling, wait_for

LISTEN = {"listen": "127.0.0.1:0"}
OK = {"jobs": {"t": {"exec": ["/bin/true"]}}}


def port_of(supervisor):
    return int(supervisor.says(re.compile(r"answering on http://127\.0\.0\.1:(\d+)"))[1])


def ask(supervisor, path, method="GET"):
    c = http.client.HTTPConnection("127.0.0.1", port_of(supervisor), timeout=ceiling(30))
    try:
        c.request(method, path)
        answer = c.getresponse()
        return answer.status, answer.read().decode(), answer
    finally:
        c.close()


def scrape(supervisor):
    status, text, answer = ask(supervisor, "/metrics")
    assert status == 200, text
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Scrape(text)


def refused(tmp_path, settings):
    config = tmp_path / "c.json"
    config.write_text(json.dumps(dict(OK, **settings)))
    done = run([FAKTOTUM, "check", "-c", config])
    assert done.returncode != 0
    return (done.stdout + done.stderr).decode()


def test_off_by_default(bench):
    """Without http: nothing listens."""
    bench.run({"t": bench.script("h", "exit 0")})
    bench.acked(bench.push("t"))
    assert "answering on" not in bench.supervisor.output()


def test_addresses(tmp_path):
    """An address that others can reach needs http.public, a name is none."""
    for address in ("0.0.0.0:0", "[::]:0", "192.0.2.1:80"):
        assert "others can reach" in refused(tmp_path, {"http": {"listen": address}})
    assert "is a name" in refused(tmp_path, {"http": {"listen": "localhost:80"}})
    assert "is not an address" in refused(tmp_path, {"http": {"listen": "127.0.0.1"}})
    config = tmp_path / "c.json"
    for http in ({"listen": "0.0.0.0:80", "public": True}, {"listen": "[::1]:80"}):
        config.write_text(json.dumps(dict(OK, http=http)))
        assert run([FAKTOTUM, "check", "-c", config]).returncode == 0


def test_port_in_use(bench, start_supervisor, tmp_path):
    """A port that somebody has is told at the start, with the setting's name."""
    with socket.create_server(("127.0.0.1", 0)) as s:
        address = f"127.0.0.1:{s.getsockname()[1]}"
        other = start_supervisor(bench.tap.url, dict(OK, http={"listen": address}))
        assert other.wait() != 0
        assert f"http.listen: {address}: Address already in use" in other.output()


def test_counters_tell_what_happened(bench):
    """Every count is the number of jobs, exits and lines that there really
    were; a job of a stranger's type is "other"; nothing is counted twice."""
    bench.run({
        "good": bench.script("good", "echo one; echo two"),
        "bad": bench.script("bad", "exit 7"),
        "dead": bench.script("dead", "exit 65"),
        "shot": bench.script("shot", "kill -KILL $$"),
        "busy": bench.script("busy", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 0.2"),
        "loud": {"exec": [bench.script("loud", "seq 50")], "log_rate": 10},
        'od"d\\': bench.script("odd", "exit 0"),
    }, http=LISTEN)
    good = [bench.push("good") for _ in range(5)] + [bench.push("busy"), bench.push("loud"),
        bench.push('od"d\\')]
    bad = [bench.push(t) for t in ("bad", "bad", "shot", "dead", "nobody")]
    bench.acked(*good)
    for jid in bad:
        bench.failed(jid)
    wait_for("all to be confirmed", lambda:
        scrape(bench.supervisor).value("faktotum_outcomes_waiting") == 0)
    s = scrape(bench.supervisor)

    def jobs(jobtype, outcome):
        return s.value("faktotum_jobs_total", jobtype=jobtype, outcome=outcome)
    assert jobs("good", "done") == 5 and jobs("good", "retry") == 0
    assert jobs("bad", "retry") == 2
    assert jobs("dead", "dead") == 1
    assert jobs("shot", "retry") == 1
    assert jobs('od"d\\', "done") == 1
    assert jobs("other", "refused") == 1
    total = sum(v for (name, _), v in s.samples.items() if name == "faktotum_jobs_total")
    assert total == len(good) + len(bad)

    exits = "faktotum_job_exits_total"
    assert s.value(exits, jobtype="good", status="0") == 5
    assert s.value(exits, jobtype="bad", status="7") == 2
    assert s.value(exits, jobtype="shot", status="SIGKILL") == 1
    for name in ("run", "wait"):
        assert s.value(f"faktotum_job_{name}_seconds_count", jobtype="good") == 5
        assert s.value(f"faktotum_job_{name}_seconds_count", jobtype="other") == 0
    assert 0.2 <= s.value("faktotum_job_run_seconds_sum", jobtype="busy") < 20 * SLOW
    assert s.value("faktotum_job_run_seconds_bucket", jobtype="busy", le="0.1") == 0
    assert s.value("faktotum_job_cpu_seconds_total", jobtype="busy", mode="user") > 0
    assert s.value("faktotum_job_peak_memory_bytes", jobtype="busy") > 100_000
    assert s.value("faktotum_output_lines_total", jobtype="good") == 10
    assert s.value("faktotum_output_lines_suppressed_total", jobtype="good") == 0
    assert s.value("faktotum_output_lines_total", jobtype="loud") == 50
    assert s.value("faktotum_output_lines_suppressed_total", jobtype="loud") > 0
    assert s.value("faktotum_acks_total") == len(good)
    assert s.value("faktotum_fails_total") == len(bad)
    # A question brings 16 jobs at most.
    assert s.value("faktotum_fetches_total") >= (len(good) + len(bad)) / 16
    assert s.value("faktotum_slots") == 4 and s.value("faktotum_slots_in_use") == 0
    assert s.value("faktotum_connected") == s.value("faktotum_ready") == 1
    assert s.value("faktotum_phase", phase="running") == 1
    assert s.value("faktotum_reconnects_total") == 0
    opened = s.value("process_open_fds")
    wait_for("this scrape's to be closed", lambda: opened == bench.supervisor.descriptors() + 1)


def test_running_and_held(bench):
    """Gauges follow the jobs that are here, reload keeps counters, and a lost
    conversation is one reconnect."""
    bench.run({"one": {"exec": [bench.script("h", 'while [ ! -e "$1" ]; do sleep 0.05; done'),
        str(bench.scratch / "go")], "concurrency": 1}}, http=LISTEN, concurrency=8)
    jids = [bench.push("one") for _ in range(3)]

    def gauge(name, n):
        wait_for(f"{name} {n}", lambda: scrape(bench.supervisor).value(name, jobtype="one") == n)
    gauge("faktotum_jobs_running", 1)
    gauge("faktotum_jobs_held", 2)
    assert scrape(bench.supervisor).value("faktotum_slots_in_use") == 3
    for c in list(bench.tap.connections):
        c.cut()
    wait_for("a reconnect", lambda:
        scrape(bench.supervisor).value("faktotum_reconnects_total") == 1)
    bench.supervisor.signal(signal.SIGHUP)
    bench.supervisor.says("jobs at work keep their settings")
    (bench.scratch / "go").touch()
    bench.acked(*jids)
    gauge("faktotum_jobs_running", 0)
    gauge("faktotum_jobs_held", 0)
    s = scrape(bench.supervisor)
    assert s.value("faktotum_jobs_total", jobtype="one", outcome="done") == 3


def test_late_answers_are_counted(start_supervisor):
    """"Job not found" is counted, and so is a refusal for good."""
    with Peer() as peer:
        peer.serve()
        for n, reply in enumerate((b"-ERR Job not found x\r\n", b"-ERR invalid ACK\r\n")):
            peer.ack_replies.append(reply)
            peer.jobs.append({"jid": f"j-00000{n}", "jobtype": "t", "args": []})
        s = start_supervisor(peer.url, dict(OK, http=LISTEN))
        wait_for("both", lambda: scrape(s).value("faktotum_outcomes_dropped_total") == 1
            and scrape(s).value("faktotum_outcomes_late_total") == 1)
        s.stop()


def test_programs_that_cannot_be_started(bench):
    """They are counted apart from those that ended."""
    program = bench.script("h", "exit 0", shell="/bin/sh")
    bench.run({"t": {"exec": [program], "breaker": {"unavailable": "off"}}}, http=LISTEN)
    (bench.scratch / "h").write_text("#!/nonexistent/shell\n")
    bench.failed(bench.push("t"))
    s = scrape(bench.supervisor)
    assert s.value("faktotum_spawn_failures_total", jobtype="t") == 1
    assert s.value("faktotum_job_run_seconds_count", jobtype="t") == 0


def test_readiness(start_server, start_supervisor, tmp_path):
    """200 only while jobs are asked for: not before there is a server, not
    after quiet, not while draining. Health is 200 all along."""
    port = free_port()
    handler = tmp_path / "h"
    handler.write_text(f"#!/bin/sh\nwhile [ ! -e {tmp_path}/go ]; do sleep 0.05; done\n")
    handler.chmod(0o755)
    s = start_supervisor(f"tcp://127.0.0.1:{port}", {"jobs": {"t": {"exec": [str(handler)]}},
        "http": LISTEN})
    assert ask(s, "/readyz")[:2] == (503, "not connected to the server\n")
    assert ask(s, "/healthz")[:2] == (200, "ok\n")
    assert scrape(s).value("faktotum_ready") == 0

    with Peer() as peer:
        peer.serve()
        other = start_supervisor(peer.url, {"jobs": OK["jobs"], "http": LISTEN}, name="other")
        wait_for("ready", lambda: ask(other, "/readyz")[:2] == (200, "ready\n"))
        peer.jobs.append({"jid": "j-000001", "jobtype": "t", "args": []})
        wait_for("the job", lambda: peer.acks == ["j-000001"])
        other.signal(signal.SIGTSTP)
        wait_for("quiet", lambda: ask(other, "/readyz")[:2] ==
            (503, "quiet, asked by the operator: no more jobs are fetched\n"))
        assert scrape(other).value("faktotum_phase", phase="quiet") == 1
        assert ask(other, "/healthz")[0] == 200
        other.stop()


def test_readiness_while_draining(bench):
    """The drain is told, and the pages stay until the end."""
    bench.run({"t": bench.script("h", f"while [ ! -e {bench.scratch}/go ]; do sleep 0.05; done")},
        http=LISTEN)
    bench.push("t")
    wait_for("the job to run", lambda:
        scrape(bench.supervisor).value("faktotum_jobs_running", jobtype="t") == 1)
    bench.supervisor.signal(signal.SIGTERM)
    wait_for("draining", lambda: ask(bench.supervisor, "/readyz")[:2] == (503, "shutting down\n"))
    assert ask(bench.supervisor, "/healthz")[0] == 200
    (bench.scratch / "go").touch()
    assert bench.supervisor.wait() == 0


def test_methods_and_paths(bench):
    """HEAD has no body, other methods and paths their status."""
    bench.run({"t": bench.script("h", "exit 0")}, http=LISTEN)
    status, body, answer = ask(bench.supervisor, "/healthz", "HEAD")
    assert (status, body) == (200, "") and answer.headers["Content-Length"] == "3"
    assert ask(bench.supervisor, "/nothing")[0] == 404
    assert ask(bench.supervisor, "/healthz/")[0] == 404
    assert ask(bench.supervisor, "/healthz?x=1")[0] == 200
    status, _, answer = ask(bench.supervisor, "/metrics", "POST")
    assert status == 405 and answer.headers["Allow"] == "GET, HEAD"


def test_two_hundred_slow_peers(bench):
    """Who connects and says nothing, half a request, or garbage, neither
    keeps others from an answer, nor jobs from running, nor descriptors."""
    bench.run({"t": bench.script("h", "exit 0")}, http=LISTEN)
    bench.acked(bench.push("t"))
    before = bench.supervisor.descriptors()
    port, peers = port_of(bench.supervisor), []
    try:
        for n in range(200):
            peers.append(socket.create_connection(("127.0.0.1", port), 10 * SLOW))
            peers[-1].sendall((b"", b"GET /metrics HT", b"\x00\xff" * 400)[n % 3])
        assert ask(bench.supervisor, "/healthz")[0] == 200
        scrape(bench.supervisor)
        bench.acked(bench.push("t"))
        assert bench.supervisor.descriptors() <= before + 64 + 8
    finally:
        for p in peers:
            p.close()
    wait_for("their end", lambda: bench.supervisor.descriptors() <= before + 1)


def test_upgrade_keeps_the_page(bench):
    """After an upgrade in place the same address answers, and jobs that went
    on are counted when they end."""
    port = free_port()
    bench.run({"t": bench.script("h", f"while [ ! -e {bench.scratch}/go ]; do sleep 0.05; done")},
        http={"listen": f"127.0.0.1:{port}"}, upgrade="on")
    jid = bench.push("t")
    wait_for("the job to run", lambda:
        scrape(bench.supervisor).value("faktotum_jobs_running", jobtype="t") == 1)
    bench.supervisor.signal(signal.SIGUSR2)
    bench.supervisor.says("going on with 1 jobs as", 30)
    assert scrape(bench.supervisor).value("faktotum_jobs_running", jobtype="t") == 1
    (bench.scratch / "go").touch()
    bench.acked(jid)
    assert scrape(bench.supervisor).value("faktotum_jobs_total", jobtype="t", outcome="done") == 1


NAME = re.compile(r"\b(?:faktotum|process)_[a-z_]+\b")


def test_rules_dashboard_and_manual_name_what_exists(bench):
    """Each metric that the alert rules, the dashboard and the manual name is
    on the page, and the manual has every one that is."""
    bench.run({"t": bench.script("h", "exit 0")}, http=LISTEN)
    s = scrape(bench.supervisor)
    rules = (ROOT / "contrib/prometheus/faktotum.rules.yml").read_text()
    board = json.loads((ROOT / "contrib/grafana/faktotum.json").read_text())
    queries = "\n".join(t["expr"] for p in board["panels"] for t in p["targets"])
    for text in (rules, queries):
        named = set(NAME.findall(text))
        assert len(named) > 5 and not named - s.names(), named - s.names()
    manual = (ROOT / "docs/operations.md").read_text().split("## Metrics")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `((?:faktotum|process)_[a-z_]+)", manual, re.M)) == set(s.kinds)


def test_metrics_of_programs(start_supervisor, tmp_path):
    """What a program reports under declared names stands in /metrics with its
    jobtype; other names, kinds and a shrinking counter count as ignored."""
    def metric(name, value, **more):
        line = json.dumps({"type": "metric", "name": name, "value": value, **more})
        return f"printf '%s\\n' '{line}' >&3\n"
    handler = script(tmp_path, "h", metric("rows_total", 2) +
        metric("rows_total", 0.5, kind="count") + metric("depth", 7) + metric("depth", 3) +
        metric("unheard", 1) + metric("depth", 1, kind="count") + metric("rows_total", -1))
    settings = {"jobs": {"t": {"exec": [handler],
        "metrics": {"rows_total": "counter", "depth": "gauge"}}}, "http": LISTEN}
    with Peer() as peer:
        peer.serve()
        s = start_supervisor(peer.url, settings)
        first = scrape(s)
        assert first.value("rows_total", jobtype="t") == 0 and "depth" not in first.kinds
        peer.jobs.extend([new_job("t"), new_job("t")])
        peer.wait(lambda: len(peer.acks) == 2)
        now = scrape(s)
        assert now.kinds["rows_total"] == "counter" and now.kinds["depth"] == "gauge"
        assert now.value("rows_total", jobtype="t") == 5
        assert now.value("depth", jobtype="t") == 3
        assert now.value("faktotum_messages_ignored_total", jobtype="t") == 6
        assert "metric: its name is not among `metrics`" in s.output()
