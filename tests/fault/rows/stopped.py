"""stopped - clocks that are set, and programs that the scheduler leaves out.

SPDX-License-Identifier: ISC
"""
import signal
import time

from fault.rows import row
from support.shim import Shim

HOUR = 3600
BEAT_LIMIT = 60  # seconds of silence after which the server forgets a worker


def settings_of_clocks(new, who):
    """Both ways by an hour on one of the programs, under load."""
    scene = new.scene()
    own = new.also_close(Shim(scene.scratch, name="supervisor"))
    scene.supervise(env=own.env)
    scene.produce()
    scene.more(20)
    shim = {"server": scene.shim, "supervisor": own}[who]
    for hours in (1, -1, -1, 1):
        shim.step(hours * HOUR)
        scene.more(30, f"work to go on with the clock of the {who} {hours:+d} h")
    wrong = [] if shim.get("clocks_asked") else ["nobody read the clock"]
    return scene, shim, wrong


@row("clock-server", "nothing lost, nothing twice; no reservation ends by it")
def clock_server(new):
    scene, shim, wrong = settings_of_clocks(new, "server")
    # A job that is due in half an hour is due at once when an hour is skipped.
    due = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + HOUR / 2))
    for p in scene.producers:
        p.stop()
    with scene.server.client() as c:
        job = c.push(jobtype="work", at=due, reserve_for=60)
    scene.producers[0].acknowledged.append(job["jid"])
    scene.producers[0].pushed += 1
    assert not scene.record.executions()[job["jid"]]
    shim.step(HOUR)
    scene.wait("a scheduled job to be due by the new clock",
        lambda: scene.record.executions()[job["jid"]], 30)
    return scene.finish("by an hour ahead, back, behind, back; a scheduled job ran when the "
        "clock had passed it", wrong)


@row("clock-supervisor", "nothing lost, nothing twice; no deadline moves")
def clock_supervisor(new):
    scene, _, wrong = settings_of_clocks(new, "supervisor")
    if "Timeout" in scene.supervisor.output():
        wrong.append("a deadline moved with the wall clock")
    return scene.finish("by an hour ahead, back, behind, back", wrong)


def stop_supervisor(new, pass_time):
    """Jobs of half an hour's reservation run on while their supervisor stands
    still; it is forgotten, and then tells how they have ended."""
    scene = new.scene(reserve_for=1800)
    scene.supervise(text="{record}; sleep 0.5")
    scene.produce()
    scene.more(20)
    pid = scene.supervisor.pid
    scene.supervisor.signal(signal.SIGSTOP)
    scene.wait("the supervisor to stand", lambda: open(f"/proc/{pid}/stat", encoding="utf8")
        .read().rsplit(")", 1)[1].split()[0] == "T")
    # Nobody works off what is pushed meanwhile: a few jobs are enough.
    for p in scene.producers:
        p.pause.set()
    if pass_time:
        # In steps, so that nothing happens at once that would not.
        for _ in range(7):
            scene.shim.pass_time(10)
            with scene.server.client() as c:
                c.info()
    else:
        scene.last(BEAT_LIMIT + 10)
    scene.wait("the server to forget it", lambda: "was silent for" in scene.server.program.output(),
        30)
    scene.supervisor.signal(signal.SIGCONT)
    for p in scene.producers:
        p.pause.clear()
    scene.more(40, "work to go on")
    return scene.finish("70 s" + (" of the server's time" if pass_time else ""))


@row("stop-supervisor", "nothing lost, nothing twice")
def stop_supervisor_short(new):
    return stop_supervisor(new, True)


@row("stop-supervisor-70s", "nothing lost, nothing twice", long=True)
def stop_supervisor_long(new):
    return stop_supervisor(new, False)


@row("stop-server", "nothing lost, nothing twice")
def stop_server(new):
    """For 12 s: longer than anybody waits for an answer."""
    scene = new.under_load()
    scene.server.program.signal(signal.SIGSTOP)
    scene.last(12)
    scene.server.program.signal(signal.SIGCONT)
    scene.more(40, "work to go on", 120)
    said = "no answer within" in scene.supervisor.output()
    return scene.finish("12 s", [] if said else ["the supervisor noticed nothing"])
