from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.post import Post, post_office


@pytest.fixture
def post(settings: Any) -> Iterator[Post]:
    """A mail server that Roost is configured to use."""
    with post_office() as post:
        settings.ROOST_SMTP = post.settings
        yield post
