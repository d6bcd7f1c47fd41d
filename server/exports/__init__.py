"""Every table that pages show, as a file for a spreadsheet: the same rows, within the same sight."""
