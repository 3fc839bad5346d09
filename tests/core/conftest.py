"""Invented examples take the time they take on a busy machine, and leave no folder behind."""

from hypothesis import settings

settings.register_profile("calm", deadline=None, database=None, max_examples=300)
settings.load_profile("calm")
