"""The server's password: where it is read, that it can be changed while all
run, and that nobody else sees it.

SPDX-License-Identifier: ISC
"""
import json
import signal
import time
from pathlib import Path

import pytest

from support.peer import Peer
from support.program import BUILD, run
from support.supervisor import script
from support.waiting import wait_for

FAKTOTUM = BUILD / "faktotum"
OLD, NEW = "correct-horse", "battery-staple"


class Place:
    """A server, and the file with its password, as an operator has them."""

    def __init__(self, scratch, start_server):
        self.scratch = scratch
        self.file = scratch / "password"
        self.write(OLD)
        self.server_file = scratch / "server-password"
        self.server_file.write_text(OLD + "\n")
        self.server = start_server(scratch=scratch / "server",
            config=f"password: {{file: {self.server_file}}}\n")
        self.env = scratch / "handler-env"
        self.handler = script(scratch, "h", f"env >>{self.env}")

    def write(self, password):
        self.file.write_text(password + "\n")
        self.file.chmod(0o600)

    def change_server(self):
        self.server_file.write_text(NEW + "\n")
        self.server.restart()

    def push_and_wait(self, password, count):
        with self.server.client(password=password) as c:
            c.push(jobtype="t", jid=f"job-{count:04d}", args=[])
            wait_for("the job to be done",
                lambda: c.faktory()["total_processed"] == count, 45)

    def settings(self, **more):
        return dict({"jobs": {"t": {"exec": [self.handler]}}}, **more)

    def assert_hidden(self, supervisor):
        proc = Path(f"/proc/{supervisor.pid}")
        places = [supervisor.output().encode(), (proc / "environ").read_bytes(),
            (proc / "cmdline").read_bytes(), self.env.read_bytes()]
        for secret in (OLD, NEW):
            assert not any(secret.encode() in text for text in places)


@pytest.fixture
def place(tmp_path, start_server):
    return Place(tmp_path, start_server)


def test_rotation_without_a_restart(place, start_supervisor):
    """The file first, then the server: the supervisor finds the new one by
    itself as soon as the old one is refused."""
    s = start_supervisor(place.server.url, place.settings(password={"file": str(place.file)}))
    place.push_and_wait(OLD, 1)
    place.write(NEW)
    place.change_server()
    place.push_and_wait(NEW, 2)
    s.says(f"{place.file} holds another password now")
    place.assert_hidden(s)
    assert s.output().count("another password") == 1


def test_rotation_with_a_reload(place, start_supervisor):
    """The server first: refused, and after HUP at once let in."""
    s = start_supervisor(place.server.url, place.settings(password={"file": str(place.file)}))
    place.push_and_wait(OLD, 1)
    place.change_server()
    s.says("the server does not accept the password; next try in 30.0 s")
    place.write(NEW)
    s.signal(signal.SIGHUP)
    s.says("jobs at work keep their settings")
    wait_for("a new conversation", lambda: s.output().count("connected as") == 2, 5)
    place.push_and_wait(NEW, 2)
    place.assert_hidden(s)


def test_after_a_reload_nobody_waits(start_supervisor, tmp_path):
    """A refused password is shown again after 30 s. Both conversations were
    refused; after HUP both are in again before that, and jobs come."""
    file = tmp_path / "password"

    def write(password):
        file.write_text(password + "\n")
        file.chmod(0o600)
    write(OLD)
    with Peer(password=OLD) as peer:
        peer.serve()
        s = start_supervisor(peer.url, {"jobs": {"t": {"exec": ["/bin/true"]}},
            "password": {"file": str(file)}})
        peer.wait(lambda: peer.fetches)

        def attempt():
            # The one in use changes; those who have the old one are refused.
            new = NEW if peer.password == OLD else OLD
            resting = s.output().count("next try in 30.0 s")
            peer.password = new
            peer.hang_up_all()
            wait_for("both to be refused",
                lambda: s.output().count("next try in 30.0 s") == resting + 2, 60)
            write(new)
            began = time.monotonic()
            s.signal(signal.SIGHUP)
            jid = f"job-{len(peer.acks):04d}"
            peer.jobs.append({"jid": jid, "jobtype": "t", "args": []})
            peer.wait(lambda: jid in peer.acks)
            return time.monotonic() - began
        took = [attempt()]
        while took[-1] >= 20 and len(took) < 3:  # a busy machine may hold up one, and not all
            took.append(attempt())
        assert took[-1] < 20, took


@pytest.mark.parametrize("named", [True, False])
def test_credentials(place, start_supervisor, named):
    """{credential: NAME}, and faktory-password when nothing is set; both are
    read again, and no program learns where they are."""
    name = "jobs" if named else "faktory-password"
    place.file = place.scratch / name
    place.write(OLD)
    more = {"password": {"credential": name}} if named else {}
    s = start_supervisor(place.server.url, place.settings(**more),
        env={"CREDENTIALS_DIRECTORY": str(place.scratch)})
    place.push_and_wait(OLD, 1)
    place.write(NEW)
    place.change_server()
    place.push_and_wait(NEW, 2)
    assert "CREDENTIALS_DIRECTORY" not in place.env.read_text()
    place.assert_hidden(s)


def test_the_urls_password_wins(place, start_supervisor):
    """As the documentation has it; a wrong one beside it does no harm."""
    place.write("wrong")
    url = place.server.url.replace("tcp://", f"tcp://:{OLD}@")
    s = start_supervisor(url, place.settings(password={"file": str(place.file)}))
    place.push_and_wait(OLD, 1)
    place.assert_hidden(s)


def test_looks_are_rare(ending, start_supervisor, tmp_path):
    """A server that refuses every password is not asked more often because
    the file is looked at."""
    class Closing(Peer):
        def close(self):
            self.__exit__()
    peer = Closing(password="nobody knows")
    ending.append(peer)
    peer.serve()
    file = tmp_path / "password"
    file.write_text("wrong\n")
    s = start_supervisor(peer.url, {"jobs": {"t": {"exec": ["/bin/true"]}},
        "password": {"file": str(file)}})
    s.says("the server does not accept the password; next try in 30.0 s")
    greetings = peer.greetings
    file.write_text("wrong too\n")
    s.signal(signal.SIGHUP)
    s.says("jobs at work keep their settings")
    peer.wait(lambda: peer.greetings == greetings + 1, "one more try")
    wait_for("the second refusal", lambda: s.output().count("next try in 30.0 s") == 2)


@pytest.mark.parametrize("password,env,words", [
    ({"credential": "../x"}, {"CREDENTIALS_DIRECTORY": "/tmp"},
        'password.credential: "../x" cannot be a credential'),
    ({"credential": "../x"}, {}, 'password.credential: "../x" cannot be a credential'),
    ({"credential": "x"}, {"CREDENTIALS_DIRECTORY": "/nowhere"},
        'password.credential: "/nowhere/x": No such file'),
    ({"credential": "x", "env": "Y"}, {}, "password: more than one of them"),
    ({}, {}, "password: empty"),
])
def test_mistakes(tmp_path, password, env, words):
    """Each with its place."""
    path = tmp_path / "t.yaml"
    path.write_text(json.dumps({"password": password, "jobs": {"t": {"exec": ["/bin/true"]}}}))
    done = run([FAKTOTUM, "check", "-c", path], env=env)
    assert done.returncode == 78
    assert done.stderr.decode().startswith(f"{path}:1:")
    assert words in done.stderr.decode()


@pytest.mark.parametrize("password", [{"credential": "x"},
    {"file": "${CREDENTIALS_DIRECTORY}/x"}], ids=["credential", "file"])
def test_a_check_that_cannot_see_credentials(tmp_path, password):
    """systemd gives them to the service and not to the check before a reload:
    that takes them on trust, aloud. Whoever needs the password refuses: run, a
    check that asks the server, and a server, which would ask nobody for it."""
    tls = {name: "${CREDENTIALS_DIRECTORY}/" + name for name in ("cert", "key")}
    path, other = tmp_path / "t.yaml", tmp_path / "s.yaml"
    path.write_text(json.dumps({"server": "tcp+tls://127.0.0.1:1", "password": password,
        "tls": tls, "jobs": {"t": {"exec": ["/bin/true"]}}}))
    other.write_text(json.dumps({"listen": "0.0.0.0:0", "password": password, "tls": tls,
        "data": str(tmp_path / "data")}))
    server = BUILD / "faktotum-server"

    done = run([FAKTOTUM, "check", "-c", path])
    assert done.returncode == 0, done
    for what in ("password", "tls"):
        assert f"{what}: CREDENTIALS_DIRECTORY is not there to be read" in done.stderr.decode()
    done = run([server, "-c", other, "--check"])
    assert done.returncode == 0, done
    assert b"CREDENTIALS_DIRECTORY is not there to be read" in done.stderr
    for argv in ([FAKTOTUM, "check", "-c", path, "--server"], [FAKTOTUM, "run", "-c", path],
            [server, "-c", other]):
        done = run(argv)
        assert done.returncode == 78 and b"CREDENTIALS_DIRECTORY is not in" in done.stderr, done
    assert not (tmp_path / "data").exists()
