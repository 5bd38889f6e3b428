"""``python -m dev.scaffold.rest`` serves newcomer; ``contract`` prints its OpenAPI, ``explain`` what it can cost."""

import sys

from dev.scaffold.rest.app import create_app
from dev.scaffold.rest.settings import NewcomerSettings
from shared.asgi.command import openapi, run_bff

if __name__ == "__main__":
    sys.exit(run_bff(sys.argv[1:], main=__file__, settings=NewcomerSettings, create_app=create_app, contract=openapi))
