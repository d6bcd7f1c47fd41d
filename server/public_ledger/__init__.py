"""The public page of each fund: sums, cards and signed roots of the ledger, and never a person."""
