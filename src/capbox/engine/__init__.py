"""Where a run executes: this process and its workers (`local`). A cluster comes later."""
