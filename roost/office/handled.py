"""What became of a prospect that somebody else has dealt with, in words."""

from dataclasses import dataclass

from roost.clients.enums import ProspectState
from roost.clients.models import Client, Prospect
from roost.core.time import now, say_span
from roost.staff.models import StaffMember


@dataclass(frozen=True)
class Handled:
    """One prospect, the words for what became of it, and the client it is linked with."""

    prospect: Prospect
    words: str
    client: Client | None


def what_became_of(prospect: Prospect, reader: StaffMember) -> Handled:
    """Who did what with a prospect, and how long ago: "Adam linked this prospect with Jordan
    Achebe 2 minutes ago."."""
    who = "Somebody"
    if prospect.acted_by is not None:
        who = "You" if prospect.acted_by == reader else prospect.acted_by.first_name
    ago = f" {say_span(now() - prospect.acted_at)} ago" if prospect.acted_at else ""
    if prospect.state == ProspectState.LINKED and prospect.client is not None:
        words = f"{who} linked this prospect with {prospect.client.name}{ago}."
        return Handled(prospect, words, prospect.client)
    if prospect.state == ProspectState.DISMISSED:
        return Handled(prospect, f"{who} dismissed this prospect{ago}.", None)
    if prospect.is_verified:
        return Handled(prospect, f"{prospect.name} is verified already.", None)
    return Handled(prospect, f"{prospect.name} waits under Prospects.", None)
