"""Mail leaves: over a real mail server that takes, refuses, puts off and falls silent."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction

from roost.accounts.models import Account
from roost.core.tenancy import scope
from roost.core.time import now
from roost.outbox import kinds
from roost.outbox.enums import MessageState
from roost.outbox.models import OutgoingMessage
from roost.outbox.services import BACK_OFF, LEASE, deliver_due, enqueue, send_again
from roost.practices.models import Practice
from tests.support.cast import Cast, make_cast
from tests.support.post import Post, post_office, silent_server
from tests.support.server import free_port

TO = "casey@client.example"


def _queue(to: str = TO) -> OutgoingMessage:
    return enqueue("access_given", to=to)


def _again(message: OutgoingMessage) -> OutgoingMessage:
    message.refresh_from_db()
    return message


# In the transaction that causes it


def test_a_message_is_undone_with_what_causes_it(maple: Practice, post: Post) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        _queue()
        assert OutgoingMessage.objects.count() == 1
        _ = 1 / 0
    assert OutgoingMessage.objects.count() == 0
    assert deliver_due() == 0
    assert post.received == []


def test_a_message_wakes_the_worker_only_once_it_is_committed(
    maple: Practice, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    from roost.core import wake

    wake._work.clear()
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        _queue()
        assert not wake._work.is_set()
    assert wake._work.is_set()
    wake._work.clear()


def test_nothing_is_tried_without_a_mail_server(maple: Practice, settings: Any) -> None:
    settings.ROOST_SMTP = None
    message = _queue()
    assert deliver_due() == 0
    assert (_again(message).state, message.tries) == (MessageState.QUEUED, 0)


# Taken


def test_a_mail_is_taken_once_and_says_who_sends_it(maple: Practice, post: Post) -> None:
    message = _queue()
    assert deliver_due() == 1
    assert deliver_due() == 0
    [received] = post.received
    mail = received.mail
    assert received.to == [TO]
    assert received.sender == "no-reply@127.0.0.1"
    assert mail["To"] == TO
    assert mail["From"] == "Maple Counselling <no-reply@127.0.0.1>"
    assert mail["Subject"] == "Your Client Portal at Maple Counselling has changed"
    assert mail["Message-ID"] == message.message_id
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    assert not mail.is_multipart()
    assert (_again(message).state, message.tries, message.trouble) == (
        MessageState.ACCEPTED,
        1,
        "",
    )
    assert message.accepted_at is not None
    assert message.leased_until is None
    assert not send_again(message)


def test_mail_of_each_practice_comes_from_that_practice(
    maple: Practice, other: Cast, post: Post
) -> None:
    _queue()
    with scope(other.practice.pk):
        _queue()
    assert deliver_due() == 2
    assert sorted(r.mail["From"] for r in post.received) == [
        "Cedar Practice <no-reply@127.0.0.1>",
        "Maple Counselling <no-reply@127.0.0.1>",
    ]
    assert sorted(r.link for r in post.received) == [
        "http://127.0.0.1:8000/portal/cedar/",
        "http://127.0.0.1:8000/portal/maple/",
    ]


# Put off


def test_a_mail_that_is_put_off_is_tried_again_later_under_its_id(
    maple: Practice, post: Post
) -> None:
    post.on_data = lambda to: "451 the queue is full"
    message = _queue()
    with time_machine.travel(now(), tick=False) as clock:
        for number, pause in enumerate(BACK_OFF[:3], start=1):
            assert deliver_due() == 1
            assert (_again(message).state, message.tries) == (MessageState.QUEUED, number)
            assert message.trouble == "The mail server says: the queue is full (451)"
            assert 0.9 * pause <= message.due_at - now() <= 1.1 * pause
            assert deliver_due() == 0
            clock.move_to(message.due_at + timedelta(seconds=1))
        post.on_data = lambda to: None
        assert deliver_due() == 1
    assert _again(message).state == MessageState.ACCEPTED
    assert [r.mail["Message-ID"] for r in post.received] == [message.message_id]


def test_the_pauses_grow_and_end(maple: Practice, post: Post) -> None:
    post.on_recipient = lambda to: "450 try later"
    message = _queue()
    tries = 0
    with time_machine.travel(now(), tick=False) as clock:
        while _again(message).state == MessageState.QUEUED:
            clock.move_to(message.due_at + timedelta(seconds=1))
            assert deliver_due() == 1
            tries += 1
            assert tries < 20
    assert tries == message.tries == len(BACK_OFF) + 1
    assert message.state == MessageState.FAILED
    assert message.trouble == "The mail server says: try later (450)"
    post.on_recipient = lambda to: None
    assert send_again(message)
    assert deliver_due() == 1
    assert _again(message).state == MessageState.ACCEPTED
    assert [r.mail["Message-ID"] for r in post.received] == [message.message_id]


# Refused


@pytest.mark.parametrize("step", ["on_recipient", "on_data"])
def test_a_mail_that_is_refused_has_failed_and_says_why(
    maple: Practice, post: Post, step: str
) -> None:
    setattr(post, step, lambda to: "550 no such user here")
    message = _queue()
    other = _queue("noor@client.example") if step == "on_recipient" else None
    deliver_due()
    assert _again(message).state == MessageState.FAILED
    assert message.trouble == "The mail server says: no such user here (550)"
    assert message.accepted_at is None
    assert deliver_due() == 0
    assert post.received == []
    assert other is None or _again(other).state == MessageState.FAILED


def test_one_refusal_holds_up_nobody_else(maple: Practice, post: Post) -> None:
    post.on_recipient = lambda to: "550 no" if to == TO else None
    messages = [_queue(), _queue("noor@client.example"), _queue()]
    assert deliver_due() == 3
    assert [_again(m).state for m in messages] == ["failed", "accepted", "failed"]


# Away


def test_a_mail_server_that_is_away_is_asked_again(maple: Practice, settings: Any) -> None:
    port = free_port()
    with post_office(port) as post:
        settings.ROOST_SMTP = post.settings
    message = _queue()
    assert deliver_due() == 1
    assert (_again(message).state, message.tries) == (MessageState.QUEUED, 1)
    assert message.trouble == "The mail server does not answer."
    with post_office(port) as post:
        send_again(message)
        assert deliver_due() == 1
        assert [r.mail["Message-ID"] for r in post.received] == [message.message_id]


def test_a_mail_server_that_hangs_is_left_after_a_while(maple: Practice, settings: Any) -> None:
    with silent_server() as port:
        settings.ROOST_SMTP = {**Post(port).settings, "timeout": 0.3}
        message = _queue()
        assert deliver_due() == 1
    assert (_again(message).state, message.tries) == (MessageState.QUEUED, 1)
    assert message.trouble == "The mail server does not answer."
    assert message.leased_until is None


# Workers


def test_a_message_in_another_workers_hands_is_left_alone_until_that_one_is_dead(
    maple: Practice, post: Post
) -> None:
    message = _queue()
    OutgoingMessage.objects.update(leased_until=now() + LEASE)
    assert deliver_due() == 0
    with time_machine.travel(now() + LEASE + timedelta(seconds=1)):
        assert deliver_due() == 1
    assert [r.mail["Message-ID"] for r in post.received] == [message.message_id]


@pytest.mark.django_db(transaction=True)
def test_four_workers_send_each_message_once(settings: Any) -> None:
    practice = make_cast("maple", "Maple Counselling", "America/Toronto").practice
    troubles: list[BaseException] = []
    with post_office() as post, scope(practice.pk):
        settings.ROOST_SMTP = post.settings
        sent = {_queue(f"p{n}@client.example").message_id for n in range(24)}
        gate = threading.Barrier(4)

        def work() -> None:
            try:
                gate.wait(10)
                while deliver_due(limit=3):
                    pass
            except BaseException as error:
                troubles.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert troubles == []
        assert sorted(r.mail["Message-ID"] for r in post.received) == sorted(sent)
        assert set(OutgoingMessage.objects.values_list("state", "tries")) == {("accepted", 1)}


# What cannot be written


def test_a_mail_whose_reason_is_gone_is_not_sent(
    maple: Practice, post: Post, casey_account: Account
) -> None:
    from roost.accounts.enums import LinkPurpose
    from roost.accounts.links import mail_link

    first = mail_link(casey_account, LinkPurpose.RESET, door="portal")
    second = mail_link(casey_account, LinkPurpose.RESET, door="portal")
    assert deliver_due() == 2
    assert first.message is not None
    assert second.message is not None
    assert _again(first.message).state == MessageState.FAILED
    assert first.message.trouble == ("Not sent: its link was used, replaced or has expired.")
    assert [r.mail["Message-ID"] for r in post.received] == [second.message.message_id]


def test_a_kind_that_nobody_knows_stops_nobody_else(maple: Practice, post: Post) -> None:
    strange = enqueue("carrier_pigeon", to=TO)
    message = _queue()
    assert deliver_due() == 2
    assert _again(message).state == MessageState.ACCEPTED
    assert _again(strange).state == MessageState.QUEUED
    assert strange.trouble == "It could not be written. The log of the server says why."
    assert kinds.label_of("carrier_pigeon") == "carrier_pigeon"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Maple\r\nBcc: thief@evil.example\r\n\r\nHello"),
        ("mail_sender_name", "Maple\r\nBcc: thief@evil.example"),
        ("mail_sender_name", "Maple\nSubject: other"),
        ("name", "Maple\u2028Bcc: thief@evil.example"),
        ("mail_sender_name", '"Maple" <thief@evil.example>, you'),
        ("name", "Größe & Söhne 👋"),
        ("name", "{{ url }}{% now 'Y' %}"),
    ],
)
def test_no_name_writes_a_header_or_a_recipient(
    maple: Practice, post: Post, field: str, value: str
) -> None:
    Practice.objects.filter(pk=maple.pk).update(**{field: value})
    message = _queue()
    assert deliver_due() == 1
    if "\n" in value:
        assert _again(message).state == MessageState.FAILED
        assert post.received == []
        return
    [received] = post.received
    assert received.to == [TO]
    assert received.mail["Bcc"] is None
    assert len(received.mail.get_all("Subject")) == 1
    assert [a.addr_spec for a in received.mail["From"].addresses] == ["no-reply@127.0.0.1"]
    if value.startswith("{{"):
        assert value in received.mail["Subject"]
    if "ß" in value:
        assert value in received.mail["Subject"]
        assert received.mail["From"].addresses[0].display_name == value


@pytest.mark.parametrize("to", ["casey@client.example\r\nBcc: thief@evil.example", ""])
def test_an_address_that_is_none_goes_nowhere(maple: Practice, post: Post, to: str) -> None:
    message = _queue(to)
    deliver_due()
    assert _again(message).state != MessageState.ACCEPTED
    assert post.received == []
