"""What is known about compressed recordings, and slices out of them."""
