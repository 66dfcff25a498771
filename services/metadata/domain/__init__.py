"""Rules of metadata: functions of their arguments, without I/O, settings or clock."""
