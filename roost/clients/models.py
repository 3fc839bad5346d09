"""Clients (the records of people in care), who cares for them, who has portal access, and the
prospects who wait for it."""

from datetime import date
from typing import Any

from django.db import models

from roost.clients.enums import ProspectState, Relationship, RequestState, Vouching
from roost.core.models import PublicId
from roost.core.tenancy import TenantModel
from roost.core.text import initials, search_key


class Client(PublicId, TenantModel):
    """The record of one person in care."""

    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100)
    preferred_name = models.CharField(max_length=100, blank=True)
    pronouns = models.CharField(max_length=30, blank=True)
    email = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    address = models.CharField(max_length=300, blank=True)
    date_of_birth = models.DateField(null=True, blank=True)
    in_care_since = models.DateField(null=True, blank=True)
    emergency_contact = models.CharField(max_length=300, blank=True)
    therapists = models.ManyToManyField(
        "staff.StaffMember", through="Assignment", related_name="clients"
    )
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    search_text = models.CharField(max_length=900, editable=False)

    class Meta:
        ordering = ["last_name", "first_name", "pk"]
        indexes = [models.Index(fields=["practice", "last_name", "first_name"], name="client_list")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, update_fields: Any = None, **kwargs: Any) -> None:
        self.search_text = search_key(
            self.first_name, self.last_name, self.preferred_name, self.email, self.phone
        )[:900]
        if update_fields is not None:
            update_fields = {*update_fields, "search_text"}
        super().save(*args, update_fields=update_fields, **kwargs)

    @property
    def name(self) -> str:
        """First and last name, as on the record."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def calling_name(self) -> str:
        """What the person wants to be called."""
        return self.preferred_name or self.first_name

    @property
    def initials(self) -> str:
        return initials(self.name)

    def age_on(self, day: date) -> int | None:
        """Full years on a day, or None when the date of birth is not known."""
        born = self.date_of_birth
        if born is None:
            return None
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


class Assignment(TenantModel):
    """A therapist cares for a client: the record is one of the therapist's own."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="assignments")
    therapist = models.ForeignKey(
        "staff.StaffMember", on_delete=models.PROTECT, related_name="assignments"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint("client", "therapist", name="assigned_once")]


class PortalAccess(PublicId, TenantModel):
    """The grant that ties an account to a client. It ends; it is never deleted."""

    account = models.ForeignKey(
        "accounts.Account", on_delete=models.PROTECT, related_name="portal_access"
    )
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="portal_access")
    relationship = models.CharField(max_length=10, choices=Relationship.choices)
    given_at = models.DateTimeField(auto_now_add=True)
    given_by = models.ForeignKey(
        "staff.StaffMember", null=True, on_delete=models.PROTECT, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "account",
                "client",
                condition=models.Q(ended_at=None),
                name="one_access_at_a_time",
            )
        ]


class DetailsRequest(PublicId, TenantModel):
    """A client, or who acts for them, asks staff to correct the legal name or date of birth.

    Only what is to change is filled in. `reason` is why staff declined, in words for the client.
    """

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="details_requests")
    asked_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+")
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    date_of_birth = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    state = models.CharField(
        max_length=10, choices=RequestState.choices, default=RequestState.WAITING
    )
    answered_by = models.ForeignKey(
        "staff.StaffMember", null=True, on_delete=models.PROTECT, related_name="+"
    )
    answered_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["practice", "state"], name="details_request_list")]
        constraints = [
            models.UniqueConstraint(
                "client",
                condition=models.Q(state=RequestState.WAITING),
                name="one_request_at_a_time",
            )
        ]

    @property
    def wanted(self) -> dict[str, Any]:
        """The fields of the record that are to change, and what they are to be."""
        names = ("first_name", "last_name", "date_of_birth")
        return {name: value for name in names if (value := getattr(self, name))}

    @property
    def is_waiting(self) -> bool:
        return self.state == RequestState.WAITING


class Prospect(PublicId, TenantModel):
    """Somebody who asks for portal access, or has a log-in that opens nothing.

    It has a sign-up that is not verified, or an account, or the sign-up and the account that it
    became. `client` and `relationship` say with whom it was linked, last; `acted_by` and `acted_at`
    who did the last thing here. `vouched_…` is what staff said when they pressed Verify.
    """

    sign_up = models.OneToOneField(
        "accounts.SignUp", null=True, on_delete=models.CASCADE, related_name="prospect"
    )
    account = models.OneToOneField(
        "accounts.Account", null=True, on_delete=models.PROTECT, related_name="prospect"
    )
    email = models.CharField(max_length=254)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    preferred_name = models.CharField(max_length=100, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    date_of_birth = models.DateField(null=True, blank=True)

    state = models.CharField(
        max_length=10, choices=ProspectState.choices, default=ProspectState.WAITING
    )
    client = models.ForeignKey(
        Client, null=True, on_delete=models.PROTECT, related_name="prospects"
    )
    relationship = models.CharField(max_length=10, choices=Relationship.choices, blank=True)
    acted_by = models.ForeignKey(
        "staff.StaffMember", null=True, on_delete=models.PROTECT, related_name="+"
    )
    acted_at = models.DateTimeField(null=True)

    vouched_by = models.ForeignKey(
        "staff.StaffMember", null=True, on_delete=models.PROTECT, related_name="+"
    )
    vouched_at = models.DateTimeField(null=True)
    vouched_how = models.CharField(max_length=10, choices=Vouching.choices, blank=True)
    vouched_reason = models.CharField(max_length=300, blank=True)
    # When staff were mailed about this prospect, once.
    told_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["practice", "state", "-created_at"], name="prospect_list"),
            models.Index(fields=["practice", "email"], name="prospect_by_address"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """First and last name as typed, or the e-mail where nobody typed one."""
        return f"{self.first_name} {self.last_name}".strip() or self.email

    @property
    def calling_name(self) -> str:
        """What the person wants to be called; nothing where that is not known."""
        return self.preferred_name or self.first_name

    @property
    def initials(self) -> str:
        return initials(self.name)

    @property
    def link_stamp(self) -> str:
        """Names the last act here, so that an old page undoes no newer link."""
        return self.acted_at.isoformat() if self.acted_at else ""

    @property
    def is_verified(self) -> bool:
        """Whether the mailbox was proven or staff have vouched: there is an account."""
        return self.account_id is not None


class ProspectWord(TenantModel):
    """One word that a prospect is found by: of a name, the e-mail, or the digits of the phone."""

    prospect = models.ForeignKey(Prospect, on_delete=models.CASCADE, related_name="words")
    word = models.CharField(max_length=100)

    class Meta:
        indexes = [
            models.Index(
                fields=["practice", "word"],
                name="prospect_words",
                opclasses=["int8_ops", "varchar_pattern_ops"],
            )
        ]
