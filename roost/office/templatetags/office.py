"""What only office pages say."""

from django import template

from roost.audit.models import AuditEvent
from roost.outbox.kinds import label_of
from roost.outbox.models import OutgoingMessage
from roost.outbox.troubles import say_trouble

register = template.Library()


@register.filter
def kind_label(kind: str) -> str:
    """What people call a kind of mail."""
    return label_of(kind)


@register.filter
def trouble_words(message: OutgoingMessage) -> str:
    """Why a message has not arrived and the next step; nothing for one that met no trouble."""
    return say_trouble(message)


@register.filter
def short_url(url: str) -> str:
    """An address as one reads it out or types it: without its scheme and last slash."""
    return url.partition("://")[2].rstrip("/") or url


@register.filter
def changed_words(event: AuditEvent) -> str:
    """The fields that a `client.changed` event names: "preferred name, phone"."""
    fields: list[str] = event.details.get("fields", [])
    return ", ".join("e-mail" if name == "email" else name.replace("_", " ") for name in fields)
