"""Every act around a sign-up is one row of the audit log, ids and field names, no value."""

import json
import uuid
from typing import Any

from roost.accounts import sign_ups
from roost.audit.models import AuditEvent
from roost.clients import prospects
from roost.clients.confirmation import confirmation_code
from roost.clients.models import Client, Prospect
from roost.core.time import now
from roost.practices.models import Practice
from tests.support.cast import Cast, link_stamp
from tests.support.doors import Visitor

SECRET = "violet umbrella by the door"
VALUES = ["una@", "uno@", "Una", "Okoro", "4165550188", "1990", "At the desk", SECRET]


def test_the_whole_story_is_in_the_audit_log_and_no_value_is(cast: Cast, maple: Practice) -> None:
    maple.allow_sign_up = True
    maple.save(update_fields=["allow_sign_up"])
    una, olivia = Visitor(maple, "portal"), cast.olivia
    una.send(
        "create-account",
        {
            "form_key": uuid.uuid4(), "email": "uno@prospect.example", "password": SECRET,
            "first_name": "Una", "last_name": "Okoro", "phone": "416 555 0188",
            "date_of_birth": "1990-11-02",
        },
    )  # fmt: skip
    una.send("correct-address", {"email": "una@prospect.example"})
    prospect = Prospect.objects.get()
    prospects.dismiss(prospect=prospect, by=olivia)
    prospects.undo_dismissal(prospect=prospect, by=olivia)
    sign_up = prospect.sign_up
    assert sign_up is not None
    sign_ups.resend(sign_up, by=olivia.account)
    prospects.associate(
        prospect=prospect, seen=prospect.email, client=cast.noor, relationship="parent", by=olivia
    )
    sign_up.refresh_from_db()
    una.send("sign-up", {"do": "verify", "code": sign_ups.code_of(sign_up)})
    una.go("account")
    prospects.undo_link(prospect=prospect, stamp=link_stamp(prospect), by=olivia)
    created = prospects.create_client(
        key=uuid.uuid4(), prospect=prospect, seen=prospect.email, by=olivia, therapists=[],
        first_name="Una", last_name="Okoro",
    )  # fmt: skip
    other, _ = prospects.sign_up(
        key=uuid.uuid4(), email="uno@prospect.example", password=SECRET, zone_name="",
        first_name="Una", last_name="Okoro",
    )  # fmt: skip
    prospects.verify(prospect=other, seen=other.email, by=olivia, reason="At the desk")

    def row(event: AuditEvent) -> tuple[str, bool, Any]:
        return event.action, event.actor_id is not None, event.client_uuid

    noor, none = cast.noor.uuid, None
    told = [row(each) for each in AuditEvent.objects.order_by("pk")]
    assert told == [
        ("sign_up.asked", False, none),
        ("sign_up.corrected", False, none),
        ("prospect.dismissed", True, none),
        ("prospect.restored", True, none),
        ("sign_up.mailed", True, none),
        ("prospect.linked", True, noor),
        ("sign_up.verified", True, none),
        ("access.given", True, noor),
        ("account.signed_in", True, none),
        ("account.viewed", True, noor),
        ("prospect.undone", True, noor),
        ("access.taken", True, noor),
        ("client.added", True, created.uuid),
        ("prospect.linked", True, created.uuid),
        ("access.given", True, created.uuid),
        ("sign_up.asked", False, none),
        ("prospect.verified", True, none),
    ]
    everything = json.dumps(list(AuditEvent.objects.values_list("details", flat=True)))
    assert Client.objects.get(pk=created.pk).first_name == "Una"
    code = confirmation_code(other, now(), maple.zone)
    for value in [*VALUES, code, sign_ups.token_of(sign_up)]:
        assert value not in everything
