"""Microsoft.Network: just what a virtual machine stands in. Nothing flows through it."""
