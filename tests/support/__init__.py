"""What several tests need: databases, clocks, configurations. Imported as `tests.support`."""
