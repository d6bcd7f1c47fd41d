"""Bugs planted in production code from here alone, and how soon the simulation catches each.

Each changes behaviour that docs/protocol.md promises; `python -m tests.simulation --planted` prints
the table. A bug that nothing catches within 500 histories is a hole in the simulation.
"""
