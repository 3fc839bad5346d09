"""Attendance of several people: all at once, or each by themself."""

from decimal import Decimal

import pytest

from roost.audit.models import AuditEvent
from roost.billing.errors import HasReceipts
from roost.billing.owed import bills_of
from roost.billing.services import take_attendance
from roost.scheduling.errors import NotAttending
from roost.scheduling.models import Appointment
from tests.support.cast import Cast
from tests.support.money import attended, make_group, pay


def states(session: Appointment) -> list[str]:
    return list(session.attendees.order_by("pk").values_list("attendance", flat=True))


def test_each_is_marked_by_themself_and_it_is_taken_back(billable: Cast) -> None:
    session = attended(
        billable, billable.robin, billable.remy, therapist=billable.theo,
        service=billable.family, attendance="scheduled",
    )  # fmt: skip
    robin, remy = session.attendees.order_by("pk")
    first = take_attendance(by=billable.theo, appointment=session, attendance="attended")
    before = take_attendance(
        by=billable.theo, appointment=session, attendance={remy.uuid: "no_show"}
    )
    assert states(session) == ["attended", "no_show"]
    assert before == {robin.uuid: "attended", remy.uuid: "attended"}
    event = AuditEvent.objects.filter(action="attendance.marked").order_by("-pk")[0]
    assert (event.client_uuid, event.details["attendance"]) == (billable.remy.uuid, "no_show")
    # All at once again, and what each was comes back.
    mixed = take_attendance(by=billable.theo, appointment=session, attendance="late_cancel")
    take_attendance(by=billable.theo, appointment=session, attendance=mixed)
    assert states(session) == ["attended", "no_show"]
    take_attendance(by=billable.theo, appointment=session, attendance=first)
    assert states(session) == ["scheduled", "scheduled"]


def test_only_those_who_were_booked_are_marked(billable: Cast) -> None:
    session, other = attended(billable), attended(billable, billable.noor)
    mark = {other.attendees.get().uuid: "no_show"}
    with pytest.raises(NotAttending):
        take_attendance(by=billable.tara, appointment=session, attendance=mark)
    assert states(other) == ["attended"]


def test_a_receipt_holds_who_is_billed_and_how_the_session_went(billable: Cast) -> None:
    session = attended(
        billable, billable.robin, billable.remy, therapist=billable.theo, service=billable.family
    )
    robin, remy = session.attendees.order_by("pk")
    receipt = pay(billable, session, "210")
    for mark in ({robin.uuid: "no_show"}, "no_show"):
        with pytest.raises(HasReceipts, match=f"Receipt {receipt.number} says"):
            take_attendance(by=billable.theo, appointment=session, attendance=mark)
    assert states(session) == ["attended", "attended"]
    # Remy is on no receipt, and the session was held all the same.
    take_attendance(by=billable.theo, appointment=session, attendance={remy.uuid: "no_show"})
    assert states(session) == ["attended", "no_show"]


def test_in_a_group_each_receipt_holds_its_own_person(billable: Cast) -> None:
    session = make_group(billable)
    casey, noor, robin = session.attendees.order_by("pk")
    pay(billable, session, "40", client=billable.noor)
    with pytest.raises(HasReceipts):
        take_attendance(by=billable.tara, appointment=session, attendance={noor.uuid: "no_show"})
    take_attendance(
        by=billable.tara, appointment=session,
        attendance={casey.uuid: "no_show", robin.uuid: "scheduled"},
    )  # fmt: skip
    bills = bills_of([session], billable.practice)
    assert [(each.client.first_name, each.balance) for each in bills] == [
        ("Casey", Decimal(40)), ("Noor", Decimal(0)), ("Robin", Decimal(0)),
    ]  # fmt: skip
    assert [each.is_charged for each in bills] == [True, True, False]
