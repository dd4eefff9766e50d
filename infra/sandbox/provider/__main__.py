"""python -m infra.sandbox.provider --dir DIR --port N"""

from infra.sandbox.common import argument_parser, place_of, serve
from infra.sandbox.provider.app import create_app


def main() -> None:
    place = place_of(argument_parser("provider", "Sandbox remote signing provider (CSC API v2)").parse_args())
    serve(create_app(place), place)


if __name__ == "__main__":
    main()
