"""What has ended is forgotten, and nothing else."""

import uuid
from datetime import timedelta

from roost.accounts.chores import tidy
from roost.accounts.models import Account, AttemptCount, SignIn
from roost.core.models import Submission
from roost.core.tenancy import scope
from roost.core.time import now
from tests.support.cast import Cast
from tests.support.doors import session_cookie


def test_tidy_forgets_what_has_ended_in_every_practice(cast: Cast, other: Cast) -> None:
    moment = now()
    for people in (cast, other):
        for _ in range(2):
            session_cookie(people.casey_account, "portal")
        with scope(people.practice.pk):
            first = SignIn.objects.order_by("pk").first()
            SignIn.objects.filter(pk=first.pk).update(expire_date=moment - timedelta(seconds=1))
            for age in (29, 31):
                row = Submission.objects.create(key=uuid.uuid4(), kind="x", result=uuid.uuid4())
                Submission.objects.filter(pk=row.pk).update(created_at=moment - timedelta(days=age))
    AttemptCount.objects.create(subject="over", ends_at=moment - timedelta(seconds=1))
    AttemptCount.objects.create(subject="live", ends_at=moment + timedelta(minutes=1))
    tidy()
    assert [row.subject for row in AttemptCount.objects.all()] == ["live"]
    for people in (cast, other):
        with scope(people.practice.pk):
            assert SignIn.objects.count() == Submission.objects.count() == 1
            assert Account.objects.count() == 6
