"""The audit trails of all services in one place: to search, to watch over, to hand to an inspector."""
