"""How what is kept looks from outside: REST, pages and commands read it here and show the same."""
