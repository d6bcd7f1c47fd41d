"""The reconciliation core: what a journal, a verdict, a feed and a clock mark mean.

Standard library only. Never imports the web, a database or a cryptography library: signatures are
made and checked around it, by `schemas.signatures`.
"""
