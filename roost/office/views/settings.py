"""Settings: the practice, the Client Portal, staff, messages, video."""

import uuid
from typing import Any

from django.conf import settings as configuration
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from roost.accounts import limits
from roost.accounts.doors import door_path
from roost.accounts.enums import LinkPurpose
from roost.accounts.queries import newest_link
from roost.audit.services import record, record_read
from roost.billing.balances import has_money
from roost.core.pages import page
from roost.core.submissions import is_otherwise
from roost.core.time import say_span
from roost.office import qr
from roost.office.trail import trail_of
from roost.outbox import kinds
from roost.outbox.models import OutgoingMessage
from roost.outbox.queries import all_messages, find_message
from roost.practices.addresses import portal_url
from roost.practices.forms import PortalForm, PracticeForm, VideoForm
from roost.practices.services import change_settings
from roost.staff.enums import Role
from roost.staff.errors import StaffError
from roost.staff.forms import InviteForm, MemberForm
from roost.staff.http import OfficeRequest
from roost.staff.permissions import Who, open_to
from roost.staff.queries import all_staff, get_staff_member_for
from roost.staff.services import (
    change_staff_member,
    invite_again,
    invite_staff_member,
    send_message_again,
)
from roost.video.relay_check import check_relay
from roost.video.turn import relay_urls

PRACTICE_FIELDS = [
    "name", "phone", "address", "mail_sender_name", "zone_name",
    "staff_idle_minutes", "client_idle_minutes",
    "currency", "late_cancel_percent",
]  # fmt: skip
PORTAL_FIELDS = ["starter_password_days", "join_minutes_before", "join_minutes_after"]


@open_to(Who.STAFF)
def settings(request: OfficeRequest) -> HttpResponse:
    """The first tab that somebody may see."""
    first = "practice" if request.staff.runs_practice else "client-portal"
    return redirect(door_path(request, first))


@open_to(Who.OWNER_OR_ADMIN, methods=("GET", "POST"))
def practice(request: OfficeRequest) -> HttpResponse:
    """Settings → Practice."""
    first = {name: getattr(request.practice, name) for name in PRACTICE_FIELDS}
    form = PracticeForm(request.POST or None, initial=first)
    if "currency" in form.changed_data and form.is_valid() and has_money():
        form.add_error(
            "currency",
            f"Money is recorded in {request.practice.currency}. Balances and credit are in it, so "
            "it stays. Ask whoever runs the server to make a new practice for another currency.",
        )
    if request.method == "POST" and form.is_valid():
        change_settings(
            request.practice, action="practice.changed", by=request.account, **form.cleaned_data
        )
        messages.success(request, "Saved.")
        return redirect(door_path(request, "practice"))
    return page(request, "office/settings/practice.html", {"form": form})


@open_to(Who.STAFF, methods=("GET", "POST"))
def client_portal(request: OfficeRequest) -> HttpResponse:
    """Settings → Client Portal. Therapists see the address; owners and admins change the rest."""
    place = request.practice
    url = portal_url(place)
    context = {
        "portal": url,
        "qr": qr.path_of(url),
        "snippet": f'<a href="{url}">Client Portal</a>',
    }
    if not request.staff.runs_practice:
        if request.method == "POST":
            raise PermissionDenied("Owners and admins change these settings.")
        return page(request, "office/settings/client_portal.html", context)
    first = {name: getattr(place, name) for name in PORTAL_FIELDS}
    first["allow_sign_up"] = "yes" if place.allow_sign_up else "no"
    form = PortalForm(request.POST or None, initial=first)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        values["allow_sign_up"] = values["allow_sign_up"] == "yes"
        change_settings(
            place,
            action="portal_settings.changed",
            by=request.account,
            by_name=request.staff.display_name,
            **values,
        )
        messages.success(request, "Saved.")
        return redirect(door_path(request, "client-portal"))
    return page(request, "office/settings/client_portal.html", {**context, "form": form})


@open_to(Who.STAFF)
def portal_qr(request: OfficeRequest) -> HttpResponse:
    """The QR code of the Client Portal URL, for print."""
    svg = qr.svg_file(portal_url(request.practice))
    name = f"client-portal-{request.practice.slug}.svg"
    return HttpResponse(
        svg,
        content_type="image/svg+xml",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@open_to(Who.OWNER_OR_ADMIN)
def staff(request: OfficeRequest) -> HttpResponse:
    """Settings → Staff."""
    rows = [(m, not m.account.has_own_password) for m in all_staff()]
    return page(request, "office/settings/staff.html", {"rows": rows})


@open_to(Who.OWNER_OR_ADMIN, methods=("GET", "POST"))
def invite_staff(request: OfficeRequest) -> HttpResponse:
    """Invite a colleague by e-mail."""
    form = InviteForm(request.POST or None, initial={"role": Role.THERAPIST, "sees_clients": True})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            member = invite_staff_member(
                key=values["form_key"],
                email=values["email"],
                role=values["role"],
                profile=form.profile(),
                by=request.staff,
            )
        except StaffError as error:
            form.add_error(None, str(error))
        except limits.TooMany as limit:
            form.add_error("email", _enough(limit))
        else:
            if member.account.email != values["email"]:
                words = f"This form has invited {member.display_name}, and invites nobody else."
                messages.warning(request, f"{words} To invite {values['email']}, begin anew.")
            elif is_otherwise(member, {"role": values["role"], **form.profile()}):
                words = f"This form has invited {member.display_name} before."
                messages.warning(
                    request,
                    f"{words} What you have changed in it since is not saved: change it here.",
                )
            else:
                messages.success(request, f"{member.display_name} is invited, by e-mail.")
            return redirect(door_path(request, "staff"))
    return page(request, "office/settings/invite_staff.html", {"form": form})


def _enough(limit: limits.TooMany) -> str:
    return f"Five e-mails went to this address within the hour. Wait {say_span(limit.wait)}."


@open_to(Who.OWNER_OR_ADMIN, methods=("GET", "POST"))
def staff_member(request: OfficeRequest, member: uuid.UUID) -> HttpResponse:
    """Change a colleague, or invite them again."""
    colleague = get_staff_member_for(request.staff, member)
    form = MemberForm(
        request.POST or None, member=colleague, initial=MemberForm.values_of(colleague)
    )
    if request.method == "POST" and form.is_valid():
        try:
            change_staff_member(
                member=colleague,
                by=request.staff,
                role=form.cleaned_data["role"],
                is_active=form.cleaned_data["is_active"],
                profile=form.profile(),
            )
        except StaffError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Saved.")
            return redirect(door_path(request, "staff"))
    link = newest_link(colleague.account, LinkPurpose.STAFF_INVITATION)
    context = {"form": form, "member": colleague, "trail": trail_of(link) if link else []}
    return page(request, "office/settings/staff_member.html", context)


@open_to(Who.OWNER_OR_ADMIN, methods=("POST",))
def invite_staff_again(request: OfficeRequest, member: uuid.UUID) -> HttpResponse:
    """Mail a colleague a new link."""
    colleague = get_staff_member_for(request.staff, member)
    if colleague.account.has_own_password:
        messages.warning(request, f"{colleague.display_name} has a password already.")
    else:
        try:
            invite_again(member=colleague, by=request.staff)
            messages.success(request, f"{colleague.display_name} is invited again, by e-mail.")
        except limits.TooMany as limit:
            messages.warning(request, _enough(limit))
    return redirect(door_path(request, "staff-member", member=colleague.uuid))


@open_to(Who.OWNER_OR_ADMIN)
def outbox(request: OfficeRequest) -> HttpResponse:
    """Settings → Messages: every e-mail, and what became of it."""
    found = Paginator(all_messages(), 50).get_page(request.GET.get("page"))
    record_read(
        "messages.listed",
        by=request.account,
        client_uuids=[m.client_uuid for m in found.object_list if m.client_uuid],
    )
    context = {
        "found": found,
        "no_mail_server": configuration.ROOST_SMTP is None,
        "sender": configuration.ROOST_MAIL_FROM,
    }
    return page(request, "office/settings/messages.html", context)


def _message(message_uuid: uuid.UUID) -> OutgoingMessage:
    message = find_message(message_uuid)
    if message is None:
        raise Http404("There is no such message.")
    return message


@open_to(Who.OWNER_OR_ADMIN)
def message(request: OfficeRequest, message: uuid.UUID) -> HttpResponse:
    """One e-mail. Its text is shown in the demo only: there no mail server carries it, and a
    newcomer must be able to follow its link."""
    row = _message(message)
    record_read(
        "message.viewed",
        by=request.account,
        client_uuids=[row.client_uuid] if row.client_uuid else [],
        message=str(row.uuid),
    )
    context = {"message": row, "subject": "", "text": "", "outdated": ""}
    if configuration.ROOST_DEMO and request.practice.is_demo:
        try:
            context["subject"], context["text"] = kinds.compose(row)
        except kinds.Outdated as reason:
            context["outdated"] = str(reason)
    return page(request, "office/settings/message.html", context)


@open_to(Who.OWNER_OR_ADMIN, methods=("POST",))
def send_message_now(request: OfficeRequest, message: uuid.UUID) -> HttpResponse:
    """Try a message that has not left once more."""
    row = _message(message)
    if send_message_again(message=row, by=request.staff):
        messages.success(request, "It is tried again now.")
    else:
        messages.warning(request, "The mail server has this one already.")
    return redirect(door_path(request, "message", message=row.uuid))


@open_to(Who.OWNER_OR_ADMIN, methods=("GET", "POST"))
def video(request: OfficeRequest) -> HttpResponse:
    """Settings → Video: whether calls go through a relay, and what clients read when they end."""
    form = _video_form(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        change_settings(
            request.practice,
            action="video_settings.changed",
            by=request.account,
            **form.cleaned_data,
        )
        messages.success(request, "Saved.")
        return redirect(door_path(request, "video"))
    return _video_page(request, form)


def _video_form(request: OfficeRequest, data: Any = None) -> VideoForm:
    place = request.practice
    first = {
        "relay_only": "yes" if place.relay_only else "no",
        "after_call_words": place.after_call_words,
        "fallback_words": place.fallback_words,
    }
    return VideoForm(data, has_relay=bool(relay_urls()), initial=first)


def _video_page(request: OfficeRequest, form: VideoForm, **more: Any) -> HttpResponse:
    return page(
        request, "office/settings/video.html", {"form": form, "relays": relay_urls(), **more}
    )


@open_to(Who.OWNER_OR_ADMIN, methods=("POST",))
def test_relay(request: OfficeRequest) -> HttpResponse:
    """Ask the relay for what a call would, and say how it went."""
    if not relay_urls():
        messages.warning(request, "There is no relay to test.")
        return redirect(door_path(request, "video"))
    try:
        limits.count(limits.relay_test_subjects())
    except limits.TooMany as limit:
        messages.warning(
            request, f"Six tests within ten minutes are enough. Wait {say_span(limit.wait)}."
        )
        return redirect(door_path(request, "video"))
    record("relay.tested", by=request.account, subject=request.practice)
    return _video_page(request, _video_form(request), findings=check_relay())
