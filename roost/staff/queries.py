"""Reads of staff."""

import uuid

from django.db.models import BigAutoField, QuerySet
from django.http import Http404

from roost.accounts.models import Account
from roost.core.prepared import Prepared, Slot
from roost.staff.enums import Role
from roost.staff.models import StaffMember

_staff_of = Prepared(
    lambda: StaffMember.objects.filter(account=Slot("account", BigAutoField()), is_active=True)
)


def staff_of(account: Account) -> StaffMember | None:
    """The active staff profile of an account, or None. Behind every page of the office."""
    return next(iter(_staff_of(account=account.pk)), None)


def is_or_was_staff(account: Account) -> bool:
    """Whether an account has a staff profile, also of somebody who has left."""
    return StaffMember.objects.filter(account=account).exists()


def all_staff() -> QuerySet[StaffMember]:
    """Everybody who works or worked here, active ones first."""
    return StaffMember.objects.select_related("account", "supervisor").order_by(
        "-is_active", "display_name", "pk"
    )


def therapists() -> QuerySet[StaffMember]:
    """Active staff who see clients."""
    return StaffMember.objects.filter(is_active=True, sees_clients=True)


def get_staff_member_for(actor: StaffMember, staff_uuid: uuid.UUID) -> StaffMember:
    """A colleague of an owner or admin, or oneself. Raises Http404."""
    member = StaffMember.objects.filter(uuid=staff_uuid).select_related("account").first()
    if member is None or not (actor.runs_practice or member.pk == actor.pk):
        raise Http404("There is no such staff member.")
    return member


def told_of_prospects() -> QuerySet[StaffMember]:
    """The owners and admins who want an e-mail when a prospect waits for them."""
    return StaffMember.objects.filter(
        is_active=True, role__in=[Role.OWNER, Role.ADMIN], wants_prospect_mail=True
    ).select_related("account")
