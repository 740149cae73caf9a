"""argv from templates: one element each, whatever the data, or BadArgument.

SPDX-License-Identifier: ISC
"""
import pytest

from support.waiting import wait_for


def arguments(bench, *templates, args=(), handler=None, **fields):
    """The argv that the program saw, without its own name."""
    out = bench.scratch / "argv"
    program = bench.script("h", f'for a; do printf "%s\\0" "$a"; done >{out}; cat >/dev/null')
    bench.run({"t": dict(handler or {}, exec=[program, *templates])})
    bench.acked(bench.push("t", *args, **fields))
    text = out.read_bytes().decode()
    return text.split("\0")[:-1]


def refused(bench, *templates, args=(), handler=None, **fields):
    """The message of BadArgument; fails if the program ran."""
    ran = bench.scratch / "ran"
    program = bench.script("h", f"touch {ran}")
    bench.run({"t": dict(handler or {}, exec=[program, *templates])})
    fail = bench.failed(bench.push("t", *args, **fields))
    assert fail["errtype"] == "BadArgument"
    assert not ran.exists()
    return fail["message"]


def test_values_of_every_kind(bench):
    """Strings as bytes, numbers as their token, the rest as compact JSON."""
    assert arguments(bench, "--", "{args.0}", "{args.1}", "{args.2}", "{args.3}", "{args.4}",
        "{jobtype}/{queue}/{attempt}", "{args.9?none}", "{{literal}}", "{custom.a.b}",
        args=["a b'\"$(x)`", 12345678901234567890, True, {"b": [1, 2]}, "é\n"],
        custom={"a": {"b": "deep"}}) == \
        ["--", "a b'\"$(x)`", "12345678901234567890", "true", '{"b":[1,2]}', "é\n",
        "t/default/1", "none", "{literal}", "deep"]


def test_spread(bench):
    """{args...} spreads scalars, one element each; an empty array gives none."""
    assert arguments(bench, "--", "{args.0...}", "end", args=[["a", 1, "b c", False]]) == \
        ["--", "a", "1", "b c", "false", "end"]


def test_spread_of_nothing(bench):
    """An empty array gives no element at all."""
    assert arguments(bench, "--", "{args...}", "end", args=[]) == ["--", "end"]


def test_empty_string_is_an_element(bench):
    """An empty value is an empty argument, not a missing one."""
    assert arguments(bench, "{args.0}", "x", args=[""]) == ["", "x"]


@pytest.mark.parametrize("template, args, word", [
    ("{args.0.id}", [], "missing"),
    ("{args.0.id}", [{}], "missing"),
    ("{args.0.id}", [{"id": None}], "args.0.id"),
    ("{args.0}", ["a\0b"], "NUL"),
    ("{args.0}", ["x" * 131072], "131071"),
    ("{args.0...}", [{"a": 1}], "args.0"),
    ("{args.0...}", [[[1]]], "scalars"),
    ("{args.0}", ["-rf"], "-"),
    ("{args.0}", ["--help"], "-"),
    ("{args...}", ["a", "-x"], "-"),
])
def test_refused(bench, template, args, word):
    """Missing, null, NUL, too long, not spreadable, or an option smuggled in:
    the program is not started, the message names the place, not the value."""
    message = refused(bench, template, args=args)
    assert word in message
    assert "x" * 100 not in message


@pytest.mark.parametrize("templates, args, want", [
    (["--", "{args.0}"], ["-rf"], ["--", "-rf"]),
    (["--name={args.0}"], ["-rf"], ["--name=-rf"]),
])
def test_dash_is_harmless_behind_a_guard(bench, templates, args, want):
    """After a literal -- or a literal prefix a value may begin with a dash."""
    assert arguments(bench, *templates, args=args) == want


def test_allow_dash(bench):
    """allow_dash: the operator knows what they do."""
    assert arguments(bench, "{args.0}", args=["-v"], handler={"allow_dash": True}) == ["-v"]


def test_total_size_is_limited(bench):
    """More than the kernel takes in all: a clear error with the limit;
    webhook's users met E2BIG."""
    message = refused(bench, "--", "{args.0...}", args=[["x" * 100_000] * 60])
    assert "all arguments together are longer than" in message
    assert "`input` gives a program as much as there is" in message


def test_what_does_not_fit_is_dead(bench):
    """The same data would not fit the next time either: no retry is spent on
    it, unless the operator says so, who may be about to mend the template."""
    bench.run({"t": {"exec": ["/bin/true", "{args.0}"]},
        "again": {"exec": ["/bin/true", "{args.0}"], "bad_argument": "retry"}})
    assert bench.failed(bench.push("t", "a\0b"))["retry"] == -1
    wait_for("it to be dead", lambda: bench.client.sets()["dead"] == 1)
    assert "retry" not in bench.failed(bench.push("again", "a\0b"))
    wait_for("its retry", lambda: bench.client.sets()["retries"] == 1)


def test_shell_gets_data_as_arguments_only(bench):
    """shell: a fixed text; data arrives as "$1" and is never read as code."""
    out = bench.scratch / "seen"
    bench.run({"t": {"shell": f'printf "%s|" "$0" "$@" >{out}',
        "args": ["{args.0}", "{args.1}"]}})
    bench.acked(bench.push("t", "$(touch /tmp/never); `id`", "'\" ;&|"))
    assert out.read_text() == "t|$(touch /tmp/never); `id`|'\" ;&||"


def test_template_in_a_shell_text_is_refused(bench):
    """{args.0} within the text would be injection: exit 78 at load."""
    s = bench.start_supervisor(bench.tap.url, {"jobs": {"t": {"shell": "echo {args.0}"}}})
    assert s.wait() == 78
    assert "shell" in s.output()


def test_template_in_the_program_is_refused(bench):
    """A job never chooses the program: exit 78 at load."""
    s = bench.start_supervisor(bench.tap.url, {"jobs": {"t": {"exec": ["/opt/{args.0}"]}}})
    assert s.wait() == 78
    assert "exec" in s.output()


def test_wrapper_runs_the_program(bench):
    """`wrap` puts a program in front; what it starts gets the job's arguments
    and stdin, and its exit status is the job's."""
    out = bench.scratch / "seen"
    program = bench.script("h", f'{{ nice; cat; echo "$2"; }} >{out}; exit 9')
    bench.run({"t": {"exec": [program, "--", "{args.0}"], "wrap": ["/usr/bin/nice", "-n", "7"],
        "input": "args"}})
    fail = bench.failed(bench.push("t", "a word"))
    assert fail["message"] == "exit 9"
    niceness, stdin, argument = out.read_text().splitlines()
    assert int(niceness) >= 7
    assert (stdin, argument) == ('["a word"]', "a word")


def test_wrapper_does_not_disarm_the_guard(bench):
    """A "--" of the wrapper's own arguments does not let a job's value be an
    option of the program behind it."""
    message = refused(bench, "{args.0}", args=["-rf"],
        handler={"wrap": ["/usr/bin/env", "--"]})
    assert "option" in message
