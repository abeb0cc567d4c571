"""What is published of decisions: CloudEvents."""
