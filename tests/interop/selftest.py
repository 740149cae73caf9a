# selftest - the tests of this rig, each with something broken, must fail and
# say why. They are rows beside the others, and wait where those wait.
#
# SPDX-License-Identifier: ISC
import os
import re
import subprocess
import sys

import clients
import moving
import supervisor
from broken import spoil
from peers import LONG, Failed, OurServer, StockServer, expect

HERE = os.path.dirname(os.path.abspath(__file__))

# case, mistake, what must be said, libraries whose case would wait for it
CLIENTS = [
    ("push", "forgets a push", r"expected:? 1|!== 1|default", ()),
    ("fetch and ack", "changes an argument", r"3\.5", ()),
    ("fetch and ack", "keeps what was acknowledged", r"1, expected 0|1 !== 0|\[0, 1\]",
     ("python", "rust")),
    ("fetch and ack", "gives a job twice", r"an empty queue gave|expected: null",
     ("python", "ruby", "rust")),
    ("fail", "ignores FAIL", r"0, expected 1|0 !== 1|\[0, 1, 0\]", ("python", "rust")),
    ("wrong password", "lets anybody in", r"was accepted|Missing expected rejection", ()),
    ("unknown certificate", "believes any certificate",
     r"was accepted|Missing expected rejection", ("python",)),
]
OBEDIENT = ("go", "node", "python")

SUPERVISOR = [
    (supervisor.runs_what_faktotum_push_pushes, "forgets a push",
     r"'processed': 0.*expected \{'processed': 2"),
    (supervisor.runs_what_faktotum_push_pushes, "keeps what was acknowledged",
     r"'processed': 0.*expected \{'processed': 2"),
    (supervisor.runs_what_faktotum_push_pushes, "gives a job twice", r"args the handler read"),
    (supervisor.buries_what_must_not_run_again, "ignores FAIL",
     r"'dead': 0.*expected \{'dead': 2"),
    (supervisor.says_that_its_password_is_wrong, "lets anybody in",
     r"waiting for the log to say so"),
    (supervisor.pushes_what_a_job_asks_for, "forgets what a job asks for",
     r"'processed': [01].*expected \{'processed': 2"),
    (supervisor.gives_back_what_it_interrupts, "forgets a release",
     r"'working': 1.*expected.*'working': 0"),
    (supervisor.obeys_quiet, "is deaf to quiet", r"waiting for the log to say quiet"),
    (supervisor.obeys_quiet, "fetches when quiet", r"FETCHes: \d+, expected|the last FETCH"),
]
ON_STOCK = {"keeps what was acknowledged"}

MOVING = [
    ("forgets one job of many", r"queues there: .*'default': 299"),
    ("loses a job in the import", r"what INFO counts.*'default': 299"),
    ("changes a job in the import", r"args of moving-queued-007"),
]


def demands(test, mistake, must_say):
    """A test that passes when `test` fails of that mistake."""
    def fails(stage, *arguments):
        spoil(stage, mistake)
        try:
            test(stage, *arguments)
        except Failed as failure:
            if not re.search(must_say, str(failure), re.S):
                raise Failed("it failed without saying %r: %s" % (must_say, failure))
        else:
            raise Failed("it passed, and nobody noticed the mistake: " + mistake)
    return fails


def ends_with_status_1(stage, only, mistake, said):
    """The whole rig, as it is called: its status and its last line."""
    argv = [sys.executable, os.path.join(HERE, "run"), "--build-dir", os.path.dirname(stage.ours),
            "--only", only, "--broken", mistake]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=4 * LONG)
    expect((done.returncode, done.stdout.splitlines()[-1:]), (1, [said]),
           "status and sums, after:\n%s%s" % (done.stdout, done.stderr))


def rows():
    for case, mistake, must_say, slow in CLIENTS:
        for library in clients.LIBRARIES:
            if library not in slow and (library, case) not in clients.LACKS:
                yield ("self-test: %s: %s, and the peer %s" % (library, case, mistake),
                       demands(clients.TESTS[case], mistake, must_say), OurServer, [library], {library})
    for library in OBEDIENT:
        yield ("self-test: %s: quiet and terminate, and it is deaf" % library,
               demands(clients.obey, "is deaf to quiet", "waiting for the worker to hear quiet"),
               OurServer, [library], {library})
    for test, mistake, must_say in SUPERVISOR:
        for kind in (OurServer, StockServer) if mistake in ON_STOCK else (OurServer,):
            yield ("self-test: supervisor on %s: %s, and one %s" % (
                       kind.name, test.__name__.replace("_", " "), mistake),
                   demands(test, mistake, must_say), kind, [], {kind.needs} - {None})
    for mistake, must_say in MOVING:
        yield ("self-test: import from stock, and one %s" % mistake,
               demands(moving.moves_every_job, mistake, must_say), StockServer, [], {"stock"})
    said = "0 passed, 1 failed, 0 skipped"
    yield ("self-test: status 1 for one failure", ends_with_status_1, OurServer,
           ["supervisor on faktotum-server: buries", "ignores FAIL", said], set())
    yield ("self-test: status 1 when nothing was run", ends_with_status_1, OurServer,
           ["no such test", "ignores FAIL", said], set())
