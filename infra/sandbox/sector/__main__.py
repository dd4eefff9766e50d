"""python -m infra.sandbox.sector --dir DIR --port N --secret-file FILE [--school DIR ...]"""

from pathlib import Path

from infra.sandbox.common import argument_parser, place_of, serve
from infra.sandbox.sector.app import create_app
from infra.sandbox.sector.exports import rows_of


def main() -> None:
    parser = argument_parser("sector", "Sandbox sector database")
    parser.add_argument("--secret-file", type=Path, required=True, help="the secret that it shares with its one client")
    parser.add_argument("--school", type=Path, action="append", default=[], help="an exported school that it holds from the start")
    options = parser.parse_args()
    place = place_of(options)
    schools = [rows_of(folder) for folder in options.school]
    serve(create_app(place, options.secret_file.read_text(encoding="utf-8").strip(), schools), place)


if __name__ == "__main__":
    main()
