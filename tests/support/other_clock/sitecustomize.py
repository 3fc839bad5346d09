"""Read by Python itself as it starts, where this folder is on its path: its clock is ahead by
as many minutes as stand in the file that TESTS_CLOCK names, whenever that changes."""

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine


def _minutes(file: Path) -> float:
    try:
        return float(file.read_text())
    except (OSError, ValueError):
        return 0


def _follow(file: Path) -> None:
    ahead = 0.0
    traveller = None
    while True:
        wanted = _minutes(file)
        if wanted != ahead:
            if traveller is not None:
                traveller.stop()
            traveller = time_machine.travel(datetime.now(UTC) + timedelta(minutes=wanted))
            traveller.start()
            ahead = wanted
        time.sleep(0.02)


if name := os.environ.get("TESTS_CLOCK"):
    threading.Thread(target=_follow, args=(Path(name),), daemon=True).start()
