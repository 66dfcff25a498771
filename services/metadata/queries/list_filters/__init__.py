"""The filters of each list as conditions."""
