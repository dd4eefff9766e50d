"""The stores and the toy service of the integration tests."""

from tests.integration.conftest import stores, toy

__all__ = ["stores", "toy"]
