"""tcp+tls://: jobs go through, and whom we must not believe hears no HELLO.

SPDX-License-Identifier: ISC
"""
import json
import re
import shutil
import signal
import socket

import pytest

from support.certificates import Authority, server_context
from support.peer import Peer
from support.program import BUILD, run
from support.waiting import wait_for

FAKTOTUM = BUILD / "faktotum"


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger")


@pytest.fixture
def start_peer(ending):
    """A serving peer at tcp+tls://, closed at the end."""
    class Closing(Peer):
        def close(self):
            self.__exit__()

    def start(pair, clients=None, **more):
        peer = Closing(tls=server_context(pair, clients) if pair else None, **more)
        ending.append(peer)
        peer.serve()
        return peer
    return start


def job(n, *args):
    return {"jid": f"job-{n:06d}", "jobtype": "t", "args": list(args), "queue": "default"}


def settings(**tls):
    return {"jobs": {"t": {"exec": ["/bin/cat"], "input": "job"}},
        "tls": {k: str(v) for k, v in tls.items()}}


def hup(supervisor, words):
    before = supervisor.output().count(words)
    supervisor.signal(signal.SIGHUP)
    wait_for(f'"{words}" in the log', lambda: supervisor.output().count(words) > before)


def test_jobs_go_through(ca, start_peer, start_supervisor):
    """HELLO with the password, FETCH, ACK and BEAT over TLS; jobs that are
    larger than a record too."""
    peer = start_peer(ca.issue("server"), password="secret")
    peer.jobs.append(job(0, "x" * 300_000))
    peer.jobs.extend(job(n, "x" * n) for n in range(1, 40))
    s = start_supervisor(peer.url, dict(settings(ca=ca.pem), password="secret", concurrency=4))
    peer.wait(lambda: len(peer.acks) == 40 and peer.beats, "40 ACKs")
    assert sorted(peer.acks) == [job(n)["jid"] for n in range(40)]
    assert peer.refusals == [] and peer.fails == []
    assert "secret" not in s.output()


REFUSED = {
    "expired": (lambda ca, other: ca.issue("expired", days=-1),
        r"the server's certificate expired on \d{4}-\d\d-\d\d \d\d:\d\d UTC"),
    "name": (lambda ca, other: ca.issue("elsewhere", "DNS:elsewhere.example"),
        r"the server's certificate is for elsewhere\.example, not for 127\.0\.0\.1"),
    "ca": (lambda ca, other: other.issue("forged"),
        r"the server's certificate is signed by an unknown CA \(stranger\)"),
    "plain": (lambda ca, other: None, r"the server does not speak TLS"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_whom_we_must_not_believe(ca, stranger, start_peer, start_supervisor, fault, tmp_path):
    """Told in one line with the reason, in `run`, `check --server` and
    `push`; the server hears no HELLO."""
    make, words = REFUSED[fault]
    peer = start_peer(make(ca, stranger))
    url = peer.url.replace("tcp://", "tcp+tls://")
    s = start_supervisor(url, settings(ca=ca.pem))
    line = re.compile(f"server  {re.escape(url)}: {words}; next try in ")
    wait_for("the reason in the log", lambda: line.search(s.output()))
    done = run([FAKTOTUM, "check", "-c", s.config, "--server"])
    assert done.returncode == 69
    assert re.fullmatch(f"{re.escape(url)}: {words}\n", done.stderr.decode())
    done = run([FAKTOTUM, "push", "t", "--server", url, "--ca", ca.pem])
    assert done.returncode == 69
    assert re.fullmatch(f"faktotum push: {re.escape(url)}: {words}\n", done.stderr.decode())
    assert peer.hellos == []
    assert s.alive()


def test_the_other_mistake(start_supervisor):
    """tcp:// to a server that wants TLS: it closes without a greeting, and
    that is told with what it most likely means."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        s = start_supervisor(f"tcp://127.0.0.1:{listener.getsockname()[1]}",
            {"jobs": {"t": {"exec": ["/bin/true"]}}})
        listener.accept()[0].close()
        s.says("the server closed the connection before its greeting; "
            "does it want TLS (tcp+tls://)?")


def test_verify_off_is_told_loudly(stranger, start_peer, start_supervisor):
    """It works with any certificate, and check, start and reload say so."""
    peer = start_peer(stranger.issue("forged", "DNS:nobody"))
    peer.jobs.append(job(1))
    s = start_supervisor(peer.url, settings(verify="off"))
    peer.wait(lambda: peer.acks, "an ACK")
    words = "verify is off: whoever answers is believed to be the server"
    assert s.output().count(words) == 1
    hup(s, words)
    done = run([FAKTOTUM, "check", "-c", s.config])
    assert done.returncode == 0
    assert b"warning: " in done.stderr and b"tls.verify: off: whoever answers" in done.stderr
    done = run([FAKTOTUM, "push", "t", "--server", peer.url, "--no-verify"])
    assert b"--no-verify: whoever answers is believed" in done.stderr


def test_server_name_replaces_the_host(ca, start_peer, start_supervisor):
    """For a server that is reached by another name than its own."""
    peer = start_peer(ca.issue("inner", "DNS:jobs.example"))
    peer.jobs.append(job(1))
    start_supervisor(peer.url, settings(ca=ca.pem, server_name="jobs.example"))
    peer.wait(lambda: peer.acks, "an ACK")


def test_a_certificate_of_ours(ca, stranger, start_peer, start_supervisor, tmp_path):
    """A server that asks for one gets it; without it the log says what the
    server wants, with a wrong one what the server thinks of it."""
    peer = start_peer(ca.issue("server"), clients=ca.pem)
    cert, key = ca.issue("worker", "DNS:worker")
    peer.jobs.append(job(1))
    start_supervisor(peer.url, settings(ca=ca.pem, cert=cert, key=key))
    peer.wait(lambda: peer.acks, "an ACK")
    s = start_supervisor(peer.url, settings(ca=ca.pem), name="without")
    s.says("the server asks for a certificate and got none")
    cert, key = stranger.issue("worker", "DNS:worker")
    s = start_supervisor(peer.url, settings(ca=ca.pem, cert=cert, key=key), name="wrong")
    s.says("the server does not accept our certificate: unknown CA")


def test_certificates_are_read_again(ca, stranger, start_peer, start_supervisor, tmp_path):
    """After HUP new conversations use what the files hold then; those that
    are open go on. A file that has become bad changes nothing."""
    trusted = tmp_path / "trusted.pem"
    shutil.copy(ca.pem, trusted)
    peer = start_peer(ca.issue("server"))
    s = start_supervisor(peer.url, settings(ca=trusted))
    peer.jobs.append(job(1))
    peer.wait(lambda: len(peer.acks) == 1, "an ACK")
    trusted.write_text("nothing\n")
    hup(s, "nothing was changed; going on as before")
    assert f"tls.ca: {trusted} has no certificates that can be used" in s.output()
    assert re.search(rf"{s.config}:\d+:\d+: tls\.ca: ", s.output())
    shutil.copy(stranger.pem, trusted)
    hellos = len(peer.hellos)
    hup(s, "jobs at work keep their settings")
    peer.jobs.append(job(2))
    peer.wait(lambda: len(peer.acks) == 2, "an ACK on an open conversation")
    assert len(peer.hellos) == hellos
    peer.tls = server_context(stranger.issue("other"))
    peer.hang_up_all()
    peer.wait(lambda: len(peer.hellos) >= hellos + 2, "new conversations")
    peer.jobs.append(job(3))
    peer.wait(lambda: len(peer.acks) == 3, "an ACK on a new conversation")


def test_an_upgrade_goes_on_in_tls(ca, start_peer, start_supervisor, tmp_path):
    """USR2: the successor reads the certificates itself; a job that runs
    meanwhile is acknowledged by it."""
    go = tmp_path / "go"
    handler = tmp_path / "h"
    handler.write_text(f"#!/bin/sh\nwhile ! [ -e {go} ]; do sleep 0.05; done\n")
    handler.chmod(0o755)
    peer = start_peer(ca.issue("server"))
    peer.jobs.append(job(1))
    s = start_supervisor(peer.url, {"jobs": {"t": {"exec": [str(handler)]}}, "upgrade": "on",
        "tls": {"ca": str(ca.pem)}})
    s.says("started")
    s.signal(signal.SIGUSR2)
    s.says("going on with 1 jobs")
    go.touch()
    peer.wait(lambda: peer.acks == [job(1)["jid"]], "the ACK")


MISTAKES = [
    ({"cert": "/dev/null"}, r'tls.cert: "/dev/null" is not a regular file'),
    ({"ca": "/nowhere/ca.pem"}, r'tls.ca: "/nowhere/ca.pem": No such file'),
    ({"ca": "ca.pem"}, r'tls.ca: "ca.pem" is not absolute'),
    ({"verify": "no"}, r'tls.verify: "no" is not known, expected on or off'),
    ({"key": "KEY"}, r"tls.key: there is no tls.cert, expected both or neither"),
    ({"cert": "CERT"}, r"tls.cert: there is no tls.key, expected both or neither"),
    ({"cert": "CERT", "key": "OPEN"}, r"tls.key: \S+ is open to others \(mode 0644\)"),
    ({"cert": "CERT", "key": "OTHER"}, r"tls.key: \S+ is not the key of the certificate"),
    ({"cert": "KEY", "key": "KEY"}, r"tls.cert: \S+ has no certificate that can be used"),
    ({"who": "me"}, r'tls: no setting is called "who"'),
]


@pytest.mark.parametrize("tls,words", MISTAKES)
def test_mistakes_are_told_with_their_place(ca, tmp_path, tls, words):
    """In check and in run, before anybody is spoken to."""
    cert, key = ca.issue("mine")
    (tmp_path / "open.key").write_bytes(key.read_bytes())
    (tmp_path / "open.key").chmod(0o644)
    files = {"CERT": cert, "KEY": key, "OPEN": tmp_path / "open.key",
        "OTHER": ca.issue("another")[1]}
    path = tmp_path / "t.yaml"
    path.write_text(json.dumps({"jobs": {"t": {"exec": ["/bin/true"]}},
        "server": "tcp+tls://127.0.0.1:1",
        "tls": {k: str(files.get(v, v)) for k, v in tls.items()}}))
    for verb in ("check", "run"):
        done = run([FAKTOTUM, verb, "-c", path])
        assert done.returncode == 78
        assert re.search(rf"^{path}:1:\d+: {words}", done.stderr.decode(), re.M), done.stderr


def test_tls_without_tcp_tls_is_doubted(ca, tmp_path):
    """Certificates beside a tcp:// URL look like safety and are none."""
    path = tmp_path / "t.yaml"
    path.write_text(json.dumps({"jobs": {"t": {"exec": ["/bin/true"]}},
        "server": "tcp://127.0.0.1:1", "tls": {"ca": str(ca.pem)}}))
    done = run([FAKTOTUM, "check", "-c", path])
    assert done.returncode == 0
    assert b"tls: the server is at tcp://, so nothing is encrypted" in done.stderr


def test_push(ca, start_peer, tmp_path):
    """push speaks TLS with its own options; its certificate is checked as
    the worker's is."""
    peer = start_peer(ca.issue("server"), clients=ca.pem)
    cert, key = ca.issue("producer", "DNS:producer")
    told = []
    peer._answer = lambda talk, verb, arg: (told.append((verb, arg)), talk.ok(), True)[2]
    done = run([FAKTOTUM, "push", "t", "1", "--server", peer.url, "--ca", ca.pem,
        "--cert", cert, "--key", key])
    assert done.returncode == 0, done.stderr
    assert told[0][0] == "PUSH" and json.loads(told[0][1])["args"] == [1]
    done = run([FAKTOTUM, "push", "t", "--server", peer.url, "--ca", ca.pem])
    assert done.returncode == 69
    assert b"the server asks for a certificate and got none" in done.stderr
    done = run([FAKTOTUM, "push", "t", "--server", peer.url, "--cert", cert])
    assert done.returncode == 64
    key.chmod(0o644)
    done = run([FAKTOTUM, "push", "t", "--server", peer.url, "--cert", cert, "--key", key])
    assert done.returncode == 66
    assert b"is open to others (mode 0644)" in done.stderr


def test_a_handshake_that_never_ends(start_supervisor):
    """A server that says nothing is given up after 10 s, and tried again."""
    with socket.create_server(("127.0.0.1", 0)) as quiet:
        s = start_supervisor(f"tcp+tls://127.0.0.1:{quiet.getsockname()[1]}",
            {"jobs": {"t": {"exec": ["/bin/true"]}}})
        s.says("no TLS handshake within 10 s", 20)
        assert s.alive()
