"""What the services say to each other and to the outside. Imports pydantic and the standard library only."""
