"""python -m infra.sandbox.gateway --dir DIR --port N --callback-secret-file FILE"""

from pathlib import Path

from infra.sandbox.common import argument_parser, place_of, serve
from infra.sandbox.door import add_arguments, door_of
from infra.sandbox.door import serve as serve_both
from infra.sandbox.gateway.app import GatewayOptions, create_app


def main() -> None:
    parser = argument_parser("gateway", "Sandbox national gateway")
    parser.add_argument("--callback-secret-file", type=Path, required=True, help="shared secret of the callbacks' HMAC")
    parser.add_argument("--callback-ca-file", type=Path, help="PEM to trust for callbacks over https")
    parser.add_argument("--callback-host", action="append", default=[], help="host that may be called back besides loopback")
    parser.add_argument("--workers", type=int, default=1, help="processes that validate")
    add_arguments(parser)
    options = parser.parse_args()
    door = door_of(options)
    gateway = GatewayOptions(
        callback_secret=options.callback_secret_file.read_bytes().strip(),
        callback_ca_file=options.callback_ca_file,
        callback_hosts=frozenset(options.callback_host),
        workers=options.workers,
        door=door,
    )
    place = place_of(options)
    app = create_app(place, gateway)
    if door is None:
        serve(app, place)
    else:
        serve_both(app, place, door)


if __name__ == "__main__":
    main()
