"""python -m infra.sandbox.admissions --dir DIR --port N"""

from infra.sandbox.admissions.app import create_app
from infra.sandbox.common import argument_parser, place_of, serve


def main() -> None:
    place = place_of(argument_parser("admissions", "Sandbox admissions portal").parse_args())
    serve(create_app(place), place)


if __name__ == "__main__":
    main()
