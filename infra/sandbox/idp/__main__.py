"""python -m infra.sandbox.idp --dir DIR --port N"""

from pathlib import Path

from infra.sandbox.common import argument_parser, place_of, serve
from infra.sandbox.idp.app import create_app


def main() -> None:
    parser = argument_parser("idp", "Sandbox OpenID provider")
    parser.add_argument("--client-secret-file", type=Path, required=True, help="the secret that it shares with its one client")
    options = parser.parse_args()
    place = place_of(options)
    serve(create_app(place, options.client_secret_file.read_text(encoding="utf-8").strip()), place)


if __name__ == "__main__":
    main()
