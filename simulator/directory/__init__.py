"""The directory as Microsoft Graph shows it."""
