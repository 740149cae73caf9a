"""faktotum check against its surroundings: the unit that runs it, the server.

SPDX-License-Identifier: ISC
"""
import json
import os

import pytest

from support.client import new_job
from support.peer import Peer
from support.program import run
from support.supervisor import FAKTOTUM, script


def check(tmp_path, settings, *more, env=None):
    path = tmp_path / "t.yaml"
    settings.setdefault("jobs", {"t": {"exec": ["/bin/true"], "grace": "10s"}})
    path.write_text(json.dumps(settings))
    done = run([FAKTOTUM, "check", "-c", path, *more], env=env)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("seconds,status", [("1min", 0), ("55s", 0), ("54s", 78), ("infinity", 0)])
def test_unit_file(tmp_path, seconds, status):
    """The longest stop (25 + 10 + 20 s) must fit into TimeoutStopSec of the
    unit file, else exit 78 with all the numbers."""
    unit = tmp_path / "x.service"
    unit.write_text(f"[Service]\nExecStart=/bin/true\nTimeoutStopSec={seconds}\n")
    code, out, err = check(tmp_path, {"shutdown": {"grace": "25s"}}, "--unit", unit)
    assert code == status, err
    if status:
        for number in ("25 s", "10 s", "20 s", "55 s", "54 s"):
            assert number in err
    else:
        assert err == "" and "ok" in out


def test_unit_by_name(tmp_path):
    """For a name systemctl is asked, without a shell; a unit that it does
    not know is exit 66, and where it cannot answer exit 71."""
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    path = {"PATH": f"{bin_dir}:{os.environ['PATH']}"}
    script(bin_dir, "systemctl", 'echo "$@" >>"$0.heard"\n'
        "echo LoadState=loaded; echo 'TimeoutStopUSec=50s'")
    settings = {"shutdown": {"grace": "25s"}}
    code, _, err = check(tmp_path, settings, "--unit", "a@$(x).service", env=path)
    assert code == 78 and "50 s" in err
    assert (bin_dir / "systemctl.heard").read_text().endswith(" -- a@$(x).service\n")
    script(bin_dir, "systemctl", "echo LoadState=not-found; echo TimeoutStopUSec=infinity")
    code, _, err = check(tmp_path, settings, "--unit", "a.service", env=path)
    assert code == 66 and "no such unit" in err
    script(bin_dir, "systemctl", "exit 1")
    code, _, err = check(tmp_path, settings, "--unit", "a.service", env=path)
    assert code == 71 and "unit file" in err


def test_server(tmp_path, server, client):
    """Queues and jobtypes with their jobs, and a warning for each that only
    one side knows; warnings are exit 0."""
    client.push(new_job("t", queue="default"))
    client.push(new_job("t", queue="elsewhere"))
    client.push(new_job("stranger", queue="elsewhere"))
    code, out, err = check(tmp_path, {"queues": ["default", "never-pushed"], "server": server.url},
        "--server")
    assert (code, err) == (0, "")
    rows = [line.split() for line in out.splitlines()]
    assert ["default", "1", "yes"] in rows and ["elsewhere", "2", "no"] in rows
    warnings = [line for line in out.splitlines() if line.startswith("warning")]
    assert len(warnings) == 3
    assert "elsewhere" in warnings[0] and "never-pushed" in warnings[1]
    assert ["t", "2", "yes"] in rows and ["stranger", "1", "no"] in rows
    assert "jobtype stranger is on the server" in warnings[2]


def test_a_server_that_does_not_tell_its_jobtypes(tmp_path):
    """As a stock one: a note, and no mistake."""
    class Stock(Peer):
        def _answer(self, talk, verb, arg):
            if verb != "INFO":
                return super()._answer(talk, verb, arg)
            talk.bulk({"faktory": {"queues": {"default": 5}}})
            return True
    with Stock() as peer:
        peer.serve()
        code, out, err = check(tmp_path, {"server": peer.url}, "--server")
    assert (code, err) == (0, "")
    assert ["default", "5", "yes"] in [line.split() for line in out.splitlines()]
    assert "note: the server does not tell which jobtypes" in out


def test_server_by_url(tmp_path, server):
    """--server URL wins over the file's; one that cannot be reached is 69."""
    settings = {"server": "tcp://127.0.0.1:1"}
    assert check(tmp_path, settings, "--server", server.url)[0] == 0
    assert check(tmp_path, settings, f"--server={server.url}")[0] == 0
    code, _, err = check(tmp_path, settings, "--server")
    assert code == 69 and "127.0.0.1:1" in err


def test_every_server_is_asked(tmp_path, start_server):
    """All servers of a list answer under their names; one that is away is told,
    and keeps nobody from asking the others."""
    one, two = start_server(), start_server()
    with one.client() as c:
        c.push(queue="on-one")
    with two.client() as c:
        c.push(queue="on-two")
    settings = {"server": [one.url, "tcp://127.0.0.1:1", two.url]}
    code, out, err = check(tmp_path, settings, "--server")
    assert code == 69 and "127.0.0.1:1" in err
    first, second = out.index(f"{one.url}:\n"), out.index(f"{two.url}:\n")
    assert first < out.index("on-one") < second < out.index("on-two")
    settings["server"] = [one.url, two.url]
    assert check(tmp_path, settings, "--server")[0] == 0
    code, out, _ = check(tmp_path, settings, "--server", two.url)
    assert code == 0 and "on-two" in out and "on-one" not in out


def test_server_with_password(tmp_path, start_server):
    """The configuration's password is used; a wrong one is exit 77."""
    secret = tmp_path / "secret"
    secret.write_text("open sesame\n")
    secret.chmod(0o600)
    s = start_server(config=json.dumps({"password": "open sesame"}))
    settings = {"server": f"tcp://127.0.0.1:{s.port}", "password": {"file": str(secret)}}
    assert check(tmp_path, settings, "--server")[0] == 0
    code, out, err = check(tmp_path, {**settings, "password": "wrong"}, "--server")
    assert code == 77 and "open sesame" not in out + err
