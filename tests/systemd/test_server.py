"""faktotum-server.service and faktotum-server.socket.

SPDX-License-Identifier: ISC
"""
import os
import signal
import socket
import stat
import subprocess
from pathlib import Path

import pytest
from conftest import ETC, sh
from support.client import Client, ServerError
from support.waiting import wait_for

SERVER = "faktotum-server.service"


def test_it_starts_ready_and_private(host):
    """`systemctl start` returns when clients are welcome; the data is its own
    user's, who is nobody else's; it says what it does."""
    host.ctl("start", SERVER)
    with host.client() as c:
        c.push()
    assert "listening at 127.0.0.1:7419" in host.show(SERVER, "StatusText")
    status = Path(f"/proc/{host.pid(SERVER)}/status").read_text()
    uid = int(status.split("Uid:")[1].split()[0])
    assert 61184 <= uid <= 65519  # systemd's dynamic users
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status
    data = os.stat("/var/lib/private/faktotum")
    assert data.st_uid == uid and stat.S_IMODE(data.st_mode) == 0o700


def test_without_a_password_none_is_asked_for(host):
    """A missing password file is a default, not a start that fails: the
    manager fills the credential with nothing."""
    assert not (ETC / "password").exists()
    host.ctl("start", SERVER)
    with host.client() as c:
        c.push()


def test_the_credential_is_the_password(host):
    """/etc/faktotum/password, readable by root alone, is what clients of the
    server must know; it is in nobody's environment."""
    (ETC / "password").write_text("open sesame\n")
    (ETC / "password").chmod(0o600)
    host.ctl("start", SERVER)
    with host.client(password="open sesame") as c:
        c.push()
    with pytest.raises(ServerError):
        host.client(password="wrong")
    environment = Path(f"/proc/{host.pid(SERVER)}/environ").read_bytes()
    assert b"sesame" not in environment and b"CREDENTIALS_DIRECTORY=" in environment


def test_reload_of_a_server_with_credentials(host):
    """`systemctl reload` checks a file whose password and key are credentials,
    although systemd 252 keeps those from the check; a mistake still fails it."""
    good = (ETC / "server.yaml").read_text()
    (ETC / "password").write_text("open sesame\n")
    (ETC / "password").chmod(0o600)
    host.drop_in(SERVER, f"LoadCredential=clients:{ETC}/password")
    try:
        for password in ("", "password: {credential: clients}\n",
                "password: {file: '${CREDENTIALS_DIRECTORY}/clients'}\n"):
            (ETC / "server.yaml").write_text(good + password)
            host.ctl("restart", SERVER)
            host.ctl("reload", SERVER)
            with host.client(password="open sesame") as c:
                c.push()
            with pytest.raises(ServerError):
                host.client(password="wrong")
        (ETC / "server.yaml").write_text(good + "pasword: typo\n")
        assert host.ctl("reload", SERVER, check=False).returncode != 0
        with host.client(password="open sesame") as c:
            c.push()
    finally:
        (ETC / "server.yaml").write_text(good)


def test_kill_9_is_followed_by_a_start_with_every_job(host):
    """Restart=on-failure: acknowledged jobs are there again without a hand."""
    host.ctl("start", SERVER)
    jids = {host.push("t") for _ in range(20)}
    first = host.pid(SERVER)
    os.kill(first, signal.SIGKILL)
    wait_for("another server", lambda: host.pid(SERVER) not in (0, first)
        and host.show(SERVER, "ActiveState") == "active", 30)
    assert host.show(SERVER, "NRestarts") == "1"
    with host.client() as c:
        assert {c.fetch()["jid"] for _ in range(20)} == jids


def test_a_bad_file_is_not_tried_for_ever(host):
    """Exit 78 is no crash: the unit fails once and says why in the journal."""
    good = (ETC / "server.yaml").read_text()
    try:
        (ETC / "server.yaml").write_text("listen: nowhere\n")
        assert host.ctl("start", SERVER, check=False).returncode != 0
        host.wait_state(SERVER, "failed")
        assert host.show(SERVER, "ExecMainStatus") == "78"
        assert host.show(SERVER, "NRestarts") == "0"
        log = sh("journalctl", "-u", SERVER, "-o", "cat").stdout
        assert "/etc/faktotum/server.yaml:1:9: listen:" in log
    finally:
        (ETC / "server.yaml").write_text(good)


def test_a_server_that_stands_still_is_replaced(host):
    """WatchdogSec: what does not turn any more is ended and started again."""
    host.drop_in(SERVER, "WatchdogSec=2s")
    host.ctl("start", SERVER)
    first = host.pid(SERVER)
    os.kill(first, signal.SIGSTOP)
    wait_for("another server", lambda: host.pid(SERVER) not in (0, first)
        and host.show(SERVER, "ActiveState") == "active", 30)
    assert "Watchdog timeout" in sh("journalctl", "-u", SERVER, "-o", "cat").stdout
    host.push("t")


def test_stop_is_clean(host):
    """`systemctl stop` with clients that wait: success, and quick."""
    host.ctl("start", SERVER)
    c = host.client(wid="w")
    c.send("FETCH default\r\n")
    host.ctl("stop", SERVER)
    assert c.file.read() in (b"$-1\r\n", b"")
    assert host.show(SERVER, "Result") == "success"
    assert host.show(SERVER, "ExecMainStatus") == "0"


def test_the_port_is_the_manager_s(host):
    """With the socket unit the first client starts the server, and during a
    restart a client waits instead of being refused."""
    host.ctl("start", "faktotum-server.socket")
    assert host.show(SERVER, "ActiveState") == "inactive"
    host.push("t")
    assert host.show(SERVER, "ActiveState") == "active"
    restart = subprocess.Popen(["systemctl", "restart", SERVER])
    while restart.poll() is None:
        try:
            with Client(7419) as c:  # a refused connection fails the test
                assert c.size() == 1
        except (EOFError, ConnectionResetError):
            pass  # let in by the one that was just stopping
    assert restart.returncode == 0
    with socket.create_connection(("127.0.0.1", 7419)) as s:
        assert s.recv(4) == b"+HI "
    log = sh("journalctl", "-u", SERVER, "-o", "cat").stdout
    assert "the service manager holds the socket" in log
