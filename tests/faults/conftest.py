"""The stores and the toy service of the integration tests."""

from tests.integration.conftest import short_transactions, stores, toy

__all__ = ["short_transactions", "stores", "toy"]
