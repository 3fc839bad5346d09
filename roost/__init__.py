"""Roost: a self-hosted client portal with video sessions for therapy practices."""

__version__ = "0.1.0"
