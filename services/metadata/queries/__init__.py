"""Every statement metadata sends to the database; rows that people see need a Visibility."""
