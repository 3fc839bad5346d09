"""Settings → Receipts: what they say, how they look, and a sample of one."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from roost.audit.models import AuditEvent
from roost.billing.models import Document, Receipt, ReceiptCounter
from roost.practices.models import Practice
from roost.staff.models import StaffMember
from tests.support.cast import Cast, make_staff
from tests.support.doors import Visitor
from tests.support.money import attended, make_billable, pay
from tests.support.pdfs import text_of
from tests.support.pictures import picture

Door = Callable[..., Visitor]
GOOD = {
    "paper": "a4", "tax_number": "123456789 RT0001", "receipt_prefix": "MC-",
    "receipt_language": "fr",
}  # fmt: skip


@pytest.fixture
def owner(office: Door, cast: Cast, maple: Any) -> Visitor:
    make_billable(cast)
    return office(cast.olivia)


def test_what_is_missing_stands_out_and_leads_to_its_field(owner: Visitor, cast: Cast) -> None:
    assert b"Missing" not in owner.go("receipt-settings").content
    StaffMember.objects.filter(pk=cast.tara.pk).update(registration_number="")
    Practice.objects.update(address="")
    text = owner.go("receipt-settings").content.decode()
    assert text.count("Missing") == 2
    assert owner.path("staff-member", member=cast.tara.uuid) in text
    assert owner.path("practice") in text


def test_it_costs_the_same_with_one_therapist_or_three(
    owner: Visitor, cast: Cast, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    StaffMember.objects.exclude(pk=cast.tara.pk).update(sees_clients=False)
    owner.go("receipt-settings")
    with CaptureQueriesContext(connection) as one:
        owner.go("receipt-settings")
    for name in ("Zoe One", "Zuri Two"):
        member = make_staff(name, "therapist", cast.practice.slug)
        StaffMember.objects.filter(pk=member.pk).update(supervisor=cast.tara)
    with django_assert_num_queries(len(one)):
        assert owner.go("receipt-settings").content.count(b"Zuri Two")


def test_new_receipts_follow_the_settings_and_old_ones_stay(owner: Visitor, cast: Cast) -> None:
    old = pay(cast, attended(cast))
    assert owner.send("receipt-settings", GOOD).status_code == 302
    event = AuditEvent.objects.get(action="practice.changed")
    assert sorted(event.details["fields"]) == sorted(GOOD)
    cast.practice.refresh_from_db()
    new = pay(cast, attended(cast))
    year = new.issued_on.year
    assert (new.number, new.facts["number"]) == (f"MC-{year}-0002", f"MC-{year}-0002")
    assert (new.facts["language"], new.facts["paper"]) == ("fr", "a4")
    assert Receipt.objects.get(pk=old.pk).number == old.facts["number"] == f"{year}-0001"
    owner.send("receipt-settings", {**GOOD, "receipt_prefix": "X"})
    cast.practice.refresh_from_db()
    assert Receipt.objects.get(pk=new.pk).number == f"MC-{year}-0002"
    assert pay(cast, attended(cast)).number == f"X{year}-0003"
    assert ReceiptCounter.objects.get(year=year).last == 3
    # Wherever a number is shown it is the whole one.
    assert f"MC-{year}-0002" in owner.go("receipts").content.decode()


@pytest.mark.parametrize("prefix", ["1", "MC1", "-MC", "M C", "M/C", "É", "x" * 11, "../", "A\n"])
def test_a_prefix_that_would_blur_the_number_is_refused(owner: Visitor, prefix: str) -> None:
    answer = owner.send("receipt-settings", {**GOOD, "receipt_prefix": prefix})
    if prefix == "A\n":  # Read as one line: "A".
        assert answer.status_code == 302
    else:
        assert answer.status_code == 422
        assert Practice.objects.get(slug="maple").receipt_prefix == ""


@pytest.mark.parametrize("field", ["paper", "receipt_language"])
def test_what_is_not_on_offer_is_refused(owner: Visitor, field: str) -> None:
    answer = owner.send("receipt-settings", {**GOOD, field: "de"})
    assert answer.status_code == 422
    assert b"Choose " in answer.content


def test_a_sample_shows_it_all_and_takes_no_number(
    owner: Visitor, cast: Cast, tmp_path: Path
) -> None:
    answer = owner.go("receipt-sample", {"therapist": str(cast.theo.uuid)})
    assert answer["Content-Type"] == "application/pdf"
    text = text_of(answer.content, tmp_path)
    assert text.startswith("SAMPLE This shows what your receipts look like.")
    for words in ("Sample Client", "Theo Lang, RSW", "831150", "Maple Counselling", "-0000"):
        assert words in text
    owner.send("receipt-settings", GOOD)
    text = text_of(owner.go("receipt-sample").content, tmp_path)
    for words in ("SPÉCIMEN", "Reçu", "MC-", "150,00 $", "N° de TPS/TVH 123456789 RT0001"):
        assert words in text
    assert not Receipt.objects.exists()
    assert not ReceiptCounter.objects.exists()
    assert not Document.objects.exists()


def test_a_sample_of_nobody_here_is_not_found(owner: Visitor, other: Cast) -> None:
    answer = owner.go("receipt-sample", {"therapist": str(other.tara.uuid)})
    assert answer.status_code == 404
    assert owner.go("receipt-sample", {"therapist": "x"}).status_code == 200


def test_a_sample_can_be_made_before_anything_is_written_down(office: Door, cast: Cast) -> None:
    StaffMember.objects.update(sees_clients=False, college="", title="", registration_number="")
    Practice.objects.update(address="", phone="")
    assert office(cast.olivia).go("receipt-sample").status_code == 200


def test_a_logo_is_shown_as_it_was_drawn_anew(owner: Visitor, cast: Cast) -> None:
    sent = picture((900, 300), comment=b"x") + b"<script>alert(1)</script>"
    assert owner.go("receipt-logo-png").status_code == 404
    owner.send("receipt-logo", {"logo": SimpleUploadedFile("a.html", sent, "text/html")})
    answer = owner.go("receipt-logo-png")
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer.content != sent
    assert b"script" not in answer.content
    assert Image.open(io.BytesIO(answer.content)).size == (720, 240)
    assert "logo.png" in owner.go("receipt-settings").content.decode()
    owner.send("remove-receipt-logo")
    assert owner.go("receipt-logo-png").status_code == 404


def test_another_practices_logo_is_not_there(owner: Visitor, office: Door, other: Cast) -> None:
    owner.send("receipt-logo", {"logo": SimpleUploadedFile("a.png", picture())})
    assert owner.go("receipt-logo-png").status_code == 200
    Practice.objects.filter(slug="cedar").update(
        receipt_logo=Practice.objects.get(slug="maple").receipt_logo
    )
    stranger = Visitor(Practice.objects.get(slug="cedar"), "office", other.olivia.account)
    assert stranger.go("receipt-logo-png").status_code == 404
