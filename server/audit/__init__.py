"""The one choke point through which state changes: audit chains and feed stamps."""
