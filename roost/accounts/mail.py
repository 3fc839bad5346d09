"""The mails that accounts cause."""

from datetime import timedelta
from typing import Any

from roost.accounts.enums import LinkPurpose
from roost.accounts.links import fill_in
from roost.accounts.models import SignUp
from roost.accounts.sign_ups import LINK_LIVES, code_of, is_known, url_of
from roost.outbox.kinds import Outdated, register
from roost.outbox.models import OutgoingMessage
from roost.practices.addresses import full_url

for purpose, label in [
    (LinkPurpose.INVITATION, "Invitation"),
    (LinkPurpose.STAFF_INVITATION, "Staff invitation"),
    (LinkPurpose.RESET, "Password reset"),
    (LinkPurpose.NEW_ADDRESS, "New log-in address"),
]:
    register(
        purpose.value,
        label=label,
        template=f"accounts/mail/{purpose.value}.txt",
        filling=fill_in,
    )


def _log_in_address(message: OutgoingMessage) -> dict[str, Any]:
    return {"url": full_url(message.practice, message.arguments["door"], "forgot-password")}


register(
    "password_changed",
    label="Password changed",
    template="accounts/mail/password_changed.txt",
    filling=_log_in_address,
)


def _verification(message: OutgoingMessage) -> dict[str, Any]:
    sign_up = SignUp.objects.select_related("practice").filter(uuid=message.arguments["sign_up"])
    found = sign_up.first()
    if found is None or found.email != message.arguments["address"]:
        raise Outdated("the address was corrected, or the sign-up is gone.")
    if found.account_id is not None or is_known(found):
        raise Outdated("the address has a log-in by now.")
    return {"url": url_of(found), "code": code_of(found), "hours": LINK_LIVES // timedelta(hours=1)}


def _both_ways(message: OutgoingMessage) -> dict[str, Any]:
    return {
        "url": full_url(message.practice, "portal", "log-in"),
        "forgot": full_url(message.practice, "portal", "forgot-password"),
    }


register(
    "address_in_use",
    label="Asked to move here, has a log-in already",
    template="accounts/mail/address_in_use.txt",
    filling=_both_ways,
)
register(
    "verify_email",
    label="Verification",
    template="accounts/mail/verify_email.txt",
    filling=_verification,
)
register(
    "address_known",
    label="Has a log-in already",
    template="accounts/mail/address_known.txt",
    filling=_both_ways,
)


def _portal_log_in(message: OutgoingMessage) -> dict[str, Any]:
    return {"url": full_url(message.practice, "portal", "log-in")}


for kind, label in [
    ("address_move_asked", "Log-in to be moved"),
    ("address_moved", "Log-in moved"),
]:
    register(kind, label=label, template=f"accounts/mail/{kind}.txt", filling=_portal_log_in)
