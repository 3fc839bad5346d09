"""What issuing a paper shares: the next number of its year, and its PDF once all is committed."""

from collections.abc import Callable

from django.db import IntegrityError, transaction

from roost.billing.models import InvoiceCounter, ReceiptCounter
from roost.core.tenancy import current_practice_id, scope


def next_serial(counters: type[ReceiptCounter] | type[InvoiceCounter], year: int) -> int:
    """The next number of the year. Its counter stays locked until this transaction ends, and one
    that fails gives the number back with everything else."""
    rows = counters.objects.select_for_update().filter(year=year)
    counter = rows.first()
    if counter is None:
        try:
            with transaction.atomic():
                counters.objects.create(year=year)
        except IntegrityError:
            pass  # Somebody began the year a moment ago.
        counter = rows.get()
    counter.last += 1
    counter.save(update_fields=["last"])
    return counter.last


def once_committed(make: Callable[[], object]) -> None:
    """Call `make` after the commit, in the scope of now, which may have closed by then. What it
    raises is logged, and stops nothing."""
    practice_id = current_practice_id()

    # No partial: where it fails, Django logs a function by its name.
    def call() -> None:
        with scope(practice_id):
            make()

    transaction.on_commit(call, robust=True)
