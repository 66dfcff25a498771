"""Operations of transfer, called by routes, event handlers and loops."""
