"""The torch side: physical systems (the truth), networks, trainers and checkpoints. It never imports PySpice."""
