"""The commands that set up and take away what Lanyard needs in a subscription."""
