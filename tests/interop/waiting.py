# SPDX-License-Identifier: MIT
"""Waiting for what others do: asked again and again, up to a limit that only a failure reaches."""
import socket
import time


def wait_for(condition, what, seconds=45):
    """The first true answer of `condition`."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain: {what()  if callable(what) else what}")
        time.sleep(0.05)


def is_listening(address, port):
    """Does somebody accept streams there?"""
    try:
        socket.create_connection((address, port), timeout=1).close()
        return True
    except OSError:
        return False
