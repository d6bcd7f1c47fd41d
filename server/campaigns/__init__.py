"""Campaigns: numbered, dated drives over areas and organisations, each with a plan of its own."""
