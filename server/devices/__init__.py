"""Installations: enrolment, keys, clock marks and heartbeat."""
