"""Finding the likely clients of many prospects without comparing everybody with everybody."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Generic, TypeVar

from rapidfuzz import process
from rapidfuzz.distance import OSA

from roost.clients.matching.evidence import Facts, Match, Person, evidence
from roost.clients.matching.names import Name, is_slip, short_forms, slips_in

Key = TypeVar("Key")
MOST = 5


def likely(
    prospect: Facts,
    candidates: Iterable[tuple[Key, Facts]],
    *,
    mailbox_proven: bool,
    most: int = MOST,
) -> list[tuple[Key, Match]]:
    """The likely clients of one prospect, best first; equals in the order they came in."""
    return Files(candidates).likely(prospect, mailbox_proven=mailbox_proven, most=most)


class Files(Generic[Key]):
    """The facts of many clients, made ready once, to be asked about many prospects.

    It finds just those whom `compare` calls likely, but compares only where an address, a number,
    a date of birth, or both halves of a name are near.
    """

    def __init__(self, clients: Iterable[tuple[Key, Facts]]) -> None:
        self._keys: list[Key] = []
        self._people: list[Person] = []
        self._by_fact: defaultdict[tuple[object, ...], set[int]] = defaultdict(set)
        self._given = _Words()
        self._family = _Words()
        for at, (key, facts) in enumerate(clients):
            person = Person.of(facts)
            self._keys.append(key)
            self._people.append(person)
            for fact in _exact(person):
                self._by_fact[fact].add(at)
            self._given.add(person.name.given | person.name.given_words, at)
            self._family.add(person.name.family, at)

    def likely(
        self, prospect: Facts, *, mailbox_proven: bool, most: int = MOST
    ) -> list[tuple[Key, Match]]:
        """The likely clients of a prospect, best first; equals in the order they came in."""
        ranked = self._ranked(prospect, mailbox_proven=mailbox_proven)
        return [found for found in ranked if found[1].is_likely][:most]

    def duplicates(self, typed: Facts, *, most: int = MOST) -> list[tuple[Key, Match]]:
        """The clients of whom a new record with these facts would be a second one, best first.
        Staff typed both, so an equal address counts."""
        ranked = self._ranked(typed, mailbox_proven=True)
        return [found for found in ranked if found[1].suggests_duplicate][:most]

    def _ranked(self, prospect: Facts, *, mailbox_proven: bool) -> list[tuple[Key, Match]]:
        """Everybody worth comparing, best first."""
        person = Person.of(prospect)
        found = [
            (at, evidence(person, self._people[at], mailbox_proven=mailbox_proven))
            for at in sorted(self._worth_comparing(person))
        ]
        found.sort(key=lambda pair: -pair[1].score)
        return [(self._keys[at], match) for at, match in found]

    def _worth_comparing(self, person: Person) -> set[int]:
        found: set[int] = set()
        for fact in _exact(person):
            found |= self._by_fact.get(fact, set())
        name = person.name
        given = name.given | name.given_words
        if alike := self._family.near(name.family):
            found |= alike & self._given.near(given, given=True)
        # Somebody typed the last name first.
        if alike := self._family.near(given, given=True):
            found |= alike & self._given.near(name.family, given=True)
        return found


def _exact(person: Person) -> list[tuple[object, ...]]:
    """What puts two people side by side when it is the same on both sides."""
    name: Name = person.name
    facts: list[tuple[object, ...]] = [("name", *name.words)] if name.words else []
    if name.first and name.last:
        facts.append(("halves", *sorted((name.first, name.last))))
    for fact in (person.email, person.phone, person.born):
        if fact:
            facts.append((fact,))
    return facts


class _Words:
    """The words of all first, or all last, names, and who has them."""

    def __init__(self) -> None:
        self._who: defaultdict[str, set[int]] = defaultdict(set)
        self._by_length: dict[int, list[str]] = {}
        self._asked: dict[tuple[str, bool], set[int]] = {}

    def add(self, words: Iterable[str], at: int) -> None:
        for word in words:
            self._who[word].add(at)

    def near(self, words: Iterable[str], *, given: bool = False) -> set[int]:
        """Who has a word that is near to one of these, as `is_near_word` says."""
        found: set[int] = set()
        for word in words:
            if (word, given) not in self._asked:
                self._asked[word, given] = self._near(word, given)
            found |= self._asked[word, given]
        return found

    def _near(self, word: str, given: bool) -> set[int]:
        near = {word, *self._slips_of(word)}
        if given:
            near |= short_forms().get(word, frozenset())
            near.add(word[0])
            if len(word) == 1:
                near |= {other for other in self._who if other.startswith(word)}
        return set().union(*(self._who[w] for w in near if w in self._who))

    def _slips_of(self, word: str) -> list[str]:
        if not self._by_length:
            for known in self._who:
                self._by_length.setdefault(len(known), []).append(known)
        most = slips_in(len(word) + 2)
        found: list[str] = []
        for length in range(len(word) - most, len(word) + most + 1):
            if known_words := self._by_length.get(length):
                near = process.extract(
                    word, known_words, scorer=OSA.distance, score_cutoff=most, limit=None
                )
                found += [k for k, _, _ in near if is_slip(word, k)]
        return found
