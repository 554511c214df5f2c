"""How it is reached: the HTTP service, the command line and everything that touches the outside world."""
