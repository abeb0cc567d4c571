"""What a deployment of a Bicep file of infra/ makes, worked out from the file: as much of the
language as infra/watch.bicep, join.bicep, joined.bicep and their modules use, and an error for the
rest.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lanyard.desk.onboarding.template import definition_id, guid
from tests.support.infra.bicep import of

_INTERPOLATED = re.compile(r"\$\{([^}]+)\}")
_DEFINITIONS = "Microsoft.Authorization/roleDefinitions"


@dataclass(frozen=True)
class Made:
    """A resource of a deployment: what is sent, and to where."""

    id: str
    api_version: str
    body: Mapping[str, Any]


@dataclass
class Deployment:
    """A file deployed to a subscription, to a resource group of it, or to a management group.
    `names` holds parameters, variables, and what was made; `given` what only ARM knows of a
    resource, by its name there.
    """

    file: str
    subscription: str
    group: str
    names: dict[str, Any]
    given: Mapping[str, Mapping[str, Any]]
    management_group: str = ""
    made: list[Made] = field(default_factory=list)

    def run(self) -> "Deployment":
        parsed = of(self.file)
        for name, parameter in parsed.get("parameters", {}).items():
            assert name in self.names, f"{self.file}: no value for {name}, {parameter}"
        for name, variable in parsed.get("variables", {}).items():
            self.names[name] = self.value(variable["value"])
        for name, resource in parsed.get("resources", {}).items():
            for config in self._each(resource["config"]):
                self.names[name] = self._resource(name, resource, config)
        for name, module in parsed.get("modules", {}).items():
            for config in self._each(module["config"]):
                self.names[name] = {"outputs": self._module(module, config)}
        return self

    def outputs(self) -> dict[str, Any]:
        found = of(self.file).get("outputs", {})
        return {name: self.value(output["value"]) for name, output in found.items()}

    def _each(self, config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Without the loop and the condition around it."""
        loop, condition = config.get("loop_type"), config.get("condition")
        if condition is not None and not self.value(condition):
            return
        if loop is None:
            yield config["config"] if condition is not None else config
            return
        for item in self.value(loop["detail"]["array_name"]):
            self.names[loop["detail"]["item_name"]] = item
            yield config["config"]

    def _resource(
        self, name: str, resource: Mapping[str, Any], config: Mapping[str, Any]
    ) -> dict[str, Any]:
        values = {key: self.value(value) for key, value in config.items() if key != "dependsOn"}
        id_ = self._id(resource["type"], values)
        body = {k: v for k, v in values.items() if k not in ("name", "parent", "scope")}
        if not resource["existing"]:
            self.made.append(Made(id_, resource["api_version"], body))
        return {"id": id_, "name": values["name"], **self.given.get(name, {})}

    def _id(self, kind: str, values: Mapping[str, Any]) -> str:
        name, place = values["name"], self._place
        if "parent" in values:
            return f"{values['parent']['id']}/{kind.rpartition('/')[2]}/{name}"
        if kind == "Microsoft.Resources/resourceGroups":
            return f"/subscriptions/{self.subscription}/resourceGroups/{name}"
        if "scope" in values:
            place = values["scope"]["id"]
        return f"{place}/providers/{kind}/{name}"

    def _module(self, module: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
        params = {key: self.value(value) for key, value in config["params"].items()}
        file, place = module["detail"]["path"], (self.subscription, self.group)
        above = self.management_group
        if "scope" in config:
            scope = self.value(config["scope"])["id"].split("/")
            place, above = (scope[2], scope[4]), ""
        inner = Deployment(file, *place, self._defaults(file) | params, self.given, above).run()
        self.made += inner.made
        return inner.outputs()

    def _defaults(self, file: str) -> dict[str, Any]:
        """Of the parameters of a module that has some."""
        parameters = of(file).get("parameters", {})
        return {
            name: self.value(each["default"])
            for name, each in parameters.items()
            if each.get("default") is not None
        }

    # Expressions. A name and a text look alike once parsed: what is a known name is one.

    def value(self, node: Any) -> Any:
        if isinstance(node, str):
            return self.names[node] if node in self.names else self._written(node)
        if isinstance(node, list):
            return [self.value(each) for each in node]
        if not isinstance(node, dict):
            return node
        if "function" in node:
            return self._function(node["function"]["type"], node["function"]["parameters"])
        if isinstance(node.get("operator"), dict):  # an alert has a property of that name
            return self._operator(node["operator"]["type"], node["operator"]["operands"])
        return {key.strip("'"): self.value(value) for key, value in node.items()}

    def _written(self, text: str) -> str:
        return _INTERPOLATED.sub(self._text, text).replace("\\'", "'")

    def _text(self, match: re.Match[str]) -> str:
        head, *members = match[1].split(".")
        here = {"subscription()": self._subscription, "managementGroup()": self._above}
        value = here[head] if head in here else self.names[head]
        for member in members:
            value = value[member]
        return str(value)

    @property
    def _subscription(self) -> dict[str, str]:
        return {"id": f"/subscriptions/{self.subscription}", "subscriptionId": self.subscription}

    @property
    def _above(self) -> dict[str, str]:
        place = f"/providers/Microsoft.Management/managementGroups/{self.management_group}"
        return {"id": place, "name": self.management_group}

    @property
    def _place(self) -> str:
        """The id of what it is deployed to."""
        if self.management_group:
            return self._above["id"]
        return self._group()["id"] if self.group else self._subscription["id"]

    def _function(self, name: str, parameters: Mapping[str, Any]) -> Any:
        given = [self.value(each) for each in parameters.values() if each is not None]
        functions: dict[str, Callable[..., Any]] = {
            "guid": guid,
            "empty": lambda value: not value,
            "split": lambda text, by: text.split(by),
            "last": lambda values: values[-1],
            "subscription": lambda: self._subscription,
            "management_group": lambda: self._above,
            "unique_string": lambda *of: guid(*of)[:13],
            "load_json_content": self._content,
            "string": lambda value: json.dumps(value, separators=(",", ":")),
            "resource_group": self._group,
            "subscription_resource_id": self._definition,
        }
        return functions[name](*given)

    def _content(self, file: str, path: str = "") -> str:
        """What is in a compiled file nobody knows here but who compiled it."""
        return str(self.given.get(file, {}).get(path, path)) if path else file

    def _group(self, name: str = "", subscription: str = "") -> dict[str, str]:
        place = f"/subscriptions/{subscription or self.subscription}"
        return {"id": f"{place}/resourceGroups/{name or self.group}"}

    def _definition(self, kind: str, name: str) -> str:
        assert kind == _DEFINITIONS
        return definition_id(self.subscription, name)

    def _operator(self, name: str, operands: Mapping[str, Any]) -> Any:
        if name == "property_accessor":
            return self._member(self.value(operands["operand_1"]), operands["operand_2"])
        if name == "index_accessor":
            return self.value(operands["operand_1"])[operands["operand_2"]]
        if name == "conditional":
            chosen = "true_value" if self.value(operands["condition"]) else "false_value"
            return self.value(operands[chosen])
        if name == "equals":
            first, second = (self.value(operand) for operand in operands.values())
            return bool(first == second)
        if name == "minus":
            return -self.value(operands["integer_value"])
        if name == "and":
            return all(self.value(operand) for operand in operands.values())
        assert name == "not", name
        return self._not(operands["bool_value"])

    def _not(self, operand: Any) -> bool:
        """The parser takes `!a && b` for `!(a && b)`; in Bicep it is `(!a) && b`."""
        inner = operand.get("operator", {}) if isinstance(operand, dict) else {}
        if inner.get("type") == "and":
            first, second = inner["operands"].values()
            return not self.value(first) and bool(self.value(second))
        return not self.value(operand)

    def _member(self, holder: Any, path: Any) -> Any:
        if isinstance(path, str):
            return holder[path]
        first, second = path["operator"]["operands"].values()
        return self._member(self._member(holder, first), second)
