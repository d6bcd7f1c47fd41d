"""The treasurer's desk: where each fund stands, and the forms for what the office decides about it."""
