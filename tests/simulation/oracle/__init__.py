"""What must be true, from docs/protocol.md alone; see the package above."""
