"""What tablets delivered: entries with their verdicts and outcomes, incidents, contested bytes."""
