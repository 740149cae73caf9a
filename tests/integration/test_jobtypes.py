"""The catalogue: jobs that do not fit are refused with their place, or told.

SPDX-License-Identifier: ISC
"""
import re
import shutil
import signal
import subprocess

from support.client import ServerError, compact, new_job
from support.program import BUILD, ROOT, run
from support.waiting import wait_for
from test_web import FREE, scrape

MAIL = """\
jobtypes:
  mail:
    args:
      type: array
      prefixItems:
        - type: object
          properties: {amount: {type: number, minimum: 1}}
          required: [to]
  any: {}
"""


def push(client, job):
    return client.call("PUSH " + compact(job))


def refusal(client, job):
    answer = push(client, job)
    assert isinstance(answer, ServerError), answer
    return answer.text


def check(path):
    done = run([BUILD / "faktotum-server", "-c", path, "--check"])
    return done.returncode, done.stderr.decode()


def test_strict_refuses_before_ok_with_the_place(start_server):
    """A wrong job is not stored; the error has the JSON Pointer into args,
    what was expected, and the schema's own place; the connection lives on."""
    s = start_server(config=MAIL)
    with s.client() as c:
        assert refusal(c, new_job("mail", {"to": "a", "amount": -3})) == (
            "ERR args/0/amount: -3 stands here, expected at least 1 "
            "(#/prefixItems/0/properties/amount/minimum)")
        assert refusal(c, new_job("mail", {})) == (
            'ERR args/0: "to" is missing (#/prefixItems/0/required)')
        assert refusal(c, new_job("male", {})) == (
            "ERR jobtype male is not among the jobtypes of this server")
        assert c.size() == 0
        assert push(c, new_job("mail", {"to": "a", "amount": 1.0})) == "OK"
        assert push(c, new_job("any", None, 3)) == "OK"
        assert c.size() == 2


def test_pushb_names_each_that_does_not_fit(start_server):
    """Of a PUSHB the good ones are stored, and each bad one is in the map."""
    s = start_server(config=MAIL)
    good, bad, unknown = (new_job("mail", {"to": "a"}), new_job("mail", 3), new_job("x"))
    with s.client() as c:
        answer = c.pushb([good, bad, unknown])
        assert set(answer) == {bad["jid"], unknown["jid"]}
        assert answer[bad["jid"]].startswith(
            'args/0: 3 stands here, expected type "object" (#/prefixItems/0/type)')
        assert answer[unknown["jid"]] == "jobtype x is not among the jobtypes of this server"
        assert c.size() == 1


def test_warn_takes_and_tells(start_server):
    """In warn mode the job is stored; the log has jid, type and the schema's
    place but nothing of the job, once a second; /metrics counts each."""
    s = start_server(config="jobtypes_mode: warn\n" + MAIL, web=FREE)
    with s.client() as c:
        first = new_job("mail", {"to": "a", "amount": -12345})
        assert push(c, first) == "OK"
        for _ in range(200):
            assert push(c, new_job("mail", {"to": "a", "amount": -12345})) == "OK"
        assert push(c, new_job("male")) == "OK"
        assert c.size() == 202
    log = s.program.output()
    lines = [l for l in log.splitlines() if "do not fit" in l]
    assert f"jid={first['jid']}" in lines[0] and "type=mail" in lines[0]
    assert "#/prefixItems/0/properties/amount/minimum" in lines[0]
    assert "12345" not in log
    assert len(lines) < 100
    assert "type=male" in log
    page = scrape(s)
    name = "faktotum_server_jobs_unfit_total"
    assert page.value(name, reason="args", outcome="taken") == 201
    assert page.value(name, reason="jobtype", outcome="taken") == 1
    assert page.value(name, reason="args", outcome="refused") == 0


def test_modes_of_single_jobtypes(start_server):
    """`mode` of a jobtype wins over jobtypes_mode, both ways."""
    s = start_server(config="""\
jobtypes_mode: warn
jobtypes:
  a: {mode: strict, args: {maxItems: 0}}
  b: {args: {maxItems: 0}}
""")
    with s.client() as c:
        assert "expected at most 0" in refusal(c, new_job("a", 1))
        assert push(c, new_job("b", 1)) == "OK"
        assert push(c, new_job("c", 1)) == "OK"


def test_numbers_are_not_rounded(start_server):
    """What a double cannot tell apart is told apart, and 1.0 is a whole number."""
    s = start_server(config="""\
jobtypes:
  n: {args: {items: {type: integer, maximum: 9007199254740992, multipleOf: 0.1}}}
""")
    with s.client() as c:
        line = 'PUSH {"jid":"numbers-%s","jobtype":"n","args":[%s]}'
        assert c.call(line % ("a", "1.0")) == "OK"
        assert c.call(line % ("b", "9007199254740992")) == "OK"
        assert "9007199254740993 stands here" in c.call(line % ("c", "9007199254740993")).text
        assert "1.5 stands here" in c.call(line % ("d", "1.5")).text


def test_what_costs_too_much_is_refused_and_nobody_waits(start_server):
    """A job whose check would take for ever is refused; the server answers."""
    s = start_server(config=r"""
jobtypes:
  slow: {args: {items: {pattern: '^(a|aa)+[bc]'}}}
""")
    with s.client() as c:
        assert refusal(c, new_job("slow", "a" * 200)) == (
            "ERR args: were not held against the schema: that takes too long")
        assert push(c, new_job("slow", "aab")) == "OK"


def test_hup_takes_the_catalogue_or_leaves_all(start_server):
    """A good file is in force for the next PUSH on open connections; a bad
    one changes nothing and the log says file, line and column."""
    s = start_server(config=MAIL)
    with s.client() as c:
        assert "not among" in refusal(c, new_job("new"))
        s.config.write_text(MAIL + "  new: {}\n")
        s.program.signal(signal.SIGHUP)
        wait_for("the new jobtype", lambda: push(c, new_job("new")) == "OK", 30)
        s.config.write_text("jobtypes:\n  new:\n    args: {minimun: 3}\n")
        s.program.signal(signal.SIGHUP)
        said = f'{s.config}:3:12: jobtypes.new.args: "minimun" is not among the keywords'
        wait_for("the refusal", lambda: said in s.program.output(), 30)
        wait_for("the rest", lambda: "nothing was changed" in s.program.output(), 30)
        assert push(c, new_job("new")) == "OK"
        assert push(c, new_job("mail", {"to": "a"})) == "OK"
        s.config.write_text("listen: 127.0.0.1:7419\n")
        s.program.signal(signal.SIGHUP)
        wait_for("no catalogue", lambda: push(c, new_job("whatever")) == "OK", 30)


def test_a_bad_schema_is_told_at_start(tmp_path):
    """--check and the start end with 78 and the place in the schema's file;
    --check tells the mistakes of every schema."""
    (tmp_path / "a.json").write_text('{\n  "items": {\n    "$ref": "b.json"\n  }\n}\n')
    config = tmp_path / "s.yaml"
    config.write_text("jobtypes:\n  a: {args_file: a.json}\n")
    place = f"{tmp_path}/a.json:3:13: jobtypes.a.args: $ref: \"b.json\" leads out of this document"
    status, err = check(config)
    assert status == 78 and place in err, err
    done = run([BUILD / "faktotum-server", "-c", config, "--listen", "127.0.0.1:0", "--web",
        "off", "--data", tmp_path / "data"])
    assert done.returncode == 78 and place in done.stderr.decode()
    (tmp_path / "a.json").write_text('{"items": }')
    config.write_text("jobtypes:\n  a: {args_file: a.json}\n  b: {args: {type: text}}\n")
    status, err = check(config)
    assert status == 78 and "a.json:1:11: jobtypes.a.args: not JSON: expected a value" in err
    assert f'{config}:3:20: jobtypes.b.args: type: "text" stands here' in err


def test_the_example(start_server, tmp_path):
    """examples/server.yaml runs as it is, and refuses what its comment says."""
    shutil.copytree(ROOT / "examples/jobtypes", tmp_path / "e/jobtypes")
    text = (ROOT / "examples/server.yaml").read_text()
    s = start_server(config=text, scratch=tmp_path / "e")
    with s.client() as c:
        assert push(c, new_job("resize-image", "/srv/images/a.png", 640, 480)) == "OK"
        assert refusal(c, new_job("resize-image", "/srv/images/a.png", 640, 0)) == (
            "ERR args/2: 0 stands here, expected at least 1 (#/$defs/pixels/minimum)")
        assert push(c, new_job("ping", 1, 2, 3)) == "OK"
        assert push(c, new_job("nightly-report", 3)) == "OK"
        command = re.search(r"build/faktotum (push send-mail '.*')", text).group(1)
        done = subprocess.run(f"{BUILD}/faktotum {command} --server {s.url}", shell=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode != 0
        assert "args/0/amount: -3 stands here, expected at least 0" in done.stdout.decode()
