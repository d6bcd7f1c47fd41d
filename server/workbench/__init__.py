"""A supervisor's workbench: what is quarantined is corrected or sent back."""
