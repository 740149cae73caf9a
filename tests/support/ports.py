"""ports - one that nobody else gets, for a program that listens later or again.

SPDX-License-Identifier: ISC
"""
import socket

held = []  # bound, and never listening


def free_port():
    """A port of 127.0.0.1 that is ours until this process ends. Who asks the kernel
    for any port, to listen or to connect, does not get it; a program that asks for
    this one and sets SO_REUSEADDR does. Until then connections are refused."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", 0))
    held.append(s)
    return s.getsockname()[1]
