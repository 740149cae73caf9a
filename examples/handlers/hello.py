#!/usr/bin/python3
"""hello - greets its first argument.

SPDX-License-Identifier: ISC
"""
import json
import sys

args = json.load(sys.stdin)
if len(args) != 1:
    print("one name is expected", file=sys.stderr)
    sys.exit(65)  # no retry will mend it
print(f"hello, {args[0]}")
