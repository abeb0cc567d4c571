"""The alerts of the app itself (infra/modules/alerts.bicep): they would report an app that is
paused, hears nothing and sweeps no more.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from lanyard.desk.onboarding.parts import Deployment
from lanyard.desk.onboarding.removal import Removal
from lanyard.desk.onboarding.steps import Resources, Step, Verb, explained, reading
from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import ResourceId, folded

RULES = "Microsoft.Insights/scheduledQueryRules"
API_VERSION = "2023-12-01"
#: What their names begin with.
NAMED = "lanyard-"


@dataclass
class AppAlerts:
    """Takes them away. They are in the resource group of the app."""

    resources: Resources
    app: Deployment
    notes: list[str] = field(default_factory=list)

    @property
    def subscription(self) -> str:
        """The app's own."""
        return ResourceId.parse(self.app.app_id).subscription

    async def go(self, *, write: bool) -> AsyncIterator[Step]:
        """The steps in order; with `write`, each is done before the next."""
        group = ResourceId.parse(self.app.app_id).resource_group_id
        collection, removal = f"{group}/providers/{RULES}", Removal(self.resources, write)
        try:
            found = await self.resources.every(collection, API_VERSION)
        except LanyardError as error:
            why = explained(error, reading(collection), collection)
            yield Step(collection, "alerts of the app", Verb.KEEP, error=why)
            return
        for each in found:
            if folded(str(each["name"])).startswith(NAMED):
                yield await removal.of(str(each["id"]), API_VERSION, f"alert {each['name']}")
