"""faktotum check: every mistake with its place, before it costs a job.

SPDX-License-Identifier: ISC
"""
import os

import pytest

from support.program import run
from support.supervisor import FAKTOTUM, script


def check(tmp_path, text):
    path = tmp_path / "t.yaml"
    path.write_text(text)
    done = run([FAKTOTUM, "check", "-c", path])
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_good_file(tmp_path):
    """Exit 0 and one line that says how many handlers there are."""
    status, out, err = check(tmp_path, "jobs:\n  a: {exec: [/bin/true]}\n  b: {exec: [/bin/false]}\n")
    assert (status, err) == (0, "")
    assert "t.yaml" in out and "ok" in out and "2" in out


def test_all_mistakes_are_told(tmp_path):
    """Not just the first: each with file, line and column, exit 78."""
    status, out, err = check(tmp_path, """\
concurrency: many
queuess: [a]
shutdown: {grace: 25}
jobs:
  a:
    exec: [/no/such/program]
    timeout: 5m
    timeout: 6m
  b:
    exec: [relative/path, "{args.0"]
    input: everything
""")
    assert status == 78
    lines = err.splitlines()
    for place, words in [("1:14", ["many"]), ("2:1", ["queuess", "queues"]), ("3:", ["grace", "25"]),
            ("6:", ["/no/such/program"]), ("8:", ["timeout"]), ("10:", []), ("11:", ["everything"])]:
        found = [l for l in lines if f"t.yaml:{place}" in l]
        assert found, f"{place} in {err}"
        for word in words:
            assert any(word in l for l in found), (place, word, found)


def test_unreadable_file(tmp_path):
    """A file that is not there: exit 66 and its name."""
    done = run([FAKTOTUM, "check", "-c", tmp_path / "absent.yaml"])
    assert done.returncode == 66
    assert b"absent.yaml" in done.stderr


@pytest.mark.parametrize("text", ["", "jobs: {}\n", "[1, 2]\n", "jobs: [a]\n", "{{{{\n",
    "jobs:\n\ta: 1\n", "a: &x [*x]\n", "jobs: {a: {exec: [/bin/true]}\n"])
def test_files_that_are_no_configuration(tmp_path, text):
    """Empty, wrong at the root, or not YAML at all: 78 and a place, never a
    crash."""
    status, out, err = check(tmp_path, text)
    assert status == 78
    assert "t.yaml" in err


def test_writable_program_is_refused(tmp_path):
    """A program that anyone may replace is not started."""
    path = script(tmp_path, "h", "exit 0")
    os.chmod(path, 0o777)
    status, out, err = check(tmp_path, f"jobs: {{a: {{exec: [{path}]}}}}\n")
    assert status == 78
    assert path in err and "writ" in err


@pytest.mark.parametrize("job", ['{exec: [%s]}', '{exec: [/bin/true], wrap: [%s]}'])
def test_way_to_a_program_is_looked_at(tmp_path, job):
    """A directory on the way in which anyone may put another program, behind a
    link too: told with its name, for wrap's program as well. `program_checks:
    file` looks at the file alone."""
    anyone = tmp_path / "anyone"
    anyone.mkdir()
    path = script(anyone, "h", "exit 0")
    anyone.chmod(0o777)
    link = tmp_path / "link"
    link.symlink_to(path)
    text = "jobs: {a: %s}\n" % (job % link)
    status, out, err = check(tmp_path, text)
    assert status == 78
    assert f"{anyone} can be written by" in err and "t.yaml:1:" in err
    assert check(tmp_path, "program_checks: file\n" + text)[0] == 0
    anyone.chmod(0o1777)
    assert check(tmp_path, text)[0] == 0


def test_not_executable_is_refused(tmp_path):
    """A file without its x bit: told at check, not at the first job."""
    path = tmp_path / "h"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o644)
    status, out, err = check(tmp_path, f"jobs: {{a: {{exec: [{path}]}}}}\n")
    assert status == 78
    assert "execut" in err


def test_inner_grace_above_the_outer(tmp_path):
    """buildkite's trap: a handler's grace longer than the shutdown's."""
    status, out, err = check(tmp_path,
        "shutdown: {grace: 5s}\njobs: {a: {exec: [/bin/true], grace: 30s}}\n")
    assert status == 78
    assert "grace" in err


def test_option_injection_is_warned_of(tmp_path):
    """An element that begins with data and has no -- before it: a warning,
    and still exit 0."""
    status, out, err = check(tmp_path, 'jobs: {a: {exec: [/bin/echo, "{args.0}"]}}\n')
    assert status == 0
    assert "warning: " in err


def test_expansion(tmp_path):
    """${NAME} and ${NAME:-default} come from the environment; an unset name
    without default is a mistake with its place; a value never becomes
    structure."""
    path = tmp_path / "t.yaml"
    path.write_text("concurrency: ${N:-5}\nqueues: ['${Q}']\njobs: {a: {exec: [/bin/true]}}\n")
    assert run([FAKTOTUM, "check", "-c", path], env={"Q": "default"}).returncode == 0
    assert run([FAKTOTUM, "check", "-c", path], env={"Q": "q", "N": "x"}).returncode == 78
    done = run([FAKTOTUM, "check", "-c", path])
    assert done.returncode == 78 and b"t.yaml:2:" in done.stderr and b"Q" in done.stderr
    done = run([FAKTOTUM, "check", "-c", path], env={"Q": "a, b]"})
    assert done.returncode == 78


def test_password_is_not_shown(tmp_path):
    """A mistake around a password never quotes it."""
    status, out, err = check(tmp_path,
        "password: [hunter2]\nserver: 'tcp://:hunter2@host:99999'\njobs: {a: {exec: [/bin/true]}}\n")
    assert status == 78
    assert "hunter2" not in err


@pytest.mark.parametrize("argv", [["check"], ["check", "-c"], ["check", "--nonsense"], ["chekc"],
    [], ["run"], ["push"], ["run-once"]])
def test_usage(argv):
    """A wrong command line is exit 64 and says how it is used."""
    done = run([FAKTOTUM, *argv])
    assert done.returncode == 64
    assert done.stderr


@pytest.mark.parametrize("argv", [["--help"], ["check", "--help"], ["run", "--help"],
    ["push", "--help"], ["run-once", "--help"], ["dev", "--help"], ["--version"]])
def test_help(argv):
    """--help and --version everywhere: standard output, exit 0."""
    done = run([FAKTOTUM, *argv])
    assert done.returncode == 0
    assert done.stdout and not done.stderr
