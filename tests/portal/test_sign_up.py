"""Create Account and the Account page, through the portal's own pages."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from roost.accounts import sign_ups
from roost.accounts.enums import LinkPurpose
from roost.accounts.links import finish, mail_link
from roost.accounts.models import Account, SignIn, SignUp, SignUpVisit
from roost.clients import prospects
from roost.clients.models import Client, PortalAccess, Prospect
from roost.clients.services import take_access_away
from roost.core.time import now
from roost.outbox.kinds import Outdated, compose
from roost.outbox.models import OutgoingMessage
from roost.practices.models import Practice
from roost.staff.models import StaffMember
from tests.support.cast import PASSWORD, Cast
from tests.support.doors import Visitor

Door = Callable[..., Visitor]
SECRET = "violet umbrella by the door"
UNA = "una@prospect.example"


@pytest.fixture(autouse=True)
def allowed(maple: Practice) -> None:
    """Maple lets clients create accounts."""
    maple.allow_sign_up = True
    maple.save(update_fields=["allow_sign_up"])


def typed(email: str = UNA, **more: str) -> dict[str, Any]:
    """What Una types into Create Account."""
    names = {"first_name": "Una", "last_name": "Okoro", "password": SECRET}
    return {"form_key": uuid.uuid4(), "email": email, **names, **more}


def signed_up(portal: Door, email: str = UNA, **more: str) -> tuple[Visitor, SignUp]:
    visitor = portal()
    answer = visitor.send("create-account", typed(email, **more))
    assert (answer.status_code, answer["Location"]) == (302, "/portal/maple/account/")
    return visitor, SignUp.objects.latest("pk")


def mailed(sign_up: SignUp) -> tuple[str, str]:
    """Path of the link and the code, as the newest mail says them."""
    message = OutgoingMessage.objects.filter(kind="verify_email", to=sign_up.email).latest("pk")
    _, text = compose(message)
    link = re.search(r"https?://[^/\s]+(/portal/\S+)", text)
    code = re.search(r"^\d{6}$", text, re.M)
    assert link and code
    return link[1], code[0]


def test_with_no_there_is_no_link_and_both_methods_refuse_in_words(
    portal: Door, maple: Practice
) -> None:
    assert "Create Account" in portal().go("log-in").content.decode()
    maple.allow_sign_up = False
    maple.save(update_fields=["allow_sign_up"])
    assert "Create Account" not in portal().go("log-in").content.decode()
    seen, sent = portal().go("create-account"), portal().send("create-account", typed())
    assert "Nothing that you typed" not in seen.content.decode()
    assert "Nothing that you typed" in sent.content.decode()
    for answer in (seen, sent):
        assert answer.status_code == 403
        assert "You can’t create an account here by yourself." in answer.content.decode()
    assert not SignUp.objects.exists()


def test_sign_up_shows_the_account_page_and_no_other(portal: Door) -> None:
    visitor, _ = signed_up(portal)
    page = visitor.go("sign-up")
    words = page.content.decode()
    assert page.status_code == 200
    assert page["Cache-Control"] == "no-store"
    for said in ("Nearly there, Una", UNA, "Resend verification email", "Confirmation code"):
        assert said in words
    assert not SignIn.objects.exists()
    assert "roost-portal-maple" not in visitor.cookies
    assert visitor.cookies["roost-portal-maple_sign_up"]["httponly"]
    for route in ("account", "change-password", "time-zone", "home", "choose-password"):
        answer = visitor.go(route)
        assert (answer.status_code, answer["Location"]) == (302, "/portal/maple/account/"), route
    room = visitor.go("room", appointment=uuid.uuid4())
    assert (room.status_code, room["Location"]) == (302, "/portal/maple/account/")


def test_what_was_typed_stays_when_something_is_wrong(portal: Door) -> None:
    wrong = {"email": "una@", "password": "short", "phone": "12"}
    answer = portal().send("create-account", typed(**wrong, preferred_name="<b>Uni</b>"))
    words = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="una@"' in words
    assert "&lt;b&gt;Uni&lt;/b&gt;" in words
    assert "It needs 12 or more" in words
    assert "short" not in re.findall(r'value="([^"]*)"', words)
    assert not SignUp.objects.exists()


def test_a_password_of_ones_own_names_is_refused(portal: Door) -> None:
    answer = portal().send("create-account", typed(password="unaokoroprospect"))
    assert answer.status_code == 422
    assert "too close to your name" in answer.content.decode()


def test_one_form_makes_one_sign_up(portal: Door) -> None:
    form = typed()
    first, again, thief = portal(), portal(), portal()
    assert first.send("create-account", form).status_code == 302
    assert again.send("create-account", form)["Location"] == "/portal/maple/account/"
    assert SignUp.objects.count() == 1
    stolen = thief.send("create-account", {**form, "password": "another password here"})
    assert stolen["Location"] == "/portal/maple/log-in/"
    assert "roost-portal-maple_sign_up" not in thief.cookies


def test_the_code_verifies_and_leads_to_the_waiting_page(portal: Door) -> None:
    visitor, sign_up = signed_up(portal)
    _, code = mailed(sign_up)
    answer = visitor.send("sign-up", {"do": "verify", "code": f"{code[:3]} {code[3:]}"})
    assert (answer.status_code, answer["Location"]) == (302, "/portal/maple/my-account/")
    page = visitor.go("account").content.decode()
    for said in (
        "You’re on the list, Una",
        'Your <span class="nowrap">e-mail</span> is verified',
        "Maple Counselling has been told",
    ):
        assert said in page
    assert not SignUpVisit.objects.exists()
    assert Account.objects.get(email=UNA).mailbox_proven_at is not None


def test_who_has_lost_their_access_is_not_told_to_wait(
    portal: Door, olivia: StaffMember, noor: Client
) -> None:
    """Undo puts somebody back on the list. Access that was taken away is over, and it says so."""
    _, sign_up = signed_up(portal)
    account = prospects.prove_mailbox(sign_up, through="code")
    prospect = Prospect.objects.get(account=account)

    def page() -> str:
        # Every sign-in ends with the access.
        return portal(account).go("account").content.decode()  # type: ignore[no-any-return]

    assert "You’re on the list, Una" in page()
    for how in ("undone", "taken away", "undone again"):
        prospects.associate(
            prospect=prospect, seen=UNA, client=noor, relationship="self", by=olivia
        )
        assert "Hello, Noor" in page()
        prospect.refresh_from_db()
        if how == "taken away":
            access = PortalAccess.objects.get(account=account, ended_at=None)
            take_access_away(access=access, by=olivia)
            assert "You’re on the list" not in page()
            assert "or the link has ended" in page()
            assert Prospect.objects.get(pk=prospect.pk).state == "waiting"
        else:
            prospects.undo_link(prospect=prospect, stamp=prospect.link_stamp, by=olivia)
            assert "You’re on the list, Una" in page()


def test_a_wrong_code_says_so_and_too_many_are_stopped(portal: Door) -> None:
    visitor, sign_up = signed_up(portal)
    _, code = mailed(sign_up)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for _ in range(10):
        answer = visitor.send("sign-up", {"do": "verify", "code": wrong})
        assert answer.status_code == 422
        assert "That is not the code." in answer.content.decode()
    stopped = visitor.send("sign-up", {"do": "verify", "code": code})
    assert stopped.status_code == 429
    assert "Too many codes" in stopped.content.decode()
    path, _ = mailed(sign_up)
    assert visitor.post(path).status_code == 302


def test_the_link_in_the_same_browser_needs_one_press(portal: Door) -> None:
    visitor, sign_up = signed_up(portal)
    path, _ = mailed(sign_up)
    for method in (visitor.get, visitor.head):
        assert method(path).status_code == 200
    assert not Account.objects.filter(email=UNA).exists()
    assert 'name="password"' not in visitor.get(path).content.decode()
    assert visitor.post(path)["Location"] == "/portal/maple/my-account/"
    assert Account.objects.get(email=UNA).mailbox_proven_at is not None


def test_the_link_in_another_browser_asks_for_the_sign_ups_password(portal: Door) -> None:
    _, sign_up = signed_up(portal)
    path, _ = mailed(sign_up)
    phone = portal()
    assert 'name="password"' in phone.get(path).content.decode()
    assert phone.post(path).status_code == 422
    wrong = phone.post(path, {"password": "the mailbox owner’s guess"})
    assert wrong.status_code == 422
    assert not Account.objects.filter(email=UNA).exists()
    assert phone.post(path, {"password": SECRET})["Location"] == "/portal/maple/my-account/"
    assert phone.go("account").status_code == 200


def test_links_reused_tampered_expired_and_of_another_practice(
    portal: Door, other: Cast, maple: Practice
) -> None:
    visitor, sign_up = signed_up(portal)
    path, _ = mailed(sign_up)
    assert portal().get(path[:-2] + "x/").status_code == 410
    foreign = Visitor(other.practice, "portal").get(path.replace("/maple/", "/cedar/"))
    assert foreign.status_code == 410
    SignUp.objects.update(link_expires_at=now() - timedelta(seconds=1))
    expired = portal().get(path)
    assert expired.status_code == 410
    assert "This link has expired" in expired.content.decode()
    assert portal().post(path, {"password": SECRET}).status_code == 410
    renewed = portal().post(path.replace("/verify/", "/new-verification/"))
    assert renewed.status_code == 429  # the first mail left less than a minute ago
    SignUp.objects.update(mailed_at=now() - timedelta(minutes=2))
    renewed = portal().post(path.replace("/verify/", "/new-verification/"))
    assert "It goes to the same address" in renewed.content.decode()
    sign_up.refresh_from_db()
    fresh, _ = mailed(sign_up)
    assert fresh != path
    assert portal().get(path).status_code == 410
    assert visitor.post(fresh).status_code == 302
    used = portal().get(fresh)
    assert used.status_code == 410
    assert "This link has done its work" in used.content.decode()


def test_resend_has_a_pause_and_an_end(portal: Door) -> None:
    visitor, sign_up = signed_up(portal)
    path, _ = mailed(sign_up)
    early = visitor.send("sign-up", {"do": "resend"})
    assert early.status_code == 429
    assert "more this hour" not in early.content.decode()
    for left in ("2", "1", "No"):
        SignUp.objects.update(mailed_at=now() - timedelta(minutes=2))
        assert visitor.send("sign-up", {"do": "resend"}).status_code == 302
        assert f"{left} more this hour. " in visitor.go("sign-up").content.decode()
    SignUp.objects.update(mailed_at=now() - timedelta(minutes=2))
    assert visitor.send("sign-up", {"do": "resend"}).status_code == 429
    assert OutgoingMessage.objects.filter(kind="verify_email").count() == 4
    assert mailed(sign_up)[0] == path  # either mail will do


def test_a_corrected_address_is_the_only_one_that_can_be_proven(portal: Door) -> None:
    visitor, sign_up = signed_up(portal, "ona@prospect.example")
    old_path, old_code = mailed(sign_up)
    old = OutgoingMessage.objects.get(kind="verify_email")
    answer = visitor.send("correct-address", {"email": UNA})
    assert answer["Location"] == "/portal/maple/account/?corrected=1"
    with pytest.raises(Outdated):
        compose(old)
    assert visitor.post(old_path).status_code == 410
    assert visitor.send("sign-up", {"do": "verify", "code": old_code}).status_code == 422
    sign_up.refresh_from_db()
    path, _ = mailed(sign_up)
    assert visitor.post(path).status_code == 302
    assert Account.objects.get(email__contains="prospect").email == UNA
    assert Prospect.objects.get().email == UNA


def test_staff_verify_while_the_page_is_open_and_continue_goes_in(
    portal: Door, olivia: StaffMember
) -> None:
    visitor, _ = signed_up(portal)
    account = prospects.verify(
        prospect=Prospect.objects.get(), seen=UNA, by=olivia, reason="At the desk"
    )
    page = visitor.go("sign-up").content.decode()
    assert "You’re verified, Una" in page
    assert not SignIn.objects.exists()
    assert visitor.send("sign-up")["Location"] == "/portal/maple/my-account/"
    words = visitor.go("account").content.decode()
    assert "Maple Counselling has confirmed you" in words
    assert "Your e-mail is verified" not in words
    assert SignIn.objects.get().account == account


def test_a_visit_does_not_outlive_the_password_it_was_opened_with(
    portal: Door, olivia: StaffMember
) -> None:
    visitor, _ = signed_up(portal)
    account = prospects.verify(
        prospect=Prospect.objects.get(), seen=UNA, by=olivia, reason="At the desk"
    )
    finish(mail_link(account, LinkPurpose.RESET, door="portal"), "chosen through a reset since")
    assert visitor.send("sign-up")["Location"].startswith("/portal/maple/log-in/")
    assert not SignIn.objects.exists()


def test_a_visit_ends_with_log_out_after_idling_and_after_12_hours(portal: Door) -> None:
    visitor, _ = signed_up(portal)
    cookie = visitor.cookies["roost-portal-maple_sign_up"].value
    assert visitor.send("log-out").status_code == 302
    visitor.cookies["roost-portal-maple_sign_up"] = cookie
    assert visitor.go("sign-up")["Location"].startswith("/portal/maple/log-in/")
    for change in ({"used_at": now() - timedelta(minutes=61)}, {"expires_at": now()}):
        visitor = portal()
        answer = visitor.send("log-in", {"email": UNA, "password": SECRET})
        assert answer["Location"] == "/portal/maple/account/"
        assert visitor.go("sign-up").status_code == 200
        SignUpVisit.objects.update(**change)
        assert visitor.go("sign-up")["Location"].startswith("/portal/maple/log-in/")


def test_a_sign_up_is_nobody_at_the_office_and_at_another_practice(
    portal: Door, office: Door, other: Cast
) -> None:
    visitor, _ = signed_up(portal)
    key = visitor.cookies["roost-portal-maple_sign_up"].value
    for practice, door in ((other.practice, "portal"), (visitor.practice, "office")):
        there = Visitor(practice, door)
        there.cookies[f"roost-{door}-{practice.slug}_sign_up"] = key
        answer = there.go("log-in")
        assert answer.status_code == 200
        assert "Una" not in answer.content.decode()
    answer = office().send("log-in", {"email": UNA, "password": SECRET})
    assert answer.status_code == 422
    assert "You’re at the other door" in answer.content.decode()


def test_pre_hijacking_a_strangers_password_never_gets_in(portal: Door) -> None:
    """A stranger signs up with Una's address; Una does all she can with the mail she gets."""
    stranger, hers = portal(), portal()
    stranger.send("create-account", typed(password="the stranger’s own password"))
    theirs = SignUp.objects.get()
    path, _ = mailed(theirs)
    hers.get(path)
    hers.head(path)
    hers.post(path)
    hers.post(path, {"password": SECRET})
    assert not Account.objects.filter(email=UNA).exists()
    hers.send("create-account", typed())
    mine = SignUp.objects.latest("pk")
    hers.post(path)  # the stranger's link, in the browser of her own sign-up
    assert not Account.objects.filter(email=UNA).exists()
    assert hers.post(mailed(mine)[0]).status_code == 302
    account = Account.objects.get(email=UNA)
    assert account.check_password(SECRET)
    assert stranger.post(path).status_code == 410
    for visitor in (stranger, portal()):
        visitor.send("log-out")
        answer = visitor.send("log-in", {"email": UNA, "password": "the stranger’s own password"})
        assert answer["Location"] == "/portal/maple/account/"  # still a sign-up, for good
        assert visitor.go("account")["Location"] == "/portal/maple/account/"
    account.refresh_from_db()
    assert account.check_password(SECRET)


def test_a_known_address_keeps_its_log_in_and_gets_a_note(
    portal: Door, casey: Client, casey_account: Account
) -> None:
    visitor, sign_up = signed_up(portal, "casey@client.example")
    note = OutgoingMessage.objects.get(to="casey@client.example")
    assert note.kind == "address_known"
    subject, text = compose(note)
    assert subject == "You have a log-in at Maple Counselling already"
    assert "/portal/maple/log-in/" in text
    assert "/portal/maple/forgot-password/" in text
    code = sign_ups.code_of(sign_up)
    assert visitor.send("sign-up", {"do": "verify", "code": code}).status_code == 422
    owner = portal().send("log-in", {"email": "casey@client.example", "password": PASSWORD})
    assert owner["Location"] == "/portal/maple/my-account/"
    assert PortalAccess.objects.get(account=casey_account, ended_at=None).client == casey


@pytest.mark.parametrize(
    ("email", "status"),
    [
        ("UNA@Prospect.EXAMPLE", 302),
        ("unа@prospect.example", 422),
        ("una@bücher.example", 302),
        ("u" * 64 + "@" + "d" * 61 + "." + "e" * 61 + "." + "f" * 57 + ".example", 302),
        ("u" * 64 + "@" + "d" * 61 + "." + "e" * 61 + "." + "f" * 58 + ".example", 422),
        ("una@prospect.example\r\nBcc: all@prospect.example", 422),
    ],
)
def test_addresses_of_every_kind(portal: Door, email: str, status: int) -> None:
    visitor = portal()
    assert visitor.send("create-account", typed(email)).status_code == status
    for sign_up in SignUp.objects.all():
        assert sign_up.email.isascii()
        assert sign_up.email == sign_up.email.lower()
        assert visitor.post(mailed(sign_up)[0]).status_code == 302


def test_one_source_cannot_ask_for_ever(portal: Door) -> None:
    for number in range(20):
        assert portal().send("create-account", typed(f"u{number}@x.example")).status_code == 302
    answer = portal().send("create-account", typed())
    assert answer.status_code == 429
    assert "Too many tries" in answer.content.decode()
    assert f'value="{UNA}"' in answer.content.decode()
