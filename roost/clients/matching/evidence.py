"""What speaks for two records being one person, and what against it."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from django.core.exceptions import ValidationError

from roost.clients.matching.names import (
    Name,
    has_same_family,
    has_same_given,
    is_near_given,
    is_same_name,
    is_similar_name,
)
from roost.core.phones import as_kept
from roost.core.text import clean_email, one_line

# What `clean_email` would leave as it is.
_CLEAN: Final = re.compile(r"[a-z0-9._%+-]+@[a-z0-9.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A person as somebody typed them, on either side. What is not known is empty."""

    first_name: str = ""
    last_name: str = ""
    preferred_name: str = ""
    email: str = ""
    phone: str = ""
    date_of_birth: date | None = None

    @property
    def name(self) -> str:
        """First and last name, in one line."""
        return one_line(f"{self.first_name} {self.last_name}")


class Speaks(StrEnum):
    """Which way a reason points."""

    FOR = "for"
    WEAKLY = "weakly"
    AGAINST = "against"


class Kind(StrEnum):
    """What was found, in the order in which it is said."""

    SAME_EMAIL = "same_email"
    SAME_BIRTH_DATE = "same_birth_date"
    SAME_PHONE = "same_phone"
    SAME_NAME = "same_name"
    SIMILAR_NAME = "similar_name"
    SAME_FIRST_NAME = "same_first_name"
    SWAPPED_BIRTH_DATE = "swapped_birth_date"
    UNPROVEN_EMAIL = "unproven_email"
    OTHER_FIRST_NAME = "other_first_name"
    OTHER_BIRTH_DATE = "other_birth_date"


@dataclass(frozen=True, slots=True)
class Reason:
    """One finding: the words shown, which way it points, and its weight in the ranking."""

    kind: Kind
    words: str
    speaks: Speaks
    weight: int


REASONS: Final = {
    reason.kind: reason
    for reason in (
        Reason(Kind.SAME_EMAIL, "same e-mail", Speaks.FOR, 40),
        Reason(Kind.SAME_BIRTH_DATE, "same date of birth", Speaks.FOR, 35),
        Reason(Kind.SAME_PHONE, "same phone", Speaks.FOR, 25),
        Reason(Kind.SAME_NAME, "same name", Speaks.FOR, 30),
        Reason(Kind.SIMILAR_NAME, "similar name", Speaks.WEAKLY, 15),
        Reason(Kind.SAME_FIRST_NAME, "same first name", Speaks.WEAKLY, 5),
        Reason(
            Kind.SWAPPED_BIRTH_DATE, "date of birth with day and month swapped", Speaks.WEAKLY, 10
        ),
        Reason(Kind.UNPROVEN_EMAIL, "same e-mail, not verified", Speaks.WEAKLY, 2),
        Reason(Kind.OTHER_FIRST_NAME, "same last name, other first name", Speaks.AGAINST, -20),
        Reason(Kind.OTHER_BIRTH_DATE, "other date of birth", Speaks.AGAINST, -40),
    )
}


@dataclass(frozen=True, slots=True)
class Match:
    """All that was found between two people, what speaks for it first, and a score to rank by."""

    reasons: tuple[Reason, ...]

    def has(self, *kinds: Kind) -> bool:
        """Whether one of these was found."""
        return any(reason.kind in kinds for reason in self.reasons)

    @property
    def score(self) -> int:
        """The higher, the likelier. It orders matches and means nothing else."""
        return sum(reason.weight for reason in self.reasons)

    @property
    def doubts(self) -> tuple[Reason, ...]:
        """What speaks against it."""
        return tuple(reason for reason in self.reasons if reason.speaks is Speaks.AGAINST)

    @property
    def contradicts(self) -> bool:
        """Whether both dates of birth are known and are not the same one."""
        return self.has(Kind.OTHER_BIRTH_DATE)

    @property
    def only_name_agrees(self) -> bool:
        """Whether nothing but the name agrees, or not even that: then it is asked again. An
        address that nobody has proven agrees with nothing."""
        return not self.has(Kind.SAME_EMAIL, Kind.SAME_PHONE, Kind.SAME_BIRTH_DATE)

    @property
    def is_likely(self) -> bool:
        """Whether it is worth showing: a shared proven address or number (a family's, perhaps), the
        same name (a namesake is shown with what contradicts, or staff would make sure of nothing),
        a similar one that no date of birth contradicts, or one half of the name with the date of
        birth."""
        if self.has(Kind.SAME_EMAIL, Kind.SAME_PHONE, Kind.SAME_NAME):
            return True
        if self.contradicts:
            return False
        if self.has(Kind.SAME_NAME, Kind.SIMILAR_NAME):
            return True
        return self.has(Kind.SAME_BIRTH_DATE) and self.has(
            Kind.SAME_FIRST_NAME, Kind.OTHER_FIRST_NAME
        )

    @property
    def suggests_duplicate(self) -> bool:
        """Whether a second record of one person is about to be made: the names agree and so does
        something else, or the same name stands against nothing. Relatives suggest none."""
        if self.has(Kind.SAME_NAME, Kind.SIMILAR_NAME) and not self.only_name_agrees:
            return True
        if self.contradicts or self.has(Kind.UNPROVEN_EMAIL):
            return False
        return self.has(Kind.SAME_NAME) or (
            self.has(Kind.SAME_BIRTH_DATE) and self.has(Kind.SAME_FIRST_NAME)
        )


@dataclass(frozen=True, slots=True)
class Person:
    """Facts made ready to be compared: done once for each person, compared many times."""

    name: Name
    email: str
    phone: str
    born: date | None

    @classmethod
    def of(cls, facts: Facts) -> "Person":
        return cls(
            Name.of(facts.first_name, facts.last_name, facts.preferred_name),
            plain_email(facts.email),
            as_kept(facts.phone) if facts.phone else "",
            facts.date_of_birth,
        )


def plain_email(text: str) -> str:
    """An address as it is compared: as it would be kept, or in lower case where it is none."""
    if not text or _CLEAN.fullmatch(text):
        return text
    try:
        return clean_email(text)
    except ValidationError:
        return one_line(text).lower()


def compare(prospect: Facts, client: Facts, *, mailbox_proven: bool) -> Match:
    """What two people have in common. `mailbox_proven`: whether the prospect's address is known to
    be theirs; only then does an equal address count."""
    return evidence(Person.of(prospect), Person.of(client), mailbox_proven=mailbox_proven)


def evidence(a: Person, b: Person, *, mailbox_proven: bool) -> Match:
    """`compare`, for people made ready."""
    found = set()
    if a.email and a.email == b.email:
        found.add(Kind.SAME_EMAIL if mailbox_proven else Kind.UNPROVEN_EMAIL)
    if a.phone and a.phone == b.phone:
        found.add(Kind.SAME_PHONE)
    if a.born and b.born:
        found.add(_of_birth_dates(a.born, b.born))
    if named := _of_names(a.name, b.name):
        found.add(named)
    return Match(tuple(reason for kind, reason in REASONS.items() if kind in found))


def _of_birth_dates(a: date, b: date) -> Kind:
    if a == b:
        return Kind.SAME_BIRTH_DATE
    if (a.year, a.month, a.day) == (b.year, b.day, b.month):
        return Kind.SWAPPED_BIRTH_DATE
    return Kind.OTHER_BIRTH_DATE


def _of_names(a: Name, b: Name) -> Kind | None:
    if is_same_name(a, b):
        return Kind.SAME_NAME
    if is_similar_name(a, b):
        return Kind.SIMILAR_NAME
    if has_same_given(a, b):
        return Kind.SAME_FIRST_NAME
    if a.given and b.given and has_same_family(a, b) and not is_near_given(a, b):
        return Kind.OTHER_FIRST_NAME
    return None
