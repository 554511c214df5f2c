"""What we say: an Assessment in, CDS Hooks cards out."""
