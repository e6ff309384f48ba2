"""What the test suites share: keys and tokens, the server's process, clients, invented people."""
