"""What the contract says of parts: for each shape of a screen one whose members may all be missing, each with a name.

Generators make a type of every named schema, and something that nobody can say of one without a name.
"""

from collections.abc import Iterator
from typing import Any, Final, get_type_hints

from fastapi import APIRouter, FastAPI

from shared.asgi.parts import MEDIA_TYPE, Parts, shapes_in
from shared.asgi.screen_route import ScreenRoute
from shared.shape import Shape, described

PLACE: Final = "#/components/schemas/"


def describe_parts(app: FastAPI, router: APIRouter) -> None:
    """Put the parts of a router's screens into the app's contract."""
    describe = app.openapi
    screens = {one.path: one.parts for one in router.routes if isinstance(one, ScreenRoute) and one.parts}

    def openapi() -> dict[str, Any]:
        document = describe()
        for path, parts in screens.items():
            document["components"]["schemas"].update(components_of(parts))
            ok = document["paths"][path]["get"]["responses"]["200"]
            ok["content"][MEDIA_TYPE] = {"schema": {"$ref": f"{PLACE}{parts.answer.__name__}Part"}}
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend OpenAPI


def components_of(parts: Parts) -> dict[str, Any]:
    """Return the schemas of a screen's parts, by their names."""
    answer = parts.answer
    found = {f"{one.__name__}Part": _sparse(one) for one in (answer, *_inside(answer))}
    whole = found[f"{answer.__name__}Part"]
    if "degraded" in parts.tree:
        whole["required"] = ["degraded"]
    if parts.members:
        tags = f"{answer.__name__}Tags"
        members = {name: {"type": "string", "title": name} for name in parts.members}
        about = "What to send as If-Section-Match, for each section that is here or unchanged"
        found[tags] = {"type": "object", "properties": members, "title": tags, "description": about}
        held = "Sections that the client has, by its If-Section-Match"
        whole["properties"]["tags"] = {"$ref": f"{PLACE}{tags}"}
        sections = {"type": "string", "enum": list(parts.members)}
        whole["properties"]["unchanged"] = {"type": "array", "items": sections, "description": held}
    return found


def _sparse(shape: type[Shape]) -> dict[str, Any]:
    """Return the schema of a shape without its required members; what is no shape stays as the whole has it."""
    whole = described(shape).model_json_schema(ref_template=f"{PLACE}{{model}}")
    inside = {one.__name__ for one in _inside(shape)}

    def renamed(value: Any) -> Any:
        if isinstance(value, list):
            return [renamed(one) for one in value]
        if not isinstance(value, dict):
            return value
        if str(value.get("$ref", "")).removeprefix(PLACE) in inside:
            return {**value, "$ref": f"{value['$ref']}Part"}
        return {key: renamed(one) for key, one in value.items()}

    members = {name: renamed(one) for name, one in whole["properties"].items()}
    name, about = f"{shape.__name__}Part", whole.get("description", "")
    return {"type": "object", "properties": members, "title": name, "description": about}


def _inside(shape: type[Shape]) -> Iterator[type[Shape]]:
    for hint in get_type_hints(shape, include_extras=True).values():
        for one in shapes_in(hint):
            yield one
            yield from _inside(one)
