"""What everything speaks in: frozen values, compared as Azure compares them."""
