"""Smaller answers: brotli, zstd or gzip, whichever the client likes best.

A strong validator becomes a weak one (RFC 9110 §8.8.3: the bytes differ), so that a repeat still gets its 304 (field
case E8); the upstream is asked for plain answers, or both would compress.
"""

from collections.abc import Iterator
from typing import Any, Final

from edge.envoy.words import Json, typed
from edge.spec.listeners import CompressionSpec

NAME: Final = "envoy.filters.http.compressor"
LIBRARIES: Final[dict[str, dict[str, Any]]] = {
    # Levels at which a dashboard costs tens of microseconds; higher ones save a few per cent for several times that.
    "br": {"name": "brotli", "quality": 4},
    "zstd": {"name": "zstd", "compression_level": 3},
    "gzip": {"name": "gzip", "compression_level": "COMPRESSION_LEVEL_3", "memory_level": 8, "window_bits": 15},
}
TYPES: Final = (
    "application/json", "application/problem+json", "application/graphql-response+json", "application/javascript",
    "application/vnd.frontage.part+json",
    "application/xml", "application/wasm", "image/svg+xml", "text/html", "text/css", "text/plain", "text/xml",
    "text/javascript",
)  # fmt: skip


def compression_filters(compression: CompressionSpec) -> Iterator[Json]:
    """Yield a filter for each coding; where a client likes two equally, the first one counts."""
    for coding in compression.codings:
        config = _filter(coding, compression.min_size, first=coding == compression.codings[0])
        # Each filter reads what the client likes; the last one takes it away from the upstream.
        last = coding == compression.codings[-1]
        config["response_direction_config"]["remove_accept_encoding_header"] = last
        yield {"name": f"{NAME}.{coding}", "typed_config": config}


def uncompressed(compression: CompressionSpec) -> Json:
    """Return the per-route part that turns them off."""
    off = typed("envoy.extensions.filters.http.compressor.v3.CompressorPerRoute", disabled=True)
    return {f"{NAME}.{coding}": off for coding in compression.codings}


def _filter(coding: str, min_size: int, *, first: bool) -> Json:
    library = dict(LIBRARIES[coding])
    name = library.pop("name")
    config = typed(f"envoy.extensions.compression.{name}.compressor.v3.{name.capitalize()}", **library)
    return typed(
        "envoy.extensions.filters.http.compressor.v3.Compressor",
        compressor_library={"name": name, "typed_config": config},
        choose_first=first,
        response_direction_config={
            "common_config": {
                "min_content_length": min_size,
                "content_type_matcher": [{"exact": one, "ignore_case": True} for one in TYPES],
            },
            "weaken_etag_on_compress": True,
        },
    )
