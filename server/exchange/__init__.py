"""Where devices meet the server: push, pull and enrolment."""
