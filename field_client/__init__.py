"""The desk client: a field agent's journal, outbox and view of the scopes, offline first.

Never imports `server`. Everything it knows of the wire comes from `schemas` and `sync`.
"""
