"""``python -m dev.scaffold.graphql`` serves newcomer; ``contract`` prints its SDL, ``explain`` what it can cost."""

import sys

from dev.scaffold.graphql.app import create_app
from dev.scaffold.graphql.schema import sdl
from dev.scaffold.graphql.settings import NewcomerSettings
from shared.asgi.command import run_bff

if __name__ == "__main__":
    sys.exit(run_bff(sys.argv[1:], main=__file__, settings=NewcomerSettings, create_app=create_app, contract=sdl))
