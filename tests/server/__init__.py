"""The room `server`: how advice is reached."""
