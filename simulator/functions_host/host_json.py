"""`host.json`, the parts that this host acts on, with the defaults of Functions 4.x.

A setting named `AzureFunctionsJobHost__path__to__value` overrides the file, as in Azure.
Sources: learn.microsoft.com/azure/azure-functions/functions-host-json and
functions-bindings-storage-queue (host.json properties).
"""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from simulator.functions_host.errors import StartError

_OVERRIDE = "AzureFunctionsJobHost__"
_TIME_SPAN = re.compile(r"(-?)(?:(\d+)\.)?(\d{1,2}):(\d{1,2}):(\d{1,2}(?:\.\d{1,7})?)")


def parse_time_span(value: object) -> timedelta:
    """A .NET time span, `[-][d.]hh:mm:ss[.fffffff]`; a whole number is one of days."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no time span (hh:mm:ss)")
    if value.isdecimal():
        return timedelta(days=int(value))
    if not (match := _TIME_SPAN.fullmatch(value)):
        raise ValueError(f"{value!r} is no time span (hh:mm:ss)")
    sign, days, hours, minutes, seconds = match.groups()
    span = timedelta(int(days or 0), float(seconds), 0, 0, int(minutes), int(hours))
    return -span if sign else span


def _parse_timeout(value: object) -> timedelta | None:
    return None if value == "-1" else parse_time_span(value)


TimeSpan = Annotated[timedelta, BeforeValidator(parse_time_span)]


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)


class QueueOptions(_Section):
    """`extensions.queues`."""

    batch_size: int = Field(default=16, ge=1, le=32)
    new_batch_threshold_value: int | None = Field(default=None, ge=0, alias="newBatchThreshold")
    visibility_timeout: TimeSpan = timedelta(0)
    max_dequeue_count: int = Field(default=5, ge=1)
    max_polling_interval: Annotated[TimeSpan, Field(ge=timedelta(milliseconds=100))] = timedelta(
        minutes=1
    )
    message_encoding: Annotated[Literal["base64", "none"], BeforeValidator(_lower)] = "base64"

    @property
    def new_batch_threshold(self) -> int:
        """A new batch is fetched once no more than this many messages are being processed."""
        chosen = self.new_batch_threshold_value
        return self.batch_size // 2 if chosen is None else chosen


class HttpOptions(_Section):
    route_prefix: str = "api"


class Extensions(_Section):
    queues: QueueOptions = QueueOptions()
    http: HttpOptions = HttpOptions()


class Logging(_Section):
    log_level: Mapping[str, str] = Field(default_factory=dict)


class HostJson(_Section):
    version: Literal["2.0"]
    #: Where it is not given, that of a Flex Consumption plan; None: for ever ("-1").
    function_timeout: Annotated[timedelta | None, BeforeValidator(_parse_timeout)] = timedelta(
        minutes=30
    )
    extensions: Extensions = Extensions()
    logging: Logging = Logging()


def read_host_json(script_root: Path, settings: Mapping[str, str]) -> HostJson:
    """Raises StartError, naming the file and the value, where host.json is missing or wrong."""
    file = script_root / "host.json"
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return HostJson.model_validate(_with_overrides(content, settings))
    except OSError as error:
        raise StartError(f"{file}: {error.strerror}") from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise StartError(f"{file}: {wrong}") from None
    except ValueError as error:
        raise StartError(f"{file}: no JSON: {error}") from None


def _with_overrides(content: Any, settings: Mapping[str, str]) -> Any:
    for name, value in settings.items():
        if name.startswith(_OVERRIDE) and isinstance(content, dict):
            *sections, last = name.removeprefix(_OVERRIDE).split("__")
            target = content
            for section in sections:
                target = target.setdefault(section, {})
            target[last] = value
    return content
