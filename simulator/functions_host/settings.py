"""App settings: `local.settings.json` first, the environment over it, as Core Tools does."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.functions_host.errors import StartError

_REFERENCE = re.compile(r"%([^%\s]+)%")


@dataclass(frozen=True)
class Settings:
    """All settings of the app by name; names are case-sensitive, as on Linux."""

    values: Mapping[str, str]

    def get(self, name: str) -> str | None:
        return self.values.get(name)

    def disables(self, function: str) -> bool:
        """Whether `AzureWebJobs.<function>.Disabled` switches a function's trigger off."""
        return self.values.get(f"AzureWebJobs.{function}.Disabled", "").lower() in ("true", "1")

    def resolve(self, value: Any) -> Any:
        """Replace every %NAME% in a string by its setting; other values pass. Raises StartError."""
        return _REFERENCE.sub(self._lookup, value) if isinstance(value, str) else value

    def _lookup(self, reference: re.Match[str]) -> str:
        name = reference.group(1)
        if name not in self.values:
            raise StartError(
                f"the app setting {name} is missing: set it in the environment "
                "or under Values in local.settings.json"
            )
        return self.values[name]


def read_settings(script_root: Path, environment: Mapping[str, str]) -> Settings:
    """Raises StartError where local.settings.json is there but cannot be read as settings."""
    return Settings({**_local_values(script_root / "local.settings.json"), **environment})


def _local_values(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    try:
        values = json.loads(file.read_text(encoding="utf-8")).get("Values", {})
    except (ValueError, AttributeError) as error:
        raise StartError(f"{file}: not the settings of an app: {error}") from None
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        raise StartError(f"{file}: Values must be an object of strings")
    return values
