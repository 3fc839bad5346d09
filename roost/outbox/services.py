"""The outbox: `enqueue` in the causing transaction; `deliver_due` from the worker."""

import logging
import random
import smtplib
import uuid
from datetime import timedelta
from email.utils import formataddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend
from django.db import transaction
from django.db.models import Q

from roost.core import wake
from roost.core.tenancy import across_practices, scope
from roost.core.time import now
from roost.outbox import kinds
from roost.outbox.enums import MessageState
from roost.outbox.models import OutgoingMessage

log = logging.getLogger("roost.outbox")

# How long one try may take before another worker may think this one dead.
LEASE = timedelta(minutes=2)
BACK_OFF = [timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 360, 720, 1440)]


def enqueue(
    kind: str,
    *,
    to: str,
    arguments: dict[str, Any] | None = None,
    client_uuid: uuid.UUID | None = None,
) -> OutgoingMessage:
    """Write one message into the open transaction; it leaves once that has been committed.

    `arguments` fill the kind's template in; they hold ids and names, never a token or a password.
    """
    host = settings.ROOST_MAIL_FROM.rpartition("@")[2]
    message = OutgoingMessage.objects.create(
        kind=kind,
        to=to,
        arguments=arguments or {},
        client_uuid=client_uuid,
        message_id=f"<{uuid.uuid4()}@{host}>",
        due_at=now(),
    )
    transaction.on_commit(wake.worker)
    return message


def send_again(message: OutgoingMessage) -> bool:
    """Try a message that failed, or that waits for its next try, once more now. It keeps its
    Message-ID, so a mail server that has it already can tell. Returns False if it has left."""
    with transaction.atomic():
        changed = (
            OutgoingMessage.objects.filter(pk=message.pk)
            .exclude(state=MessageState.ACCEPTED)
            .update(state=MessageState.QUEUED, due_at=now(), tries=0)
        )
        transaction.on_commit(wake.worker)
        return bool(changed)


def deliver_due(limit: int = 50) -> int:
    """Hand due messages of all practices to the mail server. Returns how many were tried.

    Each is leased first in a transaction of its own, so no transaction is open while the mail
    server is spoken to and no two workers hold one message. A worker that dies between the mail
    server's answer and the note of it leaves the message to be tried again under its Message-ID.
    """
    if settings.ROOST_SMTP is None:
        return 0
    tried = 0
    while tried < limit and (message := _lease()) is not None:
        with scope(message.practice_id):
            _deliver(message)
        tried += 1
    return tried


def _lease() -> OutgoingMessage | None:
    """Take the message that has been due longest, for as long as LEASE."""
    moment = now()
    free = Q(leased_until=None) | Q(leased_until__lt=moment)
    with across_practices():
        due = OutgoingMessage.objects.filter(free, state=MessageState.QUEUED, due_at__lte=moment)
        for pk, practice_id in due.order_by("due_at").values_list("pk", "practice_id")[:5]:
            with scope(practice_id):
                mine = OutgoingMessage.objects.filter(free, pk=pk, state=MessageState.QUEUED)
                if mine.update(leased_until=moment + LEASE):
                    return OutgoingMessage.objects.select_related("practice").get(pk=pk)
    return None


def _deliver(message: OutgoingMessage) -> None:
    try:
        subject, text = kinds.compose(message)
    except kinds.Outdated as reason:
        _note(message, MessageState.FAILED, f"Not sent: {reason}")
        return
    except Exception:
        log.exception("A message could not be written.")
        _put_off(message, "It could not be written. The log of the server says why.")
        return
    mail = EmailMessage(
        subject=subject,
        body=text,
        from_email=formataddr((message.practice.sender_name, settings.ROOST_MAIL_FROM)),
        to=[message.to],
        headers={"Message-ID": message.message_id, "Auto-Submitted": "auto-generated"},
        connection=EmailBackend(fail_silently=False, **(settings.ROOST_SMTP or {})),
    )
    try:
        if not mail.send():
            raise ValueError("It has no recipient.")
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        _refused(message, code, words)
    except smtplib.SMTPResponseException as error:
        _refused(message, error.smtp_code, error.smtp_error)
    except (OSError, smtplib.SMTPException):
        _put_off(message, "The mail server does not answer.")
    except ValueError:
        _note(message, MessageState.FAILED, "The address cannot be written into an e-mail.")
    else:
        _note(message, MessageState.ACCEPTED, "")


def _refused(message: OutgoingMessage, code: int, words: bytes | str) -> None:
    """5xx is for good (RFC 5321, 4.2.1), all else may pass."""
    said = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    trouble = f"The mail server says: {' '.join(said.split())} ({code})"[:200]
    if 500 <= code < 600:
        _note(message, MessageState.FAILED, trouble)
    else:
        _put_off(message, trouble)


def _put_off(message: OutgoingMessage, trouble: str) -> None:
    if message.tries >= len(BACK_OFF):
        _note(message, MessageState.FAILED, trouble)
        return
    pause = BACK_OFF[message.tries] * random.uniform(0.9, 1.1)  # noqa: S311
    OutgoingMessage.objects.filter(pk=message.pk).update(
        tries=message.tries + 1,
        due_at=now() + pause,
        tried_at=now(),
        leased_until=None,
        trouble=trouble,
    )


def _note(message: OutgoingMessage, state: MessageState, trouble: str) -> None:
    """Write down what became of a message."""
    moment = now()
    with transaction.atomic():
        OutgoingMessage.objects.filter(pk=message.pk).update(
            state=state,
            tries=message.tries + 1,
            tried_at=moment,
            leased_until=None,
            trouble=trouble,
            accepted_at=moment if state == MessageState.ACCEPTED else None,
        )
