"""What every part of the policy file is made of."""

from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

Name = Annotated[str, Field(min_length=1, max_length=128)]
Text = Annotated[str, Field(min_length=1, max_length=2048)]
#: An id of Azure: a slash at its end means nothing, and makes no other id of it.
Id = Annotated[Text, AfterValidator(lambda text: text.rstrip("/"))]
#: What is blank around it means nothing: a block of YAML ends in a line break.
Condition = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2048),
    Field(json_schema_extra={"pattern": r"\S"}),  # the schema strips nothing
]


#: Says that what is validated was written by a person: see `read_part`.
_WRITTEN = "written"


def _is_given(value: object, info: ValidationInfo) -> object:
    if value is None and info.context == _WRITTEN:
        raise PydanticCustomError("empty", "a key is given with a value, or left out")
    return value


#: Of a key that may be left out of a file; but where it is there, it has a value.
Given = BeforeValidator(_is_given)


class Section(BaseModel):
    """A part of the file: unknown keys are errors, nothing is converted silently."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, alias_generator=to_camel, populate_by_name=True
    )


def read_part[Part: Section](part: type[Part], data: object) -> Part:
    """What is written in a file: by the keys of the file, not by the names that the models have in
    Python. Raises pydantic's ValidationError.
    """
    return part.model_validate(data, by_alias=True, by_name=False, context=_WRITTEN)
