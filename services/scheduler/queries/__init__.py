"""The statements of scheduler, by noun."""
