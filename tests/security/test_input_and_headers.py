"""What arrives is hostile, and what leaves says how it may be used."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.support.cast import Cast


def test_nothing_takes_a_file(cast: Cast, portal: Any) -> None:
    """No form of ours has one; taken, each would be written to the disk before anything else."""
    visitor = portal()
    answer = visitor.post(
        visitor.path("log-in"),
        {"email": "a@b.example", "password": "x", "more": SimpleUploadedFile("a.bin", b"x" * 999)},
    )
    assert answer.status_code == 400


PAGES = ["/", "/portal/maple/log-in/", "/portal/none/", "/office/maple/today/", "/healthz", "/no"]


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_carries_the_headers(path: str, cast: Cast, portal: Any) -> None:
    answer = portal().get(path)
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "camera=()" in answer.headers["Permissions-Policy"]


def test_static_files_are_framed_nowhere_and_shared_with_nobody(
    tmp_path: Path, settings: Any, cast: Cast
) -> None:
    from django.test import Client as Browser

    for name in ("plain.svg", "plain.html", "plain.js"):
        (tmp_path / name).write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    settings.STATIC_ROOT = str(tmp_path)
    for name in ("plain.svg", "plain.html", "plain.js"):
        answer = Browser(HTTP_HOST="127.0.0.1").get(f"/static/{name}")
        assert answer.status_code == 200
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in answer.headers
        # A script heeds the policy of its page only, and each would pay for the words.
        policy = answer.headers.get("Content-Security-Policy")
        assert policy == (
            None if name.endswith(".js") else "default-src 'none'; frame-ancestors 'none'"
        )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("*", "names no proxy"),
        ("10.0.0.1,*", "names no proxy"),
        ("proxy.example", "names no proxy"),
        ("10.0.0.1, fd00::/8", "['10.0.0.1', 'fd00::/8']"),
        ("", "[]"),
    ],
)
def test_only_an_address_is_a_trusted_proxy(tmp_path: Path, value: str, said: str) -> None:
    """With "*" anybody's X-Forwarded-For would be believed, and no limit would hold."""
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            "from roost.config import settings; print(settings.ROOST_TRUSTED_PROXIES)",
        ],
        env={
            "PATH": os.environ["PATH"],
            "ROOST_DATA_DIR": str(tmp_path),
            "ROOST_TRUSTED_PROXIES": value,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert said in ran.stdout + ran.stderr
