"""What others are told of decisions: CloudEvents."""
