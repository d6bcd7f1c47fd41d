"""Persons and households: versions, field-by-field edits, sealed numbers, duplicate candidates."""
