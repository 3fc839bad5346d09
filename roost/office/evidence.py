"""Prospects and clients as they are compared."""

from dataclasses import fields

from roost.clients.matching import Facts
from roost.clients.models import Client, Prospect


def facts_of(row: Prospect | Client) -> Facts:
    """What tells a person apart, on either side."""
    return Facts(**{field.name: getattr(row, field.name) for field in fields(Facts)})


def is_proven(prospect: Prospect) -> bool:
    """Whether the prospect's address is known to be theirs. What staff say proves no mailbox."""
    return prospect.account is not None and prospect.account.mailbox_proven_at is not None
