"""What only a person runs: undo, uninstall, scan, onboarding. Never deployed."""
