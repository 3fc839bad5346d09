"""What a relationship opens."""

from dataclasses import dataclass

from roost.clients.enums import Relationship


@dataclass(frozen=True)
class Opens:
    """What somebody with portal access to a client may see and do.

    `sessions`: "all", "shared" (only appointments where both are attendees) or "none".
    `join`: whether they may join video sessions they can see. `details`: the client's contact
    details. `who_opened`: who has opened the record. `receipts`: of the receipts and invoices on
    which the client is billed "all", and with them the balance; "named", only those that name
    oneself as the payer; or "", none.
    """

    sessions: str
    join: bool
    details: bool
    who_opened: bool = False
    receipts: str = ""

    @property
    def balance(self) -> bool:
        """Whether what is owed for the client can be seen."""
        return self.receipts == "all"


OPENS: dict[str, Opens] = {
    Relationship.SELF: Opens(
        sessions="all", join=True, details=True, who_opened=True, receipts="all"
    ),
    Relationship.PARENT: Opens(sessions="all", join=True, details=True, receipts="all"),
    Relationship.GUARDIAN: Opens(sessions="all", join=True, details=True, receipts="all"),
    Relationship.PARTNER: Opens(sessions="shared", join=True, details=False, receipts="named"),
    Relationship.PAYER: Opens(sessions="none", join=False, details=False, receipts="all"),
}
