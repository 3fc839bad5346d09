"""kill -9 while a receipt is issued: it is there once or not at all, and so is its PDF."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import Server, prepared

# PostgreSQL itself undoes what a client that died has begun; SQLite needs the next to open it.
pytestmark = pytest.mark.one_database

SEED = """
from roost.core.tenancy import scope
from tests.support.cast import make_cast
from tests.support.money import attended, make_billable
cast = make_cast("maple", "Maple Counselling", "America/Toronto")
with scope(cast.practice.pk):
    make_billable(cast)
    attended(cast)
"""

# Dies at the place that its argument names, with no chance to tidy up.
PAY = """
import os, sys, uuid
from datetime import timedelta
from decimal import Decimal
from unittest import mock
from django.utils import timezone
from roost.billing.services import record_payment
from roost.core.tenancy import scope
from roost.practices.models import Practice
from roost.scheduling.models import Appointment
from roost.staff.models import StaffMember

def die(*args, **kwargs):
    os.kill(os.getpid(), 9)

with scope(Practice.objects.get().pk), mock.patch(sys.argv[1], die):
    record_payment(
        by=StaffMember.objects.get(display_name="Tara Okafor"),
        key=uuid.UUID(int=7), appointment=Appointment.objects.get(), amount=Decimal("150"),
        method="cash", paid_on=timezone.now().date() - timedelta(days=1),
    )
"""

LOOK = """
import json
import time
from roost.audit.models import AuditEvent
from roost.billing.documents import document_of
from roost.billing.models import Document, Payment, Receipt
from roost.core.tenancy import scope
from roost.practices.models import Practice
with scope(Practice.objects.get().pk):
    receipts, before = list(Receipt.objects.all()), Document.objects.count()
    pdfs = {bytes(document_of(each)) for each in receipts for _ in range(3)}
    print(json.dumps({
        "receipts": [each.serial for each in receipts], "payments": Payment.objects.count(),
        "events": AuditEvent.objects.filter(action="receipt.issued").count(),
        "documents before": before, "documents": Document.objects.count(), "pdfs": len(pdfs),
    }))
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = prepared(tmp_path / "data")
    running.run(SEED)
    yield running
    running.stop()


NOTHING = {"receipts": [], "payments": 0, "events": 0, "documents": 0, "pdfs": 0}
ONCE = {"receipts": [1], "payments": 1, "events": 1, "documents": 1, "pdfs": 1}


@pytest.mark.parametrize(
    ("place", "left"),
    [
        ("roost.billing.services.next_serial", NOTHING),
        ("roost.billing.services.new_code", NOTHING),
        # Between the commit and the PDF, during the PDF, and before it is stored.
        ("roost.billing.services.document_of", ONCE),
        ("roost.billing.documents.make_pdf", ONCE),
        ("roost.billing.signing.signers.PdfSigner.sign_pdf", ONCE),
        ("roost.billing.documents.Document.objects.create", ONCE),
    ],
)
def test_a_kill_leaves_a_receipt_once_or_not_at_all(
    server: Server, place: str, left: dict[str, object]
) -> None:
    with pytest.raises(RuntimeError):
        server.run(PAY, place)
    assert json.loads(server.run(LOOK)) == {**left, "documents before": 0}
    # The same form is sent again, as a person would; what would kill now is never called.
    server.run(PAY, "roost.billing.services.void_receipt")
    assert json.loads(server.run(LOOK)) | {"documents before": 0} == {**ONCE, "documents before": 0}


CHORES = """
from roost.billing.chores import make_missing_documents
make_missing_documents()
"""

HAVE = """
from roost.billing.models import Document
from roost.core.tenancy import scope
from roost.practices.models import Practice
with scope(Practice.objects.get().pk):
    print(*[bytes(each.pdf).hex() for each in Document.objects.all()])
"""


@pytest.mark.parametrize(
    "place",
    [
        "roost.billing.services.document_of",
        "roost.billing.documents.make_pdf",
        "roost.billing.signing.signers.PdfSigner.sign_pdf",
        "roost.billing.documents.Document.objects.create",
    ],
)
def test_the_worker_makes_what_a_kill_left_out(server: Server, place: str) -> None:
    with pytest.raises(RuntimeError):
        server.run(PAY, place)
    assert server.run(HAVE).split() == []
    # The worker is killed over it as well, and comes back.
    killed = "import os\nfrom unittest import mock\n" + (
        "with mock.patch('roost.billing.documents.Document.objects.create',"
        " lambda **_: os.kill(os.getpid(), 9)):\n"
        "    from roost.billing.chores import make_missing_documents\n"
        "    make_missing_documents()"
    )
    with pytest.raises(RuntimeError):
        server.run(killed)
    assert server.run(HAVE).split() == []
    server.run(CHORES)
    (made,) = server.run(HAVE).split()
    server.run(CHORES)
    assert server.run(HAVE).split() == [made]
    assert json.loads(server.run(LOOK)) == {**ONCE, "documents before": 1}


def test_the_server_s_worker_makes_it_at_its_start(server: Server) -> None:
    with pytest.raises(RuntimeError):
        server.run(PAY, "roost.billing.services.document_of")
    server.start()
    deadline = time.monotonic() + 30
    while not (made := server.run(HAVE).split()) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert len(made) == 1
