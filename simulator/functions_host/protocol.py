"""Stand-ins for the protobuf messages of the Functions worker protocol.

The worker library takes its message classes from `request.properties["protos"]` and only ever
sets and reads attributes, so plain objects serve. Field names and enum values are those of
FunctionRpc.proto (azure-functions-language-worker-protobuf).
"""

from types import SimpleNamespace
from typing import Any


class TypedData:
    """One value on its way into or out of a function: exactly one field of the oneof is set."""

    def __init__(self, **field: Any) -> None:
        if len(field) > 1:
            raise ValueError(f"a oneof holds one field, not {sorted(field)}")
        self.kind: str | None
        self.value: Any
        self.kind, self.value = next(iter(field.items()), (None, None))

    def WhichOneof(self, _group: str) -> str | None:
        return self.kind

    def __getattr__(self, name: str) -> Any:
        if name == self.__dict__.get("kind"):
            return self.value
        raise AttributeError(name)


class ParameterBinding(SimpleNamespace):
    """A named input or output; `data` is the only transport the library speaks."""

    def WhichOneof(self, _group: str) -> str:
        return "data"


class BindingInfo(SimpleNamespace):
    # Two enums of the protocol: data types (of which the library reads one) and directions.
    undefined = 0
    out, inout = 1, 2


class StatusResult(SimpleNamespace):
    Failure, Success, Cancelled = range(3)


class RpcHttpCookie(SimpleNamespace):
    # The enum's zero value is called None, which is no Python name.
    SameSite = SimpleNamespace(**{"None": 0, "Lax": 1, "Strict": 2, "ExplicitNone": 3})


# What travels from the worker process to the host has to be found by its name.
class RpcHttp(SimpleNamespace):
    pass


class NullableBool(SimpleNamespace):
    pass


class NullableDouble(SimpleNamespace):
    pass


class NullableString(SimpleNamespace):
    pass


class NullableTimestamp(SimpleNamespace):
    pass


class Timestamp(SimpleNamespace):
    pass


def _message(name: str) -> type[SimpleNamespace]:
    return type(name, (SimpleNamespace,), {})


PROTOS = SimpleNamespace(
    TypedData=TypedData,
    ParameterBinding=ParameterBinding,
    BindingInfo=BindingInfo,
    StatusResult=StatusResult,
    RpcHttpCookie=RpcHttpCookie,
    RpcHttp=RpcHttp,
    NullableBool=NullableBool,
    NullableDouble=NullableDouble,
    NullableString=NullableString,
    NullableTimestamp=NullableTimestamp,
    Timestamp=Timestamp,
    **{
        name: _message(name)
        for name in (
            "FunctionLoadResponse",
            "FunctionMetadataResponse",
            "InvocationResponse",
            "RpcException",
            "RpcFunctionMetadata",
            "RpcRetryOptions",
            "WorkerInitResponse",
            "WorkerMetadata",
        )
    },
)
