"""Staff members: an account's profile at the practice."""

from django.db import models

from roost.core.models import PublicId
from roost.core.tenancy import TenantModel
from roost.core.text import initials
from roost.staff.enums import Role


class StaffMember(PublicId, TenantModel):
    """One person who works at the practice. Owners and admins may be therapists too."""

    account = models.OneToOneField(
        "accounts.Account", on_delete=models.PROTECT, related_name="staff_member"
    )
    role = models.CharField(max_length=10, choices=Role.choices)
    display_name = models.CharField(max_length=100)
    sees_clients = models.BooleanField(default=True)
    title = models.CharField(max_length=60, blank=True)
    college = models.CharField(max_length=150, blank=True)
    registration_number = models.CharField(max_length=40, blank=True)
    supervisor = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="supervisees"
    )
    is_active = models.BooleanField(default=True)
    # Owners and admins: one e-mail for each verified prospect.
    wants_prospect_mail = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["display_name", "pk"]

    def __str__(self) -> str:
        return self.display_name

    @property
    def name_with_title(self) -> str:
        """The name as clients see it: "Tara Okafor, RP"."""
        return f"{self.display_name}, {self.title}" if self.title else self.display_name

    @property
    def first_name(self) -> str:
        """What a client would call them: "Tara"."""
        return self.display_name.split()[0] if self.display_name.split() else self.display_name

    @property
    def initials(self) -> str:
        return initials(self.display_name)

    @property
    def is_owner(self) -> bool:
        return self.role == Role.OWNER

    @property
    def runs_practice(self) -> bool:
        """Owners and admins, who see all clients and settings."""
        return self.role in (Role.OWNER, Role.ADMIN)
