"""The storage account's tables, queue, blobs and leases."""
