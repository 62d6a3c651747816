"""What dagdsl is compared with: the same networks, written by hand in plain PyTorch."""
