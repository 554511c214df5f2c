"""The service as its users meet it: a real process, over real HTTP."""
