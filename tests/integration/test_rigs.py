"""Nothing passes by luck: what tests everything else is itself given something
broken, on purpose, and must fail. docs/testing.md has the list; the rigs of
tests/fault have theirs in tests/fault/selftest, the checks that say
--self-test in themselves.

SPDX-License-Identifier: ISC
"""
import importlib.machinery
import importlib.util
import json
import os
import re
import shlex
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from test_babble import agreed

from support.babble import Babble, Reply
from support.ports import free_port
from support.program import BUILD, REPORT, ROOT, Program
from support.waiting import ceiling, wait_for


def execute(*argv, cwd=None, **more):
    """(status, all that was said) of one of our rigs."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("FAKTOTUM_")}
    done = subprocess.run([str(a) for a in argv], env=dict(env, PYTHONDONTWRITEBYTECODE="1", **more),
        cwd=cwd, capture_output=True, text=True, errors="replace", timeout=ceiling(120))
    return done.returncode, done.stdout + done.stderr


def module(path):
    """A script of the tree as a module."""
    loader = importlib.machinery.SourceFileLoader(path.name.replace("-", "_"), str(path))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    made = importlib.util.module_from_spec(spec)
    loader.exec_module(made)
    return made


def put(path, text, mode=0o755):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


# ---- conversations that are fuzzed ----

SERVERS_MISTAKES = {  # of tests/fuzz/broken.h, and what must be said of each
    "stores nothing": "!lost",
    "loses a job": "!lost",
    "gives a job twice": "!j->held",
    "answers twice": "v->nasked > 0",
    "answers nonsense": "s == RESP_MORE",
    "counts wrong": "\"connections\\\":",
    "keeps who has left": "workers_count(s->workers) == 0",
    "never rests": "rounds < STAGE_ROUNDS",
    "leaks": "__lsan_do_recoverable_leak_check() == 0",
}


SUPERVISORS_MISTAKES = {  # of tests/fuzz/worker_broken.h
    "speaks first": "p->greeted && !p->ended",
    "takes any welcome": "p->introduced && p->welcome",
    "does not wait": "peering.beat_taken[i]",
    "asks twice": "p->nasked == 0",
    "takes too many": "<= peering.places",
    "is never quiet": "!account.quiet",
    "forgets a job": "i < PATIENT",
    "runs a job twice": "j->started < j->handed",
    "forgets the time": "ends <= j->expires_last",
    "tells nothing": "i < PATIENT",
    "tells twice": "j->told_in != in",
    "tells of others": "j != NULL || account.strange",
    "tells what it has lost": "!j->lost",
    "tells what is confirmed": "j->settled_in != in",
    "garbles": "claim_parse(",
    "never rests": "rounds < WORKER_ROUNDS",
    "keeps a descriptor": "worker_descriptors() == before",
    "leaks": "__lsan_do_recoverable_leak_check() == 0",
}


def finds(target, mistake, must_say, tmp_path):
    """Whether it does not get through its corpus with that mistake."""
    program = BUILD / "tests/fuzz" / f"fuzz_{target}"
    assert program.exists(), "make builds it with the tests"
    if mistake == "leaks" and b"__asan_init" not in program.read_bytes():
        pytest.skip("leaks are seen by the sanitizer, in make sanitize and make fuzz")
    # Those that have a name are made for it; the others are fuzzing's.
    corpus = sorted(p for p in (ROOT / "tests/fuzz/corpus" / target).iterdir() if len(p.name) < 40)
    status, said = execute(program, *corpus, FAKTOTUM_BROKEN=mistake, TMPDIR=str(tmp_path),
        ASAN_OPTIONS="detect_leaks=1:handle_abort=0", UBSAN_OPTIONS="")
    assert status != 0, f"{mistake}, and nobody saw it"
    assert must_say in said, said[-2000:]


@pytest.mark.parametrize("mistake", SERVERS_MISTAKES)
def test_fuzzed_conversations_find(mistake, tmp_path):
    """A server with one mistake does not get through the corpus."""
    finds("conversation", mistake, SERVERS_MISTAKES[mistake], tmp_path)


@pytest.mark.parametrize("mistake", SUPERVISORS_MISTAKES)
def test_fuzzed_client_conversations_find(mistake, tmp_path):
    """Nor does a supervisor."""
    finds("client_conversation", mistake, SUPERVISORS_MISTAKES[mistake], tmp_path)


PLANTED = r"""
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 2 && data[0] == 'b' && data[1] == 'u' && data[2] == 'g')
		abort();
	return 0;
}
"""


def test_fuzzing_finds_a_planted_bug(tmp_path):
    """libFuzzer comes upon a bug that no seed has, and what it found is kept."""
    source = put(tmp_path / "planted.c", PLANTED)
    target = tmp_path / "tests/fuzz/fuzz_timespan"
    target.parent.mkdir(parents=True)
    clang = shutil.which(os.environ.get("CLANG", "clang"))
    if clang is None or execute(clang, "-fsanitize=fuzzer", "-o", target, source)[0] != 0:
        pytest.skip("clang, or its libFuzzer, is missing")
    status, said = execute(ROOT / "tests/fuzz/run", "--build-dir", tmp_path, "--seconds", "60")
    assert status == 1 and "timespan FAILED" in said and "deadly signal" in said, said
    kept = list((tmp_path / "fuzz-broken").iterdir())
    assert [k.read_bytes()[:3] for k in kept] == [b"bug"]


@pytest.mark.parametrize("target", [None, "exit 77", "exit 0"])
def test_fuzzing_fails_without_a_run(target, tmp_path):
    """No target, one that breaks, and one that has tried nothing."""
    if target is not None:
        put(tmp_path / "tests/fuzz/fuzz_timespan", f"#!/bin/sh\n{target}\n")
    status, said = execute(ROOT / "tests/fuzz/run", "--build-dir", tmp_path, "--seconds", "1")
    assert status == 1 and "0 passed" in said, said


# ---- the tests themselves ----

@pytest.mark.parametrize("name, does, must_say", [
    ("unit/test_a", "echo 1..2; echo ok 1 - a; echo not ok 2 - b", "1 passed, 1 failed"),
    ("unit/test_a", "echo 1..2; echo ok 1 - a", "1 of 2 tests told their end"),
    ("unit/test_a", "echo 1..1; echo ok 1 - a; exit 3", "ended with status 3"),
    ("unit/test_a", "kill -ABRT $$", "was killed by SIGABRT"),
    ("unit/test_a", "true", "0 passed, 1 failed"),
    ("fuzz/fuzz_timespan", "exit 1", "fuzz_timespan"),
    ("fuzz/fuzz_no_such", "true", "no files in"),
    ("unit/other", "true", "no test ran"),
])
def test_a_test_that_fails_is_told(name, does, must_say, tmp_path):
    """tests/run: a failure, a test that is silent, dies or is not there."""
    put(tmp_path / "tests" / name, f"#!/bin/sh\n{does}\n")
    status, said = execute(sys.executable, ROOT / "tests/run", "--build-dir", tmp_path, "unit")
    assert status == 1 and must_say in said, said


UNDER_VALGRIND = {  # what a test does that passes without it, and what is told
    "nothing wrong": ("", ""),
    "a leak": ("p = malloc(50); p = NULL;", "definitely lost"),
    "a read of what is freed": ("p = malloc(50); free(p); at = p[7];", "Invalid read"),
    "a descriptor": ('at = open("/dev/null", O_RDONLY);', "descriptors left open"),
}


@pytest.mark.parametrize("mistake", UNDER_VALGRIND)
def test_valgrind_finds(mistake, tmp_path):
    """tests/run --valgrind: memory, and descriptors, which are no error to it."""
    does, must_say = UNDER_VALGRIND[mistake]
    if shutil.which("valgrind") is None:
        pytest.skip("valgrind is not installed")
    program = tmp_path / "tests/unit/test_a"
    program.parent.mkdir(parents=True)
    source = put(tmp_path / "a.c", "#include <fcntl.h>\n#include <stdio.h>\n#include <stdlib.h>\n"
        "int main(void)\n{\nchar *volatile p = NULL;\nvolatile int at = 0;\n"
        f'{does}\n(void)p;\n(void)at;\nputs("1..1\\nok 1 - a");\nreturn 0;\n}}\n')
    compiler = shlex.split(os.environ.get("CC", "cc"))
    assert execute(*compiler, "-w", "-o", program, source)[0] == 0
    status, said = execute(sys.executable, ROOT / "tests/run", "--build-dir", tmp_path,
        "--valgrind", "unit")
    assert status == (1 if must_say else 0) and must_say in said, said


def test_a_sanitizers_report_fails_a_test(tmp_path):
    """Whatever a program's status is, and a signal that nobody sent as well."""
    report = "==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x0"
    assert REPORT.search(report)
    for does in (f"echo '{report}'", "kill -SEGV $$"):
        p = Program(["/bin/sh", "-c", does], tmp_path / "log")
        wait_for("its end", lambda p=p: not p.alive())
        with pytest.raises(AssertionError):
            p.close()


def test_the_schema_suite_is_really_asked(tmp_path):
    """One answer turned around in the suite, and the test of it fails."""
    source = (ROOT / "tests/unit/test_keywords.c").read_text()
    usual = re.search(r'define SUITE.*\n\s*"([^"]*)".*\n\s*"([^"]*)"', source)
    suite = Path(os.environ.get("SCHEMA_SUITE", "".join(usual.groups())))
    if not suite.exists():
        pytest.skip("JSON Schema's test suite is not installed")
    shutil.copytree(suite, tmp_path / "suite")
    file = tmp_path / "suite/minLength.json"
    groups = json.loads(file.read_text())
    groups[0]["tests"][0]["valid"] = not groups[0]["tests"][0]["valid"]
    for broken, status in ((False, 0), (True, 1)):
        if broken:
            file.write_text(json.dumps(groups))
        got, said = execute(BUILD / "tests/unit/test_keywords", SCHEMA_SUITE=str(tmp_path / "suite"))
        assert got == status, said


# ---- babble ----

def answering(reply, ending):
    """The port of a server that says reply to each line it hears."""
    listener = socket.create_server(("127.0.0.1", 0))
    ending.append(listener)

    def talk(s):
        try:
            s.sendall(b'+HI {"v":2}\r\n')
            for _ in s.makefile("rb"):
                s.sendall(reply)
        except OSError:
            pass

    def serve():
        while True:
            try:
                s, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(s,), daemon=True).start()
    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


@pytest.mark.parametrize("reply, why", [(b"+OK\r\n+OK\r\n", "replies to"),
    (b"OK\r\n", "not a reply"), (b"$2\r\nabcd", "a bulk that ends in")])
def test_babble_hears_a_server_that_is_wrong(reply, why, ending):
    """One that answers twice, and two that answer with no reply."""
    babble = Babble(answering(reply, ending), 1)
    try:
        with pytest.raises(AssertionError, match=why):
            for _ in range(5000):
                babble.step()
    finally:
        for voice in babble.voices:
            voice.socket.close()


def test_babble_takes_what_is_right():
    """In any pieces."""
    said = b"+OK\r\n$3\r\nabc\r\n$-1\r\n-ERR no\r\n"
    for n in range(1, len(said)):
        reply = Reply()
        for at in range(0, len(said), n):
            reply.feed(said[at:at + n])
        assert (reply.seen, reply.data) == (4, b"")


def test_babble_misses_a_job(server, client):
    """One job less on disk than in memory is a lost one."""
    for _ in range(3):
        client.push()
    wait_for("memory and disk to agree", lambda: agreed(client, server.data))
    db = sqlite3.connect(server.data / "faktotum.db", timeout=ceiling(30))
    db.execute("DELETE FROM jobs WHERE id = (SELECT min(id) FROM jobs)")
    db.commit()
    db.close()
    assert not agreed(client, server.data)


# ---- what looks at the tree, and what measures ----

GCOVR = """#!/usr/bin/env python3
import json, os, sys
hit = dict(w.split("=") for w in os.environ["HIT"].split())
files = [{"file": room + "/a.c", "lines": [{"line_number": i, "branches": [],
    "count": int(i < int(hit.get(room, 95)))} for i in range(100)]}
    for room in "base protocol config handlers supervisor cli server".split() if hit.get(room) != "none"]
json.dump({"files": files}, open(sys.argv[sys.argv.index("--json") + 1], "w"))
"""


@pytest.mark.parametrize("hit, status, must_say", [("config=85", 0, "config"),
    ("config=84", 1, "BELOW"), ("server=0", 1, "BELOW"),
    ("handlers=none", 1, "nothing was counted in handlers/")])
def test_coverage_below_its_mark_fails(hit, status, must_say, tmp_path):
    """A room with too many lines that nothing ran, or without any."""
    put(tmp_path / "bin/gcovr", GCOVR)
    got, said = execute(ROOT / "contrib/check-coverage", tmp_path, HIT=hit,
        PATH=f"{tmp_path}/bin:{os.environ['PATH']}")
    assert got == status and must_say in said, said


def test_dearer_than_the_baseline_fails():
    """A fifth dearer, new or gone is told; a little dearer, or cheaper, is not."""
    judge = module(ROOT / "tests/bench/callgrind").judge
    base = {"a": 100, "b": 100}
    assert judge({"a": 120, "b": 100}, base, 10) == ["a"]
    assert judge({"a": 109, "b": 50}, base, 10) == []
    assert judge({"a": 100, "b": 100, "c": 1}, base, 10) == ["c"]
    assert judge({"a": 100}, base, 10) == ["b"]


def test_a_ratio_that_is_missed_is_told():
    """What the bench prints of a target: met only where it is."""
    for place in ("tests/interop", "tests/bench"):
        sys.path.insert(0, str(ROOT / place))
    try:
        table = module(ROOT / "tests/bench/table.py")
        row = "cycle, 10 connections"
        good = table.summary({row: {"ours": [200, 210, 190], "stock": [100, 100, 100]}})
        poor = table.summary({row: {"ours": [190, 900, 180], "stock": [100, 100, 100]}})
    finally:
        del sys.path[:2]
    assert [r["met"] for r in good] == [True] and [r["met"] for r in poor] == [False]


@pytest.mark.parametrize("files, must_say", [
    ({"base/a.c": "int a;\n" * 601}, "601 lines"),
    ({"server/a.c": "int\na(void)\n{\n" + "\treturn 0;\n" * 81 + "}\n"}, "a() has 81 lines"),
    ({}, "")])
def test_what_is_too_long_is_refused(files, must_say, tmp_path):
    """check-sizes: a file, a function, and a tree in which nothing was seen."""
    put(tmp_path / "contrib/check-sizes", (ROOT / "contrib/check-sizes").read_text())
    for name, text in files.items():
        put(tmp_path / name, text)
    status, said = execute(sys.executable, tmp_path / "contrib/check-sizes")
    assert status == 1 and must_say in said
    for name in files:
        put(tmp_path / name, "int a;\n" * 400)
    if files:
        assert execute(sys.executable, tmp_path / "contrib/check-sizes")[0] == 0


@pytest.mark.parametrize("name, text", [("tests/a", "#!/usr/bin/env python3\nif:\n"),
    ("contrib/a", "#!/bin/sh\nif true\n"), ("examples/a", "#!/bin/bash\nf() {\n")])
def test_a_script_that_does_not_parse_is_refused(name, text, tmp_path):
    """check-scripts: Python, sh and bash."""
    put(tmp_path / "contrib/check-scripts", (ROOT / "contrib/check-scripts").read_text())
    for folder in (".ci", "examples", "tests"):
        (tmp_path / folder).mkdir()
    assert execute(tmp_path / "contrib/check-scripts")[0] == 0
    put(tmp_path / name, text)
    assert execute(tmp_path / "contrib/check-scripts")[0] == 1


@pytest.mark.parametrize("tool, argv", [
    ("clang-tidy", ["contrib/run-tidy", "{build}", "{file}", "--", "-std=gnu11"]),
    ("cppcheck", ["cppcheck", "--quiet", "--error-exitcode=1", "--std=c11",
        "--enable=warning,style,performance,portability", "{file}"])])
def test_a_mistake_in_c_is_refused(tool, argv, tmp_path):
    """What clang-tidy and cppcheck are for: memory that is freed twice."""
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is missing")
    shutil.copy(ROOT / ".clang-tidy", tmp_path)
    file = tmp_path / "twice.c"
    argv = [a.format(build=tmp_path / "build", file=file) for a in argv]
    start = "#include <stdlib.h>\nvoid twice(char *p);\nvoid\ntwice(char *p)\n{\n\tfree(p);\n"
    file.write_text(start + "}\n")
    status, said = execute(*argv, cwd=ROOT)
    assert status == 0, said
    file.write_text(start + "\tfree(p);\n}\n")
    status, said = execute(*argv, cwd=ROOT)
    assert status != 0, said


PAGE = ".Dd January 1, 2026\n.Dt A 1\n.Os\n.Sh NAME\n.Nm a\n.Nd a page\n"


@pytest.mark.parametrize("tool, target, name, good, bad", [
    ("clang-format", ["format-check", "all_src={file}", "all_hdr="], "a.c",
        "int\nf(void)\n{\n\treturn 0;\n}\n", "int f(void) {\n  return 0; }\n"),
    ("mandoc", ["-o", "man", "man-check", "O={place}"], "man/a.1", PAGE, PAGE + ".Xx no macro\n")])
def test_a_bad_page_or_form_is_refused(tool, target, name, good, bad, tmp_path):
    """`make format-check` and `make man-check`, as they call clang-format and mandoc."""
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is missing: `make check` needs it, `make test` does not")
    shutil.copy(ROOT / ".clang-format", tmp_path)
    argv = [a.format(place=tmp_path, file=tmp_path / name) for a in target]
    for text, fails in ((good, False), (bad, True)):
        put(tmp_path / name, text, 0o644)
        status, said = execute("make", "-s", *argv, "PYTHON=python3", cwd=ROOT, MAKEFLAGS="")
        assert (status != 0) == fails and (str(tmp_path / name) in said) == fails, said


def test_every_file_is_looked_at():
    """What clang-format is given is all of the tree, so that no file is in form by not being asked."""
    status, said = execute("make", "-n", "format-check", "PYTHON=python3", cwd=ROOT, MAKEFLAGS="")
    assert status == 0, said
    files = {str(p.relative_to(ROOT)) for kind in ("*.c", "*.h") for p in ROOT.rglob(kind)
        if not p.relative_to(ROOT).parts[0].startswith("build")}
    assert len(files) > 500
    assert files - set(said.split()) == set()


# ---- a machine of its own ----

TOLD = ("..\r\n---- report.xml\r\n<testsuites><testsuite tests='3' failures='{}' errors='0' skipped='1'/>"
    "</testsuites>\r\n---- journal\r\nwords\r\n---- end\r\n")


@pytest.mark.parametrize("said, sums", [(TOLD.format(0), (2, 0, 1)), (TOLD.format(1), (1, 1, 1)),
    (TOLD.format(0).replace("'3'", "'0'").replace("'1'", "'0'"), (0, 1, 0)),
    (TOLD.format(0)[:60], (0, 1, 0)), ("..\r\n", (0, 1, 0)), ("", (0, 1, 0))])
def test_a_machine_that_tells_nothing_has_failed(said, sums, tmp_path, monkeypatch):
    """tests/systemd/run --vm: a failure, no test at all, a report that is cut off, and none."""
    monkeypatch.syspath_prepend(str(ROOT / "tests/systemd"))
    rig = module(ROOT / "tests/systemd/run")
    assert rig.judge(rig.unpacked(said, tmp_path / "said")) == sums


def test_a_free_port_is_kept():
    """Nobody who has not been told of it gets it, and until its program listens there
    connections are refused."""
    port = free_port()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 30)
    for _ in range(2):
        with socket.create_server(("127.0.0.1", port)):
            socket.create_connection(("127.0.0.1", port), 30).close()
    assert free_port() != port
