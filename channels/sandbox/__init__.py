"""The other end of the addressed channels, on loopback: for the demo, the tests and the benches. Sends nothing on."""
