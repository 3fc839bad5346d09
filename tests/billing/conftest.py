"""A practice whose receipts an insurer would take."""

from typing import Any

import pytest

from roost.billing.models import Receipt
from roost.scheduling.models import Appointment
from tests.support.cast import Cast
from tests.support.money import attended, make_billable, pay


@pytest.fixture
def billable(cast: Cast, maple: Any) -> Cast:
    make_billable(cast)
    return cast


@pytest.fixture
def session(billable: Cast) -> Appointment:
    """Casey's session with Tara, held."""
    return attended(billable)


@pytest.fixture
def receipt(billable: Cast, session: Appointment) -> Receipt:
    return pay(billable, session)
