"""What the study compares and what it is called: representations, domains, heads."""
