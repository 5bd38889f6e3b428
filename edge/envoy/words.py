"""Small words of Envoy's language, used by every part of the compiler."""

from datetime import timedelta
from typing import Any, Final

from edge.units import Address

Json = dict[str, Any]

TYPES: Final = "type.googleapis.com/"


def typed(message: str, **fields: Any) -> Json:
    """Return an ``Any``: a message that names its own type."""
    return {"@type": TYPES + message, **fields}


def seconds(duration: timedelta) -> str:
    """Return a duration in protobuf's JSON form."""
    return f"{duration / timedelta(seconds=1):.3f}".rstrip("0").rstrip(".") + "s"


def milliseconds(duration: timedelta) -> int:
    """Return whole milliseconds."""
    return int(duration / timedelta(milliseconds=1))


def socket_address(address: Address) -> Json:
    """Return where to bind or connect."""
    return {"socket_address": {"address": address.host, "port_value": address.port}}


def cidr(network: str) -> Json:
    """Return a range of addresses."""
    prefix, _, length = network.partition("/")
    return {"address_prefix": prefix, "prefix_len": int(length)}


def set_header(name: str, value: str, *, keep: bool = False) -> Json:
    """Return a header to set; ``keep`` leaves a value that is there already."""
    action = "ADD_IF_ABSENT" if keep else "OVERWRITE_IF_EXISTS_OR_ADD"
    return {"header": {"key": name, "value": value}, "append_action": action}


def config_file(path: str, folder: str) -> Json:
    """Return a configuration source: a file, read again when it is replaced in its folder."""
    return {
        "resource_api_version": "V3",
        "path_config_source": {"path": path, "watched_directory": {"path": folder}},
    }
