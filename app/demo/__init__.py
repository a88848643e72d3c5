"""The sample project of `make demo`: its texts, and annotators that label them."""
