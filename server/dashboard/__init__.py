"""Pages and their JSON twins over the other features' queries: the board, an agent, the quarantine."""
