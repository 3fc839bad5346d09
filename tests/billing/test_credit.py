"""Credit: left over, used elsewhere, given back, and never lost or found."""

import uuid
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from roost.audit.models import AuditEvent
from roost.billing.credit import credit_of, give_back, void_refund
from roost.billing.documents import document_of
from roost.billing.errors import CreditUsed, MoreThanOwed, WrongAmount, WrongDay
from roost.billing.models import CreditUse, Payment, Receipt, Refund
from roost.billing.owed import owed_for
from roost.billing.services import void_receipt
from roost.clients.models import Client
from roost.core.time import now
from roost.scheduling.models import Appointment
from tests.billing.test_pdf import text_of
from tests.support.cast import Cast
from tests.support.money import attended, pay


def credit(cast: Cast, client: Client | None = None) -> Decimal:
    return credit_of(client or cast.casey, "CAD")


def refund(cast: Cast, amount: str, **more: object) -> Refund:
    values = {
        "key": uuid.uuid4(), "client": cast.casey, "practice": cast.practice,
        "amount": Decimal(amount), "method": "e_transfer",
        "refunded_on": now().astimezone(cast.practice.zone).date(), **more,
    }  # fmt: skip
    return give_back(by=cast.olivia, **values)[0]  # type: ignore[arg-type]


@pytest.fixture
def over(billable: Cast, session: Appointment) -> Receipt:
    """200 came in for 150."""
    return pay(billable, session, "200", keep_over=True)


def test_more_than_is_owed_stays_as_credit_where_somebody_says_so(
    billable: Cast, session: Appointment, tmp_path: Path
) -> None:
    with pytest.raises(MoreThanOwed, match=r"\$150.00 is owed. If \$50.00 more did come in"):
        pay(billable, session, "200")
    assert not Payment.objects.exists()
    receipt = pay(billable, session, "200", keep_over=True)
    assert credit(billable) == 50
    assert owed_for(session, billable.practice).balance == 0
    facts = receipt.facts
    assert (facts["received"], facts["paid_now"], facts["over"], facts["balance"]) == (
        "200.00", "150.00", "50.00", "0.00",
    )  # fmt: skip
    text = text_of(document_of(receipt), tmp_path)
    for words in ("Received", "$200.00", "Credit left over", "$50.00"):
        assert words in text, words


def test_credit_pays_for_another_session_and_its_receipt_says_from_where(
    billable: Cast, over: Receipt, tmp_path: Path
) -> None:
    other = attended(billable)
    receipt = pay(billable, other, "30", method="credit")
    assert (credit(billable), owed_for(other, billable.practice).balance) == (20, 120)
    assert receipt.facts["credit_from"] == [{"number": over.number, "amount": "30.00"}]
    text = text_of(document_of(receipt), tmp_path)
    assert "Credit, " in text
    assert f"$30.00 left over of receipt {over.number}" in text
    with pytest.raises(WrongAmount, match=r"Casey Nguyen has \$20.00 of credit left"):
        pay(billable, other, "20.01", method="credit")
    assert credit(billable) == 20


def test_credit_is_taken_from_the_oldest_payment_first(billable: Cast, over: Receipt) -> None:
    second = pay(billable, attended(billable), "160", keep_over=True)
    receipt = pay(billable, attended(billable), "55", method="credit")
    assert receipt.facts["credit_from"] == [
        {"number": over.number, "amount": "50.00"}, {"number": second.number, "amount": "5.00"},
    ]  # fmt: skip
    assert credit(billable) == 5


def test_nobody_uses_somebody_elses_credit(billable: Cast, over: Receipt) -> None:
    with pytest.raises(WrongAmount, match=r"Noor Haddad has \$0.00"):
        pay(billable, attended(billable, billable.noor), "10", method="credit")
    assert credit(billable) == 50


def test_credit_is_not_used_before_it_came_in(billable: Cast, over: Receipt) -> None:
    day = over.payment.paid_on - timedelta(days=1)
    for spend in (
        lambda: pay(billable, attended(billable), "10", method="credit", paid_on=day),
        lambda: refund(billable, "10", refunded_on=day),
    ):
        with pytest.raises(WrongDay, match="That credit came in on"):
            spend()
    assert credit(billable) == 50


def test_credit_of_a_day_does_not_wait_for_what_came_in_later_and_was_recorded_before(
    billable: Cast, over: Receipt
) -> None:
    day = over.payment.paid_on - timedelta(days=3)
    late = pay(billable, attended(billable), "160", keep_over=True, paid_on=day)
    receipt = pay(
        billable, attended(billable), "10", method="credit", paid_on=day + timedelta(days=1)
    )
    assert receipt.facts["credit_from"] == [{"number": late.number, "amount": "10.00"}]
    with pytest.raises(WrongDay, match="That credit came in on"):
        pay(billable, attended(billable), "10", method="credit", paid_on=day + timedelta(days=1))
    assert credit(billable) == 50


def test_credit_pays_no_more_than_is_owed(billable: Cast, over: Receipt) -> None:
    other = attended(billable)
    pay(billable, other, "140")
    with pytest.raises(WrongAmount, match=r"\$10.00 is owed"):
        pay(billable, other, "20", method="credit", keep_over=True)
    assert credit(billable) == 50


def test_a_therapist_is_told_of_no_receipt_but_their_own(billable: Cast, over: Receipt) -> None:
    """Credit is the client's wherever it came from; a colleague's receipts are not theirs to see,
    and refunds are the owners' and admins'."""
    own = pay(billable, attended(billable), "10", method="credit")
    colleagues = pay(billable, attended(billable, therapist=billable.theo), "20", method="credit")
    refund(billable, "5")
    for by, hidden in ((billable.adam, False), (billable.tara, True)):
        with pytest.raises(CreditUsed) as stopped:
            void_receipt(by=by, receipt=over)
        words = str(stopped.value)
        assert f"by receipt {own.number}" in words
        assert (colleagues.number not in words) is hidden
        assert ("by the refund of" not in words) is hidden
        assert ("by a colleague’s session" in words) is hidden
        assert ("An owner or an admin sees where" in words) is hidden
    assert not Receipt.objects.get(pk=over.pk).is_void


def test_a_receipt_whose_credit_was_used_is_not_voided_before_what_used_it(
    billable: Cast, over: Receipt
) -> None:
    used = pay(billable, attended(billable), "30", method="credit")
    back = refund(billable, "20")
    with pytest.raises(CreditUsed, match=f"by receipt {used.number}, by the refund of"):
        void_receipt(by=billable.olivia, receipt=over)
    assert not Receipt.objects.get(pk=over.pk).is_void
    assert void_receipt(by=billable.olivia, receipt=used)
    assert credit(billable) == 30
    with pytest.raises(CreditUsed):
        void_receipt(by=billable.olivia, receipt=over)
    assert void_refund(by=billable.olivia, refund=back)
    assert not void_refund(by=billable.olivia, refund=back)
    assert credit(billable) == 50
    assert void_receipt(by=billable.olivia, receipt=over)
    assert credit(billable) == 0
    assert CreditUse.objects.count() == 2


def test_credit_is_given_back_and_written_down(billable: Cast, over: Receipt) -> None:
    back = refund(billable, "50")
    assert credit(billable) == 0
    event = AuditEvent.objects.get(action="credit.refunded")
    assert (event.client_uuid, event.subject_uuid) == (billable.casey.uuid, back.uuid)
    for amount in ("0.01", "0", "-5", "1.001"):
        with pytest.raises(WrongAmount):
            refund(billable, amount)
    with pytest.raises(WrongDay):
        refund(billable, "1", refunded_on=now().date() + timedelta(days=2))
    assert Refund.objects.count() == 1


def test_a_form_sent_twice_gives_back_once(billable: Cast, over: Receipt) -> None:
    key = uuid.uuid4()
    assert refund(billable, "10", key=key) == refund(billable, "10", key=key)
    assert credit(billable) == 40
