"""What Lanyard did in a month, of its record of decisions."""
