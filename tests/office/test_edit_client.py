"""Edit on a record while somebody else changes it."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest

from roost.accounts.models import Account
from roost.audit.models import AuditEvent
from roost.clients.models import Assignment, Client
from roost.staff.models import StaffMember
from tests.support.cast import make_client, shown
from tests.support.doors import Visitor

Door = Callable[..., Visitor]


def _form(answer: Any) -> dict[str, Any]:
    """What the edit form of a page holds, as a browser would send it."""
    text = answer.content.decode()
    text = text[text.index('<form class="sheet') :]
    text = text[: text.index("</form>")]
    values: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", text):
        given = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if given.get("type") == "checkbox":
            if " checked" in tag:
                values.setdefault(given["name"], []).append(given["value"])
        else:
            values[given["name"]] = html.unescape(given.get("value", ""))
    for name, value in re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>\n?([^<]*)</textarea>', text):
        values[name] = html.unescape(value)
    values.pop("csrfmiddlewaretoken", None)
    return values


def _open(visitor: Visitor, client: Client) -> dict[str, Any]:
    return _form(visitor.go("edit-client", client=client.uuid))


def _error(answer: Any, name: str) -> str:
    found = re.search(rf'id="id_{name}_error">.*?<span>(.*?)</span>', answer.content.decode())
    return html.unescape(found[1]) if found else ""


def _changes() -> list[tuple[Account | None, list[str]]]:
    rows = AuditEvent.objects.filter(action="client.changed").order_by("pk")
    return [(each.actor, each.details["fields"]) for each in rows]


def test_what_the_client_changed_meanwhile_stays_when_another_field_is_saved(
    office: Door, portal: Door, tara: StaffMember, casey: Client, casey_account: Account
) -> None:
    therapist = office(tara)
    form = _open(therapist, casey)
    own = {"preferred_name": "Cas", "phone": "416 555 0199", "address": "1 Quiet Road\nToronto"}
    own["shown"] = shown(casey)
    assert portal(casey_account).send("details", own, client=casey.uuid).status_code == 302
    form["emergency_contact"] = "Quinn, their sister"
    assert therapist.send("edit-client", form, client=casey.uuid).status_code == 302
    casey.refresh_from_db()
    assert (casey.preferred_name, casey.phone) == ("Cas", "+14165550199")
    assert casey.address == "1 Quiet Road\nToronto"
    assert casey.emergency_contact == "Quinn, their sister"
    assert _changes() == [
        (casey_account, ["preferred_name", "phone", "address"]),
        (tara.account, ["emergency_contact"]),
    ]


def test_a_field_both_have_changed_is_asked_about_and_what_was_typed_wins_the_second_time(
    office: Door, portal: Door, tara: StaffMember, casey: Client, casey_account: Account
) -> None:
    therapist = office(tara)
    form = _open(therapist, casey)
    own = {"preferred_name": "Cas", "phone": "416 555 0199", "address": "1 Quiet Road\nToronto"}
    own["shown"] = shown(casey)
    portal(casey_account).send("details", own, client=casey.uuid)
    typed = {"phone": "416 555 0111", "address": "", "pronouns": "they/them"}
    asked = therapist.send("edit-client", {**form, **typed}, client=casey.uuid)
    assert asked.status_code == 409
    assert _error(asked, "phone") == (
        "Changed meanwhile to “416 555 0199”. Save again, and it says what you typed."
    )
    # Untouched here: "" was there, and "" is what was sent.
    assert _error(asked, "address") == _error(asked, "preferred_name") == ""
    assert 'role="alert"' in asked.content.decode()
    again = _form(asked)
    assert {name: again[name] for name in typed} == typed
    casey.refresh_from_db()
    assert (casey.phone, casey.pronouns) == ("+14165550199", "")
    assert len(_changes()) == 1
    saved = therapist.send("edit-client", again, client=casey.uuid)
    assert saved.status_code == 302
    casey.refresh_from_db()
    assert (casey.phone, casey.pronouns) == ("+14165550111", "they/them")
    assert (casey.preferred_name, casey.address) == ("Cas", "1 Quiet Road\nToronto")
    assert _changes()[1:] == [(tara.account, ["pronouns", "phone"])]


def test_of_two_colleagues_who_edit_at_once_neither_undoes_the_other(
    office: Door, olivia: StaffMember, tara: StaffMember, casey: Client
) -> None:
    one, two = office(olivia), office(tara)
    ones, twos = _open(one, casey), _open(two, casey)
    ones |= {"first_name": "Cassandra", "date_of_birth": "1994-03-10", "email": ""}
    assert one.send("edit-client", ones, client=casey.uuid).status_code == 302
    twos |= {"last_name": "Tran", "date_of_birth": "1994-03-11", "email": "c@client.example"}
    asked = two.send("edit-client", twos, client=casey.uuid)
    assert asked.status_code == 409
    assert _error(asked, "date_of_birth").startswith("Changed meanwhile to “10 March 1994”.")
    assert _error(asked, "email").startswith("Emptied meanwhile.")
    casey.refresh_from_db()
    assert (casey.first_name, casey.last_name) == ("Cassandra", "Nguyen")
    # A third hand comes between the question and the answer to it: it is asked once more.
    Client.objects.filter(pk=casey.pk).update(date_of_birth="1994-03-12")
    again = two.send("edit-client", _form(asked), client=casey.uuid)
    assert again.status_code == 409
    assert _error(again, "date_of_birth").startswith("Changed meanwhile to “12 March 1994”.")
    assert _error(again, "email") == ""
    assert two.send("edit-client", _form(again), client=casey.uuid).status_code == 302
    casey.refresh_from_db()
    assert (casey.first_name, casey.last_name) == ("Cassandra", "Tran")
    assert (str(casey.date_of_birth), casey.email) == ("1994-03-11", "c@client.example")


def test_both_have_typed_the_same_and_nobody_is_asked(
    office: Door, olivia: StaffMember, tara: StaffMember, casey: Client
) -> None:
    one, two = office(olivia), office(tara)
    ones, twos = _open(one, casey), _open(two, casey)
    one.send("edit-client", {**ones, "phone": "416 555 0111"}, client=casey.uuid)
    same = {**twos, "phone": "(416) 555-0111"}
    assert two.send("edit-client", same, client=casey.uuid).status_code == 302
    assert _changes() == [(olivia.account, ["phone"])]


def test_who_was_assigned_meanwhile_stays_and_only_what_was_ticked_is_written(
    office: Door, olivia: StaffMember, adam: StaffMember, tara: StaffMember, theo: StaffMember
) -> None:
    client = make_client("Ines Ortiz", tara)
    form = _open(office(olivia), client)
    assert form["therapists"] == [str(tara.uuid)]
    # A booking, say, assigns Theo, and Adam sees clients and takes her as well.
    StaffMember.objects.filter(pk=adam.pk).update(sees_clients=True)
    Assignment.objects.create(client=client, therapist=theo)
    form |= {"therapists": [str(adam.uuid)]}
    assert office(olivia).send("edit-client", form, client=client.uuid).status_code == 302
    assert set(client.therapists.all()) == {theo, adam}
    assert _changes() == [(olivia.account, ["therapists"])]
    unchanged = _open(office(olivia), client)
    Assignment.objects.filter(client=client, therapist=adam).delete()
    office(olivia).send("edit-client", unchanged, client=client.uuid)
    assert set(client.therapists.all()) == {theo}
    assert len(_changes()) == 1


@pytest.mark.parametrize("lost", ["", "garbage", "{}:x", None])
def test_a_form_that_has_lost_what_it_showed_writes_nothing(
    office: Door, tara: StaffMember, casey: Client, lost: str | None
) -> None:
    form = {**_open(office(tara), casey), "phone": "416 555 0111", "shown": lost}
    form = {name: value for name, value in form.items() if value is not None}
    answer = office(tara).send("edit-client", form, client=casey.uuid)
    assert answer.status_code == 422
    assert "This form has lost what it showed. Reload the page" in answer.content.decode()
    casey.refresh_from_db()
    assert casey.phone == ""


def test_saving_what_stands_there_writes_nothing(
    office: Door, tara: StaffMember, casey: Client
) -> None:
    Client.objects.filter(pk=casey.pk).update(
        phone="+442079460000", address="1 Quiet Road\nToronto", in_care_since="2024-05-06"
    )
    form = _open(office(tara), casey)
    assert office(tara).send("edit-client", form, client=casey.uuid).status_code == 302
    assert _changes() == []
