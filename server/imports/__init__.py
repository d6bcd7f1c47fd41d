"""Sheets that fill the office: checked by a dry run, applied as a whole, taken back as a whole."""
