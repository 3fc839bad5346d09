"""How Django finds the account of a sign-in. Passwords are checked by `services.check_password`."""

from typing import Any

from django.contrib.auth.backends import BaseBackend

from roost.accounts.models import Account


class PracticeBackend(BaseBackend):
    """An account of another practice is nobody here: the scope hides it."""

    def authenticate(self, request: Any, **credentials: Any) -> None:
        return None

    def get_user(self, user_id: int) -> Account | None:
        return Account.objects.filter(pk=user_id, is_active=True).first()
