# supervisor - `faktotum run` at work for a server that it was not born with.
#
# The stock server is the measure; the same promises are then kept against
# ours. A relay between the two tells what was really said.
#
# SPDX-License-Identifier: ISC
import json
import os
import signal
import subprocess
import time

from peers import LONG, Failed, Relay, clean_environment, expect, read, wait_for

HANDLERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "handlers")
BEAT = 15 + LONG  # seconds within which the next heartbeat must have come


class Team:
    """A server, a relay before it and a supervisor behind that."""

    def __init__(self, stage, handler, password=None, guess=None, **settings):
        self.stage = stage
        self.out = stage.path("out")
        self.gate = stage.path("gate")
        self.server = stage.server(password=password)
        self.relay = stage.closes(Relay(self.server.port))
        files = {"record": [self.out], "fail-once": [self.out],
                 "give-up": [self.out], "later": [self.out],
                 "chain": [self.out], "until": [self.out, self.gate]}[handler]
        settings.setdefault("concurrency", 4)
        settings.update(queues=["default"], labels=["interop"], jobs={
            handler: {"exec": [os.path.join(HANDLERS, handler)] + files}})
        if guess or password:
            with open(stage.path("password"), "w") as f:
                f.write((guess or password) + "\n")
            os.chmod(stage.path("password"), 0o600)
            settings["password"] = {"file": stage.path("password")}
        with open(stage.path("faktotum.yaml"), "w") as f:
            json.dump(settings, f)  # JSON is YAML
        self.process = stage.process(
            [stage.faktotum, "run", "-c", stage.path("faktotum.yaml")],
            FAKTORY_URL="tcp://127.0.0.1:%d" % self.relay.port)

    def push(self, jobtype, *args, **options):
        flags = [x for k, v in options.items() for x in ("--" + k, str(v))]
        subprocess.run([self.stage.faktotum, "push", *flags, jobtype, "--args", json.dumps(args)],
                       env=clean_environment(FAKTORY_URL=self.server.url()), check=True,
                       timeout=LONG, stdout=subprocess.DEVNULL)

    def comes_to(self, seconds=LONG, **wanted):
        """Waits until the server counts so many. All at once: a stock server
        moves a job in several steps, and anybody can look between them."""
        now = {}

        def there():
            info = self.server.info()
            now.update(processed=info["total_processed"], failures=info["total_failures"],
                       waiting=info["queues"].get("default", 0), **info["sets"])
            return all(now[name] == count for name, count in wanted.items())

        try:
            wait_for(there, seconds, "the counts")
        except Failed as late:
            raise Failed("%s: %r, expected %r" % (late, now, wanted))

    def lines(self):
        return read(self.out).splitlines()

    def started(self, count):
        wait_for(lambda: len([x for x in self.lines() if x.startswith("start")]) == count,
                 LONG, "%d jobs to start" % count)

    def open_gate(self):
        open(self.gate, "w").close()

    def wid(self):
        """The worker's, once the server knows it."""
        wid = wait_for(self.relay.wid, LONG, "HELLO with a wid")
        wait_for(lambda: self.server.knows(wid), LONG, "the server to know " + wid)
        return wid

    def told(self, state, times=1):
        """Waits until that many beats were answered with the state."""
        answer = '{"state":"%s"}' % state
        wait_for(lambda: len(self.relay.lines("server", answer)) >= times,
                 BEAT, "beat %d to be answered %s" % (times, answer))


def runs_what_faktotum_push_pushes(stage):
    team = Team(stage, "record")
    team.push("record", 1, "two", {"three": [None, True]}, 9007199254740991)
    team.push("record", "grün", retry=3, queue="default")
    team.comes_to(processed=2, failures=0)
    expect(sorted(json.dumps(json.loads(x)["args"]) for x in team.lines()),
           [json.dumps(["grün"]), json.dumps([1, "two", {"three": [None, True]}, 9007199254740991])],
           "args the handler read")


def runs_what_the_go_client_pushes(stage):
    team = Team(stage, "record")
    subprocess.run(stage.libraries["go"] + ["produce", "record", "50"], check=True, timeout=LONG,
                   env=clean_environment(FAKTORY_URL=team.server.url()))
    team.comes_to(processed=50, failures=0, working=0)
    expect(sorted(json.loads(x)["args"][0] for x in team.lines()), list(range(50)),
           "args the handlers read")


def reports_why_a_handler_failed_and_tries_again(stage):
    team = Team(stage, "fail-once")
    team.push("fail-once", retry=2)
    team.comes_to(failures=1, retries=1)
    said = json.loads(team.relay.lines("worker", "FAIL")[0].split(" ", 1)[1])
    expect(said["errtype"], "ExitStatus", "errtype")
    expect(said["message"], "exit 3: no luck the first time", "message")

    # The first retry is due after 15 to 44 s.
    team.comes_to(seconds=44 + LONG, processed=2, retries=0)
    expect(team.lines(), ["attempt 1", "attempt 2"], "attempts")


def buries_what_must_not_run_again(stage):
    team = Team(stage, "give-up")
    for jid in ("never-again-1", "never again 2"):
        team.push("give-up", jid=jid)
    team.comes_to(dead=2, retries=0)
    expect(len(team.lines()), 2, "executions")


def fails_a_jobtype_it_does_not_know(stage):
    team = Team(stage, "record")
    team.push("stranger", retry=2)
    team.comes_to(failures=1)
    said = team.relay.lines("worker", "FAIL")[0]
    for word in ("stranger", team.stage.path("faktotum.yaml")):
        expect(word in said, True, "%s names %s" % (said, word))


def registers_and_beats(stage):
    team = Team(stage, "record")
    wid = team.wid()
    wait_for(lambda: [x for x in team.relay.lines("worker", "BEAT") if wid in x],
             BEAT, "a BEAT of " + wid)
    expect([x for x in team.relay.lines("server", "-")], [], "errors")
    if stage.has_pages:
        page = team.server.page("/busy")
        for word in (wid, "interop", str(team.process.pid)):
            expect(word in page, True, "the Busy page shows %r" % word)


def obeys_quiet(stage):
    team = Team(stage, "record", beat="2s")
    team.server.tell(team.wid(), "quiet")
    team.told("quiet")
    # What the relay has passed on, the supervisor has yet to read; and what
    # it asked before that, the relay.
    wait_for(lambda: "asked by the server" in team.process.said(), LONG, "the log to say quiet")
    team.told("quiet", 3)
    wait_for(team.relay.asks_nothing, LONG, "the last FETCH to be answered")
    asked = len(team.relay.lines("worker", "FETCH"))
    beats = len(team.relay.lines("server", '{"state":"quiet"}'))
    team.push("record")
    team.told("quiet", beats + 2)
    expect(len(team.relay.lines("worker", "FETCH")), asked, "FETCHes")
    expect(team.process.alive(), True, "it is alive")
    expect(team.server.info()["queues"]["default"], 1, "jobs in the queue")


def obeys_terminate(stage):
    team = Team(stage, "until")
    team.push("until")
    team.started(1)
    team.server.tell(team.wid(), "terminate")
    team.told("terminate")
    expect(team.process.alive(), True, "it waits for its job")
    team.open_gate()
    expect(team.process.wait(LONG), 0, "exit status")
    team.comes_to(processed=1, failures=0, working=0)


def knows_the_password(stage):
    team = Team(stage, "record", password="s3cret")
    team.push("record")
    team.comes_to(processed=1)
    expect("s3cret" in team.process.said(), False, "the log tells the password")


def says_that_its_password_is_wrong(stage):
    team = Team(stage, "record", password="s3cret", guess="guess")
    team.push("record")
    wait_for(lambda: "does not accept the password" in team.process.said(), LONG,
             "the log to say so")
    team.comes_to(waiting=1)
    expect("guess" in team.process.said(), False, "the log tells the password")


def outlives_a_restart_of_the_server(stage):
    """What ends while the server is away is reported when it is back."""
    team = Team(stage, "until")
    for _ in range(8):
        team.push("until")
    team.started(4)
    team.server.stop()
    team.open_gate()
    wait_for(lambda: len(team.lines()) == 8, LONG, "4 jobs to end without a server")
    team.server.start()
    team.comes_to(processed=8, failures=0, working=0)
    starts = [x for x in team.lines() if x.startswith("start")]
    expect(len(set(starts)), 8, "different jobs")
    expect(len(starts), 8, "starts")


def talks_TLS(stage):
    """With a password, in both directions of a job's life, to a server whose
    certificate it was told to believe, and to no other."""
    server = stage.server(password="s3cret", tls=True)
    out, config = stage.path("out"), stage.path("faktotum.yaml")
    settings = {"jobs": {"record": {"exec": [os.path.join(HANDLERS, "record"), out]}}}
    with open(config, "w") as f:
        json.dump(settings, f)  # JSON is YAML
    stranger = stage.process([stage.faktotum, "run", "-c", config], FAKTORY_URL=server.url())
    wait_for(lambda: "certificate" in stranger.said(), LONG, "the log to name the certificate")
    stranger.stop()
    settings["tls"] = {"ca": server.cert}
    with open(config, "w") as f:
        json.dump(settings, f)
    stage.process([stage.faktotum, "run", "-c", config], FAKTORY_URL=server.url())
    subprocess.run([stage.faktotum, "push", "record"], check=True, timeout=LONG,
                   env=clean_environment(FAKTORY_URL=server.url(), SSL_CERT_FILE=server.cert),
                   stdout=subprocess.DEVNULL)
    wait_for(lambda: server.info()["total_processed"] == 1, LONG, "the job to be processed")
    info = server.info()
    expect((info["total_failures"], info["sets"]["working"]), (0, 0), "failed, reserved")


def runs_again_what_a_dead_one_held(stage):
    """A supervisor is killed with its job; when the reservation has ended the
    job comes to the next one, and nothing of its first run is alive by then."""
    team = Team(stage, "until", upgrade="off")
    team.push("until", **{"reserve-for": "60s"})
    team.started(1)
    team.process.kill()
    team.open_gate()
    time.sleep(1)  # not for something to happen, but for nothing to
    expect(len(team.lines()), 1, "events after the kill")
    stage.process([stage.faktotum, "run", "-c", stage.path("faktotum.yaml")],
                  FAKTORY_URL=team.server.url())

    def over():
        # A stock server takes an expired reservation for a failure.
        if team.server.info()["sets"]["retries"]:
            with team.server.wire() as wire:
                wire("MUTATE", {"cmd": "requeue", "target": "retries"})
        return len(team.lines()) == 3 and not team.server.info()["sets"]["working"]

    # A minute of reservation, and a stock server looks every quarter of one.
    wait_for(over, 80 + 2 * LONG, "the job to run again")
    expect([x.split()[0] for x in team.lines()], ["start", "start", "end"], "events")


def drains_on_SIGTERM(stage):
    team = Team(stage, "until", concurrency=1)
    team.push("until")
    team.push("until")
    team.started(1)
    team.process.signal(signal.SIGTERM)
    time.sleep(1)  # not for something to happen, but for nothing to
    expect(team.process.alive(), True, "it waits for its job")
    expect(len(team.lines()), 1, "events")
    team.open_gate()
    expect(team.process.wait(LONG), 0, "exit status")
    expect([x.split()[0] for x in team.lines()], ["start", "end"], "events")
    team.comes_to(processed=1, failures=0, working=0, waiting=1)


def gives_back_what_it_interrupts(stage):
    """A job that a failure would delete survives the supervisor's end, under
    its jid; ours takes it back, a stock server gets a copy."""
    # With its one slot taken it has no FETCH on its way that could get the copy.
    team = Team(stage, "until", concurrency=1,
                shutdown={"grace": "1s"}, defaults={"grace": "1s"})
    team.push("until", jid="ephemeral-1", retry=0)
    team.started(1)
    team.process.signal(signal.SIGTERM)
    expect(team.process.wait(LONG), 0, "exit status")
    stock = not team.relay.lines("worker", "RELEASE")
    expect(stock, stage.has_pages, "a copy was pushed, nothing released")
    team.comes_to(failures=0, retries=0, working=0, waiting=1)
    team.open_gate()
    team.process = stage.process(team.process.child.args,
                                 FAKTORY_URL="tcp://127.0.0.1:%d" % team.relay.port)
    team.comes_to(processed=2 if stock else 1, working=0)
    expect(team.lines(), ["start ephemeral-1"] * 2 + ["end ephemeral-1"], "events")


def pushes_what_a_job_asks_for(stage):
    """A follow-up job is stored before the ACK and runs under the jid that was
    made for it."""
    team = Team(stage, "chain")
    team.push("chain", "first", jid="first-of-two")
    team.comes_to(processed=2, failures=0, working=0)
    expect(team.lines(), ["first-of-two", read(team.out + ".next").strip()], "jids")


def keeps_a_delay_of_its_own(stage):
    """A job that asks for a time of its own gets it, and its second attempt
    is counted as such, where a stock server keeps it among the scheduled."""
    team = Team(stage, "later", emulate_retry_in=True, defaults={"later": "1s"})
    team.push("later", retry=3)
    wait_for(lambda: len(team.lines()) == 2, LONG, "the second attempt")
    expect(team.lines(), ["attempt 1", "attempt 2"], "attempts")
    team.comes_to(processed=2, failures=0 if stage.has_pages else 1)


TESTS = [
    runs_again_what_a_dead_one_held,
    reports_why_a_handler_failed_and_tries_again,
    obeys_quiet,
    obeys_terminate,
    outlives_a_restart_of_the_server,
    runs_what_faktotum_push_pushes,
    runs_what_the_go_client_pushes,
    buries_what_must_not_run_again,
    fails_a_jobtype_it_does_not_know,
    registers_and_beats,
    knows_the_password,
    says_that_its_password_is_wrong,
    talks_TLS,
    drains_on_SIGTERM,
    gives_back_what_it_interrupts,
    pushes_what_a_job_asks_for,
    keeps_a_delay_of_its_own,
]
