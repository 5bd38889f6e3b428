"""``python -m bffs.mobile`` serves; ``… contract`` prints the OpenAPI document; ``… explain`` what screens can cost."""

import json
import sys
from pathlib import Path

from bffs.mobile.app import create_app
from bffs.mobile.settings import MobileSettings
from shared.asgi.serve import serve
from shared.backends.explain import report

# The contract does not depend on where things are.
NOWHERE = "http://backend.invalid"


def contract() -> str:
    """Return the committed form of ``openapi.json``."""
    settings = MobileSettings(
        listen="127.0.0.1:8001", users_url=NOWHERE, orders_url=NOWHERE, alerts_url=NOWHERE, issuer=NOWHERE,
        jwks_url=NOWHERE,
    )  # fmt: skip
    return json.dumps(create_app(settings).openapi(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Serve, or print the contract, or what every screen can cost."""
    if arguments == ["contract"]:
        sys.stdout.write(contract())
    elif arguments == ["explain"]:
        text, well = report("bffs.mobile", Path(__file__).with_name("edge.yaml").read_text())
        sys.stdout.write(text)
        return 0 if well else 1
    elif arguments:
        sys.stderr.write("usage: python -m bffs.mobile [contract | explain]\n")
        return 2
    else:
        settings = MobileSettings()
        serve(create_app(settings), settings)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
