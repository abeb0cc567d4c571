"""Microsoft.Web/sites and their slots: web apps, function apps, Logic Apps Standard."""
