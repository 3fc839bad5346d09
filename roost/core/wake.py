"""Waking the worker that lives in this process; another process finds its work by looking."""

import threading

_work = threading.Event()


def worker() -> None:
    """Say that there is work."""
    _work.set()


def wait(seconds: float) -> None:
    """Sleep until woken, at most `seconds`."""
    _work.wait(seconds)
    _work.clear()
