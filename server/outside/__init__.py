"""Figures that others published: kept with source and day, beside the office's own, never mixed with them."""
