"""What every command shares: options, terminal, connections, names and times."""
