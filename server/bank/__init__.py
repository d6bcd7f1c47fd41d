"""Statements of a fund's bank account: read, kept line by line, and what each line was matched with."""
