"""Values that print as the Python that makes them, defaults left out."""

from dataclasses import MISSING, fields


class Printed:
    """For frozen dataclasses with `repr=False`."""

    def __repr__(self) -> str:
        shown: list[str] = []
        for number, each in enumerate(fields(self)):  # type: ignore[arg-type]
            value = getattr(self, each.name)
            if each.default is not MISSING and value == each.default:
                continue
            positional = number == len(shown) and each.default is MISSING
            shown.append(repr(value) if positional else f"{each.name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"
