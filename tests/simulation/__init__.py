"""A seeded world of tablets, supervisors and a server running production code, and its auditor.

`python -m tests.simulation --histories 2000 --seed 1` (or `make simulate`). `oracle/` never imports
`server`, `sync`, `schemas` or `field_client`: it is told what agents did and what went over the
wire, and says from docs/protocol.md alone what must be true.
"""
