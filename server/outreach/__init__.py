"""Visits, VssID installs and enrolments: what agents did at the doors."""
