"""python -m infra.sandbox.provider --dir DIR --port N [--protocol csc] [--client-secret-file FILE]"""

from pathlib import Path

from infra.sandbox.common import argument_parser, place_of, serve
from infra.sandbox.provider.app import PROTOCOLS, create_app
from infra.sandbox.provider.desk import Webhook


def main() -> None:
    parser = argument_parser("provider", "Sandbox remote signing provider")
    parser.add_argument("--protocol", choices=PROTOCOLS, default="csc")
    parser.add_argument("--client-secret-file", type=Path, help="secret of the service provider hocba; csc: OAuth 2")
    parser.add_argument("--webhook", default="", help="address that is told when a transaction is over (sp769, mysign)")
    parser.add_argument("--webhook-ca-file", type=Path, help="PEM to trust for webhooks over https")
    options = parser.parse_args()
    secret = options.client_secret_file.read_text().strip() if options.client_secret_file else ""
    place = place_of(options)
    told = Webhook(options.webhook, options.webhook_ca_file)
    serve(create_app(place, options.protocol, {"hocba": secret} if secret else {}, told), place)


if __name__ == "__main__":
    main()
