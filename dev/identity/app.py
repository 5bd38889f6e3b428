"""The identity provider, wired. Signing in comes later: tokens are had from ``/dev/tokens``, as any user."""

from typing import Any, Final

from fastapi import FastAPI
from starlette.responses import JSONResponse

from dev.identity.keys import SigningKeys
from dev.identity.settings import IdentitySettings
from dev.identity.tokens import TokenRequest, make_token
from shared.asgi.defaults import install_defaults

NO_STORE: Final = {"cache-control": "no-store"}
# Short: a rotation should be seen soon by whoever obeys it.
KEYS_KEPT: Final = {"cache-control": "public, max-age=60"}


def create_app(settings: IdentitySettings) -> FastAPI:
    """Return the provider with fresh keys."""
    app = FastAPI(title="identity", version=settings.version, docs_url=None, redoc_url=None)
    keys = SigningKeys()
    _add_provider(app, settings, keys)
    _add_controls(app, settings, keys)
    install_defaults(app, settings, service="identity")
    return app


def _add_provider(app: FastAPI, settings: IdentitySettings, keys: SigningKeys) -> None:
    @app.get("/.well-known/openid-configuration")
    async def discover() -> dict[str, Any]:
        """Say where things are (OpenID Connect Discovery §3), as far as there are any."""
        return {
            "issuer": settings.issuer,
            "jwks_uri": f"{settings.issuer.rstrip('/')}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "scopes_supported": ["openid", "dashboard"],
        }

    @app.get("/jwks")
    async def publish_keys() -> JSONResponse:
        """Public keys, newest first."""
        return JSONResponse(keys.published(), headers=KEYS_KEPT)


def _add_controls(app: FastAPI, settings: IdentitySettings, keys: SigningKeys) -> None:
    @app.post("/dev/tokens")
    async def issue(request: TokenRequest) -> JSONResponse:
        """Give out a token for anybody."""
        token = make_token(request, settings, keys.current, app.state.clock.wall_s())
        body = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": request.expires_in,
            "scope": request.scope,
        }
        return JSONResponse(body, headers=NO_STORE)

    @app.post("/dev/keys/rotate")
    async def rotate() -> dict[str, Any]:
        """Sign with a new key at once; the one before stays published."""
        keys.rotate()
        return {"kid": keys.current.kid, "published": [key["kid"] for key in keys.published()["keys"]]}
