"""table - medians of the samples, beside their peers and what was promised.

SPDX-License-Identifier: ISC
"""
import statistics

from rig import CONCURRENCY, GO_WORKER, NODE_WORKER, PYTHON_WORKER
from servers import SCHEDULED_ROW, SERVER_ROWS
from workers import (BARE_TARGET, CHILDREN, CHILDREN_PSS_MB, CONNECTIONS_MAX, FIRST_STEP_MORE_MS,
                     GO_TARGET, PSS_TARGET_MB, WAKEUPS_A_SECOND)

PEERS = [("bare loop", BARE_TARGET), ("bare loop, %d at once" % CONCURRENCY, None),
         (GO_WORKER, GO_TARGET), (NODE_WORKER, None), (PYTHON_WORKER, None)]


def compare(row, ours, peer, peer_name, target, smaller_is_better=False):
    ratio = peer / ours if smaller_is_better else ours / peer
    return {"row": row, "ours": ours, "peer": peer, "peer_name": peer_name, "ratio": ratio,
            "target": target, "met": None if target is None else ratio >= target}


def summary(samples):
    """The table's rows, from medians."""
    middle = {row: {who: statistics.median(figures) for who, figures in by.items()}
              for row, by in samples.items()}
    rows = []
    targets = {name: target for name, _, _, target in SERVER_ROWS}
    for row, by in middle.items():
        for peer in ("stock", "beanstalkd"):
            if peer in by:
                rows.append(compare(row + ("" if " ms" in row else ", jobs/s"), by["ours"], by[peer],
                                    peer, targets.get(row) if peer == "stock" else None, " ms" in row))
    programs = middle.get("/bin/true", {})
    for peer, target in PEERS:
        if peer in programs:
            rows.append(compare("/bin/true, jobs/s", programs["ours"], programs[peer], peer, target))
    first = middle.get("to the first instruction, p50 ms")
    if first:
        limit = first["bare loop"] + FIRST_STEP_MORE_MS
        rows.append(dict(compare("PUSH to the first instruction, p50 ms", first["ours"],
                                 first["bare loop"], "from vfork", None, True),
                         target=round(limit, 3), met=first["ours"] <= limit, most=True))
    limits = {"idle, wake-ups a second": WAKEUPS_A_SECOND,
              "%d children, Pss MB" % CHILDREN: CHILDREN_PSS_MB,
              "%d children, connections" % CHILDREN: CONNECTIONS_MAX}
    for row, by in middle.items():
        limit = limits.get(row, PSS_TARGET_MB if row.startswith("idle Pss") else None)
        if limit is not None:
            rows.append({"row": row, "ours": by["ours"], "target": limit, "most": True,
                         "met": by["ours"] <= limit})
    if SCHEDULED_ROW in middle and "stock" not in middle[SCHEDULED_ROW]:
        rows.append({"row": SCHEDULED_ROW, "ours": middle[SCHEDULED_ROW]["ours"], "target": None})
    rows += [{"row": row, "ours": by["ours"], "target": None} for row, by in middle.items()
             if " jobs wait, " in row]
    return rows


def show(rows):
    print("%-38s %10s %10s %-21s %6s  %s" % ("", "ours", "peer", "", "ratio", "target"))
    for r in rows:
        figure = "{:,.0f}".format if "jobs/s" in r["row"] else "{:,.3f}".format
        peer = figure(r["peer"]) if "peer" in r else ""
        ratio = "%.2f" % r["ratio"] if "ratio" in r else ""
        target = ""
        if r["target"] is not None:
            target = "%s %g  %s" % ("<=" if r.get("most") else ">=", r["target"],
                                    "met" if r["met"] else "MISSED")
        print("%-38s %10s %10s %-21s %6s  %s" % (
            r["row"], figure(r["ours"]), peer, r.get("peer_name", ""), ratio, target))
