"""The office's server: feature packages over one database, wired together in `server.app`."""
