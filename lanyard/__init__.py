"""Lanyard gives every new Azure compute resource its identity and takes its access back."""
