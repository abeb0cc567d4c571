"""What lets a deployed app watch a subscription: its rights there, and the events from it.

role_parts.py, event_parts.py   each part as a resource of ARM, as infra/watch.bicep makes it
differences.py                  what of a resource is not as it should be
steps.py                        what is done to one of them, and what became of it
onboarding.py, offboarding.py   makes them, takes them back
"""
