"""Attendance, payments and receipts in the office."""

import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from roost.audit.models import AuditEvent
from roost.billing.models import Receipt, TaxRate
from roost.core.time import now
from tests.support.cast import Cast
from tests.support.doors import Visitor
from tests.support.money import attended, make_billable, pay

Door = Callable[..., Visitor]


@pytest.fixture
def billable(cast: Cast, maple: Any) -> Cast:
    make_billable(cast)
    return cast


def payment(cast: Cast, **more: str) -> dict[str, str]:
    today = now().astimezone(cast.practice.zone).date().isoformat()
    return {
        "form_key": str(uuid.uuid4()), "amount": "150", "method": "cash", "paid_on": today, **more,
    }  # fmt: skip


def test_attendance_is_one_press_on_the_day_view_and_undone_by_another(
    billable: Cast, office: Door
) -> None:
    session, tara = attended(billable, attendance="scheduled"), office(billable.tara)
    where = {"appointment": session.uuid}
    day = session.starts_at.astimezone(billable.practice.zone).date().isoformat()
    assert b"Late cancel" in tara.go("today", {"day": day}).content
    answer = tara.send("attendance", {"attendance": "attended", "from": "day"}, **where)
    assert answer.status_code == 302
    page = tara.get(answer["Location"]).content.decode()
    assert "Casey Nguyen: attended." in page
    assert 'name="attendance" value="scheduled"' in page
    tara.send("attendance", {"attendance": "no_show"}, **where)
    assert session.attendees.get().attendance == "no_show"


def test_a_missing_fact_leads_to_its_field(billable: Cast, office: Door) -> None:
    session = attended(billable)
    billable.tara.registration_number = ""
    billable.tara.save(update_fields=["registration_number"])
    owner = office(billable.olivia)
    page = owner.go("payment", appointment=session.uuid).content.decode()
    assert "Tara Okafor’s registration number" in page
    assert owner.path("staff-member", member=billable.tara.uuid) in page
    answer = owner.send("payment", payment(billable), appointment=session.uuid)
    assert answer.status_code == 422
    assert not Receipt.objects.exists()
    own = office(billable.tara).go("payment", appointment=session.uuid).content.decode()
    assert "registration number" in own
    assert "An owner or an admin can do this" in own


def test_a_therapist_issues_and_voids_for_own_sessions_only(billable: Cast, office: Door) -> None:
    session = attended(billable)
    where = {"appointment": session.uuid}
    assert office(billable.theo).send("payment", payment(billable), **where).status_code == 404
    assert office(billable.tara).send("payment", payment(billable), **where).status_code == 302
    receipt = Receipt.objects.get()
    assert receipt.issued_by == billable.tara
    assert office(billable.theo).send("void-receipt", receipt=receipt.uuid).status_code == 404
    assert office(billable.tara).send("void-receipt", receipt=receipt.uuid).status_code == 302
    assert Receipt.objects.get().voided_by == billable.tara


def test_a_download_is_written_down_and_the_same_each_time(billable: Cast, office: Door) -> None:
    receipt = pay(billable, attended(billable))
    first, second = (
        office(member).go("receipt-pdf", receipt=receipt.uuid)
        for member in (billable.olivia, billable.tara)
    )
    assert first.content == second.content
    assert first["Content-Type"] == "application/pdf"
    assert f"receipt-{receipt.number}.pdf" in first["Content-Disposition"]
    events = AuditEvent.objects.filter(action="receipt.downloaded")
    assert [e.client_uuid for e in events] == [billable.casey.uuid] * 2
    assert {e.details["receipt"] for e in events} == {str(receipt.uuid)}


def test_a_therapist_sees_a_clients_receipts_of_own_sessions_only(
    billable: Cast, office: Door
) -> None:
    mine = pay(billable, attended(billable))
    theirs = pay(billable, attended(billable, therapist=billable.theo))
    page = office(billable.tara).go("client-receipts", client=billable.casey.uuid).content.decode()
    assert mine.number in page
    assert theirs.number not in page
    page = office(billable.olivia).go("receipts").content.decode()
    assert mine.number in page
    assert theirs.number in page


def test_tax_is_set_from_a_day_on(billable: Cast, office: Door) -> None:
    owner, service = office(billable.olivia), billable.individual
    values = {
        "do": "tax", "from_on": "2027-01-01", "kind": "taxed", "name": "HST", "percent": "13",
    }  # fmt: skip
    assert owner.send("service", values, service=service.uuid).status_code == 302
    assert "HST 13 %" in owner.go("service", service=service.uuid).content.decode()
    assert TaxRate.objects.filter(service=service).count() == 2
    assert AuditEvent.objects.filter(action="tax_rate.set").count() == 1
    wrong = owner.send("service", {**values, "name": "", "percent": ""}, service=service.uuid)
    assert wrong.status_code == 422


def test_a_fee_has_no_more_decimals_than_the_currency(billable: Cast, office: Door) -> None:
    owner, service = office(billable.olivia), billable.individual
    values = {
        "name": "Individual", "type": "individual", "duration_minutes": "50", "fee": "155.555",
        "billing_code": "",
    }  # fmt: skip
    assert owner.send("service", values, service=service.uuid).status_code == 422
    values["fee"] = "155.50"
    assert owner.send("service", values, service=service.uuid).status_code == 302
    service.refresh_from_db()
    assert service.fee == Decimal("155.5")
