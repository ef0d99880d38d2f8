"""What tests share: inputs, runs, emulators, servers on loopback. There are no tests here."""
