"""Telling what was done on the next page, with a button that takes it back."""

import json
from typing import Any

from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest

_MARK = "way-back "


def flash_with_way_back(
    request: HttpRequest, words: str, *, path: str, fields: list[tuple[str, str]], label: str
) -> None:
    """Say `words` on the next page, beside a button `label` that posts `fields` to `path`, which
    is a path of Roost's own."""
    way_back = json.dumps({"path": path, "fields": fields, "label": label})
    messages.success(request, words, extra_tags=_MARK + way_back)


def way_back_of(message: Message) -> dict[str, Any] | None:
    """The button beside a message: `path`, `fields`, `label`; None where there is none."""
    tags = message.extra_tags or ""
    if not tags.startswith(_MARK):
        return None
    way_back: dict[str, Any] = json.loads(tags.removeprefix(_MARK))
    return way_back
