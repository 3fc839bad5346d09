"""Who is billed and who pays: chosen before the first payment, and then fixed."""

from decimal import Decimal

import pytest
from django.db import transaction

from roost.audit.models import AuditEvent
from roost.billing.charging import choose_billed, payers_of
from roost.billing.errors import AlreadyBilled, NotAnAttendee, WrongPayer
from roost.billing.models import Charge, Receipt
from roost.billing.owed import Payer, bills_of, owed_for
from roost.billing.services import void_receipt
from roost.clients.enums import Relationship
from roost.clients.models import Client, PortalAccess
from roost.core.time import now
from roost.scheduling.errors import TypeInUse
from roost.scheduling.models import Appointment
from roost.scheduling.services import edit_service
from tests.support.cast import Cast, give, make_account
from tests.support.money import attended, invoice_of, make_group, pay


@pytest.fixture
def together(billable: Cast) -> Appointment:
    """Robin and Remy's family session with Theo, held."""
    return attended(
        billable, billable.robin, billable.remy, therapist=billable.theo, service=billable.family
    )


def choose(cast: Cast, session: Appointment, billed: Client, payer: Payer | None = None) -> None:
    with transaction.atomic():
        choose_billed(by=cast.theo, appointment=session, client=billed, payer=payer or Payer())


def test_it_is_the_first_attendee_unless_chosen(billable: Cast, together: Appointment) -> None:
    assert owed_for(together, billable.practice).client == billable.robin
    choose(billable, together, billable.remy, Payer(client=billable.robin))
    owed = owed_for(together, billable.practice)
    assert (owed.client, owed.payer.name) == (billable.remy, "Robin Parker")
    assert owed.balance == 210
    assert AuditEvent.objects.get(action="billing.chosen").client_uuid == billable.remy.uuid
    receipt = pay(billable, together, "210")
    assert (receipt.client, receipt.payer_client) == (billable.remy, billable.robin)
    assert (receipt.facts["client"], receipt.facts["payer"]) == ("Remy Parker", "Robin Parker")
    assert Charge.objects.count() == 1


def test_the_first_payment_fixes_it_until_its_receipt_is_void(
    billable: Cast, together: Appointment
) -> None:
    receipt = pay(billable, together, "10")
    with pytest.raises(AlreadyBilled, match=f"Receipt {receipt.number} says who is billed"):
        choose(billable, together, billable.remy)
    again = pay(billable, together, "10")
    assert (again.client, again.facts["payer"]) == (billable.robin, "")
    void_receipt(by=billable.olivia, receipt=again)
    with pytest.raises(AlreadyBilled):
        choose(billable, together, billable.remy)
    void_receipt(by=billable.olivia, receipt=receipt)
    choose(billable, together, billable.remy)
    assert owed_for(together, billable.practice).client == billable.remy


def test_somebody_with_portal_access_pays_under_the_own_name(
    billable: Cast, together: Appointment
) -> None:
    partner = make_account("noor@client.example")
    give(partner, billable.robin, Relationship.PARTNER)
    give(partner, billable.noor)
    assert {each.account for each in payers_of([billable.robin])} == {partner}
    choose(billable, together, billable.robin, Payer(account=partner))
    receipt = pay(billable, together, "210")
    assert (receipt.payer_account, receipt.facts["payer"]) == (partner, "Noor Haddad")


def test_who_has_no_name_on_record_is_asked_for_one(billable: Cast, together: Appointment) -> None:
    insurer = make_account("payer@client.example")
    give(insurer, billable.robin, Relationship.PAYER)
    with pytest.raises(WrongPayer, match="Write the payer’s name"):
        choose(billable, together, billable.robin, Payer(account=insurer))
    choose(billable, together, billable.robin, Payer(account=insurer, name="Acme Benefits"))
    assert owed_for(together, billable.practice).payer.name == "Acme Benefits"


def test_strangers_are_neither_billed_nor_payers(billable: Cast, together: Appointment) -> None:
    with pytest.raises(NotAnAttendee):
        choose(billable, together, billable.casey)
    with pytest.raises(WrongPayer):
        choose(billable, together, billable.robin, Payer(client=billable.casey))
    with pytest.raises(WrongPayer):
        choose(billable, together, billable.robin, Payer(account=billable.casey_account, name="X"))
    assert not Charge.objects.exists()


def test_whoever_is_billed_is_no_payer_beside_it(billable: Cast, together: Appointment) -> None:
    choose(billable, together, billable.robin, Payer(client=billable.robin))
    assert owed_for(together, billable.practice).payer == Payer()
    choose(billable, together, billable.robin, Payer(name="robin parker"))
    assert owed_for(together, billable.practice).payer == Payer()


def test_a_payer_stays_one_when_their_portal_access_ends(
    billable: Cast, together: Appointment
) -> None:
    """Who pays is one thing, and what opens at the portal another."""
    partner = make_account("noor@client.example")
    access = give(partner, billable.robin, Relationship.PARTNER)
    choose(billable, together, billable.robin, Payer("Noor Haddad", account=partner))
    PortalAccess.objects.filter(pk=access.pk).update(ended_at=now())
    choose(billable, together, billable.robin, Payer("Noor B. Haddad", account=partner))
    invoice = invoice_of(billable, together, client=billable.robin)
    assert (invoice.payer_account, invoice.facts["payer"]) == (partner, "Noor B. Haddad")
    receipt = pay(billable, together, "10")
    assert (receipt.payer_account, receipt.facts["payer"]) == (partner, "Noor B. Haddad")
    other = attended(billable, billable.robin)
    with pytest.raises(WrongPayer):
        choose(billable, other, billable.robin, Payer("Noor Haddad", account=partner))


def test_what_is_fixed_takes_no_other_client_or_payer(
    billable: Cast, together: Appointment
) -> None:
    receipt = pay(billable, together, "10", client=billable.remy, payer="Acme Benefits")
    for other in (
        {"client": billable.robin}, {"payer": "Sun Life"}, {"payer": Payer()},
        {"payer": Payer(client=billable.robin)},
    ):  # fmt: skip
        with pytest.raises(AlreadyBilled, match=f"Receipt {receipt.number} says who is billed"):
            pay(billable, together, "20", **other)
    assert Receipt.objects.get() == receipt
    same = pay(billable, together, "20", client=billable.remy, payer="Acme Benefits")
    assert same.facts["payer"] == "Acme Benefits"


def test_a_payer_of_one_is_none_of_another(billable: Cast, together: Appointment) -> None:
    partner = make_account("noor@client.example")
    access = give(partner, billable.robin, Relationship.PARTNER)
    choose(billable, together, billable.robin, Payer("Noor Haddad", account=partner))
    PortalAccess.objects.filter(pk=access.pk).update(ended_at=now())
    with pytest.raises(WrongPayer):
        choose(billable, together, billable.remy, Payer("Noor Haddad", account=partner))
    with pytest.raises(WrongPayer):
        pay(
            billable, together, "10", client=billable.remy,
            payer=Payer("Noor Haddad", account=partner),
        )  # fmt: skip


def test_in_a_group_each_owes_and_pays_for_themself(billable: Cast) -> None:
    session = make_group(billable)
    choose(billable, session, billable.noor, Payer(name="Acme Benefits"))
    first = pay(billable, session, "40", client=billable.noor)
    second = pay(billable, session, "15", client=billable.casey)
    assert (first.client, first.facts["payer"]) == (billable.noor, "Acme Benefits")
    assert (second.client, second.facts["payer"]) == (billable.casey, "")
    assert [(b.client, b.balance) for b in bills_of([session], billable.practice)] == [
        (billable.casey, Decimal(25)), (billable.noor, Decimal(0)), (billable.robin, Decimal(40)),
    ]  # fmt: skip
    assert second.facts["lines"][0]["fee"] == "40.00"
    with pytest.raises(NotAnAttendee):
        pay(billable, session, "10", client=billable.remy)
    assert Receipt.objects.count() == 2


def test_a_service_in_use_does_not_become_a_group(billable: Cast, together: Appointment) -> None:
    values = {"name": "Family", "duration_minutes": 75, "fee": Decimal(210)}
    with pytest.raises(TypeInUse):
        edit_service(by=billable.olivia, service=billable.family, type="group", **values)
    billable.family.refresh_from_db()
    assert billable.family.type == "family"
    assert edit_service(by=billable.olivia, service=billable.family, type="couple", **values)
