"""Whether the relay does what calls need and nothing more, in words for people.

Each of its addresses is asked as a browser would ask it. What is sent through it goes to another
line of the check's own.
"""

import secrets
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from django.conf import settings

from roost.core.findings import Finding, right, wrong
from roost.core.time import now
from roost.video.turn import LIFETIME, credential, relay_urls
from roost.video.turn_client import (
    TCP,
    UNAUTHORIZED,
    NoAnswer,
    Peer,
    Refused,
    RelayTalk,
    parse_url,
)

# This machine, private networks, a carrier's, and where clouds keep their machines' secrets.
CLOSED = ("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.169.254")
CLOSED_6 = ("::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "fd00::1",
            "fd00:ec2::254", "fe80::1")  # fmt: skip
# Some address on the internet. It is asked whether it could be sent to; nothing is sent.
SOMEWHERE = "9.9.9.9"
SHORTEST_SECRET = 24
SKEW = timedelta(minutes=5)
PATIENCE = 3.0
QUOTA = 486
SHIPPED = "Take deploy/coturn/turnserver.conf as it is"


@dataclass(frozen=True)
class _Trial:
    """One address of the relay under test."""

    url: str
    secret: str
    moment: datetime
    tls: ssl.SSLContext | None

    @property
    def about(self) -> str:
        return f"Relay {self.url}"

    def talk(self, *, until: timedelta = LIFETIME, secret: str = "") -> RelayTalk:
        # A name of its own each time: a relay counts what each name has, and forgets it slowly.
        name = f"check-{secrets.token_hex(4)}"
        user, password = credential(name, self.moment + until, secret=secret or self.secret)
        return RelayTalk(
            parse_url(self.url), user=user, password=password, patience=PATIENCE, tls=self.tls
        )

    def accepts(self, *, until: timedelta = LIFETIME, secret: str = "") -> bool:
        """Whether an allocation is to be had so. Raises NoAnswer, and Refused for other reasons."""
        with self.talk(until=until, secret=secret) as line:
            try:
                line.allocate()
            except Refused as no:
                if no.code == UNAUTHORIZED:
                    return False
                raise
            line.refresh(seconds=0)
            return True

    def wrong(self, words: str, advice: str) -> Finding:
        return wrong(self.about, words, advice)


def check_relay(*, tls: ssl.SSLContext | None = None) -> list[Finding]:
    """One finding for each address in ROOST_TURN_URL, and one for a secret that is too short.

    Empty when no relay is configured. All addresses are asked at once; one that is silent takes
    three seconds. `tls` says whose certificates are good, if not those the system trusts.
    """
    urls = relay_urls()
    if not urls:
        return []
    secret = settings.ROOST_TURN_SECRET
    found = []
    if len(secret) < SHORTEST_SECRET:
        found.append(
            wrong(
                "Relay’s secret",
                f"It has {len(secret)} characters: somebody in a call could find it out by trying.",
                "Make a new one with: openssl rand -hex 32. Give it to coturn and to Roost.",
            )
        )
    moment = now()
    with ThreadPoolExecutor(max_workers=len(urls)) as pool:
        trials = [_Trial(url, secret, moment, tls) for url in urls]
        return [*found, *pool.map(_check, trials)]


def _check(trial: _Trial) -> Finding:
    try:
        return (
            _check_credentials(trial)
            or _check_peers(trial)
            or _check_passage(trial)
            or _all_right(trial)
        )
    except NoAnswer as error:
        return trial.wrong(
            f"It does not answer ({error}).",
            "See that coturn runs (systemctl status coturn), that the address is the relay’s, and "
            "that the firewall lets its port through.",
        )
    except Refused as no:
        if no.code == QUOTA:
            return trial.wrong(
                "It has no room left.",
                "Raise total-quota and user-quota, or wait for calls to end.",
            )
        return trial.wrong(
            f"It refuses with {no.code}.", "Look into coturn’s log: journalctl -u coturn."
        )


def _check_credentials(trial: _Trial) -> Finding | None:
    if not trial.accepts():
        # A clock that runs ahead sees them expired; a wrong secret is wrong at any time.
        if trial.accepts(until=timedelta(days=365)):
            return trial.wrong(
                "Its clock is more than two hours ahead of this machine’s, so it takes Roost’s "
                "passwords for expired.",
                "Set both clocks: timedatectl set-ntp true.",
            )
        return trial.wrong(
            "It does not take Roost’s passwords: the secrets differ.",
            "Write the same secret into coturn’s static-auth-secret and ROOST_TURN_SECRET, and "
            "restart both.",
        )
    if trial.accepts(secret=secrets.token_hex(16)):
        return trial.wrong(
            "It lets anybody in: no password is asked for.",
            f"{SHIPPED}: use-auth-secret and static-auth-secret must be in it.",
        )
    if trial.accepts(until=-SKEW):
        return trial.wrong(
            "It takes passwords that have expired: its clock is more than five minutes behind this "
            "machine’s.",
            "Set both clocks: timedatectl set-ntp true.",
        )
    return None


def _check_peers(trial: _Trial) -> Finding | None:
    with trial.talk() as line:
        relayed, _ = line.allocate()
        if not ip_address(relayed).is_global:
            return trial.wrong(
                f"It relays at {relayed}, which nobody outside can reach.",
                "Write external-ip=PUBLIC/PRIVATE into its file, with both of its addresses.",
            )
        through = [host for host in CLOSED if _permits(line, host)] + _through_6(trial)
        if through:
            return trial.wrong(
                f"It passes on to addresses behind your firewall: {', '.join(through)}.",
                f"{SHIPPED}: its denied-peer-ip lines close them.",
            )
        # A call in which both sides use it goes from the relay to the relay.
        if not _permits(line, SOMEWHERE):
            return trial.wrong(
                "It passes on to nobody, so no call goes through it.",
                "Look for a denied-peer-ip line that takes in too much. A range that begins at :: "
                "takes in every IPv4 address.",
            )
        if not _permits(line, relayed):
            return trial.wrong(
                "It does not pass on to itself, so a call fails when both sides need it.",
                "Behind a router, write allowed-peer-ip=PRIVATE beside external-ip=PUBLIC/PRIVATE "
                "in its file, with its own private address.",
            )
        line.refresh(seconds=0)
    if _relays_tcp(trial):
        return trial.wrong(
            "It relays TCP, which opens mail servers and databases to callers.",
            f"{SHIPPED}: no-tcp-relay must be in it.",
        )
    return None


def _check_passage(trial: _Trial) -> Finding | None:
    """A few bytes from one line to another, both by the relay, as in a call where both sides need
    it; and back."""
    with trial.talk() as one, trial.talk() as other:
        places = [line.allocate() for line in (one, other)]
        one.permit(places[1][0])
        other.permit(places[0][0])
        passed = _passes(one, other, places[1]) and _passes(other, one, places[0])
        for line in (one, other):
            line.refresh(seconds=0)
    if passed:
        return None
    return trial.wrong(
        "What is sent through it does not come out.",
        "Let UDP through to its ports from min-port to max-port (in its file), also from itself. "
        "Behind a router, see that external-ip names both of its addresses.",
    )


def _passes(line: RelayTalk, to: RelayTalk, place: Peer) -> bool:
    """Whether what is sent on a line comes out on the other. Datagrams get lost: three are sent."""
    said = secrets.token_bytes(16)
    for _ in range(3):
        line.send(*place, said)
        if (heard := to.receive(seconds=PATIENCE / 3)) is not None:
            return heard[1] == said
    return False


def _through_6(trial: _Trial) -> list[str]:
    """The closed IPv6 addresses that it passes on to; none where it relays no IPv6."""
    with trial.talk() as line:
        try:
            line.allocate(version=6)
        except Refused:
            return []
        through = [host for host in CLOSED_6 if _permits(line, host)]
        line.refresh(seconds=0)
        return through


def _permits(line: RelayTalk, host: str) -> bool:
    try:
        line.permit(host)
    except Refused:
        return False
    return True


def _relays_tcp(trial: _Trial) -> bool:
    # Over UDP it is never to be had (RFC 6062, 4.1).
    with trial.talk() as line:
        try:
            line.allocate(transport=TCP)
        except Refused:
            return False
        line.refresh(seconds=0)
        return True


def _all_right(trial: _Trial) -> Finding:
    return right(
        trial.about,
        "It answers, takes Roost’s passwords only, passes on to the internet only, and what is "
        "sent through it comes out.",
    )
