"""identity: signing accounts (1.2, 1.3), the school certificate (1.1), proofs, pictures of seal and signature."""

from __future__ import annotations

from contracts.access import Action
from services.identity.errors import UNKNOWN_PROOF
from tests.access.needs import OWN_SCHOOL, SCHOOL_A, only, right
from tests.access.rows import Row, act, order, page

REGISTERING = right(Action.REGISTER_SIGNING_ACCOUNT, OWN_SCHOOL)
OF_SCHOOL = right(Action.REGISTER_SCHOOL_CERTIFICATE, OWN_SCHOOL)
APPROVING = right(Action.APPROVE_SIGNING_ACCOUNT, OWN_SCHOOL)
APPROVING_A = right(Action.APPROVE_SIGNING_ACCOUNT, SCHOOL_A)
PROVING = only("homeroom_1a", reason="whoever registers")
HIDDEN = (UNKNOWN_PROOF.code,)
LOGIN = {"provider": "sandbox", "username": "nobody-there", "password": "wrong"}
LOGIN_FORM = list(LOGIN.items())
BEGUN = [("means", "remote"), ("provider", "sandbox")]
ONE = {"persons": ["@colleague"]}
ACCOUNTS = "/ui/identity/signing-accounts"
SIGNATURE, SEAL = {"kind": "signature"}, {"kind": "seal"}

REGISTRATION = (
    page("/api/identity/signing-accounts/mine", REGISTERING),
    order("/api/identity/signing-accounts/mine/copy", REGISTERING),
    page("/api/identity/providers", REGISTERING),
    order("/api/identity/signing-accounts/credentials", REGISTERING, LOGIN),
    order("/api/identity/signing-accounts", REGISTERING, LOGIN),
    page("/api/identity/school-certificate", OF_SCHOOL),
    order("/api/identity/school-certificate/copy", OF_SCHOOL),
    order("/api/identity/school-certificate/credentials", OF_SCHOOL, LOGIN),
    order("/api/identity/school-certificate", OF_SCHOOL, LOGIN),
    page("/api/identity/proofs/{proof_id}", PROVING, hidden=HIDDEN),
    order("/api/identity/proofs/{proof_id}/certificate", PROVING, {"credential_id": "none"}, hidden=HIDDEN),
    order("/api/identity/proofs/{proof_id}/give-up", PROVING, hidden=HIDDEN),
    page("/ui/identity/signing-account", REGISTERING),
    page("/ui/identity/signing-account/", REGISTERING),
    act("/ui/identity/signing-account/", REGISTERING, BEGUN),
    act("/ui/identity/signing-account/login", REGISTERING, LOGIN_FORM),
    act("/ui/identity/signing-account/copy", REGISTERING),
    page("/ui/identity/school-certificate", OF_SCHOOL),
    act("/ui/identity/school-certificate", OF_SCHOOL, BEGUN),
    act("/ui/identity/school-certificate/login", OF_SCHOOL, LOGIN_FORM),
    act("/ui/identity/school-certificate/copy", OF_SCHOOL),
    page("/ui/identity/proofs/{proof_id}", PROVING, hidden=HIDDEN),
    act("/ui/identity/proofs/{proof_id}", PROVING, [("credential", "none")], hidden=HIDDEN),
    page("/ui/identity/proofs/{proof_id}/provider", PROVING, hidden=HIDDEN),
    page("/ui/identity/proofs/callback", REGISTERING, query={"state": "nobody-left-with-it", "code": "x"}),
    act("/ui/identity/proofs/{proof_id}/code", PROVING, [("credential", "none")], hidden=HIDDEN),
    act("/ui/identity/proofs/{proof_id}/give-up", PROVING, hidden=HIDDEN),
)

APPROVAL = (
    page("/api/identity/signing-accounts", APPROVING),
    order("/api/identity/signing-accounts/approve", APPROVING, ONE, step_up=True),
    order("/api/identity/signing-accounts/refuse", APPROVING, {**ONE, "reason": "Sai chứng thư"}, step_up=True),
    order("/api/identity/signing-accounts/copy", APPROVING, ONE, step_up=True),
    page(ACCOUNTS, APPROVING),
    # without a reason: the page that asks for one names whom it is about
    act(ACCOUNTS, APPROVING, [("ids", "@colleague"), ("decision", "refuse")], step_up=True),
    act(f"{ACCOUNTS}/copy", APPROVING, step_up=True),
    page(f"{ACCOUNTS}/list.xlsx", APPROVING),
    page(f"{ACCOUNTS}/outcomes/{{key}}", only("administrator_a", reason="whoever did the bulk act"), values={"key": "@outcome"}),
    page(f"{ACCOUNTS}/{{person}}", APPROVING_A, values={"person": "@colleague"}),
    act(f"{ACCOUNTS}/{{person}}/issuer", right(Action.GRANT_ACCOUNTS, SCHOOL_A), [("issuer", "1")], values={"person": "@colleague"}),
)

PICTURES = (
    page("/api/identity/images/{kind}", OF_SCHOOL, values=SEAL),
    Row("POST", "/api/identity/images/{kind}", OF_SCHOOL, values=SEAL, file=("image", "picture")),
    order("/api/identity/images/{kind}/edit", OF_SCHOOL, {}, values=SEAL),
    order("/api/identity/images/{kind}/restore", OF_SCHOOL, {}, values=SEAL),
    page(
        "/api/identity/images/{kind}/{owner}/{sha256}.png",
        only("homeroom_1a", reason="whose signature it is") | APPROVING_A,
        values={**SIGNATURE, "owner": "@signature_owner", "sha256": "@signature_sha256"},
    ),
    page("/ui/identity/images/{kind}", REGISTERING, values=SIGNATURE),
    Row("POST", "/ui/identity/images/{kind}", REGISTERING, values=SIGNATURE, file=("image", "picture")),
    page("/ui/identity/images/{kind}/edit", REGISTERING, values=SIGNATURE),
    act("/ui/identity/images/{kind}/edit", REGISTERING, [("background", "1"), ("crop", "auto")], values=SIGNATURE),
    act("/ui/identity/images/{kind}/restore", REGISTERING, values=SIGNATURE),
    page("/ui/identity/images/{kind}/preview.png", REGISTERING, values=SIGNATURE),
    page("/ui/identity/images/{kind}/sample.png", REGISTERING, values=SIGNATURE),
)

ROWS: tuple[Row, ...] = (*REGISTRATION, *APPROVAL, *PICTURES)
