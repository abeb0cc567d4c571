"""Azure's token buckets, respected before they refuse."""
