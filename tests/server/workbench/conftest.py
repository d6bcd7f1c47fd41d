"""The same watched office and viewers as for the board's pages, one office a module."""

from tests.server.dashboard.conftest import a_viewer, sessions, watched

__all__ = ["a_viewer", "sessions", "watched"]
