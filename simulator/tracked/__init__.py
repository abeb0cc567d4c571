"""What the tracked resources of most services do alike; each service adds what is its own."""
