"""The demo moves its two fixed sessions, adds nothing, and clears nothing a person booked."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from roost.accounts.models import Account, SignUp
from roost.accounts.services import verify_log_in
from roost.billing.documents import document_of
from roost.billing.invoices import still_due
from roost.billing.models import Document, Invoice, Receipt, ReceiptCounter
from roost.clients.models import Client, PortalAccess
from roost.clients.prospect_queries import search_prospects
from roost.core.tenancy import scope
from roost.demo.people import MAPLE_PASSWORD
from roost.demo.services import DemoRefused, refresh_demo
from roost.practices.models import Practice
from roost.scheduling.models import Appointment, Service
from roost.staff.models import StaffMember
from roost.video.rehearsals import checks_of, describe_check
from tests.support.cast import Cast, make_appointment

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 18, 30, 40, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def fixed() -> list[tuple[str, timedelta, timedelta]]:
    """The two fixed sessions: who, and from when to when, counted from now."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    return [
        (row.attendees.get().client.name, row.starts_at - now, row.ends_at - now)
        for row in Appointment.objects.filter(is_demo=True).order_by("starts_at")
    ]


USUAL = [
    ("Casey Nguyen", -20 * MINUTE, 30 * MINUTE),
    ("Noor Haddad", 30 * MINUTE, 80 * MINUTE),
]


def test_each_start_moves_two_sessions_and_adds_nothing() -> None:
    with time_machine.travel(NOW, tick=False):
        lines = refresh_demo()
    maple = Practice.objects.get(slug="maple")
    with scope(maple.pk):
        with time_machine.travel(NOW, tick=False):
            assert fixed() == USUAL
        number = Appointment.objects.count()
        assert Client.objects.count() == 44
        assert number > 1000
        for name in ("Tara Okafor", "Theo Lang"):
            assert StaffMember.objects.get(display_name=name).registration_number
    later = NOW + timedelta(days=2, hours=7)
    with time_machine.travel(later, tick=False):
        assert refresh_demo() == lines
        with scope(maple.pk):
            assert fixed() == USUAL
            assert Appointment.objects.count() == number


def test_no_two_sessions_of_one_therapist_overlap() -> None:
    with time_machine.travel(NOW, tick=False):
        refresh_demo()
    for practice in Practice.objects.all():
        with scope(practice.pk):
            for therapist in StaffMember.objects.all():
                rows = list(
                    Appointment.objects.filter(therapist=therapist)
                    .order_by("starts_at")
                    .values_list("starts_at", "ends_at")
                )
                assert all(a[1] <= b[0] for a, b in itertools.pairwise(rows))


def test_what_a_person_booked_stays_and_the_nearest_free_time_is_taken() -> None:
    with time_machine.travel(NOW, tick=False):
        refresh_demo()
    maple = Practice.objects.get(slug="maple")
    later = NOW.replace(second=0) + timedelta(days=1)
    with scope(maple.pk):
        tara = StaffMember.objects.get(display_name="Tara Okafor")
        service = Appointment.objects.filter(therapist=tara)[0].service
        booked = make_appointment(
            tara,
            Client.objects.get(last_name="Achebe"),
            service=service,
            starts_at=later - 10 * MINUTE,
            minutes=30,
        )
    with time_machine.travel(later, tick=False):
        lines = refresh_demo()
        with scope(maple.pk):
            assert fixed() == [
                ("Casey Nguyen", 20 * MINUTE, 70 * MINUTE),
                ("Noor Haddad", 70 * MINUTE, 120 * MINUTE),
            ]
            booked.refresh_from_db()
            assert booked.starts_at == later - 10 * MINUTE
    assert any("Casey Nguyen’s session is at 1:50 pm" in line for line in lines)


def test_who_has_access_to_what() -> None:
    refresh_demo()
    maple, cedar = (Practice.objects.get(slug=slug) for slug in ("maple", "cedar"))
    with scope(maple.pk):
        held = {
            (a.account.email, a.client.name, a.relationship)
            for a in PortalAccess.objects.select_related("account", "client")
        }
        assert held == {
            ("casey@client.example", "Casey Nguyen", "self"),
            ("parker@client.example", "Robin Parker", "self"),
            ("parker@client.example", "Remy Parker", "parent"),
            ("alix@client.example", "Remy Parker", "parent"),
        }
        for email in ("olivia", "adam", "tara", "theo"):
            assert verify_log_in(f"{email}@maple.example", "harbour-demo-passphrase")
    with scope(cedar.pk):
        assert verify_log_in("casey@client.example", "lantern-demo-passphrase")


def test_a_real_practice_is_never_touched(cast: Cast) -> None:
    with pytest.raises(DemoRefused):
        refresh_demo()
    assert Practice.objects.count() == 1


def test_people_have_signed_up_in_every_way_that_staff_meet() -> None:
    with time_machine.travel(NOW, tick=False):
        refresh_demo()
        refresh_demo()
    maple = Practice.objects.get(slug="maple")
    assert maple.allow_sign_up
    with scope(maple.pk):
        olivia = StaffMember.objects.get(display_name="Olivia Osei")
        found = {each.name: each for each in search_prospects(olivia, "")}
        assert list(found) == ["Una Okoro", "Pat Lindqvist", "Priya Raman", "Hannah Whitcombe"]
        assert [each.is_verified for each in found.values()] == [False, True, True, True]
        assert not any(each.has_other_log_in for each in found.values())  # type: ignore[attr-defined]
        priya, hannah = found["Priya Raman"], found["Hannah Whitcombe"]
        assert Client.objects.get(email=priya.email).name == "Priya Raman"
        namesake = Client.objects.get(first_name="Hannah", last_name="Whitcombe")
        assert namesake.date_of_birth != hannah.date_of_birth
        assert namesake.phone != hannah.phone
        remy = Client.objects.get(first_name="Remy")
        assert PortalAccess.objects.filter(client=remy, ended_at=None).count() == 2
        assert isinstance(verify_log_in("una@prospect.example", MAPLE_PASSWORD), SignUp)
        assert isinstance(verify_log_in("pat@prospect.example", MAPLE_PASSWORD), Account)


def test_a_year_of_receipts_of_every_kind_without_a_gap() -> None:
    with time_machine.travel(NOW, tick=False):
        refresh_demo()
        refresh_demo()
    with scope(Practice.objects.get(slug="maple").pk):
        receipts = list(Receipt.objects.order_by("year", "serial"))
        assert len(receipts) > 50
        for year in {receipt.year for receipt in receipts}:
            serials = [receipt.serial for receipt in receipts if receipt.year == year]
            assert serials == list(range(1, len(serials) + 1))
            assert ReceiptCounter.objects.get(year=year).last == len(serials)
        taxes = {receipt.facts["lines"][0]["tax_words"] for receipt in receipts}
        assert taxes == {"GST/HST exempt", "HST 13 %"}
        assert {receipt.is_void for receipt in receipts} == {True, False}
        assert {receipt.facts["balance"] == "0.00" for receipt in receipts} == {True, False}
        supervised = {receipt.facts["supervisor"] is not None for receipt in receipts}
        assert supervised == {True, False}
        kinds = {Service.objects.get(name=r.facts["lines"][0]["service"]).type for r in receipts}
        assert kinds == {"individual", "couple", "family", "group"}
        assert {receipt.facts.get("over", "0.00") for receipt in receipts} == {"0.00", "20.00"}
        assert [r.facts["method"] for r in receipts].count("credit") == 1
        invoice = Invoice.objects.get()
        assert still_due([invoice])[invoice.pk] > 0
        assert not Document.objects.exists()
        assert document_of(receipts[-1]).startswith(b"%PDF")


def test_a_rehearsal_that_worked_and_one_that_did_not_stand_on_the_therapists_days() -> None:
    refresh_demo()
    maple = Practice.objects.get(slug="maple")
    with scope(maple.pk):
        moment, said = datetime.now(UTC), {}
        for row in Appointment.objects.filter(starts_at__gt=moment - timedelta(hours=1)):
            for each in row.attendees.all():
                for check in checks_of([each.client_id], moment).values():
                    said[each.client.name, row.therapist.first_name] = describe_check(
                        check, moment, maple.zone
                    )
    assert said["Casey Nguyen", "Tara"].startswith("Camera and sound checked today")
    trouble = said["Robin Parker", "Theo"]
    assert trouble.startswith("Had trouble with the microphone (blocked in the browser) today")
