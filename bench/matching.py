"""Likely clients for a page of prospects: CPU time, with every name, address and date made up."""

import random
import statistics
import time
from datetime import date, timedelta

from rapidfuzz.distance import OSA

from roost.clients.matching import Facts, Files, compare

ROUNDS, CLIENTS, PROSPECTS = 10, 5000, 50
BEGINNINGS = (
    "A Be Bra Cha Da De Ella Fa Fer Ga Ha I Ja Jo Ka Lau Lin Ma Me Na O Pa Ro Sa So Ta Vi Wi Ya Ze"
)
ENDINGS = (
    "ra lin nie bert mo dan na son ker man ley ton veda nez rossi kova dil mir beth shi wood far"
)


def made_up(
    clients: int = CLIENTS, prospects: int = PROSPECTS
) -> tuple[list[tuple[int, Facts]], list[Facts]]:
    """Clients, and prospects of whom each is one of them with a slip in the last name."""
    dice = random.Random(5)
    beginnings, endings = BEGINNINGS.split(), ENDINGS.split()

    def word(most: int) -> str:
        middle = dice.choices(endings, k=dice.randint(0, most))
        return dice.choice(beginnings) + "".join(middle) + dice.choice(endings)

    firsts, lasts = [word(1) for _ in range(900)], [word(2) for _ in range(3500)]

    def somebody(number: int) -> Facts:
        last = dice.choice(lasts)
        return Facts(
            first_name=dice.choice(firsts),
            last_name=f"{last}-{dice.choice(lasts)}" if dice.random() < 0.1 else last,
            preferred_name=dice.choice(firsts) if dice.random() < 0.15 else "",
            email=f"client{number}@example.com",
            phone=f"+1416555{number:04}",
            date_of_birth=date(1945, 1, 1) + timedelta(days=dice.randrange(27000)),
        )

    def slip(facts: Facts) -> Facts:
        at = dice.randrange(1, len(facts.last_name))
        return Facts(
            first_name=facts.first_name,
            last_name=facts.last_name[:at] + facts.last_name[at - 1 :],
            email=facts.email.replace("client", "me"),
            date_of_birth=facts.date_of_birth if dice.random() < 0.6 else None,
        )

    known = [(number, somebody(number)) for number in range(clients)]
    return known, [slip(facts) for _, facts in dice.sample(known, prospects)]


def main() -> None:
    clients, prospects = made_up()
    ready, asked, found = [], [], 0
    for _ in range(ROUNDS):
        begun = time.process_time()
        files = Files(clients)
        ready.append(time.process_time() - begun)
        begun = time.process_time()
        found = sum(bool(files.likely(p, mailbox_proven=False)) for p in prospects)
        asked.append(time.process_time() - begun)
    print(f"\nLikely clients: {PROSPECTS} prospects, {CLIENTS} clients ({ROUNDS} rounds, medians)")
    whole = statistics.median(a + b for a, b in zip(ready, asked, strict=True)) * 1000
    print(f"  clients made ready:  {statistics.median(ready) * 1000:7.1f} ms of CPU")
    print(f"  prospects asked:     {statistics.median(asked) * 1000:7.1f} ms of CPU")
    print(f"  together:            {whole:7.1f} ms of CPU (goal: under 300), {found} found")
    pair, words = (prospects[0], clients[0][1]), (prospects[0].last_name, clients[0][1].last_name)
    print(f"  two people compared: {_each(lambda: compare(*pair, mailbox_proven=False)):7.2f} µs")
    print(f"  two words compared:  {_each(lambda: OSA.distance(*words)):7.2f} µs")


def _each(act: object, times: int = 20_000) -> float:
    assert callable(act)
    begun = time.process_time()
    for _ in range(times):
        act()
    return (time.process_time() - begun) / times * 1e6


if __name__ == "__main__":
    main()
