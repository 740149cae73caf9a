"""A server that cannot start: one sentence, and an exit status that says of
what kind the trouble is. What is damaged is left as it was.

SPDX-License-Identifier: ISC
"""
import hashlib
import os
import shutil
import socket
import subprocess

import pytest

from support.client import new_job
from support.disk import fill
from support.program import BUILD, ROOT, run

SERVER = BUILD / "faktotum-server"
CONFIG, CANTCREAT, IOERR, UNAVAILABLE = 78, 73, 74, 69


def boot(*args, env=None, **more):
    """The exit status and the one line of a start that must fail."""
    args = list(args)
    if "--listen" not in args:
        args += ["--listen", "127.0.0.1:0"]
    if "--web" not in args:
        args += ["--web", "off"]
    done = run([SERVER, *args], env=env, **more)
    text = (done.stdout + done.stderr).decode()
    said = [line for line in text.splitlines() if line.startswith("faktotum-server: ")]
    assert len(said) == 1, text
    return done.returncode, said[0]


# ---- addresses: 69 ----

def test_addresses_that_cannot_be_had(tmp_path):
    """In use, not of this host, unknown: 69 and the address, for clients and
    for HTTP. A stock server exits with 0."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        used = f"127.0.0.1:{taken.getsockname()[1]}"
        for address in (used, "192.0.2.1:7419", "no-such-host.invalid:7419"):
            for flag in ("--listen", "--web"):
                config = tmp_path / "c.yaml"
                config.write_text("web: {public: true}\n")
                status, said = boot(flag, address, "--data", tmp_path / "d", "-c", config)
                assert status == UNAVAILABLE, said
                assert f"listen {address}: " in said
                assert ("web: " in said) == (flag == "--web")


def test_address_that_is_none(tmp_path):
    """A wrong --listen is a wrong setting: 78."""
    status, said = boot("--listen", "7419", "--data", tmp_path / "d")
    assert status == CONFIG and '"7419"' in said
    status, said = boot("--web", "here", "--data", tmp_path / "d",
        env={"FAKTORY_PASSWORD": "x"})
    assert status == CONFIG and '"here"' in said


# ---- storage: 73 and 74 ----

def test_data_directory_that_cannot_be_made(tmp_path):
    """No parent, a file in its place, a name too long: 73 or 74, and the
    directory's name."""
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "no" / "parent", tmp_path / "file", tmp_path / "file" / "d"):
        status, said = boot("--data", path)
        assert status == CANTCREAT, said
        assert str(path) in said
    status, said = boot("--data", tmp_path / ("x" * 5000))
    assert status == IOERR and "too long" in said


def test_data_directory_of_somebody_else(tmp_path):
    """Without the right to write there: 73."""
    if os.geteuid() != 0:
        pytest.skip("needs the right to become somebody else")
    there = tmp_path / "theirs"
    there.mkdir(mode=0o755)
    program = tmp_path / "faktotum-server"
    shutil.copy(SERVER, program)
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents:  # pytest's own are private
        if parent.stat().st_uid == 0 and str(parent).startswith("/tmp/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    done = subprocess.run([program, "--listen", "127.0.0.1:0", "--web", "off", "--data", there],
        capture_output=True, text=True, timeout=60,
        preexec_fn=lambda: (os.setgid(65534), os.setuid(65534)))
    assert done.returncode == CANTCREAT, done.stderr
    assert f"{there}/lock: Permission denied" in done.stderr


def test_read_only_disk(start_server, small_disk):
    """73 and the file's name; nothing is lost."""
    s = start_server(data=small_disk / "data")
    with s.client() as c:
        jid = c.push()["jid"]
    assert s.program.stop() == 0
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    status, said = boot("--data", s.data)
    assert status == CANTCREAT and str(s.data) in said
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    s.start()
    with s.client() as c:
        assert c.fetch()["jid"] == jid


def test_full_disk_at_the_first_start(small_disk):
    """Nothing can be made: 74, and no half of a database is left behind."""
    fill(small_disk)
    data = small_disk / "data"
    status, said = boot("--data", data)
    assert status in (CANTCREAT, IOERR) and str(data) in said
    assert not list(data.glob("faktotum.db*"))


def test_directory_in_use(server):
    """A second server on the same directory: 74, the directory and the
    process; the first one goes on."""
    status, said = boot("--data", server.data)
    assert status == IOERR
    assert f"{server.data} is in use by another server, process {server.program.pid}" in said
    with server.client() as c:
        c.push()


# ---- damage ----

def digest(data):
    """Of everything that holds jobs."""
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(data.glob("faktotum.db*")) if not p.name.endswith("-shm")}


@pytest.fixture
def stopped(start_server):
    """A server with jobs, stopped; some of them have many pages each."""
    s = start_server()
    with s.client() as c:
        for _ in range(10):
            c.pushb([new_job("t", "x" * 300) for _ in range(50)])
        c.push(new_job("t", "y" * 50_000))
    assert s.program.stop() == 0
    return s


def must_refuse(s, why=None):
    before = digest(s.data)
    status, said = boot("--data", s.data)
    assert status == IOERR, said
    assert str(s.data / "faktotum.db") in said
    assert "it was left as it is" in said
    assert why is None or why in said, said
    assert digest(s.data) == before


@pytest.mark.parametrize("at, why", [
    (0, "file is not a database"),      # the name of the format
    (16, None),                          # the size of a page
    (68, "not a Faktotum database"),     # whose it is
    (63, "newer Faktotum"),              # the version
    (100, "malformed"),                  # the first page of the schema
])
def test_flipped_bytes_in_the_head(stopped, at, why):
    """A byte that is wrong in what every reader needs: refused, told, kept."""
    path = stopped.data / "faktotum.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x5f]) + whole[at + 1:])
    must_refuse(stopped, why)
    path.write_bytes(whole)
    stopped.start()
    with stopped.client() as c:
        assert c.size() == 501


def test_flipped_bytes_in_pages(stopped):
    """The first byte of a page says what it is. Wherever it is wrong in a page
    that the start needs, it is refused; elsewhere the server starts, and the
    other jobs are there. Never is the file made anew."""
    path = stopped.data / "faktotum.db"
    whole = path.read_bytes()
    refused = 0
    pages = len(whole) // 4096
    for page in [2, 3, 4, 5] + list(range(6, pages, max(1, pages // 12))):
        at = (page - 1) * 4096
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xff]) + whole[at + 1:])
        for name in ("-wal", "-shm"):
            path.with_name(path.name + name).unlink(missing_ok=True)
        before = digest(stopped.data)
        done = subprocess.run([SERVER, "--listen", "127.0.0.1:0", "--web", "192.0.2.1:1",
            "--data", stopped.data], capture_output=True, text=True, timeout=60,
            env={"FAKTORY_PASSWORD": "x"})
        # The address of the web is not to be had: what starts, ends there.
        assert done.returncode in (IOERR, UNAVAILABLE), done.stderr
        if done.returncode == IOERR:
            refused += 1
            assert "malformed" in done.stderr and "it was left as it is" in done.stderr
            assert digest(stopped.data) == before
    assert refused > 4
    path.write_bytes(whole)
    stopped.start()
    with stopped.client() as c:
        assert c.size() == 501


@pytest.mark.parametrize("left", [0, 1, 100, 4096, 5000, 3 * 4096, -4096, -1])
def test_truncated_file(stopped, left):
    """Cut short anywhere: refused, and what is left is left."""
    path = stopped.data / "faktotum.db"
    whole = path.read_bytes()
    with open(path, "r+b") as f:
        f.truncate(left % len(whole))
    must_refuse(stopped)
    path.write_bytes(whole)
    stopped.start()
    with stopped.client() as c:
        assert c.size() == 501


def test_damage_keeps_the_log_too(start_server):
    """After a crash the newest jobs are in the log. A refused file keeps its
    log beside it, byte for byte: the backup that is put back may not need it,
    but whoever recovers the damaged one does."""
    s = start_server()
    with s.client() as c:
        c.pushb([new_job("t", "x" * 300) for _ in range(300)])
    s.restart()
    with s.client() as c:
        c.pushb([new_job("t", "z" * 300) for _ in range(10)])
    s.kill9()
    log = s.data / "faktotum.db-wal"
    assert log.stat().st_size > 0
    path = s.data / "faktotum.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:8192])
    before = digest(s.data)
    status, said = boot("--data", s.data)
    # What the log has of the lost pages may be enough to see it whole.
    assert status == IOERR, said
    assert digest(s.data) == before
    path.write_bytes(whole)
    s.start()
    with s.client() as c:
        assert c.size() == 310


def test_backup_is_the_way_out(stopped, tmp_path):
    """What the message says works: the damaged file aside, a copy in its
    place, and the server starts with what the copy had."""
    path = stopped.data / "faktotum.db"
    copy = tmp_path / "copy.db"
    subprocess.run(["sqlite3", "-readonly", path, f".backup {copy}"], check=True)
    path.write_bytes(path.read_bytes()[:9000])
    must_refuse(stopped, "put a backup in its place")
    for p in stopped.data.glob("faktotum.db*"):
        p.rename(tmp_path / p.name)
    shutil.copy(copy, path)
    stopped.start()
    with stopped.client() as c:
        assert c.size() == 501


def test_what_can_be_read_is_taken_out(stopped, tmp_path):
    """The manual's third way: a page of noise costs the jobs that were in it
    and no others."""
    path = stopped.data / "faktotum.db"
    whole = bytearray(path.read_bytes())
    at = 20 * 4096
    whole[at:at + 4096] = os.urandom(4096)
    path.write_bytes(whole)
    must_refuse(stopped, "malformed")
    copy, new = tmp_path / "copy.db", tmp_path / "new.db"
    shutil.copy(path, copy)
    manual = (ROOT / "docs/store.md").read_text()
    lines = [line.strip() for line in manual.splitlines() if line.startswith("       sqlite3 ")]
    assert len(lines) == 2
    version = subprocess.run(["sqlite3", copy, "PRAGMA user_version"], check=True,
        capture_output=True, text=True).stdout.strip()
    subprocess.run(["sh", "-ec", "\n".join(lines).replace("= N'", f"= {version}'")],
        cwd=tmp_path, check=True, capture_output=True)
    for p in stopped.data.glob("faktotum.db*"):
        p.unlink()
    shutil.copy(new, path)
    stopped.start()
    with stopped.client() as c:
        assert 450 < c.size() < 501
