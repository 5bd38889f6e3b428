"""The JSON Schema of ``edge.yaml`` and of a BFF's fragment, for editors: names, types, reasons, while one writes.

Made from the spec itself. It knows shapes only; what fits together is ``rules``' business (``python -m edge check``).
"""

from typing import Any, Final

from edge.spec.base import Spec
from edge.spec.files import EdgeSpec, FragmentSpec

FILES: Final[dict[str, type[Spec]]] = {"edge.schema.json": EdgeSpec, "fragment.schema.json": FragmentSpec}
# Any value may come from the environment.
VARIABLE: Final = {"type": "string", "pattern": r"\$\{[A-Za-z_]"}
HIDDEN: Final = ("__place__", "__isolated__")


def schema_of(model: type[Spec]) -> dict[str, Any]:
    """Return the schema (draft 2020-12) of one kind of file."""
    schema = model.model_json_schema(by_alias=True)
    definitions = {name: _definition(one) for name, one in schema.pop("$defs").items() if name != "Place"}
    made = {**_definition(schema), "$defs": definitions}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def _definition(schema: dict[str, Any]) -> dict[str, Any]:
    properties = {name: _value(one) for name, one in schema["properties"].items() if name not in HIDDEN}
    made = {**schema, "properties": properties}
    return {"anyOf": [{"type": "string"}, made]} if made.pop("x-one-word", False) else made


def _value(schema: Any) -> Any:
    """Return a value's schema without what is of no use to a reader, and open to variables."""
    if isinstance(schema, list):
        return [_value(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    # Defaults are in the descriptions' words (3s, 1MiB) nowhere: an editor would show what nobody can write.
    made = {key: _value(one) for key, one in schema.items() if key not in ("title", "default", "minLength")}
    plain = made.get("type") in ("integer", "number", "boolean") or "enum" in made or "pattern" in made
    return {"anyOf": [made, VARIABLE]} if plain and made != VARIABLE else made
