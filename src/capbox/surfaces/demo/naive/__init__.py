"""The naive fixture: tools as they are often written, so that each attack is seen to bite."""
