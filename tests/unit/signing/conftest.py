import pytest

from tests.unit.signing.sealed import Sandbox


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return Sandbox.open(tmp_path_factory.mktemp("sandbox"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """Another PKI with the same names, which nobody here trusts."""
    return Sandbox.open(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="session")
def sealed_xml(sandbox: Sandbox) -> bytes:
    return sandbox.sealed_xml()


@pytest.fixture(scope="session")
def sealed_pdf(sandbox: Sandbox) -> bytes:
    return sandbox.sealed_pdf()
