"""What every part of the policy file is made of."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

Name = Annotated[str, Field(min_length=1, max_length=128)]
Text = Annotated[str, Field(min_length=1, max_length=2048)]
#: An id of Azure: a slash at its end means nothing, and makes no other id of it.
Id = Annotated[Text, AfterValidator(lambda text: text.rstrip("/"))]
#: What is blank around it means nothing: a block of YAML ends in a line break.
Condition = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2048)]


class Section(BaseModel):
    """A part of the file: unknown keys are errors, nothing is converted silently."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, alias_generator=to_camel, populate_by_name=True
    )
