"""What claims must say, whoever brings them: a token, an introspection answer, an internal token.

Owns the reading of single claims. Which of them must be there is their reader's business. All raise ``TokenRefused``.
"""

from typing import Final

from shared.identity.compact import JsonObject, TokenRefused

# OpenID Connect Core §2 allows a subject 255 characters; what goes into paths and logs should not be longer.
MAX_NAME_LENGTH: Final = 255
MAX_SCOPE_LENGTH: Final = 8 * 1024
# The end of the year 9999: what comes later no calendar can show, and some numbers no float can hold.
MAX_EPOCH_S: Final = 253_402_300_799


def text_of(members: JsonObject, name: str, max_length: int) -> str:
    """Return a member that must be text: not empty, not endless, nothing unprintable (nor half of a surrogate pair)."""
    value = members.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= max_length or not value.isprintable():
        raise TokenRefused(name)
    return value


def name_of(members: JsonObject, name: str) -> str:
    """Return a member that names somebody or something."""
    return text_of(members, name, MAX_NAME_LENGTH)


def scopes_of(claims: JsonObject) -> frozenset[str]:
    """No scope is no right, not every right; some issuers say it with an empty text."""
    if claims.get("scope", "") == "":
        return frozenset()
    return frozenset(text_of(claims, "scope", MAX_SCOPE_LENGTH).split())


def check_audience(claims: JsonObject, audience: str) -> None:
    """One of the audiences must be ours; none at all is not everybody's."""
    said = claims.get("aud")
    if audience not in (said if isinstance(said, list) else [said]):
        raise TokenRefused("aud")


def check_times(claims: JsonObject, now: float, leeway: float, *, required: tuple[str, ...]) -> float:
    """Compare ``exp``, ``iat`` and ``nbf`` with now, seconds since the Unix epoch; return ``exp``."""
    for name in required:
        _seconds(claims, name)
    expires_at = _seconds(claims, "exp")
    if now >= expires_at + leeway:
        raise TokenRefused("exp has passed")
    for name in ("iat", "nbf"):
        if name in claims and _seconds(claims, name) > now + leeway:
            raise TokenRefused(f"{name} is to come")
    return expires_at


def _seconds(claims: JsonObject, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_EPOCH_S:
        raise TokenRefused(name)
    return value
