"""Hostile bodies by the ten thousand against a real server process; `python -m tests.contracts.hostile`."""
