"""What became of an invitation, step by step, in words and with a shape for each state."""

from dataclasses import dataclass

from roost.accounts.links import has_newer
from roost.accounts.models import MailLink
from roost.outbox.enums import MessageState
from roost.outbox.troubles import say_trouble


@dataclass(frozen=True)
class Step:
    """One step of the trail: its words, and its state ("done", "now", "failed" or "")."""

    words: str
    state: str


def is_needless(link: MailLink) -> bool:
    """Whether its holder has chosen a password without it: they are in, and it is no failure."""
    return link.done_at is None and link.account.has_own_password


def trail_of(link: MailLink) -> list[Step]:
    """Queued → Accepted by the mail server, or Failed (why) → Link used → Done."""
    message = link.message
    steps = [Step("Queued", "done")]
    if message is None:
        return steps
    if is_needless(link):
        if message.state == MessageState.ACCEPTED:
            steps.append(Step("Accepted by the mail server", "done"))
        return [*steps, Step("Not needed any more", "")]
    if message.state == MessageState.FAILED:
        return [*steps, Step(f"Failed. {say_trouble(message)}", "failed")]
    if message.state == MessageState.QUEUED:
        if message.trouble:
            return [*steps, Step(f"Not there yet. {say_trouble(message)}", "failed")]
        return [Step("Queued", "now"), Step("Accepted by the mail server", ""), Step("Done", "")]
    steps.append(Step("Accepted by the mail server", "done"))
    if link.done_at is not None:
        return [*steps, Step("Link used", "done"), Step("Done", "done")]
    if link.replaced_at is not None:
        words = "Replaced by a newer one" if has_newer(link) else "Not valid any more"
        return [*steps, Step(words, "failed")]
    if link.used_at is not None:
        return [*steps, Step("Link used", "done"), Step("Choosing a password", "now")]
    return [*steps, Step("Link used", ""), Step("Done", "")]
