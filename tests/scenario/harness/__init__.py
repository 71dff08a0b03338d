"""The peers of the scenarios: the gateway under test, clients, backends. Standard library only."""
