"""What a browser may say on a room's socket: one check for each message, and nothing else.

hello {cid} · ready {name?} · admit {cid} · admit_all · decline {cid} · remove {cid} · end ·
shown {ids} · join {offer?} · signal {to, description | candidate | restart | safety} · leave ·
ping
"""

import json
import re
from collections.abc import Callable
from typing import Any

from roost.core.text import one_line

CID = re.compile(r"[A-Za-z0-9_-]{16,64}")
# Half of a character beyond the first 65,536: JSON can spell it, but nothing can store or send it.
HALF = re.compile("[\ud800-\udfff]")
MOST_SDP = 24_000
# 32 bytes in URL-safe base64, as the page writes hashes and nonces.
HASH = re.compile(r"[A-Za-z0-9_-]{43}")
MOST_TURNS = 10_000
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MOST_SHOWN = 50


class BadMessage(ValueError):
    """A message that no page of ours sends."""


def _cid(value: Any) -> bool:
    return isinstance(value, str) and CID.fullmatch(value) is not None


def _name(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 100


def _offer(value: Any) -> bool:
    return _description(value) and value["type"] == "offer"


def _description(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and {"type", "sdp"} <= value.keys() <= {"type", "sdp", "of"}
        and value["type"] in ("offer", "answer")
        and _short_or_none(value.get("of"))
        and isinstance(value["sdp"], str)
        and 0 < len(value["sdp"]) <= MOST_SDP
    )


def _candidate(value: Any) -> bool:
    if not isinstance(value, dict) or not value.keys() <= {
        "candidate",
        "sdpMid",
        "sdpMLineIndex",
        "usernameFragment",
    }:
        return False
    line = value.get("sdpMLineIndex")
    return (
        isinstance(value.get("candidate"), str)
        and len(value["candidate"]) <= 1000
        and _short_or_none(value.get("sdpMid"))
        and _short_or_none(value.get("usernameFragment"))
        and (line is None or (type(line) is int and 0 <= line < 64))
    )


def _yes(value: Any) -> bool:
    """A wish that the other side makes a new offer, and nothing more."""
    return value is True


def _safety(value: Any) -> bool:
    """One step towards the safety words: what is committed to, or what is revealed. It is passed
    on as it is; only browsers know what it means."""
    if not isinstance(value, dict) or value.keys() not in (
        {"turn", "round", "commit"},
        {"turn", "round", "reveal"},
    ):
        return False
    hashes = [text for name, text in value.items() if name != "turn"]
    return (
        type(value["turn"]) is int
        and 0 < value["turn"] <= MOST_TURNS
        and all(isinstance(text, str) and HASH.fullmatch(text) is not None for text in hashes)
    )


def _ids(value: Any) -> bool:
    """Whom a page shows: people by their uuids."""
    return (
        isinstance(value, list)
        and 0 < len(value) <= MOST_SHOWN
        and all(isinstance(each, str) and UUID.fullmatch(each) is not None for each in value)
    )


def _short_or_none(value: Any) -> bool:
    return value is None or (isinstance(value, str) and len(value) <= 256)


Check = Callable[[Any], bool]
# For each type: the fields it must have, and those it may have.
SCHEMAS: dict[str, tuple[dict[str, Check], dict[str, Check]]] = {
    "hello": ({"cid": _cid}, {}),
    "ready": ({}, {"name": _name}),
    "admit": ({"cid": _cid}, {}),
    "admit_all": ({}, {}),
    "decline": ({"cid": _cid}, {}),
    "remove": ({"cid": _cid}, {}),
    "end": ({}, {}),
    "join": ({}, {"offer": _offer}),
    "signal": (
        {"to": _cid},
        {
            "description": _description,
            "candidate": _candidate,
            "restart": _yes,
            "safety": _safety,
        },
    ),
    "shown": ({"ids": _ids}, {}),
    "leave": ({}, {}),
    "ping": ({}, {}),
}


def check(message: dict[str, Any]) -> str:
    """The type of a message that fits its schema. Raises BadMessage for any other."""
    kind = message.get("type")
    if not isinstance(kind, str) or kind not in SCHEMAS:
        raise BadMessage
    needed, allowed = SCHEMAS[kind]
    fields = {name: value for name, value in message.items() if name != "type"}
    if not needed.keys() <= fields.keys() or not fields.keys() <= needed.keys() | allowed.keys():
        raise BadMessage
    checks = needed | allowed
    if not all(checks[name](value) for name, value in fields.items()):
        raise BadMessage
    if kind == "signal" and len(fields) != 2:
        raise BadMessage
    if HALF.search(json.dumps(message, ensure_ascii=False)):
        raise BadMessage
    return kind


def clean_name(text: str) -> str:
    """A typed name as it is shown: one line, at most 60 characters."""
    return one_line(text)[:60].strip()
