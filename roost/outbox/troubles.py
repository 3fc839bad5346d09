"""Why a message has not arrived, in words for the practice, and what can be done about it.

A mail server answers in a language of its own: an enhanced status such as 5.1.1 (RFC 3463), a reply
code, and text for whoever runs it. The row keeps all of that; people are told what it means.
"""

import re

from roost.outbox.enums import MessageState
from roost.outbox.models import OutgoingMessage

_STATUS = re.compile(r"(?<![\d.])([45])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_NOBODY = re.compile(
    r"no such (?:user|recipient|mailbox)|user unknown|unknown user|does not exist|doesn't exist"
    r"|invalid recipient|mailbox not found",
    re.IGNORECASE,
)
_FULL = re.compile(r"mailbox (?:is )?full|over ?quota|quota exceeded", re.IGNORECASE)

CORRECT = {
    True: "Correct it under Edit, or give a starter password.",
    False: "Correct it, then send again.",
}
AGAIN = "It is tried again by itself."
PRACTICE_ADDRESS = "The mail server doesn’t accept mail from your practice’s address."
ASK = "Ask whoever runs the server."


def say_trouble(message: OutgoingMessage) -> str:
    """What kept a message from arriving and the next step, or nothing for one that met no trouble.

    A message that failed is never left without a reason.
    """
    failed = message.state == MessageState.FAILED
    if message.state == MessageState.ACCEPTED or not (message.trouble or failed):
        return ""
    trouble = message.trouble
    if trouble.startswith("Not sent:"):
        return f"{trouble} Send a new one if it is still needed."
    reason, step = _meaning(trouble, is_of_client=message.client_uuid is not None)
    return f"{reason} {step if failed else AGAIN}"


def _meaning(trouble: str, *, is_of_client: bool) -> tuple[str, str]:
    """What a trouble means, and what to do about it once it is for good."""
    found = _STATUS.search(trouble)
    status = (int(found[2]), int(found[3])) if found else (0, 0)
    if status in {(1, 7), (1, 8)}:
        return PRACTICE_ADDRESS, ASK
    if status[0] == 1 or (not found and _NOBODY.search(trouble)):
        return "That address doesn’t exist.", CORRECT[is_of_client]
    if status == (2, 2) or (not found and _FULL.search(trouble)):
        return "The mailbox is full.", "Ask for another address, or send again in a few days."
    if trouble.startswith("The mail server says:") or found:
        return "The mail server refused it.", "Check the address, then send again."
    if trouble == "The mail server does not answer.":
        return "The mail server doesn’t answer.", f"{ASK[:-1]}, then send again."
    if trouble.startswith("The address cannot"):
        return "That is no e-mail address.", CORRECT[is_of_client]
    if trouble.startswith("It could not be written"):
        return "It could not be written.", f"{ASK[:-1]}: the server’s log says why."
    return "It could not be sent.", "Check the address, then send again."
