"""What became of each e-mail, as the office reads it."""

from collections.abc import Callable
from typing import Any

import pytest

from roost.clients.models import Client
from roost.outbox.enums import MessageState
from roost.outbox.models import OutgoingMessage
from roost.outbox.services import enqueue
from roost.staff.models import StaffMember
from tests.support.doors import Visitor

Door = Callable[..., Visitor]
RAW = "The mail server says: 5.1.1 rejected, see the log (550)"
GONE = "That address doesn’t exist. Correct it under Edit, or give a starter password."


def failed(client: Client, trouble: str) -> OutgoingMessage:
    message = enqueue("access_given", to=client.email, client_uuid=client.uuid)
    message.state, message.trouble = MessageState.FAILED, trouble
    message.save(update_fields=["state", "trouble"])
    return message


@pytest.mark.parametrize(
    ("trouble", "words"),
    [(RAW, GONE), ("", "It could not be sent. Check the address, then send again.")],
)
def test_every_failed_row_says_why_and_what_to_do(
    office: Door, olivia: StaffMember, noor: Client, trouble: str, words: str
) -> None:
    failed(noor, trouble)
    for answer in (
        office(olivia).go("messages"),
        office(olivia).go("client-messages", client=noor.uuid),
    ):
        assert words in answer.content.decode()
        assert "5.1.1" not in answer.content.decode()


def test_the_messages_own_page_keeps_what_the_server_said(
    office: Door, olivia: StaffMember, noor: Client
) -> None:
    message = failed(noor, RAW)
    page: Any = office(olivia).go("message", message=message.uuid).content.decode()
    assert GONE in page
    assert f'<dt>Trouble</dt><dd class="any">{RAW}</dd>' in page
