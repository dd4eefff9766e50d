"""The gateway's own behaviour: real nginx, real TLS, and small HTTP servers in the places of the services."""

import http.client
import json
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import httpx
import pytest

from infra.local import Stack
from infra.stack.instance import Instance
from tests.patience import eventually


class Upstream(BaseHTTPRequestHandler):
    """Answers with what it was asked; as identity it also changes the cookie `good…` into a token."""

    protocol_version = "HTTP/1.1"
    session_checks: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        if self.path == "/internal/session":
            cookie = self.headers.get("Cookie", "")
            self.session_checks.append(cookie)
            token = f"token-for-{cookie.split('good-')[1][:5]}" if "__Host-hocba=good-" in cookie else ""
            self._answer(b"", {"X-Internal-Token": token})
            return
        if self.path.endswith("/refused"):
            self._answer(b"own answer", {}, status=503)
            return
        length = int(self.headers.get("Content-Length", "0"))
        told = {"path": self.path, "headers": dict(self.headers.items()), "received": len(self.rfile.read(length))}
        self._answer(json.dumps(told).encode(), {"X-Request-ID": "upstream's own", "Content-Type": "application/json"})

    def do_POST(self) -> None:
        self.do_GET()

    def _answer(self, body: bytes, headers: dict[str, str], status: int = 200) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self._headers_buffer: list[bytes]  # kept by the base class until they are flushed
        self._headers_buffer += [b"\r\n", body]
        self.flush_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name for it
        """Quiet."""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack("gateway-test", only=["gateway"], fresh=True) as running:
        yield running


@pytest.fixture(scope="module")
def instance(stack: Stack) -> Iterator[Instance]:
    """Identity and records answer; signing, publishing and district are down."""
    servers = [ThreadingHTTPServer(("127.0.0.1", stack.instance.ports[f"{service}-web"]), Upstream) for service in ("identity", "records")]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield stack.instance
    for server in servers:
        server.shutdown()
        server.server_close()


def trust(instance: Instance) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(instance.tls / "ca.pem"))


@pytest.fixture
def client(instance: Instance) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=instance.public_url, verify=trust(instance)) as opened:
        yield opened


def asked(answer: httpx.Response) -> dict[str, str]:
    """The headers that reached the service, by lower-case name."""
    assert answer.status_code == 200, answer.text
    return {name.lower(): value for name, value in answer.json()["headers"].items()}


def test_a_session_cookie_becomes_a_token_for_the_service(client: httpx.Client) -> None:
    headers = asked(client.get("/api/records/classes", headers={"Cookie": "theme=dark; __Host-hocba=good-aaaaa; lang=vi"}))
    assert headers["authorization"] == "Bearer token-for-aaaaa"


def test_the_session_cookie_reaches_identity_only(client: httpx.Client) -> None:
    cookie = {"Cookie": "theme=dark; __Host-hocba=good-bbbbb; lang=vi"}
    assert "__Host-hocba=good-bbbbb" in asked(client.get("/api/identity/me", headers=cookie))["cookie"]
    to_records = asked(client.get("/ui/records/classes", headers=cookie))["cookie"]
    assert "good-bbbbb" not in to_records
    assert "theme=dark" in to_records
    assert "lang=vi" in to_records


@pytest.mark.parametrize(
    "cookies",
    [
        "__Host-hocba=good-hhhhh; __Host-hocba-device=known-device",
        "__Host-hocba-device=known-device; __Host-hocba=good-hhhhh",
        "lang=vi; __Host-hocba=good-hhhhh; theme=dark; __Host-hocba-device=known-device",
        "__Host-hocba-device=known-device; lang=vi; theme=dark",
        "__Host-hocba-device=known-device",
    ],
)
def test_the_device_cookie_reaches_identity_only(client: httpx.Client, cookies: str) -> None:
    assert "__Host-hocba-device=known-device" in asked(client.get("/api/identity/me", headers={"Cookie": cookies}))["cookie"]
    for path in ("/ui/records/classes", "/static/look.css"):
        forwarded = asked(client.get(path, headers={"Cookie": cookies})).get("cookie", "")
        assert "hocba" not in forwarded
        assert ("lang=vi" in forwarded, "theme=dark" in forwarded) == ("lang=vi" in cookies, "theme=dark" in cookies)


def test_one_session_never_gets_the_token_of_another(client: httpx.Client) -> None:
    first = asked(client.get("/api/records/classes", headers={"Cookie": "__Host-hocba=good-ccccc"}))
    second = asked(client.get("/api/records/classes", headers={"Cookie": "__Host-hocba=good-ddddd"}))
    assert (first["authorization"], second["authorization"]) == ("Bearer token-for-ccccc", "Bearer token-for-ddddd")


def test_requests_close_together_ask_identity_once(client: httpx.Client) -> None:
    cookie = "__Host-hocba=good-eeeee"
    for _ in range(5):
        asked(client.get("/api/records/classes", headers={"Cookie": cookie}))
    assert Upstream.session_checks.count(cookie) == 1


def test_somebody_not_signed_in_reaches_the_service_without_a_token(client: httpx.Client) -> None:
    assert "authorization" not in asked(client.get("/ui/records/classes"))


def test_identity_claimed_by_the_client_is_removed(client: httpx.Client) -> None:
    forged = {"Authorization": "Bearer forged", "X-Internal-Token": "forged", "X-User": "forged", "X-Forwarded-User": "forged"}
    for path in ("/api/records/classes", "/api/identity/sessions", "/static/look.css"):
        assert "forged" not in asked(client.get(path, headers=forged)).values()


def test_signing_in_asks_for_no_session(client: httpx.Client) -> None:
    cookie = "__Host-hocba=good-fffff"
    for path in ("/api/identity/sessions", "/ui/identity/sign-in", "/static/look.css", "/openapi/"):
        assert "authorization" not in asked(client.get(path, headers={"Cookie": cookie}))
    assert cookie not in Upstream.session_checks


def test_a_request_id_is_made_forwarded_and_returned(client: httpx.Client) -> None:
    answer = client.get("/api/records/classes", headers={"X-Request-ID": "chosen-by-client", "traceparent": "00-abc-def-01"})
    headers = asked(answer)
    assert answer.headers.get_list("X-Request-ID") == [headers["x-request-id"]]
    assert headers["x-request-id"] != "chosen-by-client"
    assert headers["traceparent"] == "00-abc-def-01"


def test_a_service_that_is_down_answers_with_a_code_and_a_time(client: httpx.Client) -> None:
    problem = client.get("/api/district/counts")
    assert problem.status_code == 503
    assert problem.headers["Content-Type"].startswith("application/problem+json")
    assert problem.json()["code"] == "HB-GW-503"
    assert problem.json()["request_id"] == problem.headers["X-Request-ID"]
    assert int(problem.headers["Retry-After"]) > 0
    page = client.get("/ui/district/")
    assert page.status_code == 503
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "HB-GW-503" in page.text
    assert "thử lại" in page.text


def test_a_refusal_of_the_service_itself_passes_unchanged(client: httpx.Client) -> None:
    answer = client.get("/api/records/refused")
    assert (answer.status_code, answer.text) == (503, "own answer")


def test_a_body_over_the_limit_is_refused_and_one_below_it_arrives(client: httpx.Client, instance: Instance) -> None:
    cookie = {"Cookie": "__Host-hocba=good-ggggg"}
    arrived = client.post("/api/records/imports", content=b"x" * 5_000_000, headers=cookie)
    assert arrived.json()["received"] == 5_000_000
    announced = http.client.HTTPSConnection("localhost", instance.ports["gateway"], context=trust(instance))
    announced.putrequest("POST", "/api/records/imports")
    announced.putheader("Content-Length", str(65 * 2**20))
    announced.endheaders()
    refused = announced.getresponse()
    assert (refused.status, json.loads(refused.read())["code"]) == (413, "HB-GW-413")
    announced.close()


def test_internal_addresses_are_not_reachable(client: httpx.Client) -> None:
    for path in ("/internal/session", "/_session", "/metrics", "/readyz", "/api/unknown/x"):
        assert client.get(path).status_code == 404


def test_the_root_leads_to_identity(client: httpx.Client) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.headers["Location"].removeprefix(str(client.base_url).rstrip("/"))) == (302, "/ui/identity/")


def test_answers_carry_the_security_headers(client: httpx.Client) -> None:
    for path in ("/ui/records/classes", "/ui/district/", "/nowhere"):
        headers = client.get(path).headers
        assert headers["Strict-Transport-Security"].startswith("max-age=")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"


def test_long_answers_are_packed_unless_they_may_hold_a_secret(client: httpx.Client) -> None:
    packed = client.get("/ui/records/classes", headers={"Accept-Encoding": "gzip", "X-Filler": "x" * 2000})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert asked(packed)["x-filler"] == "x" * 2000
    forms = client.get("/ui/identity/accounts", headers={"Accept-Encoding": "gzip", "X-Filler": "x" * 2000})
    assert "content-encoding" not in forms.headers
    assert asked(forms)["x-filler"] == "x" * 2000
    plain = client.get("/ui/records/classes", headers={"Accept-Encoding": "identity", "X-Filler": "x" * 2000})
    assert "content-encoding" not in plain.headers


def test_the_access_log_keeps_no_query(client: httpx.Client, instance: Instance) -> None:
    client.get("/api/records/pupils", params={"name": "Nguyễn-Tìm-Kiếm"})
    log = instance.logs / "gateway.log"
    eventually(lambda: '"/api/records/pupils"' in log.read_text())  # the line is written after the answer
    assert "name=" not in log.read_text()


def test_a_flood_from_one_address_is_slowed_down(client: httpx.Client) -> None:
    answers = [client.get("/nowhere-at-all") for _ in range(10)]
    assert {answer.status_code for answer in answers} == {404}, "ordinary use is not limited"
    with ThreadPoolExecutor(8) as crowd:
        flood = list(crowd.map(lambda _: client.get("/api/identity/sessions"), range(1500)))
    slowed = [answer for answer in flood if answer.status_code == 429]
    assert slowed
    assert int(slowed[0].headers["Retry-After"]) > 0
    assert slowed[0].json()["code"] == "HB-GW-429"


def test_the_secret_of_a_one_time_link_stands_in_no_log_even_when_it_is_slowed_down(client: httpx.Client, instance: Instance) -> None:
    def ask(_: int) -> int:
        return client.get("/ui/identity/sign-in/reset", params={"t": "secret-of-the-link"}).status_code

    with ThreadPoolExecutor(40) as pool:
        statuses = set(pool.map(ask, range(1200)))
    assert 429 in statuses
    log = (instance.logs / "gateway.log").read_text()
    assert '"/ui/identity/sign-in/reset"' in log
    assert "secret-of-the-link" not in log


@pytest.mark.parametrize("path", ["/ui/publishing/verify", "/api/publishing/verification/files"])
def test_a_file_to_be_verified_is_refused_by_its_length_alone(instance: Instance, path: str) -> None:
    connection = http.client.HTTPSConnection("127.0.0.1", instance.ports["gateway"], context=trust(instance))
    connection.putrequest("POST", path)
    connection.putheader("Content-Length", "50000000")
    connection.endheaders()

    refused = connection.getresponse()

    assert (refused.status, b"HB-PUB-041" in refused.read()) == (413, True)


def test_whoever_tries_many_codes_is_told_to_wait_and_others_pages_go_on(client: httpx.Client) -> None:
    def status(number: int) -> int:
        return client.get(f"/api/publishing/verification/documents/{number:012x}").status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(status, range(250)))

    assert set(answers) == {429, 503}, "publishing is down here"
    assert client.get("/api/records/classes").status_code == 200
