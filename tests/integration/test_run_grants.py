"""Credentials of the service that a program is given: `credentials:`.

SPDX-License-Identifier: ISC
"""
import json
import os

import pytest

from support.program import run
from support.supervisor import FAKTOTUM
from support.waiting import wait_for

SECRET = bytes(range(1, 256))
PASSWORD = "the-servers-own"


@pytest.fixture
def service(tmp_path):
    """The directory of a service with three credentials."""
    place = tmp_path / "credentials"
    place.mkdir(mode=0o700)
    (place / "token").write_bytes(SECRET)
    (place / "other").write_text("not for it")
    (place / "faktory-password").write_text(PASSWORD)
    return place


def looking(bench):
    """A handler that keeps what it finds."""
    out = bench.scratch / "out"
    out.mkdir(exist_ok=True)
    out.chmod(0o777)
    return out, bench.script("h", 'cd "$FAKTORY_CREDENTIALS" || exit 9\n'
        f"ls -A >{out}/names; stat -c %a . * >{out}/modes; cat token >{out}/token\n"
        f"pwd >{out}/place; env >{out}/env")


def test_a_program_gets_what_it_was_granted(bench, service):
    """Those that it names, byte for byte, for itself alone, and no other: the
    server's password least of all. They are gone with the job."""
    out, program = looking(bench)
    bench.run({"t": {"exec": [program], "credentials": ["token"]},
        "none": bench.script("none", '[ -z "$FAKTORY_CREDENTIALS" ]')},
        env={"CREDENTIALS_DIRECTORY": str(service)})
    bench.acked(bench.push("t"), bench.push("none"))
    assert (out / "names").read_text() == "token\n"
    assert (out / "modes").read_text().split() == ["500", "400"]
    assert (out / "token").read_bytes() == SECRET
    place = (out / "place").read_text().strip()
    wait_for("them to be gone", lambda: not os.path.exists(place))
    env = (out / "env").read_text()
    assert "CREDENTIALS_DIRECTORY" not in env and str(service) not in env and PASSWORD not in env


def test_a_changed_one_is_the_next_jobs(bench, service):
    """It is read for each job: no reload is needed."""
    out, program = looking(bench)
    bench.run({"t": {"exec": [program], "credentials": ["token"]}},
        env={"CREDENTIALS_DIRECTORY": str(service)})
    bench.acked(bench.push("t"))
    (service / "token").write_text("another")
    bench.acked(bench.push("t"))
    assert (out / "token").read_text() == "another"


def test_without_it_the_program_does_not_run(bench, service):
    """One that has gone is the host's fault and not the job's."""
    ran = bench.scratch / "ran"
    bench.run({"t": {"exec": [bench.script("h", f"touch {ran}")], "credentials": ["token"],
        "breaker": {"unavailable": "off"}}}, env={"CREDENTIALS_DIRECTORY": str(service)})
    bench.supervisor.says("connected as")
    (service / "token").unlink()
    fail = bench.failed(bench.push("t"))
    assert fail["errtype"] == "HandlerUnavailable"
    assert "credential token: No such file or directory" in fail["message"]
    (service / "token").write_bytes(b"x" * (1024 * 1024 + 1))
    assert "credential token: File too large" in bench.failed(bench.push("t"))["message"]
    (service / "token").unlink()
    os.mkfifo(service / "token")
    assert "credential token: it is not a regular file" in bench.failed(bench.push("t"))["message"]
    assert not ran.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_another_user_can_read_them(bench, service):
    """They belong to the user that the program runs as, who could not read
    the service's own."""
    bench.run({"t": {"exec": ["/bin/sh", "-c", 'cat "$FAKTORY_CREDENTIALS/token" >/dev/null && '
        f'stat -c "%U %a" "$FAKTORY_CREDENTIALS/token" && ! ls {service} 2>/dev/null && echo all-said'],
        "user": "nobody", "credentials": ["token"]}}, env={"CREDENTIALS_DIRECTORY": str(service)})
    bench.acked(bench.push("t"))
    bench.supervisor.says("all-said")
    assert "stream=stdout  nobody 400" in bench.supervisor.output()


def test_run_once_gives_them_too(tmp_path, service):
    """And says so where it explains."""
    config = tmp_path / "c.json"
    config.write_text(json.dumps({"jobs": {"t": {"exec": ["/bin/sh", "-c",
        'cat "$FAKTORY_CREDENTIALS/other" >&2'], "credentials": ["other"]}}}))
    env = {"CREDENTIALS_DIRECTORY": str(service)}
    done = run([FAKTOTUM, "run-once", "-c", config, "t"], stdin=b"[]", env=env)
    assert done.returncode == 0 and b"not for it" in done.stderr
    done = run([FAKTOTUM, "run-once", "-c", config, "--explain", "t"], stdin=b"[]", env=env)
    assert b"FAKTORY_CREDENTIALS=" in done.stdout and b"[other]" in done.stdout
    assert b"not for it" not in done.stdout
