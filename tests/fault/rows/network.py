"""network - a proxy in the path, between supervisor and server and between
producers and server. Whatever it does: nothing is lost, nothing runs twice, and
what an answer that never arrived had reserved is back as soon as the worker is.

SPDX-License-Identifier: ISC
"""
from fault.rows import row

PROMISE = "nothing lost, nothing twice, nothing late"


def did(scene, *words):
    """What both proxies did; it must have happened on both ways."""
    text, wrong = [], []
    for name, proxy in (("producers", scene.front), ("supervisor", scene.back)):
        for word in words:
            text.append(f"{name}: {proxy.did[word]} {word}")
            if not proxy.did[word]:
                wrong.append(f"nothing was {word} on the way of {name}")
    return ", ".join(text), wrong


def finish(scene, *how):
    return scene.finish(*how, at_once=True)


def heal(scene):
    scene.front.heal()
    scene.back.heal()


@row("delay", PROMISE)
def delay(new):
    scene = new.under_load()
    for proxy in (scene.front, scene.back):
        proxy.delay = (0, 0.3)
    scene.more(100)
    happened, wrong = did(scene, "delayed")
    heal(scene)
    return finish(scene, happened, wrong)


@row("cut-reply", PROMISE)
def cut_reply(new):
    """Replies that end in the middle, those with a job in them too."""
    scene = new.under_load()
    scene.front.cut_replies, scene.back.cut_replies = 0.1, 0.08
    scene.wait("replies to be cut", lambda: scene.back.did["replies cut"] >= 12
        and scene.front.did["replies cut"] >= 12, 120)
    happened, wrong = did(scene, "replies cut")
    heal(scene)
    return finish(scene, happened, wrong)


@row("drop-ack-reply", PROMISE)
def drop_ack_reply(new):
    """What settles a job arrives, and its answer does not: told again, it is
    not done again."""
    scene = new.under_load()
    scene.back.drop_replies = (0.2, (b"ACK", b"FAIL"))
    scene.wait("replies to be dropped", lambda: scene.back.did["replies dropped"] >= 12, 120)
    scene.back.heal()
    return finish(scene, f"{scene.back.did['replies dropped']} answers to ACK dropped")


@row("cut-request", PROMISE)
def cut_request(new):
    scene = new.under_load()
    scene.front.cut_requests, scene.back.cut_requests = 0.1, 0.05
    scene.wait("requests to be cut", lambda: scene.back.did["requests cut"] >= 12
        and scene.front.did["requests cut"] >= 12, 120)
    happened, wrong = did(scene, "requests cut")
    heal(scene)
    return finish(scene, happened, wrong)


@row("half-open", PROMISE)
def half_open(new):
    """Connections over which nothing passes, without a FIN: given up after
    10 s without an answer, and others are opened."""
    scene = new.under_load()
    halved = scene.back.halve(), scene.front.halve()
    scene.more(40, "work to go on over new connections", 120)
    happened, wrong = did(scene, "withheld")
    scene.front.unhalve()
    scene.back.unhalve()
    if min(halved) < 2:
        wrong.append(f"only {halved} connections were there")
    return finish(scene, f"{halved[1]} and {halved[0]} connections; {happened}", wrong)


@row("throttle", PROMISE)
def throttle(new):
    """A byte a write, both ways."""
    scene = new.under_load()
    for proxy in (scene.front, scene.back):
        proxy.chunk = 1
    scene.more(60)
    happened, wrong = did(scene, "in pieces")
    heal(scene)
    return finish(scene, happened, wrong)


@row("stall", PROMISE)
def stall(new):
    """Nothing passes for 5 s, then everything that was held back."""
    scene = new.under_load()
    scene.front.stall()
    scene.back.stall()
    scene.last(5)
    scene.front.resume()
    scene.back.resume()
    scene.more(40)
    return finish(scene, "5 s of silence on both ways")


@row("cut-all", PROMISE)
def cut_all(new):
    """Every connection at once, again and again, while jobs run."""
    scene = new.under_load()
    for _ in range(5):
        scene.front.cut_all()
        scene.back.cut_all()
        scene.more_runs(15)
    return finish(scene, "all connections cut, 5 times")
