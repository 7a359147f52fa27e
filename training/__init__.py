"""The torch side: physical systems (truth), networks, trainers, checkpoints. Never imports PySpice."""
