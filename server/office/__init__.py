"""The office as it is on a day: areas, organisations, workers, teams and who is assigned where."""
