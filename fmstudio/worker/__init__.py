"""Where long work runs: one compute thread, driven from the GUI thread. Qt core only."""
