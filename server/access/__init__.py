"""Who may do what: accounts, sessions, roles, and the one table of every route's permission."""
