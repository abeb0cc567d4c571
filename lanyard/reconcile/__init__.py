"""The story of one message: read, decide, guard, apply, record."""
