"""python -m infra.sandbox.admissions --dir DIR --port N"""

from infra.sandbox.admissions.app import create_app
from infra.sandbox.common import argument_parser, place_of, serve
from infra.sandbox.door import add_arguments, door_of
from infra.sandbox.door import serve as serve_both


def main() -> None:
    parser = argument_parser("admissions", "Sandbox admissions portal")
    add_arguments(parser)
    options = parser.parse_args()
    place, door = place_of(options), door_of(options)
    app = create_app(place, door)
    if door is None:
        serve(app, place)
    else:
        serve_both(app, place, door)


if __name__ == "__main__":
    main()
