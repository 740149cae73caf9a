"""trend - whether a series of samples grows, told by a slope that outliers do
not move.

Theil and Sen: the median of the slopes between all pairs of samples. Only the
second half counts, since programs warm up.

SPDX-License-Identifier: ISC
"""
import statistics

PAIRS = 400  # samples at most; their pairs are all looked at


def slope(times, values):
    """Growth a second; 0 for too few samples."""
    step = max(1, len(times) // PAIRS)
    points = list(zip(times, values))[::step]
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for i, a in enumerate(points)
        for b in points[i + 1:] if b[0] > a[0]]
    return statistics.median(slopes) if slopes else 0.0


class Trend:
    """Of the second half of a series: what it grew by, and what it may."""

    def __init__(self, times, values, least, share=0.05):
        """least: growth, in the series' unit, below which nothing is said;
        share: likewise, of its median."""
        half = len(times) // 2
        times, values = times[half:], values[half:]
        self.middle = statistics.median(values) if values else 0
        self.grew = slope(times, values) * (times[-1] - times[0]) if len(times) > 1 else 0.0
        self.allowed = max(least, share * abs(self.middle))
        self.enough = len(times) >= 20

    def grows(self):
        return self.grew > self.allowed
