"""What a run is told: prompts, styles, skills, and workspaces with settings of their own."""
