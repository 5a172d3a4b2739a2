"""What the training loop needs beside MMEngine's: hooks, precision, distribution, work directories."""
