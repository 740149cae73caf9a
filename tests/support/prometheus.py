"""prometheus - reads text 0.0.4 and forgives nothing.

SPDX-License-Identifier: ISC
"""
import re

LINE = re.compile(r'([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? (\S+)\Z')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"(?:,|\Z)')
PARTS = ("_bucket", "_sum", "_count")


def read_labels(text):
    labels, at = [], 0
    while at < len(text):
        m = LABEL.match(text, at)
        assert m, text
        value = re.sub(r'\\(.)', lambda e: "\n" if e[1] == "n" else e[1], m[2])
        labels.append((m[1], value))
        at = m.end()
    assert len(dict(labels)) == len(labels), text
    return tuple(sorted(labels))


class Scrape:
    """kinds: name to type; value("name", label=...): one sample."""

    def __init__(self, text):
        assert text.endswith("\n")
        self.kinds, self.samples, helped, current = {}, {}, set(), None
        for line in text[:-1].split("\n"):
            if line.startswith("# HELP "):
                current = line.split(" ")[2]
                assert current not in helped and line.split(" ", 3)[3], line
                helped.add(current)
            elif line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                assert name == current and name not in self.kinds, line
                assert kind in ("counter", "gauge", "histogram"), line
                self.kinds[name] = kind
            else:
                self.add(line, current)
        for name, kind in self.kinds.items():
            assert (kind == "counter") == name.endswith("_total"), name
            if kind == "histogram":
                self.check_histogram(name)

    def add(self, line, family):
        m = LINE.match(line)
        assert m, line
        name, labels, value = m[1], read_labels(m[2] or ""), float(m[3])
        kind = self.kinds[family]
        assert name == family or kind == "histogram" and \
            name in [family + p for p in PARTS], line
        assert (name, labels) not in self.samples, line
        assert value >= 0, line
        self.samples[name, labels] = value

    def check_histogram(self, name):
        groups = {}
        for (sample, labels), value in self.samples.items():
            if sample == name + "_bucket":
                rest = tuple(pair for pair in labels if pair[0] != "le")
                groups.setdefault(rest, []).append((float(dict(labels)["le"]), value))
        assert groups, name
        for rest, buckets in groups.items():
            bounds, values = zip(*buckets)
            assert list(bounds) == sorted(set(bounds)), (name, rest)
            assert list(values) == sorted(values), (name, rest)
            assert bounds[-1] == float("inf")
            assert values[-1] == self.samples[name + "_count", rest]
            assert (name + "_sum", rest) in self.samples

    def value(self, name, **labels):
        return self.samples[name, tuple(sorted(labels.items()))]

    def names(self):
        """All that a query may name."""
        more = {n + p for n, k in self.kinds.items() if k == "histogram" for p in PARTS}
        return set(self.kinds) | more
