"""Operations of the gateway: authentication, and requests of its own."""
