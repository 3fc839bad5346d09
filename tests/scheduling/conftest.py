"""A clock for the bookings: Tuesday 24 November 2026, 1:56 pm in Toronto."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine

NOW = datetime(2026, 11, 24, 18, 56, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock(request: pytest.FixtureRequest) -> Iterator[None]:
    """Time stands still, but where threads wait for each other."""
    if "transactional_db" in request.fixturenames:
        yield
        return
    with time_machine.travel(NOW, tick=False):
        yield
