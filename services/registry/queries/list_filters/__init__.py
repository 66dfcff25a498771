"""The filters of each of registry's lists as conditions."""
