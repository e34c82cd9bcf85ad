"""How the shipped checkpoints were trained: see README.md."""
