"""disk - a small file system that is full.

SPDX-License-Identifier: ISC
"""
import errno


def fill(place):
    """Writes the file `ballast` until nothing more fits."""
    with open(place / "ballast", "wb", buffering=0) as f:
        try:
            while True:
                f.write(b"x" * 4096)
        except OSError as e:
            assert e.errno == errno.ENOSPC
