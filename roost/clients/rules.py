"""What a relationship opens."""

from dataclasses import dataclass

from roost.clients.enums import Relationship


@dataclass(frozen=True)
class Opens:
    """What somebody with portal access to a client may see and do.

    `sessions`: "all", "shared" (only appointments where both are attendees) or "none".
    `join`: whether they may join video sessions they can see. `details`: the client's contact
    details. `who_opened`: who has opened the record. `receipts`: the receipts on which the
    client is billed. A payer's access names the client they pay for; a partner is named on none.
    """

    sessions: str
    join: bool
    details: bool
    who_opened: bool = False
    receipts: bool = False


OPENS: dict[str, Opens] = {
    Relationship.SELF: Opens(
        sessions="all", join=True, details=True, who_opened=True, receipts=True
    ),
    Relationship.PARENT: Opens(sessions="all", join=True, details=True, receipts=True),
    Relationship.GUARDIAN: Opens(sessions="all", join=True, details=True, receipts=True),
    Relationship.PARTNER: Opens(sessions="shared", join=True, details=False),
    Relationship.PAYER: Opens(sessions="none", join=False, details=False, receipts=True),
}
