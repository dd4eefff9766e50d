"""python -m infra.sandbox.pki --dir DIR --port N"""

from infra.sandbox.common import argument_parser, place_of, serve
from infra.sandbox.pki.app import create_app


def main() -> None:
    place = place_of(argument_parser("pki", "Sandbox PKI: CAs, OCSP, CRL, TSA").parse_args())
    serve(create_app(place), place)


if __name__ == "__main__":
    main()
