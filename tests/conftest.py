"""For all tests: nothing is timed, whoever else uses the machine."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
