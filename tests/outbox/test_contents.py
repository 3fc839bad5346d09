"""What stands in a mail, and what stands in no row."""

import re
import uuid

import pytest

from roost.accounts.enums import LinkPurpose
from roost.accounts.links import mail_link
from roost.accounts.models import Account
from roost.clients.models import Client
from roost.clients.prospects import sign_up
from roost.outbox import kinds
from roost.outbox.models import OutgoingMessage
from roost.outbox.services import deliver_due, enqueue
from roost.practices.models import Practice
from roost.staff.models import StaffMember
from tests.support.cast import Cast, make_appointment
from tests.support.post import Post
from tests.support.rows import all_rows

KINDS = {
    "invitation", "reset", "staff_invitation", "password_changed", "access_given", "access_taken",
    "staff_added", "new_address", "address_move_asked", "address_moved", "verify_email",
    "address_known", "account_vouched", "prospect_waiting", "record_opened", "record_closed",
    "address_in_use", "correction_answered",
}  # fmt: skip


@pytest.fixture
def every_mail(
    cast: Cast, maple: Practice, casey: Client, casey_account: Account, post: Post
) -> list[str]:
    """One mail of each kind, about Casey Nguyen, who sees Tara Okafor, as it came over the wire."""
    make_appointment(cast.tara, casey, service=cast.individual)
    for purpose in LinkPurpose:
        door = "office" if purpose == LinkPurpose.STAFF_INVITATION else "portal"
        account = cast.tara.account if door == "office" else casey_account
        mail_link(account, purpose, door=door, client_uuid=casey.uuid)
    for kind in (
        "access_given", "access_taken", "staff_added", "address_move_asked", "address_moved",
        "address_in_use", "correction_answered", "account_vouched", "prospect_waiting",
        "record_opened", "record_closed",
    ):  # fmt: skip
        enqueue(kind, to=casey_account.email, client_uuid=casey.uuid)
    for email in (casey_account.email, "casey.nguyen@new.example"):
        sign_up(
            key=uuid.uuid4(), email=email, password="violet umbrella by the door", zone_name="",
            first_name="Casey", last_name="Nguyen", date_of_birth=casey.date_of_birth,
        )  # fmt: skip
    enqueue("password_changed", to=casey_account.email, arguments={"door": "portal"})
    assert set(OutgoingMessage.objects.values_list("kind", flat=True)) == KINDS
    assert deliver_due() == len(KINDS)
    return [f"{r.mail['Subject']}\n{r.mail['From']}\n{r.text}" for r in post.received]


def test_every_kind_of_mail_there_is_has_been_looked_at() -> None:
    assert set(kinds._kinds) == KINDS


def test_no_mail_says_anything_about_health_or_a_full_name(
    every_mail: list[str], casey: Client, tara: StaffMember
) -> None:
    assert (casey.last_name, tara.title) == ("Nguyen", "RP")
    forbidden = re.compile(
        r"\b(Nguyen|Casey|Okafor|Tara|RP|Individual|therap\w*|session\w*|client\s+of|diagnos\w*"
        r"|counsel+or|appointment\w*|1994)\b",
        re.IGNORECASE,
    )
    assert [forbidden.findall(mail) for mail in every_mail] == [[]] * len(KINDS)


def test_every_mail_is_short_plain_and_speaks_for_the_practice(every_mail: list[str]) -> None:
    for mail in every_mail:
        subject, sender, *text = mail.splitlines()
        assert "Maple Counselling" in subject
        assert len(subject) < 78
        assert sender == "Maple Counselling <no-reply@127.0.0.1>"
        assert "<" not in "".join(text)
        assert text[0] == "Hello,"


def test_a_neutral_name_is_all_that_an_inbox_shows(
    cast: Cast, maple: Practice, casey: Client, casey_account: Account, post: Post,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    """Who sees a list of mails sees senders and subjects. The mail itself says who writes."""
    Practice.objects.filter(pk=maple.pk).update(mail_sender_name="Maple Street")
    for mail in request.getfixturevalue("every_mail"):
        subject, sender, *text = mail.splitlines()
        assert sender == "Maple Street <no-reply@127.0.0.1>"
        assert "Maple Street" in subject
        assert "Counselling" not in subject
        assert "Maple Counselling" in "".join(text)


def test_every_address_in_a_mail_is_of_the_configured_origin(every_mail: list[str]) -> None:
    found = [re.findall(r"\w+://[^/\s]+", mail) for mail in every_mail]
    assert len(found) == len(KINDS)
    assert all(set(each) == {"http://127.0.0.1:8000"} for each in found)


def test_a_token_is_mailed_and_stands_in_no_row(
    every_mail: list[str], maple: Practice, casey_account: Account
) -> None:
    kinds_of_links = "invitation|reset|new-address|verify"
    links = re.findall(rf"/(?:{kinds_of_links})/([0-9a-f-]{{36}})/([\w-]+)/", "\n".join(every_mail))
    assert len(links) == 5
    rows = all_rows()
    [code] = re.findall(r"^(\d{6})\s*$", "\n".join(every_mail), re.M)
    assert not re.search(rf"(?<!\d){code}(?!\d)", rows)
    assert casey_account.email in rows
    for link, token in links:
        assert link in rows or link.replace("-", "") in rows
        assert len(token) == 43
        assert token not in rows
        assert token[:20] not in rows


def test_a_mail_that_is_sent_again_has_the_same_link(
    maple: Practice, casey_account: Account, post: Post
) -> None:
    mail_link(casey_account, LinkPurpose.RESET, door="portal")
    deliver_due()
    OutgoingMessage.objects.update(state="queued")
    deliver_due()
    first, second = post.received
    assert first.link == second.link
    assert first.mail["Message-ID"] == second.mail["Message-ID"]
