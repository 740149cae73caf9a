"""The handlers in examples/handlers: what a person copies works.

SPDX-License-Identifier: ISC
"""
import json
import shutil
import subprocess

import pytest

from support.program import ROOT, run
from support.supervisor import FAKTOTUM

PLACE = ROOT / "examples/handlers"
ELSEWHERE = ("php", "js")  # toolchains of their own; the others come with these tests
LANGUAGES = {"sh": "sh", "py": "python3", "pl": "perl", "php": "php", "js": "node", "c": "cc"}


def test_they_are_short():
    """A handler is a small thing: each is below sixty lines, and there is one
    for each of six languages."""
    files = [f for f in PLACE.iterdir() if f.suffix]
    assert {f.suffix[1:] for f in files if f.stem == "hello"} == set(LANGUAGES)
    for f in files:
        assert len(f.read_text().splitlines()) < 60, f


@pytest.mark.parametrize("kind", LANGUAGES)
def test_hello_runs(tmp_path, kind):
    """It greets its argument; what it cannot greet is dead, since no retry will
    mend it."""
    interpreter = shutil.which(LANGUAGES[kind])
    if interpreter is None and kind in ELSEWHERE:
        pytest.skip(f"no {LANGUAGES[kind]} here")
    assert interpreter is not None, f"no {LANGUAGES[kind]}: contrib/install-deps test"
    program = [interpreter, str(PLACE / f"hello.{kind}")]
    if kind == "c":
        built = tmp_path / "hello"
        subprocess.run([interpreter, "-o", built, program[1]], check=True, timeout=120)
        program = [str(built)]
    config = tmp_path / "c.json"
    config.write_text(json.dumps({"program_checks": "file", "jobs": {"greet": {"exec": program,
        "input": "raw" if kind == "c" else "args"}}}))

    def greet(*args):
        done = run([FAKTOTUM, "run-once", "-c", config, "greet"], stdin=json.dumps(args).encode())
        return done.returncode, json.loads(done.stdout)["outcome"], done.stderr.decode()
    status, outcome, log = greet("w\u00f6rld")
    assert (status, outcome) == (0, "done"), log
    assert "hello, " in log and ("w\u00f6rld" in log or "w\\u00f6rld" in log), log
    if kind != "sh":
        status, outcome, _ = greet("") if kind == "c" else greet("one", "two")
        assert (status, outcome) == (65, "dead")
