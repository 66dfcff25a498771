"""Files: repositories, vocabularies, datasets and their copies; as Alyx shapes them, but for copies, which are ours."""
