"""Funds that give health-insurance cards: donations, nominations, allocations, handovers, and their books."""
