"""Coverage-guided fuzzing of what tests/fuzz states: the same properties, other inputs."""
