"""One thing that happens in a history."""

from tests.support.histories.mail import Fate
from tests.support.histories.printed import Printed
from tests.support.histories.world import World


class Step(Printed):
    """One thing that happens. `fate`: what becomes of the events that it raises."""

    fate: Fate = Fate.COME

    async def act(self, world: World) -> None:
        """Do it. What cannot be done is not done: histories are made by chance."""
        raise NotImplementedError
