"""What is known of the request being answered, for whoever writes it down."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class RequestFacts:
    """Where a request comes from: the address of the client as far as it can be trusted, the
    browser's own words about itself, and the door ("portal", "office" or "")."""

    source: str = ""
    user_agent: str = ""
    door: str = ""


NOWHERE = RequestFacts()

request_facts: ContextVar[RequestFacts] = ContextVar("request_facts", default=NOWHERE)
