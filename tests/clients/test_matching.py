"""Who a prospect may be: the evidence, name by name and line by line."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.clients.matching import (
    Facts,
    Files,
    Kind,
    Match,
    Segment,
    Speaks,
    Verdict,
    compare,
    differences,
    likely,
    side_by_side,
)

BORN = date(1990, 5, 14)
JORDAN = Facts(
    first_name="Jordan",
    last_name="Achebe",
    email="jordan.achebe@example.com",
    phone="+14165550199",
    date_of_birth=BORN,
)


def person(name: str = "", **facts: Any) -> Facts:
    """Somebody from "Last, First" or "First Last"."""
    if "," in name:
        last, _, first = name.partition(", ")
    else:
        first, _, last = name.partition(" ")
    return Facts(first_name=first, last_name=last, **facts)


def kinds(match: Match) -> set[Kind]:
    return {reason.kind for reason in match.reasons}


def by_name(prospect: Facts, client: Facts) -> str:
    """What the names alone say: "same", "similar" or "other"."""
    found = kinds(compare(prospect, client, mailbox_proven=False))
    if Kind.SAME_NAME in found:
        return "same"
    return "similar" if Kind.SIMILAR_NAME in found else "other"


# Names. Each pair is "First Last", or "Last, First" where a first name has several words.

NAMES = [
    # The same name, however it is typed
    ("Jordan Achebe", "Jordan Achebe", "same"),
    ("JORDAN ACHEBE", "jordan achebe", "same"),
    ("Achebe Jordan", "Jordan Achebe", "same"),
    ("Zoe Tremblay", "Zoë Tremblay", "same"),
    ("Bjorn Asgeirsson", "Björn Ásgeirsson", "same"),
    ("Henrik Sorensen", "Henrik Sørensen", "same"),
    ("Tomasz Wroblewski", "Tomasz Wróblewski", "same"),
    ("Shane O'Neil", "Shane O’Neil", "same"),
    ("Shane ONeil", "Shane O’Neil", "same"),
    ("Shane O Neil", "Shane O’Neil", "same"),
    ("Moira Mac Aulay", "Moira MacAulay", "same"),
    ("Fernández Oyelaran de la Cruz, Maria Alejandra",
     "Fernández-Oyelaran de la Cruz, Maria-Alejandra", "same"),
    ("Lee, Mary Ann", "Lee, Maryann", "same"),
    ("Pham, Thuy Linh", "Phạm, Thùy Linh", "same"),
    ("Hans Strauß", "Hans Strauss", "same"),
    ("Smith-Jones, Ana", "Jones Smith, Ana", "same"),
    ("王 偉", "王 偉", "same"),
    ("Ольга Петрова", "ОЛЬГА ПЕТРОВА", "same"),
    ("فاطمة السيد", "فاطمة السيد", "same"),
    ("प्रिया रमन", "प्रिया रमन", "same"),
    # A similar one
    ("Jordan Achebe", "Jordana Achebe-Miles", "similar"),
    ("Jordan Achebe", "Jordan Achebe-Miles", "similar"),
    ("Jordan Acehbe", "Jordan Achebe", "similar"),
    ("Jodan Achebe", "Jordan Achebe", "similar"),
    ("Jhon Whitcombe", "John Whitcombe", "similar"),
    ("Fournier Liz", "Elizabeth Fournier", "similar"),
    ("Hannah Whitcomb", "Hannah Whitcombe", "similar"),
    ("Hanna Whitcombe", "Hannah Whitcombe", "similar"),
    ("Liz Fournier", "Elizabeth Fournier", "similar"),
    ("Bob Abrams", "Robert Abrams", "similar"),
    ("Bill Pettigrew", "William Pettigrew", "similar"),
    ("Peggy Byrne", "Margaret Byrne", "similar"),
    ("Maria de la Cruz", "Fernández-Oyelaran de la Cruz, Maria-Alejandra", "similar"),
    ("Cruz, Maria Alejandra", "Fernández-Oyelaran de la Cruz, Maria-Alejandra", "similar"),
    ("Ana Souza", "Souza, Ana Beatriz", "similar"),
    ("Fatima Sayed", "Fatima Al-Sayed", "similar"),
    ("Oluwaseun Adebayo", "Oluwaseun Adébáyò-Thornbury", "similar"),
    ("Featherston Collin", "Colin Featherstone", "similar"),
    ("Müller, Jonas", "Mueller, Jonas", "similar"),
    ("J Achebe", "Jordan Achebe", "similar"),
    ("Sarah Vega", "Sara Vega", "similar"),
    # Somebody else
    ("Jordan Achebe", "Casey Nguyen", "other"),
    ("Jordan Achebe", "Miles Achebe", "other"),
    ("Jordan Achebe", "Jordan Nguyen", "other"),
    ("Robin Parker", "Remy Parker", "other"),
    ("Al Li", "Li Xu", "other"),
    ("Al Wu", "Li Wu", "other"),
    ("Wei Wang", "Wei Wong", "other"),
    ("Mark Smith", "Mary Smith", "other"),
    ("Dana Vega", "Dina Vega", "other"),
    ("Garcia Lopez, Maria", "Garcia Perez, Maria", "other"),
    ("Maria de la Cruz", "Maria de la Vega", "other"),
    ("Anna Li", "Anna Le", "other"),
    ("王 偉", "王 芳", "other"),
    ("Ольга Петрова", "Анна Петрова", "other"),
    ("Kim, Ha", "Kim, Ho", "other"),
    ("Jordan", "Jordan Achebe", "other"),
    ("", "Jordan Achebe", "other"),
    ("", "", "other"),
    ("- '", "’ –", "other"),
]  # fmt: skip


@pytest.mark.parametrize(("left", "right", "expected"), NAMES)
def test_names_are_compared_as_people_would(left: str, right: str, expected: str) -> None:
    assert by_name(person(left), person(right)) == expected
    assert by_name(person(right), person(left)) == expected


@pytest.mark.parametrize(
    ("prospect", "client"),
    [
        (person("Tomek Nowak"), person("Tomasz Nowak", preferred_name="Tomek")),
        (person("Tomasz Nowak", preferred_name="Tomek"), person("Tomek Nowak")),
        (person("Robert Nowak", preferred_name="Bia"), person("Ana Nowak", preferred_name="Bia")),
        (person("Jo Achebe"), person("Jordan Achebe", preferred_name="Jo")),
    ],
)
def test_a_preferred_name_on_either_side_makes_names_similar(
    prospect: Facts, client: Facts
) -> None:
    assert by_name(prospect, client) == "similar"


# The other facts


def test_an_equal_address_counts_only_when_the_mailbox_is_proven() -> None:
    prospect = person("Robin Parker", email=" Parker@Client.Example ")
    client = person("Casey Nguyen", email="parker@client.example")
    proven = compare(prospect, client, mailbox_proven=True)
    assert [r.words for r in proven.reasons] == ["same e-mail"]
    assert proven.is_likely
    assert not proven.only_name_agrees
    unproven = compare(prospect, client, mailbox_proven=False)
    [reason] = unproven.reasons
    assert (reason.words, reason.speaks) == ("same e-mail, not verified", Speaks.WEAKLY)
    assert not unproven.is_likely
    assert unproven.only_name_agrees
    assert unproven.score < proven.score


def test_an_equal_address_without_proof_leaves_only_the_name() -> None:
    prospect = person("Jordan Achebe", email="a@b.example")
    match = compare(prospect, prospect, mailbox_proven=False)
    assert match.is_likely
    assert match.only_name_agrees
    assert not match.suggests_duplicate
    assert compare(prospect, prospect, mailbox_proven=True).suggests_duplicate


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("+14165550199", "416 555 0199", True),
        ("(416) 555-0199", "1-416-555-0199", True),
        ("+14165550199", "+14165550198", False),
        ("+14165550199;ext=12", "416 555 0199 ext. 12", True),
        ("+14165550199;ext=12", "+14165550199;ext=14", False),
        ("+442079460958", "+44 20 7946 0958", True),
        ("", "", False),
        ("none", "none", False),
        ("12", "12", False),
    ],
)
def test_a_phone_number_is_the_same_however_it_is_typed(left: str, right: str, same: bool) -> None:
    match = compare(person(phone=left), person(phone=right), mailbox_proven=False)
    assert (Kind.SAME_PHONE in kinds(match)) is same


def test_a_namesake_with_another_date_of_birth_is_shown_and_contradicts() -> None:
    match = compare(
        person("Jordan Achebe", date_of_birth=BORN),
        person("Jordan Achebe", date_of_birth=date(1990, 5, 15)),
        mailbox_proven=False,
    )
    assert match.contradicts
    assert match.is_likely
    assert not match.suggests_duplicate
    assert [(r.words, r.speaks) for r in match.reasons] == [
        ("same name", Speaks.FOR),
        ("other date of birth", Speaks.AGAINST),
    ]
    assert match.doubts == match.reasons[1:]


def test_day_and_month_swapped_are_a_hint_and_no_proof() -> None:
    match = compare(
        person("Jordan Achebe", date_of_birth=date(1990, 5, 4)),
        person("Jordan Achebe", date_of_birth=date(1990, 4, 5)),
        mailbox_proven=False,
    )
    assert kinds(match) == {Kind.SAME_NAME, Kind.SWAPPED_BIRTH_DATE}
    assert not match.contradicts
    assert match.is_likely
    assert match.only_name_agrees


def test_a_twin_is_shown_with_the_doubt_beside_it() -> None:
    robin, remy = (person(f"{n} Parker", date_of_birth=BORN) for n in ("Robin", "Remy"))
    match = compare(robin, remy, mailbox_proven=False)
    assert [(r.words, r.speaks) for r in match.reasons] == [
        ("same date of birth", Speaks.FOR),
        ("same last name, other first name", Speaks.AGAINST),
    ]
    assert match.is_likely
    assert match.doubts
    assert not match.contradicts
    assert not match.suggests_duplicate
    assert match.score < compare(robin, robin, mailbox_proven=False).score


def test_a_parent_at_the_familys_number_is_found() -> None:
    parent = person("Noor Parker", phone="416 555 0199", date_of_birth=date(1970, 1, 1))
    child = person("Remy Parker", phone="+14165550199", date_of_birth=BORN)
    match = compare(parent, child, mailbox_proven=False)
    assert match.is_likely
    assert match.contradicts
    assert not match.suggests_duplicate


def test_a_new_last_name_is_found_by_first_name_and_date_of_birth() -> None:
    before, after = (person(f"Hannah {n}", date_of_birth=BORN) for n in ("Vega", "Byrne"))
    match = compare(before, after, mailbox_proven=False)
    assert kinds(match) == {Kind.SAME_BIRTH_DATE, Kind.SAME_FIRST_NAME}
    assert match.is_likely


def test_a_date_of_birth_alone_finds_nobody() -> None:
    match = compare(
        person("Hannah Vega", date_of_birth=BORN),
        person("Luc Tremblay", date_of_birth=BORN),
        mailbox_proven=False,
    )
    assert kinds(match) == {Kind.SAME_BIRTH_DATE}
    assert not match.is_likely


def test_everything_agrees() -> None:
    match = compare(JORDAN, JORDAN, mailbox_proven=True)
    assert [r.words for r in match.reasons] == [
        "same e-mail", "same date of birth", "same phone", "same name",
    ]  # fmt: skip
    assert {r.speaks for r in match.reasons} == {Speaks.FOR}
    assert match.is_likely
    assert match.suggests_duplicate
    assert not match.only_name_agrees
    assert not match.doubts


@pytest.mark.parametrize(
    ("typed", "kept", "warned"),
    [
        (person("Jordan Achebe"), person("Jordan Achebe"), True),
        (person("Jordan Achebe", date_of_birth=BORN), person("Jordan Achebe"), True),
        (JORDAN, person("Jordana Achebe-Miles"), False),
        (JORDAN, person("Jordana Achebe-Miles", date_of_birth=BORN), True),
        (JORDAN, person("Jo Achebe", phone=JORDAN.phone), False),
        (JORDAN, person("Jordan Achebe-Miles", phone=JORDAN.phone), True),
        (JORDAN, person("Casey Nguyen", phone=JORDAN.phone), False),
        (JORDAN, person("Casey Nguyen", email=JORDAN.email), False),
        (JORDAN, person("Miles Achebe", email=JORDAN.email, date_of_birth=BORN), False),
        (JORDAN, person("Jordan Achebe", date_of_birth=date(1960, 1, 1)), False),
        (
            JORDAN,
            person("Jordan Achebe", email=JORDAN.email, date_of_birth=date(1990, 5, 15)),
            True,
        ),
    ],
)
def test_add_client_would_warn(typed: Facts, kept: Facts, warned: bool) -> None:
    """Staff typed the same address: a sibling's file may share it, the name has to agree."""
    assert compare(typed, kept, mailbox_proven=True).suggests_duplicate is warned


# Side by side


def test_the_lines_of_the_side_by_side() -> None:
    client = Facts(
        first_name="JORDAN",
        last_name="Achebe",
        preferred_name="Jo",
        email="jordan.a@example.com",
        phone="416-555-0199",
    )
    prospect = Facts(
        first_name="Jordan",
        last_name="Achebe",
        email="jordan.achebe@example.com",
        phone="+14165550199",
    )
    name, preferred, email, phone, born = side_by_side(prospect, client)
    assert (name.label, name.verdict) == ("Name", Verdict.SAME)
    assert (preferred.verdict, preferred.prospect, preferred.client) == (
        Verdict.ONE_SIDE, (), (Segment("Jo"),),
    )  # fmt: skip
    assert email.verdict is Verdict.DIFFERS
    assert email.prospect == (
        Segment("jordan."), Segment("achebe", differs=True), Segment("@example.com"),
    )  # fmt: skip
    assert email.client == (
        Segment("jordan."), Segment("a", differs=True), Segment("@example.com"),
    )  # fmt: skip
    assert (phone.verdict, phone.prospect, phone.client) == (
        Verdict.SAME, (Segment("416 555 0199"),), (Segment("416 555 0199"),),
    )  # fmt: skip
    assert (born.label, born.verdict) == ("Date of birth", Verdict.NEITHER)


def test_dates_of_birth_differ_where_they_differ() -> None:
    *_, born = side_by_side(person(date_of_birth=BORN), person(date_of_birth=date(1990, 6, 14)))
    assert born.verdict is Verdict.DIFFERS
    assert born.prospect == (Segment("14 "), Segment("May", differs=True), Segment(" 1990"))
    assert born.client == (Segment("14 "), Segment("June", differs=True), Segment(" 1990"))


def test_case_accents_and_apostrophes_are_no_difference() -> None:
    left, right = differences("Shane O'Neil", "SHANE O’NÉIL")
    assert left == (Segment("Shane O'Neil"),)
    assert right == (Segment("SHANE O’NÉIL"),)


def test_what_one_side_has_more_is_marked_there() -> None:
    left, right = differences("Achebe", "Achebe-Miles")
    assert left == (Segment("Achebe"),)
    assert right == (Segment("Achebe"), Segment("-Miles", differs=True))


# Ranking


def test_likely_ranks_the_best_first_and_leaves_out_the_rest() -> None:
    candidates = [
        ("nobody", person("Casey Nguyen")),
        ("similar", person("Jordana Achebe-Miles")),
        ("namesake", person("Jordan Achebe", date_of_birth=date(1960, 1, 1))),
        ("self", Facts(first_name="Jordan", last_name="Achebe", date_of_birth=BORN)),
        ("named", person("Jordan Achebe")),
    ]
    found = likely(JORDAN, candidates, mailbox_proven=False)
    assert [key for key, _ in found] == ["self", "named", "similar", "namesake"]
    assert [key for key, _ in likely(JORDAN, candidates, mailbox_proven=False, most=1)] == ["self"]


def test_equal_matches_keep_the_order_they_came_in() -> None:
    candidates = [(n, person("Jordan Achebe")) for n in (3, 1, 2)]
    assert [k for k, _ in likely(JORDAN, candidates, mailbox_proven=False)] == [3, 1, 2]


# Whatever is typed

WORDS = [
    "Jordan", "jordana", "Jo", "Achebe", "Acehbe", "Achebe-Miles", "O’Neil", "O'Neil", "Li", "J",
    "de la Cruz", "Cruz", "Liz", "Elizabeth", "Maria", "Mary Ann", "Maryann", "王", "Ж", "प्रि", "",
]  # fmt: skip
a_word = st.sampled_from(WORDS) | st.text(max_size=8)
people = st.builds(
    Facts,
    first_name=a_word,
    last_name=a_word,
    preferred_name=a_word,
    email=st.sampled_from(["", "a@b.example", "A@B.example", "c@d.example"]) | st.text(max_size=8),
    phone=st.sampled_from(["", "+14165550199", "416 555 0199"]) | st.text(max_size=8),
    date_of_birth=st.none() | st.dates() | st.sampled_from([date(1990, 5, 4), date(1990, 4, 5)]),
)


@given(people, people, st.booleans())
def test_comparing_is_symmetric_whatever_is_typed(left: Facts, right: Facts, proven: bool) -> None:
    assert compare(left, right, mailbox_proven=proven) == compare(
        right, left, mailbox_proven=proven
    )
    verdicts = [line.verdict for line in side_by_side(left, right)]
    assert verdicts == [line.verdict for line in side_by_side(right, left)]


@given(people)
def test_nobody_contradicts_themselves(someone: Facts) -> None:
    match = compare(someone, someone, mailbox_proven=True)
    assert not match.doubts
    assert {line.verdict for line in side_by_side(someone, someone)} <= {
        Verdict.SAME,
        Verdict.NEITHER,
    }


@given(people, st.lists(people, max_size=8), st.booleans())
def test_the_index_finds_just_what_comparing_with_everybody_finds(
    prospect: Facts, clients: list[Facts], proven: bool
) -> None:
    every = [(n, compare(prospect, c, mailbox_proven=proven)) for n, c in enumerate(clients)]
    wanted = sorted((p for p in every if p[1].is_likely), key=lambda pair: -pair[1].score)
    assert Files(enumerate(clients)).likely(prospect, mailbox_proven=proven, most=8) == wanted


@given(people, st.lists(people, max_size=8))
def test_duplicates_are_found_as_surely(typed: Facts, clients: list[Facts]) -> None:
    every = [(n, compare(typed, c, mailbox_proven=True)) for n, c in enumerate(clients)]
    wanted = sorted((p for p in every if p[1].suggests_duplicate), key=lambda p: -p[1].score)
    assert Files(enumerate(clients)).duplicates(typed, most=8) == wanted


@given(st.text(max_size=30), st.text(max_size=30))
def test_differences_lose_no_letter(left: str, right: str) -> None:
    for text, segments in zip((left, right), differences(left, right), strict=True):
        assert "".join(s.text for s in segments) == text
