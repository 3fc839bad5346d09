"""The frame, fields and words that every page is made of."""

import gzip
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.template import Context, Template, engines
from django.test import RequestFactory
from django.urls import include, path
from django.utils.timezone import override

from roost.core.templatetags import roost as tags
from roost.core.templatetags import when

ROOST = Path(tags.__file__).parents[2]


def _nothing(request: HttpRequest, **kwargs: Any) -> None:
    """A route to link to; never called."""


def _door(name: str, *routes: str) -> Any:
    patterns = [path(f"{route}/" if route else "", _nothing, name=route) for route in routes]
    patterns.append(path("", _nothing, name="today"))
    patterns.append(path("clients/<int:number>/", _nothing, name="client"))
    return path(f"{name}/<slug:practice>/", include((patterns, name)))


urlpatterns = [
    _door("portal", "log-in", "log-out", "account", "security"),
    _door("office", "log-in", "log-out", "clients", "sessions", "settings", "account"),
]
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture(autouse=True)
def _plain_static_files(settings: Any) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


class Person(forms.Form):
    """Every kind of field once."""

    name = forms.CharField(label="Name", help_text="As on <b>paper</b>.")
    nickname = forms.CharField(label="Preferred name", required=False)
    email = forms.EmailField(
        label="Email", error_messages={"invalid": "That address needs an @.", "required": "Where?"}
    )
    born = forms.DateField(label="Date of birth", widget=forms.DateInput(attrs={"type": "date"}))
    days = forms.IntegerField(label="Days", widget=forms.NumberInput({"class": "input-short"}))
    service = forms.ChoiceField(label="Service", choices=[("i", "Individual"), ("f", "Family")])
    note = forms.CharField(label="Note", required=False, widget=forms.Textarea)
    mode = forms.ChoiceField(
        label="How", choices=[("v", "Video"), ("p", "Phone")], widget=forms.RadioSelect
    )
    attendees = forms.MultipleChoiceField(
        label="Attendees", choices=[("1", "Robin")], widget=forms.CheckboxSelectMultiple
    )
    remind = forms.BooleanField(label="Remind me", required=False)
    key = forms.CharField(widget=forms.HiddenInput, error_messages={"required": "Reload the page."})


GOOD = {
    "name": "Casey",
    "email": "casey@example.com",
    "born": date(1994, 3, 9),
    "days": 7,
    "service": "i",
    "mode": "v",
    "attendees": ["1"],
    "key": "k",
}


def _form(**changed: object) -> Person:
    return Person({**GOOD, **changed})


def _render(source: str, **context: object) -> str:
    return Template("{% load roost %}" + source).render(Context(context))


def _field(form: forms.Form, name: str, options: str = "") -> str:
    return _render("{% field bound " + options + " %}", bound=form[name])


def _request(door: str, where: str) -> HttpRequest:
    request = RequestFactory().get(where)
    request.door = door  # type: ignore[attr-defined]
    request.practice = SimpleNamespace(slug="maple")  # type: ignore[attr-defined]
    return request


def _page(name: str, door: str = "portal", where: str = "/portal/maple/", **context: object) -> str:
    """A whole template, without the context processors (and so without a database)."""
    practice = SimpleNamespace(
        name="Maple <Counselling>",
        slug="maple",
        phone="+14165550142",
        address="214 Harbord Street\nToronto",
    )
    engine: Any = engines["django"]
    request = _request(door, where)
    return str(
        engine.engine.get_template(name).render(
            Context({"practice": practice, "request": request, "csrf_token": "tok", **context})
        )
    )


# Icons


def test_icon_is_a_hidden_picture_from_the_one_sprite() -> None:
    assert _render('{% icon "leaf" %}{% icon "calendar" "icon-big" %}') == (
        '<svg class="icon" aria-hidden="true"><use href="/static/core/icons.svg#leaf"/></svg>'
        '<svg class="icon icon-big" aria-hidden="true">'
        '<use href="/static/core/icons.svg#calendar"/></svg>'
    )


def _icons_named() -> Iterator[tuple[str, str]]:
    for template in ROOST.glob("**/templates/**/*.html"):
        for name in re.findall(r'{% icon "([^"]+)"', template.read_text()):
            yield name, template.name


def test_every_icon_that_a_template_names_is_in_the_sprite_and_no_other() -> None:
    sprite = (ROOST / "core/static/core/icons.svg").read_text()
    drawn = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    named = list(_icons_named())
    assert ("leaf", "threshold.html") in named
    assert [(name, where) for name, where in named if name not in drawn] == []
    # And every page loads them all: none is in it for nothing. Some names stand in code.
    files = [each for ending in ("html", "py", "js") for each in ROOST.rglob(f"*.{ending}")]
    text = "".join(each.read_text() for each in files)
    assert [name for name in drawn if not re.search(f"[\"'#]{name}[\"']", text)] == []


# Fields


def test_field_ties_label_and_help_to_the_input() -> None:
    html = _field(Person(), "name")
    assert '<label for="id_name">Name</label>' in html
    assert re.search(r'<input [^>]*class="input"[^>]*aria-describedby="id_name_helptext"', html)
    assert '<p class="help" id="id_name_helptext">As on &lt;b&gt;paper&lt;/b&gt;.</p>' in html
    assert "aria-invalid" not in html
    assert "field-error" not in html


def test_field_says_what_is_optional_unless_told_not_to() -> None:
    assert 'Preferred name <span class="optional">(optional)</span>' in _field(Person(), "nickname")
    assert "(optional)" not in _field(Person(), "name")
    assert "(optional)" not in _field(Person(), "remind")
    assert "(optional)" not in _field(Person(), "nickname", "optional=False")


def test_field_shows_its_error_beside_it_and_keeps_what_was_typed() -> None:
    html = _field(_form(email='"><script>alert(1)</script>'), "email")
    assert html.startswith('<div class="field field-error">')
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_email_error"' in html
    assert re.search(r'<p class="error" id="id_email_error">.*That address needs an @\.', html)
    assert 'value="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"' in html
    assert "<script>" not in html


def test_field_holds_words_ready_for_the_browsers_own_check() -> None:
    html = _field(Person(), "email")
    assert re.search(r'<p class="error" id="id_email_hint">.*That address needs an @\.', html)
    assert "aria-describedby" not in html
    assert "_hint" not in _field(Person(), "nickname")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("born", r'<input type="date"[^>]*class="input"'),
        ("days", r'<input type="number"[^>]*class="input input-short"'),
        ("service", r'<select[^>]*class="input"'),
        ("note", r'<textarea[^>]*class="input"'),
        ("key", r'^<input type="hidden" name="key"[^>]*>$'),
        ("remind", r'<label class="check" for="id_remind"><input type="checkbox"[^>]*> <span>R'),
    ],
)
def test_field_draws_each_kind_in_its_own_way(name: str, expected: str) -> None:
    assert re.search(expected, _field(Person(), name))


def test_field_of_choices_is_a_named_group_whose_error_is_its_description() -> None:
    html = _field(_form(mode=""), "mode", 'css="wide"')
    assert html.startswith(
        '<fieldset class="field field-choices field-error wide" role="radiogroup"'
        ' aria-invalid="true" aria-describedby="id_mode_error">'
    )
    assert "<legend>How</legend>" in html
    assert html.count('<label class="choice" for="id_mode_') == 2
    assert '<p class="error" id="id_mode_error">' in html


def test_field_of_several_choices_is_a_group_of_checks() -> None:
    html = _field(_form(), "attendees")
    assert html.startswith('<fieldset class="field field-choices">')
    assert re.search(r'<label class="check" for="id_attendees_0"><input [^>]*checked', html)


# The summary


def test_summary_is_absent_while_nothing_is_wrong() -> None:
    assert _render("{% summary form %}", form=Person()).strip() == ""
    assert _render("{% summary form none %}", form=_form(), none=None).strip() == ""


def test_summary_counts_and_links_to_the_first_control_of_each_field() -> None:
    html = _render("{% summary form %}", form=_form(email="x", mode="", key=""))
    assert '<div class="summary" role="alert" tabindex="-1">' in html
    assert "<h2>Three things to look at</h2>" in html
    assert '<li><a href="#id_email">Email: That address needs an @.</a></li>' in html
    assert '<li><a href="#id_mode_0">How: Fill this in.</a></li>' in html
    assert "<p>Reload the page.</p>" in html
    assert "<p>Everything else you typed is kept.</p>" in html
    for target in re.findall('href="#([^"]+)"', html):
        assert f'id="{target}"' in "".join(_field(_form(), name) for name in ("email", "mode"))


def test_summary_speaks_for_several_forms_and_of_passwords_lost() -> None:
    class LogIn(forms.Form):
        password = forms.CharField(widget=forms.PasswordInput)

        def clean(self) -> None:
            raise forms.ValidationError("The e-mail and password don’t belong together.")

    html = _render("{% summary one two %}", one=_form(), two=LogIn({"password": "x"}))
    assert "<h2>One thing to look at</h2>" in html
    assert "<p>The e-mail and password don’t belong together.</p>" in html
    assert "kept" not in html
    html = _render("{% summary one two %}", one=_form(email="x"), two=LogIn({"password": ""}))
    assert "Everything else you typed is kept, but for passwords." in html
    html = _render("{% summary one heading='Not yet' kept=False %}", one=_form(email="x"))
    assert "<h2>Not yet</h2>" in html
    assert "kept" not in html


# Links, names and numbers


def test_door_url_stays_in_the_readers_door_and_practice() -> None:
    source = "{% door_url 'log-in' %} {% door_url 'client' 7 %} {% door_url 'client' number=8 %}"
    for door in ("portal", "office"):
        html = _render(source, request=_request(door, "/"))
        assert html == (f"/{door}/maple/log-in/ /{door}/maple/clients/7/ /{door}/maple/clients/8/")


@pytest.mark.parametrize(
    ("where", "clients", "today"),
    [
        ("/office/maple/clients/", ' aria-current="page"', ""),
        ("/office/maple/clients/7/", ' aria-current="true"', ""),
        ("/office/maple/", "", ' aria-current="page"'),
        ("/office/maple/settings/", "", ""),
    ],
)
def test_here_marks_the_page_and_what_lies_below_it(where: str, clients: str, today: str) -> None:
    request = _request("office", where)
    assert _render("{% here 'clients' %}", request=request) == clients
    assert _render("{% here 'today' %}", request=request) == today


@pytest.mark.parametrize(
    ("number", "shown", "dialled"),
    [
        ("+14165550142", "416 555 0142", "tel:+1-416-555-0142"),
        ("(416) 555-0142", "416 555 0142", "tel:+1-416-555-0142"),
        ("+14165550142;ext=12", "416 555 0142 ext. 12", "tel:+1-416-555-0142;ext=12"),
        ("+442079460018", "+44 20 7946 0018", "tel:+44-20-7946-0018"),
        ("ask at the desk", "ask at the desk", ""),
        ("", "", ""),
        (None, "", ""),
    ],
)
def test_phone_is_read_out_as_at_home_and_dialled_in_full(
    number: object, shown: str, dialled: str
) -> None:
    assert (tags.phone(number), tags.tel(number)) == (shown, dialled)


def test_names_and_addresses_are_shortened_for_a_line() -> None:
    assert tags.initials("Oluwaseun Adébáyò-Thornbury") == "OA"
    assert tags.initials("Cher") == "C"
    assert tags.initials(None) == ""
    assert tags.address_line("214 Harbord Street,\r\n\nToronto") == "214 Harbord Street, Toronto"


def test_a_long_address_is_broken_between_its_parts_and_a_short_one_is_whole() -> None:
    assert tags.breakable("casey@client.example") == "casey@client.example"
    assert tags.breakable("ana-maria.de.la.cruz@mail.client.example") == (
        "ana-<wbr>maria.<wbr>de.<wbr>la.<wbr>cruz@<wbr>mail.<wbr>client.<wbr>example"
    )
    assert "&lt;b&gt;" in tags.breakable("<b>" + "x" * 40 + "@client.example")


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2026, 11, 27, 12, tzinfo=UTC), "tomorrow at noon"),
        (datetime(2026, 11, 24, 12, tzinfo=UTC), "Tuesday 24 November at noon"),
        (datetime(2026, 11, 27, 0, tzinfo=UTC), "tonight at midnight"),
        (datetime(2026, 11, 28, 0, tzinfo=UTC), "Saturday 28 November, 12:00 am"),
        (datetime(2026, 11, 26, 12, 1, tzinfo=UTC), "today, 12:01 pm"),
    ],
)
def test_noon_and_midnight_are_called_so(moment: datetime, words: str) -> None:
    with time_machine.travel(datetime(2026, 11, 26, 9, tzinfo=UTC)), override("UTC"):
        assert when.said_at(moment) == words


def test_an_address_in_a_column_is_broken_sooner_and_its_markup_is_text() -> None:
    engine: Any = engines["django"].engine  # type: ignore[attr-defined]
    template = engine.from_string("{% load roost %}{{ to|breakable:12 }}")
    assert template.render(Context({"to": "<b>ana-maria</b>@mail.example"})) == (
        "&lt;b&gt;ana-<wbr>maria&lt;/b&gt;@<wbr>mail.<wbr>example"
    )
    assert template.render(Context({"to": "a.b@c.test"})) == "a.b@c.test"
    assert template.render(Context({"to": "<i>"})) == "&lt;i&gt;"


def test_pages_offer_the_neighbours_and_keep_the_search() -> None:
    engine: Any = engines["django"]
    html = engine.engine.get_template("core/pages.html").render(
        Context(
            {
                "page": Paginator(range(500), 25).page(7),
                "noun": "clients",
                "request": RequestFactory().get("/", {"q": "wei", "page": 7}),
            }
        )
    )
    assert "151–175 of 500 clients" in html
    assert '<a href="?q=wei&amp;page=7" aria-current="page">7</a>' in html
    assert '<a href="?q=wei&amp;page=6" aria-label="Previous page">' in html
    assert html.count("…") == 2


# Whole pages


def test_portal_page_offers_my_account_and_a_log_out_that_posts() -> None:
    html = _page(
        "portal/base.html",
        where="/portal/maple/account/",
        account=SimpleNamespace(email="casey@example.com"),
        person_name="Casey Nguyen<br>",
        initials="CN",
    )
    assert '<a href="/portal/maple/account/" aria-current="page">My Account</a>' in html
    assert '<form method="post" action="/portal/maple/log-out/">' in html
    assert 'name="csrfmiddlewaretoken" value="tok"' in html
    assert '<a href="tel:988">9-8-8</a>' in html
    assert "Casey Nguyen&lt;br&gt;" in html
    assert '<span class="initials" aria-hidden="true">CN</span>' in html
    assert "Maple &lt;Counselling&gt;, 214 Harbord Street, Toronto" in html


def test_portal_page_before_log_in_offers_nothing_of_an_account() -> None:
    html = _page("portal/base.html")
    assert "My Account" not in html
    assert "log-out" not in html


def test_office_page_has_its_four_rooms_and_a_place_for_who_knocks() -> None:
    staff = SimpleNamespace(display_name="Tara Okafor")
    html = _page("office/base.html", "office", "/office/maple/clients/", staff=staff)
    nav = re.search(r'<nav class="desk-nav".*?</nav>', html, re.S)
    assert nav
    assert re.findall(r">(\w+)</a>", nav[0]) == ["Today", "Clients", "Sessions", "Settings"]
    assert '<a href="/office/maple/clients/" aria-current="page">Clients</a>' in html
    assert 'id="knock"' in html
    assert '<span class="initials" aria-hidden="true">TO</span>' in html
    assert "> My Account</a>" in html


@pytest.mark.parametrize(("door", "light"), [("portal", True), ("office", False)])
def test_daylight_falls_on_the_portals_wall_only(door: str, light: bool) -> None:
    html = _page("core/threshold.html", door)
    assert ("daylight" in html) is light
    assert f'href="/{door}/maple/log-in/"' in html
    assert "htmx.min.js" not in html


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500"])
def test_error_page_says_what_happened_with_a_practice_and_without(name: str) -> None:
    engine: Any = engines["django"]
    bare = engine.engine.get_template(f"{name}.html").render(Context({}))
    for html in (bare, _page(f"{name}.html", "office", "/office/maple/q/")):
        heading = re.search(r"<h1>([^<]+)</h1>", html)
        assert heading
        assert f"<title>{heading[1]} – " in html
        paragraphs = re.findall(r"<p>([^<]+)</p>", html)
        assert len(paragraphs) == 3
        assert all(len(paragraph) > 15 for paragraph in paragraphs)


def test_no_template_carries_script_or_style_of_its_own() -> None:
    forbidden = re.compile(r"""<style|<script(?![^>]*\bsrc=)[^>]*>|\sstyle=|\son[a-z]+=|hx-on""")
    templates = list(ROOST.glob("**/templates/**/*.html"))
    assert len(templates) > 10
    found = [(each.name, forbidden.findall(each.read_text())) for each in templates]
    assert [(name, hits) for name, hits in found if hits] == []


def test_first_visit_of_a_threshold_stays_within_its_weight() -> None:
    """Compressed bytes of what the log-in page loads, the page itself aside: 56 of its 60 KB."""
    static = ROOST / "core/static/core"
    font = static / "fonts/schibsted-grotesk-latin.woff2"
    assert font.stat().st_size <= 28 * 1024
    html = _page("core/threshold.html")
    loaded = set(re.findall(r'"/static/core/([^"#]+)', html)) | {"icons.svg"}
    assert {"tokens.css", "components.css", "threshold.css", "ui.js"} <= loaded
    weight = sum(
        len(data) if name.endswith("woff2") else len(gzip.compress(data))
        for name in loaded
        for data in [(static / name).read_bytes()]
    )
    assert weight <= 56 * 1024
