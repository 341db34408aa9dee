"""What is true: frozen values and functions on them. No I/O, standard library only."""
