"""Attendance, payments and receipts in the office."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from roost.audit.models import AuditEvent
from roost.billing.models import Charge, Receipt, TaxRate
from roost.billing.services import take_attendance
from roost.clients.enums import Relationship
from roost.clients.models import PortalAccess
from roost.core.time import now
from roost.scheduling.models import Appointment
from tests.support.cast import Cast, give, make_account
from tests.support.doors import Visitor
from tests.support.money import attended, make_billable, make_group, pay

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
    assert f'name="was" value="{session.attendees.get().uuid}:scheduled"' in page
    tara.send("attendance", {"attendance": "no_show"}, **where)
    assert session.attendees.get().attendance == "no_show"


@pytest.mark.parametrize("years", [-2, 2])
def test_a_day_far_from_the_session_is_asked_about(
    billable: Cast, office: Door, years: int
) -> None:
    session = attended(billable)
    if years > 0:
        held = now() - timedelta(days=365 * 3)
        Appointment.objects.filter(pk=session.pk).update(
            starts_at=held, ends_at=held + timedelta(minutes=50)
        )
        TaxRate.objects.update(from_on=held.date() - timedelta(days=1))
        session.refresh_from_db()
    # The practice's day, which is not that of UTC in the evening.
    held_on = session.starts_at.astimezone(billable.practice.zone).date()
    day = (held_on + timedelta(days=365 * years + 10 * years)).isoformat()
    tara, where = office(billable.tara), {"appointment": session.uuid}
    values = payment(billable, paid_on=day)
    asked = tara.send("payment", values, **where)
    page = asked.content.decode()
    assert f"Check the year: the session was on {held_on.day} " in page
    assert 'name="day_is_right"' in page
    assert not Receipt.objects.exists()
    assert tara.send("payment", {**values, "day_is_right": "on"}, **where).status_code == 302
    assert Receipt.objects.get().payment.paid_on.isoformat() == day


def test_a_day_near_the_session_and_today_are_not_asked_about(billable: Cast, office: Door) -> None:
    session = attended(billable)
    near = (now() - timedelta(days=300)).date().isoformat()
    tara, where = office(billable.tara), {"appointment": session.uuid}
    assert b"day_is_right" not in tara.go("payment", **where).content
    answer = tara.send("payment", payment(billable, paid_on=near, amount="10"), **where)
    assert answer.status_code == 302
    # Somebody who pays today for a session of long ago has not mistaken the year.
    held = now() - timedelta(days=800)
    TaxRate.objects.update(from_on=held.date())
    Appointment.objects.filter(pk=session.pk).update(
        starts_at=held, ends_at=held + timedelta(minutes=50)
    )
    assert tara.send("payment", payment(billable, amount="10"), **where).status_code == 302


def test_the_key_of_one_form_is_no_good_for_another(billable: Cast, office: Door) -> None:
    """For another session, for another person of a group, and in another's hands."""
    session, noors = attended(billable), attended(billable, billable.noor)
    tara, values = office(billable.tara), payment(billable)
    assert tara.send("payment", values, appointment=session.uuid).status_code == 302
    (receipt,) = Receipt.objects.all()
    refused = [
        tara.send("payment", values, appointment=noors.uuid),
        office(billable.olivia).send("payment", values, appointment=session.uuid),
    ]
    for answer in refused:
        assert answer.status_code == 403
        text = answer.content.decode()
        assert "This form belongs to another page" in text
        assert receipt.number not in text
    routes = AuditEvent.objects.filter(action="access.refused").values_list("actor", "details")
    assert sorted((who, what["route"]) for who, what in routes) == sorted(
        (each.account.pk, "office:payment") for each in (billable.tara, billable.olivia)
    )
    again = tara.send("payment", values, appointment=session.uuid)
    assert f"Receipt {receipt.number} stands, once" in tara.get(again["Location"]).content.decode()
    group = make_group(billable)
    path, values = tara.path("payment", appointment=group.uuid), payment(billable, amount="40")
    assert tara.post(f"{path}?client={billable.casey.uuid}", values).status_code == 302
    assert tara.post(f"{path}?client={billable.noor.uuid}", values).status_code == 403
    assert Receipt.objects.count() == 2


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
    TaxRate.objects.update(name="HST", percent=13)
    page = owner.go("payment", appointment=session.uuid).content.decode()
    assert f'href="{owner.path("receipt-settings")}">The practice’s tax number' in page
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
    assert "HST 13%" in owner.go("service", service=service.uuid).content.decode()
    assert TaxRate.objects.filter(service=service).count() == 2
    assert AuditEvent.objects.filter(action="tax_rate.set").count() == 1
    wrong = owner.send("service", {**values, "name": "", "percent": ""}, service=service.uuid)
    assert wrong.status_code == 422
    # The form's address leads to what is wrong, and a browser faces what it leads to.
    assert wrong.content.count(b'id="tax"') == 1
    assert b'class="summary" role="alert" tabindex="-1" id="tax"' in wrong.content


def test_a_fee_of_nothing_is_said_to_make_no_receipt(billable: Cast, office: Door) -> None:
    owner, service = office(billable.olivia), billable.individual
    service.fee = Decimal(0)
    service.save(update_fields=["fee"])
    page = owner.go("service", service=service.uuid).content.decode()
    assert "With 0 nothing is owed, and there is no receipt." in page
    session = attended(billable)
    assert "Nothing is owed" in owner.go("payment", appointment=session.uuid).content.decode()
    answer = owner.send("payment", payment(billable), appointment=session.uuid)
    assert answer.status_code == 422
    assert not Receipt.objects.exists()


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


# Several people


@pytest.fixture
def together(billable: Cast) -> Appointment:
    """Robin and Remy's family session with Theo, over and not marked yet."""
    return attended(
        billable, billable.robin, billable.remy, therapist=billable.theo,
        service=billable.family, attendance="scheduled",
    )  # fmt: skip


def states(session: Appointment) -> list[str]:
    return list(session.attendees.order_by("pk").values_list("attendance", flat=True))


def way_back(page: str) -> dict[str, list[str]]:
    """What the Undo button of a page sends."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'name="(was|from|of)" value="([^"]+)"', page.split("Undo")[0]):
        found.setdefault(name, []).append(value)
    return found


def test_each_is_marked_on_the_sessions_page_and_taken_back(
    billable: Cast, office: Door, together: Appointment
) -> None:
    theo, where = office(billable.theo), {"appointment": together.uuid}
    robin, remy = together.attendees.order_by("pk")
    theo.get(
        theo.send("attendance", {"attendance": "attended", "from": "day"}, **where)["Location"]
    )
    assert states(together) == ["attended", "attended"]
    answer = theo.send("attendance", {"attendance": "no_show", "attendee": remy.uuid}, **where)
    assert answer["Location"] == theo.path("appointment", **where)
    page = theo.get(answer["Location"]).content.decode()
    assert "Remy Parker: a no show." in page
    assert states(together) == ["attended", "no_show"]
    theo.send("attendance", way_back(page), **where)
    assert states(together) == ["attended", "attended"]
    other = attended(billable, billable.casey).attendees.get()
    for stranger in (other.uuid, uuid.uuid4(), "x"):
        answer = theo.send("attendance", {"attendance": "no_show", "attendee": stranger}, **where)
        assert answer.status_code == 404
    answer = theo.send("attendance", {"was": [f"{robin.uuid}:nonsense"]}, **where)
    assert answer.status_code == 302
    assert states(together) == ["attended", "attended"]


def test_the_day_says_who_of_several_was_forgotten(
    billable: Cast, office: Door, together: Appointment
) -> None:
    theo, remy = office(billable.theo), together.attendees.order_by("pk")[1]
    day = {"day": together.starts_at.astimezone(billable.practice.zone).date().isoformat()}
    assert "not marked yet" not in theo.go("today", day).content.decode()
    mark = {"attendance": "no_show", "attendee": remy.uuid}
    theo.send("attendance", mark, appointment=together.uuid)
    assert "Scheduled" in theo.go("today", day).content.decode()
    mark["attendance"] = "attended"
    theo.send("attendance", mark, appointment=together.uuid)
    assert "1 of 2 not marked yet" in theo.go("today", day).content.decode()


def test_a_record_marks_its_own_person_only(
    billable: Cast, office: Door, together: Appointment
) -> None:
    theo, of = office(billable.theo), billable.remy.uuid
    robin, remy = together.attendees.order_by("pk")
    page = theo.go("client-sessions", client=of).content.decode()
    assert f'name="attendee" value="{remy.uuid}"' in page
    assert str(robin.uuid) not in page
    marked = {"attendance": "late_cancel", "attendee": remy.uuid, "from": "client", "of": of}
    answer = theo.send("attendance", marked, appointment=together.uuid)
    assert answer["Location"] == theo.path("client-sessions", client=of)
    page = theo.get(answer["Location"]).content.decode()
    assert "Remy Parker: a late cancel." in page
    assert states(together) == ["scheduled", "late_cancel"]
    back = theo.send("attendance", way_back(page), appointment=together.uuid)
    assert back["Location"] == answer["Location"]
    assert states(together) == ["scheduled", "scheduled"]


def test_a_record_leads_to_no_session_that_would_not_open(billable: Cast, office: Door) -> None:
    own, theirs = attended(billable), attended(billable, therapist=billable.theo)
    where = {"client": billable.casey.uuid}
    for member, opens in ((billable.tara, [own]), (billable.olivia, [own, theirs])):
        visitor = office(member)
        page = visitor.go("client-sessions", **where)
        assert {row.pk for row in page.context["found"]} == {own.pk, theirs.pk}
        assert "Theo Lang" in page.content.decode()
        for session in (own, theirs):
            path = visitor.path("appointment", appointment=session.uuid)
            assert (f'href="{path}"' in page.content.decode()) is (session in opens)
            assert (visitor.get(path).status_code == 200) is (session in opens)


def test_robin_and_remy_are_never_mixed(
    billable: Cast, office: Door, portal: Door, together: Appointment
) -> None:
    """What was held together stands in both histories, each with its own mark; what one had alone
    stands in the own one only."""
    alone = attended(
        billable, billable.remy, therapist=billable.theo, starts_at=now() - timedelta(days=3)
    )
    robin, remy = together.attendees.order_by("pk")
    theo = office(billable.theo)
    for who, mark in ((robin, "attended"), (remy, "no_show")):
        theo.send("attendance", {"attendance": mark, "attendee": who.uuid},
                  appointment=together.uuid)  # fmt: skip
    receipt = pay(billable, alone, "150")
    family = pay(billable, together, "210")
    visitor = portal(billable.parker_account)
    seen = {
        client.first_name: [
            (row.mine.appointment_id, row.mine.attendance)
            for row in visitor.go("sessions", client=client.uuid).context["sessions"]
        ]
        for client in (billable.robin, billable.remy)
    }
    assert seen == {
        "Robin": [(together.pk, "attended")],
        "Remy": [(together.pk, "no_show"), (alone.pk, "attended")],
    }
    numbers = {
        client.first_name: [
            each.number for each in visitor.go("receipts", client=client.uuid).context["receipts"]
        ]
        for client in (billable.robin, billable.remy)
    }
    assert numbers == {"Robin": [family.number], "Remy": [receipt.number]}
    office_page = theo.go("client-sessions", client=billable.robin.uuid)
    assert [row.pk for row in office_page.context["found"]] == [together.pk]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", office_page.content.decode()))
    assert "Attended" in text
    assert "No show" not in text


# Who is billed, and credit


def test_who_is_billed_is_chosen_until_the_first_payment(
    billable: Cast, office: Door, together: Appointment
) -> None:
    theo, where = office(billable.theo), {"appointment": together.uuid}
    take_attendance(by=billable.theo, appointment=together, attendance="attended")
    values = {
        "client": str(billable.remy.uuid), "payer_is": f"client-{billable.robin.uuid}", "payer": "",
    }  # fmt: skip
    assert theo.send("billed", values, **where).status_code == 302
    page = theo.go("appointment", **where).content.decode()
    assert re.search(r"Billed to</dt><dd[^>]*>Remy Parker", page)
    assert re.search(r"Paid by</dt><dd[^>]*>Robin Parker", page)
    today = payment(billable, amount="210", **values)
    assert theo.send("payment", today, **where).status_code == 302
    receipt = Receipt.objects.get()
    assert (receipt.client, receipt.payer_client) == (billable.remy, billable.robin)
    refused = theo.send("billed", {**values, "client": str(billable.robin.uuid)}, **where)
    assert refused.status_code == 422
    assert f"Receipt {receipt.number} says who is billed" in refused.content.decode()
    for wrong in ({"client": str(billable.casey.uuid)}, {"payer_is": "client-x"}):
        assert theo.send("billed", {**values, **wrong}, **where).status_code == 422
    assert office(billable.tara).go("billed", **where).status_code == 404


def test_in_a_group_each_has_a_bill_of_their_own(billable: Cast, office: Door) -> None:
    session, tara = make_group(billable), office(billable.tara)
    where = {"appointment": session.uuid}
    page = tara.go("appointment", **where).content.decode()
    for client in (billable.casey, billable.noor, billable.robin):
        assert f"?client={client.uuid}" in page
    path = tara.path("payment", **where)
    answer = tara.post(f"{path}?client={billable.noor.uuid}", payment(billable, amount="40"))
    assert answer.status_code == 302
    assert Receipt.objects.get().client == billable.noor
    assert tara.post(f"{path}?client={billable.remy.uuid}", payment(billable)).status_code == 404
    assert tara.post(f"{path}?client=x", payment(billable)).status_code == 404
    assert Receipt.objects.count() == 1


def test_more_than_is_owed_is_asked_about_and_can_be_used_later(
    billable: Cast, office: Door
) -> None:
    session, later, tara = attended(billable), attended(billable), office(billable.tara)
    first = tara.send("payment", payment(billable, amount="200"), appointment=session.uuid)
    assert first.status_code == 422
    assert 'name="keep_over"' in first.content.decode()
    kept = payment(billable, amount="200", keep_over="on")
    assert tara.send("payment", kept, appointment=session.uuid).status_code == 302
    over = Receipt.objects.get()
    page = tara.go("payment", appointment=later.uuid).content.decode()
    assert "Credit ($50.00 left)" in page
    used = payment(billable, amount="50", method="credit")
    assert tara.send("payment", used, appointment=later.uuid).status_code == 302
    assert "Credit (" not in tara.go("payment", appointment=later.uuid).content.decode()
    asked = tara.go("void-receipt", receipt=over.uuid).content.decode()
    assert "The $50.00 that was left over goes with it" in asked
    answer = tara.send("void-receipt", receipt=over.uuid)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert f"What was left over of receipt {over.number} has been used" in page
    assert not Receipt.objects.get(pk=over.pk).is_void


def test_a_part_payment_is_not_voided_under_a_later_receipt(billable: Cast, office: Door) -> None:
    session, tara = attended(billable), office(billable.tara)
    first, second = pay(billable, session, "50"), pay(billable, session, "100")
    answer = tara.send("void-receipt", receipt=first.uuid)
    assert answer.status_code == 409
    words = f"Receipt {second.number} says that the payment of receipt {first.number} was made"
    assert words in answer.content.decode()
    assert not Receipt.objects.get(pk=first.pk).is_void
    assert AuditEvent.objects.filter(action="receipt.viewed").count() == 1
    for receipt in (second, first):
        assert tara.send("void-receipt", receipt=receipt.uuid).status_code == 302
    assert not Receipt.objects.filter(voided_at=None).exists()


def test_a_form_that_used_all_credit_finds_its_receipt_again(billable: Cast, office: Door) -> None:
    """ "Credit" is no choice any more by then."""
    pay(billable, attended(billable), "200", keep_over=True)
    session, tara = attended(billable), office(billable.tara)
    values = payment(billable, amount="50", method="credit")
    for _ in range(2):
        answer = tara.send("payment", values, appointment=session.uuid)
        assert answer.status_code == 302
    receipt = Receipt.objects.get(appointment=session)
    assert f"Receipt {receipt.number} stands, once" in tara.get(answer["Location"]).content.decode()


def test_a_payer_who_is_gone_since_is_not_left_out_in_silence(billable: Cast, office: Door) -> None:
    session, tara = attended(billable), office(billable.tara)
    partner = make_account("noor@client.example")
    give(partner, billable.noor)
    access = give(partner, billable.casey, Relationship.PARTNER)
    where = {"appointment": session.uuid}
    chosen = {"payer_is": f"access-{access.uuid}", "payer": ""}
    PortalAccess.objects.filter(pk=access.pk).update(ended_at=now())
    typed = {"billed": chosen, "payment": payment(billable, amount="120", **chosen)}
    for route, values in typed.items():
        answer = tara.send(route, values, **where)
        assert answer.status_code == 422
        assert list(answer.context["form"].errors) == ["payer"]
        assert "can’t be chosen any more" in answer.content.decode()
    assert 'value="120"' in answer.content.decode()
    assert not Charge.objects.exists()
    named = payment(billable, amount="120", payer_is="", payer="Noor Haddad")
    assert tara.send("payment", named, **where).status_code == 302
    assert Receipt.objects.get().facts["payer"] == "Noor Haddad"


def test_a_payer_who_is_fixed_meanwhile_is_said_before_money_is_recorded(
    billable: Cast, office: Door
) -> None:
    session, tara = attended(billable), office(billable.tara)
    where = {"appointment": session.uuid}
    shown = tara.go("payment", **where).context["form"]["shown"].value()
    values = payment(billable, amount="60", payer="Sun Life", payer_is="", shown=shown)
    first = pay(billable, session, "50", payer="Acme Benefits")
    answer = tara.send("payment", values, **where)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert f"Receipt {first.number} was issued meanwhile: Casey Nguyen is billed" in page
    assert "and Acme Benefits pays" in page
    assert 'value="60"' in page
    assert Receipt.objects.count() == 1
    # The page that has said so has no payer to choose.
    kept = {name: value for name, value in values.items() if not name.startswith("payer")}
    kept["shown"] = answer.context["form"]["shown"].value()
    assert tara.send("payment", kept, **where).status_code == 302
    assert [each.facts["payer"] for each in Receipt.objects.all()] == ["Acme Benefits"] * 2
    # Nobody is stopped whose choice is what was fixed.
    same = payment(billable, amount="10", payer="Acme Benefits", payer_is="", shown=shown)
    assert tara.send("payment", same, **where).status_code == 302


@pytest.mark.parametrize("route", ["billed", "payment"])
def test_a_payer_chosen_by_somebody_else_meanwhile_is_not_overruled_unseen(
    billable: Cast, office: Door, route: str
) -> None:
    session, tara, adam = attended(billable), office(billable.tara), office(billable.adam)
    where = {"appointment": session.uuid}
    shown = tara.go(route, **where).context["form"]["shown"].value()
    adam.send("billed", {"payer": "Acme Benefits", "shown": shown}, **where)
    assert Charge.objects.get().payer == "Acme Benefits"
    values = payment(billable, payer="Sun Life", shown=shown)
    answer = tara.send(route, values, **where)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Casey Nguyen is billed, and Acme Benefits pays" in page
    assert 'value="Sun Life"' in page
    assert Charge.objects.get().payer == "Acme Benefits"
    insisting = {**values, "shown": answer.context["form"]["shown"].value()}
    assert tara.send(route, insisting, **where).status_code == 302
    assert Charge.objects.get().payer == "Sun Life"
    if route == "payment":
        again = tara.send(route, insisting, **where)
        assert "stands, once" in tara.get(again["Location"]).content.decode()


def test_a_choice_sent_again_is_nobody_elses(billable: Cast, office: Door) -> None:
    session, tara = attended(billable), office(billable.tara)
    where = {"appointment": session.uuid}
    shown = tara.go("billed", **where).context["form"]["shown"].value()
    for _ in range(2):
        answer = tara.send("billed", {"payer": "Acme Benefits", "shown": shown}, **where)
        assert answer.status_code == 302
    assert Charge.objects.get().payer == "Acme Benefits"


def test_a_page_that_asked_for_no_payer_chooses_none_when_its_bill_is_free_again(
    billable: Cast, office: Door
) -> None:
    """A part payment has fixed the bill, and is voided while the page for the rest is open."""
    session, tara = attended(billable), office(billable.tara)
    where = {"appointment": session.uuid}
    first = payment(billable, amount="50", payer="Acme Benefits")
    assert tara.send("payment", first, **where).status_code == 302
    shown = tara.go("payment", **where).context["form"]["shown"].value()
    rest = {**payment(billable, amount="100", shown=shown)}
    rest.pop("payer", None)
    assert tara.send("void-receipt", receipt=Receipt.objects.get().uuid).status_code == 302
    answer = tara.send("payment", rest, **where)
    assert answer.status_code == 422
    assert "Somebody else has chosen meanwhile" in answer.content.decode()
    assert Receipt.objects.count() == 1


def test_a_payer_whose_access_has_ended_is_kept_by_the_form(billable: Cast, office: Door) -> None:
    """Whoever was chosen before still pays, and can be told apart from somebody of that name."""
    session, tara = attended(billable), office(billable.tara)
    partner = make_account("noor@client.example")
    access = give(partner, billable.casey, Relationship.PARTNER)
    where = {"appointment": session.uuid}
    chosen = {"payer_is": f"access-{access.uuid}", "payer": "Noor Haddad"}
    assert tara.send("billed", chosen, **where).status_code == 302
    PortalAccess.objects.filter(pk=access.pk).update(ended_at=now())
    for route in ("billed", "payment"):
        form = tara.go(route, **where).context["form"]
        assert (form.initial["payer_is"], form.initial["payer"]) == ("before", "Noor Haddad")
        assert "Noor Haddad (portal access has ended)" in str(form["payer_is"])
    sent = payment(billable, payer_is="before", payer="Noor Haddad")
    assert tara.send("payment", sent, **where).status_code == 302
    receipt = Receipt.objects.get()
    assert (receipt.payer_account, receipt.facts["payer"]) == (partner, "Noor Haddad")


def test_another_payer_does_not_go_by_the_name_of_the_last_one(
    billable: Cast, office: Door
) -> None:
    """The form holds the last payer's name when somebody else is chosen from the list above it."""
    session = attended(
        billable, billable.robin, billable.remy, therapist=billable.theo, service=billable.family
    )
    partner = make_account("noor@client.example")
    give(partner, billable.noor)
    access = give(partner, billable.robin, Relationship.PARTNER)
    theo, where = office(billable.theo), {"appointment": session.uuid}
    robin = {"client": str(billable.robin.uuid)}
    theo.send("billed", {**robin, "payer_is": f"client-{billable.remy.uuid}", "payer": ""}, **where)
    page = theo.go("billed", **where).content.decode()
    assert 'value="Remy Parker"' in page
    shown = {**robin, "payer": "Remy Parker"}
    theo.send("billed", {**shown, "payer_is": f"access-{access.uuid}"}, **where)
    charge = Charge.objects.get()
    assert (charge.payer_account, charge.payer) == (partner, "Noor Haddad")
    theo.send("billed", {**robin, "payer_is": "", "payer": "Noor Haddad"}, **where)
    charge.refresh_from_db()
    assert (charge.payer_account, charge.payer) == (None, "")
    theo.send("billed", {**robin, "payer_is": "", "payer": "Aunt Parker"}, **where)
    charge.refresh_from_db()
    assert charge.payer == "Aunt Parker"


def test_a_name_that_was_written_stays_for_whoever_has_none_on_record(
    billable: Cast, office: Door
) -> None:
    session, insurer = attended(billable), make_account("payer@client.example")
    access = give(insurer, billable.casey, Relationship.PAYER)
    owner, where = office(billable.olivia), {"appointment": session.uuid}
    for choice in ("", f"access-{access.uuid}"):
        owner.send("billed", {"payer_is": choice, "payer": "Sun Life"}, **where)
    charge = Charge.objects.get()
    assert (charge.payer_account, charge.payer) == (insurer, "Sun Life")
