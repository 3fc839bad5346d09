"""Roles of staff."""

from django.db import models


class Role(models.TextChoices):
    """What a staff member may do; SECURITY.md "Who may do what" is the table."""

    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    THERAPIST = "therapist", "Therapist"
