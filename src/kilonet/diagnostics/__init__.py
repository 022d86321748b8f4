"""What is wrong with a network, and what cures it: facts, rules, and remedies that are tried before they are advised."""
