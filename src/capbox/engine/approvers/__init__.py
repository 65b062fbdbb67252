"""Who answers when a grant is missing: a queue for programs and terminals, a policy, or `auto`."""
