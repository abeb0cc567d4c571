"""Microsoft.Storage: the accounts. What is in them is simulator/blobs."""
