"""The provider's keys: made at start, in memory only, two published while one follows the other."""

from typing import Any

from joserfc.jwk import ECKey


class SigningKeys:
    """``current`` signs. The one before it stays published, so that its tokens count until the next rotation."""

    def __init__(self) -> None:
        self.current = _new_key()
        self._previous: ECKey | None = None

    def rotate(self) -> None:
        """Sign with a new key from now on."""
        self._previous, self.current = self.current, _new_key()

    def published(self) -> dict[str, Any]:
        """Return the JSON Web Key Set: public halves, newest first."""
        keys = [self.current] if self._previous is None else [self.current, self._previous]
        return {"keys": [key.as_dict(private=False) for key in keys]}


def _new_key() -> ECKey:
    key = ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig"})
    key.ensure_kid()  # its thumbprint (RFC 7638)
    return key
