"""The services, one folder each; none knows another."""
