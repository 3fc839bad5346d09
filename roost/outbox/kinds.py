"""The kinds of mail there are, and how each gets its text.

A domain registers its kinds when it is loaded. A kind's template is plain text whose first line is
the subject. It is filled in at the moment of delivery, so that a link's token is derived then and
stands in no row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string

from roost.outbox.models import OutgoingMessage

Filling = Callable[[OutgoingMessage], dict[str, Any] | None]


@dataclass(frozen=True)
class Kind:
    """A kind of mail: its name for people, its template, and what fills the template in."""

    label: str
    template: str
    filling: Filling


_kinds: dict[str, Kind] = {}


class Outdated(Exception):
    """A message has lost its reason: its link was used, replaced or taken back."""


def register(name: str, *, label: str, template: str, filling: Filling = lambda m: {}) -> None:
    """Make a kind of mail known. `filling` may raise Outdated."""
    _kinds[name] = Kind(label, template, filling)


def label_of(name: str) -> str:
    """What people call this kind of mail."""
    return _kinds[name].label if name in _kinds else name


def compose(message: OutgoingMessage) -> tuple[str, str]:
    """Subject and text of a message, made now. Raises Outdated if it has lost its reason."""
    kind = _kinds[message.kind]
    context = {"practice": message.practice, **message.arguments, **(kind.filling(message) or {})}
    subject, _, text = render_to_string(kind.template, context).lstrip().partition("\n")
    return subject.strip(), text.strip() + "\n"
