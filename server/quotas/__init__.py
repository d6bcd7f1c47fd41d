"""Quotas: the facts that handlers fill in, indicators, plans, credits and progress."""
