"""An independent client: the unmodified Azure CLI at work on the local Azure (`make az-check`)."""
