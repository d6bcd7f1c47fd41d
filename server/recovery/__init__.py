"""Restoring an office from a backup without loss, and proving beforehand that it would work."""
