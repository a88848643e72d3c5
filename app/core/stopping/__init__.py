"""When a run of rounds stops: `settings` has what can be set, `rules` what each rule finds."""
