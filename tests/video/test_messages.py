"""What a browser may say, and nothing else."""

from typing import Any

import pytest

from roost.video.messages import MOST_SDP, MOST_SHOWN, BadMessage, check, clean_name

CID = "abcdefghijklmnop"
ID = "0b9f6c1e-5d7a-4c0e-9a31-0d2f6b8e4a7c"
OFFER = {"type": "offer", "sdp": "v=0"}
HASH = "h" * 43
SAFETY = {"turn": 1, "round": HASH, "commit": HASH}


@pytest.mark.parametrize(
    "message",
    [
        {"type": "hello", "cid": CID},
        {"type": "ready"},
        {"type": "ready", "name": "Casey"},
        {"type": "admit", "cid": CID},
        {"type": "admit_all"},
        {"type": "decline", "cid": CID},
        {"type": "remove", "cid": CID},
        {"type": "end"},
        {"type": "shown", "ids": [ID]},
        {"type": "shown", "ids": [ID] * MOST_SHOWN},
        {"type": "join"},
        {"type": "join", "offer": OFFER},
        {"type": "signal", "to": CID, "description": {"type": "answer", "sdp": "v=0"}},
        {"type": "signal", "to": CID, "candidate": {"candidate": "a", "sdpMLineIndex": 0}},
        {
            "type": "signal",
            "to": CID,
            "description": {"type": "answer", "sdp": "v=0", "of": "aB+/"},
        },
        {"type": "signal", "to": CID, "restart": True},
        {"type": "signal", "to": CID, "safety": SAFETY},
        {"type": "signal", "to": CID, "safety": {"turn": 9, "round": HASH, "reveal": HASH}},
        {"type": "leave"},
        {"type": "ping"},
    ],
)
def test_what_our_page_says_is_understood(message: dict[str, Any]) -> None:
    assert check(message) == message["type"]


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"type": None},
        {"type": ["hello"]},
        {"type": "state"},
        {"type": "hello"},
        {"type": "hello", "cid": "short"},
        {"type": "hello", "cid": "a" * 65},
        {"type": "hello", "cid": CID + "\n"},
        {"type": "hello", "cid": 12345678901234567},
        {"type": "hello", "cid": CID, "role": "therapist"},
        {"type": "ready", "name": "n" * 101},
        {"type": "ready", "name": ["Casey"]},
        {"type": "shown"},
        {"type": "shown", "ids": []},
        {"type": "shown", "ids": ID},
        {"type": "shown", "ids": {ID: True}},
        {"type": "shown", "ids": [[ID]]},
        {"type": "shown", "ids": [ID + "\n"]},
        {"type": "shown", "ids": [ID.upper()]},
        {"type": "shown", "ids": [ID] * (MOST_SHOWN + 1)},
        {"type": "join", "offer": {"type": "answer", "sdp": "v=0"}},
        {"type": "join", "offer": {"type": "offer", "sdp": "x" * (MOST_SDP + 1)}},
        {"type": "join", "offer": {"type": "offer", "sdp": ""}},
        {"type": "join", "offer": {"type": "offer", "sdp": "v=0", "more": 1}},
        {"type": "join", "offer": "v=0"},
        {"type": "signal", "to": CID},
        {"type": "signal", "to": CID, "from": CID, "description": OFFER},
        {"type": "signal", "to": CID, "description": OFFER, "candidate": {"candidate": ""}},
        {"type": "signal", "to": CID, "candidate": {"candidate": "a" * 1001}},
        {"type": "signal", "to": CID, "description": {**OFFER, "of": ["aB+/"]}},
        {"type": "signal", "to": CID, "description": {**OFFER, "of": "a" * 1000}},
        {"type": "signal", "to": CID, "restart": False},
        {"type": "signal", "to": CID, "restart": 1},
        {"type": "signal", "to": CID, "restart": True, "candidate": {"candidate": ""}},
        {"type": "signal", "to": CID, "candidate": {"candidate": "a", "sdpMLineIndex": True}},
        {"type": "signal", "to": CID, "candidate": {"candidate": "a", "sdpMLineIndex": 64}},
        {"type": "signal", "to": CID, "candidate": {"candidate": "a", "extra": 1}},
        {"type": "signal", "to": CID, "candidate": {"sdpMid": "0"}},
        {"type": "end", "cid": CID},
        {"type": "admit_all", "cid": CID},
        {"type": "decline"},
        {"type": "signal", "to": CID, "safety": SAFETY, "candidate": {"candidate": ""}},
        {"type": "signal", "to": CID, "safety": SAFETY | {"reveal": HASH}},
        {"type": "signal", "to": CID, "safety": SAFETY | {"turn": 0}},
        {"type": "signal", "to": CID, "safety": SAFETY | {"turn": True}},
        {"type": "signal", "to": CID, "safety": SAFETY | {"turn": 10_001}},
        {"type": "signal", "to": CID, "safety": SAFETY | {"round": HASH[1:]}},
        {"type": "signal", "to": CID, "safety": SAFETY | {"commit": "é" * 43}},
        {"type": "signal", "to": CID, "safety": [1, HASH, HASH]},
    ],
)
def test_anything_else_is_not(message: dict[str, Any]) -> None:
    with pytest.raises(BadMessage):
        check(message)


def test_a_name_is_one_short_line() -> None:
    assert clean_name("  Casey\r\n\u202eN\x00guyen ") == "Casey N guyen"
    assert clean_name("x" * 100) == "x" * 60
