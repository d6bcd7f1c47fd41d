"""Receipts: what devices signed at the door, verified, kept, accounted for and shown to anyone."""
