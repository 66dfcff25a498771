"""Rules of compressor: recordings and their companions, spans and channels of a slice, microvolts per bit."""
