"""The sockets behind the portal door."""

from typing import Any

routes: list[Any] = []
