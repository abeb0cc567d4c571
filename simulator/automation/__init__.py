"""Microsoft.Automation/automationAccounts."""
