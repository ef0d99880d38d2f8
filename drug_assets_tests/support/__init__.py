"""What tests share: inputs, runs, emulators, servers on loopback. No test stands here."""
