"""What registry reads: its own tables, and the views of its neighbours."""
