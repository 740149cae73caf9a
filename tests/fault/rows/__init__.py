"""rows - every fault of the rig, by name.

A row is a function that is given a New, which makes its scene, and returns an
Outcome. row() says what was promised; `long` rows run by `make fault` alone,
not in CI.

SPDX-License-Identifier: ISC
"""
import importlib

TABLE = {}  # name -> Row, in the order of the files
MODULES = ("network", "stopped", "disk", "resources")


class Row:
    def __init__(self, name, promise, function, long):
        self.name, self.promise, self.function, self.long = name, promise, function, long


class Skip(Exception):
    """This machine cannot do it; the text says why."""


def row(name, promise, long=False):
    def keep(function):
        assert name not in TABLE, name
        TABLE[name] = Row(name, promise, function, long)
        return function
    return keep


def load():
    for module in MODULES:
        importlib.import_module(f"fault.rows.{module}")
    return TABLE
