"""Operations of compressor: indexing and proving recordings, cutting slices out of them."""
