"""What the worker does beside mail, once an hour and when it starts."""

from roost.accounts.chores import tidy
from roost.billing.chores import make_missing_documents
from roost.clients.prospects import forget_unproven

CHORES = [tidy, forget_unproven, make_missing_documents]
