"""Real processes, real databases, real faults: `make torture` shows what survives them.

Each part tortures a server and its clients in one way and gives rows of one table. Whatever was
acknowledged is written down by a witness outside of both, and checked against plain SQL.
"""
