"""The session store: Django's database sessions, kept as sign-ins.

The key in the cookie is hashed on its way to the database. A row exists only for somebody who is
signed in, belongs to one door of one practice, and lives for 12 hours whatever happens.
"""

import hashlib
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import IntegrityError, transaction
from django.db.models import CharField, DateTimeField

from roost.accounts.models import SignIn
from roost.core.context import request_facts
from roost.core.prepared import Prepared, Slot
from roost.core.tenancy import has_scope, scope
from roost.core.time import now
from roost.practices.models import Practice


def hashed(key: str) -> str:
    """What the database knows of a session key."""
    return hashlib.sha256(key.encode()).hexdigest()


_open_sign_in = Prepared(
    lambda: SignIn.objects.filter(
        session_key=Slot("key", CharField()),
        door=Slot("door", CharField()),
        expire_date__gt=Slot("moment", DateTimeField()),
    ).select_related("account")
)


def open_sign_in(key: str, door: str) -> SignIn | None:
    """The sign-in at a door that a hashed key is of, with its account; None once it has expired."""
    return next(iter(_open_sign_in(key=key, door=door, moment=now())), None)


class SessionStore(DatabaseStore):
    """Sign-ins as Django sessions. `row` is the sign-in that was loaded, if any."""

    row: SignIn | None = None

    @classmethod
    def get_model_class(cls) -> type[SignIn]:
        return SignIn

    def _get_session_from_db(self) -> SignIn | None:
        if not self.session_key or not has_scope():
            self._session_key = None
            return None
        self.row = open_sign_in(hashed(self.session_key), request_facts.get().door)
        if self.row is None:
            self._session_key = None
        return self.row

    def exists(self, session_key: str) -> bool:
        return SignIn.objects.filter(session_key=hashed(session_key)).exists()

    def save(self, must_create: bool = False) -> None:
        if self.session_key is None:
            return self.create()
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        account_id = data.get(SESSION_KEY)
        if account_id is None:
            return None
        facts = request_facts.get()
        rows = SignIn.objects.filter(session_key=hashed(self.session_key))
        text = self.encode(data)
        # Signing in makes the row under the key that `login` has just made anew.
        if not must_create and rows.update(session_data=text):
            return None
        if not must_create and self.row is not None:
            # The sign-in has ended meanwhile, perhaps by what this very request did. What it would
            # have kept goes with it; the next page asks for log-in.
            return None
        try:
            with transaction.atomic():
                self.row = SignIn.objects.create(
                    session_key=hashed(self.session_key),
                    session_data=text,
                    expire_date=self.get_expiry_date(),
                    account_id=int(account_id),
                    door=facts.door,
                    user_agent=facts.user_agent,
                )
        except IntegrityError:
            raise CreateError from None
        return None

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None and has_scope():
            SignIn.objects.filter(session_key=hashed(key)).delete()

    def flush(self) -> None:
        self.row = None
        super().flush()

    @classmethod
    def clear_expired(cls) -> None:
        """Forget the sign-ins whose time is over, practice by practice."""
        for practice_id in Practice.objects.values_list("pk", flat=True):
            with scope(practice_id):
                SignIn.objects.filter(expire_date__lt=now()).delete()

    def load(self) -> dict[str, Any]:
        row = self._get_session_from_db()
        return self.decode(row.session_data) if row else {}
