#!/usr/bin/python3
"""process-payment LEDGER - charge an order, once, through a shaky gateway.

Stdin is the whole job. The gateway of this example is down for the first two
attempts: an exit status other than 0 makes the server try again. An order
that is already in the ledger is not charged again.

SPDX-License-Identifier: ISC
"""
import json
import os
import sys

job = json.load(sys.stdin)
[order] = job["args"]
attempt = int(os.environ["FAKTORY_ATTEMPT"])
if attempt <= 2:
    sys.exit(f"gateway: 503 service unavailable (attempt {attempt})")

with open(sys.argv[1], "a+", encoding="utf-8") as ledger:
    ledger.seek(0)
    if any(line.split()[0] == order["id"] for line in ledger):
        print(f"{order['id']} is already paid")
    else:
        ledger.write(f"{order['id']} {order['cents']}\n")
        print(f"{order['id']} paid in attempt {attempt}")
