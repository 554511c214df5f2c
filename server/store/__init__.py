"""What is kept between requests: SQLite or PostgreSQL."""
