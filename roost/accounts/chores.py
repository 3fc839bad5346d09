"""What is tidied up once an hour."""

from datetime import timedelta

from roost.accounts.models import AttemptCount, SignUpVisit
from roost.accounts.sessions import SessionStore
from roost.core.models import Submission
from roost.core.tenancy import scope
from roost.core.time import now
from roost.practices.models import Practice

FORMS_REMEMBERED = timedelta(days=30)


def tidy() -> None:
    """Forget sign-ins, visits and counts whose time is over, and forms sent more than 30 days
    ago."""
    SessionStore.clear_expired()
    AttemptCount.objects.filter(ends_at__lt=now()).delete()
    for practice_id in Practice.objects.values_list("pk", flat=True):
        with scope(practice_id):
            SignUpVisit.objects.filter(expires_at__lt=now()).delete()
            Submission.objects.filter(created_at__lt=now() - FORMS_REMEMBERED).delete()
