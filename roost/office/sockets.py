"""The sockets behind the office door."""

from typing import Any

routes: list[Any] = []
