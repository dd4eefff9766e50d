"""A folder of tokens that this process's PKCS#11 module looks at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.agent.softhsm import Tokens


@pytest.fixture(scope="session")
def _store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tokens]:
    made = Tokens(tmp_path_factory.mktemp("softhsm"))
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in made.environment.items():
            patch.setenv(variable, value)
        yield made


@pytest.fixture
def tokens(_store: Tokens) -> Tokens:
    """No token is plugged in."""
    _store.remove_all()
    return _store
