"""What a mail server's refusal means, in words."""

import uuid

import pytest

from roost.outbox.models import OutgoingMessage
from roost.outbox.troubles import say_trouble

SAYS = "The mail server says: "
GONE = "That address doesn’t exist. Correct it under Edit, or give a starter password."


def message(trouble: str, state: str = "failed", *, of_client: bool = True) -> OutgoingMessage:
    client = uuid.uuid4() if of_client else None
    return OutgoingMessage(state=state, trouble=trouble, client_uuid=client)


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (f"{SAYS}5.1.1 <a@b.example>: Recipient address rejected (550)", GONE),
        ("550 5.1.1 <maria@client.example>: Recipient address rejected", GONE),
        (f"{SAYS}5.1.10 RESOLVER.ADR.RecipientNotFound (550)", GONE),
        (f"{SAYS}no such user (550)", GONE),
        (
            f"{SAYS}5.1.8 Sender address rejected (550)",
            "The mail server doesn’t accept mail from your practice’s address. "
            "Ask whoever runs the server.",
        ),
        (
            f"{SAYS}5.2.2 <a@b.example>: user is over quota (552)",
            "The mailbox is full. Ask for another address, or send again in a few days.",
        ),
        (
            f"{SAYS}mailbox full (552)",
            "The mailbox is full. Ask for another address, or send again in a few days.",
        ),
        (
            f"{SAYS}5.7.1 blocked, see 5.1.1.7 (554)",
            "The mail server refused it. Check the address, then send again.",
        ),
        # An address of the internet is no status.
        (
            f"{SAYS}host 4.5.1.1 is on a list (554)",
            "The mail server refused it. Check the address, then send again.",
        ),
        (
            "The mail server does not answer.",
            "The mail server doesn’t answer. Ask whoever runs the server, then send again.",
        ),
        (
            "The address cannot be written into an e-mail.",
            "That is no e-mail address. Correct it under Edit, or give a starter password.",
        ),
        (
            "It could not be written. The log of the server says why.",
            "It could not be written. Ask whoever runs the server: the server’s log says why.",
        ),
        (
            "Not sent: its link was used, replaced or has expired.",
            "Not sent: its link was used, replaced or has expired. "
            "Send a new one if it is still needed.",
        ),
        ("", "It could not be sent. Check the address, then send again."),
    ],
)
def test_what_failed_has_a_reason_and_a_next_step(trouble: str, words: str) -> None:
    assert say_trouble(message(trouble)) == words


def test_mail_to_nobodys_record_speaks_of_no_edit() -> None:
    told = say_trouble(message(f"{SAYS}5.1.1 unknown (550)", of_client=False))
    assert told == "That address doesn’t exist. Correct it, then send again."


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (f"{SAYS}4.2.2 mailbox full (452)", "The mailbox is full. It is tried again by itself."),
        (f"{SAYS}greylisted (451)", "The mail server refused it. It is tried again by itself."),
        (
            "The mail server does not answer.",
            "The mail server doesn’t answer. It is tried again by itself.",
        ),
    ],
)
def test_what_waits_for_its_next_try_says_so(trouble: str, words: str) -> None:
    assert say_trouble(message(trouble, "queued")) == words


@pytest.mark.parametrize(("state", "trouble"), [("accepted", "late"), ("queued", "")])
def test_no_trouble_is_not_spoken_of(state: str, trouble: str) -> None:
    assert say_trouble(message(trouble, state)) == ""
